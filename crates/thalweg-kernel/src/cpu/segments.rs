//! What a product sees of a window.
//!
//! Along a window the positions of the result fall into segments, whose positions all see the same positions of the lanes
//! (taps, in a forward pass), and whose rows (inputs) lie one stride apart: the middle of an image, its borders, and the
//! residues of a stride. So neither patches nor zeros around an image are ever written.
//!
//! Where the result is of taps, each sees positions of its own. If its rows are few, the taps share those that all of them
//! see, as one segment with more rows, and what each sees besides is added by segments of its own.

use std::ops::Range;

use super::axes::Axis;
use super::form::{Kind, OUT, Sliding};
use super::sums::{Seen, SumAxis};
use crate::Window;

/// A window cut into segments.
pub(super) struct Cut {
    pub(super) segments: Vec<Segment>,
    /// Whether the first segment has all positions, and the others add to some of them.
    pub(super) shares: bool,
    /// The lanes' positions as an axis of the sum, and where the first of them lies among the lanes.
    pub(super) axis: SumAxis,
    pub(super) first: usize,
}

/// Some positions of the result that see the same of the sum.
pub(super) struct Segment {
    /// The first position, and its place in the result.
    pub(super) position: usize,
    pub(super) out: usize,
    /// The positions, with the distances between neighbours in the arrays.
    pub(super) axis: Axis,
    pub(super) seen: Seen,
}

/// The same in positions, of which each is `step` further than the last.
struct Stretch {
    first: usize,
    step: usize,
    count: usize,
    sees: Sees,
    /// From one position of the result to the next.
    row_by_out: usize,
}

/// What a position of the result sees: so many positions of the lanes from the first on, some apart; and the position of
/// the rows that belongs to the first, and how far on it is at the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sees {
    first: usize,
    count: usize,
    step: usize,
    row: usize,
    row_by_lane: isize,
}

impl Cut {
    /// With the elements of this factor as lanes.
    pub(super) fn new(window: &Sliding, lanes: usize) -> Self {
        let rows = 1 - lanes;
        let stretches = stretches(window, lanes);
        let extent = window.extents[lanes];
        let [by_lane, by_row] = [lanes, rows].map(|of| window.strides[of] as isize);
        // Rows go on by less than a position where a stride skips positions of the lanes: that is still their order.
        let several = stretches.iter().map(|stretch| stretch.sees).find(|sees| sees.count > 1);
        let on = several.map_or(1, |sees| {
            sees.row_by_lane.signum() * sees.row_by_lane.abs().div_euclid(sees.step as isize).max(1)
        });
        // Counted from the last position to the first, where that is the way that rows go on: runs become longer.
        let turned = on < 0;
        let axis =
            SumAxis { extent, lanes: if turned { -by_lane } else { by_lane }, rows: on.abs() * by_row };
        let first = if turned { (extent - 1) * window.strides[lanes] } else { 0 };
        let segments = stretches
            .iter()
            .map(|stretch| {
                let mut strides = vec![0; 3];
                strides[rows] = stretch.row_by_out * window.strides[rows];
                strides[OUT] = stretch.step * window.strides[OUT];
                Segment {
                    position: stretch.first,
                    out: stretch.first * window.strides[OUT],
                    axis: Axis { extent: stretch.count, strides, tag: 0 },
                    seen: stretch.sees.along(extent, turned, by_row),
                }
            })
            .collect();
        Self { segments, shares: false, axis, first }
    }

