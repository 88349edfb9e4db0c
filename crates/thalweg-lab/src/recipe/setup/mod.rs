//! What every recipe that trains begins with: from a configuration to data, network, plan and initial weights.
//!
//! Whatever is wrong with a configuration is found here, before a folder is made for it.

mod checkpoints;
mod config;
mod data;
mod docs;
mod files;
mod initial;
mod memory;
mod own;
mod own_config;
mod sets;
mod stop;
mod validate;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg_geometry::site::Dtype;
use thalweg_kernel::Key;
use thalweg_learn::arch::{Architecture, ModelConfig};
use thalweg_learn::data::{DigitsConfig, Folders, Split};
use thalweg_learn::schedule::Schedule;
use thalweg_learn::train::{Plan, TrainConfig};

pub use checkpoints::{CheckpointsConfig, Moment, NotAMoment};
pub use config::{
    DataSource, DigitsFileConfig, ImagesConfig, InitialConfig, SyntheticConfig, TextFileConfig,
};
pub(super) use data::{Source, write as write_data};
pub(super) use docs::doc as documentation;
pub(super) use initial::Initial;
pub use initial::import;
pub(super) use memory::{Part, WIDE, available, check as check_memory};
pub use own_config::{CsvConfig, ImageFolderConfig, NpzConfig};
pub use stop::{Metric, StopConfig, Stopped};

use super::RecipeError;

/// What initial weights are drawn from.
pub(super) const INITIAL: &str = "initial weights";

/// One training run: everything that decides its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunConfig {
    /// From it come the initial weights and, without a `noise_seed`, the order of examples and what dropout drops.
    pub seed: u64,
    /// Where the order of examples and what dropout drops come from, if not from `seed`: runs that share a seed and
    /// differ in this one begin at the same weights, and differ in SGD's noise alone.
    pub noise_seed: Option<u64>,
    /// The precision that the network is trained in.
    pub dtype: Dtype,
    /// The network and its initial weights.
    pub model: ModelConfig,
    /// Initial weights from a file in place of drawn ones.
    pub initial: InitialConfig,
    /// The data.
    pub data: DataSource,
    /// How to train.
    pub train: TrainConfig,
    /// When to keep θ.
    pub checkpoints: CheckpointsConfig,
    /// How often a run that is watched looks at the held-out set; `"1ep"`, after every epoch, unless given.
    pub evaluate: Moment,
    /// When a run that is watched ends before its last step; never unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopConfig>,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            noise_seed: None,
            dtype: Dtype::F32,
            model: ModelConfig::default(),
            initial: InitialConfig::default(),
            data: DataSource::Digits(DigitsConfig::default()),
            train: TrainConfig::default(),
            checkpoints: CheckpointsConfig { per_decade: 0, every_epochs: 0, at: None },
            evaluate: Moment::Epochs(1),
            stop: None,
        }
    }
}

/// Data in memory.
#[derive(Clone)]
pub(super) struct Loaded {
    /// As they were asked for.
    asked: DataSource,
    /// The same with digests.
    pinned: DataSource,
    data: Arc<Split>,
    source: Arc<Source>,
}

impl Loaded {
    fn find(asked: &DataSource, folders: &Folders, loaded: &mut Vec<Self>) -> Result<Self, RecipeError> {
        if let Some(known) = loaded.iter().find(|known| known.asked == *asked) {
            return Ok(known.clone());
        }
        let mut pinned = asked.clone();
        let (data, source) = data::load(&mut pinned, folders)?;
        let new = Self { asked: asked.clone(), pinned, data: Arc::new(data), source: Arc::new(source) };
        loaded.push(new.clone());
        Ok(new)
    }
}

/// A configuration worked out.
pub(super) struct Setup {
    /// With the digests of the files that it names.
    pub(super) config: RunConfig,
    pub(super) data: Arc<Split>,
    pub(super) source: Arc<Source>,
    pub(super) architecture: Arc<dyn Architecture>,
    pub(super) plan: Plan,
    pub(super) steps_per_epoch: u64,
    pub(super) checkpoint_steps: Vec<u64>,
    /// The file of initial weights, if there is one.
    initial: Option<Vec<u8>>,
}

