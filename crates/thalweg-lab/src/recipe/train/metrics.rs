//! What a run is like while it trains.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use thalweg_geometry::site::number;
use thalweg_kernel::Real;
use thalweg_learn::checkpoint::Stored;
use thalweg_learn::data::Dataset;
use thalweg_learn::objective::{Examples, Objective, Value};
use thalweg_learn::train::{Step, Trainer};

use super::tensorboard::Events;
use crate::recipe::RecipeError;
use crate::recipe::setup::{Metric, Setup, Stopped};
use crate::recipe::training::Observer;

/// The file for those who look while it trains. It is not among the results, and goes when they are there.
pub(super) const SO_FAR: &str = "metrics-so-far.csv";
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// One look at a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Steps taken.
    pub step: u64,
    /// The same in passes over the training set.
    #[serde(with = "number")]
    pub epoch: f64,
    /// The learning rate of the last step; NaN before the first.
    #[serde(with = "number")]
    pub lr: f64,
    /// Mean loss over the examples of all batches since the row before, each before its step; NaN before the first.
    #[serde(with = "number")]
    pub loss_batches: f64,
    /// Share of those examples misclassified, in [0, 1]; NaN where there are no classes.
    #[serde(with = "number")]
    pub error_batches: f64,
    /// Mean loss over the held-out set, in evaluation mode: with running statistics and without dropout.
    #[serde(with = "number")]
    pub loss_test: f64,
    /// Share of the held-out set misclassified, in [0, 1]; NaN where there are no classes.
    #[serde(with = "number")]
    pub error_test: f64,
}

/// The rows, and what the next one is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) rows: Vec<Row>,
    #[serde(with = "number")]
    loss: f64,
    #[serde(with = "number")]
    error: f64,
    examples: u64,
    /// The whole training set after the last step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct End {
    #[serde(with = "number")]
    loss: f64,
    #[serde(with = "number")]
    error: f64,
}

impl Record {
    /// What the whole training set was like after the last step, if it came to that.
    pub(super) fn end(&self) -> Option<Value> {
        self.end.map(|End { loss, error }| Value { loss, error })
    }
}

/// Measures as the run goes on.
pub(super) struct Metrics<'a, T: Real> {
    setup: &'a Setup,
    /// Steps between two rows.
    every: u64,
    test: Measured<T>,
    record: Record,
    so_far: PathBuf,
    written: Instant,
    events: Option<Events>,
}

/// A data set to measure on, in evaluation mode.
pub(super) struct Measured<T: Real> {
    objective: Objective<T>,
    examples: Examples<T>,
}

impl<T: Stored> Measured<T> {
    pub(super) fn new(setup: &Setup, data: &Dataset) -> Self {
        let loss = setup.plan.recipe.loss;
        let objective = Objective::evaluation(setup.architecture.clone(), loss, data.examples());
        Self { objective, examples: Examples::of(data) }
    }

    pub(super) fn at(&self, theta: &[T], statistics: &[T]) -> Value {
        self.objective.values(&[&[theta, statistics].concat()], &self.examples)[0]
    }
}

impl<'a, T: Stored> Metrics<'a, T> {
    /// Of a run in that folder.
    pub(super) fn new(setup: &'a Setup, folder: &Path, events: Option<Events>) -> Self {
        // Both are within what can be counted: the plan's steps are, and moments beyond it never come.
        let every = setup.config.evaluate.step(setup.steps_per_epoch).unwrap_or(u64::MAX);
        Self {
            setup,
            every,
            test: Measured::new(setup, &setup.data.test),
            record: Record::default(),
            so_far: folder.join(SO_FAR),
            written: Instant::now(),
            events,
        }
    }

