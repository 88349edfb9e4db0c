//! The adjoint of a linear program.

use super::jvp::finished;
use super::pieces::total;
use crate::builder::{Builder, Var};
use crate::ir::{Op, Program};
use crate::prim::Operand;

/// Jᵀ of a program that is linear in its last `linear` arguments: the program takes its other arguments and then a
/// cotangent of each result, and gives a cotangent of each linear argument.
///
/// Cost: that of the program itself; each bilinear operation turns into one.
///
/// # Panics
/// If the program is not linear in those arguments.
pub fn transpose(program: &Program, linear: usize) -> Program {
    let builder = Builder::new();
    let first = program.inputs.len() - linear;
    let known: Vec<Var<'_>> =
        program.input_types()[..first].iter().map(|&ty| builder.input(ty.clone())).collect();
    let cotangents: Vec<Var<'_>> =
        program.output_types().into_iter().map(|ty| builder.input(ty.clone())).collect();
    let results = pull_back(&builder, program, &known, &cotangents);
    let results: Vec<Var<'_>> = std::iter::zip(results, &program.inputs[first..])
        .map(|(cotangent, id)| cotangent.unwrap_or_else(|| builder.zeros(&program.ty(*id).shape)))
        .collect();
    finished(&builder, &results)
}

/// Writes the adjoint: the cotangents of the arguments after the `known` ones; `None` is zero.
fn pull_back<'b>(
    builder: &'b Builder,
    program: &Program,
    known: &[Var<'b>],
    cotangents: &[Var<'b>],
) -> Vec<Option<Var<'b>>> {
    let live = program.live();
    let mut values: Vec<Option<Var<'b>>> = vec![None; program.nodes.len()];
    for (position, node) in program.nodes.iter().enumerate() {
        if let Op::Input(input) = &node.op {
            values[position] = known.get(input.position).copied();
        } else if live[position] {
            let operands: Option<Vec<Var<'b>>> = node.inputs.iter().map(|id| values[id.position()]).collect();
            values[position] = operands.map(|operands| builder.apply(node.op.clone(), &operands));
        }
    }
    let mut received: Vec<Vec<Var<'b>>> = vec![Vec::new(); program.nodes.len()];
    for (id, &cotangent) in program.outputs.iter().zip(cotangents) {
        received[id.position()].push(cotangent);
    }
    for (position, node) in program.nodes.iter().enumerate().rev() {
        if values[position].is_some() || matches!(node.op, Op::Input(_)) {
            continue;
        }
        let Some(cotangent) = total(builder, &received[position]) else { continue };
        let operands: Vec<Operand<'b>> = node
            .inputs
            .iter()
            .map(|id| values[id.position()].map_or(Operand::Linear, Operand::Known))
            .collect();
        let types: Vec<&crate::ir::Type> = node.inputs.iter().map(|&id| program.ty(id)).collect();
        for (id, part) in node.inputs.iter().zip(node.op.transpose(cotangent, &operands, &types)) {
            received[id.position()].extend(part);
        }
    }
    program.inputs[known.len()..].iter().map(|id| total(builder, &received[id.position()])).collect()
}
