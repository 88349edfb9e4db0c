//! Learning rates as functions of the step.
//!
//! A step is one update of θ, counted from 0; turning epochs into steps is the caller's. A schedule has no state and is
//! defined at every step, beyond its end too, so a run may go on longer than was planned.

use serde::{Deserialize, Serialize};

/// The learning rate over steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// `lr` for ever.
    Constant {
        /// Learning rate.
        lr: f64,
        /// Linear start, if any.
        #[serde(default)]
        warmup: Option<Warmup>,
    },
    /// `lr · factorᵏ`, k the number of milestones that are ≤ the step.
    Steps {
        /// Learning rate before the first milestone.
        lr: f64,
        /// Steps at which the rate changes, counted from the beginning of the run, warm-up included; ascending.
        milestones: Vec<u64>,
        /// What the rate is multiplied by at each.
        factor: f64,
        /// Linear start, if any.
        #[serde(default)]
        warmup: Option<Warmup>,
    },
    /// `lr_end + (lr − lr_end)·½(1 + cos πs)`, where s goes from 0 at the end of the warm-up to 1 at step `steps`, and
    /// `lr_end` after it (Loshchilov & Hutter 2017 without restarts).
    Cosine {
        /// Learning rate at the top.
        lr: f64,
        /// Learning rate at the end; 0 unless given.
        #[serde(default)]
        lr_end: f64,
        /// The step at which the end is reached, warm-up included.
        steps: u64,
        /// Linear start, if any.
        #[serde(default)]
        warmup: Option<Warmup>,
    },
}

/// A linear start: at step t < `steps` the rate is multiplied by `from + (1 − from)·t/steps`.
///
/// With `from` = 0 (unless given) the very first step does not move θ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// The first step with the full rate.
    pub steps: u64,
    /// Share of the rate at step 0, in [0, 1].
    #[serde(default)]
    pub from: f64,
}

/// A schedule that has no meaning.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A number outside its range.
    #[error("schedule: expected {field} to be {expected}, found {found}")]
    Value {
        /// Name of the field.
        field: &'static str,
        /// Its range.
        expected: &'static str,
        /// The value given.
        found: f64,
    },
    /// Milestones out of order.
    #[error("schedule: expected ascending milestones, found {later} after {earlier}")]
    Milestones {
        /// A milestone.
        earlier: u64,
        /// The next one, which is not greater.
        later: u64,
    },
    /// A cosine that would end before it begins.
    #[error("schedule: expected steps to be more than the {warmup} of the warm-up, found {steps}")]
    Ends {
        /// Steps of the warm-up (0 without one).
        warmup: u64,
        /// Steps of the cosine.
        steps: u64,
    },
}

impl Schedule {
    /// Whether every number is in its range.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn validate(&self) -> Result<(), ScheduleError> {
        let check = |field, found: f64, fine: bool, expected| {
            if found.is_finite() && fine {
                Ok(())
            } else {
                Err(ScheduleError::Value { field, expected, found })
            }
        };
        let (Self::Constant { lr, warmup }
        | Self::Steps { lr, warmup, .. }
        | Self::Cosine { lr, warmup, .. }) = self;
        check("lr", *lr, *lr >= 0.0, "finite and at least 0")?;
        if let Some(Warmup { from, .. }) = warmup {
            check("warmup.from", *from, (0.0..=1.0).contains(from), "in [0, 1]")?;
        }
        match self {
            Self::Constant { .. } => Ok(()),
            Self::Steps { milestones, factor, .. } => {
                check("factor", *factor, *factor >= 0.0, "finite and at least 0")?;
                match milestones.windows(2).find(|pair| pair[1] <= pair[0]) {
                    Some(pair) => Err(ScheduleError::Milestones { earlier: pair[0], later: pair[1] }),
                    None => Ok(()),
                }
            }
            Self::Cosine { lr_end, steps, .. } => {
                check("lr_end", *lr_end, *lr_end >= 0.0, "finite and at least 0")?;
                let warmup = warmup.map_or(0, |w| w.steps);
                if *steps <= warmup { Err(ScheduleError::Ends { warmup, steps: *steps }) } else { Ok(()) }
            }
        }
    }

    /// The learning rate of that step, the first being step 0.
    pub fn lr_at(&self, step: u64) -> f64 {
        match self {
            Self::Constant { lr, warmup } => lr * rise(*warmup, step),
            Self::Steps { lr, milestones, factor, warmup } => {
                let passed = milestones.iter().filter(|&&milestone| milestone <= step);
                // One product after another: the same bits as a run that multiplies at each milestone.
                passed.fold(*lr, |lr, _| lr * factor) * rise(*warmup, step)
            }
            Self::Cosine { lr, lr_end, steps, warmup } => {
                let begin = warmup.map_or(0, |w| w.steps);
                if step >= *steps {
                    *lr_end
                } else if step < begin {
                    lr * rise(*warmup, step)
                } else {
                    let s = (step - begin) as f64 / (steps - begin) as f64;
                    lr_end + (lr - lr_end) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * s))
                }
            }
        }
    }
}

