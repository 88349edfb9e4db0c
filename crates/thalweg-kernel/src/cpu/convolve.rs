//! Convolutions of any arrangement: which rows see which taps.
//!
//! One of the three arrays of the trilinear form is the result, one the lanes' factor, one the rows'. Along each window the
//! positions of the result fall into segments, whose positions all see the same positions of the lanes (taps, in a forward
//! pass), and whose rows (inputs) lie one stride apart: the middle of an image, its borders, and the residues of a stride.
//! A block of a product is one segment of each window. So neither patches nor zeros around an image are ever written.

use super::axes::{Axis, MAX_AXES};
use super::memory::Place;
use super::product::{Block, Factor, Product, Term};
use super::sums::{RUNS, Seen, SumAxis};
use crate::Window;
use crate::call::Labels;

const OUT: usize = 2;

/// What a convolution comes down to.
pub(crate) enum Convolution {
    /// No element to write.
    Nothing,
    /// Sums over nothing.
    Zero,
    Product(Box<Product>),
}

/// A label with its extent and the strides of a, b and the result; the tag says which of them have it.
#[derive(Clone, Copy)]
struct Label {
    extent: usize,
    strides: [usize; 3],
    tag: u8,
}

/// Some positions of the result along a window, `step` apart, that see the same positions of the lanes.
struct Segment {
    first: usize,
    step: usize,
    count: usize,
    /// Positions of the lanes: the first, their number, and the distance between them.
    lanes: [usize; 3],
    /// Positions of the rows: for the first of both, from one position of the lanes to the next, and from one position
    /// of the result to the next.
    row: usize,
    row_by_lane: isize,
    row_by_out: usize,
}

/// Plans a convolution of views that lie at these places.
pub(crate) fn plan(
    places: [&Place; 3],
    labels: &Labels,
    windows: &[([u8; 3], Window)],
    adds: bool,
) -> Convolution {
    let of_arrays = [&labels.a, &labels.b, &labels.out];
    if places[OUT].layout.is_empty() {
        return Convolution::Nothing;
    }
    if places.iter().any(|place| place.layout.is_empty()) {
        return if adds { Convolution::Nothing } else { Convolution::Zero };
    }
    let mut names: Vec<u8> = of_arrays.iter().flat_map(|labels| labels.iter().copied()).collect();
    names.sort_unstable();
    names.dedup();
    let label = |name: u8| {
        let mut label = Label { extent: 1, strides: [0; 3], tag: 0 };
        for (of, (labels, place)) in of_arrays.iter().zip(places).enumerate() {
            assert_eq!(
                labels.len(),
                place.layout.shape.len(),
                "a convolution needs one label an axis: {labels:?}"
            );
            if let Some(axis) = labels.iter().position(|&l| l == name) {
                label.extent = place.layout.shape[axis];
                label.strides[of] = place.layout.strides[axis];
                label.tag |= 1 << of;
            }
        }
        label
    };
    let in_window = |name: &u8| windows.iter().any(|(labels, _)| labels.contains(name));
    let free: Vec<Label> = names.iter().filter(|name| !in_window(name)).map(|&name| label(name)).collect();
    let windows: Vec<([Label; 3], Window)> =
        windows.iter().map(|&(names, window)| (names.map(label), window)).collect();
    for (labels, window) in &windows {
        for (label, expected) in labels.iter().zip([window.input, window.taps, window.output]) {
            assert_eq!(label.extent, expected, "a window's axis has another extent: {window:?}");
            assert!(label.tag.is_power_of_two(), "a window's axis stands in one array: {window:?}");
        }
    }
    let lanes_of = lanes_of(&free, &windows);
    Convolution::Product(Box::new(Plan { places, free, windows, lanes_of, adds }.product()))
}

/// Which array is that of the lanes: that of the taps, or where the result is of taps, that whose lanes fill vectors.
fn lanes_of(free: &[Label], windows: &[([Label; 3], Window)]) -> usize {
    let taps = windows.first().map_or(4, |(labels, _)| labels[1].tag);
    match taps {
        1 => 0,
        2 => 1,
        _ => {
            let waste = |of: usize| {
                let lanes = lane(free, of).map_or(1, |i| free[i].extent);
                lanes.next_multiple_of(16) as f64 / lanes as f64
            };
            usize::from(waste(1) < waste(0))
        }
    }
}

/// The longest free label of one factor and the result.
fn lane(free: &[Label], of: usize) -> Option<usize> {
    (0..free.len()).filter(|&i| free[i].tag == 4 | 1 << of).max_by_key(|&i| free[i].extent)
}

struct Plan<'p> {
    places: [&'p Place; 3],
    free: Vec<Label>,
    windows: Vec<([Label; 3], Window)>,
    lanes_of: usize,
    adds: bool,
}

