//! The plot's rectangle: grid, ticks, the words along its edges, and reference lines.

use crate::font::{self, Weight};
use crate::number_text::humane;
use crate::palette::{GRID, INK, MUTED};
use crate::record::Axis;
use crate::scale::{Span, Transform};
use crate::scene::{Anchor, Outline, Rect, Scene, Stroke, Word};
use crate::ticks::{Ticks, ticks};

pub(crate) const TICK_SIZE: f64 = 12.0;
pub(crate) const LABEL_SIZE: f64 = 13.0;
/// From the plot's lower edge to the end of the words under it.
pub(crate) const BELOW: f64 = 46.0;
/// Heights of words that are set above each other.
const LINE: f64 = 15.0;

/// The widest text among labels, in pixels.
pub(crate) fn widest<'a>(texts: impl Iterator<Item = &'a str>, size: f64) -> f64 {
    texts.map(|text| font::width(text, size, Weight::Regular)).fold(0.0, f64::max)
}

/// The words along an edge: label and unit, and where a bi-symmetric scale is linear, without which distances on it
/// cannot be read.
pub(crate) fn axis_text(axis: &Axis, span: &Span) -> String {
    let Transform::SymLog { linear_within } = span.transform else { return axis.text() };
    let where_linear = if span.low < -linear_within { "within ±" } else { "below " };
    format!("{}, linear {where_linear}{}", axis.text(), humane(linear_within, 1))
}

/// As many ticks as fit below a plot of this width without touching each other.
pub(crate) fn ticks_below(span: &Span, room: f64) -> Ticks {
    // The decades of a bi-symmetric scale have short labels, and every one that is left out is missed.
    let each = if matches!(span.transform, Transform::SymLog { .. }) { 44.0 } else { 62.0 };
    let most = ((room / each) as usize).clamp(2, 14);
    let fits = |ticks: &Ticks| {
        let place = |v: f64| span.share(v).unwrap_or(0.0) * room;
        let half = |text: &str| font::width(text, TICK_SIZE, Weight::Regular) / 2.0;
        ticks.major.windows(2).all(|pair| {
            let gap = place(pair[1].0) - place(pair[0].0);
            gap > half(&pair[0].1) + half(&pair[1].1) + 10.0
        })
    };
    let all = (2..=most).rev().map(|target| ticks(span, target));
    all.clone().find(fits).unwrap_or_else(|| ticks(span, 2))
}

/// As many ticks as fit beside a plot of this height.
pub(crate) fn ticks_beside(span: &Span, room: f64) -> Ticks {
    let most = ((room / 36.0) as usize).clamp(2, 12);
    let fits = |ticks: &Ticks| {
        let place = |v: f64| span.share(v).unwrap_or(0.0) * room;
        ticks.major.windows(2).all(|pair| place(pair[1].0) - place(pair[0].0) > 1.4 * TICK_SIZE)
    };
    let all = (2..=most).rev().map(|target| ticks(span, target));
    all.clone().find(fits).unwrap_or_else(|| ticks(span, 2))
}

/// A plot with both its spans.
pub(crate) struct Frame {
    pub(crate) plot: Rect,
    pub(crate) x: Span,
    pub(crate) y: Span,
}

impl Frame {
    /// Where an abscissa stands. Far outside the plot all places are alike, which keeps pixels in range.
    pub(crate) fn px(&self, v: f64) -> Option<f64> {
        self.x.share(v).map(|t| self.plot.x + t.clamp(-8.0, 9.0) * self.plot.width)
    }

    /// Where an ordinate stands.
    pub(crate) fn py(&self, v: f64) -> Option<f64> {
        self.y.share(v).map(|t| self.plot.bottom() - t.clamp(-8.0, 9.0) * self.plot.height)
    }

    /// Where a point stands.
    pub(crate) fn at(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        self.px(x).zip(self.py(y))
    }

    /// Lines across the plot at the major ticks.
    pub(crate) fn draw_grid(&self, scene: &mut Scene, x: Option<&Ticks>, y: Option<&Ticks>) {
        let Rect { x: left, y: top, .. } = self.plot;
        let (right, bottom) = (self.plot.right(), self.plot.bottom());
        for at in x.into_iter().flat_map(|t| &t.major).filter_map(|(v, _)| self.px(*v)) {
            scene.stroke(Outline::line(at, top, at, bottom), Stroke::new(GRID, 1.0));
        }
        for at in y.into_iter().flat_map(|t| &t.major).filter_map(|(v, _)| self.py(*v)) {
            scene.stroke(Outline::line(left, at, right, at), Stroke::new(GRID, 1.0));
        }
    }

    /// The lower edge with its ticks and words.
    pub(crate) fn draw_below(&self, scene: &mut Scene, ticks: &Ticks, label: &str) {
        let Rect { x: left, .. } = self.plot;
        let (right, bottom) = (self.plot.right(), self.plot.bottom());
        scene.stroke(Outline::line(left, bottom, right, bottom), Stroke::new(MUTED, 1.0));
        for at in ticks.minor.iter().filter_map(|v| self.px(*v)) {
            scene.stroke(Outline::line(at, bottom, at, bottom + 2.5), Stroke::new(MUTED, 0.8));
        }
        for (at, text) in ticks.major.iter().filter_map(|(v, text)| Some((self.px(*v)?, text))) {
            scene.stroke(Outline::line(at, bottom, at, bottom + 5.0), Stroke::new(MUTED, 1.0));
            scene.word(Word::new(text, at, bottom + 18.0, TICK_SIZE, INK).anchor(Anchor::Middle));
        }
        let size = fitting(label, self.plot.width + 60.0);
        let middle = (left + right) / 2.0;
        scene.word(Word::new(label, middle, bottom + 38.0, size, INK).anchor(Anchor::Middle));
    }

