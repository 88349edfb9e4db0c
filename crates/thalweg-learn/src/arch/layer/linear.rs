//! Fully connected layers.

use std::fmt;

use thalweg_program::builder::Var;
use thalweg_program::params::Start;

use super::plan::{Flow, Plan};
use super::{Kind, LayerError, Params, Place, Shape, take};

/// y = x·Wᵀ + b, with leaves `weight [units, inputs]` and `bias [units]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Linear {
    /// Outputs.
    pub units: usize,
    /// Whether b is there.
    pub bias: bool,
    /// How W and b begin.
    pub start: Start,
}

impl Linear {
    /// With a bias.
    pub fn new(units: usize) -> Self {
        Self { units, bias: true, start: Start::Usual }
    }
}

impl fmt::Display for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linear {}{}", self.units, if self.bias { "" } else { " nobias" })
    }
}

impl Kind for Linear {
    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        let Shape::Features(inputs) = x.shape else {
            return Err(plan.misfit(self, "features, which `flatten` makes of an image", x.shape));
        };
        if self.units == 0 {
            return Err(plan.misfit(self, "at least 1 unit", self.units));
        }
        let shape = Shape::Features(self.units);
        plan.check_size(self, shape)?;
        let units = plan.outputs(self.units);
        plan.weight(self, &[self.units, inputs], self.bias, self.start, &[(0, units), (1, x.units)])?;
        Ok(Flow { shape, units })
    }

    fn write<'b>(&self, params: &mut Params<'_, 'b>, x: Var<'b>, place: Place) -> Var<'b> {
        let weight = take(params);
        match place {
            // Outputs of many examples lie side by side in memory: losses reduce over the few outputs of each
            // example, which as the innermost axis would be too short for vectors.
            Place::Last => {
                let y = x.builder().einsum("bi,oi->ob", x, weight);
                let y = if self.bias { y + take(params).reshape(&[self.units, 1]) } else { y };
                y.permute(&[1, 0])
            }
            Place::Inner => {
                let y = x.builder().einsum("bi,oi->bo", x, weight);
                if self.bias { y + take(params) } else { y }
            }
        }
    }
}
