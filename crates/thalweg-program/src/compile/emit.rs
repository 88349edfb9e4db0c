//! The calls of a schedule.

use std::collections::HashMap;

use thalweg_kernel::{Call, CallList, Fused, Instruction, Layout, Reduction, Space, Store, View};

use super::memory::Memory;
use super::place::{Kind, Place};
use super::schedule::Step;
use super::{Binding, Signature};
use crate::ir::{Element, Op, Program};
use crate::prim::Evaluation;

struct Emitter<'p> {
    program: &'p Program,
    places: &'p [Place],
    memory: &'p Memory,
}

pub(super) fn emit(
    program: &Program,
    signature: &Signature,
    places: &[Place],
    steps: &[Step],
    memory: &Memory,
) -> CallList {
    let emitter = Emitter { program, places, memory };
    let mut calls = emitter.loads(signature);
    for step in steps {
        match step {
            Step::Fused { shape, nodes } => {
                calls.push(Call::Fused(Tape::new(&emitter, shape).written(nodes)));
            }
            Step::Single(node) => emitter.single(*node, &mut calls),
        }
    }
    emitter.results(signature, &mut calls);
    let of = |element| {
        let arguments = signature.inputs.iter().zip(program.input_types());
        slots(arguments.filter(|(_, ty)| ty.element == element).map(|(binding, _)| binding))
    };
    CallList {
        inputs: of(Element::Real),
        indices: of(Element::Index),
        outputs: slots(signature.outputs.iter()),
        arena: memory.arena,
        scratch: memory.scratch,
        calls,
    }
}

/// Whether two views are of the same elements in the same order. Along an axis of one element no stride matters.
fn are_the_same(a: &View, b: &View) -> bool {
    let axes = |view: &View| -> Vec<(usize, usize)> {
        let axes = std::iter::zip(view.layout.shape.clone(), view.layout.strides.clone());
        axes.filter(|&(extent, _)| extent > 1).collect()
    };
    (a.space, a.layout.offset) == (b.space, b.layout.offset) && axes(a) == axes(b)
}

/// Extent of each slot: as far as its bindings reach.
fn slots<'s>(bindings: impl Iterator<Item = &'s Binding>) -> Vec<usize> {
    let mut sizes = Vec::new();
    for binding in bindings {
        if sizes.len() <= binding.slot {
            sizes.resize(binding.slot + 1, 0);
        }
        sizes[binding.slot] = binding.layout.end().max(sizes[binding.slot]);
    }
    sizes
}

impl Emitter<'_> {
    /// Where a value's elements lie.
    fn view(&self, node: usize) -> View {
        let place = &self.places[node];
        let mut view = View { space: place.space, layout: place.layout.clone() };
        if place.space == Space::Arena {
            let (space, start) = self.memory.starts[place.owner].expect("a value that is read was written");
            view.space = space;
            view.layout.offset += start;
        }
        view
    }

    fn constant(&self, node: usize) -> Option<f64> {
        match self.program.nodes[node].op.evaluate() {
            Evaluation::Constant(value) => Some(value),
            _ => None,
        }
    }

    fn loads(&self, signature: &Signature) -> Vec<Call> {
        let mut calls = Vec::new();
        for (position, node) in self.program.nodes.iter().enumerate() {
            if let (Kind::Loaded, Op::Input(input)) = (self.places[position].kind, &node.op) {
                let slot = signature.inputs[input.position].slot;
                calls.push(Call::LoadIndex { slot, to: self.view(position) });
            }
        }
        calls
    }

    fn single(&self, node: usize, calls: &mut Vec<Call>) {
        let to = self.view(node);
        let operands = &self.program.nodes[node].inputs;
        let number = match operands[..] {
            [] => self.constant(node),
            [operand, ..] => self.constant(operand.position()),
        };
        match (self.program.nodes[node].op.evaluate(), number) {
            (Evaluation::View(view), None) => {
                let from = self.view(operands[0].position());
                calls.push(match view(&from.layout) {
                    Some(layout) => Call::Copy { from: View { space: from.space, layout }, to },
                    // A reshape that needs a copy: the dense destination takes the operand's shape.
                    None => {
                        let layout = Layout::contiguous(to.layout.offset, &from.layout.shape);
                        Call::Copy { from, to: View { space: to.space, layout } }
                    }
                });
            }
            (Evaluation::Calls(write), _) => {
                // A part of a concatenation may lie there already.
                let inputs: Vec<View> = operands.iter().map(|id| self.view(id.position())).collect();
                let mut own = write(&inputs, to);
                own.retain(|call| !matches!(call, Call::Copy { from, to } if are_the_same(from, to)));
                if self.places[node].adds {
                    for call in &mut own {
                        if let Call::Contract { adds, .. } | Call::Convolve { adds, .. } = call {
                            *adds = true;
                        }
                    }
                }
                calls.append(&mut own);
            }
            (_, Some(value)) => calls.push(Call::Fill { value: value.to_bits(), to }),
            (_, None) => unreachable!("a single call is one of its own, a number, or a copy"),
        }
    }

    fn results(&self, signature: &Signature, calls: &mut Vec<Call>) {
        let mut computed = vec![false; self.program.nodes.len()];
        for (id, binding) in self.program.outputs.iter().zip(&signature.outputs) {
            let node = id.position();
            let to = View { space: Space::Output(binding.slot), layout: binding.layout.clone() };
            let here = View { space: self.places[node].space, layout: self.places[node].layout.clone() };
            if here == to
                && (self.places[node].kind.computes() || self.places[node].kind == Kind::Sum)
                && !std::mem::replace(&mut computed[node], true)
            {
                continue;
            }
            calls.push(match self.constant(node) {
                Some(value) => Call::Fill { value: value.to_bits(), to },
                None => Call::Copy { from: self.view(node), to },
            });
        }
    }
}

