//! Blocks of residual networks: a few convolutions beside a shortcut, and an activation behind their sum.

use serde::{Deserialize, Serialize};
use thalweg_program::params::Start;

use super::Activation;
use super::image_norm::ImageNorm;
use super::layer::{
    Convolution, GlobalPool, Layer, LayerError, Linear, PoolOf, Residual, Scalar, Sequence, Subsample,
};

/// What keeps the signal of a residual network in bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResnetNorm {
    /// Batch norms (He et al. 2016).
    Batch,
    /// Group norms in their places.
    Group,
    /// No norms but Fixup (Zhang, Dauphin & Ma 2019): one trained bias before each convolution, activation and the outputs'
    /// layer, one trained factor in each block; the last convolution of each block and the outputs' layer begin at 0, and
    /// the other convolutions of a block of m among L blocks with what the rule of initial weights draws, divided by
    /// L^(1/(2m−2)).
    Fixup,
}

/// What goes past the convolutions of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortcut {
    /// The identity; where shapes change every second position, and channels of zeros: option A of He et al. 2016.
    Pad,
    /// The identity; where shapes change a convolution 1×1 and a norm: option B.
    Project,
    /// Nothing: the networks "without skip connections" of Li et al. 2018.
    None,
}

impl Shortcut {
    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pad => "pad",
            Self::Project => "project",
            Self::None => "none",
        }
    }
}

/// A convolution of a block: channels that come out, rows and columns of its window, stride.
pub(super) type Step = (usize, usize, usize);

/// What all blocks of a network have in common.
pub(super) struct Blocks {
    pub(super) norm: ResnetNorm,
    /// Groups of channels of a group norm.
    pub(super) groups: usize,
    pub(super) activation: Activation,
    pub(super) shortcut: Shortcut,
    /// What the leaves of a projection begin with.
    pub(super) shortcut_name: &'static str,
    /// How many blocks there are.
    pub(super) count: usize,
}

impl Blocks {
    /// Refuses what would be constant: without shortcuts, Fixup's zeros are in the only way.
    pub(super) fn validate(&self) -> Result<(), LayerError> {
        match (self.norm, self.shortcut) {
            (ResnetNorm::Fixup, Shortcut::None) => {
                Err(LayerError::of_network("shortcuts around blocks that fixup begins at 0", "shortcut none"))
            }
            _ => Ok(()),
        }
    }

    fn is_fixup(&self) -> bool {
        self.norm == ResnetNorm::Fixup
    }

    fn image_norm(&self) -> ImageNorm {
        match self.norm {
            ResnetNorm::Batch => ImageNorm::Batch,
            ResnetNorm::Group => ImageNorm::Group,
            ResnetNorm::Fixup => ImageNorm::None,
        }
    }

    /// In words: `relu, width 16, batch norm`.
    pub(super) fn note(&self, width: usize) -> String {
        let fixup = if self.is_fixup() { ", fixup" } else { "" };
        format!("{}, width {width}{}{fixup}", self.activation.name(), self.image_norm().note(self.groups))
    }

    /// What comes before the first block: `conv1`, `bn1` or Fixup's `bias1`, and an activation.
    pub(super) fn stem(&self, convolution: Convolution) -> Vec<(String, Layer)> {
        let norm = match self.image_norm().layer(self.groups) {
            Some(norm) => ("bn1".to_owned(), norm),
            None => ("bias1".to_owned(), Scalar::Bias.into()),
        };
        vec![
            ("conv1".to_owned(), convolution.unbiased().into()),
            norm,
            ("relu".to_owned(), self.activation.into()),
        ]
    }

    /// What comes after the last block: the mean over positions, Fixup's `bias2`, and the outputs under that name.
    pub(super) fn head(&self, name: &str, outputs: usize) -> Vec<(String, Layer)> {
        let mut layers = vec![("avgpool".to_owned(), GlobalPool { of: PoolOf::Average }.into())];
        let mut linear = Linear::new(outputs);
        if self.is_fixup() {
            layers.push(("bias2".to_owned(), Scalar::Bias.into()));
            linear.start = Start::Zero;
        }
        layers.push((name.to_owned(), linear.into()));
        layers
    }

    /// One block on so many channels. Leaves `conv1.weight`, `bn1.weight`, `bn1.bias`, `conv2.weight`, …; with Fixup
    /// `bias1a`, `conv1.weight`, `bias1b`, …, `scale`, and a last bias.
    pub(super) fn block(&self, inputs: usize, steps: &[Step]) -> Layer {
        let mut body = self.body(steps);
        let (outputs, ..) = steps[steps.len() - 1];
        let stride = steps.iter().map(|&(_, _, stride)| stride).product();
        let mut layers: Vec<(String, Layer)> = Vec::new();
        let mut shortcut = Sequence::default();
        if self.shortcut != Shortcut::None && (inputs != outputs || stride != 1) {
            if self.is_fixup() {
                // What is no identity sees the first bias too.
                layers.push(body.remove(0));
            }
            shortcut = self.change(outputs, stride);
        }
        let last = (format!("relu{}", steps.len()), self.activation.into());
        if self.shortcut == Shortcut::None {
            layers.extend(body);
        } else {
            let names = ["", self.shortcut_name];
            let sum = Residual { body: Sequence::named(body), shortcut, names };
            layers.push((String::new(), sum.into()));
        }
        layers.push(last);
        Sequence::named(layers).into()
    }

    /// The convolutions of a block with what stands between them.
    fn body(&self, steps: &[Step]) -> Vec<(String, Layer)> {
        let mut body: Vec<(String, Layer)> = Vec::new();
        for (number, &(channels, taps, stride)) in (1..).zip(steps) {
            let is_last = number == steps.len();
            let mut convolution =
                Convolution::new(channels, taps).padded(taps / 2).strided(stride).unbiased();
            if self.is_fixup() {
                body.push((format!("bias{number}a"), Scalar::Bias.into()));
                convolution.start = match is_last {
                    true => Start::Zero,
                    false => Start::Reduced { number: self.count, root: 2 * steps.len() - 2 },
                };
            }
            body.push((format!("conv{number}"), convolution.into()));
            if self.is_fixup() && is_last {
                body.push(("scale".to_owned(), Scalar::Factor.into()));
            }
            body.push(match self.image_norm().layer(self.groups) {
                Some(norm) => (format!("bn{number}"), norm),
                None => (format!("bias{number}b"), Scalar::Bias.into()),
            });
            if !is_last {
                body.push((format!("relu{number}"), self.activation.into()));
            }
        }
        body
    }

    /// A shortcut to another shape.
    fn change(&self, channels: usize, stride: usize) -> Sequence {
        if self.shortcut == Shortcut::Pad {
            return Sequence::named([("", Subsample { channels, stride }.into())]);
        }
        let convolution = Layer::from(Convolution::new(channels, 1).strided(stride).unbiased());
        match self.image_norm().layer(self.groups) {
            Some(norm) => Sequence::numbered([convolution, norm]),
            None => Sequence::named([("", convolution)]),
        }
    }
}
