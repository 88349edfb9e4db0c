//! AdamW: Adam with weight decay outside the gradient (Loshchilov & Hutter 2019).

use serde::{Deserialize, Serialize};
use thalweg_kernel::Real;

use super::adam::Moments;
use super::pass::{Pass, Update};

/// AdamW, as PyTorch's `AdamW`.
///
/// θ ← (1 − η·`weight_decay`) θ, then the step of [`Adam`](super::Adam) without weight decay, whose gradient was taken
/// before the shrinking. The decay is multiplied by the scheduled learning rate (the paper's algorithm 2 multiplies it by
/// the schedule's factor alone).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamW {
    /// β₁, in [0, 1); 0.9 unless given.
    pub beta_1: f64,
    /// β₂, in [0, 1); 0.999 unless given.
    pub beta_2: f64,
    /// ε ≥ 0; 1e-8 unless given.
    pub eps: f64,
    /// Rate of shrinking a unit of learning rate; 0.01 unless given.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, eps: 1e-8, weight_decay: 0.01 }
    }
}

impl AdamW {
    pub(super) fn step<T: Real>(&self, pass: Pass<'_, T>, slots: [&mut [T]; 2], lr: f64, t: u64) {
        let moments = Moments::new([self.beta_1, self.beta_2], self.eps, lr, t);
        pass.update(Decoupled { moments, keep: T::from_f64(1.0 - lr * self.weight_decay) }, slots);
    }
}

/// With weight decay as a factor of θ.
#[derive(Clone, Copy)]
struct Decoupled<T> {
    moments: Moments<T>,
    keep: T,
}

impl<T: Real> Update<T, 2> for Decoupled<T> {
    #[inline(always)]
    fn update(self, x: T, state: [T; 2], g: T) -> (T, [T; 2]) {
        self.moments.update(self.keep * x, state, g)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Adam, Optimiser, OptimiserState};

    #[test]
    fn without_a_gradient_only_the_decay_acts() {
        let adamw = AdamW { weight_decay: 0.5, ..AdamW::default() };
        let mut state = OptimiserState::new(Optimiser::Adamw(adamw), 1).unwrap();
        let mut theta = [8.0f64];
        for _ in 0..10 {
            state.step(&mut theta, &[0.0], 0.2);
        }
        assert!((theta[0] - 8.0 * 0.9f64.powi(10)).abs() < 1e-12);
    }

    #[test]
    fn without_decay_it_is_adam() {
        let adamw = Optimiser::Adamw(AdamW { weight_decay: 0.0, ..AdamW::default() });
        let mut states = [adamw, Optimiser::Adam(Adam::default())]
            .map(|optimiser| OptimiserState::<f64>::new(optimiser, 2).unwrap());
        let mut thetas = [[1f64, -2.0]; 2];
        for t in 0..10 {
            for (state, theta) in states.iter_mut().zip(&mut thetas) {
                let gradient = [theta[0].sin() + f64::from(t), theta[1]];
                state.step(theta, &gradient, 0.1);
            }
        }
        assert_eq!(thetas[0], thetas[1]);
    }
}
