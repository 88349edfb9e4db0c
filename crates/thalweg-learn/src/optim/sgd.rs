//! Stochastic gradient descent, with Polyak's or Nesterov's momentum.

use serde::{Deserialize, Serialize};
use thalweg_kernel::Real;

use super::pass::{Pass, Update, momentum};
use super::{OptimiserError, check};

/// Gradient descent, as PyTorch's `SGD` without dampening.
///
/// With the gradient g_t at θ_t and g ← g_t + `weight_decay`·θ_t, for t = 1, 2, …:
///
/// - no momentum: θ ← θ − η g;
/// - momentum μ: b_t = μ b_{t−1} + g, θ ← θ − η b_t, from b_0 = 0 (so b_1 = g);
/// - Nesterov: b_t as above, θ ← θ − η (g + μ b_t).
///
/// A b_t below the smallest number of full precision (1.2e-38 in `f32`) is 0.
///
/// The learning rate multiplies b and is no part of it: unlike in Sutskever et al. 2013, a change of η acts at once on
/// all of b. With constant η the two agree, and heavy-ball descent on a quadratic is stable up to a sharpness of
/// (2 + 2μ)/η (Polyak 1964).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// μ, in [0, 1).
    pub momentum: f64,
    /// Whether the step looks ahead; needs momentum.
    pub nesterov: bool,
    /// Multiple of θ that is added to the gradient: the gradient of ½·`weight_decay`·‖θ‖².
    pub weight_decay: f64,
}

impl Sgd {
    pub(super) fn validate(&self) -> Result<(), OptimiserError> {
        self.validate_as("sgd")
    }

    /// The same as a part of another optimiser.
    pub(super) fn validate_as(&self, kind: &'static str) -> Result<(), OptimiserError> {
        check(kind, "momentum", self.momentum, 0.0..1.0, "in [0, 1)")?;
        check(kind, "weight_decay", self.weight_decay, 0.0..f64::INFINITY, "at least 0")?;
        if self.nesterov && self.momentum == 0.0 {
            return Err(OptimiserError::NesterovWithoutMomentum { kind });
        }
        Ok(())
    }

    pub(super) fn slot_names(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum_buffer"] }
    }

    pub(super) fn step<T: Real>(&self, pass: Pass<'_, T>, slots: Vec<&mut [T]>, lr: f64) {
        let [lr, decay, mu] = [lr, self.weight_decay, self.momentum].map(T::from_f64);
        match <[&mut [T]; 1]>::try_from(slots) {
            Ok(buffer) if self.nesterov => pass.update(Nesterov { lr, decay, mu }, buffer),
            Ok(buffer) => pass.update(HeavyBall { lr, decay, mu }, buffer),
            Err(_) => pass.update(Plain { lr, decay }, []),
        }
    }
}

/// Without momentum.
#[derive(Clone, Copy)]
struct Plain<T> {
    lr: T,
    decay: T,
}

impl<T: Real> Update<T, 0> for Plain<T> {
    #[inline(always)]
    fn update(self, x: T, _: [T; 0], g: T) -> (T, [T; 0]) {
        (x - self.lr * (g + self.decay * x), [])
    }
}

/// Polyak's momentum.
#[derive(Clone, Copy)]
struct HeavyBall<T> {
    lr: T,
    decay: T,
    mu: T,
}

impl<T: Real> Update<T, 1> for HeavyBall<T> {
    #[inline(always)]
    fn update(self, x: T, [b]: [T; 1], g: T) -> (T, [T; 1]) {
        let b = momentum(self.mu * b + (g + self.decay * x));
        (x - self.lr * b, [b])
    }
}

/// Nesterov's momentum.
#[derive(Clone, Copy)]
struct Nesterov<T> {
    lr: T,
    decay: T,
    mu: T,
}

impl<T: Real> Update<T, 1> for Nesterov<T> {
    #[inline(always)]
    fn update(self, x: T, [b]: [T; 1], g: T) -> (T, [T; 1]) {
        let g = g + self.decay * x;
        let b = momentum(self.mu * b + g);
        (x - self.lr * (g + self.mu * b), [b])
    }
}

#[cfg(test)]
mod tests {
    use crate::optim::{Optimiser, OptimiserState, Sgd};

    /// θ₀ … θ_n on ½·curvature·θ² from θ₀ = 1.
    fn descend(sgd: Sgd, curvature: f64, lr: f64, steps: usize) -> Vec<f64> {
        let mut state = OptimiserState::new(Optimiser::Sgd(sgd), 1).unwrap();
        let mut theta = [1.0];
        let mut path = vec![1.0];
        for _ in 0..steps {
            let gradient = [curvature * theta[0]];
            state.step(&mut theta, &gradient, lr);
            path.push(theta[0]);
        }
        path
    }

    fn assert_close(path: &[f64], truth: impl Fn(usize) -> f64) {
        for (t, x) in path.iter().enumerate() {
            assert!((x - truth(t)).abs() < 1e-12, "step {t}: {x} instead of {}", truth(t));
        }
    }

    #[test]
    fn plain_descent_is_geometric() {
        // θ_t = (1 − η(a + λ))ᵗ.
        let path = descend(Sgd { weight_decay: 0.5, ..Sgd::default() }, 2.0, 0.1, 30);
        assert_close(&path, |t| 0.75f64.powi(t as i32));
    }

    #[test]
    fn heavy_ball_follows_its_recurrence() {
        // θ_{t+1} = (1 + μ − ηa) θ_t − μ θ_{t−1}; with μ = ¼ and ηa = ¼ the double root ½: θ_t = (1 + c t) 2⁻ᵗ,
        // where θ_1 = 1 − ηa = ¾ gives c = ½.
        let path = descend(Sgd { momentum: 0.25, ..Sgd::default() }, 0.5, 0.5, 40);
        assert_close(&path, |t| (1.0 + 0.5 * t as f64) * 0.5f64.powi(t as i32));
    }

    #[test]
    fn nesterov_follows_its_recurrence() {
        // Eliminating b for g = aθ, with s = 1 − ηa: θ_{t+1} = s(1 + μ) θ_t − μ s θ_{t−1}, θ_1 = 1 − ηa(1 + μ).
        let (mu, a, lr) = (0.5, 3.0, 0.1);
        let s = 1.0 - lr * a;
        let mut truth = vec![1.0, 1.0 - lr * a * (1.0 + mu)];
        for t in 1..40 {
            truth.push(s * (1.0 + mu) * truth[t] - mu * s * truth[t - 1]);
        }
        let path = descend(Sgd { momentum: mu, nesterov: true, ..Sgd::default() }, a, lr, 40);
        assert_close(&path, |t| truth[t]);
    }

    #[test]
    fn momentum_is_stable_up_to_its_sharpness() {
        let (mu, lr) = (0.9, 0.1);
        let edge = (2.0 + 2.0 * mu) / lr;
        let end =
            |curvature| descend(Sgd { momentum: mu, ..Sgd::default() }, curvature, lr, 3000)[3000].abs();
        assert!(end(edge * 0.99) < 1e-6 && end(edge * 1.01) > 1e6);
    }
}
