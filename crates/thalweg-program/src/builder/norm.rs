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
    /// through, as Σ(x − c)² = Σ(x − k)² + 2(k − c)·Σ(x − k) + n·(k − c)² for all constants k and c. So nothing cancels where
    /// the mean is large, and the array is read while it is still in the cache of whoever made it.
    ///
    /// The constant c is what the mean μ is, and the variance is the mean of (x − c)² less (μ − c)², which holds for every c and
    /// so has the derivatives of the variance. Written with μ in c's place, the derivative would have to sum x − μ over all
    /// evaluations, only to find 0: they would meet once more for each derivative.
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
        let centre = mean.stop_gradient();
        let (to_own, to_mean) = (own_mean - centre, mean - centre);
        let spread = second + to_own * first * 2.0 + to_own * to_own * own_count;
        let variance = spread.psum() / count - to_mean * to_mean;
        Moments { rest, offset: own_mean - mean, mean, variance }
    }
}

#[cfg(test)]
mod tests {
    use thalweg_kernel::Machine;

    use crate::builder::Builder;
    use crate::compile::{Signature, compile};
    use crate::ir::Program;
    use crate::transform::{gradient, hvp};

    #[test]
    fn evaluations_meet_twice_for_moments_and_once_more_for_their_derivatives() {
        let builder = Builder::new();
        let (x, w) = (builder.real(&[8, 3]), builder.real(&[3, 3]));
        let moments = builder.einsum("bi,oi->bo", x, w).moments_of_all(&[0]);
        let deviation = (moments.variance + 1e-5).sqrt().broadcast(&[8, 3], &[1]);
        let y = (moments.rest + moments.offset.broadcast(&[8, 3], &[1])) / deviation;
        let loss = builder.finish(&[(y * y * y).sum(&[0, 1])]).unwrap();
        let phases = |program: &Program| {
            Machine::<f64>::new(&compile(program, &Signature::separate(program))).phases()
        };
        // What is after the last meeting is a phase, too.
        assert_eq!(phases(&loss), 3);
        assert_eq!(phases(&gradient(&loss, &[1])), 4);
        assert_eq!(phases(&hvp(&loss, &[1])), 4);
    }
}
