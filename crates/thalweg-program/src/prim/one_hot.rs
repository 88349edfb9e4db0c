//! Indices to unit vectors.

use thalweg_kernel::Call;

use super::{Batched, Evaluation, Primitive, expect_operands};
use crate::builder::{Builder, Var};
use crate::ir::{Element, ShapeError, Type};

/// `out[i…, c] = 1` where `index[i…] = c`, else 0. An index out of range gives a row of zeros.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OneHot {
    /// Extent of the new last axis; at most 2²⁴, up to which `f32` holds every index exactly.
    pub classes: usize,
}

/// Largest extent that an index may run over.
pub(super) const INDEX_LIMIT: usize = 1 << 24;

pub(super) fn expect_index(name: &'static str, ty: &Type) -> Result<(), ShapeError> {
    if ty.element == Element::Index {
        return Ok(());
    }
    Err(ShapeError::new(name, format!("expected indices, found {ty}")))
}

impl Primitive for OneHot {
    fn name(&self) -> &'static str {
        "one_hot"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        expect_index(self.name(), inputs[0])?;
        if self.classes > INDEX_LIMIT {
            let message = format!("expected at most {INDEX_LIMIT} classes, found {}", self.classes);
            return Err(ShapeError::new(self.name(), message));
        }
        let mut shape = inputs[0].shape.clone();
        shape.push(self.classes);
        Ok(Type::real(&shape))
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|inputs, out| vec![Call::OneHot { index: inputs[0].clone(), out }]))
    }

    without_derivative!();

    fn batch<'b>(&self, builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        builder.apply(self.clone(), &[inputs[0].value])
    }
}
