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
        // The choice has no derivative; what it chooses is linear, so every order follows from gather and scatter-add.
        let chosen = builder.apply(MaxIndex { windows }, &[self]).as_index();
        let shape = self.shape();
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
        let shape = self.shape();
        let apart = |(window, slide): (&Window, &Slide)| {
            let Window { taps, stride, dilation, output, .. } = *window;
            slide.padding == [0, 0] && dilation == 1 && (stride == taps || output <= 1)
        };
        if windows.iter().zip(slides).all(apart) {
            // Windows that share nothing are blocks: one reduction, and its adjoint is a repeat.
            let cut = windows.iter().zip(1..).fold(self, |x, (w, axis)| x.slice(axis, 0, w.output * w.taps));
            let blocks = windows.iter().flat_map(|w| [w.output, w.taps]);
            let blocks: Vec<usize> =
                shape[..1].iter().copied().chain(blocks).chain(shape.last().copied()).collect();
            let inside: Vec<usize> = (0..windows.len()).map(|axis| 2 + 2 * axis).collect();
            return cut.reshape(&blocks).mean(&inside);
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
