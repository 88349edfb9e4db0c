//! One number of a survey, for people and for programs.

use serde::{Deserialize, Serialize};
use thalweg_geometry::site::{Outcome, number};
use thalweg_report::humane;

/// One of the few numbers that a survey exists for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What was measured: `loss, train`.
    pub name: String,
    /// The number, in `unit`; of a yes or no (a monotonic line), the size that decided it.
    #[serde(with = "number")]
    pub value: Option<f64>,
    /// How far it may be from what it stands for, where a bound is known.
    #[serde(with = "number")]
    pub bound: Option<f64>,
    /// Its unit; `1` for a ratio.
    pub unit: String,
    /// The number as it should be read, with as many digits as its bound allows.
    pub text: String,
    /// How the search for it ended; `None` for what is computed directly.
    pub outcome: Option<Outcome>,
    /// What the number says, in words.
    pub meaning: String,
}

impl Finding {
    /// A number that is computed, not searched for.
    pub(super) fn new(name: &str, value: f64, digits: usize, unit: &str, meaning: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: Some(value),
            bound: None,
            unit: unit.to_owned(),
            text: humane(value, digits),
            outcome: None,
            meaning: meaning.into(),
        }
    }

    /// The same, to be read differently.
    pub(super) fn reads(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// What a reader of the number must know first: how its search ended, if not well.
    pub fn caveat(&self) -> Option<&'static str> {
        match self.outcome? {
            Outcome::Converged => None,
            Outcome::BudgetSpent => Some("not every pair converged: the budget was spent"),
            Outcome::MultiplicityUnresolved => Some("copies may be missing: the budget was spent"),
            Outcome::PrecisionLimited => Some("not converged: the precision of the products was reached"),
            Outcome::NotFinite => Some("not finite"),
        }
    }

    /// The unit that belongs behind the text: none where that is words, which bring their own.
    pub fn unit_shown(&self) -> &str {
        let is_number = self.text.starts_with(|c: char| c.is_ascii_digit() || "−∞".contains(c));
        if is_number { &self.unit } else { "" }
    }

    /// As it stands in a page's table.
    pub(super) fn on_page(&self) -> thalweg_report::Finding {
        let caveat = self.caveat().map(|caveat| format!("{}. ", capitalised(caveat))).unwrap_or_default();
        thalweg_report::Finding {
            name: self.name.clone(),
            value: self.text.clone(),
            unit: self.unit_shown().to_owned(),
            meaning: format!("{caveat}{}", self.meaning),
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Digits that a number has at most, however small its bound.
const DIGITS_MAX: i32 = 5;

/// A number with the digits that its bound lets stand: `−0.0043 ± 0.0003`, `0 ± 4×10⁻⁶`; `23.730` where the bound is below
/// five digits.
pub(super) fn bounded(value: f64, bound: f64) -> String {
    if !(value.is_finite() && bound.is_finite()) {
        return format!("{} ± {}", humane(value, 3), humane(bound, 1));
    }
    let bound_text = humane(bound, 1);
    if value.abs() <= bound {
        return if bound == 0.0 { "0".to_owned() } else { format!("0 ± {bound_text}") };
    }
    // The power of ten of the first digit, after rounding to so many: of 0.00096 to one it is that of 0.001.
    let power = |x: f64, digits: usize| {
        let text = format!("{x:.*e}", digits - 1);
        text.split('e').nth(1).and_then(|power| power.parse::<i32>().ok()).unwrap_or(0)
    };
    if bound == 0.0 {
        return humane(value, DIGITS_MAX as usize);
    }
    let last = power(bound, 1);
    let unit = 10f64.powi(last);
    let rounded = (value / unit).round() * unit;
    let digits = power(rounded, 17) - last + 1;
    if digits > DIGITS_MAX {
        return humane(value, DIGITS_MAX as usize);
    }
    format!("{} ± {bound_text}", humane(rounded, digits.max(1) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_that_the_bound_allows() {
        for (value, bound, text) in [
            (-0.004_254, 2.6e-4, "−0.0043 ± 0.0003"),
            (2.07e-7, 3.7e-6, "0 ± 4×10⁻⁶"),
            (0.063_708_29, 2e-8, "0.063708"),
            (23.730_04, 1.2e-3, "23.730 ± 0.001"),
            (-0.0033, 0.0007, "−0.0033 ± 0.0007"),
            (9.96, 0.1, "10.0 ± 0.1"),
            (0.01, 0.009_6, "0.01 ± 0.01"),
            (1.5, 0.0, "1.5000"),
            (0.0, 0.0, "0"),
            (3.2e-9, 4e-11, "3.20×10⁻⁹ ± 4×10⁻¹¹"),
        ] {
            assert_eq!(bounded(value, bound), text, "{value} ± {bound}");
        }
        assert_eq!(bounded(f64::NAN, f64::NAN), "not a number ± not a number");
    }

    #[test]
    fn json_has_numbers_and_what_is_not_finite_survives() {
        let finding =
            Finding { bound: Some(f64::INFINITY), ..Finding::new("λ_min", -4.7e-4, 4, "nats", "") };
        let json = serde_json::to_value(&finding).unwrap();
        assert_eq!(json["value"], -4.7e-4);
        assert_eq!((&json["text"], &json["bound"]), (&"−0.0004700".into(), &"Infinity".into()));
        assert_eq!(json["outcome"], serde_json::Value::Null);
        assert_eq!(serde_json::from_value::<Finding>(json).unwrap(), finding);
    }

    #[test]
    fn a_search_that_did_not_end_well_says_so_first() {
        let finding = Finding::new("λ_max", 1.0, 3, "nats", "Sharpness.");
        assert_eq!((finding.caveat(), &finding.on_page().meaning[..]), (None, "Sharpness."));
        let spent = Finding { outcome: Some(Outcome::BudgetSpent), ..finding };
        let meaning = spent.on_page().meaning;
        assert_eq!(meaning, "Not every pair converged: the budget was spent. Sharpness.");
    }
}
