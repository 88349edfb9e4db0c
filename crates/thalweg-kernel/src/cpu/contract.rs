//! Contractions and convolutions: sums of products over shared labels and over windows.
//!
//! The products themselves stand in [`super::products`]; a convolution is one whose rows see different parts of the sum,
//! a contraction a convolution without windows.
//!
//! Labels are sorted into batch axes, free axes of each factor and summed axes ([`super::form`]), then one factor becomes
//! that of the lanes ([`super::orientation`]). Where a group is missing there is no matrix product: outer products,
//! matrix–vector products, dot products and elementwise products are fused calls (a product of two broadcast loads, summed
//! if there is a sum), which are bound by memory there as a dedicated kernel would be.

use super::form::{A, B, Form, OUT};
use super::memory::Place;
use super::orientation::Orientation;
use super::product::Product;
use crate::Window;
use crate::call::{Binary, Fused, Instruction, Labels, Reduction, ReductionKind, Store, View};

/// What a contraction or a convolution comes down to.
pub(crate) enum Contraction {
    /// No element to write.
    Nothing,
    /// Sums over nothing.
    Zero,
    /// No matrix product.
    Fused(Box<Fused>),
    Product(Box<Product>),
}

/// Plans the sum of products of views that lie at these places.
pub(crate) fn plan(
    views: [&View; 3],
    places: [&Place; 3],
    labels: &Labels,
    windows: &[([u8; 3], Window)],
    adds: bool,
) -> Contraction {
    let form = Form::new(views, labels, windows);
    if places[OUT].layout.is_empty() {
        return Contraction::Nothing;
    }
    if places[A].layout.is_empty() || places[B].layout.is_empty() {
        return if adds { Contraction::Nothing } else { Contraction::Zero };
    }
    let lacks_a_group = form.summed.is_empty() || form.free.iter().any(Vec::is_empty);
    // A reduction cannot add to what is there, a product with an axis of one element can.
    if form.windows.is_empty() && lacks_a_group && !adds {
        return Contraction::Fused(Box::new(as_fused(&form, views)));
    }
    Contraction::Product(Box::new(Orientation::of(&form).product(places, adds)))
}

/// The contraction as a product of broadcast loads, summed over k.
fn as_fused(form: &Form, views: [&View; 3]) -> Fused {
    let axes = &form.axes;
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
