//! The same elements in row-major order under another shape.

use super::{Batched, Evaluation, Operand, Primitive, expect_operands};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// The same elements in row-major order under another shape. A view where the layout allows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reshape {
    /// Shape of the result.
    pub shape: Vec<usize>,
}

impl Primitive for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        let expected: usize = self.shape.iter().product();
        if inputs[0].len() != expected {
            let message = format!(
                "{} has {} elements, shape {:?} has {expected}",
                inputs[0],
                inputs[0].len(),
                self.shape
            );
            return Err(ShapeError::new(self.name(), message));
        }
        Ok(Type { element: inputs[0].element, shape: self.shape.clone() })
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::View(Box::new(|layout| layout.reshaped(&self.shape)))
    }

    fn jvp<'b>(
        &self,
        _builder: &'b Builder,
        _primals: &[Var<'b>],
        _result: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        tangents[0].map(|t| t.reshape(&self.shape))
    }

    fn transpose<'b>(&self, ct: Var<'b>, _operands: &[Operand<'b>], types: &[&Type]) -> Vec<Option<Var<'b>>> {
        vec![Some(ct.reshape(&types[0].shape))]
    }

    fn batch<'b>(&self, _builder: &'b Builder, size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        let shape: Vec<usize> = std::iter::once(size).chain(self.shape.iter().copied()).collect();
        inputs[0].value.reshape(&shape)
    }
}
