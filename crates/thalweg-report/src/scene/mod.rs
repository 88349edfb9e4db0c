//! A drawing, before it is SVG or pixels: a list of filled and stroked outlines, discs and words, in CSS pixels with
//! y down. Both backends draw the same list, so a PNG cannot say anything else than the SVG beside it.

mod png;
mod svg;

pub(crate) use svg::font_rules;

use crate::font::Weight;
use crate::palette::Color;

/// A drawing of a fixed size on white.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// For readers that do not see it.
    pub(crate) title: String,
    pub(crate) description: String,
    /// What could not be drawn, in sentences; drawn too, if the picture travels alone.
    pub(crate) notes: Vec<String>,
    pub(crate) items: Vec<Item>,
}

/// An upright rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Rect {
    pub(crate) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    pub(crate) fn contains(&self, other: &Self) -> bool {
        other.x >= self.x
            && other.right() <= self.right()
            && other.y >= self.y
            && other.bottom() <= self.bottom()
    }
}

/// Straight pieces; several may stand in one outline, and one inside another cuts a hole.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outline {
    pub(crate) pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) closed: bool,
}

impl Outline {
    pub(crate) fn open(points: Vec<(f64, f64)>) -> Self {
        Self { pieces: vec![Piece { points, closed: false }] }
    }

    pub(crate) fn closed(points: Vec<(f64, f64)>) -> Self {
        Self { pieces: vec![Piece { points, closed: true }] }
    }

    pub(crate) fn line(x1: f64, y1: f64, x2: f64, y2: f64) -> Self {
        Self::open(vec![(x1, y1), (x2, y2)])
    }

    pub(crate) fn rect(r: Rect) -> Self {
        Self::closed(vec![(r.x, r.y), (r.right(), r.y), (r.right(), r.bottom()), (r.x, r.bottom())])
    }
}

/// A stroke; `dash` holds lengths of marks and gaps in turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stroke {
    pub(crate) color: Color,
    pub(crate) width: f64,
    pub(crate) opacity: f64,
    pub(crate) dash: Vec<f64>,
}

impl Stroke {
    pub(crate) fn new(color: Color, width: f64) -> Self {
        Self { color, width, opacity: 1.0, dash: Vec::new() }
    }

    pub(crate) fn opacity(mut self, opacity: f64) -> Self {
        self.opacity = opacity;
        self
    }

    pub(crate) fn dash(mut self, dash: &[f64]) -> Self {
        self.dash = dash.to_vec();
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fill {
    pub(crate) color: Color,
    pub(crate) opacity: f64,
}

impl From<Color> for Fill {
    fn from(color: Color) -> Self {
        Self { color, opacity: 1.0 }
    }
}

/// Where a word stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// The point on the baseline.
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) size: f64,
    pub(crate) weight: Weight,
    pub(crate) anchor: Anchor,
    /// Clockwise about the point, in degrees.
    pub(crate) turn: f64,
    pub(crate) color: Color,
    /// A rim that keeps the word readable on a busy ground.
    pub(crate) halo: Option<Color>,
}

impl Word {
    pub(crate) fn new(text: impl Into<String>, x: f64, y: f64, size: f64, color: Color) -> Self {
        let (text, weight, anchor) = (text.into(), Weight::Regular, Anchor::Start);
        Self { text, x, y, size, weight, anchor, turn: 0.0, color, halo: None }
    }

    pub(crate) fn anchor(mut self, anchor: Anchor) -> Self {
        self.anchor = anchor;
        self
    }

    pub(crate) fn weight(mut self, weight: Weight) -> Self {
        self.weight = weight;
        self
    }

    pub(crate) fn turn(mut self, degrees: f64) -> Self {
        self.turn = degrees;
        self
    }

    pub(crate) fn halo(mut self, color: Color) -> Self {
        self.halo = Some(color);
        self
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Shape {
        outline: Outline,
        fill: Option<Fill>,
        stroke: Option<Stroke>,
    },
    Disc {
        x: f64,
        y: f64,
        radius: f64,
        fill: Option<Fill>,
        stroke: Option<Stroke>,
    },
    Word(Word),
    /// From here on only what lies inside is drawn, until [`Item::Unclip`]. They do not nest.
    Clip(Rect),
    Unclip,
}

impl Scene {
    pub(crate) fn fill(&mut self, outline: Outline, fill: impl Into<Fill>) {
        self.items.push(Item::Shape { outline, fill: Some(fill.into()), stroke: None });
    }

    pub(crate) fn stroke(&mut self, outline: Outline, stroke: Stroke) {
        self.items.push(Item::Shape { outline, fill: None, stroke: Some(stroke) });
    }

    pub(crate) fn word(&mut self, word: Word) {
        if !word.text.is_empty() {
            self.items.push(Item::Word(word));
        }
    }
}
