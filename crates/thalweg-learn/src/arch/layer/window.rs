//! How the window of a convolution or a pool lies on an image.

use std::fmt;

use thalweg_program::prim::{Slide, Window};

use super::plan::Plan;
use super::{LayerError, Shape};

/// Beyond it no window ends: padding can make room for any.
const TAPS_MAX: usize = 1 << 20;

/// Rows and columns of a window and how it slides.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sliding {
    /// Rows and columns of the window.
    pub taps: [usize; 2],
    /// Positions from one place of the window to the next.
    pub stride: [usize; 2],
    /// Positions outside of the image, on either side.
    pub padding: Padding,
    /// Positions from one tap to the next.
    pub dilation: [usize; 2],
}

/// Positions outside of the image, on either side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Padding {
    /// So many above and below, and so many left and right.
    Each([usize; 2]),
    /// As many as keep the size at stride 1; an odd one goes below and to the right, as in PyTorch.
    Same,
}

impl Sliding {
    /// Without padding and dilation.
    pub fn new(taps: [usize; 2], stride: [usize; 2]) -> Self {
        Self { taps, stride, padding: Padding::Each([0, 0]), dilation: [1, 1] }
    }

    /// Above and below, and left and right.
    fn padding(&self) -> [[usize; 2]; 2] {
        match self.padding {
            Padding::Each(each) => each.map(|positions| [positions; 2]),
            Padding::Same => [0, 1].map(|axis| {
                let all = self.dilation[axis].saturating_mul(self.taps[axis] - 1);
                [all / 2, all - all / 2]
            }),
        }
    }

    /// One slide for each axis.
    pub(super) fn slides(&self) -> [Slide; 2] {
        let padding = self.padding();
        [0, 1].map(|axis| Slide {
            stride: self.stride[axis],
            dilation: self.dilation[axis],
            padding: padding[axis],
        })
    }

    /// Height and width of what comes out, if every number makes sense and the window fits.
    pub(super) fn output(
        &self,
        plan: &Plan,
        layer: &dyn fmt::Display,
        size: [usize; 2],
    ) -> Result<[usize; 2], LayerError> {
        for (what, pair) in [("window", self.taps), ("stride", self.stride), ("dilation", self.dilation)] {
            if pair.contains(&0) {
                let expected = format!("a {what} of at least 1 position along each axis");
                return Err(plan.misfit(layer, expected, by(pair)));
            }
        }
        if self.taps[0].saturating_mul(self.taps[1]) > TAPS_MAX {
            let expected = format!("a window of at most {TAPS_MAX} positions");
            return Err(plan.misfit(layer, expected, by(self.taps)));
        }
        if self.padding == Padding::Same && self.stride != [1, 1] {
            return Err(plan.misfit(layer, "stride 1 with pad=same", format!("stride {}", by(self.stride))));
        }
        let slides = self.slides();
        let output = [0, 1].map(|axis| {
            let Slide { stride, dilation, padding } = slides[axis];
            Window::new(size[axis], self.taps[axis], stride, dilation, padding).output
        });
        if output.contains(&0) {
            let reach =
                [0, 1].map(|axis| self.dilation[axis].saturating_mul(self.taps[axis] - 1).saturating_add(1));
            let room = [0, 1].map(|axis| {
                slides[axis].padding.iter().fold(size[axis], |room, &pad| room.saturating_add(pad))
            });
            let expected = format!("an image of at least {} positions, padding included", by(reach));
            return Err(plan.misfit(layer, expected, by(room)));
        }
        Ok(output)
    }

    /// What is not as usual, in the words of a configuration.
    pub(super) fn options(&self, usual_stride: [usize; 2]) -> String {
        let unusual = |pair: [usize; 2], usual: [usize; 2]| (pair != usual).then(|| short(pair));
        let padding = match self.padding {
            Padding::Each(each) => unusual(each, [0, 0]),
            Padding::Same => Some("same".to_owned()),
        };
        let options = [
            ("stride", unusual(self.stride, usual_stride)),
            ("pad", padding),
            ("dilation", unusual(self.dilation, [1, 1])),
        ];
        options.into_iter().filter_map(|(name, value)| Some(format!(" {name}={}", value?))).collect()
    }
}

/// `3x5`.
pub(super) fn by([rows, columns]: [usize; 2]) -> String {
    format!("{rows}x{columns}")
}

/// `3x5`, or `3` for two of them.
pub(super) fn short(pair: [usize; 2]) -> String {
    if pair[0] == pair[1] { pair[0].to_string() } else { by(pair) }
}

/// Channels, height and width of what must be an image.
pub(super) fn image(
    plan: &Plan,
    layer: &dyn fmt::Display,
    shape: Shape,
) -> Result<(usize, [usize; 2]), LayerError> {
    match shape {
        Shape::Image { channels, height, width } => Ok((channels, [height, width])),
        Shape::Features(_) => {
            Err(plan.misfit(layer, "an image, channels×height×width", format!("{shape} features")))
        }
    }
}
