//! A sum of products over shared axes: matrix products of any batch.

use thalweg_kernel::{Call, Labels};

use super::{Batched, Evaluation, Operand, Primitive, expect_operands, expect_real};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

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
        let mut seen: Vec<u8> = Vec::new();
        let mut renamed = |labels: &[u8]| -> Vec<u8> {
            let number = |label: &u8| {
                let known = seen.iter().position(|s| s == label);
                let position = known.unwrap_or_else(|| {
                    seen.push(*label);
                    seen.len() - 1
                });
                u8::try_from(position).expect("a contraction has fewer than 256 axes")
            };
            labels.iter().map(number).collect()
        };
        let out = renamed(out);
        Self { labels: Labels { a: renamed(a), b: renamed(b), out } }
    }

    fn check(&self, inputs: &[&Type]) -> Result<Vec<usize>, String> {
        let Labels { a, b, out } = &self.labels;
        if inputs[0].shape.len() != a.len() || inputs[1].shape.len() != b.len() {
            return Err(format!(
                "labels {a:?} and {b:?} do not name the axes of {} and {}",
                inputs[0], inputs[1]
            ));
        }
        let mut extents: Vec<Option<usize>> = vec![None; 256];
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
            if places.iter().any(|&n| n > 1) || places.iter().sum::<usize>() < 2 {
                return Err(format!(
                    "a label stands twice in one operand or in one alone: {a:?} {b:?} {out:?}"
                ));
            }
        }
        Ok(out.iter().map(|&label| extents[usize::from(label)].unwrap_or(0)).collect())
    }
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
        let from_a = tangents[0].map(|t| builder.apply(self.clone(), &[t, primals[1]]));
        let from_b = tangents[1].map(|t| builder.apply(self.clone(), &[primals[0], t]));
        match (from_a, from_b) {
            (Some(s), Some(t)) => Some(s + t),
            (s, t) => s.or(t),
        }
    }

    fn transpose<'b>(&self, ct: Var<'b>, operands: &[Operand<'b>], _types: &[&Type]) -> Vec<Option<Var<'b>>> {
        let Labels { a, b, out } = &self.labels;
        let builder = ct.builder();
        match (operands[0], operands[1]) {
            (Operand::Linear, Operand::Known(known)) => {
                vec![Some(builder.apply(Self::new(out, b, a), &[ct, known])), None]
            }
            (Operand::Known(known), Operand::Linear) => {
                vec![None, Some(builder.apply(Self::new(a, out, b), &[known, ct]))]
            }
            _ => unreachable!("a contraction is linear in one operand at a time"),
        }
    }

    fn batch<'b>(&self, builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        let Labels { a, b, out } = &self.labels;
        let fresh = a.iter().chain(b).max().map_or(0, |label| label + 1);
        let prefixed =
            |labels: &[u8]| -> Vec<u8> { std::iter::once(fresh).chain(labels.iter().copied()).collect() };
        let place = |labels: &[u8], batched| if batched { prefixed(labels) } else { labels.to_vec() };
        let op = Self::new(&place(a, inputs[0].batched), &place(b, inputs[1].batched), &prefixed(out));
        builder.apply(op, &[inputs[0].value, inputs[1].value])
    }

    fn flops(&self, inputs: &[&Type]) -> usize {
        let summed =
            self.labels.a.iter().zip(&inputs[0].shape).filter(|(label, _)| !self.labels.out.contains(label));
        let terms: usize = summed.map(|(_, extent)| extent).product();
        let results: usize = self.check(inputs).map_or(0, |shape| shape.iter().product());
        2 * results * terms
    }
}
