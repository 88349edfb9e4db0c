//! Curves: one quantity against another, for several runs or conditions.

use serde::{Deserialize, Serialize};

use super::{Axis, RecordError, number};

/// Lines over a common pair of axes: losses against the step, losses along α, an error against sparsity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curves {
    /// A few words above the plot.
    pub title: String,
    /// What is to be seen and how it was measured, in sentences.
    pub caption: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines, in the order of the legend.
    #[serde(default)]
    pub series: Vec<Series>,
    /// Reference lines.
    #[serde(default)]
    pub marks: Vec<Mark>,
}

impl Curves {
    /// No line yet.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, ..Self::default() }
    }

    /// The same figure with this caption.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    /// The same figure with one more line.
    #[must_use]
    pub fn with(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// The same figure with one more reference line.
    #[must_use]
    pub fn mark(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }
}

/// One line: `y[i]` at `x[i]`, joined in the order given. What is not finite, or has no place on a logarithmic
/// axis, is a gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Series {
    /// The word in the legend.
    pub name: String,
    #[serde(with = "number::list")]
    x: Vec<f64>,
    #[serde(with = "number::list")]
    y: Vec<f64>,
    band: Option<Band>,
    /// How it is drawn.
    pub style: Style,
}

/// The region between two edges, for instance the least and the greatest of several seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Band {
    #[serde(with = "number::list")]
    lower: Vec<f64>,
    #[serde(with = "number::list")]
    upper: Vec<f64>,
}

impl Series {
    /// A line through the points `(x[i], y[i])`.
    ///
    /// # Errors
    /// [`RecordError::SeriesLength`] if the two differ in length.
    pub fn new(name: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Result<Self, RecordError> {
        let name = name.into();
        if x.len() != y.len() {
            return Err(RecordError::SeriesLength { name, x: x.len(), y: y.len() });
        }
        Ok(Self { name, x, y, band: None, style: Style::default() })
    }

    /// The same line with a shaded band from `lower[i]` to `upper[i]`; say in the caption what the band means.
    ///
    /// # Errors
    /// [`RecordError::BandLength`] if an edge has not one value for each point.
    pub fn band(mut self, lower: Vec<f64>, upper: Vec<f64>) -> Result<Self, RecordError> {
        let expected = self.x.len();
        if lower.len() != expected || upper.len() != expected {
            let (lower, upper) = (lower.len(), upper.len());
            return Err(RecordError::BandLength { name: self.name, expected, lower, upper });
        }
        self.band = Some(Band { lower, upper });
        Ok(self)
    }

    /// The same line in this style.
    #[must_use]
    pub fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// The abscissae.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// The ordinates, one for each abscissa.
    pub fn y(&self) -> &[f64] {
        &self.y
    }

    /// The lower and the upper edge of the band, one value for each abscissa.
    pub fn band_edges(&self) -> Option<(&[f64], &[f64])> {
        self.band.as_ref().map(|band| (&band.lower[..], &band.upper[..]))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    name: String,
    #[serde(with = "number::list")]
    x: Vec<f64>,
    #[serde(with = "number::list")]
    y: Vec<f64>,
    #[serde(default)]
    band: Option<Band>,
    #[serde(default)]
    style: Style,
}

impl TryFrom<Parts> for Series {
    type Error = RecordError;

    fn try_from(parts: Parts) -> Result<Self, RecordError> {
        let series = Self::new(parts.name, parts.x, parts.y)?.style(parts.style);
        match parts.band {
            Some(band) => series.band(band.lower, band.upper),
            None => Ok(series),
        }
    }
}

/// How a line is drawn. What is left automatic differs from line to line in colour *and* in dash, so that a print in
/// grey still tells them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Style {
    /// Position in the palette; the line's own position if none. Lines that belong together share one.
    pub color: Option<usize>,
    /// The stroke.
    pub dash: Dash,
    /// The sign at each point.
    pub marker: Marker,
}

/// The stroke of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dash {
    /// By the line's position.
    #[default]
    Auto,
    /// Unbroken.
    Solid,
    /// Long dashes.
    Dashed,
    /// Dots.
    Dotted,
    /// Dashes and dots in turn.
    DashDot,
    /// No line, only markers.
    None,
}

/// The sign at each point of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marker {
    /// By the line's position, if the line has so few points that the signs stand apart; else none.
    #[default]
    Auto,
    /// None, except that a point between two gaps is a dot: it would be invisible otherwise.
    None,
    /// ●
    Circle,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ◆
    Diamond,
    /// ×
    Cross,
}

/// A reference line across the plot, with its label outside the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Where.
    pub at: At,
    /// What it stands for: `2/η`.
    pub label: String,
}

/// Where a reference line crosses its axis.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// Vertical, at this x.
    X(#[serde(with = "number::one")] f64),
    /// Horizontal, at this y.
    Y(#[serde(with = "number::one")] f64),
}

impl Mark {
    /// A vertical line at `x`.
    pub fn x(x: f64, label: impl Into<String>) -> Self {
        Self { at: At::X(x), label: label.into() }
    }

    /// A horizontal line at `y`.
    pub fn y(y: f64, label: impl Into<String>) -> Self {
        Self { at: At::Y(y), label: label.into() }
    }
}
