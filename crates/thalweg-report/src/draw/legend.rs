//! The legend: a row of words above the plot, where it covers no data, broken into as many rows as it needs.

use super::style::Look;
use crate::font::{self, Weight};
use crate::palette::{Color, INK};
use crate::scene::{Fill, Item, Outline, Scene, Stroke, Word};

const SIZE: f64 = 12.5;
const ROW: f64 = 19.0;
const SWATCH: f64 = 30.0;
const GAP: f64 = 20.0;

/// One word and the piece of line beside it.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) swatch: Swatch,
}

pub(crate) enum Swatch {
    Line {
        look: Look,
        band: bool,
    },
    /// A path on a surface, as it is drawn there.
    Path {
        color: Color,
        /// The radius of the dots at its vertices, if they have any.
        dot: Option<f64>,
        /// Whether its start is a ring and its end a disc.
        has_ends: bool,
    },
}

/// Draws the entries between `left` and `right` from `top` down; returns where the legend ends.
pub(crate) fn draw(scene: &mut Scene, entries: &[Entry], left: f64, right: f64, top: f64) -> f64 {
    let room = (right - left - SWATCH - 6.0).max(20.0);
    let (mut x, mut y) = (left, top);
    let mut begun = false;
    for entry in entries.iter().filter(|entry| !entry.name.trim().is_empty()) {
        let lines = font::wrap(&entry.name, SIZE, Weight::Regular, room);
        let widest = lines.iter().map(|line| font::width(line, SIZE, Weight::Regular)).fold(0.0, f64::max);
        if begun && x + SWATCH + 6.0 + widest > right {
            (x, y) = (left, y + ROW);
        }
        begun = true;
        swatch(scene, &entry.swatch, x, y + 9.0);
        let extra = lines.len().saturating_sub(1);
        for (k, line) in lines.into_iter().enumerate() {
            let base = y + 13.4 + 16.0 * k as f64;
            scene.word(Word::new(line, x + SWATCH + 6.0, base, SIZE, INK));
        }
        if extra > 0 {
            (x, y) = (left, y + ROW + 16.0 * extra as f64);
            begun = false;
        } else {
            x += SWATCH + 6.0 + widest + GAP;
        }
    }
    match (begun, y > top) {
        (false, false) => top,
        (false, true) => y + 6.0,
        (true, _) => y + ROW + 6.0,
    }
}

fn swatch(scene: &mut Scene, swatch: &Swatch, x: f64, y: f64) {
    match swatch {
        Swatch::Line { look, band } => {
            if *band {
                let corners = vec![(x, y - 5.5), (x + SWATCH, y - 5.5), (x + SWATCH, y + 5.5), (x, y + 5.5)];
                scene.fill(Outline::closed(corners), Fill { color: look.color, opacity: 0.18 });
            }
            if let Some(stroke) = look.stroke() {
                scene.stroke(Outline::line(x, y, x + SWATCH, y), stroke);
            }
            if let Some(sign) = look.sign {
                scene.sign(sign, (x + SWATCH / 2.0, y), 3.4, look.color);
            }
        }
        Swatch::Path { color, dot: radius, has_ends } => {
            let (start, end) = ((x + 4.0, y), (x + SWATCH - 4.0, y));
            path(scene, &[vec![start, end]], *color);
            for at in radius.iter().flat_map(|_| [start, (x + SWATCH / 2.0, y), end]) {
                dot(scene, at, radius.unwrap_or_default(), *color);
            }
            if *has_ends {
                ends(scene, start, end, *color);
            }
        }
    }
}

/// A line that stands out from any ground: coloured, in a dark casing.
pub(crate) fn path(scene: &mut Scene, runs: &[Vec<(f64, f64)>], color: Color) {
    for stroke in [Stroke::new(INK, 3.6), Stroke::new(color, 1.9)] {
        for run in runs {
            scene.stroke(Outline::open(run.clone()), stroke.clone());
        }
    }
}

/// The dot at a path's vertex.
pub(crate) fn dot(scene: &mut Scene, (x, y): (f64, f64), radius: f64, color: Color) {
    let stroke = Some(Stroke::new(INK, 1.0));
    scene.items.push(Item::Disc { x, y, radius, fill: Some(color.into()), stroke });
}

/// The ring at a path's start and the disc at its end.
pub(crate) fn ends(scene: &mut Scene, start: (f64, f64), end: (f64, f64), color: Color) {
    let discs = [(start, INK, Stroke::new(color, 1.6), 3.4), (end, color, Stroke::new(INK, 1.4), 4.4)];
    let casing = Item::Disc { x: start.0, y: start.1, radius: 4.8, fill: Some(INK.into()), stroke: None };
    scene.items.push(casing);
    for ((x, y), fill, stroke, radius) in discs {
        scene.items.push(Item::Disc { x, y, radius, fill: Some(fill.into()), stroke: Some(stroke) });
    }
}