impl Setup {
    /// `loaded` is what other runs have loaded: data that are asked for alike are shared. `check` is asked about the machine's memory before the network is built, with the number of parameters and of
    /// checkpoints.
    pub(super) fn resolve(
        config: RunConfig,
        folders: &Folders,
        loaded: &mut Vec<Loaded>,
        check: impl FnOnce(u128, usize) -> Result<(), RecipeError>,
    ) -> Result<Self, RecipeError> {
        validate::validate(&config)?;
        let mut config = config;
        let Loaded { pinned, data, source, .. } = Loaded::find(&config.data, folders, loaded)?;
        config.data = pinned;
        validate::tokens(&config.model, &data)?;
        let outputs = validate::outputs(&config.train, &data.train)?;
        let parameters = validate::parameters(&config.model, &data.train, outputs)?;
        let examples = data.train.examples();
        let plan = config.train.plan(examples).map_err(|error| validate::plan_error(&config.train, error))?;
        let steps_per_epoch = examples.div_ceil(plan.recipe.batch(examples)) as u64;
        validate::steps(&config.train, plan.steps)?;
        let checkpoint_steps = config.checkpoints.steps(plan.steps, steps_per_epoch)?;
        check(parameters, checkpoint_steps.len())?;
        let architecture = config.model.build(data.train.shape(), outputs)?;
        validate::positions(&*architecture, &data.train)?;
        let fit = plan.recipe.check_batches(&*architecture, examples);
        fit.map_err(|error| validate::plan_error(&config.train, error))?;
        let fit = plan.recipe.check_function(&*architecture);
        fit.map_err(|error| validate::plan_error(&config.train, error))?;
        if let Some(augment) = plan.recipe.augment {
            let fit = augment.check(&data.train);
            fit.map_err(|error| validate::plan_error(&config.train, error.into()))?;
        }
        let mut initial = None;
        if let Some(path) = &config.initial.path {
            let fields = ["initial.path", "initial.blake3"];
            initial = Some(files::read(path, fields, &mut config.initial.blake3)?);
        }
        let setup =
            Self { config, data, source, architecture, plan, steps_per_epoch, checkpoint_steps, initial };
        // Another network's checkpoint must be refused before a folder is made for it.
        if setup.initial.is_some() {
            match setup.config.dtype {
                Dtype::F32 => setup.initial::<f32>().map(drop)?,
                Dtype::F64 => setup.initial::<f64>().map(drop)?,
            }
        }
        Ok(setup)
    }

    /// What all that is random begins with. Its name is that of the first recipe: with one seed and one configuration all
    /// recipes train the same network.
    pub(super) fn key(&self) -> Key {
        Key::from_seed(self.config.seed).named("survey")
    }

    /// What SGD's noise comes from.
    pub(super) fn noise_key(&self) -> Key {
        let key =
            self.config.noise_seed.map_or_else(|| self.key(), |seed| Key::from_seed(seed).named("survey"));
        key.named("order of examples")
    }

    /// Examples in a batch; none where every step sees all.
    pub(super) fn batch_size(&self) -> Option<usize> {
        self.plan.recipe.batch_size.filter(|&size| size < self.data.train.examples())
    }

    /// The highest learning rate of the run, which with a factor above 1 is not the one that the configuration names.
    pub(super) fn lr_max(&self) -> f64 {
        let (schedule, last) = (&self.plan.recipe.schedule, self.plan.steps - 1);
        let (Schedule::Constant { warmup, .. }
        | Schedule::Steps { warmup, .. }
        | Schedule::Cosine { warmup, .. }) = schedule;
        // Between these it only rises or only falls.
        let mut turns = vec![0, last, warmup.map_or(0, |warmup| warmup.steps)];
        if let Schedule::Steps { milestones, .. } = schedule {
            turns.extend(milestones.iter().flat_map(|&step| [step.saturating_sub(1), step]));
        }
        turns.into_iter().map(|step| schedule.lr_at(step.min(last))).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_rate_is_that_of_the_steps_taken() {
        let highest = |overrides: &[&str]| {
            let mut all = vec!["train.steps=10".to_owned(), "train.lr=0.5".to_owned()];
            all.extend(overrides.iter().map(|&text| text.to_owned()));
            let config = crate::config::load(None, &all).unwrap();
            let inputs = Setup::resolve(config, &Folders::new(None), &mut Vec::new(), |_, _| Ok(())).unwrap();
            let rates = (0..10).map(|step| inputs.plan.recipe.schedule.lr_at(step));
            assert_eq!(inputs.lr_max(), rates.fold(0.0, f64::max), "{overrides:?}");
            inputs.lr_max()
        };
        assert_eq!(highest(&[]), 0.5);
        assert_eq!(highest(&["train.schedule.warmup=0.3"]), 0.5);
        assert!(highest(&["train.schedule.end=100.0"]) > 40.0);
        let steps = "train.schedule={kind=\"steps\", milestones=[0.2, 0.6], factor=";
        assert_eq!(highest(&[&format!("{steps}3.0}}")]), 4.5);
        assert_eq!(highest(&[&format!("{steps}0.1}}")]), 0.5);
        // The rate falls before it has risen.
        assert!(highest(&[&format!("{steps}0.1, warmup=0.9}}")]) < 0.1);
    }
}
