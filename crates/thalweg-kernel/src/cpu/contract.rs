//! Contractions: batches of matrix products of any strides.
//!
//! Products of a shard's few rows with weights go to [`super::panel_products`], all others to the `gemm` crate.
//!
//! Labels are sorted into batch axes, rows (m), columns (n) and summed axes (k), neighbours that lie in memory as
//! one are merged, and the largest axis of each group becomes an axis of the matrix product; the rest are loops.
//! Where a group is missing there is no matrix product: outer products, matrix–vector products, dot products and
//! elementwise products are fused calls (a product of two broadcast loads, summed if there is a k), which are
//! bound by memory there as a dedicated kernel would be.
#![expect(unsafe_code, reason = "the matrix product takes pointers and strides; views were checked")]

use gemm::Parallelism;

use super::axes::{Axis, MAX_AXES, advance, merged, position};
use super::memory::{Memory, Place};
#[cfg(target_arch = "x86_64")]
use super::{panel_products, product_choice};
use crate::Real;
use crate::call::{Binary, Fused, Instruction, Labels, Reduction, ReductionKind, Store, View};
use crate::simd::Level;

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

/// Loops around a matrix product.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    a: (usize, usize),
    b: (usize, usize),
    out: (usize, usize),
    /// m, n, k.
    size: [usize; 3],
    /// Strides of a along m and k, of b along k and n, of the product along m and n.
    a_strides: [isize; 2],
    b_strides: [isize; 2],
    out_strides: [isize; 2],
    /// The other axes: first those of the product, then those summed, with the strides of a, b and the product.
    extents: Vec<usize>,
    strides: [Vec<usize>; 3],
    /// How many of them are summed.
    summed: usize,
    /// Whether the product is added to what stands in its place.
    adds: bool,
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
    let stride = |axis: &Axis, of: usize| axis.strides[of] as isize;
    Contraction::Matrix(Box::new(Product {
        a: (a.buffer, a.layout.offset),
        b: (b.buffer, b.layout.offset),
        out: (out.buffer, out.layout.offset),
        size: [m.extent, n.extent, k.extent],
        a_strides: [stride(&m, A), stride(&k, A)],
        b_strides: [stride(&k, B), stride(&n, B)],
        out_strides: [stride(&m, OUT), stride(&n, OUT)],
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

impl Product {
    pub(crate) fn run<T: Real>(&self, memory: &Memory<'_, T>) {
        let [m, n, k] = self.size;
        let mut counter = [0; MAX_AXES];
        let counter = &mut counter[..self.extents.len()];
        let outer = self.extents.len() - self.summed;
        #[cfg(target_arch = "x86_64")]
        let lanes_of = self.lanes_of::<T>(memory.level);
        loop {
            // The first term of a sum over the outer summed axes overwrites, the others add.
            let adds = self.adds || counter[outer..].iter().any(|&c| c != 0);
            // SAFETY: the views were checked to lie in their buffers, and their positions are all that is touched.
            unsafe {
                let a = memory.at(self.a.0, self.a.1 + position(counter, &self.strides[A]));
                let b = memory.at(self.b.0, self.b.1 + position(counter, &self.strides[B]));
                let out = memory.at(self.out.0, self.out.1 + position(counter, &self.strides[OUT]));
                #[cfg(target_arch = "x86_64")]
                if let Some(lanes_of) = lanes_of {
                    self.in_panels(memory, lanes_of, [a.cast_const(), b.cast_const()], out, adds);
                    if !advance(counter, &self.extents) {
                        break;
                    }
                    continue;
                }
                gemm::gemm(
                    m,
                    n,
                    k,
                    out,
                    self.out_strides[1],
                    self.out_strides[0],
                    adds,
                    a.cast_const(),
                    self.a_strides[1],
                    self.a_strides[0],
                    b.cast_const(),
                    self.b_strides[1],
                    self.b_strides[0],
                    T::ONE,
                    T::ONE,
                    false,
                    false,
                    false,
                    Parallelism::None,
                );
            }
            if !advance(counter, &self.extents) {
                break;
            }
        }
    }

    /// Elements of workspace that the product needs, in this precision and at this level.
    pub(crate) fn workspace<T: Real>(&self, level: Level) -> usize {
        #[cfg(target_arch = "x86_64")]
        if let Some(lanes_of) = self.lanes_of::<T>(level) {
            return panel_products::workspace(self.size[1 - lanes_of]);
        }
        let _ = level;
        0
    }

    /// Which factor to pack in panels, if that is the better way.
    #[cfg(target_arch = "x86_64")]
    fn lanes_of<T: Real>(&self, level: Level) -> Option<usize> {
        let [m, n, k] = self.size;
        let [[a_m, a_k], [b_k, b_n], [out_m, out_n]] = [self.a_strides, self.b_strides, self.out_strides]
            .map(|strides| strides.map(|stride| stride as usize));
        let a = product_choice::Side { extent: m, along: a_m, step: a_k, out: out_m };
        let b = product_choice::Side { extent: n, along: b_n, step: b_k, out: out_n };
        if T::NAME == f32::NAME { product_choice::lanes_of(level, [a, b], k) } else { None }
    }

    /// Multiplies with one factor in panels.
    ///
    /// # Safety
    /// [`Self::lanes_of`] said so, and the views must hold the elements of one product.
    #[cfg(target_arch = "x86_64")]
    unsafe fn in_panels<T: Real>(
        &self,
        memory: &Memory<'_, T>,
        lanes_of: usize,
        factors: [*const T; 2],
        out: *mut T,
        adds: bool,
    ) {
        use panel_products::{Factor, Product};
        let [along, step] = [
            [self.a_strides[0], self.b_strides[1]].map(|stride| stride as usize),
            [self.a_strides[1], self.b_strides[0]].map(|stride| stride as usize),
        ];
        let factor = |of: usize| Factor {
            start: factors[of].cast(),
            extent: self.size[of],
            along: along[of],
            step: step[of],
        };
        let [lanes, rows] = [lanes_of, 1 - lanes_of].map(|of| self.out_strides[of] as usize);
        let out = Product { start: out.cast(), lanes, rows, adds };
        let (lanes, rows) = (factor(lanes_of), factor(1 - lanes_of));
        // SAFETY: T is f32, the level is the machine's, the workspace was sized for this product.
        unsafe {
            panel_products::multiply(memory.level, lanes, rows, self.size[2], out, memory.workspace.cast());
        }
    }
}