    /// The left edge with its ticks and words; the words stand in `left_of_ticks`.
    pub(crate) fn draw_left(&self, scene: &mut Scene, ticks: &Ticks, label: &str) {
        let Rect { x: left, y: top, .. } = self.plot;
        let bottom = self.plot.bottom();
        scene.stroke(Outline::line(left, top, left, bottom), Stroke::new(MUTED, 1.0));
        for at in ticks.minor.iter().filter_map(|v| self.py(*v)) {
            scene.stroke(Outline::line(left - 2.5, at, left, at), Stroke::new(MUTED, 0.8));
        }
        for (at, text) in ticks.major.iter().filter_map(|(v, text)| Some((self.py(*v)?, text))) {
            scene.stroke(Outline::line(left - 5.0, at, left, at), Stroke::new(MUTED, 1.0));
            scene.word(Word::new(text, left - 8.0, at + 4.2, TICK_SIZE, INK).anchor(Anchor::End));
        }
        let size = fitting(label, self.plot.height + 40.0);
        let x = left - 8.0 - widest(ticks.major.iter().map(|(_, text)| &text[..]), TICK_SIZE) - 9.0;
        let y = (top + bottom) / 2.0;
        scene.word(Word::new(label, x, y, size, INK).anchor(Anchor::Middle).turn(-90.0));
    }

    /// Vertical reference lines; their words stand above the plot in the rows that [`rows_above`] counted.
    pub(crate) fn draw_vertical_marks(&self, scene: &mut Scene, marks: &[(f64, String)]) {
        for Placed { at, x, row, text } in &place_above(marks, |v| self.px(v), &self.plot).0 {
            let base = self.plot.y - 6.0 - LINE * *row as f64;
            let stroke = Stroke::new(MUTED, 1.2).dash(&[4.0, 3.0]);
            scene.stroke(Outline::line(*at, base + 2.0, *at, self.plot.bottom()), stroke);
            scene.word(Word::new(*text, *x, base, TICK_SIZE, MUTED).anchor(Anchor::Middle));
        }
    }

    /// How many rows of words the vertical reference lines need above the plot.
    pub(crate) fn rows_above(&self, marks: &[(f64, String)]) -> f64 {
        LINE * place_above(marks, |v| self.px(v), &self.plot).1 as f64
    }

    /// Horizontal reference lines; their words stand to the right of the plot, moved apart where they would touch.
    pub(crate) fn draw_horizontal_marks(&self, scene: &mut Scene, marks: &[(f64, Vec<String>)]) {
        let mut placed: Vec<(f64, &Vec<String>)> =
            marks.iter().filter_map(|(v, lines)| Some((self.py(*v)?, lines))).collect();
        placed.retain(|(at, _)| *at >= self.plot.y - 0.5 && *at <= self.plot.bottom() + 0.5);
        placed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free_from = f64::NEG_INFINITY;
        for (at, lines) in placed {
            let stroke = Stroke::new(MUTED, 1.2).dash(&[4.0, 3.0]);
            scene.stroke(Outline::line(self.plot.x, at, self.plot.right(), at), stroke);
            let tall = LINE * lines.len() as f64;
            let top = (at - tall / 2.0).max(free_from);
            for (k, line) in lines.iter().enumerate() {
                let base = top + LINE * k as f64 + 11.5;
                scene.word(Word::new(line, self.plot.right() + 7.0, base, TICK_SIZE, MUTED));
            }
            free_from = top + tall + 1.0;
        }
    }
}

/// The size at which a label fits into its edge: the usual one, unless it is very long.
pub(crate) fn fitting(label: &str, room: f64) -> f64 {
    let wide = font::width(label, LABEL_SIZE, Weight::Regular);
    if wide > room { (LABEL_SIZE * room / wide).max(7.0) } else { LABEL_SIZE }
}

struct Placed<'a> {
    at: f64,
    x: f64,
    row: usize,
    text: &'a str,
}

/// Words above their lines, kept over the plot, in the lowest row where they touch no other; and the count of rows.
fn place_above<'a>(
    marks: &'a [(f64, String)],
    px: impl Fn(f64) -> Option<f64>,
    plot: &Rect,
) -> (Vec<Placed<'a>>, usize) {
    let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut placed = Vec::new();
    for (v, text) in marks {
        let Some(at) = px(*v).filter(|at| *at >= plot.x - 0.5 && *at <= plot.right() + 0.5) else {
            continue;
        };
        let half = font::width(text, TICK_SIZE, Weight::Regular) / 2.0;
        let (low, high) = (plot.x + half, plot.right() - half);
        let x = if low < high { at.clamp(low, high) } else { (low + high) / 2.0 };
        let free =
            |row: &Vec<(f64, f64)>| row.iter().all(|(a, b)| x + half + 6.0 < *a || x - half - 6.0 > *b);
        let row = taken.iter().position(free).unwrap_or(taken.len());
        if row == taken.len() {
            taken.push(Vec::new());
        }
        taken[row].push((x - half, x + half));
        placed.push(Placed { at, x, row, text });
    }
    (placed, taken.len())
}
