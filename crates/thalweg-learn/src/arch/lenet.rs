//! The networks of LeCun et al. 1998 as they are used now.

use serde::{Deserialize, Serialize};

use super::layer::{Convolution, Layer, LayerError, Linear, Pool, PoolOf, Sequence, Shape};
use super::{Activation, Network};
use crate::init::Init;

/// LeNet-300-100: two hidden layers of 300 and 100 units. Leaves `fc1.weight`, `fc1.bias`, … `fc3.bias`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lenet300100Config {
    /// The function between the layers; ReLU unless given.
    pub activation: Activation,
    /// Initial weights and biases; He's normal ones unless given.
    pub init: Init,
}

/// LeNet-5 as PyTorch's tutorials have it: `conv1` 6 channels 5×5 with padding 2, pool 2, `conv2` 16 channels 5×5, pool 2,
/// `fc1` 120, `fc2` 84, `fc3`. On 28×28 pixels `fc1` sees 16·5·5 features; from other sizes follow other numbers, and below
/// 12×12 the second convolution or pool does not fit.
///
/// That of the paper had sums of few channels in `conv2`, trained factors in its pools and radial outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lenet5Config {
    /// The function between the layers; ReLU unless given.
    pub activation: Activation,
    /// What a pool makes of a window; the largest number unless given.
    pub pool: PoolOf,
    /// Initial weights and biases; He's normal ones unless given.
    pub init: Init,
}

impl Default for Lenet300100Config {
    fn default() -> Self {
        Self { activation: Activation::Relu, init: Init::default() }
    }
}

impl Default for Lenet5Config {
    fn default() -> Self {
        Self { activation: Activation::Relu, pool: PoolOf::Max, init: Init::default() }
    }
}

impl Lenet300100Config {
    /// The network for inputs of that shape and so many outputs.
    ///
    /// # Errors
    /// No input or no output.
    pub fn network(&self, input: Shape, outputs: usize) -> Result<Network, LayerError> {
        let layers = Sequence::named([
            ("flatten", Layer::Flatten),
            ("fc1", Linear::new(300).into()),
            ("act1", self.activation.into()),
            ("fc2", Linear::new(100).into()),
            ("act2", self.activation.into()),
            ("fc3", Linear::new(outputs).into()),
        ]);
        Network::new("lenet_300_100", self.activation.name(), input, outputs, layers)
    }
}

impl Lenet5Config {
    /// The network for images of that shape and so many outputs.
    ///
    /// # Errors
    /// Inputs that are no image, or one that a window does not fit.
    pub fn network(&self, input: Shape, outputs: usize) -> Result<Network, LayerError> {
        let (act, pool) = (|| Layer::from(self.activation), || Layer::from(Pool::new(self.pool, 2)));
        let layers = Sequence::named([
            ("conv1", Convolution::new(6, 5).padded(2).into()),
            ("act1", act()),
            ("pool1", pool()),
            ("conv2", Convolution::new(16, 5).into()),
            ("act2", act()),
            ("pool2", pool()),
            ("flatten", Layer::Flatten),
            ("fc1", Linear::new(120).into()),
            ("act3", act()),
            ("fc2", Linear::new(84).into()),
            ("act4", act()),
            ("fc3", Linear::new(outputs).into()),
        ]);
        let notes = format!("{}, {} pool", self.activation.name(), self.pool.name());
        Network::new("lenet5", &notes, input, outputs, layers)
    }
}
