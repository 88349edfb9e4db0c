//! Contour lines with their levels written into them: each label stands where its line is straightest and nothing
//! else stands yet, and the line stops for it.

use crate::font::{self, Weight};
use crate::palette::Color;
use crate::scene::{Anchor, Outline, Piece, Rect, Scene, Stroke, Word};

const SIZE: f64 = 10.5;

/// One contour line in pixels.
pub(crate) struct Line {
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) closed: bool,
}

/// Draws lines of one level, with its text on the longest of them; `taken` holds where other words stand.
pub(crate) fn draw(
    scene: &mut Scene,
    lines: Vec<Line>,
    text: &str,
    color: Color,
    plot: &Rect,
    taken: &mut Vec<Rect>,
) {
    let stroke = Stroke::new(color, 0.9).opacity(0.6);
    let wide = font::width(text, SIZE, Weight::Regular);
    let mut lines = lines;
    lines.sort_by(|a, b| length(&b.points).total_cmp(&length(&a.points)));
    for (rank, line) in lines.into_iter().enumerate() {
        let mut points = line.points;
        if line.closed {
            points.push(points[0]);
        }
        let place = if rank < 2 { straightest(&points, wide + 8.0, plot, taken) } else { None };
        let Some(place) = place else {
            scene.stroke(Outline::open(points), stroke.clone());
            continue;
        };
        let [first, second] = cut(&points, place.from, place.to);
        let pieces = [first, second].into_iter().filter(|p| p.len() > 1);
        let pieces = pieces.map(|points| Piece { points, closed: false }).collect();
        scene.stroke(Outline { pieces }, stroke.clone());
        taken.push(place.room);
        // The baseline lies a third of the letters' height below the line, so that the line runs through their middle.
        let (sin, cos) = place.turn.to_radians().sin_cos();
        let (x, y) = (place.middle.0 - 0.35 * SIZE * sin, place.middle.1 + 0.35 * SIZE * cos);
        scene.word(Word::new(text, x, y, SIZE, color).anchor(Anchor::Middle).turn(place.turn));
    }
}

struct Place {
    /// Where the line stops and goes on, as lengths along it.
    from: f64,
    to: f64,
    middle: (f64, f64),
    turn: f64,
    room: Rect,
}

/// The straightest stretch of length `wide` that keeps clear of the rim and of what is taken.
fn straightest(points: &[(f64, f64)], wide: f64, plot: &Rect, taken: &[Rect]) -> Option<Place> {
    let along = lengths(points);
    let all = *along.last()?;
    if all < 2.0 * wide + 30.0 {
        return None;
    }
    let mut best: Option<(f64, Place)> = None;
    let steps = (all / 6.0).clamp(8.0, 200.0) as usize;
    for k in 0..=steps {
        let from = (all - wide) * k as f64 / steps as f64;
        let (a, middle, b) = (
            at(points, &along, from),
            at(points, &along, from + wide / 2.0),
            at(points, &along, from + wide),
        );
        let chord = (b.0 - a.0).hypot(b.1 - a.1);
        let bend = wide - chord;
        if bend > 0.06 * wide || best.as_ref().is_some_and(|(least, _)| bend >= *least) {
            continue;
        }
        let mut turn = (b.1 - a.1).atan2(b.0 - a.0).to_degrees();
        // Words read from left to right.
        if turn > 90.0 {
            turn -= 180.0;
        } else if turn <= -90.0 {
            turn += 180.0;
        }
        let (w, h) = ((b.0 - a.0).abs() + SIZE, (b.1 - a.1).abs() + SIZE);
        let middle = ((a.0 + b.0 + 2.0 * middle.0) / 4.0, (a.1 + b.1 + 2.0 * middle.1) / 4.0);
        let room = Rect { x: middle.0 - w / 2.0, y: middle.1 - h / 2.0, width: w, height: h };
        if plot.contains(&room) && !taken.iter().any(|other| other.overlaps(&room)) {
            best = Some((bend, Place { from, to: from + wide, middle, turn, room }));
        }
    }
    best.map(|(_, place)| place)
}

fn lengths(points: &[(f64, f64)]) -> Vec<f64> {
    let mut sum = 0.0;
    let steps = points.windows(2).map(|w| (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1));
    std::iter::once(0.0)
        .chain(steps.map(|step| {
            sum += step;
            sum
        }))
        .collect()
}

fn length(points: &[(f64, f64)]) -> f64 {
    lengths(points).last().copied().unwrap_or(0.0)
}

/// The point at a length along the line.
fn at(points: &[(f64, f64)], along: &[f64], s: f64) -> (f64, f64) {
    let k = along.partition_point(|l| *l < s).clamp(1, points.len() - 1);
    let step = along[k] - along[k - 1];
    let t = if step > 0.0 { ((s - along[k - 1]) / step).clamp(0.0, 1.0) } else { 0.0 };
    let (a, b) = (points[k - 1], points[k]);
    (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
}

/// What is left of a line on both sides of a stretch.
fn cut(points: &[(f64, f64)], from: f64, to: f64) -> [Vec<(f64, f64)>; 2] {
    let along = lengths(points);
    let before = points.iter().zip(&along).filter(|(_, l)| **l < from).map(|(p, _)| *p);
    let after = points.iter().zip(&along).filter(|(_, l)| **l > to).map(|(p, _)| *p);
    let first = before.chain([at(points, &along, from)]).collect();
    let second = std::iter::once(at(points, &along, to)).chain(after).collect();
    [first, second]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_takes_out_exactly_its_stretch() {
        let points: Vec<(f64, f64)> = (0..=10).map(|k| (f64::from(k) * 10.0, 0.0)).collect();
        let [first, second] = cut(&points, 33.0, 58.0);
        assert_eq!((first[first.len() - 1], second[0]), ((33.0, 0.0), (58.0, 0.0)));
        assert_eq!(length(&first) + length(&second), 75.0);
    }

    #[test]
    fn labels_avoid_what_is_taken_and_bends() {
        let plot = Rect { x: -50.0, y: -50.0, width: 400.0, height: 400.0 };
        // A straight part along x, then a zigzag.
        let mut points: Vec<(f64, f64)> = (0..20).map(|k| (f64::from(k) * 10.0, 100.0)).collect();
        points.extend((0..20).map(|k| (200.0 + f64::from(k) * 3.0, 100.0 + f64::from(k % 2) * 30.0)));
        let free = straightest(&points, 40.0, &plot, &[]).unwrap();
        assert!(free.to <= 195.0 && free.turn == 0.0);
        let taken = Rect { x: 0.0, y: 90.0, width: 100.0, height: 20.0 };
        let moved = straightest(&points, 40.0, &plot, &[taken]).unwrap();
        assert!(moved.from > 90.0 && !moved.room.overlaps(&taken));
    }
}
