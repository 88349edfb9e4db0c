//! From images to features, and functions that take every number alike.

use std::fmt;

use thalweg_program::builder::Var;

use super::plan::{Flow, Plan};
use super::{Kind, LayerError, Params, Place, Shape};
use crate::arch::Activation;

/// An image as features in PyTorch's order: channel by channel, row by row. Features stay what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Flatten;

impl fmt::Display for Flatten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("flatten")
    }
}

impl Kind for Flatten {
    fn declare(&self, _plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        // A channel becomes a run of height·width neighbouring features, so the units are still the channels.
        Ok(Flow { shape: Shape::Features(x.shape.elements()), units: x.units })
    }

    fn write<'b>(&self, _params: &mut Params<'_, 'b>, x: Var<'b>, _place: Place) -> Var<'b> {
        match x.shape()[..] {
            [examples, height, width, channels] => {
                x.permute(&[0, 3, 1, 2]).reshape(&[examples, channels * height * width])
            }
            _ => x,
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Kind for Activation {
    fn declare(&self, _plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        Ok(x)
    }

    fn write<'b>(&self, _params: &mut Params<'_, 'b>, x: Var<'b>, _place: Place) -> Var<'b> {
        Self::write(*self, x)
    }
}
