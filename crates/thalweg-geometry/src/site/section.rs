//! Many points in the span of a few vectors.
//!
//! Lines and planes are asked for by coefficients and not by points, so that a site with a part that is linear in θ
//! can do that part once a vector. The design that lost has a line and a plane each, and a site would have to know
//! both.

use super::{Site, SiteError, Value};

/// A site on the points Σ cᵢ·θᵢ of a few vectors θᵢ: see [`Site::section`].
pub trait Section: Sync {
    /// The values at many points, in their order: one coefficient a vector for each.
    fn values(&self, coefficients: &[&[f64]]) -> Result<Vec<Value>, SiteError>;
}

/// The section that keeps nothing but its vectors: it writes the points out, 256 MiB of them at a time, and asks
/// its site for the [`values`](Site::values).
#[derive(Debug)]
pub struct WrittenSection<'a, S: ?Sized> {
    site: &'a S,
    vectors: Vec<Vec<f64>>,
}

impl<'a, S: Site + ?Sized> WrittenSection<'a, S> {
    /// Copies the vectors.
    pub fn new(site: &'a S, vectors: &[&[f64]]) -> Self {
        Self { site, vectors: vectors.iter().map(|vector| vector.to_vec()).collect() }
    }

    /// Σ cᵢ·θᵢ over the i with cᵢ ≠ 0, so that one vector alone, with the coefficient 1, is itself to the bit and
    /// what is not finite in the others does not enter.
    fn write(&self, coefficients: &[f64], point: &mut [f64]) {
        assert_eq!(coefficients.len(), self.vectors.len(), "one coefficient a vector");
        let mut terms = coefficients.iter().zip(&self.vectors).filter(|&(&c, _)| c != 0.0);
        match terms.next() {
            Some((c, vector)) => point.iter_mut().zip(vector).for_each(|(point, x)| *point = c * x),
            None => point.fill(0.0),
        }
        for (c, vector) in terms {
            point.iter_mut().zip(vector).for_each(|(point, x)| *point += c * x);
        }
    }
}

impl<S: Site + ?Sized> Section for WrittenSection<'_, S> {
    /// # Panics
    /// If a point has not one coefficient a vector.
    fn values(&self, coefficients: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        let mut values = Vec::with_capacity(coefficients.len());
        let write = |number: usize, point: &mut [f64]| self.write(coefficients[number], point);
        let ask = |points: &[&[f64]]| self.site.values(points);
        let take = |_, value| values.push(value);
        written(self.site.dimension(), coefficients.len(), usize::MAX, &write, ask, take)?;
        Ok(values)
    }
}

/// Bytes of points that are handed to a site at a time.
const POINT_BYTES: usize = 1 << 28;

/// Points of a dimension that are handed to a site at a time; at least 1.
pub(crate) fn points_together(dimension: usize) -> usize {
    (POINT_BYTES / (8 * dimension.max(1))).max(1)
}

/// Asks for `count` points that `write` fills in, in as few calls as `most` and [`POINT_BYTES`] allow.
pub(crate) fn written<T>(
    dimension: usize,
    count: usize,
    most: usize,
    write: &dyn Fn(usize, &mut [f64]),
    mut ask: impl FnMut(&[&[f64]]) -> Result<Vec<T>, SiteError>,
    mut take: impl FnMut(usize, T),
) -> Result<(), SiteError> {
    let batch = points_together(dimension).min(most.max(1)).min(count.max(1));
    let mut points = vec![vec![0.0; dimension]; batch];
    for start in (0..count).step_by(batch) {
        let expected = batch.min(count - start);
        for (offset, point) in points[..expected].iter_mut().enumerate() {
            write(start + offset, point);
        }
        let asked: Vec<&[f64]> = points[..expected].iter().map(Vec::as_slice).collect();
        let answers = complete(expected, ask(&asked)?)?;
        answers.into_iter().enumerate().for_each(|(offset, answer)| take(start + offset, answer));
    }
    Ok(())
}

/// The answers, if there are as many as points.
pub(crate) fn complete<T>(expected: usize, answers: Vec<T>) -> Result<Vec<T>, SiteError> {
    let found = answers.len();
    if found == expected { Ok(answers) } else { Err(SiteError::Answers { expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Counted;
    use crate::testbed::Rosenbrock;

    #[test]
    fn values_are_those_of_the_points_written_out() {
        let site = Counted::new(Rosenbrock::new(3));
        let (theta, u, v) = ([0.3, -1.2, 0.8], [1.0, 0.5, -0.25], [-0.0, 2.0, 0.1]);
        let coefficients = [[1.0, 0.2, -0.7], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [-0.5, 3.0, 0.0], [0.0; 3]];
        let points = coefficients.map(|[c, a, b]| [0, 1, 2].map(|i| c * theta[i] + a * u[i] + b * v[i]));
        let dynamic: &dyn Site = &site;
        let section = dynamic.section(&[&theta, &u, &v]);
        let found = section.values(&coefficients.each_ref().map(|c| &c[..])).unwrap();
        assert_eq!(found, Rosenbrock::new(3).values(&points.each_ref().map(|p| &p[..])).unwrap());
        assert_eq!((site.work().forwards, site.calls()), (5, 1));
        assert!(section.values(&[]).unwrap().is_empty());
    }

    #[test]
    fn what_has_no_coefficient_does_not_enter() {
        let site = Rosenbrock::new(2);
        let section = site.section(&[&[-0.0, 1.0], &[f64::NAN, f64::INFINITY]]);
        let values = section.values(&[&[1.0, 0.0], &[0.5, 0.5]]).unwrap();
        assert_eq!(values[0], site.values(&[&[-0.0, 1.0]]).unwrap()[0]);
        assert!(values[1].loss.is_nan());

        let mut point = [1.0; 2];
        WrittenSection::new(&site, &[&[-0.0, 1.0], &[2.0, 2.0]]).write(&[1.0, 0.0], &mut point);
        assert_eq!(point.map(f64::to_bits), [-0.0_f64, 1.0].map(f64::to_bits));
    }

    #[test]
    fn points_are_written_a_bounded_number_at_a_time() {
        for dimension in [0, 1, 1000, 1 << 25, 1 << 30] {
            let together = points_together(dimension);
            assert!(together == 1 || 8 * together * dimension <= POINT_BYTES, "{together} of {dimension}");
        }
        let (mut calls, mut answers) = (Vec::new(), Vec::new());
        let write = |number: usize, point: &mut [f64]| point.fill(number as f64);
        let ask = |points: &[&[f64]]| {
            calls.push(points.len());
            Ok(points.iter().map(|point| point[0] + point[1]).collect())
        };
        written(2, 5, 2, &write, ask, |number, sum| answers.push((number, sum))).unwrap();
        assert_eq!(calls, [2, 2, 1]);
        assert_eq!(answers, [(0, 0.0), (1, 2.0), (2, 4.0), (3, 6.0), (4, 8.0)]);
    }

    #[test]
    fn a_call_with_an_answer_too_few_is_an_error() {
        let ask = |points: &[&[f64]]| Ok(vec![0.0; 2.min(points.len())]);
        let error = written(1, 5, 3, &|_, _| (), ask, |_, _| ()).unwrap_err();
        assert_eq!(error.to_string(), "the site returned 2 results for 3 points");
    }
}
