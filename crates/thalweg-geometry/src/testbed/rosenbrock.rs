//! Rosenbrock's banana valley.

use super::losses;
use crate::site::{Convention, Site, SiteError, Value};

/// L(θ) = Σᵢ [100(θᵢ₊₁ − θᵢ²)² + (1 − θᵢ)²], minimum 0 at (1, …, 1) (Rosenbrock 1960, chained).
#[derive(Clone, Debug)]
pub struct Rosenbrock {
    dimension: usize,
    convention: Convention,
}

impl Rosenbrock {
    /// On ℝⁿ.
    ///
    /// # Panics
    /// If n < 2.
    pub fn new(dimension: usize) -> Self {
        assert!(dimension >= 2, "a Rosenbrock valley has at least 2 dimensions, not {dimension}");
        Self { dimension, convention: Convention::analytic("rosenbrock") }
    }
}

fn loss(theta: &[f64]) -> f64 {
    theta.windows(2).map(|w| 100.0 * (w[1] - w[0] * w[0]).powi(2) + (1.0 - w[0]).powi(2)).sum()
}

impl Site for Rosenbrock {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn convention(&self) -> &Convention {
        &self.convention
    }

    fn values(&self, points: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        Ok(losses(points, loss))
    }

    fn gradient(&self, theta: &[f64], out: &mut [f64]) -> Result<f64, SiteError> {
        out.fill(0.0);
        for i in 0..self.dimension - 1 {
            let rise = theta[i + 1] - theta[i] * theta[i];
            out[i] += -400.0 * theta[i] * rise - 2.0 * (1.0 - theta[i]);
            out[i + 1] += 200.0 * rise;
        }
        Ok(loss(theta))
    }

    fn hvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        for (v, out) in tangents.iter().zip(out) {
            out.fill(0.0);
            for i in 0..self.dimension - 1 {
                let x = theta[i];
                out[i] += (1200.0 * x * x - 400.0 * theta[i + 1] + 2.0) * v[i] - 400.0 * x * v[i + 1];
                out[i + 1] += 200.0 * v[i + 1] - 400.0 * x * v[i];
            }
        }
        Ok(())
    }
}
