//! A site that keeps count of what it is asked for.

use super::{Convention, Matrix, Point, Section, Site, SiteError, Value, Work};
use std::sync::atomic::{AtomicU64, Ordering};

/// Wraps a site and counts the work done through it, by whichever thread.
///
/// Readings count their own work; this is the check on them, and the meter for a caller who uses a site directly.
#[derive(Debug)]
pub struct Counted<S> {
    site: S,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    forwards: AtomicU64,
    calls: AtomicU64,
    gradients: AtomicU64,
    hvps: AtomicU64,
    ggn_products: AtomicU64,
    jvps: AtomicU64,
    vjps: AtomicU64,
}

fn add(count: &AtomicU64, times: usize) {
    count.fetch_add(times as u64, Ordering::Relaxed);
}

impl<S: Site> Counted<S> {
    /// Counts from zero.
    pub fn new(site: S) -> Self {
        Self { site, counts: Counts::default() }
    }

    /// The work so far. What was refused or failed counts too.
    pub fn work(&self) -> Work {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Work {
            forwards: load(&self.counts.forwards),
            gradients: load(&self.counts.gradients),
            hvps: load(&self.counts.hvps),
            ggn_products: load(&self.counts.ggn_products),
            jvps: load(&self.counts.jvps),
            vjps: load(&self.counts.vjps),
            matvecs: 0,
        }
    }

    /// How often `values` was called, a section's included, with however many points.
    pub fn calls(&self) -> u64 {
        self.counts.calls.load(Ordering::Relaxed)
    }
}

impl<S: Site> Site for Counted<S> {
    fn dimension(&self) -> usize {
        self.site.dimension()
    }

    fn convention(&self) -> &Convention {
        self.site.convention()
    }

    fn values(&self, points: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        add(&self.counts.forwards, points.len());
        add(&self.counts.calls, 1);
        self.site.values(points)
    }

    fn gradient(&self, theta: &[f64], out: &mut [f64]) -> Result<f64, SiteError> {
        add(&self.counts.gradients, 1);
        self.site.gradient(theta, out)
    }

    fn hvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        add(&self.counts.hvps, tangents.len());
        self.site.hvps(theta, tangents, out)
    }

    fn ggn_products(
        &self,
        theta: &[f64],
        tangents: &[&[f64]],
        out: &mut [Vec<f64>],
    ) -> Result<(), SiteError> {
        add(&self.counts.ggn_products, tangents.len());
        self.site.ggn_products(theta, tangents, out)
    }

    fn outputs(&self, points: &[&[f64]]) -> Result<Vec<Matrix>, SiteError> {
        add(&self.counts.forwards, points.len());
        self.site.outputs(points)
    }

    fn jvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Matrix]) -> Result<(), SiteError> {
        add(&self.counts.jvps, tangents.len());
        self.site.jvps(theta, tangents, out)
    }

    fn vjps(&self, theta: &[f64], cotangents: &[&Matrix], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        add(&self.counts.vjps, cotangents.len());
        self.site.vjps(theta, cotangents, out)
    }

    fn at<'a>(&'a self, theta: &[f64]) -> Box<dyn Point + 'a> {
        Box::new(CountedPoint { point: self.site.at(theta), counts: &self.counts })
    }

    fn section<'a>(&'a self, vectors: &[&[f64]]) -> Box<dyn Section + 'a> {
        Box::new(CountedSection { section: self.site.section(vectors), counts: &self.counts })
    }
}

struct CountedSection<'a> {
    section: Box<dyn Section + 'a>,
    counts: &'a Counts,
}

impl Section for CountedSection<'_> {
    fn values(&self, coefficients: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        add(&self.counts.forwards, coefficients.len());
        add(&self.counts.calls, 1);
        self.section.values(coefficients)
    }
}

struct CountedPoint<'a> {
    point: Box<dyn Point + 'a>,
    counts: &'a Counts,
}

impl Point for CountedPoint<'_> {
    fn theta(&self) -> &[f64] {
        self.point.theta()
    }

    fn convention(&self) -> &Convention {
        self.point.convention()
    }

    fn hvps(&self, tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        add(&self.counts.hvps, tangents.len());
        self.point.hvps(tangents, out)
    }

    fn ggn_products(&self, tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        add(&self.counts.ggn_products, tangents.len());
        self.point.ggn_products(tangents, out)
    }

    fn jvps(&self, tangents: &[&[f64]], out: &mut [Matrix]) -> Result<(), SiteError> {
        add(&self.counts.jvps, tangents.len());
        self.point.jvps(tangents, out)
    }

    fn vjps(&self, cotangents: &[&Matrix], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        add(&self.counts.vjps, cotangents.len());
        self.point.vjps(cotangents, out)
    }

    fn exact(&self) -> Option<Box<dyn Point + '_>> {
        let point = self.point.exact()?;
        Some(Box::new(CountedPoint { point, counts: self.counts }))
    }
}
