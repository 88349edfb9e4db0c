//! What has to be said beside a number before it means anything.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How per-example losses become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Mean over examples.
    Mean,
    /// Sum over examples: another quantity, with another name.
    Sum,
    /// The objective is no sum over examples.
    None,
}

/// The precision that the site computes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dtype {
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
}

/// The mode in which layers such as dropout run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Evaluation: no dropout, no augmentation.
    Eval,
    /// Training.
    Train,
}

/// Where the running statistics of batch normalisation come from when θ moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchNorm {
    /// There is none.
    Absent,
    /// One checkpoint's statistics everywhere.
    Frozen,
    /// The statistics of the ends, interpolated as θ is.
    Interpolated,
    /// Reset and averaged over the training set at every point (Garipov et al. 2018).
    ReEstimated,
    /// Activations rescaled to the interpolated statistics of the ends (Jordan et al. 2023).
    Repair,
    /// The statistics of the batch at hand.
    Batch,
}

/// Which examples the loss is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSubset {
    /// Such as `mnist/train[0..5000]`.
    pub name: String,
    /// Number of examples.
    pub count: usize,
}

/// Under which convention a number was measured.
///
/// Two readings may be compared if their conventions are equal: see [`compare`](Self::compare).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Convention {
    /// Such as `cross-entropy in nats`, weight decay included if it was.
    pub loss: String,
    /// How per-example losses become one.
    pub reduction: Reduction,
    /// Over which examples; `None` for an objective without data.
    pub data: Option<DataSubset>,
    /// In which precision.
    pub dtype: Dtype,
    /// In which mode.
    pub mode: Mode,
    /// Whose running statistics.
    pub batch_norm: BatchNorm,
    /// Parameters that directions leave alone.
    pub ignored_parameters: Vec<String>,
    /// How directions were scaled, by name; `None` where there are none or they are not scaled.
    pub normalisation: Option<String>,
    /// The seed of probes, directions and start vectors; `None` where nothing is random, or the caller kept it.
    pub seed: Option<u64>,
}

/// A field in which two conventions differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDifference {
    /// The field's name in [`Convention`] (or `quantity`, of two readings).
    pub field: &'static str,
    /// As the left one has it.
    pub left: String,
    /// As the right one has it.
    pub right: String,
}

/// Two readings that must not be compared, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("conventions differ in {}", self.described())]
pub struct Difference {
    /// The fields that differ; at least one.
    pub fields: Vec<FieldDifference>,
}

impl Difference {
    /// Whether nothing but these fields differs: repeats over seeds differ in `seed` and may be averaged.
    pub fn is_only(&self, fields: &[&str]) -> bool {
        self.fields.iter().all(|difference| fields.contains(&difference.field))
    }

    fn described(&self) -> String {
        let described: Vec<String> = self
            .fields
            .iter()
            .map(|difference| {
                format!("{} ({} against {})", difference.field, difference.left, difference.right)
            })
            .collect();
        described.join(", ")
    }
}

impl Convention {
    /// The convention of an objective without data in f64: a formula.
    pub fn analytic(loss: &str) -> Self {
        Self {
            loss: loss.into(),
            reduction: Reduction::None,
            data: None,
            dtype: Dtype::F64,
            mode: Mode::Eval,
            batch_norm: BatchNorm::Absent,
            ignored_parameters: Vec::new(),
            normalisation: None,
            seed: None,
        }
    }

    /// Whether numbers under the two conventions may be compared.
    ///
    /// # Errors
    /// The fields that differ, with both their values.
    pub fn compare(&self, other: &Self) -> Result<(), Difference> {
        let fields = self.differences(other);
        if fields.is_empty() { Ok(()) } else { Err(Difference { fields }) }
    }

    /// The fields that differ, in the order of the struct.
    pub(super) fn differences(&self, other: &Self) -> Vec<FieldDifference> {
        // Taken apart so that a new field cannot be forgotten here.
        let Self { loss, reduction, data, dtype, mode, batch_norm, ignored_parameters, normalisation, seed } =
            self;
        let mut fields = Vec::new();
        let mut note = |field, equal: bool, left: String, right: String| {
            if !equal {
                fields.push(FieldDifference { field, left, right });
            }
        };
        macro_rules! note {
            ($($field:ident),*) => {
                $(note(stringify!($field), *$field == other.$field, shown($field), shown(&other.$field));)*
            };
        }
        note!(loss, reduction, data, dtype, mode, batch_norm, ignored_parameters, normalisation, seed);
        fields
    }
}

fn shown(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_fields_are_named_with_both_values() {
        let left = Convention::analytic("quadratic");
        let right = Convention { dtype: Dtype::F32, seed: Some(3), ..left.clone() };
        assert!(left.compare(&left.clone()).is_ok());
        let difference = left.compare(&right).unwrap_err();
        assert_eq!(
            difference.to_string(),
            "conventions differ in dtype (F64 against F32), seed (None against Some(3))"
        );
        assert!(!difference.is_only(&["seed"]));
        assert!(difference.is_only(&["seed", "dtype"]));
    }

    #[test]
    fn a_convention_survives_json() {
        let convention = Convention {
            data: Some(DataSubset { name: "mnist/test".into(), count: 10_000 }),
            normalisation: Some("filter-wise".into()),
            ..Convention::analytic("cross-entropy in nats")
        };
        let json = serde_json::to_string(&convention).unwrap();
        assert_eq!(serde_json::from_str::<Convention>(&json).unwrap(), convention);
    }
}
