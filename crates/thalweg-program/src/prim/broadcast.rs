//! New axes along which everything repeats.

use super::{Batched, Evaluation, Operand, Primitive, expect_operands, shift};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// Repeats an array along new axes: axis `i` of the operand becomes axis `axes[i]` of the result, with the same
/// extent. Costs nothing: the result is a view with strides of 0. Its adjoint is the sum over the new axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Broadcast {
    /// Shape of the result.
    pub shape: Vec<usize>,
    /// Where each axis of the operand goes; increasing.
    pub axes: Vec<usize>,
}

impl Broadcast {
    /// The axes that are new.
    pub fn repeated(&self) -> Vec<usize> {
        (0..self.shape.len()).filter(|axis| !self.axes.contains(axis)).collect()
    }
}

impl Primitive for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        let input = inputs[0];
        let increasing = self.axes.windows(2).all(|pair| pair[0] < pair[1]);
        let fits = input.shape.len() == self.axes.len()
            && increasing
            && self.axes.iter().zip(&input.shape).all(|(&axis, extent)| self.shape.get(axis) == Some(extent));
        if !fits {
            let message = format!("cannot place {input} on axes {:?} of shape {:?}", self.axes, self.shape);
            return Err(ShapeError::new(self.name(), message));
        }
        Ok(Type { element: input.element, shape: self.shape.clone() })
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::View(Box::new(|layout| Some(layout.broadcast(&self.shape, &self.axes))))
    }

    fn jvp<'b>(
        &self,
        _builder: &'b Builder,
        _primals: &[Var<'b>],
        _result: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        tangents[0].map(|t| t.broadcast(&self.shape, &self.axes))
    }

    fn transpose<'b>(
        &self,
        ct: Var<'b>,
        _operands: &[Operand<'b>],
        _types: &[&Type],
    ) -> Vec<Option<Var<'b>>> {
        vec![Some(ct.sum(&self.repeated()))]
    }

    fn batch<'b>(&self, _builder: &'b Builder, size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        let shape: Vec<usize> = std::iter::once(size).chain(self.shape.iter().copied()).collect();
        let axes: Vec<usize> = std::iter::once(0).chain(shift(&self.axes)).collect();
        inputs[0].value.broadcast(&shape, &axes)
    }
}
