//! A form as a product, with the elements of one factor as lanes and those of the other as rows.
//!
//! The longest free axis of the lanes' factor becomes that of the lanes, its others are loops around the product, as are
//! batch axes. The free axes of the other factor are rows, and so are the result's positions along windows: a block of the
//! product is one segment of each window. A contraction has no windows, and so one block.
//!
//! Where both factors have little but a batch axis, as in a depthwise convolution, that axis is the one of the lanes. Of
//! images whose examples lie side by side those are the lanes: in the result too, or summed.

use super::axes::{Axis, MAX_AXES, inner_last};
use super::block::{Block, RowAxis, numbered};
use super::copied::copies_rows;
use super::form::{A, B, Form, Kind, OUT, Sliding};
use super::memory::Place;
use super::product::{Factor, Product, Term};
use super::segments::{Cut, Segment};
use super::sums::{RUNS, Seen, Sum, SumAxis};

/// Channels that taps are passed with at once if they lie far apart: few enough for the second-level cache.
const STRETCH: usize = 64;

/// Vectors of sums that are too few for the multipliers, of which each waits for the last: two times four would do, and
/// sharing costs something, too.
const FEW: usize = 5;
/// Channels from which on they are lanes of both factors.
const MANY: usize = 8;
/// Rows of a block at most, where they are all alike.
const PART: usize = 256;
/// Lanes of a vector, for estimates.
const VECTOR: usize = 16;

/// Which factor is that of the lanes.
pub(super) struct Orientation<'f> {
    form: &'f Form,
    lanes: usize,
    rows: usize,
    /// The axis whose elements are the lanes, those of both factors.
    lanewise: Option<Lanewise>,
}

/// An axis that both factors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lanewise {
    /// The batch axis of this number.
    Batch(usize),
    /// The axis of the sum of this number: lanes are added up in the end.
    Summed(usize),
}

/// An axis of the sum, of a label or of the window of this number.
#[derive(Clone, Copy)]
struct Summed {
    axis: SumAxis,
    window: Option<usize>,
}

impl<'f> Orientation<'f> {
    /// The one that is the cheaper.
    pub(super) fn of(form: &'f Form) -> Self {
        let [a, b] = [A, B].map(|lanes| Self { form, lanes, rows: 1 - lanes, lanewise: None });
        if let Some(summed) = [&a, &b].into_iter().find_map(Self::lanes_summed) {
            return summed;
        }
        let b_is_better = match form.windows.first() {
            None => b.cost() < a.cost(),
            Some(_) if a.side_by_side() || b.side_by_side() => b.side_by_side(),
            // The taps: their lanes are channels, and they are the smaller factor.
            Some(window) if window.kinds[A] == Kind::Tap => false,
            Some(window) if window.kinds[B] == Kind::Tap => true,
            Some(_) => b.waste() < a.waste(),
        };
        let better = if b_is_better { b } else { a };
        better.lanewise().unwrap_or(better)
    }

    /// Whether its lanes are examples of images that lie side by side in memory, and there are few positions: each sees
    /// lanes of its own.
    fn side_by_side(&self) -> bool {
        let lane = self.lane().0;
        let positions: usize = self.form.windows.iter().map(|window| window.extents[OUT]).product();
        let of_images = self.form.windows.iter().all(|window| window.kinds[self.rows] == Kind::Tap);
        !self.form.windows.is_empty()
            && of_images
            && lane.extent >= VECTOR
            && [lane.strides[self.lanes], lane.strides[OUT]] == [1, 1]
            && positions <= RUNS
    }

    /// With examples that lie side by side as lanes, where the result is of taps and sums over them and there are few
    /// channels to fill vectors; the lanes' factor is that of outputs.
    fn lanes_summed(&self) -> Option<Self> {
        let Self { form, lanes, rows, .. } = *self;
        let of_taps =
            |window: &Sliding| window.kinds[OUT] == Kind::Tap && window.kinds[lanes] == Kind::Output;
        let side_by_side =
            |axis: &Axis| axis.extent >= VECTOR && [axis.strides[lanes], axis.strides[rows]] == [1, 1];
        let examples = form.summed.iter().position(side_by_side)?;
        let taps = !form.windows.is_empty() && form.windows.iter().all(of_taps);
        let few = 2 * self.lane().0.extent <= VECTOR;
        (taps && few).then_some(Self { lanewise: Some(Lanewise::Summed(examples)), ..*self })
    }

