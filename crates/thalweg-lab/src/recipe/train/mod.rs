//! Training alone: a run, or several side by side, with what they were like on the way.
//!
//! A run's folder holds checkpoints at the moments asked for (the first and the last always), each with all that the run
//! goes on from; `metrics.csv`, a row for every look at the held-out set; and `result.json`, where it came to. A run that
//! is stopped or killed goes on where it was, to the same bits in all of these. One that diverges ends there, with what
//! it had; one that is told when to stop ends there, with a last checkpoint of its own.

mod docs;
mod metrics;
mod several;
mod tensorboard;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thalweg_geometry::site::{Dtype, number};
use thalweg_learn::checkpoint::{Checkpoint, Stored};
use thalweg_learn::data::Folders;
use thalweg_learn::objective::Value;

pub use docs::doc;
pub use metrics::Row;
pub use several::{Ended, Named, train_several};

use super::setup::{self, Loaded, RunConfig, Setup, Stopped, available, check_memory};
use super::training::{self, Divergence, Training, checkpoint_name, kept_steps};
use super::{RecipeError, open, part, tell_kept_aside};
use crate::identity::Identity;
use crate::progress::Progress;
use crate::store::Folder;
use metrics::{Measured, Metrics, Record, csv, read_record};
use tensorboard::Events;

/// The recipe's name, which folders begin with.
pub const NAME: &str = "train";
/// Goes up whenever the same configuration would give other numbers.
pub const VERSION: u32 = 2;

const CSV: &str = "metrics.csv";
const RESULT: &str = "result.json";

/// Where a run is trained, and what is done with a folder that is there.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// The folder; `runs/train-<name of the run>` if none is given. Of several runs, a folder of theirs each in it.
    pub out: Option<PathBuf>,
    /// A folder of data sets, looked in first.
    pub data_dir: Option<PathBuf>,
    /// Whether damaged files are kept aside and their stages done again.
    pub repair: bool,
    /// The time between two saved states, which is what a killed process loses at most; 5 s unless given.
    pub save_every: Duration,
    /// Whether the folder gets a file of events for TensorBoard, too.
    pub tensorboard: bool,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            out: None,
            data_dir: None,
            repair: false,
            save_every: training::SAVE_EVERY,
            tensorboard: false,
        }
    }
}

/// Where a run came to, in evaluation mode: with running statistics and without dropout.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainResult {
    /// Steps taken.
    pub steps: u64,
    /// The same in passes over the training set.
    #[serde(with = "number")]
    pub epochs: f64,
    /// Mean loss over the training set.
    #[serde(with = "number")]
    pub loss_train: f64,
    /// Share of it misclassified, in [0, 1]; NaN where there are no classes.
    #[serde(with = "number")]
    pub error_train: f64,
    /// Mean loss over the held-out set.
    #[serde(with = "number")]
    pub loss_test: f64,
    /// Share of it misclassified.
    #[serde(with = "number")]
    pub error_test: f64,
    /// Where it diverged, if it did; the numbers are those of the last checkpoint then.
    pub divergence: Option<Divergence>,
    /// Where it ended before its last step, if it did, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// A run that has been trained.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Its folder.
    pub folder: PathBuf,
    /// Where it came to.
    pub result: TrainResult,
    /// What it was like on the way.
    pub rows: Vec<Row>,
    /// Examples trained on in a second of steps and of looks at the held-out set, by this process; none if it had nothing to train.
    pub rate: Option<f64>,
    /// Whether all of it had been there before.
    pub was_complete: bool,
}

/// Trains a run, or what is left of it.
///
/// # Errors
/// A configuration, a file or a folder that cannot be used, or an interrupt. Whatever was finished before is kept.
pub fn train(
    config: &RunConfig,
    options: &TrainOptions,
    progress: &Progress,
) -> Result<Trained, RecipeError> {
    let setup = resolve(config, options, &mut Vec::new())?;
    run(&setup, options.out.clone(), options, progress, "training")
}

/// Whatever is wrong with a configuration is found here.
fn resolve(
    config: &RunConfig,
    options: &TrainOptions,
    loaded: &mut Vec<Loaded>,
) -> Result<Setup, RecipeError> {
    if config.evaluate.step(1) == Some(0) {
        return Err(RecipeError::field("evaluate", "at least \"1it\"", config.evaluate));
    }
    let folders = Folders::new(options.data_dir.as_deref());
    Setup::resolve(config.clone(), &folders, loaded, |parameters, _| {
        let slots = config.train.optimiser.slot_names().len();
        check_memory(parameters, config.dtype, slots, [], available())
    })
}

