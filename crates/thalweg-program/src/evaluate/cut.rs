//! How the examples of a data set are cut into shards.

use std::ops::Range;

/// Memory that the sums of shards that run together may take, in elements.
const COUPLED_BUDGET: usize = 1 << 24;
/// Examples in a shard then, at least: few, so that what a phase writes is still in a core's cache when it reads it.
const COUPLED_SHARD: usize = 8;
/// Shards beyond which more would not find threads.
const SHARDS: usize = 64;

/// How the examples of a data set are cut into shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Number of examples.
    pub examples: usize,
    /// Examples in each shard but the last.
    pub shard: usize,
}

impl Cut {
    /// As fits most work: shards of 64 examples, from 512 examples on of 128. That is enough rows for efficient
    /// matrix products, few enough that their activations stay in a core's cache, and enough shards for the threads.
    pub fn new(examples: usize) -> Self {
        Self::by(examples, if examples < 512 { 64 } else { 128 })
    }

    /// Shards of `shard` examples, the last one smaller if need be.
    pub fn by(examples: usize, shard: usize) -> Self {
        Self { examples, shard: shard.clamp(1, examples.max(1)) }
    }

    /// For a program in which examples of different shards meet, with so many elements to sum: the memory of all shards is
    /// then held at once, so they are as many as find threads, and shorter.
    pub fn coupled(examples: usize, sums: usize) -> Self {
        let affordable = (COUPLED_BUDGET / sums.max(1)).clamp(2, SHARDS);
        Self::by(examples, examples.div_ceil(affordable).max(COUPLED_SHARD))
    }

    /// Number of shards.
    pub fn shards(&self) -> usize {
        self.examples.div_ceil(self.shard)
    }

    pub(super) fn range(&self, shard: usize) -> Range<usize> {
        shard * self.shard..((shard + 1) * self.shard).min(self.examples)
    }
}
