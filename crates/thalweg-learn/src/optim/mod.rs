//! Optimisers: how θ moves, given a gradient.
//!
//! An [`Optimiser`] is a configuration (it goes into the identity of a run and has no learning rate: that is the
//! [schedule](crate::schedule)'s); an [`OptimiserState`] is what must be carried from one step to the next. Definitions
//! are those of PyTorch, whose names the state's vectors bear too, so that recipes and checkpoints carry over; each is
//! tested against values that PyTorch computed.
//!
//! A step goes over memory once. Gradients may come in parts (one a shard of examples): they are added in the order
//! given, in the same pass, so how many there are changes no other arithmetic.
//!
//! The design that lost: a trait object per optimiser with its own struct of state. With state as named flat vectors,
//! one checkpoint writer and one resume test serve them all.

mod adagrad;
mod adam;
mod adamw;
mod rmsprop;
mod sgd;
#[cfg(test)]
mod tests;

pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub use rmsprop::Rmsprop;
pub use sgd::Sgd;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thalweg_kernel::Real;

/// Parameters that one task moves: enough to be worth a task.
const SHARE: usize = 1 << 15;

/// Elements of a block: parts are added into it and it is used while still in the first-level cache.
const BLOCK: usize = 512;

/// Which optimiser, with which hyper-parameters.
///
/// Full-batch gradient descent is [`Sgd`] with a batch of all examples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Optimiser {
    /// Stochastic gradient descent, with or without momentum.
    Sgd(Sgd),
    /// Adam; weight decay is part of the gradient.
    Adam(Adam),
    /// Adam with decoupled weight decay.
    Adamw(AdamW),
    /// Gradients over a running root of their mean square.
    Rmsprop(Rmsprop),
    /// Gradients over the root of the sum of their squares.
    Adagrad(Adagrad),
}

/// A configuration or a state that cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimiserError {
    /// A hyper-parameter outside its range.
    #[error("optimiser {kind}: expected {field} to be {expected}, found {found}")]
    HyperParameter {
        /// The optimiser's kind.
        kind: &'static str,
        /// Name of the field.
        field: &'static str,
        /// Its range.
        expected: &'static str,
        /// The value given.
        found: f64,
    },
    /// Nesterov's step is defined with momentum only.
    #[error("optimiser sgd: nesterov = true expects momentum > 0, found 0")]
    NesterovWithoutMomentum,
    /// State of another optimiser.
    #[error("optimiser {kind}: expected state vectors {expected:?}, found {found:?}")]
    Slots {
        /// The optimiser's kind.
        kind: &'static str,
        /// Names that this optimiser keeps.
        expected: Vec<String>,
        /// Names given.
        found: Vec<String>,
    },
    /// State of another number of parameters.
    #[error("optimiser {kind}: expected {slot} to have {expected} entries, found {found}")]
    SlotLength {
        /// The optimiser's kind.
        kind: &'static str,
        /// Name of the vector.
        slot: String,
        /// Number of parameters.
        expected: usize,
        /// Its length.
        found: usize,
    },
}

/// One vector of state, as long as θ.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot<T> {
    /// PyTorch's name for it: `momentum_buffer`, `exp_avg`, `exp_avg_sq`, `square_avg`, `sum`.
    pub name: String,
    /// Its values, in the order of θ.
    pub values: Vec<T>,
}

/// An optimiser in the middle of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimiserState<T> {
    optimiser: Optimiser,
    parameters: usize,
    step: u64,
    slots: Vec<Slot<T>>,
}

impl Optimiser {
    /// The configuration's name for this kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sgd(_) => "sgd",
            Self::Adam(_) => "adam",
            Self::Adamw(_) => "adamw",
            Self::Rmsprop(_) => "rmsprop",
            Self::Adagrad(_) => "adagrad",
        }
    }

    /// Whether every hyper-parameter lies in its range.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn validate(&self) -> Result<(), OptimiserError> {
        match self {
            Self::Sgd(sgd) => sgd.validate(),
            Self::Adam(Adam { beta_1, beta_2, eps, weight_decay }) => {
                adam::validate("adam", *beta_1, *beta_2, *eps, *weight_decay)
            }
            Self::Adamw(AdamW { beta_1, beta_2, eps, weight_decay }) => {
                adam::validate("adamw", *beta_1, *beta_2, *eps, *weight_decay)
            }
            Self::Rmsprop(rmsprop) => rmsprop.validate(),
            Self::Adagrad(adagrad) => adagrad.validate(),
        }
    }

    /// Names of the vectors that its state keeps.
    pub fn slot_names(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd(sgd) => sgd.slot_names(),
            Self::Adam(_) | Self::Adamw(_) => &adam::SLOTS,
            Self::Rmsprop(rmsprop) => rmsprop.slot_names(),
            Self::Adagrad(_) => &adagrad::SLOTS,
        }
    }
}

impl Optimiser {
    /// Moves some of the parameters, with the same stretch of each slot and gradient.
    fn step<T: Real>(&self, theta: &mut [T], slots: Vec<&mut [T]>, gradients: &[&[T]], lr: f64, step: u64) {
        let mut slots = slots.into_iter();
        match (self, slots.next(), slots.next()) {
            (Self::Sgd(sgd), None, _) => sgd.step(theta, gradients, lr),
            (Self::Sgd(sgd), Some(momentum), _) => sgd.step_with_momentum(theta, gradients, momentum, lr),
            (Self::Adam(adam), Some(m), Some(v)) => adam.step(theta, gradients, m, v, lr, step),
            (Self::Adamw(adamw), Some(m), Some(v)) => adamw.step(theta, gradients, m, v, lr, step),
            (Self::Rmsprop(rmsprop), Some(v), b) => rmsprop.step(theta, gradients, v, b, lr),
            (Self::Adagrad(adagrad), Some(s), _) => adagrad.step(theta, gradients, s, lr),
            _ => unreachable!("construction gives every optimiser its slots"),
        }
    }
}

