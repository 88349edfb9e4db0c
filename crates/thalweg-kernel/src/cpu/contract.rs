//! Contractions: batches of matrix products of any strides.
//!
//! The products themselves stand in [`super::products`].
//!
//! Labels are sorted into batch axes, rows (m), columns (n) and summed axes (k), neighbours that lie in memory as
//! one are merged, and the largest axis of each group becomes an axis of the matrix product; the rest are loops.
//! Where a group is missing there is no matrix product: outer products, matrix–vector products, dot products and
//! elementwise products are fused calls (a product of two broadcast loads, summed if there is a k), which are
//! bound by memory there as a dedicated kernel would be.

use super::axes::{Axis, MAX_AXES, inner_last, merged};
use super::memory::Place;
use super::product::{Block, Factor, Product, Term};
use super::sums::{RUNS, Seen, SumAxis};
use crate::call::{Binary, Fused, Instruction, Labels, Reduction, ReductionKind, Store, View};

/// What a contraction comes down to.
pub(crate) enum Contraction {
    /// No element to write.
    Nothing,
    /// Sums over nothing.
    Zero,
    /// No matrix product.
    Fused(Box<Fused>),
    Matrix(Box<Product>),
}

const A: usize = 0;
const B: usize = 1;
const OUT: usize = 2;

/// Plans a contraction of views that lie at these places.
pub(crate) fn plan(views: [&View; 3], places: [&Place; 3], labels: &Labels, adds: bool) -> Contraction {
    let axes = labelled_axes(views, labels);
    let out = places[OUT];
    if out.layout.is_empty() {
        return Contraction::Nothing;
    }
    if axes.iter().any(|axis| axis.extent == 0) {
        return if adds { Contraction::Nothing } else { Contraction::Zero };
    }
    // A label's tag says which operands have it: a = 1, b = 2, product = 4.
    let group = |tag: u64, by: usize| {
        let mut group: Vec<Axis> =
            axes.iter().filter(|axis| axis.tag == tag && axis.extent != 1).cloned().collect();
        group.sort_by_key(|axis| std::cmp::Reverse(axis.strides[by]));
        merged(group)
    };
    let (batch, mut rows, mut columns, mut summed) =
        (group(7, OUT), group(5, OUT), group(6, OUT), group(3, A));
    for group in [&mut rows, &mut columns, &mut summed] {
        if group.is_empty() {
            if !adds {
                return Contraction::Fused(Box::new(as_fused(&axes, views)));
            }
            // A reduction cannot add to what is there, a matrix product with an axis of one element can.
            group.push(Axis { extent: 1, strides: vec![0; 3], tag: 0 });
        }
    }
    let orientation = |lanes: usize| {
        let (own, others) = if lanes == A { (&rows, &columns) } else { (&columns, &rows) };
        Orientation { lanes, rows: 1 - lanes, own, others, summed: &summed }
    };
    let [a, b] = [A, B].map(orientation);
    let better = if b.cost() < a.cost() { b } else { a };
    Contraction::Matrix(Box::new(better.product(batch, places, adds)))
}

/// Which factor is that of the lanes, and the axes from there.
struct Orientation<'x> {
    lanes: usize,
    rows: usize,
    /// The axes of the lanes' factor and the result, and those of the other.
    own: &'x [Axis],
    others: &'x [Axis],
    summed: &'x [Axis],
}