fn run(
    setup: &Setup,
    out: Option<PathBuf>,
    options: &TrainOptions,
    progress: &Progress,
    name: &str,
) -> Result<Trained, RecipeError> {
    let identity = Identity::new(NAME, VERSION, &setup.config)?;
    let path = out.unwrap_or_else(|| Path::new("runs").join(identity.folder_name()));
    let mut folder = open(&path, &identity, setup, options.repair, progress)?;
    let finished_before = folder.stages().len();
    let rate = match setup.config.dtype {
        Dtype::F32 => stages::<f32>(setup, &mut folder, options, progress, name)?,
        Dtype::F64 => stages::<f64>(setup, &mut folder, options, progress, name)?,
    };
    tell_kept_aside(&folder, progress);
    Ok(Trained {
        result: folder.read_json(RESULT)?,
        rows: rows(&folder)?,
        rate,
        was_complete: folder.stages().len() == finished_before,
        folder: path,
    })
}

fn stages<T: Stored>(
    setup: &Setup,
    folder: &mut Folder,
    options: &TrainOptions,
    progress: &Progress,
    name: &str,
) -> Result<Option<f64>, RecipeError> {
    setup::write_data(setup, folder)?;
    let mut rate = None;
    part(folder, "training", |folder| {
        let events = options.tensorboard.then(|| Events::new(folder.path()));
        let observer = Metrics::<T>::new(setup, folder.path(), events);
        let mut training = Training::new(setup, progress, name, observer);
        training.save_every = options.save_every;
        let result = training.run(folder);
        rate = training.rate();
        result
    })?;
    folder.stage("metrics", |stage| {
        let rows = rows(stage.folder())?;
        Ok::<(), RecipeError>(stage.write(CSV, csv(&rows).as_bytes())?)
    })?;
    if options.tensorboard && rate.is_none() {
        // A run that is there already. As while it trains, what cannot be written does not make it fail.
        let _ = Events::new(folder.path()).write(&rows(folder)?);
    }
    // It is not among the results; who still looks at it finds it the next time under its other name.
    let _ = fs::remove_file(folder.path().join(metrics::SO_FAR));
    folder.stage("result", |stage| {
        let result = result::<T>(setup, stage.folder())?;
        Ok::<(), RecipeError>(stage.write_json(RESULT, &result)?)
    })?;
    Ok(rate)
}

/// What the run was like on the way, so far as it is on record.
fn rows(folder: &Folder) -> Result<Vec<Row>, RecipeError> {
    Ok(record(folder)?.rows)
}

/// The last record.
fn record(folder: &Folder) -> Result<Record, RecipeError> {
    let records = folder.stages().iter().flat_map(|stage| &stage.files);
    // Each has all rows before it, too; a repaired stage comes last and may be any.
    match records.filter(|file| file.name.starts_with("record-")).max_by_key(|file| &file.name) {
        Some(last) => read_record(&folder.read(&last.name)?, &folder.path().join(&last.name)),
        None => Ok(Record::default()),
    }
}

/// The last checkpoint on all data: as the run saw it at its end, or measured where it did not come to that.
fn result<T: Stored>(setup: &Setup, folder: &Folder) -> Result<TrainResult, RecipeError> {
    let steps = kept_steps(setup, folder)?.last().copied().unwrap_or(0);
    let record = record(folder)?;
    let last = record.rows.last().filter(|row| row.step == steps);
    let [train, test] = match (record.end(), last) {
        (Some(train), Some(row)) => [train, Value { loss: row.loss_test, error: row.error_test }],
        _ => {
            let name = checkpoint_name(steps);
            let checkpoint = Checkpoint::<T>::from_bytes(&folder.read(&name)?, &folder.path().join(&name))?;
            let statistics: Vec<T> =
                checkpoint.buffers.iter().flat_map(|array| array.values.clone()).collect();
            let at = |data| Measured::<T>::new(setup, data).at(&checkpoint.theta(), &statistics);
            [at(&setup.data.train), at(&setup.data.test)]
        }
    };
    Ok(TrainResult {
        steps,
        epochs: steps as f64 / setup.steps_per_epoch as f64,
        loss_train: train.loss,
        error_train: train.error,
        loss_test: test.loss,
        error_test: test.error,
        divergence: training::divergence(folder)?,
        stopped: training::stopped(folder)?,
    })
}
