//! Training: a stage for every checkpoint.
//!
//! Each checkpoint holds θ and the optimiser's state, and is a stage of its own that begins at the one before. So a
//! run that was killed goes on from its last checkpoint, and a damaged checkpoint costs the stretch before it and no
//! more. One stage for all of training would have to carry all earlier checkpoints in its saved state.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use thalweg_geometry::site::number;
use thalweg_learn::checkpoint::{Checkpoint, Stored};
use thalweg_learn::optim::Halt;
use thalweg_learn::train::{Step, Trainer};

use super::RecipeError;
use super::setup::{Initial, Setup, Stopped};
use crate::interrupt;
use crate::progress::{self, Progress};
use crate::store::{Folder, Stage};

/// The file that says that training ended before its last step.
const STOPPED: &str = "stopped.json";
/// The file that says that training diverged.
pub(super) const DIVERGENCE: &str = "divergence.json";
/// Between two saved states, unless told otherwise: what a killed process loses at most.
pub(super) const SAVE_EVERY: Duration = Duration::from_secs(5);

/// Training that came to numbers that are not finite, or to a stretch of a gradient flow that is too stiff. A result, not an
/// error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// Steps taken before.
    pub step: u64,
    /// The loss there: of the batch, or after the last step of the whole training set.
    #[serde(with = "number")]
    pub loss: f64,
    /// Steps of the last checkpoint before it.
    pub checkpoint: u64,
    /// Substeps that were tried, if a gradient flow needed too many; unset where numbers were not finite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substeps: Option<u64>,
}

impl std::fmt::Display for Divergence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { step, loss, checkpoint, substeps } = self;
        if let Some(substeps) = substeps {
            return write!(
                f,
                "training ended early: {substeps} substeps were not enough for the gradient flow at step {step} (loss {loss}): it \
                 wants a lower `train.lr` or a higher `train.optimiser.substeps_max`; the last checkpoint is that of step \
                 {checkpoint}"
            );
        }
        let what =
            if loss.is_finite() { "a gradient that is not finite" } else { "a loss that is not finite" };
        write!(
            f,
            "training diverged: {what} at step {step} (loss {loss}); the last checkpoint is that of step {checkpoint}"
        )
    }
}

/// The divergence on record, if there was one.
pub(super) fn divergence(folder: &Folder) -> Result<Option<Divergence>, RecipeError> {
    Ok(if is_recorded(folder, DIVERGENCE) { Some(folder.read_json(DIVERGENCE)?) } else { None })
}

/// Where the run ended before its last step, if it did.
pub(super) fn stopped(folder: &Folder) -> Result<Option<Stopped>, RecipeError> {
    Ok(if is_recorded(folder, STOPPED) { Some(folder.read_json(STOPPED)?) } else { None })
}

fn is_recorded(folder: &Folder, name: &str) -> bool {
    folder.stages().iter().any(|stage| stage.files.iter().any(|file| file.name == name))
}

/// Who watches a run, and has results of their own.
pub(super) trait Observer<T: Stored> {
    /// Looks at where the run begins.
    fn began(&mut self, trainer: &Trainer<T>) -> Result<(), RecipeError>;

    /// Looks at a step that was taken, and at where it led.
    fn stepped(&mut self, trainer: &Trainer<T>, step: Step) -> Result<(), RecipeError>;

    /// What it must have back to go on from here, if it has to have anything.
    fn state(&self) -> Vec<u8>;

    /// Goes on from where it was asked for its state; begins anew with none.
    fn restore(&mut self, state: Option<&[u8]>, origin: &Path) -> Result<(), RecipeError>;

    /// The mean loss over the training set at the end, in order to notice where the last step led.
    fn last_loss(&mut self, trainer: &Trainer<T>) -> Result<f64, RecipeError>;

    /// Why the run should end at the step that was last looked at, if it should.
    fn stops(&self, _trainer: &Trainer<T>) -> Option<Stopped> {
        None
    }

    /// What is shown beside the progress.
    fn message(&self, step: Step) -> String {
        format!("loss {:.4}", step.loss)
    }
}

/// The name of a checkpoint's file.
pub(super) fn checkpoint_name(step: u64) -> String {
    format!("checkpoint-{step:08}.safetensors")
}

/// The name of the file with what an observer had then.
pub(super) fn record_name(step: u64) -> String {
    format!("record-{step:08}.json")
}

fn stage_name(step: u64) -> String {
    format!("train.{step:08}")
}

