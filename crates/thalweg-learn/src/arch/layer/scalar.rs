//! One trained number for a whole layer.

use std::fmt;

use thalweg_program::builder::Var;
use thalweg_program::params::{Role, Start};

use super::plan::{Flow, Plan};
use super::{Kind, LayerError, Params, Place, take};

/// One trained number for all channels and positions (Zhang, Dauphin & Ma 2019, section 3). The leaf, of shape `[1]`, bears
/// the layer's own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// x + b, from b = 0.
    Bias,
    /// x·s, from s = 1.
    Factor,
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bias => "scalar bias",
            Self::Factor => "scalar factor",
        })
    }
}

impl Kind for Scalar {
    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        match self {
            Self::Bias => plan.scalar(self, Role::Bias, Start::Zero)?,
            Self::Factor => plan.scalar(self, Role::Scale, Start::Usual)?,
        }
        Ok(x)
    }

    fn write<'b>(&self, params: &mut Params<'_, 'b>, x: Var<'b>, _place: Place) -> Var<'b> {
        match self {
            Self::Bias => x + take(params),
            Self::Factor => x * take(params),
        }
    }
}
