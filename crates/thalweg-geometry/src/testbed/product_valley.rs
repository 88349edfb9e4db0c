//! The smallest loss with a valley of minima in two pieces.

use super::losses;
use crate::site::{Convention, Site, SiteError, Value};

/// J(w) = ½ (1 − w₁w₂)² on ℝ²: minima on the two branches of w₁w₂ = 1, a saddle of loss ½ at 0 between them.
///
/// The toy of Goodfellow, Vinyals & Saxe 2015. On the segment from (1, 1) to (−1, −1) the barrier is exactly ½; on
/// that from (a, 1/a) to (1/a, a), which joins two points of one branch, the midpoint has ½(((a + 1/a)/2)² − 1)².
#[derive(Clone, Debug)]
pub struct ProductValley {
    convention: Convention,
}

impl ProductValley {
    /// The valley.
    pub fn new() -> Self {
        Self { convention: Convention::analytic("product valley") }
    }
}

impl Default for ProductValley {
    fn default() -> Self {
        Self::new()
    }
}

fn loss(w: &[f64]) -> f64 {
    0.5 * (1.0 - w[0] * w[1]).powi(2)
}

impl Site for ProductValley {
    fn dimension(&self) -> usize {
        2
    }

    fn convention(&self) -> &Convention {
        &self.convention
    }

    fn values(&self, points: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        Ok(losses(points, loss))
    }

    fn gradient(&self, w: &[f64], out: &mut [f64]) -> Result<f64, SiteError> {
        let gap = 1.0 - w[0] * w[1];
        out.copy_from_slice(&[-gap * w[1], -gap * w[0]]);
        Ok(loss(w))
    }

    fn hvps(&self, w: &[f64], tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        let cross = 2.0 * w[0] * w[1] - 1.0;
        for (v, out) in tangents.iter().zip(out) {
            out.copy_from_slice(&[w[1] * w[1] * v[0] + cross * v[1], cross * v[0] + w[0] * w[0] * v[1]]);
        }
        Ok(())
    }
}
