//! The block that transformers are made of.

use thalweg_program::builder::Var;
use thalweg_program::params::{Leaf, Role};

use super::layer::LayerError;
use super::leaves::{Leaves, Params, check_counts, check_depth, misfit, take};
use super::{Activation, Pass};

/// Attention and a perceptron of one hidden layer, each after a layer norm and added to what goes in (Vaswani et al. 2017,
/// with the norms where Baevski & Auli 2019 have them): x ← x + attention(ln₁ x), x ← x + mlp(ln₂ x).
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// Units of the residual stream.
    pub(super) width: usize,
    /// Heads of attention; they divide the width.
    pub(super) heads: usize,
    /// Hidden units of the perceptron.
    pub(super) mlp_width: usize,
    /// Added to the variances.
    pub(super) eps: f64,
    /// Whether a position sees those up to itself only.
    pub(super) causal: bool,
    pub(super) dropout: BlockDropout,
}

/// How probable it is that numbers of a block are dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockDropout {
    /// The weights with which a position attends to others.
    pub(super) attention: f64,
    /// The hidden units of the perceptron, in an architecture that has dropout there.
    pub(super) hidden: Option<f64>,
    /// What attention and perceptron add to the stream.
    pub(super) residual: f64,
}

/// What the leaves of a block are called. Pairs are those of a weight and its bias.
pub(super) struct Names {
    pub(super) ln_1: String,
    pub(super) attention_in: [String; 2],
    pub(super) attention_out: String,
    pub(super) ln_2: String,
    pub(super) mlp_in: String,
    pub(super) mlp_out: String,
}

impl BlockDropout {
    /// Whether anything is dropped.
    pub(super) fn draws(self) -> bool {
        [Some(self.attention), self.hidden, Some(self.residual)].into_iter().flatten().any(|p| p > 0.0)
    }
}

impl Block {
    /// Whether such blocks can be.
    pub(super) fn check(self, depth: usize) -> Result<(), LayerError> {
        let Self { width, heads, mlp_width, .. } = self;
        check_counts(&[("width", width), ("heads", heads), ("mlp_width", mlp_width)])?;
        check_depth(depth)?;
        match width.is_multiple_of(heads) {
            true => Ok(()),
            false => Err(misfit(format!("heads that divide the width {width}"), heads.to_string())),
        }
    }

    /// Declares the leaves. Heads may change places, and so may the hidden units of the perceptron; `stream` is the set of
    /// units that the residual stream is.
    pub(super) fn declare(self, leaves: &mut Leaves, names: &Names, stream: usize) {
        let Self { width, heads, mlp_width, .. } = self;
        let head = leaves.units(format!("heads of {}", names.attention_out), heads);
        let hidden = leaves.units(format!("outputs of {}", names.mlp_in), mlp_width);
        leaves.norm(&names.ln_1, width, stream);
        // Queries, keys and values, each head by head.
        let [weight, bias] = &names.attention_in;
        let (weight, bias) =
            (Leaf::new(weight, &[3 * width, width], Role::Weight), Leaf::new(bias, &[3 * width], Role::Bias));
        leaves.weight(weight.stacked(3), &[(0, head), (1, stream)]);
        leaves.bias(bias.stacked(3), &[(0, head)]);
        leaves.linear(&names.attention_out, [width, width], &[(0, stream), (1, head)]);
        leaves.norm(&names.ln_2, width, stream);
        leaves.linear(&names.mlp_in, [mlp_width, width], &[(0, hidden), (1, stream)]);
        leaves.linear(&names.mlp_out, [width, mlp_width], &[(0, stream), (1, hidden)]);
    }

    /// Writes it on `[examples, positions, width]`.
    pub(super) fn write<'b>(self, params: &mut Params<'_, 'b>, pass: &mut Pass<'b>, x: Var<'b>) -> Var<'b> {
        let BlockDropout { hidden, residual, .. } = self.dropout;
        let normed = layer_norm(params, x, self.eps);
        let attention = self.attention(params, pass, normed);
        let x = x + pass.dropout(attention, residual);
        let normed = layer_norm(params, x, self.eps);
        let mut units = Activation::Gelu.write(linear(params, normed));
        if let Some(hidden) = hidden {
            units = pass.dropout(units, hidden);
        }
        x + pass.dropout(linear(params, units), residual)
    }

    fn attention<'b>(self, params: &mut Params<'_, 'b>, pass: &mut Pass<'b>, x: Var<'b>) -> Var<'b> {
        let Self { width, heads, causal, dropout, .. } = self;
        let (examples, positions) = (x.shape()[0], x.shape()[1]);
        let (weight, bias) = (take(params), take(params));
        // The weights are cut and not the products, which are larger: a cut's adjoint pads.
        let part = |number: usize| {
            let (weight, bias) =
                (weight.slice(0, number * width, width), bias.slice(0, number * width, width));
            let y = x.builder().einsum("bti,oi->bto", x, weight) + bias;
            y.reshape(&[examples, positions, heads, width / heads])
        };
        let [q, k, v] = [0, 1, 2].map(part);
        let y = q.attention_through(k, v, causal, |weights| pass.dropout(weights, dropout.attention));
        linear(params, y.reshape(&[examples, positions, width]))
    }
}

/// A linear layer at every position.
fn linear<'b>(params: &mut Params<'_, 'b>, x: Var<'b>) -> Var<'b> {
    let (weight, bias) = (take(params), take(params));
    x.builder().einsum("bti,oi->bto", x, weight) + bias
}

/// A layer norm over the last axis.
pub(super) fn layer_norm<'b>(params: &mut Params<'_, 'b>, x: Var<'b>, eps: f64) -> Var<'b> {
    let last = x.shape().len() - 1;
    x.standardised(&[last], eps) * take(params) + take(params)
}
