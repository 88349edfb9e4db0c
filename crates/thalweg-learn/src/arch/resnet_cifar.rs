//! The residual networks of He et al. 2016 for images of 32×32 (section 4.2).

use serde::{Deserialize, Serialize};

use super::blocks::{Blocks, ResnetNorm, Shortcut};
use super::layer::{Convolution, Layer, LayerError, Sequence, Shape};
use super::{Activation, Network};
use crate::init::Init;

/// A convolution 3×3, three stages of n blocks of two convolutions 3×3 each, the mean over positions and a linear layer:
/// 6n + 2 layers. Stages have 16, 32 and 64 channels, and the second and third begin with stride 2.
///
/// Leaves are named as in akamaster's `pytorch_resnet_cifar10`: `conv1.weight`, `bn1.weight`, …, `layer1.0.conv1.weight`,
/// …, `layer2.0.shortcut.0.weight` (of a projection), …, `linear.bias`; those of Fixup as in its authors' code:
/// `bias1`, `layer1.0.bias1a`, …, `layer1.0.scale`, `bias2`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResnetCifarConfig {
    /// Channels of the first stage; 16 unless given. The next ones have twice and four times as many.
    pub width: usize,
    /// What keeps the signal in bounds; batch norms unless given.
    pub norm: ResnetNorm,
    /// Groups of channels of a group norm; 8 unless given. No effect without.
    pub groups: usize,
    /// What goes past the convolutions of a block; the paper's option A unless given.
    pub shortcut: Shortcut,
    /// The function between the layers; ReLU unless given.
    pub activation: Activation,
    /// Initial weights and biases; He's normal ones unless given.
    pub init: Init,
}

impl Default for ResnetCifarConfig {
    fn default() -> Self {
        Self {
            width: 16,
            norm: ResnetNorm::Batch,
            groups: 8,
            shortcut: Shortcut::Pad,
            activation: Activation::Relu,
            init: Init::default(),
        }
    }
}

impl ResnetCifarConfig {
    /// The network of 6n + 2 layers for images of that shape and so many outputs, n being `blocks`.
    ///
    /// # Errors
    /// A layer without channels, groups that do not divide them, inputs that are no image, or Fixup without shortcuts.
    pub fn network(&self, blocks: usize, input: Shape, outputs: usize) -> Result<Network, LayerError> {
        let Self { norm, groups, activation, shortcut, .. } = *self;
        let shortcut_name = "shortcut";
        let parts = Blocks { norm, groups, activation, shortcut, shortcut_name, count: 3 * blocks };
        parts.validate()?;
        let mut layers = parts.stem(Convolution::new(self.width, 3).padded(1));
        let mut channels = self.width;
        for stage in 0..3 {
            let width = self.width.saturating_mul(1 << stage);
            let mut stage_blocks: Vec<Layer> = Vec::new();
            for block in 0..blocks {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                stage_blocks.push(parts.block(channels, &[(width, 3, stride), (width, 3, 1)]));
                channels = width;
            }
            layers.push((format!("layer{}", stage + 1), Sequence::numbered(stage_blocks).into()));
        }
        layers.extend(parts.head("linear", outputs));
        let kind = format!("resnet{}", 6 * blocks + 2);
        let notes = format!("{}, shortcut {}", parts.note(self.width), shortcut.name());
        Network::new(&kind, &notes, input, outputs, Sequence::named(layers))
    }
}