impl Plan<'_> {
    fn product(&self) -> Product {
        let [lanes_of, rows_of] = [self.lanes_of, 1 - self.lanes_of];
        let lane_label = lane(&self.free, lanes_of);
        let lane = lane_label.map_or(Label { extent: 1, strides: [0, 0, 1], tag: 0 }, |i| self.free[i]);
        let others =
            self.free.iter().enumerate().filter(|&(i, _)| Some(i) != lane_label).map(|(_, label)| label);
        let tagged =
            |tag: u8| others.clone().filter(move |label| label.tag == tag && label.extent > 1).copied();
        let mut loops: Vec<Label> = tagged(7).chain(tagged(4 | 1 << lanes_of)).collect();
        let rows: Vec<Label> = tagged(4 | 1 << rows_of).collect();
        let mut sum: Vec<Label> = tagged(3).collect();
        sum.sort_by_key(|label| std::cmp::Reverse(label.strides[rows_of]));

        let segments: Vec<Vec<Segment>> = self.windows.iter().map(|window| self.segments(window)).collect();
        // Axes of the sum: windows and free labels by falling strides of the rows.
        let mut axes: Vec<(SumAxis, Option<usize>)> = Vec::new();
        let mut first = 0;
        for (w, (labels, _)) in self.windows.iter().enumerate() {
            let (own, other) = (holder(labels, lanes_of), holder(labels, rows_of));
            let by_lane = segments[w]
                .iter()
                .find(|s| s.lanes[1] > 1)
                .map_or(0, |s| s.row_by_lane / s.lanes[2] as isize);
            let mut axis = SumAxis {
                extent: own.extent,
                lanes: own.strides[lanes_of] as isize,
                rows: by_lane * other.strides[rows_of] as isize,
            };
            if axis.rows < 0 {
                // The other way round the rows go on, and runs become longer.
                first += (own.extent - 1) * own.strides[lanes_of];
                axis = SumAxis { extent: axis.extent, lanes: -axis.lanes, rows: -axis.rows };
            }
            axes.push((axis, Some(w)));
        }
        axes.extend(sum.iter().map(|label| {
            let axis = SumAxis {
                extent: label.extent,
                lanes: label.strides[lanes_of] as isize,
                rows: label.strides[rows_of] as isize,
            };
            (axis, None)
        }));
        axes.sort_by_key(|(axis, _)| std::cmp::Reverse(axis.rows));
        // A list of runs is no longer than that: what is left is a loop around.
        let mut summed = 0;
        while let Some(at) = axes.iter().position(|(_, window)| window.is_none()).filter(|&at| {
            at + 1 < axes.len()
                && axes.iter().rev().skip(1).map(|(axis, _)| axis.extent).product::<usize>() > RUNS
        }) {
            let (axis, _) = axes.remove(at);
            let mut strides = [0; 3];
            strides[lanes_of] = axis.lanes as usize;
            strides[rows_of] = axis.rows as usize;
            loops.push(Label { extent: axis.extent, strides, tag: 3 });
            summed += 1;
        }
        // Along the inner axis the lanes must go on.
        if axes.last().is_none_or(|(axis, _)| axis.lanes < 0) {
            let rows = axes.last().map_or(0, |(axis, _)| axis.rows);
            axes.push((SumAxis { extent: 1, lanes: 0, rows }, None));
        }
        assert!(
            loops.len() <= MAX_AXES,
            "{} loops around a convolution, at most {MAX_AXES} can be",
            loops.len()
        );

        let (blocks, seen) = self.blocks(&segments, &rows, &axes);
        let sum: Vec<SumAxis> = axes.iter().map(|&(axis, _)| axis).collect();
        let inner = sum[sum.len() - 1];
        let factor = |of: usize, along: usize, step: isize| Factor {
            start: (self.places[of].buffer, self.places[of].layout.offset),
            along,
            step: step as usize,
        };
        let lanes = factor(lanes_of, lane.strides[lanes_of], inner.lanes);
        let term = Term::new(lanes, factor(rows_of, 0, inner.rows), &blocks, lane.extent, &sum, &seen, first);
        Product {
            out: (self.places[OUT].buffer, self.places[OUT].layout.offset),
            lanes: lane.extent,
            lanes_out: lane.strides[OUT],
            blocks,
            terms: vec![term],
            extents: loops.iter().map(|label| label.extent).collect(),
            strides: [lanes_of, rows_of, OUT].map(|of| loops.iter().map(|label| label.strides[of]).collect()),
            summed,
            adds: self.adds,
        }
    }

    /// Segments along a window.
    fn segments(&self, (labels, window): &([Label; 3], Window)) -> Vec<Segment> {
        let kind = |of: usize| labels.iter().position(|label| label.tag == 1 << of).expect("as above");
        let [out, lanes, rows] = [OUT, self.lanes_of, 1 - self.lanes_of].map(kind);
        // Each position of the result with the positions of lanes and rows that belong to it.
        let pairs = |u: usize| -> Vec<(usize, usize)> {
            let all = 0..labels[lanes].extent;
            all.filter_map(|l| third(window, [(out, u), (lanes, l)]).map(|r| (l, r))).collect()
        };
        debug_assert_eq!(out + lanes + rows, 3);
        let step = if out == 0 { window.stride } else { 1 };
        let mut segments: Vec<Segment> = Vec::new();
        for residue in 0..step.min(labels[out].extent) {
            let begun = segments.len();
            for u in (residue..labels[out].extent).step_by(step) {
                let pairs = pairs(u);
                let next = |i: usize| pairs.get(i).copied().unwrap_or_default();
                let found = Segment {
                    first: u,
                    step,
                    count: 1,
                    lanes: [next(0).0, pairs.len(), if pairs.len() > 1 { next(1).0 - next(0).0 } else { 1 }],
                    row: next(0).1,
                    row_by_lane: if pairs.len() > 1 { next(1).1 as isize - next(0).1 as isize } else { 0 },
                    row_by_out: 0,
                };
                if segments[begun..].last_mut().is_some_and(|last| last.takes(&found)) {
                    continue;
                }
                segments.push(found);
            }
        }
        segments
    }

    /// A block for each choice of segments, and what it sees of each axis of the sum.
    fn blocks(
        &self,
        segments: &[Vec<Segment>],
        rows: &[Label],
        axes: &[(SumAxis, Option<usize>)],
    ) -> (Vec<Block>, Vec<Vec<Seen>>) {
        let rows_of = 1 - self.lanes_of;
        let mut choices: Vec<Vec<&Segment>> = vec![Vec::new()];
        for segments in segments {
            choices = choices
                .iter()
                .flat_map(|choice| segments.iter().map(move |segment| [&choice[..], &[segment]].concat()))
                .collect();
        }
        choices
            .into_iter()
            .map(|choice| {
                let row =
                    |label: &Label| Axis { extent: label.extent, strides: label.strides.to_vec(), tag: 0 };
                let mut own: Vec<Axis> = rows.iter().map(row).collect();
                let mut out = 0;
                for (segment, (labels, _)) in choice.iter().zip(&self.windows) {
                    let [of_rows, of_out] = [rows_of, OUT].map(|of| holder(labels, of).strides[of]);
                    out += segment.first * of_out;
                    let mut strides = vec![0; 3];
                    strides[rows_of] = segment.row_by_out * of_rows;
                    strides[OUT] = segment.step * of_out;
                    own.push(Axis { extent: segment.count, strides, tag: 0 });
                }
                own.retain(|axis| axis.extent > 1);
                if own.is_empty() {
                    own.push(Axis { extent: 1, strides: vec![0; 3], tag: 0 });
                }
                let seen = axes.iter().map(|(axis, window)| match window {
                    None => Seen::all(axis),
                    Some(w) => self.seen(choice[*w], *w, axis),
                });
                (Block::along(&own, rows_of, out), seen.collect())
            })
            .unzip()
    }

    /// What a segment sees of its window's axis of the sum.
    fn seen(&self, segment: &Segment, window: usize, axis: &SumAxis) -> Seen {
        let stride = holder(&self.windows[window].0, 1 - self.lanes_of).strides[1 - self.lanes_of] as isize;
        let [first, count, step] = segment.lanes;
        let (rows, rows_step) = (segment.row as isize * stride, segment.row_by_lane * stride);
        let own = holder(&self.windows[window].0, self.lanes_of).strides[self.lanes_of] as isize;
        let turned = axis.lanes == -own && axis.extent > 1 && own != 0;
        if !turned || count == 0 {
            return Seen { first, count, step, rows, rows_step };
        }
        let last = first + (count - 1) * step;
        Seen {
            first: axis.extent - 1 - last,
            count,
            step,
            rows: rows + (count as isize - 1) * rows_step,
            rows_step: -rows_step,
        }
    }
}

