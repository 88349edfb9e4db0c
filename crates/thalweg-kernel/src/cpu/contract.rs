//! Contractions: batches of matrix products of any strides.
//!
//! The products themselves stand in [`super::products`].
//!
//! Labels are sorted into batch axes, rows (m), columns (n) and summed axes (k), neighbours that lie in memory as
//! one are merged, and the largest axis of each group becomes an axis of the matrix product; the rest are loops.
//! Where a group is missing there is no matrix product: outer products, matrix–vector products, dot products and
//! elementwise products are fused calls (a product of two broadcast loads, summed if there is a k), which are
//! bound by memory there as a dedicated kernel would be.
#![expect(unsafe_code, reason = "the matrix product takes pointers and strides; views were checked")]

use super::axes::{Axis, MAX_AXES, advance, merged, position};
use super::memory::{Memory, Place};
use super::products::{self, TERMS};
use crate::Real;
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

/// Loops around a sum of matrix products.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    out: (usize, usize),
    /// One or more of the same extents; more only where there are no loops.
    terms: Vec<Term>,
    /// Which factor is that of the lanes.
    lanes_of: usize,
    /// The other axes: first those of the product, then those summed, with the strides of a, b and the product.
    extents: Vec<usize>,
    strides: [Vec<usize>; 3],
    /// How many of them are summed.
    summed: usize,
    /// Whether the product is added to what stands in its place.
    adds: bool,
}

/// Two factors, where they start, and the length of the sum.
#[derive(Clone, Debug)]
struct Term {
    starts: [(usize, usize); 2],
    sides: [Side; 2],
    depth: usize,
}

const A: usize = 0;
const B: usize = 1;
const OUT: usize = 2;

