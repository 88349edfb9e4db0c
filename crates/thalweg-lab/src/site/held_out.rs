//! Data that a network was not trained on, with batch norms that know only the training set.

use thalweg_geometry::site::{Convention, DataSubset, Matrix, Site, SiteError, Value};
use thalweg_kernel::Real;
use thalweg_learn::data::Dataset;
use thalweg_learn::objective::{Examples, Objective};

use super::{NetworkSite, at_points, value, widened};

/// The mean loss over held-out data of a network with batch norms.
///
/// At every point its norms take the means and variances of the training set there, so a value costs a forward pass over
/// the training set and one over the held-out data. Values and outputs only: derivatives of such a loss go through the
/// training set, and nobody has asked for them.
pub(super) struct HeldOutSite<'t, T: Real> {
    train: &'t NetworkSite<T>,
    objective: Objective<T>,
    examples: Examples<T>,
    convention: Convention,
}

impl<'t, T: Real> HeldOutSite<'t, T> {
    pub(super) fn new(train: &'t NetworkSite<T>, data: &Dataset) -> Self {
        let (architecture, loss) = (train.architecture().clone(), train.objective.loss());
        Self {
            train,
            objective: Objective::evaluation(architecture, loss, data.examples()),
            examples: Examples::of(data),
            convention: Convention {
                data: Some(DataSubset { name: data.name().to_owned(), count: data.examples() }),
                ..train.convention.clone()
            },
        }
    }

    /// Calls `ask` with points that end in the statistics of the training set there.
    fn at_points<R>(&self, points: &[&[f64]], ask: impl Fn(&[&[T]]) -> Vec<R>) -> Vec<R> {
        at_points(self.dimension(), points, |points| {
            let statistics = self.train.objective.statistics(points, &self.train.examples);
            let whole: Vec<Vec<T>> =
                points.iter().zip(statistics).map(|(theta, s)| [theta, &s[..]].concat()).collect();
            ask(&whole.iter().map(Vec::as_slice).collect::<Vec<_>>())
        })
    }
}

impl<T: Real> Site for HeldOutSite<'_, T> {
    fn dimension(&self) -> usize {
        self.train.dimension()
    }

    fn convention(&self) -> &Convention {
        &self.convention
    }

    fn values(&self, points: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        let values = self.at_points(points, |points| self.objective.values(points, &self.examples));
        Ok(values.into_iter().map(value).collect())
    }

    fn outputs(&self, points: &[&[f64]]) -> Result<Vec<Matrix>, SiteError> {
        let shape = (self.objective.examples(), self.train.architecture().outputs());
        let outputs = self.at_points(points, |points| self.objective.outputs(points, &self.examples));
        Ok(outputs.iter().map(|rows| Matrix::from_rows(shape.0, shape.1, widened(rows))).collect())
    }
}
