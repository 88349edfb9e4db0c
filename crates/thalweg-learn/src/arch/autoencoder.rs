//! Fully connected autoencoders.

use serde::{Deserialize, Serialize};

use super::layer::{Layer, LayerError, Linear, Sequence, Shape};
use super::{Activation, Network};
use crate::init::Init;

/// Linear layers down to a code and, through the same widths in reverse, up to as many outputs as inputs, with an activation
/// between them but none at the code and after the last (Hinton & Salakhutdinov 2006). Leaves as those of two `Sequential`s:
/// `encoder.0.weight`, `encoder.0.bias`, `encoder.2.weight`, …, `decoder.0.weight`, ….
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoencoderConfig {
    /// Units of each layer of the encoder, the code last; `[32, 8]` unless given.
    pub widths: Vec<usize>,
    /// The function between the layers; the sigmoid unless given.
    pub activation: Activation,
    /// Initial weights and biases; Glorot's normal ones unless given.
    pub init: Init,
}

impl Default for AutoencoderConfig {
    fn default() -> Self {
        let init = Init::Glorot { distribution: crate::init::Distribution::Normal };
        Self { widths: vec![32, 8], activation: Activation::Sigmoid, init }
    }
}

impl AutoencoderConfig {
    /// The network for inputs of that shape.
    ///
    /// # Errors
    /// No layer, or one without units.
    pub fn network(&self, input: Shape) -> Result<Network, LayerError> {
        let inputs = input.elements();
        if self.widths.is_empty() {
            return Err(LayerError::of_network("at least a code in the autoencoder's widths", "[]"));
        }
        let up: Vec<usize> = self.widths.iter().rev().skip(1).copied().chain([inputs]).collect();
        let layers = Sequence::named([
            ("flatten", Layer::Flatten),
            ("encoder", self.between(&self.widths).into()),
            ("decoder", self.between(&up).into()),
        ]);
        let widths: Vec<String> = self.widths.iter().map(usize::to_string).collect();
        let notes = format!("through {}, {}", widths.join("-"), self.activation.name());
        Network::new("autoencoder", &notes, input, inputs, layers)
    }

    /// Linear layers with the activation between them.
    fn between(&self, units: &[usize]) -> Sequence {
        let layers = units.iter().flat_map(|&units| [Linear::new(units).into(), self.activation.into()]);
        Sequence::numbered(layers.take(2 * units.len() - 1))
    }
}
