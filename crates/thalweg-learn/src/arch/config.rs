//! Networks as configurations write them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Activation, Architecture, Mlp, MlpError};
use crate::init::{Distribution, Init, InitError};

/// A network but for the sizes that the data decide, and its initial weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelConfig {
    /// A multilayer perceptron.
    Mlp(MlpConfig),
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
            init: Init::He { distribution: Distribution::Normal },
        }
    }
}

impl ModelConfig {
    /// The network for examples of `inputs` numbers and that many `outputs`.
    ///
    /// # Errors
    /// A layer without units, or initial weights that cannot be drawn.
    pub fn build(&self, inputs: usize, outputs: usize) -> Result<Arc<dyn Architecture>, ModelError> {
        self.init().validate()?;
        match self {
            Self::Mlp(MlpConfig { widths, activation, bias, layer_norm, init: _ }) => {
                Ok(Arc::new(Mlp::new(inputs, widths, outputs, *activation, *bias, *layer_norm)?))
            }
        }
    }

    /// Initial weights and biases, for [`initial_parameters`](super::initial_parameters).
    pub fn init(&self) -> &Init {
        match self {
            Self::Mlp(mlp) => &mlp.init,
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