    /// With a batch axis as lanes, as the channels of a depthwise convolution, if there is one where the rows lie side by
    /// side and the lanes would otherwise be few.
    fn lanewise(&self) -> Option<Self> {
        let Self { form, lanes, rows, .. } = *self;
        let windows = form.windows.first()?;
        // Outputs make better lanes than inputs: they let taps share rows.
        let turned = windows.kinds[lanes] == Kind::Input && windows.kinds[rows] == Kind::Output;
        let [lanes, rows] = if turned { [rows, lanes] } else { [lanes, rows] };
        let batch = form.batch.iter().position(|axis| axis.strides[rows] == 1 && axis.extent >= MANY)?;
        let few = self.lane().0.extent * 4 <= form.batch[batch].extent.min(VECTOR);
        few.then_some(Self { form, lanes, rows, lanewise: Some(Lanewise::Batch(batch)) })
    }

    /// The axes of the lanes' factor and the result, and those of the other and the result.
    fn own(&self) -> &'f [Axis] {
        &self.form.free[self.lanes]
    }

    fn others(&self) -> &'f [Axis] {
        &self.form.free[self.rows]
    }

    /// The axis of the lanes: the longest of the factor's own. And those of the loops around.
    fn lane(&self) -> (Axis, Vec<Axis>) {
        let (mut axes, mut batch) = (self.own().to_vec(), self.form.batch.clone());
        match self.lanewise {
            Some(Lanewise::Batch(lane)) => {
                let lane = batch.remove(lane);
                return (lane, [batch, axes].concat());
            }
            Some(Lanewise::Summed(lane)) => return (self.form.summed[lane].clone(), [batch, axes].concat()),
            None => {}
        }
        let longest = (0..axes.len()).max_by_key(|&i| axes[i].extent);
        let unit = Axis { extent: 1, strides: vec![0; 3], tag: 0 };
        let lane = longest.map_or(unit, |i| axes.remove(i));
        (lane, [batch, axes].concat())
    }

    /// Estimated cost in cycles of a product without windows: of multiplying, packing the lanes, copying rows across the
    /// sum and transposing the result. The weights were fitted to products of 16 to 384 examples with weights of 10 to 784
    /// rows and columns.
    fn cost(&self) -> f64 {
        let count = |axes: &[Axis]| axes.iter().map(|axis| axis.extent).product::<usize>();
        let (lane, _) = self.lane();
        let (lanes, rows, depth) = (lane.extent, count(self.others()), count(&self.form.summed));
        let step = self.labels_summed().last().map_or(1, |axis| axis.strides[self.rows]);
        // One vector of lanes keeps the loads as busy as the multipliers.
        let wait = if lanes <= 16 { 1.4 } else { 1.0 };
        let multiply = wait * (lanes.next_multiple_of(16) * rows * depth) as f64 / 32.0;
        let pack = if lane.strides[self.lanes] == 1 { 0.2 } else { 0.4 } * (lanes * depth) as f64;
        let copy = if step == 1 { 0.0 } else { 0.25 * (rows * depth) as f64 };
        let put = if lane.strides[OUT] == 1 { 0.0 } else { 0.5 * (lanes * rows) as f64 };
        (multiply + pack + copy + put) * (count(self.own()) / lanes.max(1)) as f64
    }

    /// How much more than the lanes is multiplied where the result is of taps. Inputs of which a tap sees only some are
    /// better rows.
    fn waste(&self) -> f64 {
        let lanes = self.lane().0.extent;
        let skips = |window: &Sliding| window.kinds[self.lanes] == Kind::Input && window.window.stride > 1;
        let skipping = if self.form.windows.iter().any(skips) { 3.0 } else { 1.0 };
        skipping * lanes.next_multiple_of(16) as f64 / lanes as f64
    }

    /// The summed labels, the one inside last: that along which the rows lie closest, unless it is very short.
    fn labels_summed(&self) -> Vec<Axis> {
        let mut axes = self.form.summed.clone();
        if let Some(Lanewise::Summed(lane)) = self.lanewise {
            axes.remove(lane);
        }
        inner_last(&axes, |axis| axis.strides[self.rows])
    }

    /// The product of arrays at these places.
    pub(super) fn product(&self, places: [&Place; 3], adds: bool) -> Product {
        let (lane, around) = self.lane();
        let cuts = self.cuts();
        let mut sum = self.sum(&cuts);
        let outer = self.split_off(&mut sum);
        let loops = [around, outer.clone()].concat();
        assert!(loops.len() <= MAX_AXES, "{} loops around a product, at most {MAX_AXES} can be", loops.len());
        let (blocks, seen) = self.blocks(&cuts, &sum, lane.strides[OUT] == 1);
        let alike = blocks.len() == 1 || cuts.is_empty();
        let inner = sum[sum.len() - 1].axis;
        let factor = |of: usize, along: usize, step: isize| Factor {
            start: (places[of].buffer, places[of].layout.offset),
            along,
            step: step as usize,
        };
        let lanes = factor(self.lanes, lane.strides[self.lanes], inner.lanes);
        let of_rows = if self.lanewise.is_some() { lane.strides[self.rows] } else { 0 };
        let rows = factor(self.rows, of_rows, inner.rows);
        let sum = Sum {
            axes: sum.iter().map(|summed| summed.axis).collect(),
            first: cuts.iter().map(|cut| cut.first).sum(),
            stretch: stretch(&cuts, inner),
        };
        let copies_rows = rows.along == 0 && alike && copies_rows(&blocks[0], rows.step, lane.extent);
        let term = Term::new(lanes, rows, copies_rows, lane.extent, &sum, &seen, self.side_by_side());
        Product {
            out: (places[OUT].buffer, places[OUT].layout.offset),
            lanes: lane.extent,
            lanes_out: lane.strides[OUT],
            blocks,
            terms: vec![term],
            extents: loops.iter().map(|axis| axis.extent).collect(),
            strides: [self.lanes, self.rows, OUT]
                .map(|of| loops.iter().map(|axis| axis.strides[of]).collect()),
            summed: outer.len(),
            adds,
            adds_lanes: matches!(self.lanewise, Some(Lanewise::Summed(_))),
        }
    }

    /// All axes of the sum, the one inside last.
    fn sum(&self, cuts: &[Cut]) -> Vec<Summed> {
        let of_label = |axis: &Axis| {
            let [lanes, rows] = [self.lanes, self.rows].map(|of| axis.strides[of] as isize);
            Summed { axis: SumAxis { extent: axis.extent, lanes, rows }, window: None }
        };
        let of_windows = cuts.iter().enumerate().map(|(w, cut)| Summed { axis: cut.axis, window: Some(w) });
        let mut sum: Vec<Summed> = self.labels_summed().iter().map(of_label).chain(of_windows).collect();
        if !cuts.is_empty() {
            sum.sort_by_key(|summed| std::cmp::Reverse(summed.axis.rows));
        }
        sum
    }

    /// Takes away what goes around the product, since a list of runs is no longer than [`RUNS`]: labels, from the outermost
    /// on.
    fn split_off(&self, sum: &mut Vec<Summed>) -> Vec<Axis> {
        let runs =
            |sum: &[Summed]| sum.iter().rev().skip(1).map(|summed| summed.axis.extent).product::<usize>();
        let mut outer = Vec::new();
        while runs(sum) > RUNS {
            let label = sum[..sum.len() - 1].iter().position(|summed| summed.window.is_none());
            let Some(label) = label else { break };
            let SumAxis { extent, lanes, rows } = sum.remove(label).axis;
            let mut strides = vec![0; 3];
            (strides[self.lanes], strides[self.rows]) = (lanes as usize, rows as usize);
            outer.push(Axis { extent, strides, tag: 0 });
        }
        // Along the inner axis the lanes must go on.
        if sum.last().is_none_or(|summed| summed.axis.lanes < 0) {
            let rows = sum.last().map_or(0, |summed| summed.axis.rows);
            sum.push(Summed { axis: SumAxis { extent: 1, lanes: 0, rows }, window: None });
        }
        outer
    }

    /// The windows in segments. Taps with few rows share them.
    fn cuts(&self) -> Vec<Cut> {
        let windows = &self.form.windows;
        let rows: usize = self.others().iter().map(|axis| axis.extent).product();
        let vectors = if self.lanewise.is_some() { 1 } else { self.lane().0.extent.div_ceil(VECTOR) };
        let shared =
            windows.iter().map(|window| Cut::shared(window, self.lanes)).collect::<Option<Vec<Cut>>>();
        match shared {
            Some(cuts) if rows * vectors < FEW => cuts,
            _ => windows.iter().map(|window| Cut::new(window, self.lanes)).collect(),
        }
    }

    /// A block for each choice of a segment along each window, and what it sees of each axis of the sum.
    fn blocks(&self, cuts: &[Cut], sum: &[Summed], direct: bool) -> (Vec<Block>, Vec<Vec<Seen>>) {
        let mut choices: Vec<Vec<&Segment>> = vec![Vec::new()];
        for cut in cuts {
            choices = choices
                .iter()
                .flat_map(|choice| cut.segments.iter().map(move |segment| [&choice[..], &[segment]].concat()))
                .collect();
        }
        let seen = |choice: &Vec<&Segment>| -> Vec<Seen> {
            let of = |summed: &Summed| summed.window.map_or(Seen::all(&summed.axis), |w| choice[w].seen);
            sum.iter().map(of).collect()
        };
        if cuts.is_empty()
            && let Some(parts) = self.parts(&seen(&choices[0]), direct)
        {
            return parts;
        }
        let seen = choices.iter().map(seen).collect();
        if cuts.iter().any(|cut| cut.shares) {
            return (self.blocks_of_shared_rows(&choices, direct), seen);
        }
        let mut number = 0;
        let block = |choice: &Vec<&Segment>| {
            let axes = self.others().iter().chain(choice.iter().map(|segment| &segment.axis));
            let axes: Vec<Axis> = axes.filter(|axis| axis.extent > 1).cloned().collect();
            let axes = inner_last(&axes, |axis| axis.strides[OUT]);
            let mut axes: Vec<RowAxis> = axes.iter().map(|axis| self.row_axis(axis)).collect();
            numbered(&mut axes);
            let block = Block::new(&axes, [number, place(choice)], false, direct);
            number += block.count();
            block
        };
        (choices.iter().map(block).collect(), seen)
    }

    /// The rows of a contraction in blocks that stay in a second-level cache, if there are many along one axis.
    fn parts(&self, seen: &[Seen], direct: bool) -> Option<(Vec<Block>, Vec<Vec<Seen>>)> {
        let [axis] = self.others() else { return None };
        let axis = self.row_axis(axis);
        if axis.extent <= PART {
            return None;
        }
        let part = |first: usize| {
            let own = RowAxis { extent: PART.min(axis.extent - first), number: 1, ..axis };
            let mut seen = seen.to_vec();
            seen.last_mut().expect("a sum has an axis").rows += (first * axis.rows) as isize;
            (Block::new(&[own], [first, first * axis.out], false, direct), seen)
        };
        Some((0..axis.extent).step_by(PART).map(part).unzip())
    }

    /// Blocks of which the first has all rows, by falling distances in their factor, and the others some of them.
    fn blocks_of_shared_rows(&self, choices: &[Vec<&Segment>], direct: bool) -> Vec<Block> {
        // Each axis with the number of its window.
        let labels = self.others().iter().map(|axis| (self.row_axis(axis), None));
        let windows =
            choices[0].iter().enumerate().map(|(w, segment)| (self.row_axis(&segment.axis), Some(w)));
        let mut all: Vec<(RowAxis, Option<usize>)> = labels.chain(windows).collect();
        all.sort_by_key(|(axis, _)| std::cmp::Reverse(axis.rows));
        let mut axes: Vec<RowAxis> = all.iter().map(|&(axis, _)| axis).collect();
        numbered(&mut axes);
        let block = |(i, choice): (usize, &Vec<&Segment>)| {
            let mut number = 0;
            let mut axes = axes.clone();
            for (axis, (_, window)) in axes.iter_mut().zip(&all) {
                if let Some(segment) = window.map(|w| choice[w]) {
                    axis.extent = segment.axis.extent;
                    number += segment.position * axis.number;
                }
            }
            Block::new(&axes, [number, place(choice)], i > 0, direct)
        };
        choices.iter().enumerate().map(block).collect()
    }

    fn row_axis(&self, axis: &Axis) -> RowAxis {
        RowAxis { extent: axis.extent, rows: axis.strides[self.rows], number: 0, out: axis.strides[OUT] }
    }
}

/// The place in the result of a block's first row.
fn place(choice: &[&Segment]) -> usize {
    choice.iter().map(|segment| segment.out).sum()
}

/// How far the inner axis of a sum goes before the others do. Taps that lie closer together in the lanes' factor than what
/// is inside (channels) share cache lines: they have to come back to them while those are still there.
fn stretch(cuts: &[Cut], inner: SumAxis) -> usize {
    let close = |cut: &Cut| cut.axis.extent > 1 && cut.axis.lanes.abs() < inner.lanes;
    if cuts.iter().any(close) { STRETCH } else { inner.extent.max(1) }
}
