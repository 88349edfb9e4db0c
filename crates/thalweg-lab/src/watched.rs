//! A site that tells a person at the terminal how far it is, and stops when asked.
//!
//! Instruments know nothing of progress bars and signals, and most of them ask for everything in a few long calls.
//! This wrapper cuts those into short ones, which changes no bit of a site whose points are independent.

use thalweg_geometry::site::{Convention, Matrix, Point, Section, Site, SiteError, Value};

use crate::interrupt;
use crate::progress::Stage;

/// Points that go to the site between two looks at the interrupt.
const POINTS_TOGETHER: usize = 32;

/// The same of a section: points there are cheaper, and a line of 51 with its ends goes in one call.
const SECTION_POINTS_TOGETHER: usize = 64;

/// A site whose every evaluation counts as one unit of a stage. When an interrupt was asked for, the next call fails
/// with [`interrupt::Interrupted`] as the cause.
pub struct Watched<'a> {
    site: &'a dyn Site,
    stage: &'a Stage,
}

impl<'a> Watched<'a> {
    /// Watches `site` on behalf of `stage`.
    pub fn new(site: &'a dyn Site, stage: &'a Stage) -> Self {
        Self { site, stage }
    }

    fn done(&self, count: usize) -> Result<(), SiteError> {
        self.stage.inc(count as u64);
        interrupt::check().map_err(|interrupted| SiteError::Failed(Box::new(interrupted)))
    }
}

impl Site for Watched<'_> {
    fn dimension(&self) -> usize {
        self.site.dimension()
    }

    fn convention(&self) -> &Convention {
        self.site.convention()
    }

    fn values(&self, points: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        let mut values = Vec::with_capacity(points.len());
        for points in points.chunks(POINTS_TOGETHER) {
            values.extend(self.site.values(points)?);
            self.done(points.len())?;
        }
        Ok(values)
    }

    fn gradient(&self, theta: &[f64], out: &mut [f64]) -> Result<f64, SiteError> {
        let loss = self.site.gradient(theta, out)?;
        self.done(1)?;
        Ok(loss)
    }

    fn hvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.site.hvps(theta, tangents, out)?;
        self.done(tangents.len())
    }

    fn ggn_products(
        &self,
        theta: &[f64],
        tangents: &[&[f64]],
        out: &mut [Vec<f64>],
    ) -> Result<(), SiteError> {
        self.site.ggn_products(theta, tangents, out)?;
        self.done(tangents.len())
    }

    fn outputs(&self, points: &[&[f64]]) -> Result<Vec<Matrix>, SiteError> {
        let outputs = self.site.outputs(points)?;
        self.done(points.len())?;
        Ok(outputs)
    }

    fn jvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Matrix]) -> Result<(), SiteError> {
        self.site.jvps(theta, tangents, out)?;
        self.done(tangents.len())
    }

    fn vjps(&self, theta: &[f64], cotangents: &[&Matrix], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.site.vjps(theta, cotangents, out)?;
        self.done(cotangents.len())
    }

    fn at<'b>(&'b self, theta: &[f64]) -> Box<dyn Point + 'b> {
        Box::new(WatchedPoint { watched: self, point: self.site.at(theta) })
    }

    fn section<'b>(&'b self, vectors: &[&[f64]]) -> Box<dyn Section + 'b> {
        Box::new(WatchedSection { watched: self, section: self.site.section(vectors) })
    }
}

/// A section of the site's own, with the same watch.
struct WatchedSection<'a> {
    watched: &'a Watched<'a>,
    section: Box<dyn Section + 'a>,
}

impl Section for WatchedSection<'_> {
    fn values(&self, coefficients: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        let mut values = Vec::with_capacity(coefficients.len());
        for coefficients in coefficients.chunks(SECTION_POINTS_TOGETHER) {
            values.extend(self.section.values(coefficients)?);
            self.watched.done(coefficients.len())?;
        }
        Ok(values)
    }
}

/// A point of the site's own, with the same watch.
struct WatchedPoint<'a> {
    watched: &'a Watched<'a>,
    point: Box<dyn Point + 'a>,
}

impl Point for WatchedPoint<'_> {
    fn theta(&self) -> &[f64] {
        self.point.theta()
    }

    fn convention(&self) -> &Convention {
        self.point.convention()
    }

    fn hvps(&self, tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.point.hvps(tangents, out)?;
        self.watched.done(tangents.len())
    }

    fn ggn_products(&self, tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.point.ggn_products(tangents, out)?;
        self.watched.done(tangents.len())
    }

    fn jvps(&self, tangents: &[&[f64]], out: &mut [Matrix]) -> Result<(), SiteError> {
        self.point.jvps(tangents, out)?;
        self.watched.done(tangents.len())
    }

    fn vjps(&self, cotangents: &[&Matrix], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.point.vjps(cotangents, out)?;
        self.watched.done(cotangents.len())
    }

    fn exact(&self) -> Option<Box<dyn Point + '_>> {
        let point = self.point.exact()?;
        Some(Box::new(WatchedPoint { watched: self.watched, point }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;
    use thalweg_geometry::site::Counted;
    use thalweg_geometry::testbed::Rosenbrock;

    #[test]
    fn long_calls_are_cut_and_no_value_changes() {
        let site = Counted::new(Rosenbrock::new(2));
        let stage = Progress::new(true).stage("values", 70, "points");
        let points: Vec<Vec<f64>> = (0..70).map(|k| vec![f64::from(k) / 7.0, 1.0]).collect();
        let points: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
        let values = Watched::new(&site, &stage).values(&points).unwrap();
        assert_eq!(values, Rosenbrock::new(2).values(&points).unwrap());
        assert_eq!((site.calls(), site.work().forwards), (3, 70));
    }

    #[test]
    fn long_calls_of_a_section_are_cut_and_a_line_is_not() {
        let site = Counted::new(Rosenbrock::new(2));
        let stage = Progress::new(true).stage("values", 181, "points");
        let (from, to) = ([0.4, -1.0], [1.1, 2.0]);
        let coefficients: Vec<[f64; 2]> =
            (0..130).map(|k| [1.0 - f64::from(k) / 64.0, f64::from(k) / 64.0]).collect();
        let coefficients: Vec<&[f64]> = coefficients.iter().map(|point| &point[..]).collect();
        let watched = Watched::new(&site, &stage);
        let section = watched.section(&[&from, &to]);
        let values = section.values(&coefficients).unwrap();
        assert_eq!(values, Rosenbrock::new(2).section(&[&from, &to]).values(&coefficients).unwrap());
        assert_eq!((site.calls(), site.work().forwards), (3, 130));
        section.values(&coefficients[..51]).unwrap();
        assert_eq!((site.calls(), site.work().forwards), (4, 181));
    }

    #[test]
    fn a_watched_point_is_the_sites_own() {
        let site = Rosenbrock::new(2);
        let stage = Progress::new(true).stage("products", 1, "products");
        let watched = Watched::new(&site, &stage);
        let mut product = [vec![0.0; 2]];
        watched.at(&[1.0, 1.0]).hvps(&[&[1.0, 0.0]], &mut product).unwrap();
        assert_eq!(product[0], [802.0, -400.0]);
    }
}
