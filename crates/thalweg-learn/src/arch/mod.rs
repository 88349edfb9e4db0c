//! Networks: one file an architecture.
//!
//! An architecture is a function that writes a program through a builder, and the names, shapes and roles of its
//! parameters, which are PyTorch's. Most are trees of [layers](layer), checked for the shape of the inputs and made into a
//! [`Network`]. To add one, write its file, list it here, and give it a kind in `config.rs`.

mod activation;
mod autoencoder;
mod blocks;
mod config;
mod conv;
mod gpt;
mod image_norm;
pub mod layer;
mod leaves;
mod lenet;
mod linear;
mod list;
mod mlp;
mod network;
mod pass;
mod recurrent;
mod resnet;
mod resnet_cifar;
mod statistics;
mod transformer;
mod vgg;
mod vit;
mod wide_resnet;

use thalweg_kernel::{Key, Real};
use thalweg_program::builder::Var;
use thalweg_program::params::{ParamSpace, Role, Start};

pub use activation::Activation;
pub use autoencoder::AutoencoderConfig;
pub use blocks::{ResnetNorm, Shortcut};
pub use config::{MlpConfig, ModelConfig, ModelError};
pub use conv::ConvConfig;
pub use gpt::{Gpt, GptConfig};
pub use image_norm::ImageNorm;
pub use lenet::{Lenet5Config, Lenet300100Config};
pub use linear::LinearConfig;
pub use list::{LayerConfig, LayersConfig, ResidualConfig};
pub use mlp::{Mlp, MlpError};
pub use network::Network;
pub use pass::Pass;
pub use recurrent::{Cell, Recurrent, RecurrentConfig};
pub use resnet::{ResnetConfig, ResnetDepth, Stem};
pub use resnet_cifar::ResnetCifarConfig;
pub use statistics::{BatchNorm, Statistics, statistics_arrays, statistics_len};
pub use vgg::{VggConfig, VggDepth};
pub use vit::{Vit, VitConfig};
pub use wide_resnet::WideResnetConfig;

use crate::init::{Fans, Init};

/// A network: where its parameters lie, and the program that it is.
pub trait Architecture: Send + Sync {
    /// The parameters.
    fn space(&self) -> &ParamSpace;

    /// The batch norms, in the order in which the program takes their statistics.
    fn norms(&self) -> &[BatchNorm] {
        &[]
    }

    /// Whether it drops anything in training mode, for which examples then bring keys.
    fn draws(&self) -> bool {
        false
    }

    /// Elements of one example's input.
    fn inputs(&self) -> usize;

    /// Elements of one example's output.
    fn outputs(&self) -> usize;

    /// Labels of one example, each of which the network has as many outputs for as there are classes: outputs are
    /// `[examples, positions × classes]`. 1 unless a network answers at every position of a sequence.
    fn positions(&self) -> usize {
        1
    }

    /// In words, such as `mlp 64-64-64-10 relu`: what a checkpoint bears.
    fn describe(&self) -> String;

    /// Writes the network: inputs `[examples, inputs]`, images with their numbers in PyTorch's order `[channels, height,
    /// width]`, to outputs
    /// `[examples, outputs]`, with one variable for each leaf of the parameter space, in order. Batch norms take their
    /// statistics from the `pass`, and dropout its numbers.
    fn write<'b>(&self, params: &[Var<'b>], pass: &mut Pass<'b>, x: Var<'b>) -> Var<'b>;
}

/// Initial parameters. Each leaf is drawn under its own name, so its values do not depend on what other leaves there
/// are. Scales are 1, shifts 0. Leaves with a [`Start`] of their own follow that.
pub fn initial_parameters<T: Real>(space: &ParamSpace, init: &Init, key: Key) -> Vec<T> {
    let mut theta = vec![T::ZERO; space.dimension()];
    for leaf in space.leaves() {
        let values = &mut theta[leaf.range()];
        let fans = Fans { fan_in: leaf.fan_in, fan_out: leaf.fan_out };
        match leaf.role {
            Role::Weight | Role::Embedding => init.fill_weight(values, fans, key.named(&leaf.name)),
            Role::Bias => init.fill_bias(values, fans, key.named(&leaf.name)),
            Role::Scale => values.fill(T::ONE),
            Role::Shift => values.fill(T::ZERO),
        }
        match leaf.start {
            Start::Usual => {}
            Start::Reduced { number, root } => {
                let divisor = libm::pow(number as f64, 1.0 / root as f64);
                values.iter_mut().for_each(|x| *x = T::from_f64(x.to_f64() / divisor));
            }
            Start::Zero => values.fill(T::ZERO),
        }
    }
    theta
}
