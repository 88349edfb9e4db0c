//! Training: a state that steps.
//!
//! A [`TrainConfig`] is how to train, for a data set of any size; with a number of examples it becomes a [`Plan`]. A
//! [`Trainer`] takes the steps one at a time, so that whoever drives it decides when to measure, to write a
//! checkpoint or to end. A loop with callbacks would have to know of all that.
//!
//! ```
//! use thalweg_kernel::Key;
//! use thalweg_learn::arch::{ModelConfig, initial_parameters};
//! use thalweg_learn::data::DataConfig;
//! use thalweg_learn::objective::{Examples, Objective};
//! use thalweg_learn::train::{TrainConfig, Trainer};
//!
//! let split = DataConfig::default().load()?;
//! let model = ModelConfig::default();
//! let network = model.build(split.train.shape(), split.train.classes())?;
//! let config = TrainConfig { epochs: 2, ..TrainConfig::default() };
//! let plan = config.plan(split.train.examples())?;
//!
//! let key = Key::from_seed(0);
//! let theta: Vec<f32> = initial_parameters(network.space(), model.init(), key.named("initial weights"));
//! let mut trainer = Trainer::new(&network, &split.train, plan.recipe, theta, key.named("batches"))?;
//! while trainer.steps() < plan.steps && trainer.step().taken {}
//!
//! let test = Objective::new(network, config.loss, split.test.examples());
//! let value = test.values(&[trainer.theta()], &Examples::of(&split.test))[0];
//! assert!(value.error < 0.2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod error;
mod feed;
mod fit;
mod resume;
mod running;
mod step;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use thalweg_kernel::threads::Awake;
use thalweg_kernel::{Key, Real};

use crate::arch::{Architecture, statistics_len};
use crate::augment::Augmentation;
use crate::data::Dataset;
use crate::loss::Loss;
use crate::objective::Objective;
use crate::optim::{Optimiser, OptimiserState, Probe, Shares};
use crate::schedule::Schedule;
use feed::Feed;
use fit::check_fit;
use running::Running;
use step::Seen;

pub use config::{BatchSize, Course, Plan, TrainConfig};
pub use error::TrainError;
pub use step::Step;

/// How to train: what of a run is neither network nor data.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// The loss; its mean over each batch is what is stepped on.
    pub loss: Loss,
    /// The optimiser.
    pub optimiser: Optimiser,
    /// The learning rate.
    pub schedule: Schedule,
    /// Examples in a batch; `None` is all of them at once, in their own order: full-batch descent.
    pub batch_size: Option<usize>,
    /// The norm that a gradient is shortened to if it is longer; `None` leaves gradients as they are. As PyTorch's
    /// `clip_grad_norm_`: by c / (‖g‖₂ + 10⁻⁶), over all parameters together, before weight decay.
    pub clip_norm: Option<f64>,
    /// How images are changed whenever they are seen; `None` leaves them as they are.
    pub augment: Option<Augmentation>,
}

impl Recipe {
    /// Examples in a batch, of so many in all: the last batch may have fewer.
    pub fn batch(&self, examples: usize) -> usize {
        self.batch_size.unwrap_or(examples).min(examples)
    }

    /// Whether every batch norm has several numbers to take a variance of, in the last batch, too.
    ///
    /// # Errors
    /// A batch of one example for a batch norm of features.
    pub fn check_batches(&self, architecture: &dyn Architecture, examples: usize) -> Result<(), TrainError> {
        let size = self.batch(examples);
        match architecture.norms().iter().find(|norm| norm.positions == 1) {
            Some(norm) if size == 1 || examples % size.max(1) == 1 => {
                Err(TrainError::LoneExample { norm: norm.name.clone(), examples, size })
            }
            _ => Ok(()),
        }
    }

    /// Whether every step sees the same function, if the optimiser [wants one](Optimiser::chooses_points).
    ///
    /// # Errors
    /// Mini-batches, augmentation, clipping or dropout beside such an optimiser.
    pub fn check_function(&self, architecture: &dyn Architecture) -> Result<(), TrainError> {
        if !self.optimiser.chooses_points() {
            return Ok(());
        }
        let kind = self.optimiser.kind();
        let refusal = |field, expected: String, found: String| TrainError::Choice { field, expected, found };
        if let Some(size) = self.batch_size {
            let expected = format!("\"full\", as {kind} is for the loss of all examples");
            return Err(refusal("batch_size", expected, size.to_string()));
        }
        if self.augment.is_some() {
            let expected = format!("none, as {kind} is for a loss that stays the same");
            return Err(refusal("augment", expected, "one".to_owned()));
        }
        if let Some(norm) = self.clip_norm {
            let expected = format!("none, as {kind} is for the gradient as it is");
            return Err(refusal("clip_norm", expected, norm.to_string()));
        }
        if architecture.draws() {
            let expected = "an optimiser that steps along random gradients, as this network has dropout";
            return Err(refusal("optimiser.kind", expected.to_owned(), kind.to_owned()));
        }
        Ok(())
    }
}

