//! What a tree of layers declares as it is walked from the input to the output.

use std::fmt::Display;

use thalweg_program::params::{Leaf, ParamSpace, Role, Start, Symmetry};

use super::units::Units;
use super::{BatchNorm, LayerError, Shape};

/// Beyond it no machine holds θ; and below it no count overflows.
pub(in crate::arch) const PARAMETERS_MAX: usize = 1 << 40;
/// Numbers between two layers, for one example: as many as a pool can choose among.
const ELEMENTS_MAX: usize = 1 << 24;

/// What one layer hands to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    /// Its shape.
    pub(super) shape: Shape,
    /// The set of units that its channels or features are. After a flattening each unit is a run of neighbouring
    /// features.
    pub(super) units: usize,
}

/// The leaves so far and the sets of units that they know.
#[derive(Debug)]
pub(super) struct Plan {
    leaves: Vec<Leaf>,
    parameters: usize,
    /// The batch norms, each with the set of units that its channels are.
    norms: Vec<(BatchNorm, usize)>,
    pub(super) units: Units,
    path: Vec<String>,
    /// Linear and convolutional layers so far.
    layers: usize,
}

impl Plan {
    /// Before the first layer: inputs of that shape, whose order the data fix.
    pub(super) fn new(input: Shape) -> (Self, Flow) {
        let mut units = Units::default();
        let inputs = units.push(input.units(), "inputs".to_owned());
        units.fix(inputs);
        let plan =
            Self { leaves: Vec::new(), parameters: 0, norms: Vec::new(), units, path: Vec::new(), layers: 0 };
        (plan, Flow { shape: input, units: inputs })
    }

    /// Walks through a part of that name; one without a name has its leaves where it stands itself.
    pub(super) fn within<T>(&mut self, name: &str, walk: impl FnOnce(&mut Self) -> T) -> T {
        if name.is_empty() {
            return walk(self);
        }
        self.path.push(name.to_owned());
        let result = walk(self);
        self.path.pop();
        result
    }

    /// The error of the layer that is being walked through.
    pub(super) fn misfit(
        &self,
        layer: &dyn Display,
        expected: impl Into<String>,
        found: impl Display,
    ) -> LayerError {
        let (path, text) = (self.path.join("."), layer.to_string());
        LayerError { path, text, expected: expected.into(), found: found.to_string() }
    }

    /// A new set of units: the outputs of the layer that is being walked through.
    pub(super) fn outputs(&mut self, count: usize) -> usize {
        self.units.push(count, format!("outputs of {}", self.path.join(".")))
    }

    /// Declares a weight and, if there is one, the bias beside it; `permuted` says which sets the weight's axes run
    /// over, the outputs along axis 0 first. Where the weight starts at 0 the bias does too.
    pub(super) fn weight(
        &mut self,
        layer: &dyn Display,
        shape: &[usize],
        has_bias: bool,
        start: Start,
        permuted: &[(usize, usize)],
    ) -> Result<(), LayerError> {
        let place = |leaf: Leaf, plan: &Self| leaf.in_layer(plan.layers);
        self.room(layer, shape)?;
        let weight = Leaf::new(&self.named("weight"), shape, Role::Weight);
        let (fan_in, fan_out) = (weight.fan_in, weight.fan_out);
        let weight = place(weight, self).starting(start);
        self.leaves.push(permuted.iter().fold(weight, |leaf, &(axis, set)| leaf.permuted_by(axis, set)));
        if has_bias {
            self.room(layer, &shape[..1])?;
            let bias = place(Leaf::new(&self.named("bias"), &shape[..1], Role::Bias), self);
            let bias = permuted.iter().take(1).fold(bias, |leaf, &(axis, set)| leaf.permuted_by(axis, set));
            let start = if start == Start::Zero { start } else { Start::Usual };
            self.leaves.push(Leaf { fan_in, fan_out, start, ..bias });
        }
        self.layers += 1;
        Ok(())
    }

