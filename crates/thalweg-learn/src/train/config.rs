//! How to train, as configurations write it.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::{Recipe, TrainError};
use crate::augment::Augmentation;
use crate::loss::Loss;
use crate::optim::{Optimiser, Sgd};
use crate::schedule::{Schedule, Warmup};

/// How to train on a data set of any size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// The loss; cross-entropy unless given.
    pub loss: Loss,
    /// Share ε of every label that goes to all classes alike, in [0, 1), as PyTorch's `CrossEntropyLoss(label_smoothing=ε)`
    /// has it; for cross-entropy, 0 unless given. It is part of the loss: of what is measured as of what is trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_smoothing: Option<f64>,
    /// Passes over the training set, unless `steps` is given; 40 unless given.
    pub epochs: u64,
    /// Steps of the optimiser, in place of `epochs`.
    pub steps: Option<u64>,
    /// Examples in a batch, or `"full"`; 64 unless given. An epoch's last batch has what is left.
    pub batch_size: BatchSize,
    /// The learning rate at its highest; 0.1 unless given. It suits the default loss and optimiser:
    /// squared error wants less, and Adam about 0.001.
    pub lr: f64,
    /// How the learning rate goes from there; down a cosine to 0 unless given.
    pub schedule: Course,
    /// The optimiser; SGD with momentum 0.9 unless given.
    pub optimiser: Optimiser,
    /// The norm that a gradient is shortened to if it is longer; none unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// How images are changed whenever they are seen; not at all unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augment: Option<Augmentation>,
}

/// How the learning rate goes over a run.
///
/// Times are shares of the run, so a run can be made longer, or its batches larger, without working them out anew;
/// rates are shares of the highest. `warmup` is the share of the run over which the rate rises from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Course {
    /// The same rate throughout.
    Constant {
        /// Share of the run with a rising rate; 0 unless given.
        #[serde(default)]
        warmup: f64,
    },
    /// Falls at milestones.
    Steps {
        /// Where, in ascending shares of the run; ½ and ¾ unless given.
        #[serde(default = "half_and_three_quarters")]
        milestones: Vec<f64>,
        /// What the rate is multiplied by at each; 0.1 unless given.
        #[serde(default = "tenth")]
        factor: f64,
        /// Share of the run with a rising rate; 0 unless given.
        #[serde(default)]
        warmup: f64,
    },
    /// Falls along half a cosine.
    Cosine {
        /// Share of the rate that is left at the end; 0 unless given.
        #[serde(default)]
        end: f64,
        /// Share of the run with a rising rate; 0 unless given.
        #[serde(default)]
        warmup: f64,
    },
}

/// How many examples a step sees: a number, or `"full"` in configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchSize {
    /// All, in their own order: gradient descent.
    Full,
    /// So many, drawn without replacement in every epoch.
    Of(usize),
}

/// A configuration worked out for a number of examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How to step.
    pub recipe: Recipe,
    /// How often.
    pub steps: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            loss: Loss::CrossEntropy,
            label_smoothing: None,
            epochs: 40,
            steps: None,
            batch_size: BatchSize::Of(64),
            lr: 0.1,
            schedule: Course::default(),
            optimiser: Optimiser::Sgd(Sgd { momentum: 0.9, ..Sgd::default() }),
            clip_norm: None,
            augment: None,
        }
    }
}

impl Default for Course {
    fn default() -> Self {
        Self::Cosine { end: 0.0, warmup: 0.0 }
    }
}

fn half_and_three_quarters() -> Vec<f64> {
    vec![0.5, 0.75]
}

fn tenth() -> f64 {
    0.1
}

impl TrainConfig {
    /// What it comes to for so many examples.
    ///
    /// # Errors
    /// A number out of its range, or milestones that a run of so few steps cannot tell apart.
    pub fn plan(&self, examples: usize) -> Result<Plan, TrainError> {
        let batch_size = match self.batch_size {
            BatchSize::Full => None,
            BatchSize::Of(size) => Some(size),
        };
        let per_epoch = examples.div_ceil(batch_size.unwrap_or(examples).max(1)) as u64;
        let steps = self.steps.unwrap_or(self.epochs.saturating_mul(per_epoch));
        let schedule = self.schedule.over(steps, self.lr)?;
        schedule.validate()?;
        self.optimiser.validate()?;
        if let Some(found) = self.clip_norm.filter(|norm| !(norm.is_finite() && *norm > 0.0)) {
            let expected = "a finite number above 0";
            return Err(TrainError::Value { field: "clip_norm", expected, found });
        }
        let Self { optimiser, clip_norm, augment, .. } = *self;
        let loss = self.smoothed_loss()?;
        let recipe = Recipe { loss, optimiser, schedule, batch_size, clip_norm, augment };
        Ok(Plan { recipe, steps })
    }

