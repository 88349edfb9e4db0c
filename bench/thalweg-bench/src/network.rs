//! The networks that works are about, as a user's configuration has them.

use std::sync::Arc;

use serde_json::{Value, json};
use thalweg_learn::arch::layer::Shape;
use thalweg_learn::arch::{Architecture, ModelConfig};
use thalweg_learn::init::Init;

/// Outputs of every network, at each position if it has several; there as many tokens come in.
pub(crate) const CLASSES: usize = 10;

/// A network for examples of one shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Network {
    /// Its configuration, as JSON.
    pub(crate) model: &'static str,
    /// Shape of an example: features, or channels, height and width.
    pub(crate) input: &'static [usize],
}

/// The perceptron 784-512-512-10.
pub(crate) const MLP_784: Network =
    Network { model: r#"{"kind": "mlp", "widths": [512, 512], "init": {"kind": "torch"}}"#, input: &[784] };
/// The perceptron 64-32-32-10.
pub(crate) const MLP_64: Network =
    Network { model: r#"{"kind": "mlp", "widths": [32, 32], "init": {"kind": "torch"}}"#, input: &[64] };
/// The perceptron 64-64-64-10.
pub(crate) const MLP_DIGITS: Network =
    Network { model: r#"{"kind": "mlp", "widths": [64, 64], "init": {"kind": "torch"}}"#, input: &[64] };
/// LeNet-5 on images of 28×28.
pub(crate) const LENET5: Network = Network { model: r#"{"kind": "lenet5"}"#, input: &[1, 28, 28] };
/// VGG-11 on images of 32×32.
pub(crate) const VGG11: Network = Network { model: r#"{"kind": "vgg11"}"#, input: &[3, 32, 32] };
/// ResNet-20 with batch norms on images of 32×32.
pub(crate) const RESNET20: Network = Network { model: r#"{"kind": "resnet20"}"#, input: &[3, 32, 32] };
/// A vision transformer of 6 blocks on images of 32×32 in patches of 4×4.
pub(crate) const VIT: Network = Network {
    model: r#"{"kind": "vit", "patch_size": 4, "width": 128, "depth": 6, "heads": 4, "mlp_width": 256}"#,
    input: &[3, 32, 32],
};
/// An LSTM over the 28 rows of an image.
pub(crate) const LSTM: Network = Network { model: r#"{"kind": "lstm", "units": 128}"#, input: &[1, 28, 28] };
/// A language model of 4 blocks over 512 tokens.
pub(crate) const GPT: Network = Network {
    model: r#"{"kind": "gpt", "width": 128, "depth": 4, "heads": 4, "mlp_width": 512}"#,
    input: &[512],
};

impl Network {
    fn config(&self) -> ModelConfig {
        serde_json::from_str(self.model).expect("the configuration of a work")
    }

    /// Where its parameters lie, and its program.
    pub(crate) fn build(&self) -> Arc<dyn Architecture> {
        self.config().build(Shape::from(self.input), CLASSES).expect("the network of a work")
    }

    /// Its initial weights and biases: unless given, He's normal ones. (With PyTorch's, signals vanish in a deep network
    /// without norms, and rounding then decides which of a pool's numbers is the largest.)
    pub(crate) fn init(&self) -> Init {
        *self.config().init()
    }

    /// What another engine must know to build the same one: `model`, its configuration, and `input`, the shape of an
    /// example.
    pub(crate) fn describe(&self) -> Value {
        let model: Value = serde_json::from_str(self.model).expect("the configuration of a work");
        json!({ "model": model, "input": self.input })
    }
}
