//! Running statistics of batch norms.

use thalweg_kernel::Real;

use crate::arch::{BatchNorm, statistics_len};

/// The weight of a new batch, as PyTorch's `momentum` has it by default.
const MOMENTUM: f64 = 0.1;

/// An average over steps of the statistics that batch norms took: means, and unbiased variances, as PyTorch keeps them.
/// Laid out as [`Statistics`](crate::arch::Statistics) says.
#[derive(Clone, Debug)]
pub(super) struct Running<T> {
    values: Vec<T>,
}

impl<T: Real> Running<T> {
    /// Before the first step: means 0, variances 1.
    pub(super) fn new(norms: &[BatchNorm]) -> Self {
        let start = |norm: &BatchNorm| {
            let channels = norm.channels;
            std::iter::repeat_n(T::ZERO, channels).chain(std::iter::repeat_n(T::ONE, channels))
        };
        Self::resume(norms.iter().flat_map(start).collect())
    }

    /// Where an earlier run stood.
    pub(super) fn resume(values: Vec<T>) -> Self {
        Self { values }
    }

    /// The averages.
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }

    /// Takes in the statistics s of a batch of so many examples: r ← 0.9 r + 0.1 s.
    pub(super) fn update(&mut self, norms: &[BatchNorm], examples: usize, batch: &[T]) {
        debug_assert_eq!(self.values.len(), statistics_len(norms), "the statistics of these norms");
        let (keep, take) = (T::from_f64(1.0 - MOMENTUM), MOMENTUM);
        let mut pairs = self.values.iter_mut().zip(batch);
        for norm in norms {
            let count = (examples * norm.positions) as f64;
            // One number alone has no unbiased variance; its biased one is 0.
            let unbiased = count / (count - 1.0).max(1.0);
            for factor in [1.0, unbiased] {
                for (running, &batch) in pairs.by_ref().take(norm.channels) {
                    *running = *running * keep + batch * T::from_f64(take * factor);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Running;
    use crate::arch::BatchNorm;

    #[test]
    fn averages_are_those_of_pytorch() {
        let norm = BatchNorm { name: "bn".to_owned(), channels: 1, positions: 2, permuted: None };
        let mut running = Running::<f64>::new(std::slice::from_ref(&norm));
        assert_eq!(running.values(), [0.0, 1.0]);
        running.update(&[norm], 2, &[2.0, 0.75]);
        // Four numbers: a biased variance of 0.75 is an unbiased one of 1.
        let expected = [0.2, 1.0];
        assert!(running.values().iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-15));
    }
}
