//! Dropout.

use std::fmt;

use thalweg_program::builder::Var;

use super::plan::{Flow, Plan};
use super::{Kind, LayerError, Params, Place};

/// Numbers that are 0 with a probability, each by itself, and otherwise divided by 1 − probability (Srivastava et al. 2014,
/// with PyTorch's scale). Where the mode drops nothing it is the identity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Of being dropped, in [0, 1).
    pub probability: f64,
}

/// What a probability of being dropped must be: at 1 nothing would be left.
const RANGE: &str = "a probability from 0 to below 1";

/// The probability that a field of that name gives; 0 unless it is set.
///
/// # Errors
/// One outside [0, 1).
pub(in crate::arch) fn probability(field: &str, given: Option<f64>) -> Result<f64, LayerError> {
    let probability = given.unwrap_or(0.0);
    match (0.0..1.0).contains(&probability) {
        true => Ok(probability),
        false => Err(LayerError::of_network(format!("{field} to be {RANGE}"), probability.to_string())),
    }
}

/// Those of the named probabilities that drop anything, in words: `, dropout 0.1`.
pub(in crate::arch) fn notes(named: &[(&str, f64)]) -> String {
    let drawn = named.iter().filter(|(_, probability)| *probability > 0.0);
    drawn.map(|(name, probability)| format!(", {name} {probability}")).collect()
}

impl Dropout {
    /// Whether there is anything that it drops.
    pub(super) fn draws(self) -> bool {
        self.probability > 0.0
    }
}

impl fmt::Display for Dropout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dropout {}", self.probability)
    }
}

impl Kind for Dropout {
    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        match (0.0..1.0).contains(&self.probability) {
            true => Ok(x),
            false => Err(plan.misfit(self, RANGE, self.probability)),
        }
    }

    fn write<'b>(&self, params: &mut Params<'_, 'b>, x: Var<'b>, _place: Place) -> Var<'b> {
        params.pass.dropout(x, self.probability)
    }
}
