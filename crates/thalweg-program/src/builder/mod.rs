//! Writing programs: a builder, and variables with ordinary operators.
//!
//! ```
//! use thalweg_program::builder::Builder;
//!
//! let builder = Builder::new();
//! let x = builder.real(&[32, 64]);
//! let w = builder.real(&[10, 64]);
//! let logits = builder.einsum("bi,oi->bo", x, w).tanh() * 2.0;
//! let program = builder.finish(&[logits])?;
//! assert_eq!(program.output_types()[0].shape, [32, 10]);
//! # Ok::<(), thalweg_program::ir::ShapeError>(())
//! ```
//!
//! A node that already stands in the program is not written again, and what is known at once (`x + 0`, a reshape
//! to the same shape, arithmetic on constants) is simplified as it is written, so transforms need not take care.

mod attention;
mod dropout;
mod norm;
mod operators;
mod pool;
mod simplify;
mod softmax;
mod var;

use std::cell::RefCell;
use std::collections::HashMap;

pub use norm::Moments;
pub use var::Var;

use crate::ir::{Node, Op, Program, ShapeError, Type, ValueId};
use crate::prim::{Concatenate, Constant, Contract, Input, Iota};

/// Writes one program.
///
/// A primitive that is given operands of the wrong shapes does not panic: the first such error is kept, and
/// [`finish`](Self::finish) returns it. The result of the faulty line is a scalar NaN.
#[derive(Default)]
pub struct Builder {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    program: Program,
    known: HashMap<Node, ValueId>,
    error: Option<ShapeError>,
}

