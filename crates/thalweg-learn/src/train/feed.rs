//! What each step sees of the data.

use thalweg_kernel::{Key, Real};

use crate::arch::Architecture;
use crate::batches::{BatchError, Batches, Epoch};
use crate::data::Dataset;
use crate::objective::Examples;

/// The examples of a run, step by step: batches of them, or all at once, each with a key if anything is dropped.
///
/// What a step sees is a function of its number: whoever goes on from a checkpoint needs nothing else to see the same.
pub(super) struct Feed<T> {
    data: Examples<T>,
    /// Examples in the data.
    count: usize,
    /// Inputs and labels of one.
    widths: [usize; 2],
    /// None where every step sees all examples, in their own order.
    batches: Option<Batches>,
    /// The epoch that was last drawn from, and its number.
    epoch: Option<(u64, Epoch)>,
    batch: Examples<T>,
    /// From its children by step, and of those the children by example, dropout draws.
    dropout: Option<Key>,
}

impl<T: Real> Feed<T> {
    /// Of a network that fits the data. `key` decides the order of the examples, and what is dropped of them.
    pub(super) fn new(
        architecture: &dyn Architecture,
        data: &Dataset,
        batch_size: Option<usize>,
        key: Key,
    ) -> Result<Self, BatchError> {
        let count = data.examples();
        Ok(Self {
            data: Examples::of(data),
            count,
            widths: [architecture.inputs(), architecture.positions()],
            batches: batch_size.map(|size| Batches::new(count, size, key, false)).transpose()?,
            epoch: None,
            batch: Examples::new(Vec::new(), Vec::new()),
            dropout: architecture.draws().then(|| key.named("dropout")),
        })
    }

    /// Steps in an epoch.
    pub(super) fn per_epoch(&self) -> u64 {
        self.batches.as_ref().map_or(1, |batches| batches.per_epoch() as u64)
    }

    /// What that step sees, and how many examples that is.
    pub(super) fn at(&mut self, step: u64) -> (&Examples<T>, usize) {
        let of_step = self.dropout.map(|key| key.fold_in(step));
        let key = |step: Key| move |example: usize| step.fold_in(example as u64);
        let Some(batches) = &self.batches else {
            if let Some(step) = of_step {
                self.data.set_keys((0..self.count).map(key(step)));
            }
            return (&self.data, self.count);
        };
        let position = batches.position(step);
        if self.epoch.as_ref().is_none_or(|(number, _)| *number != position.epoch) {
            self.epoch = None;
        }
        let (_, epoch) = self.epoch.get_or_insert_with(|| (position.epoch, batches.epoch(position.epoch)));
        let chosen = epoch.batch(position.batch);
        gather(&self.data, self.widths, chosen, &mut self.batch);
        if let Some(step) = of_step {
            self.batch.set_keys(chosen.iter().copied().map(key(step)));
        }
        (&self.batch, chosen.len())
    }
}

/// Copies those examples, in that order.
fn gather<T: Real>(data: &Examples<T>, widths: [usize; 2], chosen: &[usize], batch: &mut Examples<T>) {
    let [inputs, labels] = widths;
    batch.inputs.clear();
    batch.labels.clear();
    for &example in chosen {
        batch.inputs.extend_from_slice(&data.inputs[example * inputs..(example + 1) * inputs]);
        batch.labels.extend_from_slice(&data.labels[example * labels..(example + 1) * labels]);
    }
}
