//! Spectra: eigenvalues of one operator at several places, or of several operators.

use serde::{Deserialize, Serialize};

use super::{Axis, RecordError, number};

/// Eigenvalues as stems along one axis, a row for each group, so that outliers, bulk and negative directions of two
/// places stand under each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spectrum {
    /// A few words above the plot.
    pub title: String,
    /// What is to be seen and how it was measured, in sentences.
    pub caption: String,
    /// The axis of the eigenvalues; bi-symmetric logarithmic is what suits a Hessian.
    pub axis: Axis,
    /// The rows, first one on top.
    #[serde(default)]
    pub groups: Vec<Eigenvalues>,
    /// Reference values with a label, for instance 2/η.
    #[serde(default)]
    pub marks: Vec<Threshold>,
}

/// A reference value in a spectrum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Where, on the axis of the eigenvalues.
    #[serde(with = "number::one")]
    pub value: f64,
    /// What it stands for.
    pub label: String,
}

impl Spectrum {
    /// No row yet.
    pub fn new(title: impl Into<String>, axis: Axis) -> Self {
        Self { title: title.into(), axis, ..Self::default() }
    }

    /// The same figure with this caption.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    /// The same figure with one more row.
    #[must_use]
    pub fn with(mut self, group: Eigenvalues) -> Self {
        self.groups.push(group);
        self
    }

    /// The same figure with one more reference value.
    #[must_use]
    pub fn mark(mut self, value: f64, label: impl Into<String>) -> Self {
        self.marks.push(Threshold { value, label: label.into() });
        self
    }
}

/// The eigenvalues of one operator at one place, in any order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Eigenvalues {
    /// The word beside the row: `at initialisation`.
    pub name: String,
    #[serde(with = "number::list")]
    values: Vec<f64>,
    #[serde(with = "number::maybe_list")]
    residuals: Option<Vec<f64>>,
}

impl Eigenvalues {
    /// A row of eigenvalues.
    pub fn new(name: impl Into<String>, values: Vec<f64>) -> Self {
        Self { name: name.into(), values, residuals: None }
    }

    /// The same row with a residual bound ‖Hv − λv‖ for each eigenvalue: for a symmetric operator, an eigenvalue
    /// lies within that distance of λ.
    ///
    /// # Errors
    /// [`RecordError::ResidualLength`] if there is not one for each eigenvalue.
    pub fn residuals(mut self, residuals: Vec<f64>) -> Result<Self, RecordError> {
        if residuals.len() != self.values.len() {
            let (expected, found) = (self.values.len(), residuals.len());
            return Err(RecordError::ResidualLength { name: self.name, expected, found });
        }
        self.residuals = Some(residuals);
        Ok(self)
    }

    /// The eigenvalues.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// A bound for each eigenvalue, if they were measured.
    pub fn residual_bounds(&self) -> Option<&[f64]> {
        self.residuals.as_deref()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    name: String,
    #[serde(with = "number::list")]
    values: Vec<f64>,
    #[serde(default, with = "number::maybe_list")]
    residuals: Option<Vec<f64>>,
}

impl TryFrom<Parts> for Eigenvalues {
    type Error = RecordError;

    fn try_from(parts: Parts) -> Result<Self, RecordError> {
        let row = Self::new(parts.name, parts.values);
        match parts.residuals {
            Some(residuals) => row.residuals(residuals),
            None => Ok(row),
        }
    }
}