    /// Declares a norm's factor and offset, whose axis 0 runs over the set: of the same layer as the weight before it.
    pub(super) fn scale_and_shift(
        &mut self,
        layer: &dyn Display,
        shape: &[usize],
        set: usize,
    ) -> Result<(), LayerError> {
        for (name, role) in [("weight", Role::Scale), ("bias", Role::Shift)] {
            self.room(layer, shape)?;
            let leaf = Leaf::new(&self.named(name), shape, role).permuted_by(0, set);
            self.leaves.push(leaf.in_layer(self.layers.saturating_sub(1)));
        }
        Ok(())
    }

    /// Declares one number for a whole layer, under the layer's own name: of the same layer as the weight before it.
    pub(super) fn scalar(&mut self, layer: &dyn Display, role: Role, start: Start) -> Result<(), LayerError> {
        self.room(layer, &[1])?;
        let leaf = Leaf::new(&self.path.join("."), &[1], role).starting(start);
        self.leaves.push(leaf.in_layer(self.layers.saturating_sub(1)));
        Ok(())
    }

    /// Notes a batch norm, whose channels are the set.
    pub(super) fn batch_norm(&mut self, channels: usize, positions: usize, set: usize) {
        let norm = BatchNorm { name: self.path.join("."), channels, positions, permuted: None };
        self.norms.push((norm, set));
    }

    /// Refuses what no machine could hold.
    pub(super) fn check_size(&self, layer: &dyn Display, shape: Shape) -> Result<(), LayerError> {
        if shape.elements() > ELEMENTS_MAX {
            let expected = format!("outputs of at most {ELEMENTS_MAX} numbers an example");
            return Err(self.misfit(layer, expected, shape));
        }
        Ok(())
    }

    fn room(&mut self, layer: &dyn Display, shape: &[usize]) -> Result<(), LayerError> {
        let size = shape.iter().fold(1usize, |product, &axis| product.saturating_mul(axis));
        self.parameters = self.parameters.saturating_add(size);
        if self.parameters > PARAMETERS_MAX {
            let expected = format!("a network of at most {PARAMETERS_MAX} parameters");
            return Err(self.misfit(layer, expected, format!("a leaf of shape {shape:?}")));
        }
        Ok(())
    }

    fn named(&self, leaf: &str) -> String {
        let parts: Vec<&str> = self.path.iter().map(String::as_str).chain([leaf]).collect();
        parts.join(".")
    }

    /// The parameter space and the batch norms, when the last layer hands on `output`, whose order the loss fixes. Sets of units that may
    /// change places are numbered in the order in which leaves refer to them.
    pub(super) fn finish(mut self, output: Flow) -> (ParamSpace, Vec<BatchNorm>) {
        self.units.fix(output.units);
        let mut space = ParamSpace::new();
        let mut numbers: Vec<(usize, usize)> = Vec::new();
        for mut leaf in self.leaves {
            let permuted = std::mem::take(&mut leaf.permuted);
            for (axis, set) in permuted {
                let Some((name, units)) = self.units.free(set) else { continue };
                let root = self.units.root(set);
                let known = numbers.iter().find(|&&(known, _)| known == root).map(|&(_, number)| number);
                let number = known.unwrap_or_else(|| {
                    let number = space.push_symmetry(Symmetry { name: name.to_owned(), units });
                    numbers.push((root, number));
                    number
                });
                leaf = leaf.permuted_by(axis, number);
            }
            space.push(leaf);
        }
        let of_norm = |(norm, set): (BatchNorm, usize)| {
            let root = self.units.root(set);
            let known = numbers.iter().find(|&&(known, _)| known == root);
            BatchNorm { permuted: known.map(|&(_, number)| number), ..norm }
        };
        let norms = self.norms.into_iter().map(of_norm).collect();
        (space, norms)
    }
}
