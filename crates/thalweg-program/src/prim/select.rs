//! A choice between two numbers.

use thalweg_kernel::Instruction;

use super::elementwise::{batch_elementwise, same_shape};
use super::{Batched, Evaluation, Operand, Primitive};
use crate::builder::{Builder, Var};
use crate::ir::{Op, ShapeError, Type};

/// `select(c, a, b)`: a where c ≠ 0, else b, element by element. Linear in (a, b).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Select;

impl Primitive for Select {
    fn name(&self) -> &'static str {
        "select"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        same_shape(self.name(), inputs, 3)
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Elementwise(Instruction::Select(0, 1, 2))
    }

    fn jvp<'b>(
        &self,
        builder: &'b Builder,
        primals: &[Var<'b>],
        _result: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        if tangents[1].is_none() && tangents[2].is_none() {
            return None;
        }
        let or_zero = |t: Option<Var<'b>>| t.unwrap_or_else(|| builder.zeros(&primals[0].shape()));
        Some(primals[0].select(or_zero(tangents[1]), or_zero(tangents[2])))
    }

    fn transpose<'b>(&self, ct: Var<'b>, operands: &[Operand<'b>], _types: &[&Type]) -> Vec<Option<Var<'b>>> {
        let Operand::Known(condition) = operands[0] else {
            unreachable!("select is not linear in its condition")
        };
        let zero = ct.builder().zeros(&ct.shape());
        let linear = |operand| matches!(operand, Operand::Linear);
        vec![
            None,
            linear(operands[1]).then(|| condition.select(ct, zero)),
            linear(operands[2]).then(|| condition.select(zero, ct)),
        ]
    }

    fn batch<'b>(&self, builder: &'b Builder, size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        batch_elementwise(builder, Op::Select(self.clone()), size, inputs)
    }
}
