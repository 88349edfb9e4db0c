//! Training: a stage for every checkpoint.
//!
//! Each checkpoint holds θ and the optimiser's state, and is a stage of its own that begins at the one before. So a
//! run that was killed goes on from its last checkpoint, and a damaged checkpoint costs the stretch before it and no
//! more. One stage for all of training would have to carry all earlier checkpoints in its saved state.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use thalweg_geometry::site::{Site as _, number};
use thalweg_learn::checkpoint::{Checkpoint, Stored};
use thalweg_learn::train::Trainer;

use super::initial::Initial;
use super::{Ground, INITIAL, SurveyError};
use crate::interrupt;
use crate::progress;
use crate::store::{Folder, Stage};

/// The file that says that training diverged.
pub(super) const DIVERGENCE: &str = "divergence.json";
/// Between two saved states: what a killed process loses at most.
const SAVE_EVERY: Duration = Duration::from_secs(5);

/// Training that came to numbers that are not finite. A result, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// Steps taken before.
    pub step: u64,
    /// The loss there: of the batch, or after the last step of the whole training set.
    #[serde(with = "number")]
    pub loss: f64,
    /// Steps of the last checkpoint before it.
    pub checkpoint: u64,
}

impl std::fmt::Display for Divergence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { step, loss, checkpoint } = self;
        let what =
            if loss.is_finite() { "a gradient that is not finite" } else { "a loss that is not finite" };
        write!(
            f,
            "training diverged: {what} at step {step} (loss {loss}); the last checkpoint is that of step {checkpoint}"
        )
    }
}

/// The divergence on record, if there was one.
pub(super) fn divergence(folder: &Folder) -> Result<Option<Divergence>, SurveyError> {
    let recorded = folder.stages().iter().any(|stage| stage.files.iter().any(|file| file.name == DIVERGENCE));
    Ok(if recorded { Some(folder.read_json(DIVERGENCE)?) } else { None })
}

/// The name of a checkpoint's file.
pub(super) fn checkpoint_name(step: u64) -> String {
    format!("checkpoint-{step:08}.safetensors")
}

fn stage_name(step: u64) -> String {
    format!("train.{step:08}")
}

/// The steps of the checkpoints on record.
pub(super) fn kept_steps<T: Stored>(ground: &Ground<'_, T>, folder: &Folder) -> Vec<u64> {
    let recorded =
        |name: &str| folder.stages().iter().any(|stage| stage.files.iter().any(|file| file.name == name));
    let steps = ground.inputs.checkpoint_steps.iter().copied();
    steps.filter(|&step| recorded(&checkpoint_name(step))).collect()
}

/// Trains up to the last checkpoint, or to the divergence.
pub(super) fn train<T: Stored>(ground: &Ground<'_, T>, folder: &mut Folder) -> Result<(), SurveyError> {
    let steps = &ground.inputs.checkpoint_steps;
    let total = ground.inputs.plan.steps;
    let mut bar: Option<progress::Stage> = None;
    let mut trainer: Option<Trainer<T>> = None;
    for (index, &step) in steps.iter().enumerate() {
        if divergence(folder)?.is_some() {
            break;
        }
        if folder.is_finished(&stage_name(step)) {
            continue;
        }
        let start = index.checked_sub(1).map(|before| steps[before]);
        let bar = bar.get_or_insert_with(|| {
            let bar = ground.progress.stage("training", total, "steps");
            bar.resume_at(start.unwrap_or(0));
            bar
        });
        folder.stage(&stage_name(step), |stage| {
            // Whoever carried on from an earlier stretch is already where this one begins.
            let ready = trainer.take().filter(|trainer| Some(trainer.steps()) == start);
            let mut stretch = match ready {
                Some(trainer) => trainer,
                None => begin(ground, stage, start)?,
            };
            walk(ground, stage, bar, &mut stretch, [start.unwrap_or(0), step])?;
            trainer = Some(stretch);
            Ok::<(), SurveyError>(())
        })?;
    }
    if let Some(bar) = bar {
        bar.finish();
    }
    Ok(())
}

/// A trainer where the stage was cut off, or at the checkpoint that it begins from, or before the first step.
fn begin<T: Stored>(
    ground: &Ground<'_, T>,
    stage: &Stage<'_>,
    start: Option<u64>,
) -> Result<Trainer<T>, SurveyError> {
    let inputs = ground.inputs;
    let (data, recipe) = (&inputs.data.train, inputs.plan.recipe.clone());
    let key = ground.key.named("order of examples");
    let saved = match (stage.state()?, start) {
        (Some(bytes), _) => Some((bytes, "a saved state".to_owned())),
        (None, Some(start)) => Some((stage.folder().read(&checkpoint_name(start))?, checkpoint_name(start))),
        (None, None) => None,
    };
    Ok(match saved {
        Some((bytes, name)) => {
            let origin = stage.folder().path().join(name);
            let checkpoint = Checkpoint::<T>::from_bytes(&bytes, &origin)?;
            Trainer::from_checkpoint(&inputs.architecture, data, recipe, checkpoint, key, &origin)?
        }
        None => {
            let Initial { theta, statistics } = inputs.initial(ground.key.named(INITIAL))?;
            let mut trainer = Trainer::new(&inputs.architecture, data, recipe, theta, key)?;
            if let Some(statistics) = statistics {
                trainer.set_statistics(statistics);
            }
            trainer
        }
    })
}

/// Takes the steps of one stretch, and keeps where it comes to.
fn walk<T: Stored>(
    ground: &Ground<'_, T>,
    stage: &mut Stage<'_>,
    bar: &progress::Stage,
    trainer: &mut Trainer<T>,
    [start, end]: [u64; 2],
) -> Result<(), SurveyError> {
    let seed = ground.inputs.config.seed;
    let mut saved = Instant::now();
    while trainer.steps() < end {
        if interrupt::requested() {
            stage.save_state(&trainer.checkpoint(seed).to_bytes()?)?;
            return Err(interrupt::Interrupted.into());
        }
        let step = trainer.step();
        if !step.taken {
            let divergence = Divergence { step: trainer.steps(), loss: step.loss, checkpoint: start };
            return Ok(stage.write_json(DIVERGENCE, &divergence)?);
        }
        bar.inc(1);
        if trainer.steps().is_multiple_of(16) {
            bar.message(format!("loss {:.4}", step.loss));
        }
        if saved.elapsed() >= SAVE_EVERY {
            stage.save_state(&trainer.checkpoint(seed).to_bytes()?)?;
            saved = Instant::now();
        }
    }
    if end == ground.inputs.plan.steps {
        // No step comes after the last one to notice where it led.
        let theta: Vec<f64> = trainer.theta().iter().map(|x| x.to_f64()).collect();
        let loss = ground.train.values(&[&theta])?[0].loss;
        if !loss.is_finite() {
            let divergence = Divergence { step: end, loss, checkpoint: start };
            return Ok(stage.write_json(DIVERGENCE, &divergence)?);
        }
    }
    Ok(stage.write(&checkpoint_name(end), &trainer.checkpoint(seed).to_bytes()?)?)
}

/// θ at a checkpoint on record.
pub(super) fn theta_at<T: Stored>(folder: &Folder, step: u64) -> Result<Vec<f64>, SurveyError> {
    let name = checkpoint_name(step);
    let checkpoint = Checkpoint::<T>::from_bytes(&folder.read(&name)?, Path::new(&name))?;
    Ok(checkpoint.theta().into_iter().map(|x| x.to_f64()).collect())
}
