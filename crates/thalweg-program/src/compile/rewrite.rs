//! A program written anew, with copies of some of its nodes.

use crate::ir::{Node, Program, ValueId};

/// A program in which some values are computed again.
#[derive(Debug)]
pub(super) struct Again {
    pub(super) program: Program,
    /// For each node whether it computes something again.
    pub(super) again: Vec<bool>,
}

/// The new program as far as it is written.
pub(super) struct Rewrite<'p> {
    program: &'p Program,
    /// For each of its nodes whether it is a copy already.
    is_copy: &'p [bool],
    written: Again,
    moved: Vec<ValueId>,
}

impl<'p> Rewrite<'p> {
    pub(super) fn new(program: &'p Program, is_copy: &'p [bool]) -> Self {
        let written = Again { program: Program::default(), again: Vec::new() };
        Self { program, is_copy, written, moved: Vec::with_capacity(program.nodes.len()) }
    }

    /// Where a node went.
    pub(super) fn moved(&self, node: usize) -> ValueId {
        self.moved[node]
    }

    /// Writes the next node, with those inputs.
    pub(super) fn take(&mut self, inputs: Vec<ValueId>) {
        let position = self.moved.len();
        let is_copy = self.is_copy.get(position).is_some_and(|&is_copy| is_copy);
        let id = self.push(position, inputs, is_copy);
        self.moved.push(id);
    }

    /// Writes a copy of a node, with those inputs.
    pub(super) fn copy(&mut self, node: usize, inputs: Vec<ValueId>) -> ValueId {
        self.push(node, inputs, true)
    }

    fn push(&mut self, node: usize, inputs: Vec<ValueId>, again: bool) -> ValueId {
        let id = ValueId::new(self.written.program.nodes.len());
        self.written.program.nodes.push(Node { inputs, ..self.program.nodes[node].clone() });
        self.written.again.push(again);
        id
    }

    /// The whole, once every node is written.
    pub(super) fn finished(mut self) -> Again {
        let moved = |ids: &[ValueId]| ids.iter().map(|id| self.moved[id.position()]).collect();
        let (inputs, outputs) = (moved(&self.program.inputs), moved(&self.program.outputs));
        (self.written.program.inputs, self.written.program.outputs) = (inputs, outputs);
        self.written
    }
}
