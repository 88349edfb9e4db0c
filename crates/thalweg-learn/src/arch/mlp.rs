//! Multilayer perceptrons.

use thalweg_program::builder::Var;
use thalweg_program::params::{Leaf, ParamSpace, Role, Symmetry};

use super::layer::EPS;
use super::{Activation, Architecture, Pass};

/// A multilayer perceptron: linear layers with an activation between them, and none after the last.
///
/// Leaves as PyTorch has them in a `ModuleList` of `Linear` and one of `LayerNorm`: `layers.0.weight [out, in]`,
/// `layers.0.bias [out]`, `norms.0.weight [out]`, `norms.0.bias [out]`, … A layer norm stands between a hidden
/// linear layer and its activation, over the layer's units, with the biased variance and ε = 10⁻⁵.
#[derive(Clone, Debug)]
pub struct Mlp {
    sizes: Vec<usize>,
    activation: Activation,
    bias: bool,
    layer_norm: bool,
    space: ParamSpace,
}

/// Sizes that make no perceptron.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "model: expected every layer to have at least 1 unit, found {found:?} (inputs, hidden widths, outputs)"
)]
pub struct MlpError {
    /// The sizes given.
    pub found: Vec<usize>,
}

impl Mlp {
    /// From the numbers of inputs, of units in each hidden layer (none: a linear map), and of outputs.
    ///
    /// # Errors
    /// If a layer has no unit.
    pub fn new(
        inputs: usize,
        widths: &[usize],
        outputs: usize,
        activation: Activation,
        bias: bool,
        layer_norm: bool,
    ) -> Result<Self, MlpError> {
        let sizes = [&[inputs], widths, &[outputs]].concat();
        if sizes.contains(&0) {
            return Err(MlpError { found: sizes });
        }
        let space = space(&sizes, bias, layer_norm);
        Ok(Self { sizes, activation, bias, layer_norm, space })
    }
}

fn space(sizes: &[usize], bias: bool, layer_norm: bool) -> ParamSpace {
    let mut space = ParamSpace::new();
    let hidden: Vec<usize> = sizes[1..sizes.len() - 1]
        .iter()
        .enumerate()
        .map(|(layer, &units)| space.push_symmetry(Symmetry { name: format!("hidden {layer}"), units }))
        .collect();
    for (layer, pair) in sizes.windows(2).enumerate() {
        let own = hidden.get(layer).copied();
        let place = |leaf: Leaf| {
            let leaf = leaf.in_layer(layer);
            own.into_iter().fold(leaf, |leaf, symmetry| leaf.permuted_by(0, symmetry))
        };
        let weight = place(Leaf::new(&format!("layers.{layer}.weight"), &[pair[1], pair[0]], Role::Weight));
        let before = layer.checked_sub(1).map(|before| hidden[before]);
        space.push(before.into_iter().fold(weight, |leaf, symmetry| leaf.permuted_by(1, symmetry)));
        let vector = |name: &str, role| {
            let leaf = place(Leaf::new(&format!("{name}.{layer}.{}", vector_name(role)), &[pair[1]], role));
            Leaf { fan_in: pair[0], fan_out: pair[1], ..leaf }
        };
        if bias {
            space.push(vector("layers", Role::Bias));
        }
        if layer_norm && own.is_some() {
            space.push(vector("norms", Role::Scale));
            space.push(vector("norms", Role::Shift));
        }
    }
    space
}

fn vector_name(role: Role) -> &'static str {
    if role == Role::Scale { "weight" } else { "bias" }
}

impl Architecture for Mlp {
    fn space(&self) -> &ParamSpace {
        &self.space
    }

    fn inputs(&self) -> usize {
        self.sizes[0]
    }

    fn outputs(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }

    fn describe(&self) -> String {
        let sizes: Vec<String> = self.sizes.iter().map(usize::to_string).collect();
        let bias = if self.bias { "" } else { ", no bias" };
        let norm = if self.layer_norm { ", layer norm" } else { "" };
        format!("mlp {} {}{bias}{norm}", sizes.join("-"), self.activation.name())
    }

    fn write<'b>(&self, params: &[Var<'b>], _pass: &mut Pass<'b>, x: Var<'b>) -> Var<'b> {
        let mut params = params.iter().copied();
        let mut next = || params.next().expect("one variable a leaf");
        let last = self.sizes.len() - 2;
        let mut h = x;
        for layer in 0..=last {
            if layer == last {
                // Outputs of many examples lie side by side in memory: losses reduce over the few outputs of each
                // example, which as the innermost axis would be too short for vectors.
                h = h.builder().einsum("bi,oi->ob", h, next());
                if self.bias {
                    h = h + next().reshape(&[self.outputs(), 1]);
                }
                h = h.permute(&[1, 0]);
            } else {
                h = h.builder().einsum("bi,oi->bo", h, next());
                if self.bias {
                    h = h + next();
                }

                if self.layer_norm {
                    h = h.standardised(&[1], EPS) * next() + next();
                }
                h = self.activation.write(h);
            }
        }
        h
    }
}
