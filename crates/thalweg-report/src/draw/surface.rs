//! A surface as a drawing: filled contours, labelled lines, paths and places over them, the colour bar beside.

use super::color_bar::Bands;
use super::contour_labels;
use super::curves::gap_note;
use super::frame::{self, Frame, TICK_SIZE};
use super::legend::{self, Entry, Swatch};
use super::{Dress, MARGIN, begin, finish, runs};
use crate::contour::{Chain, Grid};
use crate::font::{self, Weight};
use crate::palette::{self, Color, GAP, INK, MUTED, WHITE};
use crate::record::{Axis, Path, Scale, Surface};
use crate::scale::Span;
use crate::scene::{Item, Outline, Piece, Rect, Scene, Stroke, Word};

/// The largest plot.
const WIDE: f64 = 500.0;
const HIGH: f64 = 430.0;
/// Beyond this ratio of the sides equal lengths would leave a sliver: the axes are stretched instead.
const MOST_ELONGATED: f64 = 3.5;
const NOTE_SIZE: f64 = 11.5;

pub(super) fn draw(record: &Surface, dress: Dress) -> Scene {
    let (x, y) = (plane_span(&record.x, record.xs()), plane_span(&record.y, record.ys()));
    let bands = bands_on(record, record.z.scale);
    let (wide, high) = sides(record, &x, &y);
    let y_ticks = frame::ticks_beside(&y, high);
    let left = MARGIN + 25.0 + frame::widest(y_ticks.major.iter().map(|(_, t)| &t[..]), TICK_SIZE);
    let width = left + wide + 18.0 + bands.room() + MARGIN;
    let (mut scene, top) = begin(width.ceil(), &record.title, dress);
    let entry = |(k, path): (usize, &Path)| {
        let (color, dot, has_ends) = (palette::path(k), dots(path), has_ends(record, path));
        Entry { name: path.name.clone(), swatch: Swatch::Path { color, dot, has_ends } }
    };
    let entries: Vec<Entry> = record.paths.iter().enumerate().map(entry).collect();
    let top = legend::draw(&mut scene, &entries, left, width - MARGIN, top) + 6.0;
    let plot = Rect { x: left, y: top, width: wide, height: high };
    let frame = Frame { plot, x, y };
    let x_ticks = frame::ticks_below(&x, wide);
    let notes = words(record, &frame);
    let mut taken: Vec<Rect> = notes.iter().map(|note| note.room).collect();
    taken.extend(record.paths.iter().flat_map(|path| rooms_of_path(&frame, path)));

    scene.items.push(Item::Clip(plot));
    draw_heights(&mut scene, &frame, record, &bands, &mut taken);
    scene.items.push(Item::Unclip);
    scene.stroke(Outline::rect(plot), Stroke::new(MUTED, 1.0));
    let slack =
        Rect { x: plot.x - 6.0, y: plot.y - 6.0, width: plot.width + 12.0, height: plot.height + 12.0 };
    scene.items.push(Item::Clip(slack));
    let paths = record.paths.iter().enumerate();
    let outside: usize = paths.map(|(k, path)| draw_path(&mut scene, &frame, record, path, k)).sum();
    for (at, _) in places(record, &frame) {
        draw_place(&mut scene, at);
    }
    for note in notes {
        scene.word(note.word);
    }
    scene.items.push(Item::Unclip);
    frame.draw_below(&mut scene, &x_ticks, &record.x.text());
    frame.draw_left(&mut scene, &y_ticks, &record.y.text());
    bands.draw_bar(&mut scene, &plot, plot.right() + 18.0, &record.z.text());
    let footnotes = footnotes(record, &bands, outside);
    finish(scene, plot.bottom() + frame::BELOW, &record.caption, footnotes, dress)
}

/// The levels of the heights on this scale, as the picture has them, with the colours of the bands between them.
pub(crate) fn bands_on(record: &Surface, scale: Scale) -> Bands {
    let axis = Axis { scale, ..record.z.clone() };
    Bands::new(Span::of(&axis, record.heights().iter().copied(), 0.0))
}