    /// The taps of the result together, where those of the lanes are output positions and most are seen by all taps.
    pub(super) fn shared(window: &Sliding, lanes: usize) -> Option<Self> {
        let rows = 1 - lanes;
        if [window.kinds[OUT], window.kinds[lanes]] != [Kind::Tap, Kind::Output] {
            return None;
        }
        let Window { taps, output, stride, dilation, before, .. } = window.window;
        let inside = |tap: usize| window.window.inside(tap).0;
        let begin = (0..taps).map(|tap| inside(tap).start).max()?;
        let end = (0..taps).map(|tap| inside(tap).end).min()?;
        if taps < 2 || end < begin || 2 * (end - begin) < output {
            return None;
        }
        let rows_on = (stride * window.strides[rows]) as isize;
        let segment = |position: usize, extent: usize, seen: Range<usize>| {
            let row = stride * seen.start + dilation * position - before;
            let mut strides = vec![0; 3];
            (strides[rows], strides[OUT]) = (dilation * window.strides[rows], window.strides[OUT]);
            Segment {
                position,
                out: position * window.strides[OUT],
                axis: Axis { extent, strides, tag: 0 },
                seen: Seen {
                    first: seen.start,
                    count: seen.len(),
                    step: 1,
                    rows: (row * window.strides[rows]) as isize,
                    rows_step: rows_on,
                },
            }
        };
        let mut segments = vec![segment(0, taps, begin..end)];
        for tap in 0..taps {
            let all = inside(tap);
            let besides = [all.start..begin, end..all.end].into_iter().filter(|seen| !seen.is_empty());
            segments.extend(besides.map(|seen| segment(tap, 1, seen)));
        }
        let axis = SumAxis { extent: output, lanes: window.strides[lanes] as isize, rows: rows_on };
        Some(Self { segments, shares: true, axis, first: 0 })
    }
}

impl Sees {
    /// Of an axis of so many positions, counted from the last if it is turned; `stride` is that of the rows.
    fn along(&self, extent: usize, turned: bool, stride: isize) -> Seen {
        let Self { first, count, step, .. } = *self;
        let (rows, rows_step) = (self.row as isize * stride, self.row_by_lane * stride);
        if !turned || count == 0 {
            return Seen { first, count, step, rows, rows_step };
        }
        let last = first + (count - 1) * step;
        let rows = rows + (count as isize - 1) * rows_step;
        Seen { first: extent - 1 - last, count, step, rows, rows_step: -rows_step }
    }
}

/// The result's positions in stretches.
fn stretches(window: &Sliding, lanes: usize) -> Vec<Stretch> {
    let extent = window.extents[OUT];
    let step = if window.kinds[OUT] == Kind::Input { window.window.stride } else { 1 };
    let mut stretches: Vec<Stretch> = Vec::new();
    for residue in 0..step.min(extent) {
        let begun = stretches.len();
        for first in (residue..extent).step_by(step) {
            let next = Stretch { first, step, count: 1, sees: sees(window, lanes, first), row_by_out: 0 };
            if !stretches[begun..].last_mut().is_some_and(|last| last.takes(&next)) {
                stretches.push(next);
            }
        }
    }
    stretches
}

/// What a position of the result sees.
fn sees(window: &Sliding, lanes: usize, out: usize) -> Sees {
    let row_of = |lane: usize| window.third([(window.kinds[OUT], out), (window.kinds[lanes], lane)]);
    let pairs: Vec<(usize, usize)> =
        (0..window.extents[lanes]).filter_map(|lane| Some((lane, row_of(lane)?))).collect();
    let (first, row) = pairs.first().copied().unwrap_or_default();
    let (step, row_by_lane) =
        pairs.get(1).map_or((1, 0), |&(lane, next)| (lane - first, next as isize - row as isize));
    Sees { first, count: pairs.len(), step, row, row_by_lane }
}

impl Stretch {
    /// Takes in the next position if it is alike. The second decides how the rows go on.
    fn takes(&mut self, next: &Self) -> bool {
        let Some(distance) = next.sees.row.checked_sub(self.sees.row) else { return false };
        if self.sees != (Sees { row: self.sees.row, ..next.sees }) {
            return false;
        }
        if self.count == 1 {
            self.row_by_out = distance;
        }
        let goes_on = distance == self.count * self.row_by_out;
        self.count += usize::from(goes_on);
        goes_on
    }
}
