//! Axes: what is drawn along an edge or as a colour, in which unit, on which scale.

use serde::{Deserialize, Serialize};

use super::number;

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal steps for equal differences.
    #[default]
    Linear,
    /// Equal steps for equal ratios. Values that are not positive are gaps.
    Log,
    /// Logarithmic on both sides of zero and linear across it: `sign(v) log10(1 + |v|/c)`, the bi-symmetric
    /// transformation of Webber (2012, Meas. Sci. Technol. 24, eq. 1), with `c` a power of ten chosen from the data.
    SymLog,
}

/// One axis of a figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// What is measured: `training loss`.
    pub label: String,
    /// In which unit: `nats`. None for pure numbers.
    #[serde(default)]
    pub unit: Option<String>,
    /// How it is spread.
    #[serde(default)]
    pub scale: Scale,
    /// Both ends, lower first, in the axis's unit; from the data if none. An end that is not finite, or that has no
    /// place on the scale, is taken from the data.
    #[serde(default, with = "number::maybe_pair")]
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// A linear axis without unit.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// The same axis in this unit.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// The same axis on this scale.
    #[must_use]
    pub fn scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// The same axis with a logarithmic scale.
    #[must_use]
    pub fn log(self) -> Self {
        self.scale(Scale::Log)
    }

    /// The same axis with a bi-symmetric logarithmic scale.
    #[must_use]
    pub fn sym_log(self) -> Self {
        self.scale(Scale::SymLog)
    }

    /// The same axis between these ends.
    #[must_use]
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// Label and unit as they stand beside the axis: `training loss (nats)`.
    pub fn text(&self) -> String {
        match &self.unit {
            Some(unit) if !unit.is_empty() => format!("{} ({unit})", self.label),
            _ => self.label.clone(),
        }
    }
}