/// The span of a coordinate: exactly the grid, as nothing is known outside.
pub(crate) fn plane_span(axis: &Axis, values: &[f64]) -> Span {
    let linear = Axis { scale: Scale::Linear, ..axis.clone() };
    Span::of(&linear, values.iter().copied(), 0.0)
}

fn sides(record: &Surface, x: &Span, y: &Span) -> (f64, f64) {
    let ratio = (x.high - x.low) / (y.high - y.low);
    let sound = ratio.is_finite() && (1.0 / MOST_ELONGATED..=MOST_ELONGATED).contains(&ratio);
    if !(record.equal_aspect && sound) {
        return (WIDE, HIGH);
    }
    let wide = WIDE.min(HIGH * ratio);
    (wide, wide / ratio)
}

fn draw_heights(scene: &mut Scene, frame: &Frame, record: &Surface, bands: &Bands, taken: &mut Vec<Rect>) {
    draw_hatching(scene, &frame.plot);
    let place: Vec<f64> =
        record.heights().iter().map(|h| bands.span.transform.forward(*h).unwrap_or(f64::NAN)).collect();
    let (xs, ys) = (record.xs(), record.ys());
    if xs.len() < 2 || ys.len() < 2 {
        draw_blocks(scene, frame, record, bands);
        return;
    }
    let grid = Grid { xs, ys, heights: &place };
    let to_pixels = |chain: &Chain| -> Vec<(f64, f64)> {
        chain.points.iter().filter_map(|(x, y)| frame.at(*x, *y)).collect()
    };
    let at = |level: f64| bands.span.transform.forward(level).unwrap_or(f64::NAN);
    let floors = std::iter::once(f64::NEG_INFINITY).chain(bands.levels.iter().map(|(v, _)| at(*v)));
    for (k, floor) in floors.enumerate() {
        let region = grid.region_at_or_above(floor);
        let pieces = region.iter().map(|chain| Piece { points: to_pixels(chain), closed: true }).collect();
        scene.fill(Outline { pieces }, bands.color(k));
    }
    for (k, (level, text)) in bands.levels.iter().enumerate() {
        let chains = grid.lines(at(*level));
        let lines = chains
            .iter()
            .map(|chain| contour_labels::Line { points: to_pixels(chain), closed: chain.closed })
            .filter(|line| line.points.len() > 1)
            .collect();
        contour_labels::draw(scene, lines, text, over(bands.color(k)), &frame.plot, taken);
    }
}

/// Black or white, whichever is easier to read on a colour.
fn over(ground: Color) -> Color {
    if ground.luminance() < 0.22 { WHITE } else { Color(0x10, 0x14, 0x18) }
}

/// A grid without cells: each value is a block of its colour.
fn draw_blocks(scene: &mut Scene, frame: &Frame, record: &Surface, bands: &Bands) {
    let cell = |values: &[f64], k: usize, span: &Span| {
        let half = |a: usize, b: usize| (values[a] + values[b]) / 2.0;
        let low = if k == 0 { span.low } else { half(k - 1, k) };
        let high = if k + 1 == values.len() { span.high } else { half(k, k + 1) };
        (low, high)
    };
    let nx = record.xs().len();
    for (k, height) in record.heights().iter().enumerate() {
        let ((x0, x1), (y0, y1)) = (cell(record.xs(), k % nx, &frame.x), cell(record.ys(), k / nx, &frame.y));
        if bands.span.transform.forward(*height).is_none() {
            continue;
        }
        if let Some(((left, bottom), (right, top))) = frame.at(x0, y0).zip(frame.at(x1, y1)) {
            let block = Rect { x: left, y: top, width: right - left, height: bottom - top };
            scene.fill(Outline::rect(block), bands.color_at(*height));
        }
    }
}

