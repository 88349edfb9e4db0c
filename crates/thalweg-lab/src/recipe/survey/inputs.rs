//! From a configuration to what it stands for: data, network, plan of training, initial weights.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use thalweg_kernel::{Key, Real};
use thalweg_learn::arch::{Architecture, initial_parameters};
use thalweg_learn::checkpoint::{self, Checkpoint, CheckpointError, Leaf, Stored};
use thalweg_learn::data::Split;
use thalweg_learn::train::Plan;

use super::SurveyError;
use super::config::SurveyConfig;
use super::data::{self, Source};
use super::validate::validate;

/// All that a survey needs before its folder is opened: whatever is wrong with it is found before anything is
/// written.
pub(super) struct Inputs {
    /// With the digests of the files that it names.
    pub(super) config: SurveyConfig,
    pub(super) data: Split,
    pub(super) source: Source,
    pub(super) architecture: Arc<dyn Architecture>,
    pub(super) plan: Plan,
    pub(super) steps_per_epoch: u64,
    pub(super) checkpoint_steps: Vec<u64>,
    initial: Option<Vec<u8>>,
}

impl Inputs {
    pub(super) fn resolve(config: &SurveyConfig) -> Result<Self, SurveyError> {
        validate(config)?;
        let mut config = config.clone();
        let (data, source) = data::load(&mut config.data)?;
        let architecture = config.model.build(data.train.features(), data.train.classes())?;
        let plan = config.train.plan(data.train.examples())?;
        if plan.steps == 0 {
            let field = if config.train.steps.is_some() { "train.steps" } else { "train.epochs" };
            return Err(SurveyError::field(field, "at least 1", 0));
        }
        let examples = data.train.examples();
        let batch = plan.recipe.batch_size.unwrap_or(examples).min(examples);
        let steps_per_epoch = examples.div_ceil(batch) as u64;
        let checkpoint_steps = checkpoint_steps(&config, plan.steps, steps_per_epoch);
        if checkpoint_steps.len() < 3 {
            let found = format!("{} in a run of {} steps", checkpoint_steps.len(), plan.steps);
            return Err(SurveyError::field("checkpoints", "at least 3 of them to make a trajectory", found));
        }
        let mut initial = None;
        if let Some(path) = &config.initial.path {
            initial = Some(read("initial.path", path, "initial.blake3", &mut config.initial.blake3)?);
        }
        let inputs =
            Self { config, data, source, architecture, plan, steps_per_epoch, checkpoint_steps, initial };
        // Another network's checkpoint must be refused before a folder is made for it.
        if inputs.initial.is_some() {
            inputs.initial_theta::<f32>(Key::from_seed(0))?;
        }
        Ok(inputs)
    }

    /// θ before the first step.
    pub(super) fn initial_theta<T: Stored>(&self, key: Key) -> Result<Vec<T>, SurveyError> {
        let (Some(bytes), Some(path)) = (&self.initial, &self.config.initial.path) else {
            return Ok(initial_parameters(self.architecture.space(), self.config.model.init(), key));
        };
        let leaves = self.architecture.space().leaves().iter();
        let expected: Vec<(String, Vec<usize>)> =
            leaves.map(|leaf| (leaf.name.clone(), leaf.shape.clone())).collect();
        let leaves: Vec<Leaf<T>> = match checkpoint::describe(bytes, path) {
            Ok(description) if description.dtype == f64::NAME => {
                cast(&Checkpoint::<f64>::from_bytes(bytes, path)?.leaves)
            }
            Ok(_) => cast(&Checkpoint::<f32>::from_bytes(bytes, path)?.leaves),
            // No checkpoint of ours: perhaps a state dict.
            Err(CheckpointError::Description { .. }) => match checkpoint::read_arrays::<f32>(bytes, path) {
                Err(CheckpointError::Dtype { .. }) => cast(&checkpoint::read_arrays::<f64>(bytes, path)?),
                arrays => cast(&arrays?),
            },
            Err(error) => return Err(error.into()),
        };
        let leaves = checkpoint::arrange(leaves, &expected, path)?;
        Ok(leaves.into_iter().flat_map(|leaf| leaf.values).collect())
    }
}

fn cast<T: Stored, U: Real>(leaves: &[Leaf<T>]) -> Vec<Leaf<U>> {
    leaves.iter().map(Leaf::cast).collect()
}

/// The bytes of a file that the configuration names; fills in or checks its digest.
pub(super) fn read(
    field: &'static str,
    path: &Path,
    digest_field: &'static str,
    digest: &mut Option<String>,
) -> Result<Vec<u8>, SurveyError> {
    let bytes = fs::read(path).map_err(|cause| SurveyError::Read { field, path: path.to_owned(), cause })?;
    let found = blake3::hash(&bytes).to_hex().to_string();
    match digest {
        Some(expected) if *expected != found => {
            let (path, expected) = (path.to_owned(), expected.clone());
            Err(SurveyError::Digest { field: digest_field, path, expected, found })
        }
        _ => {
            *digest = Some(found);
            Ok(bytes)
        }
    }
}

/// The steps after which θ is kept, ascending: 0, the last, and what the configuration asks for between.
pub(super) fn checkpoint_steps(config: &SurveyConfig, steps: u64, steps_per_epoch: u64) -> Vec<u64> {
    let mut kept = vec![0, steps];
    if config.checkpoints.per_decade > 0 {
        let per_decade = f64::from(config.checkpoints.per_decade);
        let at = |k: u32| 10f64.powf(f64::from(k) / per_decade).round();
        kept.extend((0..).map(at).take_while(|&step| step < steps as f64).map(|step| step as u64));
    }
    let every = config.checkpoints.every_epochs.saturating_mul(steps_per_epoch);
    let multiples = steps.checked_div(every).unwrap_or(0);
    kept.extend((1..=multiples).map(|k| k * every));
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_are_log_spaced_and_every_few_epochs() {
        let mut config = SurveyConfig::default();
        config.checkpoints.per_decade = 2;
        config.checkpoints.every_epochs = 10;
        assert_eq!(checkpoint_steps(&config, 50, 2), [0, 1, 3, 10, 20, 32, 40, 50]);
        config.checkpoints.per_decade = 0;
        assert_eq!(checkpoint_steps(&config, 50, 2), [0, 20, 40, 50]);
        config.checkpoints.every_epochs = 0;
        assert_eq!(checkpoint_steps(&config, 50, 2), [0, 50]);
        assert_eq!(checkpoint_steps(&config, 1, 2), [0, 1]);
    }
}
