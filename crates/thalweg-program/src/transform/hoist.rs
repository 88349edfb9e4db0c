//! What a program computes linearly from some of its arguments, apart from the rest.

use thalweg_kernel::{Binary, ReductionKind, Unary};

use super::jvp::{arguments, finished};
use crate::builder::{Builder, Var};
use crate::ir::{Node, Op, Program, ValueId};

/// A program in two parts, for evaluation at many combinations Σ cᵢ·θᵢ of a few values θᵢ of its moving arguments.
///
/// The first layer of a network is linear in its parameters. On a line or a plane it need not be evaluated at each
/// point: its value there is the same combination of its values at the θᵢ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hoisted {
    /// x ↦ the values that are linear in the moving arguments, then those that do not depend on them at all.
    pub head: Program,
    /// How many of the head's results are linear.
    pub linear: usize,
    /// (x, the head's results) ↦ the program's results.
    pub tail: Program,
}

/// How a value depends on the moving arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dependence {
    None,
    /// Linear; and whether computing it takes a contraction, which makes it worth to be kept.
    Linear {
        worth: bool,
    },
    Other,
}

/// Splits off what is linear in the arguments `moving` together, or does not depend on them.
///
/// # Panics
/// If `moving` names an argument that is not there.
pub fn hoist(program: &Program, moving: &[usize]) -> Hoisted {
    let live = program.live();
    let mut dependences: Vec<Dependence> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        let of = |id: &ValueId| dependences[id.position()];
        let dependence = match &node.op {
            Op::Input(input) if moving.contains(&input.position) => Dependence::Linear { worth: false },
            Op::Input(_) => Dependence::None,
            _ => dependence(node, &node.inputs.iter().map(of).collect::<Vec<_>>()),
        };
        dependences.push(dependence);
    }
    // Kept is what the rest reads: values on the border that took some computing.
    let mut kept = vec![false; program.nodes.len()];
    for (position, node) in program.nodes.iter().enumerate().filter(|&(position, _)| live[position]) {
        for id in &node.inputs {
            let (own, operand) = (dependences[position], dependences[id.position()]);
            kept[id.position()] |= own != operand && own == Dependence::Other && worth(program, *id, operand);
        }
    }
    for id in &program.outputs {
        let dependence = dependences[id.position()];
        kept[id.position()] |= dependence != Dependence::Other && worth(program, *id, dependence);
    }
    let of = |linear: bool| {
        let is = move |d: Dependence| matches!(d, Dependence::Linear { .. }) == linear;
        (0..program.nodes.len()).filter(|&p| kept[p] && is(dependences[p])).collect::<Vec<_>>()
    };
    let (linear, fixed) = (of(true), of(false));
    let border = [&linear[..], &fixed].concat();
    let mut head = program.clone();
    head.outputs = border.iter().map(|&position| ValueId::new(position)).collect();
    let builder = Builder::new();
    let x = arguments(&builder, &head);
    let results = builder.call(&head, &x);
    let head = finished(&builder, &results);
    Hoisted { head, linear: linear.len(), tail: tail(program, &border) }
}

/// Whether a value on the border is to be kept: views and arguments are not, nor is what takes no contraction if it
/// is linear.
fn worth(program: &Program, id: ValueId, dependence: Dependence) -> bool {
    match dependence {
        Dependence::Linear { worth } => worth,
        Dependence::None => match &program.nodes[id.position()].op {
            Op::Input(_) | Op::Constant(_) | Op::Iota(_) => false,
            Op::Broadcast(_) | Op::Reshape(_) | Op::Slice(_) => false,
            // An index that was computed is no argument: arguments that are indices are `i32`.
            Op::AsIndex(_) => false,
            // What was computed is kept in the order in which it is read.
            Op::Permute(_) => worth(program, program.nodes[id.position()].inputs[0], dependence),
            _ => true,
        },
        Dependence::Other => false,
    }
}

