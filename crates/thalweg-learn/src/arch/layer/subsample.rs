//! Fewer positions and more channels, without parameters.

use std::fmt;

use thalweg_program::builder::Var;

use super::plan::{Flow, Plan};
use super::window::image;
use super::{Kind, LayerError, Params, Place, Shape};

/// Every `stride`-th row and column of an image, from the first on, and channels of zeros up to `channels`: half of them
/// before the image's own and half behind, an odd one behind. As a shortcut: option A of He et al. 2016, section 4.2.
///
/// The paper does not say where the zeros go; this is where most implementations for PyTorch have them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subsample {
    /// Channels that come out.
    pub channels: usize,
    /// Positions from one to the next that is kept.
    pub stride: usize,
}

impl fmt::Display for Subsample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "subsample {}", self.channels)?;
        if self.stride == 2 { Ok(()) } else { write!(f, " stride={}", self.stride) }
    }
}

impl Kind for Subsample {
    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        let Self { channels, stride } = *self;
        let (inputs, [height, width]) = image(plan, self, x.shape)?;
        if stride == 0 {
            return Err(plan.misfit(self, "a stride of at least 1 position", stride));
        }
        if channels < inputs {
            return Err(plan.misfit(self, format!("at least the {inputs} channels that come in"), channels));
        }
        let shape = Shape::Image { channels, height: height.div_ceil(stride), width: width.div_ceil(stride) };
        plan.check_size(self, shape)?;
        if channels == inputs {
            return Ok(Flow { shape, units: x.units });
        }
        // Channels could change places among the old ones, on both sides at once, and among the new: none of it is
        // declared.
        plan.units.fix(x.units);
        let units = plan.outputs(channels);
        plan.units.fix(units);
        Ok(Flow { shape, units })
    }

    fn write<'b>(&self, _params: &mut Params<'_, 'b>, x: Var<'b>, _place: Place) -> Var<'b> {
        let Self { channels, stride } = *self;
        let [_, height, width, inputs] = x.shape()[..] else { unreachable!("declared for an image") };
        let x = x.slice_by(1, 0, height.div_ceil(stride), stride);
        let x = x.slice_by(2, 0, width.div_ceil(stride), stride);
        let zeros = channels - inputs;
        if zeros == 0 { x } else { x.pad(3, zeros / 2, zeros - zeros / 2) }
    }
}
