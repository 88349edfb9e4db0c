//! Wide residual networks (Zagoruyko & Komodakis 2016).

use serde::{Deserialize, Serialize};

use super::image_norm::ImageNorm;
use super::layer::{
    Convolution, Dropout, GlobalPool, Layer, LayerError, Linear, PoolOf, Residual, Sequence, Shape, notes,
    probability,
};
use super::{Activation, Network};
use crate::init::Init;

/// Channels of the first convolution, which no factor widens.
const STEM: usize = 16;

/// Layers beyond which a network takes longer to compile than anyone waits.
const DEPTH_MAX: usize = 1000;

/// A convolution 3×3 to 16 channels, three stages of n blocks of two convolutions 3×3 each, a norm, an activation, the mean over
/// positions and a linear layer: 6n + 4 layers with the three shortcuts' convolutions,
/// which the paper counts (and which are two at `widen` 1). Stages have 16, 32 and 64 channels times the factor
/// `widen`, and the second and third begin with stride 2. In a block norm and activation come before each convolution. Where
/// channels change the shortcut is a convolution 1×1 of what the first activation hands on.
///
/// Leaves are named as in xternalz's `WideResNet-pytorch`: `conv1.weight`, `block1.layer.0.bn1.weight`, …,
/// `block1.layer.0.conv1.weight`, …, `block1.layer.0.convShortcut.weight`, …, `bn1.bias`, `fc.weight`, `fc.bias`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WideResnetConfig {
    /// 6n + 4; 28 unless given.
    pub depth: usize,
    /// Factor of the channels of all stages; 10 unless given.
    pub widen: usize,
    /// What comes before each activation; batch norms unless given.
    pub norm: ImageNorm,
    /// Groups of channels of a group norm; 8 unless given. No effect without.
    pub groups: usize,
    /// The function before the convolutions; ReLU unless given.
    pub activation: Activation,
    /// How probable it is in training that a number between the two convolutions of a block is dropped, behind the activation;
    /// 0 unless given, 0.3 or 0.4 in the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// Initial weights and biases; He's normal ones unless given.
    pub init: Init,
}

impl Default for WideResnetConfig {
    fn default() -> Self {
        Self {
            depth: 28,
            widen: 10,
            norm: ImageNorm::Batch,
            groups: 8,
            activation: Activation::Relu,
            dropout: None,
            init: Init::default(),
        }
    }
}

impl WideResnetConfig {
    /// The network for images of that shape and so many outputs.
    ///
    /// # Errors
    /// Another depth than 6n + 4, a layer without channels, groups that do not divide them, inputs that are no image, or a
    /// probability outside [0, 1).
    pub fn network(&self, input: Shape, outputs: usize) -> Result<Network, LayerError> {
        let Self { depth, widen, .. } = *self;
        if depth < 10 || depth % 6 != 4 || depth > DEPTH_MAX {
            let expected = "a depth of 6n + 4 for a number n of blocks from 1 on, at most 1000";
            return Err(LayerError::of_network(expected, depth.to_string()));
        }
        let dropout = probability("dropout", self.dropout)?;
        let mut layers = vec![("conv1".to_owned(), Convolution::new(STEM, 3).padded(1).unbiased().into())];
        let mut channels = STEM;
        for stage in 0..3 {
            let width = widen.saturating_mul(STEM << stage);
            let mut blocks: Vec<Layer> = Vec::new();
            for block in 0..(depth - 4) / 6 {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                blocks.push(self.block(channels, width, stride, dropout));
                channels = width;
            }
            let blocks = Sequence::named([("layer", Sequence::numbered(blocks).into())]);
            layers.push((format!("block{}", stage + 1), blocks.into()));
        }
        layers.extend(self.activated("1"));
        layers.push(("avgpool".to_owned(), GlobalPool { of: PoolOf::Average }.into()));
        layers.push(("fc".to_owned(), Linear::new(outputs).into()));
        let norm = self.norm.note(self.groups);
        let dropout = notes(&[("dropout", dropout)]);
        let notes = format!("{}, depth {depth}, widen {widen}{norm}{dropout}", self.activation.name());
        Network::new("wide_resnet", &notes, input, outputs, Sequence::named(layers))
    }

    /// A norm, if there is one, and an activation.
    fn activated(&self, number: &str) -> Vec<(String, Layer)> {
        let norm = self.norm.layer(self.groups).map(|norm| (format!("bn{number}"), norm));
        norm.into_iter().chain([(format!("relu{number}"), self.activation.into())]).collect()
    }

    fn block(&self, inputs: usize, channels: usize, stride: usize, dropout: f64) -> Layer {
        let convolution = |stride| Convolution::new(channels, 3).padded(1).strided(stride).unbiased();
        let mut first = self.activated("1");
        let mut body = vec![("conv1".to_owned(), convolution(stride).into())];
        body.extend(self.activated("2"));
        if dropout > 0.0 {
            body.push(("dropout".to_owned(), Dropout { probability: dropout }.into()));
        }
        body.push(("conv2".to_owned(), convolution(1).into()));
        // The identity goes past the first activation, a convolution comes after it.
        let mut shortcut = Sequence::default();
        if inputs == channels && stride == 1 {
            body.splice(..0, first.drain(..));
        } else {
            let convolution = Convolution::new(channels, 1).strided(stride).unbiased();
            shortcut = Sequence::named([("convShortcut", convolution.into())]);
        }
        let sum = Residual { body: Sequence::named(body), shortcut, names: ["", ""] };
        first.push((String::new(), sum.into()));
        Sequence::named(first).into()
    }
}
