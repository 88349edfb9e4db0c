//! Networks made of layers.

use thalweg_program::builder::Var;
use thalweg_program::params::ParamSpace;

use super::layer::{LayerError, Sequence, Shape};
use super::{Architecture, BatchNorm, Pass};

/// Layers that fit one another, from inputs of one shape to so many outputs.
#[derive(Clone, Debug)]
pub struct Network {
    description: String,
    layers: Sequence,
    input: Shape,
    outputs: usize,
    space: ParamSpace,
    norms: Vec<BatchNorm>,
}

impl Network {
    /// From its layers. It is described as `kind 1×28×28-10 notes`; notes that leave nothing open that the shapes do.
    ///
    /// # Errors
    /// No layer, an input without elements, a layer that does not fit, or a last one that does not make `outputs`
    /// features.
    pub fn new(
        kind: &str,
        notes: &str,
        input: Shape,
        outputs: usize,
        layers: Sequence,
    ) -> Result<Self, LayerError> {
        let Some((name, last)) = layers.layers().last() else {
            return Err(LayerError::of_network("at least 1 layer", "none"));
        };
        if input.elements() == 0 || outputs == 0 {
            let expected = "at least 1 input and 1 output";
            return Err(LayerError::of_network(expected, format!("inputs {input}, outputs {outputs}")));
        }
        let (space, norms, output) = layers.space(input)?;
        if output != Shape::Features(outputs) {
            let (path, text) = (name.clone(), last.to_string());
            let expected = format!("the network to end in {outputs} features");
            let found = match output {
                Shape::Features(features) => format!("{features}"),
                Shape::Image { .. } => format!("an image of {output}"),
            };
            return Err(LayerError { path, text, expected, found });
        }
        let description = format!("{kind} {input}-{outputs} {notes}").trim_end().to_owned();
        Ok(Self { description, layers, input, outputs, space, norms })
    }

    /// Its layers.
    pub fn layers(&self) -> &Sequence {
        &self.layers
    }
}

impl Architecture for Network {
    fn space(&self) -> &ParamSpace {
        &self.space
    }

    fn norms(&self) -> &[BatchNorm] {
        &self.norms
    }

    fn draws(&self) -> bool {
        self.layers.draws()
    }

    fn inputs(&self) -> usize {
        self.input.elements()
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn describe(&self) -> String {
        self.description.clone()
    }

    fn write<'b>(&self, params: &[Var<'b>], pass: &mut Pass<'b>, x: Var<'b>) -> Var<'b> {
        self.layers.write_network(params, pass, self.input, x)
    }
}