fn rise(warmup: Option<Warmup>, step: u64) -> f64 {
    match warmup {
        Some(Warmup { steps, from }) if step < steps => from + (1.0 - from) * (step as f64 / steps as f64),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_rates(schedule: &Schedule, rates: &[(u64, f64)]) {
        schedule.validate().unwrap();
        for &(step, rate) in rates {
            let found = schedule.lr_at(step);
            assert!((found - rate).abs() < 1e-15, "{schedule:?} at {step}: {found} instead of {rate}");
        }
    }

    #[test]
    fn constant_with_and_without_warmup() {
        assert_rates(&Schedule::Constant { lr: 0.1, warmup: None }, &[(0, 0.1), (7, 0.1), (u64::MAX, 0.1)]);
        let warm = Schedule::Constant { lr: 0.4, warmup: Some(Warmup { steps: 4, from: 0.0 }) };
        assert_rates(&warm, &[(0, 0.0), (1, 0.1), (3, 0.3), (4, 0.4), (5, 0.4), (u64::MAX, 0.4)]);
        let third = Schedule::Constant { lr: 0.3, warmup: Some(Warmup { steps: 2, from: 1.0 / 3.0 }) };
        assert_rates(&third, &[(0, 0.1), (1, 0.2), (2, 0.3)]);
        let none = Schedule::Constant { lr: 0.3, warmup: Some(Warmup { steps: 0, from: 0.0 }) };
        assert_rates(&none, &[(0, 0.3)]);
    }

    #[test]
    fn steps_fall_at_their_milestones() {
        let schedule = |warmup| Schedule::Steps { lr: 0.1, milestones: vec![10, 20], factor: 0.1, warmup };
        assert_rates(
            &schedule(None),
            &[(0, 0.1), (9, 0.1), (10, 0.01), (19, 0.01), (20, 0.001), (21, 0.001), (u64::MAX, 0.001)],
        );
        // A warm-up that outlasts a milestone: both factors act.
        let warm = schedule(Some(Warmup { steps: 20, from: 0.0 }));
        assert_rates(&warm, &[(0, 0.0), (5, 0.025), (10, 0.005), (20, 0.001)]);
        let at_start = Schedule::Steps { lr: 1.0, milestones: vec![0], factor: 0.5, warmup: None };
        assert_rates(&at_start, &[(0, 0.5)]);
    }

    #[test]
    fn cosine_ends_where_it_says() {
        let schedule = |warmup, lr_end| Schedule::Cosine { lr: 1.0, lr_end, steps: 12, warmup };
        let quarter = 0.5 * (1.0 + 0.5f64.sqrt());
        assert_rates(
            &schedule(None, 0.0),
            &[(0, 1.0), (3, quarter), (4, 0.75), (6, 0.5), (8, 0.25), (12, 0.0), (13, 0.0), (u64::MAX, 0.0)],
        );
        let warm = schedule(Some(Warmup { steps: 4, from: 0.5 }), 0.2);
        assert_rates(&warm, &[(0, 0.5), (3, 0.875), (4, 1.0), (8, 0.6), (12, 0.2), (100, 0.2)]);
        assert!(warm.lr_at(11) > 0.2);
    }

    #[test]
    fn nonsense_is_refused() {
        let message = |schedule: Schedule| schedule.validate().unwrap_err().to_string();
        assert_eq!(
            message(Schedule::Constant { lr: -1.0, warmup: None }),
            "schedule: expected lr to be finite and at least 0, found -1"
        );
        assert_eq!(
            message(Schedule::Constant { lr: 1.0, warmup: Some(Warmup { steps: 3, from: 1.5 }) }),
            "schedule: expected warmup.from to be in [0, 1], found 1.5"
        );
        assert_eq!(
            message(Schedule::Steps { lr: 1.0, milestones: vec![5, 5], factor: 0.1, warmup: None }),
            "schedule: expected ascending milestones, found 5 after 5"
        );
        assert_eq!(
            message(Schedule::Cosine {
                lr: 1.0,
                lr_end: 0.0,
                steps: 3,
                warmup: Some(Warmup { steps: 3, from: 0.0 })
            }),
            "schedule: expected steps to be more than the 3 of the warm-up, found 3"
        );
        assert!(Schedule::Cosine { lr: 1.0, lr_end: 0.0, steps: 0, warmup: None }.validate().is_err());
    }

    #[test]
    fn configurations_read_back() {
        let text = r#"{"kind":"cosine","lr":0.1,"lr_end":0.0,"steps":90,"warmup":{"steps":5,"from":0.0}}"#;
        let schedule: Schedule = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&schedule).unwrap(), text);
        let short: Schedule =
            serde_json::from_str(r#"{"kind":"cosine","lr":0.1,"steps":90,"warmup":{"steps":5}}"#).unwrap();
        assert_eq!(short, schedule);
        let error =
            serde_json::from_str::<Schedule>(r#"{"kind":"constant","lr":0.1,"factor":2}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `factor`"), "{error}");
    }
}