/// Plans a contraction of views that lie at these places.
pub(crate) fn plan(views: [&View; 3], places: [&Place; 3], labels: &Labels, adds: bool) -> Contraction {
    let axes = labelled_axes(views, labels);
    let [a, b, out] = places;
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
    let largest = |group: &mut Vec<Axis>| {
        let i = (0..group.len()).max_by_key(|&i| group[i].extent).unwrap_or(0);
        group.remove(i)
    };
    let (m, n, k) = (largest(&mut rows), largest(&mut columns), largest(&mut summed));
    let loops: Vec<Axis> = [batch, rows, columns, summed.clone()].concat();
    assert!(
        loops.len() <= MAX_AXES,
        "{} loops around a matrix product, at most {MAX_AXES} can be",
        loops.len()
    );
    let side = |own: &Axis, of: usize| Side {
        extent: own.extent,
        along: own.strides[of],
        step: k.strides[of],
        out: own.strides[OUT],
    };
    let starts = [(a.buffer, a.layout.offset), (b.buffer, b.layout.offset)];
    let terms = vec![Term { starts, sides: [side(&m, A), side(&n, B)], depth: k.extent }];
    Contraction::Matrix(Box::new(Product {
        out: (out.buffer, out.layout.offset),
        lanes_of: lanes_of(&terms),
        terms,
        extents: loops.iter().map(|axis| axis.extent).collect(),
        strides: [A, B, OUT].map(|of| loops.iter().map(|axis| axis.strides[of]).collect()),
        summed: summed.len(),
        adds,
    }))
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

/// A factor: its extent, and the distances between neighbours along its own axis, along k, and in the product.
#[derive(Clone, Copy, Debug)]
struct Side {
    extent: usize,
    along: usize,
    step: usize,
    out: usize,
}

/// Which of the two factors better lies in panels.
fn lanes_of(terms: &[Term]) -> usize {
    let cost = |of: usize| {
        let put = put(terms[0].sides[of], terms[0].sides[1 - of]);
        terms.iter().map(|term| cost(term.sides[of], term.sides[1 - of], term.depth)).sum::<f64>() + put
    };
    usize::from(cost(1) < cost(0))
}

/// Estimated cost in cycles: of multiplying, packing the lanes, and copying rows across k. The weights were fitted to
/// products of 16 to 384 examples with weights of 10 to 784 rows and columns.
fn cost(lanes: Side, rows: Side, depth: usize) -> f64 {
    // One vector with six rows leaves the multipliers waiting for each other.
    let wait = if lanes.extent <= 16 { 1.4 } else { 1.0 };
    let multiply = (lanes.extent.next_multiple_of(16) * rows.extent * depth) as f64 / 32.0;
    let pack = if lanes.along == 1 { 0.2 } else { 0.4 } * (lanes.extent * depth) as f64;
    let copy = if rows.step == 1 { 0.0 } else { 0.25 * (rows.extent * depth) as f64 };
    wait * multiply + pack + copy
}

/// Estimated cost in cycles of transposing the product.
fn put(lanes: Side, rows: Side) -> f64 {
    if lanes.out == 1 { 0.0 } else { 0.5 * (lanes.extent * rows.extent) as f64 }
}

impl Product {
    /// Whether [`Self::join`] can take in what would be added next.
    pub(crate) fn can_join(&self, next: &Self) -> bool {
        let loops = self.extents.len() + next.extents.len();
        let fits = loops == 0 && self.terms.len() < TERMS && next.terms.len() == 1;
        fits && next.adds && self.out == next.out && self.alike(&next.terms[0]).is_some()
    }

    /// Takes in what would be added next: sums then stay in the cache between the terms, and are put in their place
    /// once. The order of a sum is the same. Returns the elements of workspace that the whole needs.
    pub(crate) fn join(&mut self, next: &Self) -> usize {
        self.terms.extend(self.alike(&next.terms[0]));
        self.lanes_of = lanes_of(&self.terms);
        self.workspace()
    }

    /// The term with its factors in our order, if its product is laid out as ours.
    fn alike(&self, term: &Term) -> Option<Term> {
        let result = |[m, n]: [Side; 2]| [(m.extent, m.out), (n.extent, n.out)];
        let Term { starts: [a, b], sides: [m, n], depth } = *term;
        let turned = Term { starts: [b, a], sides: [n, m], depth };
        [term.clone(), turned].into_iter().find(|term| result(term.sides) == result(self.terms[0].sides))
    }

    pub(crate) fn run<T: Real>(&self, memory: &Memory<'_, T>) {
        let mut counter = [0; MAX_AXES];
        let counter = &mut counter[..self.extents.len()];
        let outer = self.extents.len() - self.summed;
        loop {
            // The first term of a sum over the outer summed axes overwrites, the others add.
            let adds = self.adds || counter[outer..].iter().any(|&c| c != 0);
            // SAFETY: the views were checked to lie in their buffers, and their positions are all that is touched.
            unsafe { self.multiply(memory, counter, adds) };
            if !advance(counter, &self.extents) {
                break;
            }
        }
    }

    /// Elements of workspace that the product needs.
    pub(crate) fn workspace(&self) -> usize {
        products::workspace(self.terms[0].sides[1 - self.lanes_of].extent)
    }

    /// The matrix products at a position of the loops.
    ///
    /// # Safety
    /// The elements must be in memory.
    unsafe fn multiply<T: Real>(&self, memory: &Memory<'_, T>, counter: &[usize], adds: bool) {
        let [lanes, rows] = [self.lanes_of, 1 - self.lanes_of];
        let at = |(buffer, offset): (usize, usize), of: usize| {
            // SAFETY: by contract.
            unsafe { memory.at(buffer, offset + position(counter, &self.strides[of])) }
        };
        let mut terms = [products::Term::NOTHING; TERMS];
        for (to, term) in terms.iter_mut().zip(&self.terms) {
            let factor = |of: usize| {
                let Side { extent, along, step, .. } = term.sides[of];
                let start = at(term.starts[of], of).cast_const();
                products::Factor { start, extent, along, step }
            };
            *to = products::Term { lanes: factor(lanes), rows: factor(rows), depth: term.depth };
        }
        let terms = &terms[..self.terms.len()];
        let sides = self.terms[0].sides;
        let out = products::Product {
            start: at(self.out, OUT),
            lanes: sides[lanes].out,
            rows: sides[rows].out,
            adds,
        };
        // SAFETY: by contract; the level is the machine's, the workspace was sized for this product.
        unsafe { products::multiply(memory.level, terms, out, memory.workspace) };
    }
}
