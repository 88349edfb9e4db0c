//! Standardising: to mean 0 and variance 1.

use super::Var;

/// Mean and variance over some axes.
#[derive(Clone, Copy)]
pub struct Moments<'b> {
    /// x − k for a number k a channel near the mean: what is left of x where its mean is large. x − mean is
    /// `rest + offset`.
    pub rest: Var<'b>,
    /// k − mean, in the shape of the mean.
    pub offset: Var<'b>,
    /// Without the axes.
    pub mean: Var<'b>,
    /// The biased variance, of the same shape.
    pub variance: Var<'b>,
}

impl<'b> Var<'b> {
    /// To mean 0 and variance 1 over those axes: (x − mean)/√(variance + ε), with the biased variance.
    #[must_use]
    pub fn standardised(self, axes: &[usize], epsilon: f64) -> Self {
        let mut kept = self.shape();
        axes.iter().for_each(|&axis| kept[axis] = 1);
        // A common offset goes first, or the rounding of a large mean would count as variance. It cancels, and so does
        // its derivative.
        let offset = axes.iter().fold(self, |x, &axis| x.slice(axis, 0, 1));
        let x = self - offset.stop_gradient();
        let centred = x - x.mean(axes).reshape(&kept);
        let variance = (centred * centred).mean(axes).reshape(&kept);
        centred / (variance + epsilon).sqrt()
    }

    /// Mean and biased variance over those axes and over all evaluations that run together ([`psum`](Self::psum)).
    ///
    /// Evaluations meet twice, for C-vectors only: each takes its moments about its own mean k, which no derivative flows
    /// through, as Σ(x − μ)² = Σ(x − k)² + 2(k − μ)·Σ(x − k) + n·(k − μ)² for every constant k. So nothing cancels where
    /// the mean is large, and the array is read while it is still in the cache of whoever made it.
    pub fn moments_of_all(self, axes: &[usize]) -> Moments<'b> {
        let shape = self.shape();
        let kept: Vec<usize> =
            shape.iter().enumerate().map(|(axis, &n)| if axes.contains(&axis) { 1 } else { n }).collect();
        let own_count: usize = axes.iter().map(|&axis| shape[axis]).product();
        let own_count = self.builder().constant(own_count as f64, &[]);
        let count = own_count.psum();
        let own_mean = self.mean(axes).stop_gradient();
        let rest = self - own_mean.reshape(&kept);
        let (first, second) = (rest.sum(axes), (rest * rest).sum(axes));
        let mean = (first + own_mean * own_count).psum() / count;
        let to_own = own_mean - mean;
        let spread = second + to_own * first * 2.0 + to_own * to_own * own_count;
        Moments { rest, offset: to_own, mean, variance: spread.psum() / count }
    }
}
