//! The derivative at a point as a linear program of its own.

use super::jvp::{arguments, finished, push_forward, tangent_arguments};
use crate::builder::{Builder, Var};
use crate::ir::{Node, Op, Program, ValueId};

/// A program in two parts: what depends on the point alone, and the linear map at that point.
///
/// At a fixed point the residuals do not change, so whoever applies the map many times evaluates `primal` once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linearized {
    /// x ↦ (f(x)…, residuals…)
    pub primal: Program,
    /// (x, residuals, ẋ) ↦ J ẋ, linear in the ẋ. An argument that is not needed stays, unused.
    pub linear: Program,
    /// How many residuals there are.
    pub residuals: usize,
}

/// Splits the derivative of the results in the arguments `wrt` from what it is taken at.
///
/// Views (broadcasts, reshapes, slices…) and constants are written again in the linear part rather than kept, so
/// that residuals hold only what was computed.
///
/// # Panics
/// If `wrt` names an argument that is not there or is not real.
pub fn linearize(program: &Program, wrt: &[usize]) -> Linearized {
    let whole = Builder::new();
    let inputs = arguments(&whole, program);
    let tangents = tangent_arguments(&whole, program, wrt);
    let first_tangent = inputs.len();
    let (results, result_tangents) = push_forward(&whole, program, &inputs, &tangents);
    let result_tangents: Vec<Var<'_>> = std::iter::zip(result_tangents, &results)
        .map(|(tangent, result)| tangent.unwrap_or_else(|| whole.zeros(&result.shape())))
        .collect();
    let count = results.len();
    let whole = finished(&whole, &[results, result_tangents].concat());
    let cut = Cut::new(&whole, first_tangent, count);
    Linearized { primal: cut.primal(count), linear: cut.linear(count), residuals: cut.residuals.len() }
}

/// Splits a program that is linear in its last `linear` arguments into what does not depend on them and the linear
/// map. Unlike [`linearize()`], it takes no derivative: a Hessian-vector product is split so, to be applied to many
/// vectors at one point. The primal part has residuals alone for results.
///
/// # Panics
/// If the program has fewer arguments.
pub fn split_linear(program: &Program, linear: usize) -> Linearized {
    let cut = Cut::new(program, program.inputs.len() - linear, 0);
    Linearized { primal: cut.primal(0), linear: cut.linear(0), residuals: cut.residuals.len() }
}

/// The border between the part that depends on tangents and the part that does not.
struct Cut<'p> {
    whole: &'p Program,
    first_tangent: usize,
    linear: Vec<bool>,
    residuals: Vec<ValueId>,
}

impl<'p> Cut<'p> {
    fn new(whole: &'p Program, first_tangent: usize, results: usize) -> Self {
        let mut linear = vec![false; whole.nodes.len()];
        for (position, node) in whole.nodes.iter().enumerate() {
            linear[position] = match &node.op {
                Op::Input(input) => input.position >= first_tangent,
                _ => node.inputs.iter().any(|id| linear[id.position()]),
            };
        }
        let mut cut = Self { whole, first_tangent, linear, residuals: Vec::new() };
        let mut needed = vec![false; whole.nodes.len()];
        for id in &whole.outputs[results..] {
            needed[id.position()] = true;
        }
        // Operands stand before their users, so one pass from the end finds all that is needed.
        for position in (0..whole.nodes.len()).rev() {
            let node = &whole.nodes[position];
            if !needed[position] {
                continue;
            }
            if cut.linear[position] || rewritten(node) {
                node.inputs.iter().for_each(|id| needed[id.position()] = true);
            } else if !matches!(node.op, Op::Input(_)) {
                cut.residuals.push(ValueId::new(position));
            }
        }
        cut.residuals.reverse();
        cut
    }

    fn primal(&self, results: usize) -> Program {
        let builder = Builder::new();
        let mut vars: Vec<Option<Var<'_>>> = vec![None; self.whole.nodes.len()];
        for (position, node) in self.whole.nodes.iter().enumerate() {
            vars[position] = match &node.op {
                Op::Input(input) if input.position < self.first_tangent => {
                    Some(builder.input(input.ty.clone()))
                }
                _ if self.linear[position] => None,
                op => Some(builder.apply(op.clone(), &operands(&vars, node))),
            };
        }
        let wanted = self.whole.outputs[..results].iter().chain(&self.residuals);
        let outputs: Vec<Var<'_>> = wanted.filter_map(|id| vars[id.position()]).collect();
        finished(&builder, &outputs)
    }

    fn linear(&self, results: usize) -> Program {
        let builder = Builder::new();
        let mut vars: Vec<Option<Var<'_>>> = vec![None; self.whole.nodes.len()];
        let input = |id: &ValueId| builder.input(self.whole.ty(*id).clone());
        for id in self.whole.inputs[..self.first_tangent].iter().chain(&self.residuals) {
            vars[id.position()] = Some(input(id));
        }
        for id in &self.whole.inputs[self.first_tangent..] {
            vars[id.position()] = Some(input(id));
        }
        for (position, node) in self.whole.nodes.iter().enumerate() {
            let ready = node.inputs.iter().all(|id| vars[id.position()].is_some());
            if vars[position].is_none() && ready && (self.linear[position] || rewritten(node)) {
                vars[position] = Some(builder.apply(node.op.clone(), &operands(&vars, node)));
            }
        }
        let outputs: Vec<Var<'_>> =
            self.whole.outputs[results..].iter().filter_map(|id| vars[id.position()]).collect();
        finished(&builder, &outputs)
    }
}

fn operands<'b>(vars: &[Option<Var<'b>>], node: &Node) -> Vec<Var<'b>> {
    node.inputs.iter().filter_map(|id| vars[id.position()]).collect()
}

/// Whether a value that does not depend on tangents is cheaper to write again than to keep.
fn rewritten(node: &Node) -> bool {
    matches!(
        node.op,
        Op::Constant(_)
            | Op::Iota(_)
            | Op::Broadcast(_)
            | Op::Reshape(_)
            | Op::Permute(_)
            | Op::Slice(_)
            | Op::StopGradient(_)
            // What is kept is real, so that it may be an argument in the precision that it was computed in.
            | Op::AsIndex(_)
    )
}
