//! Pools: one number for each window and channel.

use std::fmt;

use serde::{Deserialize, Serialize};
use thalweg_program::builder::Var;
use thalweg_program::prim::Slide;

use super::plan::{Flow, Plan};
use super::window::{image, short};
use super::{Kind, LayerError, Padding, Params, Place, Shape, Sliding};

/// One number for each window and channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pool {
    /// Which number.
    pub of: PoolOf,
    /// The window; usually it goes as far in a step as it is long.
    pub window: Sliding,
}

/// What a pool makes of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolOf {
    /// The largest number; of equals the first, as in PyTorch.
    Max,
    /// The mean, padding counted as zeros, as PyTorch does unless told otherwise.
    Average,
}

/// One number for each channel, over all positions: features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlobalPool {
    /// Which number.
    pub of: PoolOf,
}

impl PoolOf {
    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Average => "average",
        }
    }
}

impl Pool {
    /// A square window that goes as far in a step as it is long.
    pub fn new(of: PoolOf, taps: usize) -> Self {
        Self { of, window: Sliding::new([taps; 2], [taps; 2]) }
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.of {
            PoolOf::Max => "maxpool",
            PoolOf::Average => "avgpool",
        };
        let Sliding { taps, .. } = self.window;
        write!(f, "{name} {}{}", short(taps), self.window.options(taps))
    }
}

impl Kind for Pool {
    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        let (channels, size) = image(plan, self, x.shape)?;
        let [height, width] = self.window.output(plan, self, size)?;
        let half = self.window.taps.map(|taps| taps / 2);
        match self.window.padding {
            Padding::Each(each) if each[0] <= half[0] && each[1] <= half[1] => {}
            Padding::Each(each) => {
                let expected = format!("padding of at most half the window, {}", short(half));
                return Err(plan.misfit(self, expected, short(each)));
            }
            Padding::Same => return Err(plan.misfit(self, "padding in numbers", "pad=same")),
        }
        if self.of == PoolOf::Average && self.window.dilation != [1, 1] {
            return Err(plan.misfit(self, "dilation 1", short(self.window.dilation)));
        }
        for ((slide, &taps), (&input, output)) in
            self.window.slides().iter().zip(&self.window.taps).zip(size.iter().zip([height, width]))
        {
            let inside = |at: usize| {
                let mut places = (0..taps).map(|tap| at * slide.stride + tap * slide.dilation);
                places.any(|place| (slide.padding[0]..slide.padding[0] + input).contains(&place))
            };
            // With padding of half the window only taps that lie apart can miss the image.
            if slide.dilation > 1 && !(0..output).all(inside) {
                let expected = "no window that lies wholly in the padding";
                return Err(plan.misfit(self, expected, format!("{input} positions")));
            }
        }
        plan.check_size(self, x.shape)?;
        Ok(Flow { shape: Shape::Image { channels, height, width }, units: x.units })
    }

    fn write<'b>(&self, _params: &mut Params<'_, 'b>, x: Var<'b>, _place: Place) -> Var<'b> {
        let slides = self.window.slides();
        match self.of {
            PoolOf::Max => x.max_pool(&self.window.taps, &slides),
            PoolOf::Average => x.average_pool(&self.window.taps, &slides),
        }
    }
}

impl fmt::Display for GlobalPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.of {
            PoolOf::Max => "globalmaxpool",
            PoolOf::Average => "globalavgpool",
        })
    }
}

impl Kind for GlobalPool {
    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        let (channels, _) = image(plan, self, x.shape)?;
        Ok(Flow { shape: Shape::Features(channels), units: x.units })
    }

    fn write<'b>(&self, _params: &mut Params<'_, 'b>, x: Var<'b>, _place: Place) -> Var<'b> {
        match self.of {
            PoolOf::Max => {
                let [_, height, width, channels] = x.shape()[..] else {
                    unreachable!("an image was declared")
                };
                let features = [x.shape()[0], channels];
                x.max_pool(&[height, width], &[Slide::default(); 2]).reshape(&features)
            }
            PoolOf::Average => x.mean(&[1, 2]),
        }
    }
}