/// The label of a window that an array holds.
fn holder(labels: &[Label; 3], of: usize) -> Label {
    *labels.iter().find(|label| label.tag == 1 << of).expect("each array holds one label of a window")
}

impl Segment {
    /// Takes in the next position if it is alike. The second decides how the rows go on.
    fn takes(&mut self, next: &Self) -> bool {
        let Some(distance) = next.row.checked_sub(self.row) else { return false };
        if (self.lanes, self.row_by_lane) != (next.lanes, next.row_by_lane) {
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

/// The position of one kind (0 input, 1 tap, 2 output) that belongs to positions of the two others, if there is one.
fn third(window: &Window, known: [(usize, usize); 2]) -> Option<usize> {
    let of = |kind: usize| known.iter().find(|(k, _)| *k == kind).map(|&(_, position)| position);
    let Window { taps, output, stride, dilation, before, .. } = *window;
    // input + before = stride·output + dilation·tap
    match (of(0), of(1), of(2)) {
        (None, Some(tap), Some(at)) => window.place(at, tap),
        (Some(i), None, Some(at)) => {
            let reach = (i + before).checked_sub(stride * at)?;
            (reach % dilation == 0).then_some(reach / dilation).filter(|&tap| tap < taps)
        }
        (Some(i), Some(tap), None) => {
            let reach = (i + before).checked_sub(dilation * tap)?;
            (reach % stride == 0).then_some(reach / stride).filter(|&at| at < output)
        }
        _ => None,
    }
}
