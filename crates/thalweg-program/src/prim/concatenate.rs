//! Arrays end to end along one axis.

use thalweg_kernel::{Call, View};

use super::{Batched, Evaluation, Operand, Primitive, Slice, expect_axis, expect_real};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// Arrays end to end along one axis; all other extents agree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Concatenate {
    /// The axis that grows.
    pub axis: usize,
}

impl Primitive for Concatenate {
    fn name(&self) -> &'static str {
        "concatenate"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        let Some(&first) = inputs.first() else {
            return Err(ShapeError::new(self.name(), "takes at least one operand, found none"));
        };
        expect_real(self.name(), inputs)?;
        expect_axis(self.name(), first, self.axis)?;
        let mut ty = first.clone();
        ty.shape[self.axis] = 0;
        for input in inputs {
            let mut others = input.shape.clone();
            let extent = others.get(self.axis).copied().unwrap_or(0);
            if let Some(axis) = others.get_mut(self.axis) {
                *axis = ty.shape[self.axis];
            }
            if others != ty.shape {
                let message = format!("{first} and {input} differ beside axis {}", self.axis);
                return Err(ShapeError::new(self.name(), message));
            }
            ty.shape[self.axis] += extent;
        }
        Ok(ty)
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|inputs, out| {
            let mut start = 0;
            let mut calls = Vec::with_capacity(inputs.len());
            for input in inputs {
                let extent = input.layout.shape[self.axis];
                let layout = out.layout.sliced(self.axis, start, extent, 1);
                calls.push(Call::Copy { from: input.clone(), to: View { space: out.space, layout } });
                start += extent;
            }
            calls
        }))
    }

    fn jvp<'b>(
        &self,
        builder: &'b Builder,
        primals: &[Var<'b>],
        _result: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        let or_zero = |(t, x): (&Option<Var<'b>>, &Var<'b>)| t.unwrap_or_else(|| builder.zeros(&x.shape()));
        let tangents: Vec<Var<'b>> = tangents.iter().zip(primals).map(or_zero).collect();
        Some(builder.concatenate(self.axis, &tangents))
    }

    fn transpose<'b>(&self, ct: Var<'b>, operands: &[Operand<'b>], types: &[&Type]) -> Vec<Option<Var<'b>>> {
        let mut start = 0;
        let mut part = |(operand, ty): (&Operand<'b>, &&Type)| {
            let slice = Slice { axis: self.axis, start, extent: ty.shape[self.axis], step: 1 };
            start += slice.extent;
            matches!(operand, Operand::Linear).then(|| ct.builder().apply(slice, &[ct]))
        };
        operands.iter().zip(types).map(&mut part).collect()
    }

    fn batch<'b>(&self, builder: &'b Builder, size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        let inputs: Vec<Var<'b>> = inputs.iter().map(|input| input.spread(size)).collect();
        builder.concatenate(self.axis + 1, &inputs)
    }
}
