//! The residual networks of He et al. 2016 for large images (table 1), as torchvision has them.

use serde::{Deserialize, Serialize};

use super::blocks::{Blocks, ResnetNorm, Shortcut, Step};
use super::layer::{Convolution, Layer, LayerError, Padding, Pool, PoolOf, Sequence, Shape, Sliding};
use super::{Activation, Network};
use crate::init::Init;

/// A stem, four stages of blocks of 64, 128, 256 and 512 channels (of ResNet-50 four times as many come out), the mean over
/// positions and a linear layer. The second to fourth stage begin with stride 2, which lies in a block's convolution 3×3.
/// Shortcuts are projections where shapes change.
///
/// Leaves are named as in torchvision: `conv1.weight`, `bn1.weight`, …, `layer1.0.conv1.weight`, …,
/// `layer2.0.downsample.0.weight`, …, `fc.bias`; those of Fixup as in its authors' code: `bias1`, `layer1.0.bias1a`, …,
/// `layer1.0.scale`, `layer2.0.downsample.weight`, `bias2`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResnetConfig {
    /// What comes before the first stage; that for small images unless given.
    pub stem: Stem,
    /// Channels of the first stage's convolutions 3×3; 64 unless given. The next ones have 2, 4 and 8 times as many.
    pub width: usize,
    /// What keeps the signal in bounds; batch norms unless given.
    pub norm: ResnetNorm,
    /// Groups of channels of a group norm; 32 unless given. No effect without.
    pub groups: usize,
    /// The function between the layers; ReLU unless given.
    pub activation: Activation,
    /// Initial weights and biases; He's normal ones unless given.
    pub init: Init,
}

/// What comes before the first stage of a residual network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stem {
    /// A convolution 3×3 at stride 1: for images of 32×32.
    Small,
    /// A convolution 7×7 at stride 2 and a pool of the largest of 3×3 at stride 2: for larger images, as published.
    Large,
}

/// Which network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResnetDepth {
    /// Eight blocks of two convolutions 3×3.
    Resnet18,
    /// Sixteen bottlenecks: convolutions 1×1, 3×3 and 1×1.
    Resnet50,
}

impl ResnetDepth {
    fn name(self) -> &'static str {
        match self {
            Self::Resnet18 => "resnet18",
            Self::Resnet50 => "resnet50",
        }
    }

    /// Blocks of each stage.
    fn blocks(self) -> [usize; 4] {
        match self {
            Self::Resnet18 => [2, 2, 2, 2],
            Self::Resnet50 => [3, 4, 6, 3],
        }
    }

    /// The convolutions of a block.
    fn steps(self, width: usize, stride: usize) -> Vec<Step> {
        match self {
            Self::Resnet18 => vec![(width, 3, stride), (width, 3, 1)],
            Self::Resnet50 => vec![(width, 1, 1), (width, 3, stride), (width.saturating_mul(4), 1, 1)],
        }
    }
}

impl Default for ResnetConfig {
    fn default() -> Self {
        Self {
            stem: Stem::Small,
            width: 64,
            norm: ResnetNorm::Batch,
            groups: 32,
            activation: Activation::Relu,
            init: Init::default(),
        }
    }
}

impl ResnetConfig {
    /// The network for images of that shape and so many outputs.
    ///
    /// # Errors
    /// A layer without channels, groups that do not divide them, or inputs that are no image.
    pub fn network(&self, depth: ResnetDepth, input: Shape, outputs: usize) -> Result<Network, LayerError> {
        let Self { norm, groups, activation, .. } = *self;
        let (shortcut, shortcut_name) = (Shortcut::Project, "downsample");
        let count = depth.blocks().iter().sum();
        let parts = Blocks { norm, groups, activation, shortcut, shortcut_name, count };
        let mut layers = match self.stem {
            Stem::Small => parts.stem(Convolution::new(self.width, 3).padded(1)),
            Stem::Large => parts.stem(Convolution::new(self.width, 7).padded(3).strided(2)),
        };
        if self.stem == Stem::Large {
            let window = Sliding { padding: Padding::Each([1, 1]), ..Sliding::new([3, 3], [2, 2]) };
            layers.push(("maxpool".to_owned(), Pool { of: PoolOf::Max, window }.into()));
        }
        let mut channels = self.width;
        for (stage, blocks) in depth.blocks().into_iter().enumerate() {
            let width = self.width.saturating_mul(1 << stage);
            let mut stage_blocks: Vec<Layer> = Vec::new();
            for block in 0..blocks {
                let steps = depth.steps(width, if stage > 0 && block == 0 { 2 } else { 1 });
                stage_blocks.push(parts.block(channels, &steps));
                (channels, ..) = steps[steps.len() - 1];
            }
            layers.push((format!("layer{}", stage + 1), Sequence::numbered(stage_blocks).into()));
        }
        layers.extend(parts.head("fc", outputs));
        let stem = match self.stem {
            Stem::Small => "small",
            Stem::Large => "large",
        };
        let notes = format!("{}, {stem} stem", parts.note(self.width));
        Network::new(depth.name(), &notes, input, outputs, Sequence::named(layers))
    }
}
