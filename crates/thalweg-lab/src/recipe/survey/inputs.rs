//! From a configuration to what it stands for: data, network, plan of training.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use thalweg_geometry::site::Dtype;
use thalweg_kernel::Key;
use thalweg_learn::arch::Architecture;
use thalweg_learn::data::{Folders, Split};
use thalweg_learn::schedule::Schedule;
use thalweg_learn::train::Plan;

use super::config::SurveyConfig;
use super::data::{self, Source};
use super::{SurveyError, memory, validate};

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
    /// The file of initial weights, if there is one.
    pub(super) initial: Option<Vec<u8>>,
}

impl Inputs {
    pub(super) fn resolve(config: &SurveyConfig, folders: &Folders) -> Result<Self, SurveyError> {
        validate::validate(config)?;
        let mut config = config.clone();
        let (data, source) = data::load(&mut config.data, folders)?;
        let outputs = validate::outputs(&config.train, &data.train)?;
        let parameters = validate::parameters(&config.model, &data.train, outputs)?;
        let examples = data.train.examples();
        let plan = config.train.plan(examples).map_err(|error| validate::plan_error(&config.train, error))?;
        let steps_per_epoch = examples.div_ceil(plan.recipe.batch(examples)) as u64;
        validate::steps(&config, plan.steps, steps_per_epoch)?;
        let checkpoint_steps = checkpoint_steps(&config, plan.steps, steps_per_epoch);
        if checkpoint_steps.len() < 3 {
            let found = format!("{} in a run of {} steps", checkpoint_steps.len(), plan.steps);
            return Err(SurveyError::field("checkpoints", "at least 3 of them to make a trajectory", found));
        }
        memory::check(&config, parameters, checkpoint_steps.len(), memory::available())?;
        let architecture = config.model.build(data.train.shape(), outputs)?;
        let fit = plan.recipe.check_batches(&*architecture, examples);
        fit.map_err(|error| validate::plan_error(&config.train, error))?;
        let mut initial = None;
        if let Some(path) = &config.initial.path {
            initial = Some(read(path, ["initial.path", "initial.blake3"], &mut config.initial.blake3)?);
        }
        let inputs =
            Self { config, data, source, architecture, plan, steps_per_epoch, checkpoint_steps, initial };
        // Another network's checkpoint must be refused before a folder is made for it.
        if inputs.initial.is_some() {
            match inputs.config.dtype {
                Dtype::F32 => inputs.initial::<f32>(Key::from_seed(0)).map(drop)?,
                Dtype::F64 => inputs.initial::<f64>(Key::from_seed(0)).map(drop)?,
            }
        }
        Ok(inputs)
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

/// The bytes of a file that the configuration names; fills in or checks its digest.
pub(super) fn read(
    path: &Path,
    [field, digest_field]: [&'static str; 2],
    digest: &mut Option<String>,
) -> Result<Vec<u8>, SurveyError> {
    let unreadable = |cause| SurveyError::Read { field, path: path.to_owned(), cause };
    // A pipe would wait for its writer, and some devices never end.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SurveyError::field(field, "a file", format!("{}, which is none", path.display())));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let found = blake3::hash(&bytes).to_hex().to_string();
    pin(digest, found, digest_field, path)?;
    Ok(bytes)
}

/// Fills in a digest, or checks it.
pub(super) fn pin(
    digest: &mut Option<String>,
    found: String,
    field: &'static str,
    of: &Path,
) -> Result<(), SurveyError> {
    match digest {
        Some(expected) if *expected != found => {
            let (path, expected) = (of.to_owned(), expected.clone());
            Err(SurveyError::Digest { field, path, expected, found })
        }
        _ => {
            *digest = Some(found);
            Ok(())
        }
    }
}

/// The steps after which θ is kept, ascending: 0, the last, and what the configuration asks for between.
pub(super) fn checkpoint_steps(config: &SurveyConfig, steps: u64, steps_per_epoch: u64) -> Vec<u64> {
    let mut kept = vec![0, steps];
    if config.checkpoints.per_decade > 0 {
        let per_decade = f64::from(config.checkpoints.per_decade);
        let at = |k: u32| libm::exp10(f64::from(k) / per_decade).round();
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

    #[test]
    fn the_highest_rate_is_that_of_the_steps_taken() {
        let highest = |overrides: &[&str]| {
            let mut all = vec!["train.steps=10".to_owned(), "train.lr=0.5".to_owned()];
            all.extend(overrides.iter().map(|&text| text.to_owned()));
            let inputs =
                Inputs::resolve(&crate::config::load(None, &all).unwrap(), &Folders::new(None)).unwrap();
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
