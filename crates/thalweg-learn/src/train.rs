//! Training: a state that steps.

use std::sync::Arc;

use thalweg_kernel::{Key, Real};

use crate::arch::Architecture;
use crate::batches::{BatchError, Batches};
use crate::data::Dataset;
use crate::loss::Loss;
use crate::objective::{Examples, Objective, Value};
use crate::optim::{Optimiser, OptimiserError, OptimiserState};
use crate::schedule::{Schedule, ScheduleError};

/// A recipe that cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The optimiser's numbers.
    #[error(transparent)]
    Optimiser(#[from] OptimiserError),
    /// The schedule's numbers.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The batches.
    #[error(transparent)]
    Batches(#[from] BatchError),
}

/// How to train: what of a run is neither network nor data.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The loss; its mean over each batch is what is stepped on.
    pub loss: Loss,
    /// The optimiser.
    pub optimiser: Optimiser,
    /// The learning rate.
    pub schedule: Schedule,
    /// Examples in a batch; `None` is all of them at once, in their own order: full-batch descent.
    pub batch_size: Option<usize>,
}

/// θ, the optimiser's state and the number of steps taken: with the recipe and the key, all that the next step
/// depends on.
pub struct Trainer<T: Real> {
    recipe: Recipe,
    data: Examples<T>,
    features: usize,
    batches: Option<Batches>,
    whole: Objective<T>,
    rest: Option<Objective<T>>,
    order: Option<(u64, Vec<usize>)>,
    batch: Examples<T>,
    gradient: Vec<T>,
    theta: Vec<T>,
    state: OptimiserState<T>,
}

impl<T: Real> Trainer<T> {
    /// Before the first step. `key` decides the order of the examples.
    ///
    /// # Errors
    /// If a number of the recipe is out of range, or the batch size does not fit the data.
    ///
    /// # Panics
    /// If θ has not the network's length.
    pub fn new(
        architecture: &Arc<dyn Architecture>,
        data: &Dataset,
        recipe: Recipe,
        theta: Vec<T>,
        key: Key,
    ) -> Result<Self, TrainError> {
        let state = OptimiserState::new(recipe.optimiser.clone(), theta.len())?;
        Self::resume(architecture, data, recipe, theta, state, key)
    }

    /// Where an earlier run stood: after as many steps as the optimiser's state has taken.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// If θ has not the network's length.
    pub fn resume(
        architecture: &Arc<dyn Architecture>,
        data: &Dataset,
        recipe: Recipe,
        theta: Vec<T>,
        state: OptimiserState<T>,
        key: Key,
    ) -> Result<Self, TrainError> {
        recipe.optimiser.validate()?;
        recipe.schedule.validate()?;
        assert_eq!(theta.len(), architecture.space().dimension(), "theta's length");
        let examples = data.examples();
        let batches = recipe.batch_size.map(|size| Batches::new(examples, size, key, false)).transpose()?;
        let size = recipe.batch_size.unwrap_or(examples);
        let objective = |examples| Objective::new(Arc::clone(architecture), recipe.loss, examples);
        Ok(Self {
            data: Examples::of(data),
            features: data.features(),
            batches,
            whole: objective(size),
            rest: (examples % size != 0).then(|| objective(examples % size)),
            order: None,
            batch: Examples { inputs: Vec::new(), labels: Vec::new() },
            gradient: vec![T::ZERO; theta.len()],
            recipe,
            theta,
            state,
        })
    }

    /// θ.
    pub fn theta(&self) -> &[T] {
        &self.theta
    }

    /// The optimiser's state.
    pub fn state(&self) -> &OptimiserState<T> {
        &self.state
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.state.steps()
    }

    /// Steps in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.batches.as_ref().map_or(1, |batches| batches.per_epoch() as u64)
    }

    /// One step. Returns loss and error on its batch before it; if that loss is not finite the step is not taken,
    /// and neither θ nor the state changes.
    pub fn step(&mut self) -> Value {
        let step = self.steps();
        let full = self.gather(step);
        let batch = if self.batches.is_some() { &self.batch } else { &self.data };
        let objective = if full { &self.whole } else { self.rest.as_ref().unwrap_or(&self.whole) };
        let value = objective.gradient(&self.theta, batch, &mut self.gradient);
        if value.loss.is_finite() {
            self.state.step(&mut self.theta, &[&self.gradient], self.recipe.schedule.lr_at(step));
        }
        value
    }

    /// Brings together the step's batch; says whether it has the full size.
    fn gather(&mut self, step: u64) -> bool {
        let Some(batches) = &self.batches else { return true };
        let position = batches.position(step);
        if self.order.as_ref().is_none_or(|(epoch, _)| *epoch != position.epoch) {
            self.order = Some((position.epoch, batches.epoch(position.epoch).order().to_vec()));
        }
        let order = self.order.as_ref().map_or(&[][..], |(_, order)| order);
        let size = self.whole.examples();
        let start = position.batch * size;
        let chosen = &order[start..(start + size).min(order.len())];
        self.batch.inputs.clear();
        self.batch.labels.clear();
        for &example in chosen {
            let input = example * self.features..(example + 1) * self.features;
            self.batch.inputs.extend_from_slice(&self.data.inputs[input]);
            self.batch.labels.push(self.data.labels[example]);
        }
        chosen.len() == size
    }
}
