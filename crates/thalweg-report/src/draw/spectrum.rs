//! A spectrum as a drawing: a row of stems for each group over one common axis.

use super::curves::gap_note;
use super::frame::{self, Frame, TICK_SIZE};
use super::style::sign;
use super::{Dress, MARGIN, WIDTH, begin, finish};
use crate::font::{self, Weight};
use crate::number_text::humane;
use crate::palette::{self, INK, MUTED};
use crate::record::{Axis, Eigenvalues, Spectrum};
use crate::scale::Span;
use crate::scene::{Anchor, Item, Outline, Rect, Scene, Stroke, Word};

const ROW: f64 = 84.0;
const STEM: f64 = 48.0;
const NAME_SIZE: f64 = 12.5;
const NAME_ROOM: f64 = 140.0;

pub(super) fn draw(record: &Spectrum, dress: Dress) -> Scene {
    let span = span(record);
    let (mut scene, top) = begin(WIDTH, &record.title, dress);
    let names: Vec<RowText> = record.groups.iter().map(row_text).collect();
    let widest =
        frame::widest(names.iter().flat_map(|n| n.name.iter().chain(&n.facts).map(|l| &l[..])), NAME_SIZE);
    let left = MARGIN + widest.max(20.0) + 14.0;
    let rows = record.groups.len().max(1) as f64;
    let plot = Rect { x: left, y: top + 4.0, width: WIDTH - MARGIN - 8.0 - left, height: rows * ROW };
    let y = Span::of(&Axis::new("").range(0.0, rows), std::iter::empty(), 0.0);
    let mut frame = Frame { plot, x: span, y };
    let marks: Vec<(f64, String)> =
        record.marks.iter().map(|mark| (mark.value, mark.label.clone())).collect();
    frame.plot.y += frame.rows_above(&marks);
    let ticks = frame::ticks_below(&span, frame.plot.width);
    frame.draw_grid(&mut scene, Some(&ticks), None);
    if let Some(zero) = frame.px(0.0).filter(|x| *x > frame.plot.x && *x < frame.plot.right()) {
        let line = Outline::line(zero, frame.plot.y, zero, frame.plot.bottom());
        scene.stroke(line, Stroke::new(MUTED, 1.0).opacity(0.7));
    }
    frame.draw_vertical_marks(&mut scene, &marks);
    let (mut shown, mut all, mut has_bars) = (0, 0, false);
    for (k, (group, text)) in record.groups.iter().zip(&names).enumerate() {
        let base = frame.plot.y + ROW * (k as f64 + 1.0) - 10.0;
        draw_names(&mut scene, text, left - 12.0, base);
        let line = Outline::line(frame.plot.x, base, frame.plot.right(), base);
        scene.stroke(line, Stroke::new(MUTED, 1.0).opacity(0.6));
        let Rect { x, y, width, height } = frame.plot;
        scene.items.push(Item::Clip(Rect {
            x: x - 4.0,
            y: y - 4.0,
            width: width + 8.0,
            height: height + 8.0,
        }));
        shown += draw_row(&mut scene, &frame, group, k, base);
        has_bars |= draw_bars(&mut scene, &frame, group, k, base);
        scene.items.push(Item::Unclip);
        all += group.values().len();
    }
    frame.draw_below(&mut scene, &ticks, &frame::axis_text(&record.axis, &span));
    if shown == 0 {
        let (x, y) = (frame.plot.x + frame.plot.width / 2.0, frame.plot.y + frame.plot.height / 2.0);
        scene.word(Word::new("no values", x, y, 14.0, MUTED).anchor(Anchor::Middle));
    }
    let bars = "Bars above the stems: λ ± its residual bound ‖Hv − λv‖, drawn where it is wider than a line.";
    let notes = has_bars.then(|| bars.to_owned());
    let notes: Vec<String> =
        notes.into_iter().chain(gap_note(all - shown, all, "eigenvalues", [&record.axis.scale])).collect();
    let bottom = frame.plot.bottom() + frame::BELOW;
    finish(scene, bottom, &record.caption, notes, dress)
}

