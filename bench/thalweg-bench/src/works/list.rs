//! All works there are.

use super::bare::{Bare, Map};
use super::{Kind, Subject, Work};
use crate::network::{GPT, LENET5, LSTM, MLP_64, MLP_784, MLP_DIGITS, Network, RESNET20, VGG11, VIT};
use crate::problem::Source;

/// All works.
pub(crate) const WORKS: [Work; 35] = [
    on_batch("step_784", MLP_784, Kind::Step),
    Work { name: "step_64", subject: Subject::Loss(MLP_64, Source::Drawn(32), Kind::Step) },
    on_batch("gradient_784", MLP_784, Kind::Gradient),
    on_batch("hvp_784", MLP_784, Kind::HessianProducts(1)),
    on_batch("hvp8_784", MLP_784, Kind::HessianProducts(8)),
    on_batch("ggn_784", MLP_784, Kind::GgnProduct),
    Work { name: "line_51", subject: Subject::Loss(MLP_DIGITS, Source::Digits, Kind::Line) },
    on_batch("step_lenet5", LENET5, Kind::Step),
    on_batch("gradient_lenet5", LENET5, Kind::Gradient),
    on_batch("hvp_lenet5", LENET5, Kind::HessianProducts(1)),
    on_batch("step_vgg11", VGG11, Kind::Step),
    on_batch("gradient_vgg11", VGG11, Kind::Gradient),
    on_batch("hvp_vgg11", VGG11, Kind::HessianProducts(1)),
    on_batch("step_resnet20", RESNET20, Kind::Step),
    on_batch("gradient_resnet20", RESNET20, Kind::Gradient),
    on_batch("hvp_resnet20", RESNET20, Kind::HessianProducts(1)),
    on_batch("step_vit", VIT, Kind::Step),
    on_batch("gradient_vit", VIT, Kind::Gradient),
    on_batch("hvp_vit", VIT, Kind::HessianProducts(1)),
    on_batch("step_lstm", LSTM, Kind::Step),
    on_batch("gradient_lstm", LSTM, Kind::Gradient),
    on_batch("hvp_lstm", LSTM, Kind::HessianProducts(1)),
    on_sequences("step_gpt", GPT, Kind::Step),
    on_sequences("gradient_gpt", GPT, Kind::Gradient),
    on_sequences("hvp_gpt", GPT, Kind::HessianProducts(1)),
    Work { name: "product_2048", subject: Subject::Bare(Bare::Product { size: 2048 }) },
    convolution("conv_16_forward", 16, 32, Map::Forward),
    convolution("conv_16_input_adjoint", 16, 32, Map::InputAdjoint),
    convolution("conv_16_weight_adjoint", 16, 32, Map::WeightAdjoint),
    convolution("conv_32_forward", 32, 16, Map::Forward),
    convolution("conv_32_input_adjoint", 32, 16, Map::InputAdjoint),
    convolution("conv_32_weight_adjoint", 32, 16, Map::WeightAdjoint),
    convolution("conv_64_forward", 64, 8, Map::Forward),
    convolution("conv_64_input_adjoint", 64, 8, Map::InputAdjoint),
    convolution("conv_64_weight_adjoint", 64, 8, Map::WeightAdjoint),
];

/// On a batch of 128 drawn examples.
const fn on_batch(name: &'static str, network: Network, kind: Kind) -> Work {
    Work { name, subject: Subject::Loss(network, Source::Drawn(128), kind) }
}

/// On a batch of 8 long sequences.
const fn on_sequences(name: &'static str, network: Network, kind: Kind) -> Work {
    Work { name, subject: Subject::Loss(network, Source::Tokens(8), kind) }
}

const fn convolution(name: &'static str, channels: usize, size: usize, map: Map) -> Work {
    Work { name, subject: Subject::Bare(Bare::Convolution { channels, size, map }) }
}
