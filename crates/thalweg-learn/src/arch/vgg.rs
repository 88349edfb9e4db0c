//! VGG (Simonyan & Zisserman 2015) as it is used on images of 32×32.

use serde::{Deserialize, Serialize};

use super::layer::{Convolution, Layer, LayerError, Linear, Pool, PoolOf, Sequence, Shape};
use super::{Activation, ImageNorm, Network};
use crate::init::Init;

/// Five stages of convolutions 3×3 that keep the size, each stage followed by a pool of the largest of 2×2, and one linear
/// layer. Channels are 64, 128, 256, 512, 512. Leaves as those of a `Sequential` named `features` (convolution, norm if there
/// is one, activation, …, pool, …) and a `Linear` named `classifier`: `features.0.weight`, …, `classifier.bias`.
///
/// Images of 32×32 come to 1×1 positions; smaller ones do not fit. The paper's networks are for 224×224 and end in three
/// linear layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VggConfig {
    /// Channels of the first stage; 64 unless given. The next ones have 2, 4, 8 and 8 times as many.
    pub width: usize,
    /// What stands between a convolution and its activation; nothing, as published, unless given.
    pub norm: ImageNorm,
    /// Groups of channels of a group norm; 32 unless given. No effect without.
    pub groups: usize,
    /// The function between the layers; ReLU unless given.
    pub activation: Activation,
    /// Initial weights and biases; He's normal ones unless given.
    pub init: Init,
}

/// How many convolutions there are in all, with the linear layer: table 1 of the paper, columns A, B, D and E (less the two
/// linear layers that are not here).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VggDepth {
    /// A
    Vgg11,
    /// B
    Vgg13,
    /// D
    Vgg16,
    /// E
    Vgg19,
}

impl VggDepth {
    fn name(self) -> &'static str {
        match self {
            Self::Vgg11 => "vgg11",
            Self::Vgg13 => "vgg13",
            Self::Vgg16 => "vgg16",
            Self::Vgg19 => "vgg19",
        }
    }

    /// Convolutions of each stage.
    fn convolutions(self) -> [usize; 5] {
        match self {
            Self::Vgg11 => [1, 1, 2, 2, 2],
            Self::Vgg13 => [2, 2, 2, 2, 2],
            Self::Vgg16 => [2, 2, 3, 3, 3],
            Self::Vgg19 => [2, 2, 4, 4, 4],
        }
    }
}

impl Default for VggConfig {
    fn default() -> Self {
        Self {
            width: 64,
            norm: ImageNorm::None,
            groups: 32,
            activation: Activation::Relu,
            init: Init::default(),
        }
    }
}

impl VggConfig {
    /// The network for images of that shape and so many outputs.
    ///
    /// # Errors
    /// A layer without channels, groups that do not divide them, inputs that are no image, or one that a window does not
    /// fit.
    pub fn network(&self, depth: VggDepth, input: Shape, outputs: usize) -> Result<Network, LayerError> {
        let mut features: Vec<Layer> = Vec::new();
        for (convolutions, multiple) in depth.convolutions().into_iter().zip([1, 2, 4, 8, 8]) {
            for _ in 0..convolutions {
                let channels = self.width.saturating_mul(multiple);
                features.push(Convolution::new(channels, 3).padded(1).into());
                features.extend(self.norm.layer(self.groups));
                features.push(self.activation.into());
            }
            features.push(Pool::new(PoolOf::Max, 2).into());
        }
        let layers = Sequence::named([
            ("features", Sequence::numbered(features).into()),
            ("flatten", Layer::Flatten),
            ("classifier", Linear::new(outputs).into()),
        ]);
        let norm = self.norm.note(self.groups);
        let notes = format!("{}, width {}{norm}", self.activation.name(), self.width);
        Network::new(depth.name(), &notes, input, outputs, layers)
    }
}
