//! Functions between the layers.

use std::f64::consts::SQRT_2;

use serde::{Deserialize, Serialize};
use thalweg_program::builder::Var;

/// A function between the layers, element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(x, 0), with derivative 0 at 0.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// Error function.
    Erf,
    /// 1/(1 + e⁻ˣ)
    Sigmoid,
    /// x·Φ(x), exact (not the tanh approximation): x(1 + erf(x/√2))/2.
    Gelu,
    /// x·sigmoid(x)
    Silu,
    /// The identity: a deep linear network.
    Linear,
}

impl Activation {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Relu, Self::Tanh, Self::Erf, Self::Sigmoid, Self::Gelu, Self::Silu, Self::Linear];

    /// Writes it.
    pub fn write(self, x: Var<'_>) -> Var<'_> {
        match self {
            Self::Relu => x.relu(),
            Self::Tanh => x.tanh(),
            Self::Erf => x.erf(),
            Self::Sigmoid => x.logistic(),
            Self::Gelu => x * ((x * (1.0 / SQRT_2)).erf() * 0.5 + 0.5),
            Self::Silu => x * x.logistic(),
            Self::Linear => x,
        }
    }

    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Erf => "erf",
            Self::Sigmoid => "sigmoid",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::Linear => "linear",
        }
    }
}
