//! Optimisers: how θ moves, given a gradient.
//!
//! An [`Optimiser`] is a configuration (it goes into the identity of a run and has no learning rate: that is the
//! [schedule](crate::schedule)'s); an [`OptimiserState`] is what must be carried from one step to the next. Definitions
//! are those of PyTorch, whose names the state's vectors bear too, so that recipes and checkpoints carry over; each is
//! tested against values that PyTorch computed.
//!
//! Most take a gradient and step. Two choose where they look at the loss, [`Lbfgs`] and [`GradientFlow`]: they are given the
//! loss as a function, in [`OptimiserState::step_along`]. [`Sam`] steps along a gradient that is taken beside θ.
//!
//! A step goes over memory once (`pass.rs`): an optimiser says what becomes of one parameter. Each thread takes the parameters
//! whose gradients it made (`shares.rs`).
//!
//! The design that lost: a trait object per optimiser with its own struct of state. With state as named flat vectors,
//! one checkpoint writer and one resume test serve them all.

mod adagrad;
mod adam;
mod adamw;
mod gradient_flow;
mod lbfgs;
mod line_search;
mod pass;
mod probe;
mod rmsprop;
mod sam;
mod sgd;
mod shares;
mod state;
#[cfg(test)]
mod tests;

pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub use gradient_flow::GradientFlow;
pub use lbfgs::Lbfgs;
pub use probe::{Halt, Probe};
pub use rmsprop::Rmsprop;
pub use sam::Sam;
pub use sgd::Sgd;
pub(crate) use shares::Shares;
pub use state::{Number, OptimiserState, Slot};

use serde::{Deserialize, Serialize};

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
    /// Sharpness-aware minimisation around SGD: the gradient is that a short way up the hill.
    Sam(Sam),
    /// A quasi-Newton method with a line search, for full batches.
    Lbfgs(Lbfgs),
    /// Steepest descent in continuous time, for full batches.
    GradientFlow(GradientFlow),
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
    #[error("optimiser {kind}: nesterov = true expects momentum > 0, found 0")]
    NesterovWithoutMomentum {
        /// The optimiser's kind.
        kind: &'static str,
    },
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
    /// Numbers that are not those of this optimiser.
    #[error(
        "optimiser {kind}: expected the numbers {expected:?}, each finite and at least 0, found {found:?}"
    )]
    Numbers {
        /// The optimiser's kind.
        kind: &'static str,
        /// Names that this optimiser keeps.
        expected: &'static [&'static str],
        /// Those given.
        found: Vec<(String, f64)>,
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

impl Optimiser {
    /// The configuration's name for this kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sgd(_) => "sgd",
            Self::Adam(_) => "adam",
            Self::Adamw(_) => "adamw",
            Self::Rmsprop(_) => "rmsprop",
            Self::Adagrad(_) => "adagrad",
            Self::Sam(_) => "sam",
            Self::Lbfgs(_) => "lbfgs",
            Self::GradientFlow(_) => "gradient_flow",
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
            Self::Sam(sam) => sam.validate(),
            Self::Lbfgs(lbfgs) => lbfgs.validate(),
            Self::GradientFlow(flow) => flow.validate(),
        }
    }

    /// Names of the vectors that its state keeps.
    pub fn slot_names(&self) -> Vec<String> {
        let names: &[&str] = match self {
            Self::Sgd(sgd) => sgd.slot_names(),
            Self::Adam(_) | Self::Adamw(_) => &adam::SLOTS,
            Self::Rmsprop(rmsprop) => rmsprop.slot_names(),
            Self::Adagrad(_) => &adagrad::SLOTS,
            Self::Sam(sam) => sam.base().slot_names(),
            Self::Lbfgs(lbfgs) => return lbfgs.slot_names(),
            Self::GradientFlow(_) => &[],
        };
        names.iter().map(|&name| name.to_owned()).collect()
    }

    /// Names of the numbers that its state keeps beside them.
    pub fn number_names(&self) -> &'static [&'static str] {
        match self {
            Self::GradientFlow(_) => &gradient_flow::NUMBERS,
            _ => &[],
        }
    }

    /// Whether it chooses where it looks at the loss, and so wants one function: the loss of all examples, with nothing random
    /// in it. If so its steps are [`OptimiserState::step_along`], and [`OptimiserState::step`] if not.
    pub fn chooses_points(&self) -> bool {
        matches!(self, Self::Lbfgs(_) | Self::GradientFlow(_))
    }
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