    /// The loss with its labels smoothed.
    fn smoothed_loss(&self) -> Result<Loss, TrainError> {
        match (self.label_smoothing, self.loss) {
            (None, loss) => Ok(loss),
            (Some(found), _) if !(0.0..1.0).contains(&found) => {
                Err(TrainError::Value { field: "label_smoothing", expected: "in [0, 1)", found })
            }
            (Some(smoothing), Loss::CrossEntropy) => Ok(Loss::CrossEntropy.smoothed(smoothing)),
            (Some(found), loss) => {
                let expected = format!("unset, as {} has no labels to smooth", loss.name());
                Err(TrainError::Choice { field: "label_smoothing", expected, found: found.to_string() })
            }
        }
    }
}

impl Course {
    /// The schedule of a run of so many steps.
    fn over(&self, steps: u64, lr: f64) -> Result<Schedule, TrainError> {
        let (Self::Constant { warmup } | Self::Steps { warmup, .. } | Self::Cosine { warmup, .. }) = self;
        // The rate reaches its highest before the run ends, even if a share of few steps rounds up to all.
        let risen = at("schedule.warmup", *warmup, steps)?.min(steps.saturating_sub(1));
        let warmup = (risen > 0).then_some(Warmup { steps: risen, from: 0.0 });
        Ok(match self {
            Self::Constant { .. } => Schedule::Constant { lr, warmup },
            Self::Steps { milestones, factor, .. } => {
                let milestones = milestones
                    .iter()
                    .map(|&share| at("schedule.milestones", share, steps))
                    .collect::<Result<_, _>>()?;
                Schedule::Steps { lr, milestones, factor: *factor, warmup }
            }
            Self::Cosine { end, .. } => {
                Schedule::Cosine { lr, lr_end: lr * end, steps: steps.max(1), warmup }
            }
        })
    }
}

/// The step at that share of the run.
fn at(field: &'static str, share: f64, steps: u64) -> Result<u64, TrainError> {
    if (0.0..1.0).contains(&share) {
        Ok((share * steps as f64).round() as u64)
    } else {
        Err(TrainError::Value { field, expected: "a share of the run, in [0, 1)", found: share })
    }
}

impl Serialize for BatchSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Full => serializer.serialize_str("full"),
            Self::Of(size) => serializer.serialize_u64(*size as u64),
        }
    }
}