impl<T: Real> OptimiserState<T> {
    /// The state before the first step, for that many parameters: all zero.
    ///
    /// # Errors
    /// If the configuration is out of range.
    pub fn new(optimiser: Optimiser, parameters: usize) -> Result<Self, OptimiserError> {
        optimiser.validate()?;
        let zero = |&name: &&str| Slot { name: name.to_owned(), values: vec![T::ZERO; parameters] };
        Ok(Self { optimiser, parameters, step: 0, slots: optimiser.slot_names().iter().map(zero).collect() })
    }

    /// The state after `step` steps, from its vectors.
    ///
    /// # Errors
    /// If the configuration is out of range, or the vectors are not the ones that it keeps, in its order.
    pub fn restore(
        optimiser: Optimiser,
        parameters: usize,
        step: u64,
        slots: Vec<Slot<T>>,
    ) -> Result<Self, OptimiserError> {
        optimiser.validate()?;
        let kind = optimiser.kind();
        let found: Vec<String> = slots.iter().map(|slot| slot.name.clone()).collect();
        if found != optimiser.slot_names() {
            let expected = optimiser.slot_names().iter().map(|&name| name.to_owned()).collect();
            return Err(OptimiserError::Slots { kind, expected, found });
        }
        if let Some(slot) = slots.iter().find(|slot| slot.values.len() != parameters) {
            let (slot, found) = (slot.name.clone(), slot.values.len());
            return Err(OptimiserError::SlotLength { kind, slot, expected: parameters, found });
        }
        Ok(Self { optimiser, parameters, step, slots })
    }

    /// The configuration.
    pub fn optimiser(&self) -> &Optimiser {
        &self.optimiser
    }

    /// Length of θ.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The vectors of state, in the order of [`Optimiser::slot_names`].
    pub fn slots(&self) -> &[Slot<T>] {
        &self.slots
    }

    /// Moves θ by one step of learning rate `lr`, along the gradient Σ `gradients`.
    ///
    /// The parts are added from first to last. Cost: one pass over θ, the state and the gradients.
    ///
    /// Panics if there is no gradient or a length differs from the number of parameters.
    pub fn step(&mut self, theta: &mut [T], gradients: &[&[T]], lr: f64) {
        assert!(!gradients.is_empty(), "a step needs a gradient");
        for length in gradients.iter().map(|part| part.len()).chain([theta.len()]) {
            assert_eq!(length, self.parameters, "theta and its gradients must have one entry a parameter");
        }
        self.step += 1;
        let slots: Vec<&mut [T]> = self.slots.iter_mut().map(|slot| slot.values.as_mut_slice()).collect();
        let (optimiser, step) = (&self.optimiser, self.step);
        if theta.len() <= 2 * SHARE {
            optimiser.step(theta, slots, gradients, lr, step);
            return;
        }
        // Elements are independent, so it does not matter who moves which.
        let mut slots: Vec<_> = slots.into_iter().map(|slot| slot.chunks_mut(SHARE)).collect();
        let mut stretch = || slots.iter_mut().filter_map(Iterator::next).collect::<Vec<&mut [T]>>();
        let shares: Vec<_> = theta.chunks_mut(SHARE).map(|theta| (theta, stretch())).collect();
        shares.into_par_iter().enumerate().for_each(|(number, (theta, slots))| {
            let range = number * SHARE..number * SHARE + theta.len();
            let gradients: Vec<&[T]> = gradients.iter().map(|part| &part[range.clone()]).collect();
            optimiser.step(theta, slots, &gradients, lr, step);
        });
    }
}

/// Calls `update` for one block after another with its range and the sum of the parts there.
///
/// A single part is passed on as it is. With several, the sum goes through a buffer that stays in cache: an inner loop
/// over parts for each element would not vectorise, and a sum of whole vectors first would pass over memory twice.
fn for_blocks<T: Real>(gradients: &[&[T]], mut update: impl FnMut(std::ops::Range<usize>, &[T])) {
    let (first, rest) = gradients.split_first().expect("checked by the caller");
    let mut sum = [T::ZERO; BLOCK];
    for start in (0..first.len()).step_by(BLOCK) {
        let range = start..first.len().min(start + BLOCK);
        if rest.is_empty() {
            update(range.clone(), &first[range]);
            continue;
        }
        let sum = &mut sum[..range.len()];
        sum.copy_from_slice(&first[range.clone()]);
        for part in rest {
            for (s, &g) in sum.iter_mut().zip(&part[range.clone()]) {
                *s += g;
            }
        }
        update(range, sum);
    }
}

/// √x. For f32 the root of the widened number, rounded, is the correctly rounded root: 53 ≥ 2·24 + 2 bits.
#[inline(always)]
fn root<T: Real>(x: T) -> T {
    T::from_f64(x.to_f64().sqrt())
}

/// The check that all hyper-parameters share: finite, and within `range`.
fn check(
    kind: &'static str,
    field: &'static str,
    found: f64,
    range: std::ops::Range<f64>,
    expected: &'static str,
) -> Result<(), OptimiserError> {
    if found.is_finite() && range.contains(&found) {
        Ok(())
    } else {
        Err(OptimiserError::HyperParameter { kind, field, expected, found })
    }
}
