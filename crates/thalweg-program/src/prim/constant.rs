//! One number everywhere.

use super::{Batched, Evaluation, Primitive};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// One number everywhere. Larger constants are arguments: programs carry no data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Constant {
    bits: u64,
    shape: Vec<usize>,
}

impl Constant {
    /// `value` at every place of an array of `shape`.
    pub fn new(value: f64, shape: &[usize]) -> Self {
        // The two zeros and all NaNs are each one constant, so that equal programs compare equal.
        let value = if value == 0.0 { 0.0 } else { value };
        let bits = if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
        Self { bits, shape: shape.to_vec() }
    }

    /// The number.
    pub fn value(&self) -> f64 {
        f64::from_bits(self.bits)
    }
}

impl Primitive for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn shape(&self, _inputs: &[&Type]) -> Result<Type, ShapeError> {
        Ok(Type::real(&self.shape))
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Constant(self.value())
    }

    without_derivative!();

    fn batch<'b>(&self, _builder: &'b Builder, _size: usize, _inputs: &[Batched<'b>]) -> Var<'b> {
        unreachable!("a constant has no operand to be batched")
    }
}
