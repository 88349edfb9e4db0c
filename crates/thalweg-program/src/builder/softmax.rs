//! Softmax and its logarithm along an axis.

use super::Var;

impl Var<'_> {
    /// eˣ / Σ eˣ over one axis. Nothing overflows. Where x is −∞ the result is 0, and so are its derivatives; where all of
    /// an axis is −∞ it is NaN.
    #[must_use]
    pub fn softmax(self, axis: usize) -> Self {
        let weights = self.below_largest(axis).exp();
        weights / weights.sum(&[axis]).along(&self.shape(), axis)
    }

    /// x − log Σ eˣ over one axis: the logarithm of [`softmax`](Self::softmax), right also where that is too small for a
    /// number.
    ///
    /// Where one entry holds nearly all of the sum, its logarithm has the rounding of numbers near 1. A loss that is to be
    /// right in relative terms there is better written as a sum over the other entries.
    #[must_use]
    pub fn log_softmax(self, axis: usize) -> Self {
        let below = self.below_largest(axis);
        below - below.exp().sum(&[axis]).log().along(&self.shape(), axis)
    }

    /// x less the largest along the axis. A common offset cancels in all that is made of this, and so do its derivatives of
    /// every order: it counts as a constant.
    pub(super) fn below_largest(self, axis: usize) -> Self {
        self - self.max(&[axis]).stop_gradient().along(&self.shape(), axis)
    }

    /// What an axis was reduced to, again at every place of that axis.
    fn along(self, shape: &[usize], axis: usize) -> Self {
        let kept: Vec<usize> = (0..shape.len()).filter(|&kept| kept != axis).collect();
        self.broadcast(shape, &kept)
    }
}
