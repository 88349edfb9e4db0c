//! The order in which examples are seen.
//!
//! Every epoch is a permutation drawn from `key.fold_in(epoch)`: the batch of any step can be had without walking
//! through those before it. A shuffler that advances a generator would have to be stored in every checkpoint.

use thalweg_kernel::Key;

/// Batches of a data set, reshuffled every epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batches {
    examples: usize,
    batch_size: usize,
    key: Key,
    drop_last: bool,
}

/// A batch size that gives no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// Nothing to batch.
    #[error("expected at least one example, found none")]
    NoExamples,
    /// Batches of nothing.
    #[error("expected a batch size of at least 1, found 0")]
    NoSize,
    /// Every epoch would be empty.
    #[error(
        "expected a batch size of at most {examples} (the number of examples, as the last batch is dropped if incomplete), found {batch_size}"
    )]
    TooLarge {
        /// Number of examples.
        examples: usize,
        /// The size given.
        batch_size: usize,
    },
}

/// Where a step stands: its epoch and its batch in it, both from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Epoch.
    pub epoch: u64,
    /// Batch of the epoch.
    pub batch: usize,
}

/// One epoch: a permutation of the examples, cut into batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    order: Vec<usize>,
    batch_size: usize,
}

impl Batches {
    /// Batches of `batch_size` indices out of `0..examples`. The last batch of an epoch has what is left, or is left
    /// out if `drop_last` and it is incomplete.
    ///
    /// # Errors
    /// If an epoch would have no batch.
    pub fn new(examples: usize, batch_size: usize, key: Key, drop_last: bool) -> Result<Self, BatchError> {
        if examples == 0 {
            return Err(BatchError::NoExamples);
        }
        if batch_size == 0 {
            return Err(BatchError::NoSize);
        }
        if drop_last && batch_size > examples {
            return Err(BatchError::TooLarge { examples, batch_size });
        }
        Ok(Self { examples, batch_size, key, drop_last })
    }

    /// Batches of an epoch.
    pub fn per_epoch(&self) -> usize {
        if self.drop_last { self.examples / self.batch_size } else { self.examples.div_ceil(self.batch_size) }
    }

    /// That epoch, from 0. Cost: one permutation.
    pub fn epoch(&self, epoch: u64) -> Epoch {
        let mut order = self.key.fold_in(epoch).permutation(self.examples);
        if self.drop_last {
            order.truncate(self.per_epoch() * self.batch_size);
        }
        Epoch { order, batch_size: self.batch_size }
    }

    /// Epoch and batch of that step, from 0.
    pub fn position(&self, step: u64) -> Position {
        let per_epoch = self.per_epoch() as u64;
        Position { epoch: step / per_epoch, batch: (step % per_epoch) as usize }
    }

    /// The examples of that step. Cost: one permutation; to walk through an epoch take [`Self::epoch`].
    pub fn at_step(&self, step: u64) -> Vec<usize> {
        let Position { epoch, batch } = self.position(step);
        self.epoch(epoch).batch(batch).to_vec()
    }
}

impl Epoch {
    /// The batches in order, each a slice of indices of examples.
    pub fn batches(&self) -> impl ExactSizeIterator<Item = &[usize]> {
        self.order.chunks(self.batch_size)
    }

    /// One batch. Panics if the epoch has no such batch.
    pub fn batch(&self, batch: usize) -> &[usize] {
        let start = batch * self.batch_size;
        &self.order[start..self.order.len().min(start + self.batch_size)]
    }

    /// All examples of the epoch in order.
    pub fn order(&self) -> &[usize] {
        &self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(examples: usize, batch_size: usize, drop_last: bool) -> Batches {
        Batches::new(examples, batch_size, Key::from_seed(3), drop_last).unwrap()
    }

    #[test]
    fn an_epoch_sees_every_example_once() {
        for (examples, size) in [(10, 3), (10, 5), (10, 10), (10, 64), (1, 1)] {
            let epoch = batches(examples, size, false).epoch(4);
            let mut seen: Vec<usize> = epoch.batches().flatten().copied().collect();
            assert_eq!(seen, epoch.order());
            seen.sort_unstable();
            assert_eq!(seen, (0..examples).collect::<Vec<_>>());
            assert!(epoch.batches().all(|batch| batch.len() <= size));
        }
    }

    #[test]
    fn the_last_batch_is_short_or_dropped() {
        let sizes =
            |drop_last| batches(10, 4, drop_last).epoch(0).batches().map(<[usize]>::len).collect::<Vec<_>>();
        assert_eq!((sizes(false), sizes(true)), (vec![4, 4, 2], vec![4, 4]));
        assert_eq!((batches(10, 4, false).per_epoch(), batches(10, 4, true).per_epoch()), (3, 2));
        // What is dropped changes nothing of what is kept.
        assert_eq!(batches(10, 4, true).epoch(0).order(), &batches(10, 4, false).epoch(0).order()[..8]);
    }

    #[test]
    fn any_step_can_be_replayed_alone() {
        for drop_last in [false, true] {
            let batches = batches(23, 5, drop_last);
            let mut step = 0;
            for e in 0..4 {
                for (b, batch) in batches.epoch(e).batches().enumerate() {
                    assert_eq!(batches.position(step), Position { epoch: e, batch: b });
                    assert_eq!(batches.at_step(step), batch);
                    assert_eq!(batches.epoch(e).batch(b), batch);
                    step += 1;
                }
            }
            assert_eq!(step, 4 * batches.per_epoch() as u64);
        }
    }

    #[test]
    fn epochs_and_keys_differ() {
        let order = |seed, epoch| {
            Batches::new(50, 8, Key::from_seed(seed), false).unwrap().epoch(epoch).order().to_vec()
        };
        assert_ne!(order(0, 0), order(0, 1));
        assert_ne!(order(0, 0), order(1, 0));
        assert_eq!(order(0, 1), order(0, 1));
    }

    #[test]
    fn empty_epochs_are_refused() {
        let key = Key::from_seed(0);
        assert_eq!(Batches::new(0, 1, key, false), Err(BatchError::NoExamples));
        assert_eq!(Batches::new(1, 0, key, false), Err(BatchError::NoSize));
        assert_eq!(Batches::new(4, 5, key, true), Err(BatchError::TooLarge { examples: 4, batch_size: 5 }));
        assert_eq!(Batches::new(4, 5, key, false).unwrap().per_epoch(), 1);
    }
}