/// The steps of the checkpoints on record.
pub(super) fn kept_steps(setup: &Setup, folder: &Folder) -> Result<Vec<u64>, RecipeError> {
    let mut steps = setup.checkpoint_steps.clone();
    steps.retain(|&step| is_recorded(folder, &checkpoint_name(step)));
    // It is the last one, between two that were planned.
    steps.extend(stopped(folder)?.map(|stopped| stopped.step).filter(|step| !steps.contains(step)));
    Ok(steps)
}

/// A run under way.
pub(super) struct Training<'a, T: Stored, O> {
    pub(super) setup: &'a Setup,
    pub(super) progress: &'a Progress,
    /// What the run is called on the display.
    pub(super) name: &'a str,
    pub(super) observer: O,
    trainer: Option<Trainer<T>>,
    /// The time between two saved states.
    pub(super) save_every: Duration,
    /// Steps taken by this process.
    pub(super) taken: u64,
    /// How long they took, with what the observer did after each.
    pub(super) spent: Duration,
}

impl<'a, T: Stored, O: Observer<T>> Training<'a, T, O> {
    pub(super) fn new(setup: &'a Setup, progress: &'a Progress, name: &'a str, observer: O) -> Self {
        Self {
            setup,
            progress,
            name,
            observer,
            trainer: None,
            save_every: SAVE_EVERY,
            taken: 0,
            spent: Duration::ZERO,
        }
    }

    /// Trains up to the last checkpoint, or to the divergence.
    pub(super) fn run(&mut self, folder: &mut Folder) -> Result<(), RecipeError> {
        let (steps, total) = (&self.setup.checkpoint_steps, self.setup.plan.steps);
        let mut bar: Option<progress::Stage> = None;
        for (index, &step) in steps.iter().enumerate() {
            if divergence(folder)?.is_some() || stopped(folder)?.is_some() {
                break;
            }
            if folder.is_finished(&stage_name(step)) {
                continue;
            }
            let start = index.checked_sub(1).map(|before| steps[before]);
            let bar = bar.get_or_insert_with(|| {
                let bar = self.progress.stage(self.name, total, "steps");
                bar.resume_at(start.unwrap_or(0));
                bar
            });
            folder.stage(&stage_name(step), |stage| {
                // Whoever carried on from an earlier stretch is already where this one begins.
                let ready = self.trainer.take().filter(|trainer| Some(trainer.steps()) == start);
                let mut trainer = match ready {
                    Some(trainer) => trainer,
                    None => {
                        let trainer = self.begin(stage, start)?;
                        bar.resume_at(trainer.steps());
                        trainer
                    }
                };
                self.walk(stage, bar, &mut trainer, [start.unwrap_or(0), step])?;
                self.trainer = Some(trainer);
                Ok::<(), RecipeError>(())
            })?;
        }
        if let Some(bar) = bar {
            bar.finish();
        }
        Ok(())
    }

    /// A trainer where the stage was cut off, or at the checkpoint that it begins from, or before the first step.
    fn begin(&mut self, stage: &Stage<'_>, start: Option<u64>) -> Result<Trainer<T>, RecipeError> {
        let setup = self.setup;
        let (data, recipe) = (&setup.data.train, setup.plan.recipe.clone());
        let folder = stage.folder();
        if let Some(bytes) = stage.state()? {
            let origin = folder.path().join("a saved state");
            let (record, bytes) = apart(&bytes);
            self.observer.restore(record, &origin)?;
            let checkpoint = Checkpoint::<T>::from_bytes(bytes, &origin)?;
            let key = setup.noise_key();
            return Ok(Trainer::from_checkpoint(
                &setup.architecture,
                data,
                recipe,
                checkpoint,
                key,
                &origin,
            )?);
        }
        let Some(start) = start else {
            self.observer.restore(None, folder.path())?;
            let Initial { theta, statistics } = setup.initial()?;
            let mut trainer = Trainer::new(&setup.architecture, data, recipe, theta, setup.noise_key())?;
            if let Some(statistics) = statistics {
                trainer.set_statistics(statistics);
            }
            self.observer.began(&trainer)?;
            return Ok(trainer);
        };
        let record = record_name(start);
        let bytes = is_recorded(folder, &record).then(|| folder.read(&record)).transpose()?;
        self.observer.restore(bytes.as_deref(), &folder.path().join(record))?;
        let name = checkpoint_name(start);
        let origin = folder.path().join(&name);
        let checkpoint = Checkpoint::<T>::from_bytes(&folder.read(&name)?, &origin)?;
        let key = setup.noise_key();
        Ok(Trainer::from_checkpoint(&setup.architecture, data, recipe, checkpoint, key, &origin)?)
    }