impl<'de> Deserialize<'de> for BatchSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrFull;

        impl Visitor<'_> for NumberOrFull {
            type Value = BatchSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of examples, at least 1, or \"full\"")
            }

            fn visit_u64<E: de::Error>(self, size: u64) -> Result<BatchSize, E> {
                match usize::try_from(size) {
                    Ok(size) if size > 0 => Ok(BatchSize::Of(size)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(size), &self)),
                }
            }

            fn visit_i64<E: de::Error>(self, size: i64) -> Result<BatchSize, E> {
                match u64::try_from(size) {
                    Ok(size) => self.visit_u64(size),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Signed(size), &self)),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<BatchSize, E> {
                match text {
                    "full" => Ok(BatchSize::Full),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(NumberOrFull)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TrainConfig, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    fn plan(text: &str, examples: usize) -> Plan {
        read(text).unwrap().plan(examples).unwrap()
    }

    #[test]
    fn configurations_read_back() {
        assert_eq!(read("{}").unwrap(), TrainConfig::default());
        let text = concat!(
            r#"{"loss":"half_mean_square","epochs":3,"steps":70,"batch_size":"full","lr":0.3,"#,
            r#""schedule":{"kind":"steps","milestones":[0.25],"factor":0.5,"warmup":0.1},"#,
            r#""optimiser":{"kind":"adam","beta_1":0.9,"beta_2":0.99,"eps":1e-8,"weight_decay":0.0}}"#
        );
        assert_eq!(serde_json::to_string(&read(text).unwrap()).unwrap(), text);
        let short = read(r#"{"schedule": {"kind": "steps"}, "batch_size": 5}"#).unwrap();
        let schedule = Course::Steps { milestones: vec![0.5, 0.75], factor: 0.1, warmup: 0.0 };
        assert_eq!(short, TrainConfig { schedule, batch_size: BatchSize::Of(5), ..TrainConfig::default() });
    }

    #[test]
    fn plans_count_in_steps() {
        // 1437 = 22·64 + 29.
        assert_eq!(plan("{}", 1437).steps, 40 * 23);
        assert_eq!(plan(r#"{"batch_size": "full", "epochs": 7}"#, 1437).steps, 7);
        assert_eq!(plan(r#"{"steps": 11, "epochs": 7}"#, 1437).steps, 11);
        let resnet = r#"{"lr": 0.1, "steps": 30000, "schedule":
            {"kind": "steps", "milestones": [0.6666666666666666, 0.8333333333333334], "warmup": 0.1}}"#;
        let warmup = Some(Warmup { steps: 3000, from: 0.0 });
        let schedule = Schedule::Steps { lr: 0.1, milestones: vec![20_000, 25_000], factor: 0.1, warmup };
        assert_eq!(plan(resnet, 45_000).recipe.schedule, schedule);
        let cosine = plan(r#"{"lr": 0.5, "steps": 10, "schedule": {"kind": "cosine", "end": 0.1}}"#, 9);
        assert_eq!(
            cosine.recipe.schedule,
            Schedule::Cosine { lr: 0.5, lr_end: 0.05, steps: 10, warmup: None }
        );
        // Runs of no step and of one that is all warm-up but for rounding.
        assert_eq!(plan(r#"{"epochs": 0}"#, 9).steps, 0);
        assert_eq!(plan(r#"{"steps": 1, "schedule": {"kind": "cosine", "warmup": 0.9}}"#, 9).steps, 1);
    }

    #[test]
    fn nonsense_is_refused() {
        let unread = |text: &str| read(text).unwrap_err();
        assert!(unread(r#"{"epoch": 3}"#).contains("unknown field `epoch`"));
        assert!(unread(r#"{"schedule": {"kind": "cosine", "lr": 1}}"#).contains("unknown field `lr`"));
        for size in ["0", "-3", "\"all\""] {
            let error = unread(&format!(r#"{{"batch_size": {size}}}"#));
            assert!(error.contains("expected a number of examples, at least 1, or \"full\""), "{error}");
        }
        let unplanned = |text: &str| read(text).unwrap().plan(100).unwrap_err().to_string();
        assert_eq!(
            unplanned(r#"{"schedule": {"kind": "constant", "warmup": 1.0}}"#),
            "train: expected schedule.warmup to be a share of the run, in [0, 1), found 1"
        );
        assert_eq!(unplanned(r#"{"lr": -1}"#), "schedule: expected lr to be finite and at least 0, found -1");
        assert_eq!(
            unplanned(r#"{"steps": 1, "schedule": {"kind": "steps"}}"#),
            "schedule: expected ascending milestones, found 1 after 1"
        );
        assert_eq!(
            unplanned(r#"{"clip_norm": 0}"#),
            "train: expected clip_norm to be a finite number above 0, found 0"
        );
        assert!(unplanned(r#"{"optimiser": {"kind": "adam", "beta_1": 2}}"#).starts_with("optimiser adam"));
        assert_eq!(
            unplanned(r#"{"label_smoothing": 1}"#),
            "train: expected label_smoothing to be in [0, 1), found 1"
        );
        assert_eq!(
            unplanned(r#"{"label_smoothing": 0.1, "loss": "half_mean_square"}"#),
            "train: expected label_smoothing to be unset, as half_mean_square has no labels to smooth, found 0.1"
        );
    }

    #[test]
    fn smoothing_is_part_of_the_loss_and_not_written_unless_given() {
        assert!(!serde_json::to_string(&TrainConfig::default()).unwrap().contains("smoothing"));
        let text = r#"{"label_smoothing": 0.1}"#;
        assert_eq!(plan(text, 9).recipe.loss, Loss::SmoothedCrossEntropy { smoothing: 0.1 });
        assert!(serde_json::to_string(&read(text).unwrap()).unwrap().contains(r#""label_smoothing":0.1"#));
        // Smoothing by 0 is the loss itself, program for program.
        assert_eq!(plan(r#"{"label_smoothing": 0.0}"#, 9).recipe.loss, Loss::CrossEntropy);
        assert!(read(r#"{"loss": "smoothed_cross_entropy"}"#).is_err());
    }
}
