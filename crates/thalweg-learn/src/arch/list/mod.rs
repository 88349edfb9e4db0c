//! Networks of the user's own: a list of layers in words.

mod parse;

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Deserialize as DeserializeDerive, Serialize};

use super::Network;
use super::layer::{Layer, LayerError, Residual, Sequence, Shape};
use crate::init::Init;

/// Layers one after another, from the inputs to one output for each class. Leaves are named by the layers' positions, as
/// in PyTorch's `Sequential`: `0.weight`, `0.bias`, `3.weight`, …; those of a residual layer at 2 are
/// `2.body.0.weight`, … and `2.shortcut.0.weight`, ….
///
/// | in words | PyTorch | options, with what holds otherwise |
/// |---|---|---|
/// | `linear 10` | `Linear` | `nobias` |
/// | `conv 16 3x3` | `Conv2d` | `stride=1 pad=0 dilation=1 groups=1 nobias`; `pad=same` |
/// | `relu`, `tanh`, `erf`, `sigmoid`, `gelu`, `silu` | | |
/// | `maxpool 2` | `MaxPool2d` | `stride=2` (the window's length) `pad=0 dilation=1` |
/// | `avgpool 2` | `AvgPool2d` | `stride=2` (the window's length) `pad=0` |
/// | `globalmaxpool`, `globalavgpool` | `AdaptiveMaxPool2d(1)` or `AdaptiveAvgPool2d(1)`, `Flatten` | |
/// | `subsample 32` | `pad(x[:, :, ::2, ::2], …)`: zeros up to 32 channels, on both sides | `stride=2` |
/// | `batchnorm` | `BatchNorm2d`, `BatchNorm1d` | `noaffine` |
/// | `groupnorm 4` | `GroupNorm(4, channels)` | `noaffine` |
/// | `layernorm` | `LayerNorm` over all of an example | `noaffine` |
/// | `instancenorm` | `InstanceNorm2d` | `affine` |
/// | `dropout 0.5` | `Dropout` | |
/// | `flatten` | `Flatten` | |
///
/// One number for a window, a stride, a padding or a dilation stands for both axes; `3x5` is 3 rows and 5 columns.
#[derive(Clone, Debug, PartialEq, Serialize, DeserializeDerive)]
#[serde(deny_unknown_fields)]
pub struct LayersConfig {
    /// The layers.
    pub layers: Vec<LayerConfig>,
    /// Initial weights and biases; He's normal ones unless given.
    #[serde(default)]
    pub init: Init,
}

/// A layer of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum LayerConfig {
    /// In words, such as `conv 16 3x3 pad=1`.
    Text(String),
    /// A sum of two ways.
    Residual(ResidualConfig),
}

/// A sum of two ways through layers: `{ residual = ["conv 16 3x3 pad=1", "relu"], shortcut = ["conv 16 1x1"] }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResidualConfig {
    /// The layers of the one way.
    pub residual: Vec<LayerConfig>,
    /// Those of the other; the identity unless given.
    pub shortcut: Vec<LayerConfig>,
}

impl<'de> Deserialize<'de> for LayerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        /// Its fields, for an error of our own: from inside a list, serde's would be taken for one of the model's.
        #[derive(DeserializeDerive)]
        #[serde(deny_unknown_fields)]
        struct Table {
            residual: Option<Vec<LayerConfig>>,
            #[serde(default)]
            shortcut: Vec<LayerConfig>,
        }

        // By hand: serde's own untagged enums forget what was wrong.
        impl<'de> Visitor<'de> for Either {
            type Value = LayerConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a layer in words, such as \"conv 16 3x3\", or { residual = [...] }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<LayerConfig, E> {
                Ok(LayerConfig::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LayerConfig, A::Error> {
                let Table { residual, shortcut } =
                    Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let residual = residual.ok_or_else(|| {
                    let shortcut = serde_json::to_string(&shortcut).unwrap_or_default();
                    let found = format!("a table with a shortcut {shortcut} alone");
                    de::Error::custom(format!("expected a layer {{ residual = [...] }}, found {found}"))
                })?;
                Ok(LayerConfig::Residual(ResidualConfig { residual, shortcut }))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl LayersConfig {
    /// The network for inputs of that shape and so many outputs.
    ///
    /// # Errors
    /// A layer that is none, one that does not fit what comes to it, or another number of outputs.
    pub fn network(&self, input: Shape, outputs: usize) -> Result<Network, LayerError> {
        let layers = sequence(&self.layers, &mut Vec::new())?;
        let text = layers.to_string();
        Network::new("layers", &text, input, outputs, layers)
    }
}

/// The layers at those positions of the list.
fn sequence(layers: &[LayerConfig], path: &mut Vec<String>) -> Result<Sequence, LayerError> {
    let within = |part: &str, layers: &[LayerConfig], path: &mut Vec<String>| {
        path.push(part.to_owned());
        let result = sequence(layers, path);
        path.pop();
        result
    };
    let mut all: Vec<Layer> = Vec::new();
    for (position, layer) in layers.iter().enumerate() {
        path.push(position.to_string());
        all.push(match layer {
            LayerConfig::Text(text) => {
                let error = |parse::Unclear { expected, found }| {
                    let (path, text) = (path.join("."), text.clone());
                    LayerError { path, text, expected, found }
                };
                parse::layer(text).map_err(error)?
            }
            LayerConfig::Residual(ResidualConfig { residual, shortcut }) => {
                let body = within("body", residual, path)?;
                let shortcut = within("shortcut", shortcut, path)?;
                Residual::new(body, shortcut).into()
            }
        });
        path.pop();
    }
    Ok(Sequence::numbered(all))
}