/// The ground of gaps.
fn draw_hatching(scene: &mut Scene, plot: &Rect) {
    scene.fill(Outline::rect(*plot), GAP);
    let pieces = (0..).map(|k| f64::from(k) * 9.0).take_while(|s| *s < plot.width + plot.height);
    let pieces = pieces.map(|s| {
        let (from, to) = ((plot.x + s, plot.y), (plot.x + s - plot.height, plot.bottom()));
        Piece { points: vec![from, to], closed: false }
    });
    let lines = Outline { pieces: pieces.collect() };
    scene.stroke(lines, Stroke::new(MUTED, 0.7).opacity(0.35));
}

/// The radius of the dots at a path's vertices; none where there are so many that they would hide the line.
pub(crate) fn dots(path: &Path) -> Option<f64> {
    match path.xs().len() {
        0..=60 => Some(2.4),
        61..=200 => Some(1.9),
        _ => None,
    }
}

/// Whether a path shows which of its ends is which: not where both are named places anyway.
pub(crate) fn has_ends(record: &Surface, path: &Path) -> bool {
    let vertices = || path.xs().iter().zip(path.ys()).filter(|(x, y)| x.is_finite() && y.is_finite());
    let is_named = |(x, y): (&f64, &f64)| record.points.iter().any(|place| (place.x, place.y) == (*x, *y));
    !(vertices().next().is_some_and(is_named) && vertices().next_back().is_some_and(is_named))
}

/// Draws a path; returns how many of its vertices lie outside the plot.
fn draw_path(scene: &mut Scene, frame: &Frame, record: &Surface, path: &Path, position: usize) -> usize {
    let color = palette::path(position);
    let vertices = || path.xs().iter().zip(path.ys()).map(|(x, y)| frame.at(*x, *y));
    let runs = runs(vertices());
    legend::path(scene, &runs, color);
    let all: Vec<(f64, f64)> = vertices().flatten().collect();
    if let Some(radius) = dots(path) {
        all.iter().for_each(|at| legend::dot(scene, *at, radius, color));
    }
    // A word stands beside a dot that can be seen.
    let labelled = vertices().zip(path.vertex_labels()).filter(|(_, label)| !label.trim().is_empty());
    labelled.filter_map(|(at, _)| at).for_each(|at| legend::dot(scene, at, 3.4, color));
    if let (Some(start), Some(end), true) = (all.first(), all.last(), has_ends(record, path)) {
        legend::ends(scene, *start, *end, color);
    }
    all.iter().filter(|at| !inside(&frame.plot, **at)).count()
}

fn inside(plot: &Rect, (x, y): (f64, f64)) -> bool {
    let slack = 1.0;
    x >= plot.x - slack && x <= plot.right() + slack && y >= plot.y - slack && y <= plot.bottom() + slack
}

fn draw_place(scene: &mut Scene, (x, y): (f64, f64)) {
    let r = 6.0;
    let outline = Outline::closed(vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)]);
    let (fill, stroke) = (Some(WHITE.into()), Some(Stroke::new(INK, 1.6)));
    scene.items.push(Item::Shape { outline, fill, stroke });
}

fn places<'a>(record: &'a Surface, frame: &'a Frame) -> impl Iterator<Item = ((f64, f64), &'a str)> {
    let placed =
        record.points.iter().filter_map(|point| Some((frame.at(point.x, point.y)?, &point.name[..])));
    placed.filter(|(at, _)| inside(&frame.plot, *at))
}

struct Note {
    word: Word,
    room: Rect,
}

