//! Pooling: one number for each window of an image.

use super::Var;
use crate::ir::ShapeError;
use crate::prim::{Convolve, Gather, MaxIndex, Slide, Window};

impl Var<'_> {
    /// Max pooling of this `[n, positions…, c]`, channels last: the largest element in each window of `taps`, as
    /// `[n, positions…, c]`. One slide an axis of positions. Padding is never the largest; a window that lies wholly in
    /// it is refused.
    ///
    /// The derivative goes to the element that was chosen: the first of equals, in row-major order of the window. NaN
    /// is chosen before any number.
    #[must_use]
    pub fn max_pool(self, taps: &[usize], slides: &[Slide]) -> Self {
        let builder = self.builder();
        let windows = match self.windows("max_pool", taps, slides) {
            Ok(windows) => windows,
            Err(error) => return builder.fail(error),
        };
        let shape = self.shape();
        if are_blocks(&windows, slides) {
            return self.largest_in_blocks(&windows);
        }
        // The choice has no derivative; what it chooses is linear, so every order follows from gather and scatter-add.
        let chosen = builder.apply(MaxIndex { windows }, &[self]).as_index();
        let table = self.reshape(&[shape[0], shape[1..].iter().product()]);
        builder.apply(Gather { batch: 1 }, &[table, chosen])
    }

    /// Average pooling of this `[n, positions…, c]`, channels last: the mean over each window of `taps`, as
    /// `[n, positions…, c]`. One slide an axis of positions. Padding counts as zeros, as PyTorch's `count_include_pad`
    /// has it by default.
    #[must_use]
    pub fn average_pool(self, taps: &[usize], slides: &[Slide]) -> Self {
        let builder = self.builder();
        let windows = match self.windows("average_pool", taps, slides) {
            Ok(windows) => windows,
            Err(error) => return builder.fail(error),
        };
        if are_blocks(&windows, slides) {
            // One reduction, and its adjoint is a repeat.
            return self.blocks(&windows).mean(&taps_of_blocks(&windows));
        }
        // A convolution with ones: tap by tap, without an array that is padded.
        let [example, channel] = [0, 1];
        let label = |axis: usize, which: usize| u8::try_from(2 + 3 * axis + which).unwrap_or(u8::MAX);
        let labels = |which| (0..windows.len()).map(move |axis| label(axis, which));
        let around = |which| [&[example][..], &labels(which).collect::<Vec<u8>>(), &[channel]].concat();
        let windows: Vec<([u8; 3], Window)> = windows
            .iter()
            .enumerate()
            .map(|(axis, &window)| ([0, 1, 2].map(|w| label(axis, w)), window))
            .collect();
        let sum = Convolve::new(&around(0), &labels(1).collect::<Vec<u8>>(), &around(2), &windows);
        let ones = builder.constant(1.0, taps);
        builder.apply(sum, &[self, ones]) / taps.iter().product::<usize>() as f64
    }

    /// The largest element of each block. The choice has no derivative; what it chooses is linear: a product with zeros
    /// and ones, but that those zeros also end what is infinite.
    fn largest_in_blocks(self, windows: &[Window]) -> Self {
        let builder = self.builder();
        let blocks = self.blocks(windows);
        let (shape, taps) = (blocks.shape(), taps_of_blocks(windows));
        let channels = shape.len() - 1;
        // Where, with the taps beside each other.
        let others = (0..channels).filter(|axis| !taps.contains(axis));
        let order: Vec<usize> = others.chain(taps.iter().copied()).chain([channels]).collect();
        let inside = windows.iter().map(|w| Window::new(w.taps, w.taps, 1, 1, [0, 0])).collect();
        let chosen = builder.apply(MaxIndex { windows: inside }, &[blocks.permute(&order)]);
        let of = |axis| if taps.contains(&axis) { 1 } else { shape[axis] };
        let chosen = chosen.reshape(&(0..=channels).map(of).collect::<Vec<_>>()).broadcast_to(&shape);
        // A number for each tap and channel.
        let numbered: Vec<usize> = taps.iter().copied().chain([channels]).collect();
        let extents: Vec<usize> = numbered.iter().map(|&axis| shape[axis]).collect();
        let numbers = builder.iota(extents.iter().product()).reshape(&extents).broadcast(&shape, &numbered);
        numbers.equal(chosen).select(blocks, 0.0).sum(&taps)
    }

    /// `[n, output, taps, output, taps…, c]` of this `[n, positions…, c]`.
    fn blocks(self, windows: &[Window]) -> Self {
        let shape = self.shape();
        let cut = windows.iter().zip(1..).fold(self, |x, (w, axis)| x.slice(axis, 0, w.output * w.taps));
        let split = windows.iter().flat_map(|w| [w.output, w.taps]);
        cut.reshape(&shape[..1].iter().copied().chain(split).chain(shape.last().copied()).collect::<Vec<_>>())
    }

    /// The windows of a pooling by that name.
    fn windows(
        self,
        pooling: &'static str,
        taps: &[usize],
        slides: &[Slide],
    ) -> Result<Vec<Window>, ShapeError> {
        let ty = self.ty();
        let axes = taps.len();
        if slides.len() != axes || ty.shape.len() != axes + 2 {
            let message = format!(
                "expected [n, positions…, c] with one slide for each of {axes} axes of positions, found {ty} and {} slides",
                slides.len()
            );
            return Err(ShapeError::new(pooling, message));
        }
        let window = |((&input, &taps), slide): ((&usize, &usize), &Slide)| {
            if taps == 0 || slide.stride == 0 || slide.dilation == 0 {
                let message =
                    format!("a window needs a tap, a stride and a dilation: {taps} taps by {slide:?}");
                return Err(ShapeError::new(pooling, message));
            }
            Ok(Window::new(input, taps, slide.stride, slide.dilation, slide.padding))
        };
        ty.shape[1..].iter().zip(taps).zip(slides).map(window).collect()
    }
}

/// Whether the windows share nothing: they are then blocks.
fn are_blocks(windows: &[Window], slides: &[Slide]) -> bool {
    windows.iter().zip(slides).all(|(window, slide)| {
        let Window { taps, stride, dilation, output, .. } = *window;
        slide.padding == [0, 0] && dilation == 1 && (stride == taps || output <= 1)
    })
}

/// The axes of the taps among those of blocks.
fn taps_of_blocks(windows: &[Window]) -> Vec<usize> {
    (0..windows.len()).map(|axis| 2 + 2 * axis).collect()
}
