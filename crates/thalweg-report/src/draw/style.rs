//! What a line looks like once everything automatic is decided. Pictures and pages draw from the same decisions.

use serde::Serialize;

use crate::palette::{self, Color, WHITE};
use crate::record::{Dash, Marker, Series};
use crate::scene::{Fill, Outline, Scene, Stroke};

/// Lines with more points than this carry no automatic markers: they would run into each other.
const MOST_AUTOMATIC_MARKERS: usize = 26;

/// The sign at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sign {
    Circle,
    Square,
    #[serde(rename = "triangle-up")]
    Triangle,
    Diamond,
    #[serde(rename = "x")]
    Cross,
}

const SIGNS: [Sign; 5] = [Sign::Circle, Sign::Square, Sign::Triangle, Sign::Diamond, Sign::Cross];

/// The sign of the row at this position; they repeat.
pub(crate) fn sign(slot: usize) -> Sign {
    SIGNS[slot % SIGNS.len()]
}

/// Colour, stroke and sign of one line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Look {
    pub(crate) color: Color,
    /// Marks and gaps in pixels; empty for an unbroken line, none for no line.
    pub(crate) dash: Option<&'static [f64]>,
    pub(crate) sign: Option<Sign>,
}

const DASHES: [&[f64]; 5] = [&[], &[7.0, 3.5], &[2.0, 2.5], &[8.0, 3.0, 2.0, 3.0], &[13.0, 4.0]];

impl Look {
    /// The look of the series at `position`.
    pub(crate) fn of(series: &Series, position: usize) -> Self {
        let dash = match series.style.dash {
            Dash::Auto => Some(DASHES[position % DASHES.len()]),
            Dash::Solid => Some(DASHES[0]),
            Dash::Dashed => Some(DASHES[1]),
            Dash::Dotted => Some(DASHES[2]),
            Dash::DashDot => Some(DASHES[3]),
            Dash::None => None,
        };
        let few = series.x().len() <= MOST_AUTOMATIC_MARKERS;
        let sign = match series.style.marker {
            // Without line and without sign there would be nothing to see.
            Marker::Auto | Marker::None if dash.is_none() => Some(sign(position)),
            Marker::Auto => few.then(|| sign(position)),
            Marker::None => None,
            Marker::Circle => Some(Sign::Circle),
            Marker::Square => Some(Sign::Square),
            Marker::Triangle => Some(Sign::Triangle),
            Marker::Diamond => Some(Sign::Diamond),
            Marker::Cross => Some(Sign::Cross),
        };
        Self { color: palette::line(series.style.color.unwrap_or(position)), dash, sign }
    }

    pub(crate) fn stroke(&self) -> Option<Stroke> {
        self.dash.map(|dash| Stroke::new(self.color, 1.8).dash(dash))
    }
}

impl Scene {
    /// One sign about a point. Its thin white rim keeps neighbours apart.
    pub(crate) fn sign(&mut self, sign: Sign, (x, y): (f64, f64), radius: f64, color: Color) {
        let rim = Stroke::new(WHITE, 0.8);
        let polygon = |corners: &[(f64, f64)]| {
            Outline::closed(corners.iter().map(|(dx, dy)| (x + radius * dx, y + radius * dy)).collect())
        };
        let outline = match sign {
            Sign::Circle => {
                let fill = Some(Fill::from(color));
                self.items.push(crate::scene::Item::Disc { x, y, radius, fill, stroke: Some(rim) });
                return;
            }
            Sign::Square => polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
            Sign::Triangle => polygon(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]),
            Sign::Diamond => polygon(&[(0.0, -1.3), (1.1, 0.0), (0.0, 1.3), (-1.1, 0.0)]),
            Sign::Cross => {
                for (dx, dy) in [(0.9, 0.9), (0.9, -0.9)] {
                    let (dx, dy) = (radius * dx, radius * dy);
                    self.stroke(Outline::line(x - dx, y - dy, x + dx, y + dy), Stroke::new(color, 1.8));
                }
                return;
            }
        };
        self.items.push(crate::scene::Item::Shape { outline, fill: Some(color.into()), stroke: Some(rim) });
    }
}
