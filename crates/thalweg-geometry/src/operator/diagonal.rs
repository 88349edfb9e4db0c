//! A diagonal matrix.

use super::LinearOperator;
use crate::site::{Convention, SiteError, Work};

/// diag(d): the operator whose spectrum is what you wrote down.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagonal {
    elements: Vec<f64>,
}

impl Diagonal {
    /// The matrix with this diagonal.
    pub fn new(elements: Vec<f64>) -> Self {
        Self { elements }
    }
}

impl LinearOperator for Diagonal {
    fn dimension(&self) -> usize {
        self.elements.len()
    }

    fn name(&self) -> String {
        "diagonal".into()
    }

    fn convention(&self) -> Convention {
        Convention::analytic("none")
    }

    fn work_per_product(&self) -> Work {
        Work { matvecs: 1, ..Work::default() }
    }

    fn apply_many(&self, vectors: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        for (v, out) in vectors.iter().zip(out) {
            for ((out, v), d) in out.iter_mut().zip(*v).zip(&self.elements) {
                *out = d * v;
            }
        }
        Ok(())
    }
}
