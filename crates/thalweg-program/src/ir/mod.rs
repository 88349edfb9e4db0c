//! The intermediate representation: a program is a value.
//!
//! An SSA list of primitives on dense arrays with static shapes; pure, without control flow or hidden state. The
//! real numbers in it have no precision yet: the same program compiles for `f32` and for `f64`.

mod display;
mod error;
mod op;

pub use error::ShapeError;
pub use op::Op;

/// What the elements of an array are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// Numbers of the precision that the program is compiled for.
    Real,
    /// Labels and token ids: `i32`, from 0 to 2²⁴ − 1.
    Index,
}

/// Element and shape of an array.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// What the elements are.
    pub element: Element,
    /// Extent of each axis; none for a scalar.
    pub shape: Vec<usize>,
}

impl Type {
    /// An array of reals.
    pub fn real(shape: &[usize]) -> Self {
        Self { element: Element::Real, shape: shape.to_vec() }
    }

    /// An array of indices.
    pub fn index(shape: &[usize]) -> Self {
        Self { element: Element::Index, shape: shape.to_vec() }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Names the result of a node: its position in [`Program::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(u32);

impl ValueId {
    pub(crate) fn new(position: usize) -> Self {
        Self(u32::try_from(position).expect("a program has fewer than 2³² nodes"))
    }

    /// Position in [`Program::nodes`].
    pub fn position(self) -> usize {
        self.0 as usize
    }
}

/// One primitive applied to earlier values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// The primitive with its static parameters.
    pub op: Op,
    /// Its operands.
    pub inputs: Vec<ValueId>,
    /// Element and shape of its result.
    pub ty: Type,
}

/// A pure function of arrays to arrays, as a list of nodes in an order in which each follows its operands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Program {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The arguments, in order; each is a node whose op is [`Op::Input`].
    pub inputs: Vec<ValueId>,
    /// The results, in order.
    pub outputs: Vec<ValueId>,
}

impl Program {
    /// The type of a value.
    pub fn ty(&self, value: ValueId) -> &Type {
        &self.nodes[value.position()].ty
    }

    /// Types of the arguments.
    pub fn input_types(&self) -> Vec<&Type> {
        self.inputs.iter().map(|&v| self.ty(v)).collect()
    }

    /// Types of the results.
    pub fn output_types(&self) -> Vec<&Type> {
        self.outputs.iter().map(|&v| self.ty(v)).collect()
    }

    /// For each node whether an output depends on it. Inputs count as used only if they are.
    pub(crate) fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        for output in &self.outputs {
            live[output.position()] = true;
        }
        for position in (0..self.nodes.len()).rev() {
            if live[position] {
                for input in &self.nodes[position].inputs {
                    live[input.position()] = true;
                }
            }
        }
        live
    }

    /// Multiply–adds of all contractions, twice: the floating-point operations that dominate an evaluation.
    pub fn contraction_flops(&self) -> usize {
        let live = self.live();
        let nodes = self.nodes.iter().zip(live).filter(|&(_, live)| live);
        nodes
            .map(|(node, _)| node.op.flops(&node.inputs.iter().map(|&v| self.ty(v)).collect::<Vec<_>>()))
            .sum()
    }
}