/// The program with fresh arguments in place of the values on the border.
fn tail(program: &Program, border: &[usize]) -> Program {
    let builder = Builder::new();
    let x = arguments(&builder, program);
    let kept: Vec<Var<'_>> = border.iter().map(|&p| builder.input(program.nodes[p].ty.clone())).collect();
    let live = program.live();
    let mut vars: Vec<Option<Var<'_>>> = vec![None; program.nodes.len()];
    for (position, node) in program.nodes.iter().enumerate() {
        let known = border.iter().position(|&p| p == position);
        vars[position] = match (&node.op, known) {
            (_, Some(number)) => Some(kept[number]),
            (Op::Input(input), None) => Some(x[input.position]),
            (op, None) if live[position] => {
                let operands: Vec<Var<'_>> =
                    node.inputs.iter().filter_map(|id| vars[id.position()]).collect();
                Some(builder.apply(op.clone(), &operands))
            }
            _ => None,
        };
    }
    let results: Vec<Var<'_>> = program.outputs.iter().filter_map(|id| vars[id.position()]).collect();
    finished(&builder, &results)
}

/// How a node depends on the moving arguments, from how its operands do.
fn dependence(node: &Node, operands: &[Dependence]) -> Dependence {
    let linear = |operand: &Dependence| matches!(operand, Dependence::Linear { .. });
    if operands.iter().all(|operand| *operand == Dependence::None) {
        return Dependence::None;
    }
    if operands.contains(&Dependence::Other) {
        return Dependence::Other;
    }
    let all = operands.iter().all(linear);
    let one = operands.iter().filter(|operand| linear(operand)).count() == 1;
    let is_linear = match &node.op {
        Op::Broadcast(_) | Op::Reshape(_) | Op::Permute(_) | Op::Slice(_) | Op::Pad(_) => true,
        Op::Unary(Unary::Neg) => true,
        Op::Reduce(reduce) => reduce.kind == ReductionKind::Sum,
        Op::Concatenate(_) | Op::Binary(Binary::Add | Binary::Sub) => all,
        Op::Contract(_) | Op::Convolve(_) | Op::Binary(Binary::Mul) => one,
        Op::Binary(Binary::Div) | Op::Gather(_) | Op::ScatterAdd(_) => operands[1] == Dependence::None,
        _ => false,
    };
    let contraction = matches!(node.op, Op::Contract(_) | Op::Convolve(_));
    let worth = contraction || operands.contains(&Dependence::Linear { worth: true });
    if is_linear { Dependence::Linear { worth } } else { Dependence::Other }
}

#[cfg(test)]
mod tests {
    use super::hoist;
    use crate::builder::Builder;
    use crate::ir::Op;

    #[test]
    fn the_first_layer_and_the_targets_are_split_off() {
        let builder = Builder::new();
        let (w, b, v) = (builder.real(&[4, 3]), builder.real(&[4]), builder.real(&[2, 4]));
        let (x, y) = (builder.real(&[5, 3]), builder.index(&[5]));
        let hidden = (builder.einsum("bi,oi->bo", x, w) + b).tanh();
        let out = builder.einsum("bi,oi->bo", hidden, v);
        let loss = (out * y.one_hot(2)).sum(&[0, 1]);
        let parts = hoist(&builder.finish(&[loss]).unwrap(), &[0, 1, 2]);
        // The pre-activations of the first layer; the unit vectors of the labels.
        let shapes: Vec<_> = parts.head.output_types().iter().map(|ty| ty.shape.clone()).collect();
        assert_eq!((parts.linear, shapes), (1, vec![vec![5, 4], vec![5, 2]]));
        let contractions = parts.tail.nodes.iter().filter(|node| matches!(node.op, Op::Contract(_)));
        assert_eq!(contractions.count(), 1, "{}", parts.tail);
    }

    #[test]
    fn a_linear_program_is_all_head() {
        let builder = Builder::new();
        let (w, x) = (builder.real(&[4, 3]), builder.real(&[5, 3]));
        let out = builder.einsum("bi,oi->bo", x, w);
        let parts = hoist(&builder.finish(&[out]).unwrap(), &[0]);
        assert_eq!((parts.linear, parts.tail.contraction_flops()), (1, 0));
    }
}