    fn look(&mut self, trainer: &Trainer<T>) {
        let value = self.test.at(trainer.theta(), trainer.statistics());
        let step = trainer.steps();
        let record = &mut self.record;
        let seen = record.examples as f64;
        record.rows.push(Row {
            step,
            epoch: step as f64 / self.setup.steps_per_epoch as f64,
            lr: step.checked_sub(1).map_or(f64::NAN, |last| trainer.recipe().schedule.lr_at(last)),
            loss_batches: record.loss / seen,
            error_batches: record.error / seen,
            loss_test: value.loss,
            error_test: value.error,
        });
        (record.loss, record.error, record.examples) = (0.0, 0.0, 0);
        // What is only for those who look must not end the run where it cannot be written.
        if let Some(events) = &mut self.events {
            let _ = events.write(&record.rows);
        }
        if self.written.elapsed() >= WRITE_EVERY {
            let partial = self.so_far.with_extension("csv.partial");
            let _ =
                fs::write(&partial, csv(&self.record.rows)).and_then(|()| fs::rename(partial, &self.so_far));
            self.written = Instant::now();
        }
    }
}

impl<T: Stored> Observer<T> for Metrics<'_, T> {
    fn began(&mut self, trainer: &Trainer<T>) -> Result<(), RecipeError> {
        self.look(trainer);
        Ok(())
    }

    fn stepped(&mut self, trainer: &Trainer<T>, step: Step) -> Result<(), RecipeError> {
        let (taken, per_epoch) = (trainer.steps(), self.setup.steps_per_epoch);
        let examples = self.setup.data.train.examples();
        let size = trainer.recipe().batch(examples);
        // The last batch of an epoch has what is left.
        let is_last = taken.is_multiple_of(per_epoch);
        let count = if is_last { examples - (per_epoch as usize - 1) * size } else { size };
        self.record.loss += step.loss * count as f64;
        self.record.error += step.error * count as f64;
        self.record.examples += count as u64;
        if taken.is_multiple_of(self.every) || taken == self.setup.plan.steps {
            self.look(trainer);
        }
        Ok(())
    }

    fn state(&self) -> Vec<u8> {
        serde_json::to_vec(&self.record).expect("numbers are plain data")
    }

    fn restore(&mut self, state: Option<&[u8]>, origin: &Path) -> Result<(), RecipeError> {
        self.record = match state {
            None => Record::default(),
            Some(bytes) => read_record(bytes, origin)?,
        };
        Ok(())
    }

    fn last_loss(&mut self, trainer: &Trainer<T>) -> Result<f64, RecipeError> {
        let train = Measured::new(self.setup, &self.setup.data.train);
        let Value { loss, error } = train.at(trainer.theta(), trainer.statistics());
        self.record.end = Some(End { loss, error });
        Ok(loss)
    }

    fn stops(&self, trainer: &Trainer<T>) -> Option<Stopped> {
        let stop = self.setup.config.stop?;
        let (step, rows) = (trainer.steps(), &self.record.rows);
        let column = |row: &Row| match stop.metric {
            Metric::LossBatches => row.loss_batches,
            Metric::ErrorBatches => row.error_batches,
            Metric::LossTest => row.loss_test,
            Metric::ErrorTest => row.error_test,
        };
        rows.last().filter(|row| row.step == step)?;
        // At its last step it ends anyway.
        (step < self.setup.plan.steps).then(|| stop.at(step, rows.iter().map(column)))?
    }

    fn message(&self, step: Step) -> String {
        let loss = format!("loss {:.4}", step.loss);
        match self.record.rows.last() {
            Some(row) if row.error_test.is_finite() => {
                format!("{loss}, test error {:.2} %", 100.0 * row.error_test)
            }
            Some(row) => format!("{loss}, test loss {:.4}", row.loss_test),
            None => loss,
        }
    }
}

/// What an observer of this kind had.
pub(super) fn read_record(bytes: &[u8], origin: &Path) -> Result<Record, RecipeError> {
    serde_json::from_slice(bytes).map_err(|cause| RecipeError::Metrics { path: origin.to_owned(), cause })
}

/// The rows as a table; what there is not of a row is left empty.
pub(super) fn csv(rows: &[Row]) -> String {
    let mut text = "step,epoch,lr,loss_batches,error_batches,loss_test,error_test\n".to_owned();
    for row in rows {
        let _ = write!(text, "{}", row.step);
        for number in [row.epoch, row.lr, row.loss_batches, row.error_batches, row.loss_test, row.error_test]
        {
            text.push(',');
            if !number.is_nan() {
                // As many digits as it takes to read the same number back.
                let _ = write!(text, "{number}");
            }
        }
        text.push('\n');
    }
    text
}
