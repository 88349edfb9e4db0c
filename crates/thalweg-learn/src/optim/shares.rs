//! Which thread takes which parameters.

use std::sync::atomic::{AtomicBool, Ordering};

use thalweg_kernel::{Loops, Real, threads, vectorised};
use thalweg_program::params::ParamSpace;

/// Parameters that a thread takes, at least: enough to be worth its while.
const LEAST: usize = 1 << 14;
/// Parameters of one array that a thread takes, at least: those of a smaller one stay together.
const PIECE: usize = 1 << 12;
/// Parameters whose numbers fill whole lines of a cache.
const LINE: usize = 64;

/// Which thread takes which parameters, the same ones in every step: they then stay in the cache of its core.
///
/// Of each large array of parameters every thread takes some rows, as the products do that make its gradient: each then finds in its
/// cache what it made itself. Who takes what changes no bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// The parameters in order, a few at a time: how many, and who takes them.
    pieces: Vec<(usize, usize)>,
    /// How many take some.
    takers: usize,
}

impl Shares {
    /// For the threads of the caller's pool, of parameters that lie in arrays.
    pub(crate) fn of(space: &ParamSpace) -> Self {
        let rows = |shape: &[usize]| shape.first().copied().unwrap_or(1);
        Self::of_arrays(space.leaves().iter().map(|leaf| (rows(&leaf.shape), leaf.len())))
    }

    /// The same of parameters of which nothing is known but their number.
    pub(crate) fn even(parameters: usize) -> Self {
        Self::of_arrays([(1, parameters)])
    }

    /// Of arrays with so many rows and elements.
    pub(super) fn of_arrays(arrays: impl IntoIterator<Item = (usize, usize)> + Clone) -> Self {
        let parameters: usize = arrays.clone().into_iter().map(|(_, length)| length).sum();
        let takers = rayon::current_num_threads().min(parameters / LEAST).max(1);
        let mut shares = Self { pieces: Vec::new(), takers };
        let mut taken = vec![0; takers];
        for (rows, length) in arrays {
            if length / takers < PIECE {
                let least = (0..takers).min_by_key(|&taker| taken[taker]).expect("there is one");
                shares.give(length, least);
                taken[least] += length;
                continue;
            }
            // Where rows are fewer than threads, they are cut, too.
            let row = if rows < takers { LINE } else { length / rows };
            let end = |taker: usize| (length.div_ceil(row) * taker / takers * row).min(length);
            for (taker, taken) in taken.iter_mut().enumerate() {
                let length = end(taker + 1) - end(taker);
                shares.give(length, taker);
                *taken += length;
            }
        }
        shares
    }

    /// Gives a thread the next so many parameters.
    fn give(&mut self, length: usize, taker: usize) {
        match self.pieces.last_mut() {
            Some((last, same)) if *same == taker => *last += length,
            _ => self.pieces.push((length, taker)),
        }
    }

    /// How many parameters there are.
    pub(super) fn parameters(&self) -> usize {
        self.pieces.iter().map(|&(length, _)| length).sum()
    }

    /// For each thread what it does, of what is to be done piece by piece, given how long each is.
    pub(super) fn deal<P>(&self, mut cut_off: impl FnMut(usize) -> P) -> Vec<Vec<P>> {
        let mut hands: Vec<Vec<P>> = std::iter::repeat_with(Vec::new).take(self.takers).collect();
        for &(length, taker) in &self.pieces {
            hands[taker].push(cut_off(length));
        }
        hands
    }

    /// Whether none of so many values is infinite or NaN.
    pub(crate) fn all_finite<T: Real>(&self, values: &[T]) -> bool {
        assert_eq!(values.len(), self.parameters(), "a value for each parameter");
        let finite = AtomicBool::new(true);
        let mut rest = values;
        let hands = self.deal(|length| {
            let (values, others) = rest.split_at(length);
            rest = others;
            values
        });
        threads::for_each(&hands, &|hand| {
            hand.iter().for_each(|values| vectorised(Check { values, finite: &finite }));
        });
        finite.into_inner()
    }
}

/// A check of some values.
struct Check<'a, T> {
    values: &'a [T],
    finite: &'a AtomicBool,
}

impl<T: Real> Loops for Check<'_, T> {
    #[inline(always)]
    fn run(self) {
        // Zero times a number is 0 if it is finite, and blocks are looked at whole, so that loops need not end early.
        for block in self.values.chunks(1024) {
            let mut finite = true;
            for &x in block {
                finite &= x * T::ZERO == T::ZERO;
            }
            if !finite {
                self.finite.store(false, Ordering::Relaxed);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    }

    /// Who takes how many, in order.
    fn pieces(threads: usize, arrays: &[(usize, usize)]) -> Vec<(usize, usize)> {
        on(threads, || Shares::of_arrays(arrays.iter().copied())).pieces
    }

    #[test]
    fn of_each_large_array_every_thread_takes_whole_rows() {
        let weights = (300, 300 * 784);
        // What is small goes to the one who has the least.
        let small = [(10, 1000), (300, 300)];
        assert_eq!(pieces(2, &[small[0], weights, small[1]]), [(1000 + 150 * 784, 0), (150 * 784 + 300, 1)]);
        assert_eq!(pieces(4, &[(5, 5 << 14)]), [(1 << 14, 0), (1 << 14, 1), (1 << 14, 2), (2 << 14, 3)]);
        // A row for all.
        assert_eq!(pieces(2, &[(1, (1 << 16) + 1)]), [(1 << 15, 0), ((1 << 15) + 1, 1)]);
    }

    #[test]
    fn few_parameters_are_not_worth_another_threads_while() {
        assert_eq!(pieces(8, &[(100, 30_000)]), [(30_000, 0)]);
        // One thread takes all at once.
        assert_eq!(pieces(1, &[(2, 1 << 20), (3, 0), (5, 5)]), [((1 << 20) + 5, 0)]);
        assert_eq!(pieces(8, &[]), []);
        // Nor do many small arrays stay with one.
        let taken = pieces(4, &[(64, 64 * 64); 40]);
        assert!((0..4).all(|taker| taken.iter().filter(|piece| piece.1 == taker).count() == 10));
    }

    #[test]
    fn one_value_that_is_no_number_is_found_wherever_it_is() {
        for threads in [1, 3] {
            on(threads, || {
                let shares = Shares::of_arrays([(7, 70_000), (1, 1), (10, 100)]);
                let mut values = vec![1e308f64; 70_101];
                assert!(shares.all_finite(&values));
                for place in [0, 1023, 1024, 40_000, 69_999, 70_000, 70_100] {
                    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                        let right = std::mem::replace(&mut values[place], wrong);
                        assert!(!shares.all_finite(&values), "{wrong} at {place}");
                        values[place] = right;
                    }
                }
            });
        }
        assert!(Shares::even(0).all_finite::<f32>(&[]));
    }
}
