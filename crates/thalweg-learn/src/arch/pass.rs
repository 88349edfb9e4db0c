//! What a network takes beside its parameters and inputs while it is being written, as the mode has it.

use thalweg_program::builder::Var;

use super::Statistics;

/// A pass through a network, from its inputs to its outputs.
pub struct Pass<'b> {
    pub(super) statistics: Statistics<'b>,
    /// Of each example, from which dropout draws; none where nothing is dropped.
    keys: Option<Var<'b>>,
    /// Uses of dropout so far.
    uses: u64,
}

impl<'b> Pass<'b> {
    /// Before the first layer. `keys` are `[examples, 11]`, for each example the [words](thalweg_kernel::Key::words) of one;
    /// without any, nothing is dropped.
    pub fn new(statistics: Statistics<'b>, keys: Option<Var<'b>>) -> Self {
        Self { statistics, keys, uses: 0 }
    }

    /// The statistics that batch norms took.
    pub fn into_statistics(self) -> Statistics<'b> {
        self.statistics
    }

    /// [Dropout](Var::dropout) of `x`, `[examples, …]`.
    ///
    /// Each use draws from a stream of its own, numbered in the order in which the network is written; one that drops
    /// nothing is counted too, so that what is dropped here does not depend on whether anything is there.
    pub(super) fn dropout(&mut self, x: Var<'b>, probability: f64) -> Var<'b> {
        let stream = self.uses;
        self.uses += 1;
        match self.keys {
            Some(keys) if probability > 0.0 => x.dropout(keys, stream, probability),
            _ => x,
        }
    }
}
