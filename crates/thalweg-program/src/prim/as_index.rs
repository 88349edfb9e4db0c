//! Whole numbers as indices.

use super::{Batched, Evaluation, Primitive, expect_operands, expect_real};
use crate::builder::{Builder, Var};
use crate::ir::{Element, ShapeError, Type};

/// Real numbers that are whole, as indices: the one way from what was computed to an index. Costs nothing: indices lie
/// in memory as reals.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AsIndex;

impl Primitive for AsIndex {
    fn name(&self) -> &'static str {
        "as_index"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        expect_real(self.name(), inputs)?;
        Ok(Type { element: Element::Index, shape: inputs[0].shape.clone() })
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::View(Box::new(|layout| Some(layout.clone())))
    }

    without_derivative!();

    fn batch<'b>(&self, builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        builder.apply(self.clone(), &[inputs[0].value])
    }
}
