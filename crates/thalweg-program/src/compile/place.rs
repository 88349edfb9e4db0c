//! Which values are views of others, and which need memory of their own.

use thalweg_kernel::{Layout, Space};

use super::accumulate::{self, Part};
use super::{Signature, join, order};
use crate::ir::{Element, Op, Program};
use crate::prim::Evaluation;

/// How a value comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No result needs it.
    Dead,
    /// The caller's memory holds it.
    Given,
    /// An index argument, loaded at the start.
    Loaded,
    /// A number known now.
    Constant,
    /// A number known now that a kernel reads from memory.
    Filled,
    /// Elements of an earlier value.
    View,
    /// A sum of contractions: the last of them completes it in place.
    Sum,
    /// A step of a fused tape.
    Elementwise,
    /// A reduction at the end of a fused tape.
    Reduction,
    /// A view that its operand's layout does not allow, or elements that should lie otherwise: written out.
    Copied,
    /// Kernel calls of its own.
    Calls,
}

impl Kind {
    /// Whether evaluating it writes memory of its own.
    pub(super) fn computes(self) -> bool {
        matches!(self, Self::Filled | Self::Elementwise | Self::Reduction | Self::Copied | Self::Calls)
    }
}

/// Where a value lies. A layout in the arena counts from the start of its owner's buffer; whether that is in the arena or in
/// scratch memory, `memory` says.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) kind: Kind,
    /// The node whose buffer holds the elements: the node itself if it has memory of its own, a concatenation if it is a part
    /// of one that is computed where it belongs.
    pub(super) owner: usize,
    pub(super) space: Space,
    pub(super) layout: Layout,
    /// The node that completes the value: the node itself, the source of a view, the last term of a sum.
    pub(super) completed_by: usize,
    /// Whether it is a contraction that is added to what stands in its place.
    pub(super) adds: bool,
    /// Whether the first axis lies inside, as that of examples does in images of few channels.
    pub(super) inside: bool,
}

pub(super) fn places(program: &Program, signature: &Signature) -> Vec<Place> {
    let live = program.live();
    let read_by_kernel = read_by_kernel(program, &live);
    let read_as_images = order::read_as_images(program, &live);
    let parts = accumulate::parts(program);
    let stretches = join::stretches(program, &live, &parts);
    let mut places: Vec<Place> = Vec::with_capacity(program.nodes.len());
    for (position, node) in program.nodes.iter().enumerate() {
        let own = |kind, space, layout| Place {
            kind,
            owner: position,
            space,
            layout,
            completed_by: position,
            adds: false,
            inside: false,
        };
        let dense = Layout::contiguous(0, &node.ty.shape);
        let in_arena = |kind, inside: bool| {
            let layout = if inside { order::examples_inside(&node.ty.shape) } else { dense.clone() };
            Place { inside, ..own(kind, Space::Arena, layout) }
        };
        let follows = node.inputs.iter().any(|id| places[id.position()].inside);
        let place = match (node.op.evaluate(), &node.op) {
            _ if live[position] && parts[position].sum_of.is_some() => {
                let (first, added) = parts[position].sum_of.unwrap_or_default();
                let place = Place { kind: Kind::Sum, adds: false, ..places[first].clone() };
                let completed_by = accumulate::add(program, &parts, &mut places, added, &place);
                places.push(Place { completed_by, ..place });
                continue;
            }
            _ if !live[position] => own(Kind::Dead, Space::Arena, dense),
            (Evaluation::Input, Op::Input(input)) if node.ty.element == Element::Real => {
                let binding = &signature.inputs[input.position];
                own(Kind::Given, Space::Input(binding.slot), binding.layout.clone())
            }
            (Evaluation::Input, _) => own(Kind::Loaded, Space::Arena, dense),
            (Evaluation::Constant(_), _) if read_by_kernel[position] => {
                own(Kind::Filled, Space::Arena, dense)
            }
            (Evaluation::Constant(_), _) => own(Kind::Constant, Space::Arena, dense),
            (Evaluation::View(view), _) => {
                let source = &places[node.inputs[0].position()];
                let is_given = matches!(source.space, Space::Input(_));
                match view(&source.layout) {
                    Some(_) if is_given && read_as_images[position] => in_arena(Kind::Copied, true),
                    // A constant has no elements to look at: what cannot be simplified is written out.
                    Some(layout) if !matches!(source.kind, Kind::Constant | Kind::Filled) => {
                        let inside = order::stays_inside(source, &layout);
                        Place { kind: Kind::View, layout, adds: false, inside, ..source.clone() }
                    }
                    _ => own(Kind::Copied, Space::Arena, dense),
                }
            }
            (Evaluation::Elementwise(_), _) => in_arena(Kind::Elementwise, follows),
            (Evaluation::Reduction(_, axes), _) => in_arena(Kind::Reduction, follows && !axes.contains(&0)),
            (Evaluation::Calls(_), Op::Convolve(convolve)) => {
                in_arena(Kind::Calls, order::makes_short_images(convolve, &node.ty.shape))
            }
            (Evaluation::Calls(_), Op::MaxIndex(_)) => in_arena(Kind::Calls, follows),
            (Evaluation::Calls(_), Op::OneHot(_)) if read_permuted(program, &live, position) => {
                own(Kind::Calls, Space::Arena, classes_first(&node.ty.shape))
            }
            // Evaluations meet in their arenas.
            (Evaluation::Calls(_), Op::Psum(_)) => {
                places.push(own(Kind::Calls, Space::Arena, dense));
                continue;
            }
            (Evaluation::Calls(_), _) => own(Kind::Calls, Space::Arena, dense),
        };
        let place = match &stretches[position] {
            Some(stretch) if may_lie_elsewhere(&place) => {
                Place { owner: stretch.owner, layout: stretch.layout.clone(), ..place }
            }
            _ => place,
        };
        places.push(in_result(program, signature, &parts, position, place));
    }
    places
}

