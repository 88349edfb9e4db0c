//! Sharpness-aware minimisation (Foret et al. 2021), and its adaptive form (Kwon et al. 2021).

use serde::{Deserialize, Serialize};
use thalweg_kernel::Real;

use super::probe::dot;
use super::{OptimiserError, Sgd, check};

/// SAM around [`Sgd`]: a step down the gradient that is found a short way up the hill.
///
/// With the gradient g at θ, of the same batch as the second one:
///
/// - ε̂ = ρ g / ‖g‖₂ over all parameters together (equation 2 of Foret et al. 2021, p = 2);
/// - adaptive: ε̂ = ρ θ² g / ‖θ g‖₂, products element by element (Kwon et al. 2021, T_θ = |θ| for every parameter and their η
///   = 0), which is the same whatever the scale of a layer;
/// - then the step of [`Sgd`] from θ, along the gradient at θ + ε̂; weight decay adds its multiple of θ, not of θ + ε̂.
///
/// Where g is 0 so is ε̂. The loss that a step reports is that at θ. In a [`Trainer`](crate::train::Trainer) batch norms
/// take both batches' statistics, of which only those at θ go into the running ones; dropout drops the same in both
/// passes; and the second gradient is the one that is clipped. Cost: two gradients a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sam {
    /// ρ > 0, the length of ε̂; 0.05 unless given. The adaptive form wants about ten times as much.
    pub rho: f64,
    /// Whether ε̂ is in units of each parameter's size; not unless given.
    pub adaptive: bool,
    /// μ of [`Sgd`], in [0, 1); 0 unless given.
    pub momentum: f64,
    /// Whether the step looks ahead; needs momentum.
    pub nesterov: bool,
    /// Multiple of θ that is added to the gradient; 0 unless given.
    pub weight_decay: f64,
}

impl Default for Sam {
    fn default() -> Self {
        Self { rho: 0.05, adaptive: false, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

impl Sam {
    /// What takes the step.
    pub fn base(&self) -> Sgd {
        Sgd { momentum: self.momentum, nesterov: self.nesterov, weight_decay: self.weight_decay }
    }

    pub(super) fn validate(&self) -> Result<(), OptimiserError> {
        check("sam", "rho", self.rho, f64::MIN_POSITIVE..f64::INFINITY, "finite and above 0")?;
        self.base().validate_as("sam")
    }

    /// θ + ε̂, where the second gradient is taken, given the first.
    ///
    /// # Panics
    /// If the two have not the same length.
    pub fn ascended<T: Real>(&self, theta: &[T], gradient: &[T]) -> Vec<T> {
        assert_eq!(theta.len(), gradient.len(), "theta and its gradient must have one entry a parameter");
        let pairs = theta.iter().zip(gradient);
        let norm = if self.adaptive {
            let scaled: Vec<f64> = pairs.clone().map(|(x, g)| x.to_f64() * g.to_f64()).collect();
            dot(&scaled, &scaled).sqrt()
        } else {
            dot(gradient, gradient).sqrt()
        };
        if norm == 0.0 {
            return theta.to_vec();
        }
        // In f64: the factor of a small gradient may be more than single precision holds.
        let factor = self.rho / norm;
        let up = |(&x, &g): (&T, &T)| {
            let (x, g) = (x.to_f64(), g.to_f64());
            T::from_f64(x + if self.adaptive { x * x * g } else { g } * factor)
        };
        pairs.map(up).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_up_has_the_length_rho() {
        let sam = Sam { rho: 0.5, ..Sam::default() };
        assert_eq!(sam.ascended(&[1.0, 2.0], &[3.0, -4.0f64]), [1.0 + 3.0 * 0.1, 2.0 - 4.0 * 0.1]);
        assert_eq!(sam.ascended(&[1.0, 2.0], &[0.0, 0.0f64]), [1.0, 2.0]);
        // ρ/‖g‖ is no number of single precision.
        assert_eq!(sam.ascended(&[1.0f32], &[-1e-40]), [0.5]);
    }

    #[test]
    fn the_adaptive_way_up_does_not_depend_on_the_scale_of_a_layer() {
        let sam = Sam { rho: 0.5, adaptive: true, ..Sam::default() };
        // A layer times c has a gradient over c: what is relative to θ stays the same.
        let (theta, gradient) = ([1.0, 2.0f64], [3.0, -4.0]);
        let relative = |c: f64| -> Vec<f64> {
            let point = sam.ascended(&[theta[0] * c, theta[1]], &[gradient[0] / c, gradient[1]]);
            vec![point[0] / (theta[0] * c), point[1] / theta[1]]
        };
        for (a, b) in relative(1.0).iter().zip(relative(16.0)) {
            assert!((a - b).abs() < 1e-15);
        }
        // ‖θ g‖ = √(3² + 8²); a parameter of 0 does not move.
        let expected = 1.0 + 0.5 * 3.0 / 73f64.sqrt();
        assert!((relative(1.0)[0] - expected).abs() < 1e-15);
        assert_eq!(sam.ascended(&[0.0, 2.0f64], &[5.0, 1.0])[0], 0.0);
    }
}
