//! A sum of products over shared axes: matrix products of any batch.

use thalweg_kernel::{Call, Labels};

use super::{Batched, Evaluation, Operand, Primitive, expect_operands, expect_real, product_rule};
use crate::builder::{Builder, Var};
use crate::ir::{Op, ShapeError, Type};

/// out = Σ a·b over the labels that the result lacks.
///
/// It stands for the trilinear form T(a, b, c) = Σ a·b·c over all labels. Each of its partial maps is the form
/// with the operands' roles exchanged, so every derivative of a contraction is a contraction, and the rules only
/// ever move labels about; no axis is permuted in memory for them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contract {
    labels: Labels,
}

impl Contract {
    /// From one label an axis: those of the factors and of the product. Labels are renamed in order of
    /// appearance, so that equal contractions compare equal.
    pub fn new(a: &[u8], b: &[u8], out: &[u8]) -> Self {
        Self { labels: renamed(a, b, out).0 }
    }

    /// One label an axis.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    fn check(&self, inputs: &[&Type]) -> Result<Vec<usize>, String> {
        let extents = extents(&self.labels, inputs, Missing::None)?;
        Ok(self.labels.out.iter().map(|&label| extents[usize::from(label)]).collect())
    }
}

/// The labels renamed in order of appearance in a, b and the result; and the new name of each.
pub(super) fn renamed(a: &[u8], b: &[u8], out: &[u8]) -> (Labels, impl Fn(u8) -> u8 + use<>) {
    let mut seen: Vec<u8> = Vec::new();
    for &label in [a, b, out].into_iter().flatten() {
        if !seen.contains(&label) {
            seen.push(label);
        }
    }
    // A label that stands nowhere gets a name that stands nowhere.
    let name = move |label: u8| {
        let position = seen.iter().position(|&s| s == label).unwrap_or(seen.len());
        u8::try_from(position).expect("a contraction has fewer than 256 axes")
    };
    let all = |labels: &[u8]| labels.iter().map(|&label| name(label)).collect();
    (Labels { a: all(a), b: all(b), out: all(out) }, name)
}

/// What may stand in one array alone.
#[derive(Clone, Copy)]
pub(super) enum Missing<'m> {
    /// Nothing.
    None,
    /// These labels, which have these extents.
    Known(&'m [(u8, usize)]),
}

/// Extent of each label, from 0 on. All others than those of `missing` stand in two of the arrays at least.
pub(super) fn extents(labels: &Labels, inputs: &[&Type], missing: Missing<'_>) -> Result<Vec<usize>, String> {
    let Labels { a, b, out } = labels;
    if inputs[0].shape.len() != a.len() || inputs[1].shape.len() != b.len() {
        return Err(format!(
            "labels {a:?} and {b:?} do not name the axes of {} and {}",
            inputs[0], inputs[1]
        ));
    }
    let known = match missing {
        Missing::None => &[],
        Missing::Known(known) => known,
    };
    let count = a.iter().chain(b).chain(out).map(|&label| usize::from(label) + 1).max().unwrap_or(0);
    let mut extents: Vec<Option<usize>> = vec![None; count];
    for &(label, extent) in known {
        extents[usize::from(label)] = Some(extent);
    }
    for (label, &extent) in a.iter().chain(b).zip(inputs[0].shape.iter().chain(&inputs[1].shape)) {
        let known = extents[usize::from(*label)].get_or_insert(extent);
        if *known != extent {
            return Err(format!(
                "a shared axis has extent {known} in one place and {extent} in another of {} and {}",
                inputs[0], inputs[1]
            ));
        }
    }
    let count = |labels: &[u8], label: u8| labels.iter().filter(|&&l| l == label).count();
    for &label in a.iter().chain(b).chain(out) {
        let places = [count(a, label), count(b, label), count(out, label)];
        let least = if known.iter().any(|&(l, _)| l == label) { 1 } else { 2 };
        if places.iter().any(|&n| n > 1) || places.iter().sum::<usize>() < least {
            return Err(format!("a label stands twice in one operand or in one alone: {a:?} {b:?} {out:?}"));
        }
    }
    Ok(extents.into_iter().map(|extent| extent.unwrap_or(0)).collect())
}

/// The adjoint of a trilinear form's partial map: the form with the roles of its arrays exchanged. `remake` makes the
/// primitive of new labels.
pub(super) fn adjoint<'b, P: Into<Op>>(
    labels: &Labels,
    ct: Var<'b>,
    operands: &[Operand<'b>],
    remake: impl Fn(&[u8], &[u8], &[u8]) -> P,
) -> Vec<Option<Var<'b>>> {
    let (Labels { a, b, out }, builder) = (labels, ct.builder());
    match (operands[0], operands[1]) {
        (Operand::Linear, Operand::Known(known)) => {
            vec![Some(builder.apply(remake(out, b, a), &[ct, known])), None]
        }
        (Operand::Known(known), Operand::Linear) => {
            vec![None, Some(builder.apply(remake(a, out, b), &[known, ct]))]
        }
        _ => unreachable!("a product is linear in one operand at a time"),
    }
}

/// The form over a batch: a label of its own in front of what is batched, and of the result.
pub(super) fn over_batch<'b, P: Into<Op>>(
    labels: &Labels,
    builder: &'b Builder,
    inputs: &[Batched<'b>],
    remake: impl Fn(&[u8], &[u8], &[u8]) -> P,
) -> Var<'b> {
    let Labels { a, b, out } = labels;
    let fresh = a.iter().chain(b).chain(out).max().map_or(0, |label| label + 1);
    let prefixed =
        |labels: &[u8]| -> Vec<u8> { std::iter::once(fresh).chain(labels.iter().copied()).collect() };
    let place = |labels: &[u8], batched| if batched { prefixed(labels) } else { labels.to_vec() };
    let op = remake(&place(a, inputs[0].batched), &place(b, inputs[1].batched), &prefixed(out));
    builder.apply(op, &[inputs[0].value, inputs[1].value])
}

impl Primitive for Contract {
    fn name(&self) -> &'static str {
        "contract"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 2)?;
        expect_real(self.name(), inputs)?;
        self.check(inputs)
            .map(|shape| Type::real(&shape))
            .map_err(|message| ShapeError::new(self.name(), message))
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|inputs, out| {
            vec![Call::Contract {
                a: inputs[0].clone(),
                b: inputs[1].clone(),
                out,
                labels: self.labels.clone(),
                adds: false,
            }]
        }))
    }

    fn jvp<'b>(
        &self,
        builder: &'b Builder,
        primals: &[Var<'b>],
        _result: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        product_rule(builder, self, primals, tangents)
    }

    fn transpose<'b>(&self, ct: Var<'b>, operands: &[Operand<'b>], _types: &[&Type]) -> Vec<Option<Var<'b>>> {
        adjoint(&self.labels, ct, operands, Self::new)
    }

    fn batch<'b>(&self, builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        over_batch(&self.labels, builder, inputs, Self::new)
    }

    fn flops(&self, inputs: &[&Type]) -> usize {
        let summed =
            self.labels.a.iter().zip(&inputs[0].shape).filter(|(label, _)| !self.labels.out.contains(label));
        let terms: usize = summed.map(|(_, extent)| extent).product();
        let results: usize = self.check(inputs).map_or(0, |shape| shape.iter().product());
        2 * results * terms
    }
}
