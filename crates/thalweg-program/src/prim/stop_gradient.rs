//! The identity, whose derivative is declared to be zero.

use super::{Batched, Evaluation, Primitive, expect_operands, expect_real};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// The identity, whose derivative is declared to be zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StopGradient;

impl Primitive for StopGradient {
    fn name(&self) -> &'static str {
        "stop_gradient"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        expect_real(self.name(), inputs)?;
        Ok(inputs[0].clone())
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::View(Box::new(|layout| Some(layout.clone())))
    }

    without_derivative!();

    fn batch<'b>(&self, builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        builder.apply(self.clone(), &[inputs[0].value])
    }
}
