//! RMSprop (Tieleman & Hinton 2012).

use serde::{Deserialize, Serialize};
use thalweg_kernel::Real;

use super::pass::{Pass, Update, momentum};
use super::{OptimiserError, check};

/// RMSprop, as PyTorch's `RMSprop` without centring.
///
/// With the gradient g_t at θ_{t−1} and g ← g_t + `weight_decay`·θ_{t−1}, for t = 1, 2, …:
///
/// v_t = α v_{t−1} + (1 − α) g², from v_0 = 0, and u_t = g / (√v_t + ε);
///
/// - no momentum: θ_t = θ_{t−1} − η u_t;
/// - momentum μ: b_t = μ b_{t−1} + u_t, θ_t = θ_{t−1} − η b_t, from b_0 = 0.
///
/// Nothing corrects the bias of v: the first steps are 1/√(1 − α) times as long as later ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rmsprop {
    /// α, in [0, 1); 0.99 unless given.
    pub alpha: f64,
    /// ε ≥ 0, outside the root; 1e-8 unless given.
    pub eps: f64,
    /// μ, in [0, 1); 0 unless given.
    pub momentum: f64,
    /// Multiple of θ that is added to the gradient; 0 unless given.
    pub weight_decay: f64,
}

impl Default for Rmsprop {
    fn default() -> Self {
        Self { alpha: 0.99, eps: 1e-8, momentum: 0.0, weight_decay: 0.0 }
    }
}

impl Rmsprop {
    pub(super) fn validate(&self) -> Result<(), OptimiserError> {
        check("rmsprop", "alpha", self.alpha, 0.0..1.0, "in [0, 1)")?;
        check("rmsprop", "eps", self.eps, 0.0..f64::INFINITY, "at least 0")?;
        check("rmsprop", "momentum", self.momentum, 0.0..1.0, "in [0, 1)")?;
        check("rmsprop", "weight_decay", self.weight_decay, 0.0..f64::INFINITY, "at least 0")
    }

    pub(super) fn slot_names(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &["square_avg"] } else { &["square_avg", "momentum_buffer"] }
    }

    pub(super) fn step<T: Real>(&self, pass: Pass<'_, T>, slots: Vec<&mut [T]>, lr: f64) {
        let [lr, decay, mu] = [lr, self.weight_decay, self.momentum].map(T::from_f64);
        let [alpha, gain, eps] = [self.alpha, 1.0 - self.alpha, self.eps].map(T::from_f64);
        let scaled = Scaled { lr, decay, alpha, gain, eps };
        let mut slots = slots.into_iter();
        match (slots.next(), slots.next()) {
            (Some(squares), Some(buffer)) => {
                pass.update(WithMomentum { scaled, mu }, [squares, buffer]);
            }
            (Some(squares), None) => pass.update(scaled, [squares]),
            (None, _) => unreachable!("construction gives every optimiser its slots"),
        }
    }
}

/// Without momentum.
#[derive(Clone, Copy)]
struct Scaled<T> {
    lr: T,
    decay: T,
    alpha: T,
    gain: T,
    eps: T,
}

impl<T: Real> Scaled<T> {
    /// The gradient over the root, and v.
    #[inline(always)]
    fn gradient(self, x: T, v: T, g: T) -> [T; 2] {
        let g = g + self.decay * x;
        let v = self.alpha * v + self.gain * (g * g);
        [g / (v.square_root() + self.eps), v]
    }
}

impl<T: Real> Update<T, 1> for Scaled<T> {
    #[inline(always)]
    fn update(self, x: T, [v]: [T; 1], g: T) -> (T, [T; 1]) {
        let [scaled, v] = self.gradient(x, v, g);
        (x - self.lr * scaled, [v])
    }
}

/// With momentum of what is scaled.
#[derive(Clone, Copy)]
struct WithMomentum<T> {
    scaled: Scaled<T>,
    mu: T,
}

impl<T: Real> Update<T, 2> for WithMomentum<T> {
    #[inline(always)]
    fn update(self, x: T, [v, b]: [T; 2], g: T) -> (T, [T; 2]) {
        let [scaled, v] = self.scaled.gradient(x, v, g);
        let b = momentum(self.mu * b + scaled);
        (x - self.scaled.lr * b, [v, b])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Optimiser, OptimiserState};

    #[test]
    fn the_length_of_a_step_does_not_depend_on_that_of_the_gradient() {
        let rmsprop = Rmsprop { eps: 0.0, ..Rmsprop::default() };
        let mut state = OptimiserState::new(Optimiser::Rmsprop(rmsprop), 2).unwrap();
        let mut theta = [0.0f64; 2];
        let mut before = theta;
        for t in 1..=2000 {
            before = theta;
            state.step(&mut theta, &[1e-3, -40.0], 0.01);
            if t == 1 {
                assert!((theta[0] + 0.1).abs() < 1e-12 && (theta[1] - 0.1).abs() < 1e-12, "{theta:?}");
            }
        }
        // v has come to g².
        assert!((before[0] - theta[0] - 0.01).abs() < 1e-10 && (theta[1] - before[1] - 0.01).abs() < 1e-10);
    }
}
