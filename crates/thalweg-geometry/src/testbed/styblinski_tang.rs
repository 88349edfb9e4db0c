//! A landscape with 2ⁿ minima.

use super::losses;
use crate::site::{Convention, Site, SiteError, Value};

/// L(θ) = ½ Σᵢ (θᵢ⁴ − 16θᵢ² + 5θᵢ): separable, two minima a coordinate (Styblinski & Tang 1990).
///
/// The lower one of each lies at −2.903534…, where a coordinate contributes −39.16617…
#[derive(Clone, Debug)]
pub struct StyblinskiTang {
    dimension: usize,
    convention: Convention,
}

impl StyblinskiTang {
    /// The coordinate of the global minimum: the least root of 4x³ − 32x + 5.
    pub const MINIMUM: f64 = -2.903_534_027_771_177;

    /// On ℝⁿ.
    pub fn new(dimension: usize) -> Self {
        Self { dimension, convention: Convention::analytic("styblinski-tang") }
    }
}

fn loss(theta: &[f64]) -> f64 {
    0.5 * theta.iter().map(|x| x.powi(4) - 16.0 * x * x + 5.0 * x).sum::<f64>()
}

impl Site for StyblinskiTang {
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
        for (out, x) in out.iter_mut().zip(theta) {
            *out = 2.0 * x.powi(3) - 16.0 * x + 2.5;
        }
        Ok(loss(theta))
    }

    fn hvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        for (v, out) in tangents.iter().zip(out) {
            for ((out, v), x) in out.iter_mut().zip(*v).zip(theta) {
                *out = (6.0 * x * x - 16.0) * v;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_global_minimum_is_stationary_and_as_deep_as_known() {
        let site = StyblinskiTang::new(1);
        let mut gradient = [0.0];
        let loss = site.gradient(&[StyblinskiTang::MINIMUM], &mut gradient).unwrap();
        assert!(gradient[0].abs() < 1e-12 && (loss + 39.166_165_703_771_4).abs() < 1e-11, "{loss}");
    }
}