impl Builder {
    /// An empty program.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an argument of that type.
    pub fn input(&self, ty: Type) -> Var<'_> {
        let position = self.state.borrow().program.inputs.len();
        let id = self.push(Input { position, ty: ty.clone() }.into(), Vec::new(), ty);
        self.state.borrow_mut().program.inputs.push(id);
        self.var(id)
    }

    /// Adds an argument of reals.
    pub fn real(&self, shape: &[usize]) -> Var<'_> {
        self.input(Type::real(shape))
    }

    /// Adds an argument of indices.
    pub fn index(&self, shape: &[usize]) -> Var<'_> {
        self.input(Type::index(shape))
    }

    /// One number at every place of an array of `shape`.
    pub fn constant(&self, value: f64, shape: &[usize]) -> Var<'_> {
        self.apply(Constant::new(value, shape), &[])
    }

    /// Zeros.
    pub fn zeros(&self, shape: &[usize]) -> Var<'_> {
        self.constant(0.0, shape)
    }

    /// 0, 1, 2, … as reals `[extent]`.
    pub fn iota(&self, extent: usize) -> Var<'_> {
        self.apply(Iota { extent }, &[])
    }

    /// Arrays end to end along one axis.
    pub fn concatenate<'b>(&'b self, axis: usize, parts: &[Var<'b>]) -> Var<'b> {
        self.apply(Concatenate { axis }, parts)
    }

    /// Σ a·b over the letters that the result lacks: `"bi,oi->bo"` is x·Wᵀ. Each letter names an axis and stands
    /// in at least two of the three operands.
    pub fn einsum<'b>(&'b self, spec: &str, a: Var<'b>, b: Var<'b>) -> Var<'b> {
        let parts: Vec<&str> = spec.split([',', '>']).map(|part| part.trim_end_matches('-').trim()).collect();
        match parts[..] {
            [labels_a, labels_b, labels_out] => self.apply(
                Contract::new(labels_a.as_bytes(), labels_b.as_bytes(), labels_out.as_bytes()),
                &[a, b],
            ),
            _ => self.fail(ShapeError::new(
                "contract",
                format!("expected \"ab,bc->ac\" or alike, found {spec:?}"),
            )),
        }
    }

    /// A primitive applied to operands.
    pub fn apply<'b>(&'b self, op: impl Into<Op>, operands: &[Var<'b>]) -> Var<'b> {
        let op = op.into();
        let inputs: Vec<ValueId> = operands.iter().map(|operand| operand.id()).collect();
        let ty = {
            let state = self.state.borrow();
            let types: Vec<&Type> = inputs.iter().map(|&id| state.program.ty(id)).collect();
            op.shape(&types)
        };
        match ty {
            Err(error) => self.fail(error),
            Ok(ty) => match self.simplified(&op, operands, &ty) {
                Some(var) => var,
                None => self.var(self.push(op, inputs, ty)),
            },
        }
    }

    /// A whole program applied to arguments: its nodes are written into this one.
    ///
    /// # Panics
    /// If there are not as many arguments as the program has inputs.
    pub fn call<'b>(&'b self, program: &Program, arguments: &[Var<'b>]) -> Vec<Var<'b>> {
        assert_eq!(program.inputs.len(), arguments.len(), "arguments of a called program");
        let live = program.live();
        let mut vars: Vec<Option<Var<'b>>> = vec![None; program.nodes.len()];
        for (position, node) in program.nodes.iter().enumerate() {
            vars[position] = match &node.op {
                Op::Input(input) => {
                    let argument = arguments[input.position];
                    if argument.ty() != node.ty {
                        let message = format!(
                            "argument {} is {}, the program takes {}",
                            input.position,
                            argument.ty(),
                            node.ty
                        );
                        return vec![self.fail(ShapeError::new("call", message)); program.outputs.len()];
                    }
                    Some(argument)
                }
                _ if !live[position] => None,
                op => {
                    let operands: Vec<Var<'b>> =
                        node.inputs.iter().filter_map(|id| vars[id.position()]).collect();
                    Some(self.apply(op.clone(), &operands))
                }
            };
        }
        program.outputs.iter().filter_map(|id| vars[id.position()]).collect()
    }

    /// The program that computes these values from the arguments, in the order in which they were added. Nodes
    /// that no result depends on are left out. The builder is empty afterwards.
    ///
    /// # Errors
    /// The first shape error of the lines so far.
    pub fn finish(&self, results: &[Var<'_>]) -> Result<Program, ShapeError> {
        let outputs: Vec<ValueId> = results.iter().map(|var| var.id()).collect();
        self.finish_ids(outputs)
    }

    pub(crate) fn finish_ids(&self, outputs: Vec<ValueId>) -> Result<Program, ShapeError> {
        let State { mut program, error, .. } = self.state.take();
        if let Some(error) = error {
            return Err(error);
        }
        program.outputs = outputs;
        Ok(without_dead_nodes(&program))
    }

    pub(crate) fn var(&self, id: ValueId) -> Var<'_> {
        Var::new(self, id)
    }

    pub(crate) fn ty(&self, id: ValueId) -> Type {
        self.state.borrow().program.ty(id).clone()
    }

    pub(crate) fn node(&self, id: ValueId) -> Node {
        self.state.borrow().program.nodes[id.position()].clone()
    }

    pub(crate) fn fail(&self, error: ShapeError) -> Var<'_> {
        self.state.borrow_mut().error.get_or_insert(error);
        let poison = Constant::new(f64::NAN, &[]);
        self.var(self.push(poison.into(), Vec::new(), Type::real(&[])))
    }

    fn push(&self, op: Op, inputs: Vec<ValueId>, ty: Type) -> ValueId {
        let node = Node { op, inputs, ty };
        let mut state = self.state.borrow_mut();
        if let Some(&id) = state.known.get(&node) {
            return id;
        }
        let id = ValueId::new(state.program.nodes.len());
        state.program.nodes.push(node.clone());
        state.known.insert(node, id);
        id
    }
}

fn without_dead_nodes(program: &Program) -> Program {
    let mut live = program.live();
    for input in &program.inputs {
        live[input.position()] = true;
    }
    let mut moved: Vec<Option<ValueId>> = vec![None; program.nodes.len()];
    let mut kept = Program::default();
    let follow =
        |moved: &[Option<ValueId>], id: &ValueId| moved[id.position()].expect("operands of live nodes live");
    for (position, node) in program.nodes.iter().enumerate().filter(|&(position, _)| live[position]) {
        moved[position] = Some(ValueId::new(kept.nodes.len()));
        let inputs = node.inputs.iter().map(|id| follow(&moved, id)).collect();
        kept.nodes.push(Node { op: node.op.clone(), inputs, ty: node.ty.clone() });
    }
    kept.inputs = program.inputs.iter().map(|id| follow(&moved, id)).collect();
    kept.outputs = program.outputs.iter().map(|id| follow(&moved, id)).collect();
    kept
}
