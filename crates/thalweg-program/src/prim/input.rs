//! An argument of the program.

use super::{Batched, Evaluation, Primitive};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// An argument of the program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Input {
    /// Which argument, from 0.
    pub position: usize,
    /// Its type.
    pub ty: Type,
}

impl Primitive for Input {
    fn name(&self) -> &'static str {
        "input"
    }

    fn shape(&self, _inputs: &[&Type]) -> Result<Type, ShapeError> {
        Ok(self.ty.clone())
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Input
    }

    fn jvp<'b>(
        &self,
        _builder: &'b Builder,
        _primals: &[Var<'b>],
        _result: Var<'b>,
        _tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        unreachable!("transforms give inputs their tangents")
    }

    fn batch<'b>(&self, _builder: &'b Builder, _size: usize, _inputs: &[Batched<'b>]) -> Var<'b> {
        unreachable!("transforms give inputs their batch axes")
    }
}
