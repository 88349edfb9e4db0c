//! Conv-2, Conv-4 and Conv-6 of Frankle & Carbin 2019 (*The Lottery Ticket Hypothesis*, figure 2): VGG cut short.

use serde::{Deserialize, Serialize};

use super::layer::{Convolution, Layer, LayerError, Linear, Pool, PoolOf, Sequence, Shape};
use super::{Activation, Network};
use crate::init::Init;

/// Pairs of convolutions 3×3 that keep the size, each pair followed by a pool of the largest of 2×2; two hidden layers; outputs.
/// Channels are 64, 64, pool, 128, 128, pool, 256, 256, pool, of which Conv-2 has the first pair and Conv-4 the first two;
/// hidden layers are 256, 256. Leaves `conv1.weight`, `conv1.bias`, …, `fc1.weight`, … `fc3.bias`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConvConfig {
    /// Channels of the first pair; 64 unless given. The next pairs have twice and four times as many.
    pub width: usize,
    /// Units of each hidden layer; `[256, 256]` unless given.
    pub dense: Vec<usize>,
    /// The function between the layers; ReLU unless given.
    pub activation: Activation,
    /// Initial weights and biases; He's normal ones unless given (the paper's are Glorot's).
    pub init: Init,
}

impl Default for ConvConfig {
    fn default() -> Self {
        Self { width: 64, dense: vec![256, 256], activation: Activation::Relu, init: Init::default() }
    }
}

impl ConvConfig {
    /// The network with so many pairs of convolutions, for images of that shape and so many outputs.
    ///
    /// # Errors
    /// A layer without channels or units, inputs that are no image, or one that a window does not fit.
    pub fn network(&self, pairs: u32, input: Shape, outputs: usize) -> Result<Network, LayerError> {
        let mut layers: Vec<(String, Layer)> = Vec::new();
        let mut acts = 0;
        let mut push = |layers: &mut Vec<(String, Layer)>, name: String, layer: Layer| {
            acts += 1;
            layers.extend([(name, layer), (format!("act{acts}"), self.activation.into())]);
        };
        for pair in 0..pairs {
            let channels = self.width.saturating_mul(1 << pair);
            for number in [2 * pair + 1, 2 * pair + 2] {
                let convolution = Convolution::new(channels, 3).padded(1);
                push(&mut layers, format!("conv{number}"), convolution.into());
            }
            layers.push((format!("pool{}", pair + 1), Pool::new(PoolOf::Max, 2).into()));
        }
        layers.push(("flatten".to_owned(), Layer::Flatten));
        for (number, &units) in self.dense.iter().enumerate() {
            push(&mut layers, format!("fc{}", number + 1), Linear::new(units).into());
        }
        layers.push((format!("fc{}", self.dense.len() + 1), Linear::new(outputs).into()));
        let notes = format!("{}, width {}, dense {:?}", self.activation.name(), self.width, self.dense);
        Network::new(&format!("conv{}", 2 * pairs), &notes, input, outputs, Sequence::named(layers))
    }
}
