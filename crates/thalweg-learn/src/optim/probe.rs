//! What optimisers that choose their own points see of a loss.

use thalweg_kernel::Real;

use super::Shares;

/// A loss and its gradient at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe<T, B = ()> {
    /// The loss.
    pub loss: f64,
    /// Its gradient, as long as θ.
    pub gradient: Vec<T>,
    /// What else was found there: carried along, never looked at.
    pub beside: B,
}

impl<T: Real, B> Probe<T, B> {
    /// Whether loss and gradient are numbers.
    pub fn is_finite(&self) -> bool {
        self.is_finite_by(&Shares::even(self.gradient.len()))
    }

    /// The same by threads that take these shares of the parameters.
    pub(crate) fn is_finite_by(&self, shares: &Shares) -> bool {
        self.loss.is_finite() && shares.all_finite(&self.gradient)
    }
}

/// Why a step was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Halt {
    /// A loss or a gradient was infinite or not a number.
    NotFinite,
    /// A [gradient flow](super::GradientFlow) would have taken more substeps than it may.
    Substeps {
        /// As many were tried.
        tried: u64,
    },
}

/// Sums that run beside each other: enough to fill vectors, and always as many, so that the bits do not depend on them.
const LANES: usize = 8;

/// Σ aᵢ bᵢ in f64.
pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> f64 {
    sum_of(a, b, |x, y| x * y)
}

/// Σ |aᵢ|.
pub(super) fn sum_of_sizes<T: Real>(a: &[T]) -> f64 {
    sum_of(a, a, |x, _| x.abs())
}

fn sum_of<T: Real>(a: &[T], b: &[T], term: impl Fn(f64, f64) -> f64) -> f64 {
    let (a_whole, a_rest) = a.as_chunks::<LANES>();
    let (b_whole, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a_whole.iter().zip(b_whole) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane].to_f64(), b[lane].to_f64());
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(x, y)| term(x.to_f64(), y.to_f64()));
    sums.into_iter().chain(rest).sum()
}

/// max |aᵢ|; 0 of nothing.
pub(super) fn largest<T: Real>(a: &[T]) -> f64 {
    a.iter().fold(0.0, |most: f64, x| most.max(x.to_f64().abs()))
}

/// x + factor · d.
pub(super) fn moved<T: Real>(x: &[T], factor: f64, d: &[T]) -> Vec<T> {
    let factor = T::from_f64(factor);
    x.iter().zip(d).map(|(&x, &d)| x + factor * d).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_all_elements() {
        // Whole numbers: every order of adding them gives the same.
        for length in [0, 1, 7, 8, 9, 40, 41] {
            let a: Vec<f32> = (0..length).map(|i| (i % 5) as f32 - 2.0).collect();
            let b: Vec<f32> = (0..length).map(|i| (i % 3) as f32 + 1.0).collect();
            let truth: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(x * y)).sum();
            assert_eq!(dot(&a, &b), truth, "{length}");
            assert_eq!(sum_of_sizes(&a), a.iter().map(|x| f64::from(x.abs())).sum::<f64>());
        }
        assert_eq!(largest(&[1.0, -3.0, 2.0f32]), 3.0);
    }
}
