//! Counting.

use thalweg_kernel::Call;

use super::one_hot::INDEX_LIMIT;
use super::{Batched, Evaluation, Primitive};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// 0, 1, 2, … as reals: positions, to be compared with one another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Iota {
    /// How many; at most 2²⁴, up to which `f32` holds every whole number.
    pub extent: usize,
}

impl Primitive for Iota {
    fn name(&self) -> &'static str {
        "iota"
    }

    fn shape(&self, _inputs: &[&Type]) -> Result<Type, ShapeError> {
        if self.extent > INDEX_LIMIT {
            let message = format!("expected at most {INDEX_LIMIT} numbers, found {}", self.extent);
            return Err(ShapeError::new(self.name(), message));
        }
        Ok(Type::real(&[self.extent]))
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|_, to| vec![Call::Iota { to }]))
    }

    without_derivative!();

    fn batch<'b>(&self, _builder: &'b Builder, _size: usize, _inputs: &[Batched<'b>]) -> Var<'b> {
        unreachable!("counting has no operand to be batched")
    }
}
