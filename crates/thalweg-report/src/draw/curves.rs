//! Curves as a drawing.

use super::frame::{self, Frame, TICK_SIZE};
use super::legend::{self, Entry, Swatch};
use super::style::Look;
use super::{Dress, MARGIN, WIDTH, begin, finish, runs};
use crate::font::{self, Weight};
use crate::palette::MUTED;
use crate::record::{At, Curves, Scale, Series};
use crate::scale::{Span, Transform};
use crate::scene::{Anchor, Fill, Item, Outline, Rect, Scene, Word};

const HEIGHT: f64 = 320.0;
/// The widest that the words of horizontal reference lines may be.
const MARK_ROOM: f64 = 120.0;

pub(super) fn draw(record: &Curves, dress: Dress) -> Scene {
    let (x, y) = spans(record);
    let (mut vertical, mut horizontal) = (Vec::new(), Vec::new());
    for mark in &record.marks {
        match mark.at {
            At::X(v) => vertical.push((v, mark.label.clone())),
            At::Y(v) => horizontal.push((v, font::wrap(&mark.label, TICK_SIZE, Weight::Regular, MARK_ROOM))),
        }
    }
    let (mut scene, top) = begin(WIDTH, &record.title, dress);
    let y_ticks = frame::ticks_beside(&y, HEIGHT);
    let left = MARGIN + 13.0 + 12.0 + frame::widest(y_ticks.major.iter().map(|(_, t)| &t[..]), TICK_SIZE);
    let beside =
        frame::widest(horizontal.iter().flat_map(|(_, lines)| lines.iter().map(|l| &l[..])), TICK_SIZE);
    let right = WIDTH - MARGIN - if beside > 0.0 { beside + 4.0 } else { 6.0 };
    let named = record.series.iter().enumerate().filter(|_| needs_legend(record));
    let entries: Vec<Entry> = named.map(|(k, series)| entry(series, k)).collect();
    let top = legend::draw(&mut scene, &entries, left, WIDTH - MARGIN, top) + 6.0;
    let mut frame = Frame { plot: Rect { x: left, y: top, width: right - left, height: HEIGHT }, x, y };
    frame.plot.y += frame.rows_above(&vertical);
    let x_ticks = frame::ticks_below(&x, frame.plot.width);
    frame.draw_grid(&mut scene, Some(&x_ticks), Some(&y_ticks));
    frame.draw_vertical_marks(&mut scene, &vertical);
    frame.draw_horizontal_marks(&mut scene, &horizontal);
    frame.draw_below(&mut scene, &x_ticks, &frame::axis_text(&record.x, &frame.x));
    frame.draw_left(&mut scene, &y_ticks, &frame::axis_text(&record.y, &frame.y));
    let Rect { x: px, y: py, width, height } = frame.plot;
    scene.items.push(Item::Clip(Rect { x: px - 4.0, y: py - 4.0, width: width + 8.0, height: height + 8.0 }));
    for (k, series) in record.series.iter().enumerate() {
        draw_band(&mut scene, &frame, series, &Look::of(series, k));
    }
    // The first line of the legend is drawn last: it is the one that matters most.
    let mut shown = 0;
    for (k, series) in record.series.iter().enumerate().rev() {
        shown += draw_line(&mut scene, &frame, series, &Look::of(series, k));
    }
    scene.items.push(Item::Unclip);
    let all: usize = record.series.iter().map(|series| series.x().len()).sum();
    if shown == 0 {
        let (x, y) = (px + width / 2.0, py + height / 2.0);
        scene.word(Word::new("no data", x, y, 14.0, MUTED).anchor(Anchor::Middle));
    }
    let notes: Vec<String> =
        gap_note(all - shown, all, "points", [&record.x.scale, &record.y.scale]).into_iter().collect();
    let bottom = frame.plot.bottom() + frame::BELOW;
    finish(scene, bottom, &record.caption, notes, dress)
}

/// What the reader must know about points that are not there.
pub(super) fn gap_note<'a>(
    missing: usize,
    all: usize,
    what: &str,
    scales: impl IntoIterator<Item = &'a Scale>,
) -> Option<String> {
    if missing == 0 {
        return None;
    }
    let log = scales.into_iter().any(|scale| *scale == Scale::Log);
    let why = if log { "not finite, or not positive on a logarithmic axis" } else { "not finite" };
    Some(format!("Not drawn: {missing} of {all} {what} ({why})."))
}

/// The spans of both axes: of the data, of the bands and of the reference lines.
pub(crate) fn spans(record: &Curves) -> (Span, Span) {
    let series = record.series.iter();
    let marks = |pick: fn(&At) -> Option<f64>| record.marks.iter().filter_map(move |mark| pick(&mark.at));
    let (vertical, horizontal) = (
        marks(|at| if let At::X(v) = at { Some(*v) } else { None }),
        marks(|at| if let At::Y(v) = at { Some(*v) } else { None }),
    );
    let x = series.clone().flat_map(|s| s.x().iter().copied()).chain(vertical);
    let edges =
        |s: &'_ Series| s.band_edges().map(|(l, u)| l.iter().chain(u).copied().collect()).unwrap_or_default();
    let bands: Vec<f64> = series.clone().flat_map(|s| -> Vec<f64> { edges(s) }).collect();
    let y = series.flat_map(|s| s.y().iter().copied()).chain(bands).chain(horizontal);
    (Span::of(&record.x, x, 0.015), Span::of(&record.y, y, 0.05))
}

