//! Linear maps, in one layer or in several.

use serde::{Deserialize, Serialize};

use super::Network;
use super::layer::{Layer, LayerError, Linear, Sequence, Shape};
use crate::init::Init;

/// Linear layers one after another: one linear map, with the landscape of a product of matrices (Saxe et al. 2014). Leaves
/// `layers.0.weight [out, in]`, `layers.0.bias [out]`, … as a perceptron's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinearConfig {
    /// Units of each hidden layer; none unless given, which is softmax regression or least squares.
    pub widths: Vec<usize>,
    /// Whether the layers have biases; they do unless said otherwise.
    pub bias: bool,
    /// Initial weights and biases; LeCun's normal ones unless given.
    pub init: Init,
}

impl Default for LinearConfig {
    fn default() -> Self {
        let init = Init::Lecun { distribution: crate::init::Distribution::Normal };
        Self { widths: Vec::new(), bias: true, init }
    }
}

impl LinearConfig {
    /// The network for inputs of that shape and so many outputs.
    ///
    /// # Errors
    /// A layer without units.
    pub fn network(&self, input: Shape, outputs: usize) -> Result<Network, LayerError> {
        let units = self.widths.iter().copied().chain([outputs]);
        let layers = units.map(|units| Layer::from(Linear { bias: self.bias, ..Linear::new(units) }));
        let layers =
            Sequence::named([("flatten", Layer::Flatten), ("layers", Sequence::numbered(layers).into())]);
        let widths: Vec<String> = self.widths.iter().map(usize::to_string).collect();
        let hidden = if widths.is_empty() { String::new() } else { format!("through {}", widths.join("-")) };
        let bias = if self.bias { "" } else { ", no bias" };
        let notes = format!("{hidden}{bias}");
        Network::new("linear", notes.trim_start_matches(", "), input, outputs, layers)
    }
}
