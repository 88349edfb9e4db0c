//! Functions of one and of two numbers, element by element: two families, each a table of derivatives.

use std::f64::consts::PI;

use thalweg_kernel::{Binary, Instruction, Unary};

use super::{Batched, Evaluation, Operand, Primitive, expect_operands, expect_real};
use crate::builder::{Builder, Var};
use crate::ir::{Op, ShapeError, Type};

pub(super) fn same_shape(name: &'static str, inputs: &[&Type], count: usize) -> Result<Type, ShapeError> {
    expect_operands(name, inputs, count)?;
    expect_real(name, inputs)?;
    match inputs.iter().find(|ty| ty.shape != inputs[0].shape) {
        None => Ok(inputs[0].clone()),
        Some(ty) => Err(ShapeError::new(
            name,
            format!("expected one shape, found {:?} and {:?}", inputs[0].shape, ty.shape),
        )),
    }
}

pub(super) fn batch_elementwise<'b>(
    builder: &'b Builder,
    op: Op,
    size: usize,
    inputs: &[Batched<'b>],
) -> Var<'b> {
    let inputs: Vec<Var<'b>> = inputs.iter().map(|input| input.spread(size)).collect();
    builder.apply(op, &inputs)
}

impl Primitive for Unary {
    fn name(&self) -> &'static str {
        match self {
            Self::Neg => "neg",
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Log1p => "log1p",
            Self::Tanh => "tanh",
            Self::Erf => "erf",
            Self::Logistic => "logistic",
            Self::Sqrt => "sqrt",
            Self::Reciprocal => "reciprocal",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Relu => "relu",
            Self::Step => "step",
            Self::Abs => "abs",
            Self::PowerInt(_) => "power_int",
        }
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        same_shape(self.name(), inputs, 1)
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Elementwise(Instruction::Unary(*self, 0))
    }

    fn jvp<'b>(
        &self,
        _builder: &'b Builder,
        primals: &[Var<'b>],
        y: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        let (x, t) = (primals[0], tangents[0]?);
        Some(match self {
            Self::Neg => -t,
            Self::Exp => t * y,
            Self::Log => t / x,
            Self::Log1p => t / (1.0 + x),
            Self::Tanh => t * (1.0 - y * y),
            Self::Erf => t * ((-(x * x)).exp() * (2.0 / PI.sqrt())),
            Self::Logistic => t * (y * (1.0 - y)),
            Self::Sqrt => t * (0.5 / y),
            Self::Reciprocal => t * (-(y * y)),
            Self::Sin => t * x.cos(),
            Self::Cos => t * (-x.sin()),
            // The same as the step of x, which then need not be kept beside y.
            Self::Relu => t * y.step(),
            Self::Step => return None,
            Self::Abs => t * (x.step() - (-x).step()),
            Self::PowerInt(0) => return None,
            Self::PowerInt(n) => t * (x.powi(n - 1) * f64::from(*n)),
        })
    }

    fn transpose<'b>(
        &self,
        ct: Var<'b>,
        _operands: &[Operand<'b>],
        _types: &[&Type],
    ) -> Vec<Option<Var<'b>>> {
        match self {
            Self::Neg => vec![Some(-ct)],
            _ => super::never_linear(self.name()),
        }
    }

    fn batch<'b>(&self, builder: &'b Builder, size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        batch_elementwise(builder, Op::Unary(*self), size, inputs)
    }
}

impl Primitive for Binary {
    fn name(&self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
            Self::Maximum => "maximum",
            Self::Minimum => "minimum",
            Self::Power => "power",
            Self::Greater => "greater",
            Self::Equal => "equal",
        }
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        same_shape(self.name(), inputs, 2)
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Elementwise(Instruction::Binary(*self, 0, 1))
    }

    fn jvp<'b>(
        &self,
        _builder: &'b Builder,
        primals: &[Var<'b>],
        y: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        let (a, b) = (primals[0], primals[1]);
        let (from_a, from_b) = match self {
            Self::Add => (tangents[0], tangents[1]),
            Self::Sub => (tangents[0], tangents[1].map(|t| -t)),
            Self::Mul => (tangents[0].map(|t| t * b), tangents[1].map(|t| t * a)),
            Self::Div => (tangents[0].map(|t| t / b), tangents[1].map(|t| t * (-y / b))),
            // Ties are shared equally, as PyTorch and JAX have it.
            Self::Maximum | Self::Minimum => {
                let (first, second) = if *self == Self::Maximum { (a, b) } else { (b, a) };
                let share = first.greater(second) + first.equal(second) * 0.5;
                (tangents[0].map(|t| t * share), tangents[1].map(|t| t * (1.0 - share)))
            }
            // The derivatives are 0 in the base where the exponent is 0 and in the exponent where the base is 0,
            // which the products 0·∞ would make NaN.
            Self::Power => {
                let zero = a.builder().zeros(&a.shape());
                (
                    tangents[0].map(|t| t * b.select(b * a.power(b - 1.0), zero)),
                    tangents[1].map(|t| t * a.select(y * a.log(), zero)),
                )
            }
            Self::Greater | Self::Equal => (None, None),
        };
        match (from_a, from_b) {
            (Some(s), Some(t)) => Some(s + t),
            (s, t) => s.or(t),
        }
    }

    fn transpose<'b>(&self, ct: Var<'b>, operands: &[Operand<'b>], _types: &[&Type]) -> Vec<Option<Var<'b>>> {
        match (self, operands[0], operands[1]) {
            (Self::Add, a, b) => {
                let linear = |operand| matches!(operand, Operand::Linear).then_some(ct);
                vec![linear(a), linear(b)]
            }
            (Self::Sub, a, b) => {
                vec![matches!(a, Operand::Linear).then_some(ct), matches!(b, Operand::Linear).then(|| -ct)]
            }
            (Self::Mul, Operand::Linear, Operand::Known(b)) => vec![Some(ct * b), None],
            (Self::Mul, Operand::Known(a), Operand::Linear) => vec![None, Some(ct * a)],
            (Self::Div, Operand::Linear, Operand::Known(b)) => vec![Some(ct / b), None],
            _ => super::never_linear(self.name()),
        }
    }

    fn batch<'b>(&self, builder: &'b Builder, size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        batch_elementwise(builder, Op::Binary(*self), size, inputs)
    }
}
