//! The means and variances of batch norms, which are no part of θ.
//!
//! All of a network's lie in one flat vector: norm by norm, its channels' means, then their variances.

use thalweg_program::builder::{Moments, Var};

/// A batch norm of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchNorm {
    /// PyTorch's name of the layer; its statistics are `name.running_mean` and `name.running_var`, both `[channels]`.
    pub name: String,
    /// Channels.
    pub channels: usize,
    /// Positions of an image, 1 for features: a channel's statistics are over examples × positions.
    pub positions: usize,
    /// Number of the hidden permutation that acts on the channels, if one does.
    pub permuted: Option<usize>,
}

impl BatchNorm {
    /// Names of its arrays, in their order: all of shape `[channels]`.
    pub fn arrays(&self) -> [String; 2] {
        ["running_mean", "running_var"].map(|array| format!("{}.{array}", self.name))
    }
}

/// Length of the vector of a network's statistics.
pub fn statistics_len(norms: &[BatchNorm]) -> usize {
    norms.iter().map(|norm| 2 * norm.channels).sum()
}

/// Names and shapes of the arrays that a network's statistics are in files, in their order.
pub fn statistics_arrays(norms: &[BatchNorm]) -> Vec<(String, Vec<usize>)> {
    norms.iter().flat_map(|norm| norm.arrays().map(|name| (name, vec![norm.channels]))).collect()
}

/// Where the batch norms of a network that is being written take their statistics from.
pub enum Statistics<'b> {
    /// Of the examples at hand, all shards together. What they are is gathered here, norm by norm.
    OfExamples(Vec<Moments<'b>>),
    /// Means and variances that are given, norm by norm.
    Given(std::vec::IntoIter<[Var<'b>; 2]>),
}

impl<'b> Statistics<'b> {
    /// Those of the examples, before the first norm.
    pub fn of_examples() -> Self {
        Self::OfExamples(Vec::new())
    }

    /// Moves `x`, whose last axis is its channels, by what the next norm takes for its mean, and says the variance.
    pub(super) fn next(&mut self, x: Var<'b>) -> Centred<'b> {
        match self {
            Self::OfExamples(gathered) => {
                let axes: Vec<usize> = (0..x.shape().len() - 1).collect();
                let moments = x.moments_of_all(&axes);
                gathered.push(moments);
                Centred { rest: moments.rest, offset: moments.offset, variance: moments.variance }
            }
            Self::Given(given) => {
                let [mean, variance] = given.next().expect("statistics for each batch norm");
                Centred { rest: x, offset: -mean, variance }
            }
        }
    }
}

/// x − mean = rest + offset, the offset one number a channel; and the variance.
pub(super) struct Centred<'b> {
    pub(super) rest: Var<'b>,
    pub(super) offset: Var<'b>,
    pub(super) variance: Var<'b>,
}