/// Whether a value can be written to a stretch of another's buffer: images keep their order, and copies are dense.
fn may_lie_elsewhere(place: &Place) -> bool {
    place.kind.computes() && place.kind != Kind::Copied && place.space == Space::Arena && !place.inside
}

/// Whether a value is only ever read with its axes in another order.
fn read_permuted(program: &Program, live: &[bool], position: usize) -> bool {
    let reads = |node: &crate::ir::Node| node.inputs.iter().any(|id| id.position() == position);
    let users = program.nodes.iter().zip(live).filter(|&(node, &live)| live && reads(node));
    users.map(|(node, _)| node).all(|node| matches!(node.op, Op::Permute(_)))
}

/// Unit vectors with the class as the slowest axis in memory.
fn classes_first(shape: &[usize]) -> Layout {
    let (classes, examples) =
        shape.split_last().map_or((1, &[][..]), |(&classes, examples)| (classes, examples));
    let mut layout = Layout::contiguous(0, &[&[classes], examples].concat());
    layout.shape.rotate_left(1);
    layout.strides.rotate_left(1);
    layout
}

/// For each node whether some node with kernel calls of its own reads it.
fn read_by_kernel(program: &Program, live: &[bool]) -> Vec<bool> {
    let mut read = vec![false; program.nodes.len()];
    for (node, _) in program.nodes.iter().zip(live).filter(|&(_, &live)| live) {
        if matches!(node.op.evaluate(), Evaluation::Calls(_)) {
            for id in &node.inputs {
                read[id.position()] = true;
            }
        }
    }
    read
}

/// A value that is a result, or the first term of a sum that is one, is computed where the caller wants it: the
/// first result that names it decides.
fn in_result(
    program: &Program,
    signature: &Signature,
    parts: &[Part],
    position: usize,
    place: Place,
) -> Place {
    let mut last = position;
    while let Some(sum) = parts[last].first_of {
        last = sum;
    }
    let result = program.outputs.iter().position(|id| id.position() == last);
    match result {
        Some(result) if place.kind.computes() => {
            let binding = &signature.outputs[result];
            if place.kind == Kind::Copied && !binding.layout.is_contiguous() {
                // A copy under another shape needs a dense destination.
                return place;
            }
            Place {
                space: Space::Output(binding.slot),
                layout: binding.layout.clone(),
                inside: false,
                ..place
            }
        }
        _ => place,
    }
}
