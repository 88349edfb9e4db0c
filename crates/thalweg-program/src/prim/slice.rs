//! Every so-many-th element of a range of one axis.

use super::{Batched, Evaluation, Operand, Pad, Primitive, expect_axis, expect_operands};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// The elements `start, start + step, …` (`extent` of them) along one axis. Costs nothing: a view. Its adjoint is
/// [`Pad`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The axis that is cut.
    pub axis: usize,
    /// The first element.
    pub start: usize,
    /// How many elements.
    pub extent: usize,
    /// From one element to the next; at least 1.
    pub step: usize,
}

impl Primitive for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        expect_axis(self.name(), inputs[0], self.axis)?;
        // The last element's position, unless no number can hold it.
        let last =
            self.extent.saturating_sub(1).checked_mul(self.step).and_then(|n| n.checked_add(self.start));
        let end = last.and_then(|last| last.checked_add(usize::from(self.extent > 0)));
        if self.step == 0 || end.is_none_or(|end| end > inputs[0].shape[self.axis]) {
            let message = format!(
                "{} elements from {} by {} do not fit axis {} of {}",
                self.extent, self.start, self.step, self.axis, inputs[0]
            );
            return Err(ShapeError::new(self.name(), message));
        }
        let mut ty = inputs[0].clone();
        ty.shape[self.axis] = self.extent;
        Ok(ty)
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::View(Box::new(|layout| {
            Some(layout.sliced(self.axis, self.start, self.extent, self.step))
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
        if self.extent == 0 {
            return vec![None];
        }
        let covered = (self.extent - 1) * self.step + 1;
        let after = types[0].shape[self.axis] - self.start - covered;
        let pad = Pad { axis: self.axis, before: self.start, after, between: self.step - 1 };
        vec![Some(ct.builder().apply(pad, &[ct]))]
    }

    fn batch<'b>(&self, builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        builder.apply(Self { axis: self.axis + 1, ..*self }, &[inputs[0].value])
    }
}
