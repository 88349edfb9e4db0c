//! Losses: of one example, from outputs and a label, or from outputs and the inputs. The reduction is always the mean over
//! examples.

use serde::{Deserialize, Serialize};
use thalweg_program::builder::Var;

/// The loss of one example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Softmax cross-entropy, −log p_label, in nats.
    CrossEntropy,
    /// The same against smoothed labels (Szegedy et al. 2016), −Σ_j q_j log p_j with q = (1 − ε) e_label + ε/classes, as
    /// PyTorch's `CrossEntropyLoss(label_smoothing=ε)`: (1 − ε) times the cross-entropy, and ε times its mean over all labels.
    /// It is nowhere below the entropy of q. Configurations write it as a field beside `"cross_entropy"`.
    #[serde(skip)]
    SmoothedCrossEntropy {
        /// ε, in (0, 1).
        smoothing: f64,
    },
    /// ½‖f − y‖² against the label's unit vector y. With the half, a sharpness compares with 2/η.
    HalfMeanSquare,
    /// ½‖f − x‖² against the inputs x themselves, summed over the numbers of an example: what autoencoders are trained on. Labels
    /// play no part, and nothing is misclassified.
    Reconstruction,
}

impl Loss {
    /// Writes the losses `[e…]` of outputs `[e…, classes]` and labels `[e…]`: of examples, or of positions of examples. Those
    /// of a reconstruction are `[examples]`, of outputs and inputs of one shape `[examples, inputs]`.
    pub fn write<'b>(self, outputs: Var<'b>, labels: Var<'b>, inputs: Var<'b>) -> Var<'b> {
        let outputs = classes_first(outputs);
        let label = || classes_first(labels.one_hot(outputs.shape()[0]));
        match self {
            Self::CrossEntropy => cross_entropy(outputs, label(), None),
            Self::SmoothedCrossEntropy { smoothing } => cross_entropy(outputs, label(), Some(smoothing)),
            Self::HalfMeanSquare => half_square(outputs - label()),
            Self::Reconstruction => half_square(outputs - classes_first(inputs)),
        }
    }

    /// With labels smoothed by that ε, in [0, 1); itself if that is 0, and if it has no labels' probabilities.
    #[must_use]
    pub fn smoothed(self, smoothing: f64) -> Self {
        match self {
            Self::CrossEntropy if smoothing != 0.0 => Self::SmoothedCrossEntropy { smoothing },
            _ => self,
        }
    }

    /// Whether there are classes to be right or wrong about.
    pub fn has_classes(self) -> bool {
        self != Self::Reconstruction
    }

    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::CrossEntropy | Self::SmoothedCrossEntropy { .. } => "cross_entropy",
            Self::HalfMeanSquare => "half_mean_square",
            Self::Reconstruction => "reconstruction",
        }
    }

    /// The name and unit that a reading bears.
    pub fn convention(self) -> String {
        match self {
            Self::CrossEntropy => "softmax cross-entropy in nats".to_owned(),
            Self::SmoothedCrossEntropy { smoothing } => {
                format!("softmax cross-entropy in nats, labels smoothed by {smoothing}")
            }
            Self::HalfMeanSquare => "half squared error against unit vectors".to_owned(),
            Self::Reconstruction => {
                "half squared error against the inputs, summed over an example's numbers".to_owned()
            }
        }
    }
}

/// `[e…, classes]` to `[classes, e…]`: reductions over classes then run over vectors of examples.
fn classes_first(x: Var<'_>) -> Var<'_> {
    let last = x.shape().len() - 1;
    let order: Vec<usize> = [last].into_iter().chain(0..last).collect();
    x.permute(&order)
}

/// Of residuals `[outputs, e…]`.
fn half_square(residual: Var<'_>) -> Var<'_> {
    (residual * residual).sum(&[0]) * 0.5
}

/// Of outputs and unit vectors `[classes, e…]`: with k the class of the largest output, z_k − z_label +
/// log(1 + Σ_{j≠k} exp(z_j − z_k)).
///
/// That holds for every k, so k counts as a constant and all derivatives are those of the loss. Nothing overflows; and
/// where the network is sure, nothing cancels: loss, gradient and curvature are small sums of small probabilities, right
/// in relative terms, where the textbook's log Σ exp − z_label, and p − y and p·(1 − p) with it, leave the rounding of
/// numbers near 1. (In single precision those are mostly noise once the loss of an example is below 10⁻⁴.)
///
/// Smoothed labels q make it Σ_j q_j (z_k − z_j) + log(1 + …): sums of what is not negative, once more.
fn cross_entropy<'b>(outputs: Var<'b>, target: Var<'b>, smoothing: Option<f64>) -> Var<'b> {
    let largest = outputs.max(&[0]);
    let top = outputs.equal(largest);
    // Where several are largest no class stands apart: all stay in the sum, which then holds the 1 itself.
    let alone = top.sum(&[0]).equal(1.0);
    let reference = top * alone;
    let rest = reference.select(0.0, (outputs - largest).exp()).sum(&[0]) - (1.0 - alone);
    let sign = reference - target;
    let gap = sign.select(sign * outputs, 0.0).sum(&[0]) + (1.0 - alone) * largest;
    let Some(smoothing) = smoothing else { return gap + rest.log1p() };
    let below = (largest - outputs).sum(&[0]) * (smoothing / outputs.shape()[0] as f64);
    gap * (1.0 - smoothing) + below + rest.log1p()
}

/// Writes the expected errors `[e…]` of outputs `[e…, classes]` and labels `[e…]`, in [0, 1]: 0 where the label's output is the only largest, 1 where
/// another is larger or an output is not a number, 1 − 1/k where k outputs including the label's are largest.
///
/// That is the error of a prediction that breaks ties at random. The design that lost takes the first of the
/// largest: it reads a network whose outputs are all equal as right about class 0.
pub fn write_error<'b>(outputs: Var<'b>, labels: Var<'b>) -> Var<'b> {
    let outputs = classes_first(outputs);
    let largest = outputs.equal(outputs.max(&[0]));
    let hit = (largest * classes_first(labels.one_hot(outputs.shape()[0]))).sum(&[0]);
    let ties = largest.sum(&[0]);
    1.0 - ties.greater(0.0).select(hit / ties, 0.0)
}