impl Orientation<'_> {
    /// The axis of the lanes: the longest.
    fn lane(&self) -> usize {
        (0..self.own.len()).max_by_key(|&i| self.own[i].extent).unwrap_or(0)
    }

    /// The summed axes, the one inside last: that along which the rows lie closest, unless it is very short.
    fn sum(&self) -> Vec<Axis> {
        inner_last(self.summed, |axis| axis.strides[self.rows])
    }

    /// Estimated cost in cycles: of multiplying, packing the lanes, copying rows across the sum and transposing the
    /// result. The weights were fitted to products of 16 to 384 examples with weights of 10 to 784 rows and columns.
    fn cost(&self) -> f64 {
        let count = |axes: &[Axis]| axes.iter().map(|axis| axis.extent).product::<usize>();
        let lane = &self.own[self.lane()];
        let (lanes, rows, depth) = (lane.extent, count(self.others), count(self.summed));
        let step = self.sum().last().map_or(1, |axis| axis.strides[self.rows]);
        // One vector of lanes keeps the loads as busy as the multipliers.
        let wait = if lanes <= 16 { 1.4 } else { 1.0 };
        let multiply = wait * (lanes.next_multiple_of(16) * rows * depth) as f64 / 32.0;
        let pack = if lane.strides[self.lanes] == 1 { 0.2 } else { 0.4 } * (lanes * depth) as f64;
        let copy = if step == 1 { 0.0 } else { 0.25 * (rows * depth) as f64 };
        let put = if lane.strides[OUT] == 1 { 0.0 } else { 0.5 * (lanes * rows) as f64 };
        (multiply + pack + copy + put) * (count(self.own) / lanes.max(1)) as f64
    }

    fn product(&self, batch: Vec<Axis>, places: [&Place; 3], adds: bool) -> Product {
        let mut loops = [batch, self.own.to_vec()].concat();
        let lane = loops.remove(loops.len() - self.own.len() + self.lane());
        let mut sum = self.sum();
        // A list of runs is no longer than that: what is left is a loop.
        let runs = |sum: &[Axis]| sum.iter().rev().skip(1).map(|axis| axis.extent).product::<usize>();
        let mut summed = Vec::new();
        while runs(&sum) > RUNS {
            summed.push(sum.remove(0));
        }
        let number = summed.len();
        loops.extend(summed);
        assert!(loops.len() <= MAX_AXES, "{} loops around a product, at most {MAX_AXES} can be", loops.len());
        let blocks = vec![Block::along(self.others, self.rows, 0)];
        let factor = |of: usize, along: usize| Factor {
            start: (places[of].buffer, places[of].layout.offset),
            along,
            step: sum.last().map_or(0, |axis| axis.strides[of]),
        };
        let lanes = factor(self.lanes, lane.strides[self.lanes]);
        let axes: Vec<SumAxis> = sum
            .iter()
            .map(|axis| SumAxis {
                extent: axis.extent,
                lanes: axis.strides[self.lanes] as isize,
                rows: axis.strides[self.rows] as isize,
            })
            .collect();
        let seen = vec![axes.iter().map(Seen::all).collect()];
        let term = Term::new(lanes, factor(self.rows, 0), &blocks, lane.extent, &axes, &seen, 0);
        Product {
            out: (places[OUT].buffer, places[OUT].layout.offset),
            lanes: lane.extent,
            lanes_out: lane.strides[OUT],
            blocks,
            terms: vec![term],
            extents: loops.iter().map(|axis| axis.extent).collect(),
            strides: [self.lanes, self.rows, OUT]
                .map(|of| loops.iter().map(|axis| axis.strides[of]).collect()),
            summed: number,
            adds,
        }
    }
}

/// One axis a label, with the strides of the three views; the tag says which of them have it.
fn labelled_axes(views: [&View; 3], labels: &Labels) -> Vec<Axis> {
    let mut axes: Vec<(u8, Axis)> = Vec::new();
    for (of, (view, labels)) in views.iter().zip([&labels.a, &labels.b, &labels.out]).enumerate() {
        let layout = &view.layout;
        assert_eq!(
            layout.shape.len(),
            labels.len(),
            "a contraction needs one label an axis: {labels:?}, {layout:?}"
        );
        for (i, &label) in labels.iter().enumerate() {
            let found = axes.iter().position(|&(l, _)| l == label).unwrap_or_else(|| {
                axes.push((label, Axis { extent: layout.shape[i], strides: vec![0; 3], tag: 0 }));
                axes.len() - 1
            });
            let axis = &mut axes[found].1;
            assert_eq!(axis.extent, layout.shape[i], "label {label} has two extents");
            assert_eq!(axis.tag >> of & 1, 0, "label {label} stands twice in one operand");
            axis.tag |= 1 << of;
            axis.strides[of] = layout.strides[i];
        }
    }
    for (label, axis) in &axes {
        assert!(matches!(axis.tag, 3 | 5 | 6 | 7), "label {label} stands in one operand alone");
    }
    axes.into_iter().map(|(_, axis)| axis).collect()
}

/// The contraction as a product of broadcast loads, summed over k.
fn as_fused(axes: &[Axis], views: [&View; 3]) -> Fused {
    let view = |of: usize| {
        let mut view = views[of].clone();
        view.layout.shape = axes.iter().map(|axis| axis.extent).collect();
        view.layout.strides = axes.iter().map(|axis| axis.strides[of]).collect();
        view
    };
    let summed: Vec<bool> = axes.iter().map(|axis| axis.tag == 3 && axis.extent != 1).collect();
    let (mut stores, mut reductions) = (Vec::new(), Vec::new());
    if summed.contains(&true) {
        reductions.push(Reduction { value: 2, kind: ReductionKind::Sum, reduced: summed, to: view(OUT) });
    } else {
        stores.push(Store { value: 2, to: view(OUT) });
    }
    Fused {
        shape: axes.iter().map(|axis| axis.extent).collect(),
        loads: vec![view(A), view(B)],
        constants: Vec::new(),
        tape: vec![Instruction::Binary(Binary::Mul, 0, 1)],
        stores,
        reductions,
    }
}
