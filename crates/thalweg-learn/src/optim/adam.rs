//! Adam (Kingma & Ba 2015), and the update that it shares with AdamW.

use serde::{Deserialize, Serialize};
use thalweg_kernel::Real;

use super::pass::{Pass, Update, momentum};
use super::{OptimiserError, check};

pub(super) const SLOTS: [&str; 2] = ["exp_avg", "exp_avg_sq"];

/// Adam, as PyTorch's `Adam`.
///
/// With the gradient g_t at θ_{t−1} and g ← g_t + `weight_decay`·θ_{t−1}, for t = 1, 2, …:
///
/// m_t = β₁ m_{t−1} + (1 − β₁) g, v_t = β₂ v_{t−1} + (1 − β₂) g², from m_0 = v_0 = 0;
///
/// θ_t = θ_{t−1} − η/(1 − β₁ᵗ) · m_t / (√v_t/√(1 − β₂ᵗ) + ε).
///
/// An m_t below the smallest number of full precision (1.2e-38 in `f32`) is 0.
///
/// ε stands outside the root and after the bias correction (algorithm 1 of the paper; its "more efficient order" before
/// section 2.1 has another ε). Weight decay is a term of the gradient, so it is divided by √v like the rest: for the
/// other kind see [`AdamW`](super::AdamW).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// β₁, in [0, 1); 0.9 unless given.
    pub beta_1: f64,
    /// β₂, in [0, 1); 0.999 unless given.
    pub beta_2: f64,
    /// ε ≥ 0; 1e-8 unless given.
    pub eps: f64,
    /// Multiple of θ that is added to the gradient; 0 unless given.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, eps: 1e-8, weight_decay: 0.0 }
    }
}

impl Adam {
    pub(super) fn step<T: Real>(&self, pass: Pass<'_, T>, slots: [&mut [T]; 2], lr: f64, t: u64) {
        let moments = Moments::new([self.beta_1, self.beta_2], self.eps, lr, t);
        pass.update(Coupled { moments, decay: T::from_f64(self.weight_decay) }, slots);
    }
}

/// With weight decay as a part of the gradient.
#[derive(Clone, Copy)]
struct Coupled<T> {
    moments: Moments<T>,
    decay: T,
}

impl<T: Real> Update<T, 2> for Coupled<T> {
    #[inline(always)]
    fn update(self, x: T, state: [T; 2], g: T) -> (T, [T; 2]) {
        self.moments.update(x, state, g + self.decay * x)
    }
}

/// Adam without weight decay: the scalars of one step, in the precision of θ.
#[derive(Clone, Copy)]
pub(super) struct Moments<T> {
    beta: [T; 2],
    /// 1 − β, rounded once from f64.
    gain: [T; 2],
    eps: T,
    /// η/(1 − β₁ᵗ).
    step_size: T,
    /// √(1 − β₂ᵗ).
    root_correction: T,
}

impl<T: Real> Moments<T> {
    pub(super) fn new(beta: [f64; 2], eps: f64, lr: f64, t: u64) -> Self {
        let correction = beta.map(|beta| 1.0 - power(beta, t));
        Self {
            beta: beta.map(T::from_f64),
            gain: beta.map(|beta| T::from_f64(1.0 - beta)),
            eps: T::from_f64(eps),
            step_size: T::from_f64(lr / correction[0]),
            root_correction: T::from_f64(correction[1].sqrt()),
        }
    }
}

impl<T: Real> Update<T, 2> for Moments<T> {
    #[inline(always)]
    fn update(self, x: T, [m, v]: [T; 2], g: T) -> (T, [T; 2]) {
        let Self { beta, gain, eps, step_size, root_correction } = self;
        let m = momentum(beta[0] * m + gain[0] * g);
        let v = beta[1] * v + gain[1] * (g * g);
        (x - step_size * m / (v.square_root() / root_correction + eps), [m, v])
    }
}

/// βᵗ by repeated squaring: the bits do not depend on a mathematical library, as those of `powf` would.
fn power(beta: f64, mut t: u64) -> f64 {
    let (mut square, mut product) = (beta, 1.0);
    while t > 0 {
        if t & 1 == 1 {
            product *= square;
        }
        square *= square;
        t >>= 1;
    }
    product
}

pub(super) fn validate(
    kind: &'static str,
    beta_1: f64,
    beta_2: f64,
    eps: f64,
    weight_decay: f64,
) -> Result<(), OptimiserError> {
    check(kind, "beta_1", beta_1, 0.0..1.0, "in [0, 1)")?;
    check(kind, "beta_2", beta_2, 0.0..1.0, "in [0, 1)")?;
    check(kind, "eps", eps, 0.0..f64::INFINITY, "at least 0")?;
    check(kind, "weight_decay", weight_decay, 0.0..f64::INFINITY, "at least 0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Optimiser, OptimiserState};

    #[test]
    fn powers_agree_with_the_library() {
        for (beta, t) in [(0.9, 1u64), (0.999, 2), (0.999, 1000), (0.5, 60), (0.0, 3), (0.9, 100_000)] {
            let truth = f64::powf(beta, t as f64);
            assert!((power(beta, t) - truth).abs() <= 1e-13 * truth, "{beta}^{t}");
        }
        assert_eq!(power(0.999, 1), 0.999);
    }

    #[test]
    fn a_constant_gradient_moves_by_the_learning_rate() {
        // Bias correction makes m̂ = g and v̂ = g² exactly at every t: each step is η·g/(|g| + ε).
        let eps = 1e-3;
        let mut state = OptimiserState::new(Optimiser::Adam(Adam { eps, ..Adam::default() }), 3).unwrap();
        let g = [2.0, -0.5, 1e-3];
        let mut theta = [0.0f64; 3];
        for t in 1..=200 {
            state.step(&mut theta, &g, 0.01);
            for (x, g) in theta.iter().zip(g) {
                let truth = -0.01 * f64::from(t) * g / (g.abs() + eps);
                assert!((x - truth).abs() < 1e-12, "step {t}: {x} instead of {truth}");
            }
        }
    }

    #[test]
    fn weight_decay_is_divided_by_the_root_too() {
        // No gradient but that of the decay: the first step has the size η whatever the decay.
        let adam = Adam { weight_decay: 1e-2, eps: 0.0, ..Adam::default() };
        let mut state = OptimiserState::new(Optimiser::Adam(adam), 2).unwrap();
        let mut theta = [3.0, -5.0];
        state.step(&mut theta, &[0.0, 0.0], 0.125);
        assert!((theta[0] - 2.875f64).abs() < 1e-12 && (theta[1] + 4.875).abs() < 1e-12, "{theta:?}");
    }
}
