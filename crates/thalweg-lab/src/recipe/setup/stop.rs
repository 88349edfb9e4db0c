//! When training ends before its last step.

use std::fmt;

use serde::{Deserialize, Serialize};
use thalweg_geometry::site::number;

use crate::recipe::RecipeError;

/// Ends training at a look at the held-out set (see `evaluate`) by which a number has become small enough, or has stopped
/// becoming smaller.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopConfig {
    /// The number.
    pub metric: Metric,
    /// Small enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// Looks in a row that are no better than the best one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// How much smaller than the best a number must be to be better.
    #[serde(default)]
    pub min_delta: f64,
}

/// A column of `metrics.csv`, of which less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The mean loss over the batches since the look before.
    LossBatches,
    /// The share of their examples misclassified.
    ErrorBatches,
    /// The mean loss over the held-out set.
    LossTest,
    /// The share of it misclassified.
    ErrorTest,
}

/// Where a run ended before its last step, and why.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    /// Steps taken.
    pub step: u64,
    /// The number that was looked at.
    pub metric: Metric,
    /// What it was.
    #[serde(with = "number")]
    pub value: f64,
    /// Looks that were no better than the best before; none where the number was small enough.
    pub patience: Option<u64>,
}

impl Metric {
    /// The column's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::LossBatches => "loss_batches",
            Self::ErrorBatches => "error_batches",
            Self::LossTest => "loss_test",
            Self::ErrorTest => "error_test",
        }
    }
}

impl StopConfig {
    /// Refuses what no run could keep to. `has_classes`: whether the loss has something to misclassify.
    pub(super) fn validate(&self, has_classes: bool) -> Result<(), RecipeError> {
        let Self { metric, below, patience, min_delta } = *self;
        if matches!(metric, Metric::ErrorBatches | Metric::ErrorTest) && !has_classes {
            let expected = "loss_batches or loss_test, as the loss has no classes";
            return Err(RecipeError::field("stop.metric", expected, metric.name()));
        }
        if below.is_none() && patience.is_none() {
            return Err(RecipeError::field("stop", "`below` or `patience`", "neither"));
        }
        if let Some(found) = below.filter(|below| !(below.is_finite() && *below >= 0.0)) {
            return Err(RecipeError::field("stop.below", "a finite number, at least 0", found));
        }
        if patience == Some(0) {
            return Err(RecipeError::field("stop.patience", "at least 1 look", 0));
        }
        if !(min_delta.is_finite() && min_delta >= 0.0) {
            return Err(RecipeError::field("stop.min_delta", "a finite number, at least 0", min_delta));
        }
        Ok(())
    }

    /// Whether the last of these looks ends the run, after so many steps. A look that saw no number is none.
    pub(in crate::recipe) fn at(&self, step: u64, looks: impl Iterator<Item = f64>) -> Option<Stopped> {
        let (mut best, mut waited, mut last) = (f64::INFINITY, 0, None);
        for value in looks.filter(|value| !value.is_nan()) {
            last = Some(value);
            if value < best - self.min_delta {
                (best, waited) = (value, 0);
            } else {
                waited += 1;
            }
        }
        let value = last?;
        let stopped = |patience| Stopped { step, metric: self.metric, value, patience };
        if self.below.is_some_and(|below| value <= below) {
            return Some(stopped(None));
        }
        self.patience.filter(|&patience| waited >= patience).map(|_| stopped(Some(waited)))
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, metric, value, patience } = self;
        write!(f, "stopped at step {step}: {} is {value:.4}, ", metric.name())?;
        match patience {
            None => f.write_str("small enough"),
            Some(1) => f.write_str("no better than before"),
            Some(looks) => write!(f, "no better for {looks} looks"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: StopConfig =
        StopConfig { metric: Metric::LossTest, below: None, patience: None, min_delta: 0.0 };

    /// The look, from 1, that ends the run.
    fn ends(stop: StopConfig, looks: &[f64]) -> Option<(usize, Stopped)> {
        (1..=looks.len()).find_map(|count| Some((count, stop.at(7, looks[..count].iter().copied())?)))
    }

    #[test]
    fn small_enough_is_at_most() {
        let stop = StopConfig { below: Some(0.25), ..STOP };
        let (look, stopped) = ends(stop, &[1.0, f64::NAN, 0.5, 0.25, 0.1]).unwrap();
        assert_eq!((look, stopped.value, stopped.patience), (4, 0.25, None));
        assert_eq!(stopped.to_string(), "stopped at step 7: loss_test is 0.2500, small enough");
        assert_eq!(ends(stop, &[1.0, 0.5, f64::NAN]), None);
        assert_eq!(ends(stop, &[f64::NAN]), None);
    }

    #[test]
    fn patience_is_counted_from_the_best() {
        let stop = StopConfig { patience: Some(2), ..STOP };
        assert_eq!(ends(stop, &[3.0, 2.0, 2.5, 1.9, 2.0, 1.9]).unwrap().0, 6);
        assert_eq!(ends(stop, &[3.0, 2.0, 2.5, 1.9, 2.0, 1.8, 1.8]), None);
        let (look, stopped) = ends(stop, &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(look, 3);
        assert_eq!(stopped.to_string(), "stopped at step 7: loss_test is 3.0000, no better for 2 looks");
        // A little better is no better.
        let stop = StopConfig { min_delta: 0.5, ..stop };
        assert_eq!(ends(stop, &[3.0, 2.8, 2.6]).unwrap().0, 3);
        assert_eq!(ends(stop, &[3.0, 2.8, 2.4, 2.0, 1.8]), None);
    }

    #[test]
    fn what_no_run_keeps_to_is_refused() {
        let refusal = |stop: StopConfig, classes| stop.validate(classes).unwrap_err().to_string();
        assert!(refusal(STOP, true).contains("`stop`: expected `below` or `patience`, found neither"));
        assert!(refusal(StopConfig { below: Some(f64::NAN), ..STOP }, true).contains("stop.below"));
        assert!(refusal(StopConfig { patience: Some(0), ..STOP }, true).contains("stop.patience"));
        let delta = StopConfig { patience: Some(1), min_delta: -1.0, ..STOP };
        assert!(refusal(delta, true).contains("stop.min_delta"));
        let error = StopConfig { metric: Metric::ErrorTest, below: Some(0.1), ..STOP };
        assert!(error.validate(true).is_ok());
        assert!(refusal(error, false).contains("`stop.metric`: expected loss_batches or loss_test"));
    }
}
