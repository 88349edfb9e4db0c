//! Convolutions of images.

use std::fmt;

use thalweg_program::builder::Var;
use thalweg_program::params::Start;

use super::plan::{Flow, Plan};
use super::window::{by, image};
use super::{Kind, LayerError, Padding, Params, Place, Shape, Sliding, take};

/// A convolution (cross-correlation, as networks have it), with leaves `weight [channels, inputs/groups, rows, columns]`
/// and `bias [channels]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// Output channels.
    pub channels: usize,
    /// The window.
    pub window: Sliding,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Whether there is a bias.
    pub bias: bool,
    /// How weight and bias begin.
    pub start: Start,
}

impl Convolution {
    /// A square window at stride 1, without padding; with a bias.
    pub fn new(channels: usize, taps: usize) -> Self {
        Self { channels, window: Sliding::new([taps; 2], [1, 1]), groups: 1, bias: true, start: Start::Usual }
    }

    /// The same without a bias.
    #[must_use]
    pub fn unbiased(self) -> Self {
        Self { bias: false, ..self }
    }

    /// The same at that stride along both axes.
    #[must_use]
    pub fn strided(mut self, stride: usize) -> Self {
        self.window.stride = [stride; 2];
        self
    }

    /// The same with so many zeros on every side.
    #[must_use]
    pub fn padded(mut self, positions: usize) -> Self {
        self.window.padding = Padding::Each([positions; 2]);
        self
    }
}

impl fmt::Display for Convolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conv {} {}{}", self.channels, by(self.window.taps), self.window.options([1, 1]))?;
        if self.groups != 1 {
            write!(f, " groups={}", self.groups)?;
        }
        f.write_str(if self.bias { "" } else { " nobias" })
    }
}

impl Kind for Convolution {
    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        let (inputs, size) = image(plan, self, x.shape)?;
        let Self { channels, groups, .. } = *self;
        if channels == 0 {
            return Err(plan.misfit(self, "at least 1 channel", channels));
        }
        if groups == 0 || !inputs.is_multiple_of(groups) || !channels.is_multiple_of(groups) {
            let expected = "groups that divide the channels that come in and those that go out";
            let found = format!("{groups} groups of {inputs} and {channels} channels");
            return Err(plan.misfit(self, expected, found));
        }
        let [height, width] = self.window.output(plan, self, size)?;
        let shape = Shape::Image { channels, height, width };
        plan.check_size(self, shape)?;
        let [rows, columns] = self.window.taps;
        let weight = [channels, inputs / groups, rows, columns];
        let units = if groups == 1 {
            let units = plan.outputs(channels);
            plan.weight(self, &weight, self.bias, self.start, &[(0, units), (1, x.units)])?;
            units
        } else if groups == inputs {
            // Depthwise: each channel makes its own outputs, which move with it.
            plan.weight(self, &weight, self.bias, self.start, &[(0, x.units)])?;
            x.units
        } else {
            // Channels could change places within their groups, and groups as a whole: none of it is declared.
            plan.units.fix(x.units);
            let units = plan.outputs(channels);
            plan.units.fix(units);
            plan.weight(self, &weight, self.bias, self.start, &[])?;
            units
        };
        Ok(Flow { shape, units })
    }

    fn write<'b>(&self, params: &mut Params<'_, 'b>, x: Var<'b>, _place: Place) -> Var<'b> {
        let y = x.convolve(take(params), &self.window.slides(), self.groups);
        if self.bias { y + take(params) } else { y }
    }
}
