//! Networks as configurations write them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::layer::{LayerError, Shape};
use super::{
    Activation, Architecture, AutoencoderConfig, Cell, ConvConfig, GptConfig, LayersConfig, Lenet5Config,
    Lenet300100Config, LinearConfig, Mlp, MlpError, RecurrentConfig, ResnetCifarConfig, ResnetConfig,
    ResnetDepth, VggConfig, VggDepth, VitConfig, WideResnetConfig,
};
use crate::init::{Init, InitError};

/// A network but for the sizes that the data decide, and its initial weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelConfig {
    /// A multilayer perceptron.
    Mlp(MlpConfig),
    /// A linear map, in one layer or in several.
    Linear(LinearConfig),
    /// A fully connected autoencoder. Its outputs are for the inputs, not for classes.
    Autoencoder(AutoencoderConfig),
    /// LeNet-300-100.
    #[serde(rename = "lenet_300_100")]
    Lenet300100(Lenet300100Config),
    /// LeNet-5.
    Lenet5(Lenet5Config),
    /// Conv-2 of Frankle & Carbin.
    Conv2(ConvConfig),
    /// Conv-4.
    Conv4(ConvConfig),
    /// Conv-6.
    Conv6(ConvConfig),
    /// VGG-11 for images of 32×32.
    Vgg11(VggConfig),
    /// VGG-13.
    Vgg13(VggConfig),
    /// VGG-16.
    Vgg16(VggConfig),
    /// VGG-19.
    Vgg19(VggConfig),
    /// ResNet-20 for images of 32×32.
    Resnet20(ResnetCifarConfig),
    /// ResNet-32.
    Resnet32(ResnetCifarConfig),
    /// ResNet-44.
    Resnet44(ResnetCifarConfig),
    /// ResNet-56.
    Resnet56(ResnetCifarConfig),
    /// ResNet-110.
    Resnet110(ResnetCifarConfig),
    /// A wide residual network.
    WideResnet(WideResnetConfig),
    /// ResNet-18.
    Resnet18(ResnetConfig),
    /// ResNet-50.
    Resnet50(ResnetConfig),
    /// A vision transformer.
    Vit(VitConfig),
    /// A transformer as a language model. Its outputs are for every position.
    Gpt(GptConfig),
    /// A plain recurrent network, of rows or as a language model.
    Rnn(RecurrentConfig),
    /// A network of long short-term memory, the same.
    Lstm(RecurrentConfig),
    /// A network of the user's own.
    Layers(LayersConfig),
}

/// A multilayer perceptron: see [`Mlp`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MlpConfig {
    /// Units of each hidden layer; `[64, 64]` unless given. None is a linear map.
    pub widths: Vec<usize>,
    /// The function between the layers; ReLU unless given.
    pub activation: Activation,
    /// Whether the linear layers have biases; they do unless said otherwise.
    pub bias: bool,
    /// Whether a layer norm stands before each activation; none does unless said otherwise.
    pub layer_norm: bool,
    /// Initial weights and biases; He's normal ones unless given.
    pub init: Init,
}

/// A configuration that makes no network.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Sizes that make no perceptron.
    #[error(transparent)]
    Mlp(#[from] MlpError),
    /// A layer that does not fit.
    #[error("model: {0}")]
    Layer(#[from] LayerError),
    /// Initial weights that cannot be drawn.
    #[error("model: {0}")]
    Init(#[from] InitError),
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self::Mlp(MlpConfig::default())
    }
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            widths: vec![64, 64],
            activation: Activation::Relu,
            bias: true,
            layer_norm: false,
            init: Init::default(),
        }
    }
}

impl ModelConfig {
    /// The network for inputs of that shape (a number of features, or a data set's shape) and that many `outputs` (of a
    /// language model: at every position).
    ///
    /// # Errors
    /// A layer without units or one that does not fit the inputs, or initial weights that cannot be drawn.
    pub fn build(
        &self,
        input: impl Into<Shape>,
        outputs: usize,
    ) -> Result<Arc<dyn Architecture>, ModelError> {
        self.init().validate()?;
        let input = input.into();
        let network = match self {
            Self::Mlp(MlpConfig { widths, activation, bias, layer_norm, init: _ }) => {
                let inputs = input.elements();
                return Ok(Arc::new(Mlp::new(inputs, widths, outputs, *activation, *bias, *layer_norm)?));
            }
            Self::Linear(linear) => linear.network(input, outputs),
            Self::Autoencoder(autoencoder) => autoencoder.network(input),
            Self::Lenet300100(lenet) => lenet.network(input, outputs),
            Self::Lenet5(lenet) => lenet.network(input, outputs),
            Self::Conv2(conv) => conv.network(1, input, outputs),
            Self::Conv4(conv) => conv.network(2, input, outputs),
            Self::Conv6(conv) => conv.network(3, input, outputs),
            Self::Vgg11(vgg) => vgg.network(VggDepth::Vgg11, input, outputs),
            Self::Vgg13(vgg) => vgg.network(VggDepth::Vgg13, input, outputs),
            Self::Vgg16(vgg) => vgg.network(VggDepth::Vgg16, input, outputs),
            Self::Vgg19(vgg) => vgg.network(VggDepth::Vgg19, input, outputs),
            Self::Resnet20(resnet) => resnet.network(3, input, outputs),
            Self::Resnet32(resnet) => resnet.network(5, input, outputs),
            Self::Resnet44(resnet) => resnet.network(7, input, outputs),
            Self::Resnet56(resnet) => resnet.network(9, input, outputs),
            Self::Resnet110(resnet) => resnet.network(18, input, outputs),
            Self::WideResnet(resnet) => resnet.network(input, outputs),
            Self::Resnet18(resnet) => resnet.network(ResnetDepth::Resnet18, input, outputs),
            Self::Resnet50(resnet) => resnet.network(ResnetDepth::Resnet50, input, outputs),
            Self::Vit(vit) => return Ok(Arc::new(vit.network(input, outputs)?)),
            Self::Gpt(gpt) => return Ok(Arc::new(gpt.network(input, outputs)?)),
            Self::Rnn(rnn) => return Ok(Arc::new(rnn.network(Cell::Rnn, input, outputs)?)),
            Self::Lstm(lstm) => return Ok(Arc::new(lstm.network(Cell::Lstm, input, outputs)?)),
            Self::Layers(layers) => layers.network(input, outputs),
        };
        Ok(Arc::new(network?))
    }