/// θ, the running statistics of its batch norms, the optimiser's state and the number of steps taken: with the recipe and the key, all that the next step
/// depends on.
pub struct Trainer<T: Real> {
    recipe: Recipe,
    feed: Feed<T>,
    /// Of a whole batch.
    whole: Objective<T>,
    /// Of an epoch's last batch, where that is smaller.
    rest: Option<Objective<T>>,
    /// What was last seen of the loss.
    here: Probe<T, Seen<T>>,
    /// Whether that was at θ, on the next step's batch. What a step sees follows from θ, so this saves work and is no state.
    is_known: bool,
    theta: Vec<T>,
    running: Running<T>,
    state: OptimiserState<T>,
    /// Who moves which parameters.
    shares: Shares,
    /// A step has many pieces of work, and few of them are long.
    awake: Awake,
}

impl<T: Real> Trainer<T> {
    /// Before the first step. `key` decides the order of the examples, how they are augmented, and what dropout drops.
    ///
    /// # Errors
    /// If a number of the recipe is out of range, or network, data and batch size do not fit each other.
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
        let state = OptimiserState::new(recipe.optimiser, theta.len())?;
        let statistics = Running::new(architecture.norms()).values().to_vec();
        Self::resume(architecture, data, recipe, theta, statistics, state, key)
    }

    /// Where an earlier run stood: after as many steps as the optimiser's state has taken, with those running statistics.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if the state is another optimiser's.
    ///
    /// # Panics
    /// If θ, the statistics or the state has not the network's length.
    pub fn resume(
        architecture: &Arc<dyn Architecture>,
        data: &Dataset,
        recipe: Recipe,
        theta: Vec<T>,
        statistics: Vec<T>,
        state: OptimiserState<T>,
        key: Key,
    ) -> Result<Self, TrainError> {
        check_fit(&**architecture, recipe.loss, data)?;
        recipe.optimiser.validate()?;
        recipe.schedule.validate()?;
        recipe.check_function(&**architecture)?;
        if *state.optimiser() != recipe.optimiser {
            return Err(TrainError::OtherOptimiser { expected: recipe.optimiser, found: *state.optimiser() });
        }
        assert_eq!(theta.len(), architecture.space().dimension(), "theta's length");
        assert_eq!(statistics.len(), statistics_len(architecture.norms()), "the running statistics' length");
        assert_eq!(state.parameters(), theta.len(), "the length of the optimiser's state");
        let examples = data.examples();
        let size = recipe.batch(examples);
        recipe.check_batches(&**architecture, examples)?;
        if let Some(augment) = recipe.augment {
            augment.check(data)?;
        }
        let objective = |examples| Objective::training(Arc::clone(architecture), recipe.loss, examples);
        Ok(Self {
            awake: Awake::default(),
            shares: Shares::of(architecture.space()),
            feed: Feed::new(&**architecture, data, recipe.batch_size, recipe.augment, key)?,
            whole: objective(size),
            rest: (!examples.is_multiple_of(size)).then(|| objective(examples % size)),
            here: step::nothing(theta.len(), statistics.len()),
            is_known: false,
            recipe,
            theta,
            running: Running::resume(statistics),
            state,
        })
    }

    /// How it trains.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The network.
    pub fn architecture(&self) -> &Arc<dyn Architecture> {
        self.whole.architecture()
    }

    /// θ.
    pub fn theta(&self) -> &[T] {
        &self.theta
    }

    /// The running statistics of the batch norms: averages over steps of the statistics that they took, the variances
    /// unbiased. Laid out as [`Statistics`](crate::arch::Statistics) says.
    pub fn statistics(&self) -> &[T] {
        self.running.values()
    }

    /// Puts other running statistics in their place, such as those of a network that was trained before.
    ///
    /// # Panics
    /// If they have another length.
    pub fn set_statistics(&mut self, statistics: Vec<T>) {
        assert_eq!(statistics.len(), self.statistics().len(), "the running statistics' length");
        self.running = Running::resume(statistics);
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
        self.feed.per_epoch()
    }
}
