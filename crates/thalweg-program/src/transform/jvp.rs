//! Forward mode: the derivative along a direction.

use crate::builder::{Builder, Var};
use crate::ir::{Element, Op, Program};

/// (x, ẋ) ↦ (f(x), J ẋ): the program with tangents of the arguments `wrt` appended to its arguments, and a tangent
/// of each result appended to its results.
///
/// Cost: each bilinear operation turns into up to three (itself, and one for each factor that has a tangent).
///
/// # Panics
/// If `wrt` names an argument that is not there or is not real.
pub fn jvp(program: &Program, wrt: &[usize]) -> Program {
    let builder = Builder::new();
    let arguments = arguments(&builder, program);
    let tangents = tangent_arguments(&builder, program, wrt);
    let (mut results, result_tangents) = push_forward(&builder, program, &arguments, &tangents);
    for (position, tangent) in result_tangents.into_iter().enumerate() {
        results.push(tangent.unwrap_or_else(|| builder.zeros(&results[position].shape())));
    }
    finished(&builder, &results)
}

/// Fresh arguments of the types that the program takes.
pub(super) fn arguments<'b>(builder: &'b Builder, program: &Program) -> Vec<Var<'b>> {
    program.input_types().into_iter().map(|ty| builder.input(ty.clone())).collect()
}

/// Fresh arguments for tangents: `Some` for each argument of the program that `wrt` names.
pub(super) fn tangent_arguments<'b>(
    builder: &'b Builder,
    program: &Program,
    wrt: &[usize],
) -> Vec<Option<Var<'b>>> {
    let mut tangents = vec![None; program.inputs.len()];
    for &argument in wrt {
        let ty = program.ty(program.inputs[argument]);
        assert_eq!(ty.element, Element::Real, "argument {argument} is {ty}: indices have no tangent");
        tangents[argument] = Some(builder.input(ty.clone()));
    }
    tangents
}

/// A transform's program; its shapes fit if those of the program that it was made from do.
pub(super) fn finished(builder: &Builder, results: &[Var<'_>]) -> Program {
    let outputs = results.iter().map(|var| var.id()).collect();
    builder.finish_ids(outputs).unwrap_or_else(|error| panic!("a transform wrote a faulty program: {error}"))
}

/// Writes the program and its derivative along the tangents; `None` is a tangent of zeros.
pub(super) fn push_forward<'b>(
    builder: &'b Builder,
    program: &Program,
    arguments: &[Var<'b>],
    tangents: &[Option<Var<'b>>],
) -> (Vec<Var<'b>>, Vec<Option<Var<'b>>>) {
    let live = program.live();
    let mut values: Vec<Option<Var<'b>>> = vec![None; program.nodes.len()];
    let mut derivatives: Vec<Option<Var<'b>>> = vec![None; program.nodes.len()];
    for (position, node) in program.nodes.iter().enumerate() {
        if let Op::Input(input) = &node.op {
            values[position] = Some(arguments[input.position]);
            derivatives[position] = tangents[input.position];
        } else if live[position] {
            let primals: Vec<Var<'b>> = node.inputs.iter().filter_map(|id| values[id.position()]).collect();
            let tangents: Vec<Option<Var<'b>>> =
                node.inputs.iter().map(|id| derivatives[id.position()]).collect();
            let result = builder.apply(node.op.clone(), &primals);
            values[position] = Some(result);
            if tangents.iter().any(Option::is_some) {
                derivatives[position] = node.op.jvp(builder, &primals, result, &tangents);
            }
        }
    }
    let results = program.outputs.iter().filter_map(|id| values[id.position()]).collect();
    let tangents = program.outputs.iter().map(|id| derivatives[id.position()]).collect();
    (results, tangents)
}
