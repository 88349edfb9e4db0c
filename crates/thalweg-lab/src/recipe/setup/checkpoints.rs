//! When θ is kept.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Unexpected};
use serde::{Deserialize, Serialize, Serializer};

use crate::recipe::RecipeError;

/// Each is a file.
const CHECKPOINTS_MAX: u64 = 1_000_000;
const PER_DECADE_MAX: u32 = 1000;

/// When θ is kept: before the first step, after the last, and in between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointsConfig {
    /// Checkpoints for each factor of ten in steps, equally spaced in its logarithm; 0 for none.
    pub per_decade: u32,
    /// Epochs between two others; 0 for none.
    pub every_epochs: u64,
    /// Others, as `["500it", "160ep"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Vec<Moment>>,
}

/// A moment of a run: `"500it"`, after so many steps, or `"160ep"`, after so many epochs, as Frankle et al. (2020) write
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After so many steps.
    Steps(u64),
    /// After so many passes over the training set.
    Epochs(u64),
}

impl Default for CheckpointsConfig {
    fn default() -> Self {
        Self { per_decade: 8, every_epochs: 1, at: None }
    }
}

impl Moment {
    /// The number of steps before it; none if that is beyond counting.
    pub fn step(self, steps_per_epoch: u64) -> Option<u64> {
        match self {
            Self::Steps(steps) => Some(steps),
            Self::Epochs(epochs) => epochs.checked_mul(steps_per_epoch),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => write!(f, "{steps}it"),
            Self::Epochs(epochs) => write!(f, "{epochs}ep"),
        }
    }
}

/// Text that is no moment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of steps or epochs, such as \"500it\" or \"160ep\"")]
pub struct NotAMoment;

impl FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        let number = |unit| {
            let digits = text.strip_suffix(unit)?;
            // `parse` would take a sign, too.
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
        };
        let steps = number("it").map(Self::Steps);
        steps.or_else(|| number("ep").map(Self::Epochs)).ok_or(NotAMoment)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = "a number of steps or epochs, such as \"500it\" or \"160ep\"";
        text.parse().map_err(|_| de::Error::invalid_value(Unexpected::Str(&text), &expected))
    }
}

impl CheckpointsConfig {
    /// The steps after which θ is kept, ascending: 0, the last, and what is asked for between.
    ///
    /// # Errors
    /// More checkpoints than a folder should hold, or one after the end of the run.
    pub(in crate::recipe) fn steps(&self, steps: u64, steps_per_epoch: u64) -> Result<Vec<u64>, RecipeError> {
        let Self { per_decade, every_epochs, at } = self;
        if *per_decade > PER_DECADE_MAX {
            let field = "checkpoints.per_decade";
            return Err(RecipeError::field(field, format!("at most {PER_DECADE_MAX}"), per_decade));
        }
        let every = every_epochs.saturating_mul(steps_per_epoch);
        let multiples = steps.checked_div(every).unwrap_or(0);
        if multiples > CHECKPOINTS_MAX {
            let expected = format!("at most {CHECKPOINTS_MAX} checkpoints in the {steps} steps of the run");
            let found = format!("{every_epochs}, which makes {multiples}");
            return Err(RecipeError::field("checkpoints.every_epochs", expected, found));
        }
        let mut kept = vec![0, steps];
        if *per_decade > 0 {
            let at = |k: u32| libm::exp10(f64::from(k) / f64::from(*per_decade)).round();
            kept.extend((0..).map(at).take_while(|&step| step < steps as f64).map(|step| step as u64));
        }
        kept.extend((1..=multiples).map(|k| k * every));
        for moment in at.iter().flatten() {
            match moment.step(steps_per_epoch).filter(|&step| step <= steps) {
                Some(step) => kept.push(step),
                None => {
                    let per = format!("{steps} steps of the run, {steps_per_epoch} to an epoch");
                    let expected = format!("moments within the {per}");
                    return Err(RecipeError::field("checkpoints.at", expected, moment));
                }
            }
        }
        kept.sort_unstable();
        kept.dedup();
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(per_decade: u32, every_epochs: u64, at: &[&str], steps: u64) -> Result<Vec<u64>, String> {
        let at = Some(at.iter().map(|text| text.parse().unwrap()).collect());
        let config = CheckpointsConfig { per_decade, every_epochs, at };
        config.steps(steps, 2).map_err(|error| error.to_string())
    }

    #[test]
    fn checkpoints_are_log_spaced_and_every_few_epochs() {
        assert_eq!(steps(2, 10, &[], 50).unwrap(), [0, 1, 3, 10, 20, 32, 40, 50]);
        assert_eq!(steps(0, 10, &[], 50).unwrap(), [0, 20, 40, 50]);
        assert_eq!(steps(0, 0, &[], 50).unwrap(), [0, 50]);
        assert_eq!(steps(0, 0, &[], 1).unwrap(), [0, 1]);
    }

    #[test]
    fn moments_are_kept_and_lie_within_the_run() {
        assert_eq!(steps(0, 0, &["7it", "4ep", "8it", "25ep"], 50).unwrap(), [0, 7, 8, 50]);
        assert_eq!(
            steps(0, 0, &["26ep"], 50).unwrap_err(),
            "`checkpoints.at`: expected moments within the 50 steps of the run, 2 to an epoch, found 26ep"
        );
        assert!(steps(0, 0, &[&format!("{}ep", u64::MAX)], 50).is_err());
    }

    #[test]
    fn moments_read_as_they_are_written() {
        for text in ["500it", "160ep", "0it"] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        for text in ["", "it", "5", "5 it", "-5it", "+5it", "5.5ep", "5epochs", "99999999999999999999it"] {
            assert_eq!(text.parse::<Moment>(), Err(NotAMoment), "{text}");
        }
    }
}
