//! Adagrad (Duchi, Hazan & Singer 2011).

use serde::{Deserialize, Serialize};
use thalweg_kernel::Real;

use super::pass::{Pass, Update};
use super::{OptimiserError, check};

pub(super) const SLOTS: [&str; 1] = ["sum"];

/// Adagrad, as PyTorch's `Adagrad` without a decay of the learning rate (which is the [schedule](crate::schedule)'s) and from
/// sums of 0.
///
/// With the gradient g_t at θ_{t−1} and g ← g_t + `weight_decay`·θ_{t−1}, for t = 1, 2, …:
///
/// s_t = s_{t−1} + g², from s_0 = 0; θ_t = θ_{t−1} − η g / (√s_t + ε).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adagrad {
    /// ε ≥ 0, outside the root; 1e-10 unless given.
    pub eps: f64,
    /// Multiple of θ that is added to the gradient; 0 unless given.
    pub weight_decay: f64,
}

impl Default for Adagrad {
    fn default() -> Self {
        Self { eps: 1e-10, weight_decay: 0.0 }
    }
}

impl Adagrad {
    pub(super) fn validate(&self) -> Result<(), OptimiserError> {
        check("adagrad", "eps", self.eps, 0.0..f64::INFINITY, "at least 0")?;
        check("adagrad", "weight_decay", self.weight_decay, 0.0..f64::INFINITY, "at least 0")
    }

    pub(super) fn step<T: Real>(&self, pass: Pass<'_, T>, sums: &mut [T], lr: f64) {
        let [lr, decay, eps] = [lr, self.weight_decay, self.eps].map(T::from_f64);
        pass.update(Scaled { lr, decay, eps }, [sums]);
    }
}

#[derive(Clone, Copy)]
struct Scaled<T> {
    lr: T,
    decay: T,
    eps: T,
}

impl<T: Real> Update<T, 1> for Scaled<T> {
    #[inline(always)]
    fn update(self, x: T, [s]: [T; 1], g: T) -> (T, [T; 1]) {
        let g = g + self.decay * x;
        let s = s + g * g;
        (x - self.lr * (g / (s.square_root() + self.eps)), [s])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Optimiser, OptimiserState};

    #[test]
    fn a_constant_gradient_moves_by_the_inverse_root_of_time() {
        let adagrad = Adagrad { eps: 0.0, ..Adagrad::default() };
        let mut state = OptimiserState::new(Optimiser::Adagrad(adagrad), 2).unwrap();
        let mut theta = [0.0f64; 2];
        let mut truth = 0.0;
        for t in 1..=100 {
            state.step(&mut theta, &[3.0, -0.2], 0.5);
            truth += 0.5 / f64::from(t).sqrt();
            assert!((theta[0] + truth).abs() < 1e-12 && (theta[1] - truth).abs() < 1e-12, "step {t}");
        }
    }
}
