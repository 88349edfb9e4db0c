//! Zeros before, between and after the elements along one axis.

use thalweg_kernel::{Call, View};

use super::{Batched, Evaluation, Operand, Primitive, Slice, expect_axis, expect_operands, expect_real};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// Zeros around and between the elements along one axis: the adjoint of [`Slice`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pad {
    /// The axis that grows.
    pub axis: usize,
    /// Zeros before the first element.
    pub before: usize,
    /// Zeros after the last element.
    pub after: usize,
    /// Zeros between neighbours.
    pub between: usize,
}

impl Pad {
    fn slice(&self, extent: usize) -> Slice {
        Slice { axis: self.axis, start: self.before, extent, step: self.between + 1 }
    }
}

impl Primitive for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        expect_real(self.name(), inputs)?;
        expect_axis(self.name(), inputs[0], self.axis)?;
        let mut ty = inputs[0].clone();
        let extent = &mut ty.shape[self.axis];
        let between = self.between.checked_mul(extent.saturating_sub(1));
        let parts = [Some(self.before), Some(self.after), between];
        let grown = parts.into_iter().try_fold(*extent, |sum, part| sum.checked_add(part?));
        *extent = grown.ok_or_else(|| {
            let message =
                format!("{self:?} makes axis {} of {} longer than can be counted", self.axis, inputs[0]);
            ShapeError::new(self.name(), message)
        })?;
        Ok(ty)
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|inputs, out| {
            let extent = inputs[0].layout.shape[self.axis];
            let slice = self.slice(extent);
            let inside = View {
                space: out.space,
                layout: out.layout.sliced(slice.axis, slice.start, slice.extent, slice.step),
            };
            let zeros = Call::Fill { value: 0f64.to_bits(), to: out };
            vec![zeros, Call::Copy { from: inputs[0].clone(), to: inside }]
        }))
    }

    fn jvp<'b>(
        &self,
        builder: &'b Builder,
        _primals: &[Var<'b>],
        _result: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        tangents[0].map(|t| builder.apply(self.clone(), &[t]))
    }

    fn transpose<'b>(&self, ct: Var<'b>, _operands: &[Operand<'b>], types: &[&Type]) -> Vec<Option<Var<'b>>> {
        vec![Some(ct.builder().apply(self.slice(types[0].shape[self.axis]), &[ct]))]
    }

    fn batch<'b>(&self, builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        builder.apply(Self { axis: self.axis + 1, ..*self }, &[inputs[0].value])
    }
}
