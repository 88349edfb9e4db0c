//! What is known at once about a node that is about to be written.
//!
//! Zeros here are symbolic, as in any system that differentiates: `0·x` is 0 also where x turns out infinite.

use thalweg_kernel::{Binary, ReductionKind, Unary};

use super::{Builder, Var};
use crate::ir::{Op, Type};
use crate::prim::{Broadcast, Permute, Reduce, Slice};

impl Builder {
    /// A simpler value that equals `op` of these operands, if one is known.
    pub(super) fn simplified<'b>(&'b self, op: &Op, operands: &[Var<'b>], ty: &Type) -> Option<Var<'b>> {
        match op {
            Op::Unary(unary) => self.simplified_unary(*unary, operands[0], ty),
            Op::Binary(binary) => self.simplified_binary(*binary, operands[0], operands[1], ty),
            Op::Select(_) => {
                let same = operands[1].id() == operands[2].id();
                let chosen =
                    self.known(operands[0]).map(|c| if c == 0.0 { operands[2] } else { operands[1] });
                if same { Some(operands[1]) } else { chosen }
            }
            Op::Broadcast(broadcast) => self.simplified_broadcast(broadcast, operands[0], ty),
            Op::Reshape(_) => match self.node(operands[0].id()) {
                node if node.ty == *ty => Some(operands[0]),
                node => match node.op {
                    Op::Constant(constant) => Some(self.constant(constant.value(), &ty.shape)),
                    Op::Reshape(_) => Some(self.var(node.inputs[0]).reshape(&ty.shape)),
                    _ => None,
                },
            },
            Op::Permute(permute) => self.simplified_permute(permute, operands[0], ty),
            Op::Slice(slice) => self.simplified_slice(slice, operands[0], ty),
            Op::Pad(_) if operands[0].ty() == *ty => Some(operands[0]),
            Op::Pad(_) => (self.known(operands[0]) == Some(0.0)).then(|| self.zeros(&ty.shape)),
            Op::Concatenate(_) if operands.len() == 1 => Some(operands[0]),
            Op::Concatenate(_) => {
                operands.iter().all(|&part| self.known(part) == Some(0.0)).then(|| self.zeros(&ty.shape))
            }
            Op::Reduce(reduce) => self.simplified_reduce(reduce, operands[0], ty),
            Op::Contract(_) | Op::Convolve(_) => {
                operands.iter().any(|&factor| self.known(factor) == Some(0.0)).then(|| self.zeros(&ty.shape))
            }
            Op::Psum(_) => (self.known(operands[0]) == Some(0.0)).then(|| operands[0]),
            Op::ScatterAdd(_) => (self.known(operands[0]) == Some(0.0)).then(|| self.zeros(&ty.shape)),
            Op::Input(_) | Op::Constant(_) | Op::OneHot(_) | Op::Gather(_) | Op::StopGradient(_) => None,
            Op::MaxIndex(_) | Op::AsIndex(_) | Op::Iota(_) | Op::Uniform(_) => None,
        }
    }

    fn known(&self, var: Var<'_>) -> Option<f64> {
        match self.node(var.id()).op {
            Op::Constant(constant) => Some(constant.value()),
            _ => None,
        }
    }

    fn negated<'b>(&'b self, var: Var<'b>) -> Option<Var<'b>> {
        let node = self.node(var.id());
        matches!(node.op, Op::Unary(Unary::Neg)).then(|| self.var(node.inputs[0]))
    }

    fn simplified_unary<'b>(&'b self, unary: Unary, x: Var<'b>, ty: &Type) -> Option<Var<'b>> {
        // Only what IEEE arithmetic does exactly is done here; the rest is the kernels' business.
        let folded = self.known(x).and_then(|x| match unary {
            Unary::Neg => Some(-x),
            Unary::Abs => Some(x.abs()),
            Unary::Step => Some(f64::from(u8::from(x > 0.0))),
            Unary::Relu if !x.is_nan() => Some(if x > 0.0 { x } else { 0.0 }),
            _ => None,
        });
        match unary {
            _ if folded.is_some() => folded.map(|value| self.constant(value, &ty.shape)),
            Unary::Neg => self.negated(x),
            Unary::PowerInt(0) => Some(self.constant(1.0, &ty.shape)),
            Unary::PowerInt(1) => Some(x),
            Unary::PowerInt(2) => Some(x * x),
            Unary::PowerInt(-1) => Some(x.reciprocal()),
            _ => None,
        }
    }

    fn simplified_binary<'b>(&'b self, op: Binary, a: Var<'b>, b: Var<'b>, ty: &Type) -> Option<Var<'b>> {
        let constant = |value: f64| Some(self.constant(value, &ty.shape));
        match (op, self.known(a), self.known(b)) {
            (Binary::Add, Some(x), Some(y)) => constant(x + y),
            (Binary::Sub, Some(x), Some(y)) => constant(x - y),
            (Binary::Mul, Some(x), Some(y)) => constant(x * y),
            (Binary::Div, Some(x), Some(y)) => constant(x / y),
            (Binary::Add, Some(0.0), _) => Some(b),
            (Binary::Add | Binary::Sub, _, Some(0.0)) => Some(a),
            (Binary::Sub, Some(0.0), _) => Some(-b),
            (Binary::Mul, Some(0.0), _) | (Binary::Mul, _, Some(0.0)) => constant(0.0),
            (Binary::Mul, Some(1.0), _) => Some(b),
            (Binary::Mul | Binary::Div, _, Some(1.0)) => Some(a),
            (Binary::Mul, Some(-1.0), _) => Some(-b),
            (Binary::Mul, _, Some(-1.0)) => Some(-a),
            (Binary::Div, Some(1.0), _) => Some(b.reciprocal()),
            (Binary::Power, _, Some(2.0)) => Some(a * a),
            (Binary::Power, _, Some(1.0)) => Some(a),
            (Binary::Power, _, Some(0.0)) => constant(1.0),
            (Binary::Add, _, None) => self.negated(b).map(|b| a - b),
            (Binary::Sub, _, None) => self.negated(b).map(|b| a + b),
            _ => None,
        }
    }

    fn simplified_broadcast<'b>(&'b self, broadcast: &Broadcast, x: Var<'b>, ty: &Type) -> Option<Var<'b>> {
        let node = self.node(x.id());
        match node.op {
            _ if node.ty == *ty => Some(x),
            Op::Constant(constant) => Some(self.constant(constant.value(), &ty.shape)),
            Op::Broadcast(inner) => {
                let axes: Vec<usize> = inner.axes.iter().map(|&axis| broadcast.axes[axis]).collect();
                Some(self.var(node.inputs[0]).broadcast(&ty.shape, &axes))
            }
            _ => None,
        }
    }

    fn simplified_permute<'b>(&'b self, permute: &Permute, x: Var<'b>, ty: &Type) -> Option<Var<'b>> {
        let node = self.node(x.id());
        match node.op {
            _ if permute.axes.is_sorted() => Some(x),
            Op::Constant(constant) => Some(self.constant(constant.value(), &ty.shape)),
            Op::Permute(inner) => {
                let axes: Vec<usize> = permute.axes.iter().map(|&axis| inner.axes[axis]).collect();
                Some(self.var(node.inputs[0]).permute(&axes))
            }
            _ => None,
        }
    }

    fn simplified_slice<'b>(&'b self, slice: &Slice, x: Var<'b>, ty: &Type) -> Option<Var<'b>> {
        let node = self.node(x.id());
        match node.op {
            _ if node.ty == *ty => Some(x),
            Op::Constant(constant) => Some(self.constant(constant.value(), &ty.shape)),
            // Of a concatenation: of the part that has it all.
            Op::Concatenate(concatenate) if concatenate.axis == slice.axis && slice.extent > 0 => {
                let last = slice.start + (slice.extent - 1) * slice.step;
                let mut start = 0;
                for &part in &node.inputs {
                    let end = start + self.ty(part).shape[slice.axis];
                    if start <= slice.start && last < end {
                        let start = slice.start - start;
                        return Some(self.apply(Slice { start, ..*slice }, &[self.var(part)]));
                    }
                    start = end;
                }
                None
            }
            _ => None,
        }
    }

    /// A reduction over axes along which its operand only repeats is a multiple of it.
    fn simplified_reduce<'b>(&'b self, reduce: &Reduce, x: Var<'b>, ty: &Type) -> Option<Var<'b>> {
        if reduce.axes.is_empty() {
            return Some(x);
        }
        let node = self.node(x.id());
        let count = |axes: &[usize]| axes.iter().map(|&axis| node.ty.shape[axis]).product::<usize>();
        let times = |value: Var<'b>, axes: &[usize]| match reduce.kind {
            // Not even a repeated infinity is anything if it is never added.
            ReductionKind::Sum if count(axes) == 0 => Some(self.zeros(&value.shape())),
            ReductionKind::Sum => Some(value * count(axes) as f64),
            ReductionKind::Max => (count(axes) > 0).then_some(value),
        };
        match &node.op {
            Op::Constant(constant) => times(self.constant(constant.value(), &ty.shape), &reduce.axes),
            Op::Broadcast(broadcast) => {
                let repeats = broadcast.repeated();
                let (free, rest): (Vec<usize>, Vec<usize>) =
                    reduce.axes.iter().partition(|axis| repeats.contains(axis));
                if free.is_empty() || count(&free) == 0 {
                    return None;
                }
                // Without the repeats that are reduced: the surviving axes close up.
                let survivors: Vec<usize> =
                    (0..node.ty.shape.len()).filter(|axis| !free.contains(axis)).collect();
                let place = |axis: usize| survivors.iter().position(|&s| s == axis);
                let shape: Vec<usize> = survivors.iter().map(|&axis| node.ty.shape[axis]).collect();
                let axes: Vec<usize> = broadcast.axes.iter().filter_map(|&axis| place(axis)).collect();
                let rest: Vec<usize> = rest.iter().filter_map(|&axis| place(axis)).collect();
                let smaller = self.var(node.inputs[0]).broadcast(&shape, &axes);
                let reduced = self.apply(Reduce { kind: reduce.kind, axes: rest }, &[smaller]);
                times(reduced, &free)
            }
            _ => None,
        }
    }
}