/// The span of all eigenvalues with their bounds, of the reference values, and of zero unless the axis is
/// logarithmic: the sign of a curvature must be visible.
pub(crate) fn span(record: &Spectrum) -> Span {
    let mut values: Vec<f64> = record.marks.iter().map(|mark| mark.value).chain([0.0]).collect();
    for group in &record.groups {
        values.extend(group.values());
    }
    // Bounds widen the interval but must not decide where a bi-symmetric scale becomes linear, so they come as ends
    // of an explicit range.
    let plain = Span::of(&record.axis, values.iter().copied(), 0.03);
    let (mut low, mut high) = (plain.low, plain.high);
    for group in &record.groups {
        for (v, bound) in group.values().iter().zip(group.residual_bounds().unwrap_or_default()) {
            let bound = bound.abs();
            if plain.transform.forward(v + bound).is_some() && v + bound < 10.0 * plain.high.abs() {
                high = high.max(v + bound);
            }
            if plain.transform.forward(v - bound).is_some() && v - bound > plain.low - 10.0 * plain.low.abs()
            {
                low = low.min(v - bound);
            }
        }
    }
    if record.axis.range.is_some() { plain } else { Span { low, high, ..plain } }
}

struct RowText {
    name: Vec<String>,
    facts: Vec<String>,
}

fn row_text(group: &Eigenvalues) -> RowText {
    let finite = || group.values().iter().copied().filter(|v| v.is_finite());
    let (least, most) = (finite().reduce(f64::min), finite().reduce(f64::max));
    let facts = match (least, most) {
        (Some(least), Some(most)) if group.values().len() > 1 => {
            vec![format!("max {}", humane(most, 3)), format!("min {}", humane(least, 3))]
        }
        (Some(only), _) => vec![humane(only, 3)],
        _ => Vec::new(),
    };
    RowText { name: font::wrap(&group.name, NAME_SIZE, Weight::Regular, NAME_ROOM), facts }
}

fn draw_names(scene: &mut Scene, text: &RowText, right: f64, base: f64) {
    let lines = text.name.iter().map(|l| (l, INK)).chain(text.facts.iter().map(|l| (l, MUTED)));
    let count = text.name.len() + text.facts.len();
    let step = 15.0_f64.min((ROW - 8.0) / count.max(1) as f64);
    let top = base - STEM / 2.0 - step * count as f64 / 2.0;
    for (k, (line, color)) in lines.enumerate() {
        let y = top + step * (k as f64 + 0.8);
        let size = NAME_SIZE.min(step * 0.83);
        scene.word(Word::new(line, right, y, size, color).anchor(Anchor::End));
    }
}

/// Heads of stems that are nearer than this would cover each other.
const HEADS_APART: f64 = 7.0;

/// Draws one row of stems on `base`, with heads if they all stand apart; else the row is a rug. Returns how many have
/// a place.
fn draw_row(scene: &mut Scene, frame: &Frame, group: &Eigenvalues, position: usize, base: f64) -> usize {
    let color = palette::line(position);
    let tip = base - STEM;
    let mut places: Vec<f64> = group.values().iter().filter_map(|v| frame.px(*v)).collect();
    places.sort_by(f64::total_cmp);
    for &x in &places {
        scene.stroke(Outline::line(x, base, x, tip), Stroke::new(color, 1.2).opacity(0.75));
    }
    if places.windows(2).all(|pair| pair[1] - pair[0] >= HEADS_APART) {
        places.iter().for_each(|x| scene.sign(sign(position), (*x, tip), 3.2, color));
    }
    places.len()
}

/// Draws the bounds that are wide enough to be seen; returns whether there is one.
fn draw_bars(scene: &mut Scene, frame: &Frame, group: &Eigenvalues, position: usize, base: f64) -> bool {
    let color = palette::line(position);
    let mut is_any = false;
    for (k, v) in group.values().iter().enumerate() {
        let bound = group.residual_bounds().map_or(0.0, |bounds| bounds[k].abs());
        if let Some((low, high)) = frame.px(v - bound).zip(frame.px(v + bound)).filter(|(l, h)| h - l > 2.0) {
            is_any = true;
            let y = base - STEM - 9.0;
            for line in [(low, y, high, y), (low, y - 3.0, low, y + 3.0), (high, y - 3.0, high, y + 3.0)] {
                scene.stroke(Outline::line(line.0, line.1, line.2, line.3), Stroke::new(color, 1.2));
            }
        }
    }
    is_any
}

/// Space of the smallest row text, checked so that the constants stay in step.
const _: () = assert!(STEM + 22.0 < ROW && TICK_SIZE < NAME_SIZE);
