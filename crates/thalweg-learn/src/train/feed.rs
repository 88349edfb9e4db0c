//! What each step sees of the data.

use thalweg_kernel::{Key, Real, prefetch, threads};

use crate::arch::Architecture;
use crate::augment::{Augmentation, Augmenter};
use crate::batches::{BatchError, Batches, Epoch};
use crate::data::Dataset;
use crate::objective::Examples;

/// The examples of a run, step by step: batches of them, or all at once, changed if they are augmented, each with a key if
/// anything is dropped.
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
    /// Changes images, by epoch and example.
    augmenter: Option<Augmenter>,
    /// From its children by step, and of those the children by example, dropout draws.
    dropout: Option<Key>,
}

impl<T: Real> Feed<T> {
    /// Of a network that fits the data. `key` decides the order of the examples, how they are changed and what is dropped of them.
    pub(super) fn new(
        architecture: &dyn Architecture,
        data: &Dataset,
        batch_size: Option<usize>,
        augment: Option<Augmentation>,
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
            augmenter: augment.map(|augment| Augmenter::new(augment, data, key.named("augmentation"))),
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
            let seen = match &self.augmenter {
                None => &mut self.data,
                Some(augmenter) => {
                    let all: Vec<usize> = (0..self.count).collect();
                    gather(&self.data, self.widths, &all, Some((augmenter, step)), &mut self.batch);
                    &mut self.batch
                }
            };
            if let Some(step) = of_step {
                seen.set_keys((0..self.count).map(key(step)));
            }
            return (seen, self.count);
        };
        let position = batches.position(step);
        if self.epoch.as_ref().is_none_or(|(number, _)| *number != position.epoch) {
            self.epoch = None;
        }
        let (_, epoch) = self.epoch.get_or_insert_with(|| (position.epoch, batches.epoch(position.epoch)));
        let chosen = epoch.batch(position.batch);
        let augmenter = self.augmenter.as_ref().map(|augmenter| (augmenter, position.epoch));
        gather(&self.data, self.widths, chosen, augmenter, &mut self.batch);
        if let Some(step) = of_step {
            self.batch.set_keys(chosen.iter().copied().map(key(step)));
        }
        (&self.batch, chosen.len())
    }
}

/// Numbers that a thread copies, at least: enough to be worth its while.
const LEAST: usize = 1 << 13;

/// Copies those examples, in that order, as they are seen in that epoch if they are changed.
fn gather<T: Real>(
    data: &Examples<T>,
    [inputs, labels]: [usize; 2],
    chosen: &[usize],
    augmenter: Option<(&Augmenter, u64)>,
    batch: &mut Examples<T>,
) {
    batch.labels.clear();
    batch.labels.extend(
        chosen.iter().flat_map(|&example| &data.labels[example * labels..(example + 1) * labels]).copied(),
    );
    batch.inputs.resize(chosen.len() * inputs, T::ZERO);
    let share = threads::share(chosen.len(), LEAST / inputs);
    let mut shares: Vec<_> = chosen.chunks(share).zip(batch.inputs.chunks_mut(share * inputs)).collect();
    let own = |example: usize| &data.inputs[example * inputs..(example + 1) * inputs];
    threads::for_each_mut(&mut shares, &|(chosen, to)| {
        for (number, (&example, to)) in chosen.iter().zip(to.chunks_mut(inputs)).enumerate() {
            if let Some(&next) = chosen.get(number + 1) {
                prefetch(own(next));
            }
            let own = own(example);
            match augmenter {
                None => to.copy_from_slice(own),
                Some((augmenter, epoch)) => augmenter.write(epoch, example, own, to),
            }
        }
    });
}