    /// Takes the steps of one stretch, and keeps where it comes to.
    fn walk(
        &mut self,
        stage: &mut Stage<'_>,
        bar: &progress::Stage,
        trainer: &mut Trainer<T>,
        [start, end]: [u64; 2],
    ) -> Result<(), RecipeError> {
        let seed = self.setup.config.seed;
        let mut saved = Instant::now();
        let mut end = end;
        let mut before = Instant::now();
        while trainer.steps() < end {
            if interrupt::requested() {
                self.save(stage, trainer)?;
                return Err(interrupt::Interrupted.into());
            }
            let step = trainer.step();
            if !step.taken {
                let substeps = match step.halt {
                    Some(Halt::Substeps { tried }) => Some(tried),
                    _ => None,
                };
                let (loss, checkpoint) = (step.loss, start);
                let divergence = Divergence { step: trainer.steps(), loss, checkpoint, substeps };
                self.keep_record(stage, end)?;
                return Ok(stage.write_json(DIVERGENCE, &divergence)?);
            }
            self.taken += 1;
            self.observer.stepped(trainer, step)?;
            let now = Instant::now();
            self.spent += now - before;
            before = now;
            bar.inc(1);
            if let Some(stopped) = self.observer.stops(trainer) {
                end = stopped.step;
                stage.write_json(STOPPED, &stopped)?;
            }
            if trainer.steps().is_multiple_of(16) || trainer.steps() == end {
                let message = self.observer.message(step);
                bar.message(format!("{message}, {}", self.speed()));
            }
            if saved.elapsed() >= self.save_every {
                self.save(stage, trainer)?;
                saved = Instant::now();
            }
        }
        if end == self.setup.plan.steps {
            let loss = self.observer.last_loss(trainer)?;
            if !loss.is_finite() {
                let divergence = Divergence { step: end, loss, checkpoint: start, substeps: None };
                self.keep_record(stage, end)?;
                return Ok(stage.write_json(DIVERGENCE, &divergence)?);
            }
        }
        self.keep_record(stage, end)?;
        Ok(stage.write(&checkpoint_name(end), &trainer.checkpoint(seed).to_bytes()?)?)
    }

    /// How many examples a second this process has trained on, what the observer did included; None before the first step.
    pub(super) fn rate(&self) -> Option<f64> {
        let a_step = self.setup.data.train.examples() as f64 / self.setup.steps_per_epoch as f64;
        (self.taken > 0).then(|| self.taken as f64 * a_step / self.spent.as_secs_f64())
    }

    /// The same as it is shown.
    fn speed(&self) -> String {
        let what = if self.setup.data.train.shape().len() == 3 { "images" } else { "examples" };
        format!("{:.0} {what}/s", self.rate().unwrap_or(0.0))
    }

    fn keep_record(&self, stage: &mut Stage<'_>, end: u64) -> Result<(), RecipeError> {
        let record = self.observer.state();
        if !record.is_empty() {
            stage.write(&record_name(end), &record)?;
        }
        Ok(())
    }

    fn save(&self, stage: &mut Stage<'_>, trainer: &Trainer<T>) -> Result<(), RecipeError> {
        let checkpoint = trainer.checkpoint(self.setup.config.seed).to_bytes()?;
        Ok(stage.save_state(&together(&self.observer.state(), checkpoint))?)
    }
}

/// What a saved state begins with that holds an observer's part, too. A checkpoint begins with the length of its header,
/// which is never as large as this.
const WITH_RECORD: &[u8; 8] = b"\xffrecord\xff";

/// One saved state of an observer's and a checkpoint.
fn together(record: &[u8], checkpoint: Vec<u8>) -> Vec<u8> {
    if record.is_empty() {
        return checkpoint;
    }
    [&WITH_RECORD[..], &(record.len() as u64).to_le_bytes(), record, &checkpoint].concat()
}

/// The observer's part of a saved state, if there is one, and the checkpoint.
fn apart(state: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let parts = || {
        let (length, rest) = state.strip_prefix(WITH_RECORD)?.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        rest.split_at_checked(length)
    };
    parts().map_or((None, state), |(record, checkpoint)| (Some(record), checkpoint))
}

/// θ at a checkpoint on record.
pub(super) fn theta_at<T: Stored>(folder: &Folder, step: u64) -> Result<Vec<f64>, RecipeError> {
    let name = checkpoint_name(step);
    let checkpoint = Checkpoint::<T>::from_bytes(&folder.read(&name)?, Path::new(&name))?;
    Ok(checkpoint.theta().into_iter().map(|x| x.to_f64()).collect())
}
