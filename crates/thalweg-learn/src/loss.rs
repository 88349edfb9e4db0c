//! Losses: of one example, from outputs and a label. The reduction is always the mean over examples.

use serde::{Deserialize, Serialize};
use thalweg_program::builder::Var;

/// The loss of one example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Softmax cross-entropy, −log p_label, in nats.
    CrossEntropy,
    /// ½‖f − y‖² against the label's unit vector y. With the half, a sharpness compares with 2/η.
    HalfMeanSquare,
}

impl Loss {
    /// Writes the losses `[examples]` of outputs `[examples, classes]` and labels `[examples]`.
    pub fn write<'b>(self, outputs: Var<'b>, labels: Var<'b>) -> Var<'b> {
        // Classes first: reductions then run over vectors of examples.
        let outputs = outputs.permute(&[1, 0]);
        let target = labels.one_hot(outputs.shape()[0]).permute(&[1, 0]);
        match self {
            Self::CrossEntropy => {
                // Shifted by the largest output so that no exponential overflows; the shift cancels, and so does
                // its derivative.
                let largest = outputs.stop_gradient().max(&[0]);
                let shifted = outputs - largest;
                shifted.exp().sum(&[0]).log() - (target * shifted).sum(&[0])
            }
            Self::HalfMeanSquare => {
                let residual = outputs - target;
                (residual * residual).sum(&[0]) * 0.5
            }
        }
    }

    /// The name and unit that a reading bears.
    pub fn convention(self) -> &'static str {
        match self {
            Self::CrossEntropy => "softmax cross-entropy in nats",
            Self::HalfMeanSquare => "half squared error against unit vectors",
        }
    }
}

/// Writes the expected errors `[examples]`, in [0, 1]: 0 where the label's output is the only largest, 1 where
/// another is larger or an output is not a number, 1 − 1/k where k outputs including the label's are largest.
///
/// That is the error of a prediction that breaks ties at random. The design that lost takes the first of the
/// largest: it reads a network whose outputs are all equal as right about class 0.
pub fn write_error<'b>(outputs: Var<'b>, labels: Var<'b>) -> Var<'b> {
    let outputs = outputs.permute(&[1, 0]);
    let largest = outputs.equal(outputs.max(&[0]));
    let hit = (largest * labels.one_hot(outputs.shape()[0]).permute(&[1, 0])).sum(&[0]);
    let ties = largest.sum(&[0]);
    1.0 - ties.greater(0.0).select(hit / ties, 0.0)
}