    /// Whether inputs are the tokens of a text.
    pub fn takes_tokens(&self) -> bool {
        match self {
            Self::Gpt(_) => true,
            Self::Rnn(recurrent) | Self::Lstm(recurrent) => recurrent.embedding.is_some(),
            _ => false,
        }
    }

    /// Initial weights and biases, for [`initial_parameters`](super::initial_parameters).
    pub fn init(&self) -> &Init {
        match self {
            Self::Mlp(MlpConfig { init, .. })
            | Self::Linear(LinearConfig { init, .. })
            | Self::Autoencoder(AutoencoderConfig { init, .. })
            | Self::Lenet300100(Lenet300100Config { init, .. })
            | Self::Lenet5(Lenet5Config { init, .. })
            | Self::Conv2(ConvConfig { init, .. })
            | Self::Conv4(ConvConfig { init, .. })
            | Self::Conv6(ConvConfig { init, .. })
            | Self::Vgg11(VggConfig { init, .. })
            | Self::Vgg13(VggConfig { init, .. })
            | Self::Vgg16(VggConfig { init, .. })
            | Self::Vgg19(VggConfig { init, .. })
            | Self::Resnet20(ResnetCifarConfig { init, .. })
            | Self::Resnet32(ResnetCifarConfig { init, .. })
            | Self::Resnet44(ResnetCifarConfig { init, .. })
            | Self::Resnet56(ResnetCifarConfig { init, .. })
            | Self::Resnet110(ResnetCifarConfig { init, .. })
            | Self::WideResnet(WideResnetConfig { init, .. })
            | Self::Resnet18(ResnetConfig { init, .. })
            | Self::Resnet50(ResnetConfig { init, .. })
            | Self::Vit(VitConfig { init, .. })
            | Self::Gpt(GptConfig { init, .. })
            | Self::Rnn(RecurrentConfig { init, .. })
            | Self::Lstm(RecurrentConfig { init, .. })
            | Self::Layers(LayersConfig { init, .. }) => init,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ModelConfig, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_given_is_the_default() {
        assert_eq!(read(r#"{"kind": "mlp"}"#).unwrap(), ModelConfig::default());
        let network = ModelConfig::default().build(64, 10).unwrap();
        assert_eq!(network.describe(), "mlp 64-64-64-10 relu");
        assert_eq!(network.space().dimension(), 65 * 64 * 2 + 65 * 10);
        let text = r#"{"kind":"mlp","widths":[3],"activation":"gelu","bias":false,"layer_norm":true,"init":{"kind":"torch"}}"#;
        let config = read(text).unwrap();
        assert_eq!(serde_json::to_string(&config).unwrap(), text);
        let network = config.build(2, 1).unwrap();
        assert_eq!(network.describe(), "mlp 2-3-1 gelu, no bias, layer norm");
        let names: Vec<&str> = network.space().leaves().iter().map(|leaf| &leaf.name[..]).collect();
        assert_eq!(names, ["layers.0.weight", "norms.0.weight", "norms.0.bias", "layers.1.weight"]);
        assert_eq!(read(r#"{"kind": "mlp", "init": {"kind": "he"}}"#).unwrap(), ModelConfig::default());
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(read(r#"{"kind": "mlp", "width": [3]}"#).unwrap_err().contains("unknown field `width`"));
        assert!(read(r#"{"kind": "resnet"}"#).unwrap_err().contains("unknown variant `resnet`"));
        let refused = |config: MlpConfig| match ModelConfig::Mlp(config).build(2, 1) {
            Ok(network) => panic!("{} was built", network.describe()),
            Err(error) => error.to_string(),
        };
        assert_eq!(
            refused(MlpConfig { widths: vec![3, 0], ..MlpConfig::default() }),
            "model: expected every layer to have at least 1 unit, found [2, 3, 0, 1] (inputs, hidden widths, outputs)"
        );
        assert_eq!(
            refused(MlpConfig {
                init: Init::MeanField { sigma_w: -1.0, sigma_b: 0.0 },
                ..MlpConfig::default()
            }),
            "model: init mean_field: expected sigma_w to be finite and at least 0, found -1"
        );
    }
}
