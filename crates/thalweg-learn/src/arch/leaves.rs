//! Leaves of networks that no list of layers is: declared one by one in PyTorch's order, and taken in the same.

use std::iter::Copied;
use std::slice::Iter;

use thalweg_program::builder::Var;
use thalweg_program::params::{Leaf, ParamSpace, Role, Symmetry};

use super::layer::{LayerError, PARAMETERS_MAX};

/// Units of a layer and positions at most: below it no count of parameters overflows.
const COUNT_MAX: usize = 1 << 14;
/// Layers or blocks at most.
const DEPTH_MAX: usize = 1 << 10;

/// The leaves so far.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    space: ParamSpace,
    /// Layers so far.
    layers: usize,
    /// Fan-in and fan-out of the last weight, which biases have too.
    fans: (usize, usize),
}

impl Leaves {
    /// A set of units that may change places.
    pub(super) fn units(&mut self, name: String, units: usize) -> usize {
        self.space.push_symmetry(Symmetry { name, units })
    }

    /// The weight that a layer begins with. `permuted` says which sets of units its axes run over.
    pub(super) fn weight(&mut self, leaf: Leaf, permuted: &[(usize, usize)]) {
        self.layers += 1;
        self.weight_beside(leaf, permuted);
    }

    /// Another weight of the same layer.
    pub(super) fn weight_beside(&mut self, leaf: Leaf, permuted: &[(usize, usize)]) {
        self.fans = (leaf.fan_in, leaf.fan_out);
        self.push(leaf, permuted);
    }

    /// What is added to the results of the last weight.
    pub(super) fn bias(&mut self, leaf: Leaf, permuted: &[(usize, usize)]) {
        let (fan_in, fan_out) = self.fans;
        self.push(Leaf { fan_in, fan_out, ..leaf }, permuted);
    }

    /// Weight and bias of a linear layer, of the shape `[out, in]` that the weight has.
    pub(super) fn linear(&mut self, name: &str, shape: [usize; 2], permuted: &[(usize, usize)]) {
        self.weight(Leaf::new(&format!("{name}.weight"), &shape, Role::Weight), permuted);
        let of_outputs: Vec<(usize, usize)> =
            permuted.iter().copied().filter(|&(axis, _)| axis == 0).collect();
        self.bias(Leaf::new(&format!("{name}.bias"), &shape[..1], Role::Bias), &of_outputs);
    }

    /// Factor and offset of a layer norm over the units of a set, of the same layer as the weight before it.
    pub(super) fn norm(&mut self, name: &str, width: usize, units: usize) {
        for (part, role) in [("weight", Role::Scale), ("bias", Role::Shift)] {
            self.push(Leaf::new(&format!("{name}.{part}"), &[width], role), &[(0, units)]);
        }
    }

    /// Vectors of a set of units along the last axis, looked up by place or by token. They are drawn so that each has
    /// about length 1: as if their own length were the fan-in.
    pub(super) fn embedding(&mut self, name: &str, shape: &[usize], units: usize) {
        let last = shape.len() - 1;
        let leaf = Leaf::new(name, shape, Role::Embedding);
        self.push(Leaf { fan_in: shape[last], ..leaf }, &[(last, units)]);
    }

    fn push(&mut self, leaf: Leaf, permuted: &[(usize, usize)]) {
        let leaf = leaf.in_layer(self.layers.saturating_sub(1));
        self.space.push(permuted.iter().fold(leaf, |leaf, &(axis, set)| leaf.permuted_by(axis, set)));
    }

    /// The parameter space.
    ///
    /// # Errors
    /// If there are more parameters than any machine holds.
    pub(super) fn finish(self) -> Result<ParamSpace, LayerError> {
        let dimension = self.space.dimension();
        if dimension > PARAMETERS_MAX {
            return Err(misfit(format!("at most {PARAMETERS_MAX} parameters"), dimension.to_string()));
        }
        Ok(self.space)
    }
}

/// The variables of the leaves, in order.
pub(super) type Params<'a, 'b> = Copied<Iter<'a, Var<'b>>>;

/// The variable of the next leaf.
pub(super) fn take<'b>(params: &mut Params<'_, 'b>) -> Var<'b> {
    params.next().expect("one variable a leaf")
}

/// Refuses counts of nothing and ones beyond all machines. Each has a name.
pub(super) fn check_counts(counts: &[(&str, usize)]) -> Result<(), LayerError> {
    counts.iter().try_for_each(|&(name, found)| check_count(name, found, COUNT_MAX))
}

/// The same of layers or blocks.
pub(super) fn check_depth(depth: usize) -> Result<(), LayerError> {
    check_count("depth", depth, DEPTH_MAX)
}

fn check_count(name: &str, found: usize, most: usize) -> Result<(), LayerError> {
    match (1..=most).contains(&found) {
        true => Ok(()),
        false => Err(misfit(format!("{name} from 1 to {most}"), found.to_string())),
    }
}

/// A network as a whole that cannot be.
pub(super) fn misfit(expected: impl Into<String>, found: impl Into<String>) -> LayerError {
    LayerError { path: String::new(), text: String::new(), expected: expected.into(), found: found.into() }
}

/// y = x·Wᵀ + b of `[examples, inputs]`, as the last layer of a network: outputs of many examples lie side by side in memory,
/// because losses reduce over the few outputs of each, which as the innermost axis would be too short for vectors.
pub(super) fn outputs<'b>(x: Var<'b>, weight: Var<'b>, bias: Var<'b>) -> Var<'b> {
    let y = x.builder().einsum("bi,oi->ob", x, weight) + bias.reshape(&[weight.shape()[0], 1]);
    y.permute(&[1, 0])
}

/// The same at every position of `[examples, positions, inputs]`, with or without a bias: `[examples, positions·outputs]`.
pub(super) fn outputs_everywhere<'b>(x: Var<'b>, weight: Var<'b>, bias: Option<Var<'b>>) -> Var<'b> {
    let (shape, classes) = (x.shape(), weight.shape()[0]);
    let y = x.builder().einsum("bti,oi->obt", x, weight);
    let y = bias.map_or(y, |bias| y + bias.reshape(&[classes, 1, 1]));
    y.permute(&[1, 2, 0]).reshape(&[shape[0], shape[1] * classes])
}
