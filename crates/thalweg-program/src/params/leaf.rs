//! One array of parameters and what it is for.

use std::ops::Range;

/// What a leaf does in its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Multiplies activations: matrices and filters.
    Weight,
    /// Is added to pre-activations.
    Bias,
    /// A normalisation's factor (γ).
    Scale,
    /// A normalisation's offset (β).
    Shift,
    /// A table of vectors looked up by index.
    Embedding,
}

/// How the elements of a leaf begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Start {
    /// As its role has it: what is drawn is drawn by the network's rule, factors are 1 and offsets 0.
    #[default]
    Usual,
    /// The same, divided by number^(1/root).
    Reduced {
        /// What the root is of.
        number: usize,
        /// Which root: 2 is the square root.
        root: usize,
    },
    /// All 0.
    Zero,
}

/// One named array inside θ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// PyTorch's name for it, such as `layers.0.weight`.
    pub name: String,
    /// PyTorch's shape, row-major: a linear weight is `[out, in]`.
    pub shape: Vec<usize>,
    /// Position of its first element in θ; set by [`ParamSpace::push`](super::ParamSpace::push).
    pub offset: usize,
    /// Number of the layer that it belongs to, from 0 at the input.
    pub layer: usize,
    /// What it does.
    pub role: Role,
    /// The axis whose slices are filters (one output unit each), where there is one.
    pub filter_axis: Option<usize>,
    /// Inputs of one output unit.
    pub fan_in: usize,
    /// Outputs that one input unit reaches.
    pub fan_out: usize,
    /// Whether pruning may remove its elements: weights, never biases and norms.
    pub prunable: bool,
    /// Which axes run over hidden units that may be reordered: (axis, number of the symmetry). An axis longer than
    /// there are units runs over them in blocks of one length, as that of a linear layer after channels were flattened.
    pub permuted: Vec<(usize, usize)>,
    /// How many arrays of one shape lie one after another along axis 0, each of which runs over the units by itself: 4 in
    /// the weights of an LSTM's gates, 1 in most.
    pub stacked: usize,
    /// How its elements begin.
    pub start: Start,
}

impl Leaf {
    /// A leaf of layer 0. Weights of two axes and more have filters along axis 0, are prunable, and have
    /// fan-in = elements of one filter, fan-out = filters × the extents after axis 1; other roles have no
    /// filters, are not prunable and have both fans 1.
    pub fn new(name: &str, shape: &[usize], role: Role) -> Self {
        let matrix = role == Role::Weight && shape.len() > 1;
        let field: usize = shape.iter().skip(2).product();
        Self {
            name: name.into(),
            shape: shape.to_vec(),
            offset: 0,
            layer: 0,
            role,
            filter_axis: matrix.then_some(0),
            fan_in: if matrix { shape[1] * field } else { 1 },
            fan_out: if matrix { shape[0] * field } else { 1 },
            prunable: matrix,
            permuted: Vec::new(),
            stacked: 1,
            start: Start::Usual,
        }
    }

    /// The same leaf, of another layer.
    pub fn in_layer(self, layer: usize) -> Self {
        Self { layer, ..self }
    }

    /// The same leaf, as so many arrays one after another along axis 0.
    pub fn stacked(self, stacked: usize) -> Self {
        Self { stacked, ..self }
    }

    /// The same leaf, with another start.
    pub fn starting(self, start: Start) -> Self {
        Self { start, ..self }
    }

    /// The same leaf, with an axis that runs over the hidden units of a symmetry.
    pub fn permuted_by(mut self, axis: usize, symmetry: usize) -> Self {
        self.permuted.push((axis, symmetry));
        self
    }

    /// Elements of an axis that a unit of `units` has, next to each other; 0 if they do not divide it.
    pub(super) fn block(&self, axis: usize, units: usize) -> usize {
        let parts = if axis == 0 { self.stacked * units } else { units };
        if self.shape[axis].is_multiple_of(parts) { self.shape[axis] / parts } else { 0 }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where it lies in θ.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len()
    }
}
