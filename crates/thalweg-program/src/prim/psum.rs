//! A sum over evaluations that run together.

use thalweg_kernel::Call;

use super::{Batched, Evaluation, Operand, Primitive, expect_operands, expect_real};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// The sum over all evaluations that run together, element by element; each of them has it. JAX's `psum`, PyTorch's
/// `all_reduce`. An evaluation that runs alone is its own sum.
///
/// A data set is evaluated in shards, each by an evaluation of its own; this is how examples of different shards meet, as
/// in the statistics of a batch norm. Where y = psum(x), each evaluation's x moves the y of all, so x receives the sum
/// of what all evaluations send back: the adjoint is psum itself. That is the adjoint with respect to the sum over
/// evaluations of whatever each computes, as losses and their gradients are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Psum;

impl Primitive for Psum {
    fn name(&self) -> &'static str {
        "psum"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        expect_real(self.name(), inputs)?;
        Ok(inputs[0].clone())
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|inputs, out| vec![Call::AllReduce { from: inputs[0].clone(), to: out }]))
    }

    fn jvp<'b>(
        &self,
        _builder: &'b Builder,
        _primals: &[Var<'b>],
        _result: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        tangents[0].map(Var::psum)
    }

    fn transpose<'b>(
        &self,
        ct: Var<'b>,
        _operands: &[Operand<'b>],
        _types: &[&Type],
    ) -> Vec<Option<Var<'b>>> {
        vec![Some(ct.psum())]
    }

    fn batch<'b>(&self, _builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        inputs[0].value.psum()
    }
}