/// A value of a tape before the loads and constants are counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Load(usize),
    Constant(usize),
    Result(usize),
}

/// Writes one pass. What is computed again may stand beside what it repeats, or read the same array through a view of its own:
/// it is written once.
struct Tape<'e> {
    emitter: &'e Emitter<'e>,
    shape: &'e [usize],
    loads: Vec<View>,
    constants: Vec<u64>,
    steps: Vec<(Instruction, Vec<Source>)>,
    known: HashMap<usize, Source>,
    loaded: HashMap<View, usize>,
    made: HashMap<(Instruction, Vec<Source>), usize>,
}

impl<'e> Tape<'e> {
    fn new(emitter: &'e Emitter<'e>, shape: &'e [usize]) -> Self {
        Self {
            emitter,
            shape,
            loads: Vec::new(),
            constants: Vec::new(),
            steps: Vec::new(),
            known: HashMap::new(),
            loaded: HashMap::new(),
            made: HashMap::new(),
        }
    }

    fn written(mut self, nodes: &[usize]) -> Fused {
        let mut stores = Vec::new();
        let mut reductions = Vec::new();
        for &node in nodes {
            let operands = &self.emitter.program.nodes[node].inputs;
            let sources: Vec<Source> = operands.iter().map(|id| self.source(id.position())).collect();
            match self.emitter.program.nodes[node].op.evaluate() {
                Evaluation::Elementwise(instruction) => {
                    let made = *self.made.entry((instruction, sources)).or_insert_with_key(|step| {
                        self.steps.push(step.clone());
                        self.steps.len() - 1
                    });
                    self.known.insert(node, Source::Result(made));
                    if self.emitter.memory.written[node] {
                        stores.push(node);
                    }
                }
                Evaluation::Reduction(kind, axes) => reductions.push((node, sources[0], kind, axes)),
                _ => unreachable!("a pass holds elementwise nodes and reductions"),
            }
        }
        let stores = stores
            .into_iter()
            .map(|n| Store { value: self.number(self.known[&n]), to: self.emitter.view(n) });
        let reductions = reductions.into_iter().map(|(node, source, kind, axes)| {
            let reduced: Vec<bool> = (0..self.shape.len()).map(|axis| axes.contains(&axis)).collect();
            let kept: Vec<usize> = (0..self.shape.len()).filter(|axis| !axes.contains(axis)).collect();
            let view = self.emitter.view(node);
            let to = View { space: view.space, layout: view.layout.broadcast(self.shape, &kept) };
            Reduction { value: self.number(source), kind, reduced, to }
        });
        let tape = self.steps.iter().map(|(instruction, sources)| self.numbered(*instruction, sources));
        Fused {
            shape: self.shape.to_vec(),
            stores: stores.collect(),
            reductions: reductions.collect(),
            tape: tape.collect(),
            loads: self.loads,
            constants: self.constants,
        }
    }

    /// The value that a node has in this pass: computed in it, a constant, or loaded.
    fn source(&mut self, node: usize) -> Source {
        let emitter = self.emitter;
        let (loads, loaded, constants) = (&mut self.loads, &mut self.loaded, &mut self.constants);
        *self.known.entry(node).or_insert_with(|| match emitter.constant(node) {
            Some(value) => {
                constants.push(value.to_bits());
                Source::Constant(constants.len() - 1)
            }
            None => Source::Load(*loaded.entry(emitter.view(node)).or_insert_with_key(|view| {
                loads.push(view.clone());
                loads.len() - 1
            })),
        })
    }

    fn number(&self, source: Source) -> usize {
        match source {
            Source::Load(i) => i,
            Source::Constant(i) => self.loads.len() + i,
            Source::Result(i) => self.loads.len() + self.constants.len() + i,
        }
    }

    fn numbered(&self, instruction: Instruction, sources: &[Source]) -> Instruction {
        let operand = |i: usize| self.number(sources[i]);
        match instruction {
            Instruction::Unary(op, a) => Instruction::Unary(op, operand(a)),
            Instruction::Binary(op, a, b) => Instruction::Binary(op, operand(a), operand(b)),
            Instruction::Select(c, a, b) => Instruction::Select(operand(c), operand(a), operand(b)),
        }
    }
}
