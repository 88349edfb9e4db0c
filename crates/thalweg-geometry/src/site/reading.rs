//! A measured quantity with all that belongs to it.

use super::{Convention, Difference, Dtype, FieldDifference};
use serde::{Deserialize, Serialize};
use std::ops::{Add, AddAssign, Mul};

/// What a measurement cost, in passes over the site's whole data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Work {
    /// Evaluations of the loss or of the outputs at a point.
    pub forwards: u64,
    /// Gradients.
    pub gradients: u64,
    /// Hessian-vector products.
    pub hvps: u64,
    /// Gauss–Newton-vector products.
    pub ggn_products: u64,
    /// Jacobian-vector products of the outputs.
    pub jvps: u64,
    /// Vector-Jacobian products of the outputs.
    pub vjps: u64,
    /// Products with an operator that is not of a site, such as an explicit matrix.
    pub matvecs: u64,
}

impl Add for Work {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            forwards: self.forwards + other.forwards,
            gradients: self.gradients + other.gradients,
            hvps: self.hvps + other.hvps,
            ggn_products: self.ggn_products + other.ggn_products,
            jvps: self.jvps + other.jvps,
            vjps: self.vjps + other.vjps,
            matvecs: self.matvecs + other.matvecs,
        }
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<u64> for Work {
    type Output = Self;
    fn mul(self, times: u64) -> Self {
        Self {
            forwards: self.forwards * times,
            gradients: self.gradients * times,
            hvps: self.hvps * times,
            ggn_products: self.ggn_products * times,
            jvps: self.jvps * times,
            vjps: self.vjps * times,
            matvecs: self.matvecs * times,
        }
    }
}

/// How a measurement ended. Anything but [`Converged`](Self::Converged) is still a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The tolerance was met; of a direct measurement, every number is finite.
    Converged,
    /// The budget of work ran out first.
    BudgetSpent,
    /// The tolerance was met by what was found, but the budget ran out before it was certain that nothing that belongs
    /// among it was passed over: of a repeated eigenvalue, copies may be missing.
    MultiplicityUnresolved,
    /// The site's own precision was reached before the tolerance; more work would not help.
    PrecisionLimited,
    /// The site returned numbers that are not finite.
    NotFinite,
}

/// How far a number may be from the quantity it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Uncertainty {
    /// Only rounding, in the arithmetic given: no bound, and more than a unit in the last place. Of a mean loss in f32,
    /// which adds up what forward passes round, about 10⁻⁷ of the largest loss of an example.
    Rounding {
        /// The arithmetic.
        dtype: Dtype,
    },
    /// A bound from a residual; the largest of several.
    Residual {
        /// In the unit of the value.
        #[serde(with = "super::number")]
        size: f64,
    },
    /// One standard error of a mean over random probes.
    StandardError {
        /// In the unit of the value.
        #[serde(with = "super::number")]
        size: f64,
    },
}

/// A measured quantity.
///
/// In JSON, NaN and infinities are strings, as [`Number`](super::Number) writes them. A bare `Reading<f64>` would
/// lose them: use `Reading<Number>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading<T> {
    /// What was measured, such as `eigenvalues of the hessian`.
    pub quantity: String,
    /// The result.
    pub value: T,
    /// Its error bar.
    pub uncertainty: Uncertainty,
    /// How the measurement ended.
    pub outcome: Outcome,
    /// What it cost.
    pub work: Work,
    /// What it is to be read under.
    pub convention: Convention,
}

impl<T> Reading<T> {
    /// Whether the two may be compared.
    ///
    /// # Errors
    /// The differing fields of the conventions, and `quantity` if they measure different things.
    pub fn compare<U>(&self, other: &Reading<U>) -> Result<(), Difference> {
        let mut fields = Vec::new();
        if self.quantity != other.quantity {
            let (left, right) = (self.quantity.clone(), other.quantity.clone());
            fields.push(FieldDifference { field: "quantity", left, right });
        }
        fields.extend(self.convention.differences(&other.convention));
        if fields.is_empty() { Ok(()) } else { Err(Difference { fields }) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Number;
    use super::*;

    fn reading(value: f64) -> Reading<Number> {
        Reading {
            quantity: "trace of the hessian".into(),
            value: Number(value),
            uncertainty: Uncertainty::StandardError { size: f64::NAN },
            outcome: Outcome::NotFinite,
            work: Work { hvps: 7, ..Work::default() },
            convention: Convention::analytic("quadratic"),
        }
    }

    #[test]
    fn a_reading_that_is_not_finite_survives_json() {
        let json = serde_json::to_string(&reading(f64::INFINITY)).unwrap();
        let back: Reading<Number> = serde_json::from_str(&json).unwrap();
        assert_eq!(back.value, Number(f64::INFINITY));
        assert!(matches!(back.uncertainty, Uncertainty::StandardError { size } if size.is_nan()));
        assert_eq!((back.work, back.outcome), (reading(0.0).work, Outcome::NotFinite));
        assert!(json.contains(r#""uncertainty":{"kind":"standard_error","size":"NaN"}"#), "{json}");
    }

    #[test]
    fn rounding_names_its_arithmetic() {
        let json = serde_json::to_string(&Uncertainty::Rounding { dtype: Dtype::F32 }).unwrap();
        assert_eq!(json, r#"{"kind":"rounding","dtype":"f32"}"#);
        let back: Uncertainty = serde_json::from_str(&json).unwrap();
        assert_eq!(back, Uncertainty::Rounding { dtype: Dtype::F32 });
    }

    #[test]
    fn different_quantities_are_not_compared() {
        let other = Reading { quantity: "trace of the ggn".into(), ..reading(1.0) };
        assert_eq!(reading(1.0).compare(&other).unwrap_err().fields[0].field, "quantity");
        assert!(reading(1.0).compare(&reading(2.0)).is_ok());
    }
}