/// The words beside places and vertices, each where it covers no other; a vertex's word that finds no room is left
/// out, a place's word stands beside it in any case.
fn words(record: &Surface, frame: &Frame) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    let named = places(record, frame).map(|(at, name)| (at, name, true));
    let vertices = record.paths.iter().flat_map(|path| {
        let labels = path.vertex_labels().iter().zip(path.xs().iter().zip(path.ys()));
        labels.filter_map(|(label, (x, y))| Some((frame.at(*x, *y)?, &label[..], false)))
    });
    let vertices = vertices.filter(|(at, ..)| inside(&frame.plot, *at));
    let symbols: Vec<Rect> = places(record, frame).map(|(at, _)| about(at, 6.0)).collect();
    let paths: Vec<Rect> = record.paths.iter().flat_map(|path| rooms_of_path(frame, path)).collect();
    for (at, text, needed) in named.chain(vertices).filter(|(_, text, _)| !text.trim().is_empty()) {
        let wide = font::width(text, NOTE_SIZE, Weight::Regular);
        let rooms: Vec<Rect> = around(at, wide).filter(|room| frame.plot.contains(room)).collect();
        let covered = |room: &Rect| {
            let by =
                |others: &mut dyn Iterator<Item = Rect>| others.filter(|other| other.overlaps(room)).count();
            let words = by(&mut notes.iter().map(|note| note.room));
            (words, by(&mut symbols.iter().copied()), by(&mut paths.iter().copied()))
        };
        let best = rooms.iter().min_by_key(|room| {
            let (words, symbols, paths) = covered(room);
            20 * words + 6 * symbols + paths
        });
        let Some(room) = best.filter(|room| needed || covered(room).0 == 0) else {
            continue;
        };
        let word = Word::new(text, room.x + 2.0, room.y + 11.0, NOTE_SIZE, INK).halo(WHITE);
        notes.push(Note { word, room: *room });
    }
    notes
}

/// Where a word of this width may stand about a point, best first.
fn around((x, y): (f64, f64), wide: f64) -> impl Iterator<Item = Rect> {
    let (w, h) = (wide + 4.0, 15.0);
    let sides = [9.0, 13.0, 18.0].into_iter().flat_map(move |d| {
        [
            (x + d, y - h / 2.0),
            (x - d - w, y - h / 2.0),
            (x - w / 2.0, y - d - h),
            (x - w / 2.0, y + d),
            (x + 0.7 * d, y - 0.7 * d - h),
            (x + 0.7 * d, y + 0.7 * d),
            (x - 0.7 * d - w, y - 0.7 * d - h),
            (x - 0.7 * d - w, y + 0.7 * d),
        ]
    });
    sides.map(move |(x, y)| Rect { x, y, width: w, height: h })
}

fn about((x, y): (f64, f64), r: f64) -> Rect {
    Rect { x: x - r, y: y - r, width: 2.0 * r, height: 2.0 * r }
}

/// Small squares along a path, which words should not cover.
fn rooms_of_path(frame: &Frame, path: &Path) -> Vec<Rect> {
    let mut rooms = Vec::new();
    for run in runs(path.xs().iter().zip(path.ys()).map(|(x, y)| frame.at(*x, *y))) {
        rooms.push(about(run[0], 4.0));
        for pair in run.windows(2) {
            let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
            let steps = (dx.hypot(dy) / 7.0).ceil().clamp(1.0, 200.0) as usize;
            let step = |k: usize| k as f64 / steps as f64;
            rooms.extend(
                (1..=steps).map(|k| about((pair[0].0 + step(k) * dx, pair[0].1 + step(k) * dy), 3.0)),
            );
        }
    }
    rooms
}

fn footnotes(record: &Surface, bands: &Bands, outside: usize) -> Vec<String> {
    let all = record.heights().len();
    let missing = record.heights().iter().filter(|h| bands.span.transform.forward(**h).is_none()).count();
    let mut notes: Vec<String> = gap_note(missing, all, "heights", [&record.z.scale]).into_iter().collect();
    if all == 0 {
        notes.push("No data.".to_owned());
    }
    if outside > 0 {
        let vertices = if outside == 1 { "vertex of a path lies" } else { "vertices of paths lie" };
        notes.push(format!("Not drawn: {outside} {vertices} outside the grid."));
    }
    notes
}
