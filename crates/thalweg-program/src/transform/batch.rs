//! A program on each member of a batch at once.

use super::jvp::finished;
use crate::builder::{Builder, Var};
use crate::ir::{Op, Program, Type};
use crate::prim::Batched;

/// The program on each of `size` members: arguments marked in `batched` get a batch axis in front, the others are
/// shared by all members; every result has a batch axis in front.
///
/// What does not depend on a batched argument is computed once.
///
/// # Panics
/// If `batched` has not one mark an argument.
pub fn batch(program: &Program, size: usize, batched: &[bool]) -> Program {
    assert_eq!(batched.len(), program.inputs.len(), "one mark an argument");
    let builder = Builder::new();
    let arguments: Vec<Batched<'_>> = std::iter::zip(program.input_types(), batched)
        .map(|(ty, &batched)| {
            let shape = if batched { [&[size], &ty.shape[..]].concat() } else { ty.shape.clone() };
            Batched { value: builder.input(Type { element: ty.element, shape }), batched }
        })
        .collect();
    let live = program.live();
    let mut values: Vec<Option<Batched<'_>>> = vec![None; program.nodes.len()];
    for (position, node) in program.nodes.iter().enumerate() {
        if let Op::Input(input) = &node.op {
            values[position] = Some(arguments[input.position]);
        } else if live[position] {
            let operands: Vec<Batched<'_>> =
                node.inputs.iter().filter_map(|id| values[id.position()]).collect();
            let batched = operands.iter().any(|operand| operand.batched);
            let value = if batched {
                node.op.batch(&builder, size, &operands)
            } else {
                let operands: Vec<Var<'_>> = operands.iter().map(|operand| operand.value).collect();
                builder.apply(node.op.clone(), &operands)
            };
            values[position] = Some(Batched { value, batched });
        }
    }
    let results: Vec<Var<'_>> = program
        .outputs
        .iter()
        .filter_map(|id| values[id.position()])
        .map(|value| value.spread(size))
        .collect();
    finished(&builder, &results)
}
