//! Axes in another order.

use super::{Batched, Evaluation, Operand, Primitive, expect_operands, shift};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// Axes in another order: axis `i` of the result is axis `axes[i]` of the operand. Costs nothing: a view.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Permute {
    /// Which axis of the operand stands where.
    pub axes: Vec<usize>,
}

impl Permute {
    /// The order that undoes it.
    pub fn inverse(&self) -> Vec<usize> {
        let mut inverse = vec![0; self.axes.len()];
        for (to, &from) in self.axes.iter().enumerate() {
            inverse[from] = to;
        }
        inverse
    }
}

impl Primitive for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        let mut sorted = self.axes.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..inputs[0].shape.len()) {
            let message = format!("{:?} is no order of the axes of {}", self.axes, inputs[0]);
            return Err(ShapeError::new(self.name(), message));
        }
        let shape = self.axes.iter().map(|&axis| inputs[0].shape[axis]).collect();
        Ok(Type { element: inputs[0].element, shape })
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::View(Box::new(|layout| Some(layout.permuted(&self.axes))))
    }

    fn jvp<'b>(
        &self,
        _builder: &'b Builder,
        _primals: &[Var<'b>],
        _result: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        tangents[0].map(|t| t.permute(&self.axes))
    }

    fn transpose<'b>(
        &self,
        ct: Var<'b>,
        _operands: &[Operand<'b>],
        _types: &[&Type],
    ) -> Vec<Option<Var<'b>>> {
        vec![Some(ct.permute(&self.inverse()))]
    }

    fn batch<'b>(&self, _builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        let axes: Vec<usize> = std::iter::once(0).chain(shift(&self.axes)).collect();
        inputs[0].value.permute(&axes)
    }
}