/// Whether the lines need a legend: not if the words around the plot already name the only one.
pub(crate) fn needs_legend(record: &Curves) -> bool {
    let [only] = &record.series[..] else { return !record.series.is_empty() };
    let name = only.name.trim().to_lowercase();
    let around = [&record.y.label, &record.title, &record.caption];
    only.band_edges().is_some() || !around.iter().any(|text| text.to_lowercase().contains(&name))
}

fn entry(series: &Series, position: usize) -> Entry {
    let swatch = Swatch::Line { look: Look::of(series, position), band: series.band_edges().is_some() };
    Entry { name: series.name.clone(), swatch }
}

fn draw_band(scene: &mut Scene, frame: &Frame, series: &Series, look: &Look) {
    let Some((lower, upper)) = series.band_edges() else {
        return;
    };
    // On a logarithmic axis an edge at or below zero lies below everything: the band goes down to the rim.
    let below =
        |v: f64| (frame.y.transform == Transform::Log && v <= 0.0).then_some(frame.plot.bottom() + 9.0);
    let edge = |v: f64| frame.py(v).or_else(|| below(v));
    let place = |k: usize| Some((frame.px(series.x()[k])?, (edge(lower[k])?, edge(upper[k])?)));
    let places: Vec<Option<(f64, (f64, f64))>> = (0..lower.len()).map(place).collect();
    for run in places.split(Option::is_none) {
        let run: Vec<(f64, (f64, f64))> = run.iter().flatten().copied().collect();
        if run.len() < 2 {
            continue;
        }
        let down = thinned(run.iter().map(|(x, (low, _))| (*x, *low)).collect());
        let mut points = thinned(run.iter().map(|(x, (_, high))| (*x, *high)).collect());
        points.extend(down.into_iter().rev());
        scene.fill(Outline::closed(points), Fill { color: look.color, opacity: 0.18 });
    }
}

/// Draws one line; returns how many of its points have a place.
fn draw_line(scene: &mut Scene, frame: &Frame, series: &Series, look: &Look) -> usize {
    let places = series.x().iter().zip(series.y()).map(|(x, y)| frame.at(*x, *y));
    let runs = runs(places);
    let shown = runs.iter().map(Vec::len).sum();
    for run in runs {
        let alone = run.len() == 1;
        if let Some(stroke) = look.stroke().filter(|_| !alone) {
            scene.stroke(Outline::open(thinned(run.clone())), stroke);
        }
        match look.sign {
            Some(sign) => run.iter().for_each(|at| scene.sign(sign, *at, 3.4, look.color)),
            None if alone => scene.sign(super::style::Sign::Circle, run[0], 2.4, look.color),
            None => {}
        }
    }
    shown
}

/// At most four points for each column of half a pixel: the first, the least, the greatest and the last. The picture
/// is the same, and a curve of a million steps stays small.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if points.len() < 2000 {
        return points;
    }
    let column = |p: &(f64, f64)| (p.0 * 2.0).floor();
    let mut kept = Vec::new();
    for chunk in points.chunk_by(|a, b| column(a) == column(b)) {
        let by_y = |&a: &usize, &b: &usize| chunk[a].1.total_cmp(&chunk[b].1);
        let least = (0..chunk.len()).min_by(by_y).unwrap_or(0);
        let most = (0..chunk.len()).max_by(by_y).unwrap_or(0);
        let mut picks = [0, least, most, chunk.len() - 1];
        picks.sort_unstable();
        for (k, pick) in picks.iter().enumerate() {
            if k == 0 || *pick != picks[k - 1] {
                kept.push(chunk[*pick]);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_ends_and_extremes() {
        let n = 100_000;
        let mut points: Vec<(f64, f64)> =
            (0..n).map(|k| (f64::from(k) * 600.0 / f64::from(n), (f64::from(k) * 0.37).sin())).collect();
        points[51_234].1 = 40.0;
        let kept = thinned(points.clone());
        assert!(kept.len() <= 4 * 1201, "{}", kept.len());
        assert_eq!((kept[0], kept[kept.len() - 1]), (points[0], points[points.len() - 1]));
        assert!(kept.contains(&points[51_234]));
    }

    #[test]
    fn the_only_line_is_named_once() {
        use crate::record::Axis;
        let one = |name: &str| {
            let series = Series::new(name, vec![0.0, 1.0], vec![0.0, 1.0]).unwrap();
            Curves::new("Gradient norm", Axis::new("step"), Axis::new("off the plane"))
                .caption("Of the mean training loss.")
                .with(series)
        };
        assert!(!needs_legend(&one("off the plane")) && !needs_legend(&one("Train")));
        assert!(needs_legend(&one("test")));
        let two = Series::new("train", vec![0.0, 1.0], vec![0.0, 1.0]).unwrap();
        assert!(needs_legend(&one("off the plane").with(two)));
    }

    #[test]
    fn runs_break_at_gaps() {
        let places = [None, Some((0.0, 0.0)), Some((1.0, 1.0)), None, None, Some((3.0, 0.0))];
        assert_eq!(runs(places.into_iter()), [vec![(0.0, 0.0), (1.0, 1.0)], vec![(3.0, 0.0)]]);
    }
}
