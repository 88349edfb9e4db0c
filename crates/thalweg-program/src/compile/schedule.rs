//! Levels, and the elementwise chains that run as one pass.
//!
//! A value's level is the length of the longest chain of passes before it. An edge from one elementwise node to
//! another of the same shape stays within a pass and adds nothing; every other edge adds one. Elementwise nodes and
//! reductions of one level and one iteration space run as one pass. No cycle can arise: a path that leaves a pass
//! and comes back has crossed an edge that adds one, so it ends on a higher level.
//!
//! Sums over evaluations ([`Psum`](crate::prim::Psum)) cut the schedule into phases. A value's phase is the number of such
//! sums, one after another, that it waits for; all sums of a phase stand at its end, so that evaluations meet as rarely as
//! they can.
//!
//! Values that are cheaper to make where they are read sink to there (`sink`).
//!
//! The terms of a sum of contractions follow each other, on the level of the last: the machine then takes them as one.

use std::collections::HashMap;

use super::accumulate;
use super::place::{Kind, Place};
use super::sink::sink;
use crate::ir::{Op, Program};

/// One entry of the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Elementwise nodes and reductions over one iteration space, in order.
    Fused { shape: Vec<usize>, nodes: Vec<usize> },
    /// A node with calls of its own, or a copy.
    Single(usize),
}

impl Step {
    pub(super) fn nodes(&self) -> &[usize] {
        match self {
            Self::Fused { nodes, .. } => nodes,
            Self::Single(node) => std::slice::from_ref(node),
        }
    }
}

/// Reductions in a pass at most: as many as a fused call takes.
const REDUCTIONS: usize = 64;

/// The schedule; `again` says of some nodes that they compute something again, and so have to wait until it is read.
pub(super) fn steps(program: &Program, places: &[Place], again: &[bool]) -> Vec<Step> {
    let ranks = ranks(program, places, again);
    let mut order: Vec<(Rank, Step)> = Vec::new();
    let mut passes: HashMap<(usize, usize, &[usize]), (usize, usize)> = HashMap::new();
    for (position, node) in program.nodes.iter().enumerate() {
        let shape = match places[position].kind {
            Kind::Elementwise => &node.ty.shape[..],
            Kind::Reduction => &program.ty(node.inputs[0]).shape[..],
            Kind::Filled | Kind::Copied | Kind::Calls => {
                order.push((ranks[position], Step::Single(position)));
                continue;
            }
            Kind::Dead | Kind::Given | Kind::Loaded | Kind::Constant | Kind::View | Kind::Sum => continue,
        };
        let key = (ranks[position].phase, ranks[position].level, shape);
        let reduces = places[position].kind == Kind::Reduction;
        // A full pass is followed by another, which loads what it needs of the first.
        let open = passes.get(&key).copied().filter(|&(_, reductions)| !reduces || reductions < REDUCTIONS);
        let (pass, reductions) = open.unwrap_or_else(|| {
            order.push((ranks[position], Step::Fused { shape: shape.to_vec(), nodes: Vec::new() }));
            (order.len() - 1, 0)
        });
        passes.insert(key, (pass, reductions + usize::from(reduces)));
        if let Step::Fused { nodes, .. } = &mut order[pass].1 {
            nodes.push(position);
        }
    }
    order.sort_by_key(|&(rank, _)| rank);
    order.into_iter().map(|(_, step)| step).collect()
}

/// Whether `user` reads the operand inside its own pass.
pub(super) fn within_pass(program: &Program, places: &[Place], operand: usize, user: usize) -> bool {
    let elementwise = places[operand].kind == Kind::Elementwise;
    match places[user].kind {
        Kind::Elementwise => elementwise && program.nodes[operand].ty.shape == program.nodes[user].ty.shape,
        Kind::Reduction => elementwise,
        _ => false,
    }
}

/// Where a node stands in the schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) phase: usize,
    /// Whether it ends its phase.
    is_psum: bool,
    pub(super) level: usize,
    /// Position of the node or, for the terms of a sum, of the last of them.
    position: usize,
    /// Which term of a sum it is.
    term: usize,
}

fn ranks(program: &Program, places: &[Place], again: &[bool]) -> Vec<Rank> {
    let mut ranks: Vec<Rank> =
        (0..program.nodes.len()).map(|position| Rank { position, ..Rank::default() }).collect();
    for (position, node) in program.nodes.iter().enumerate() {
        let place = &places[position];
        if place.kind == Kind::Dead {
            continue;
        }
        let after = |operand: usize| {
            let source = places[operand].completed_by;
            let passes = places[source].kind.computes() && !within_pass(program, places, operand, position);
            ranks[source].level + usize::from(passes)
        };
        ranks[position].level = node.inputs.iter().map(|id| after(id.position())).max().unwrap_or(0);
        let phase_after = |operand: usize| {
            let source = ranks[places[operand].completed_by];
            source.phase + usize::from(source.is_psum)
        };
        ranks[position].phase = node.inputs.iter().map(|id| phase_after(id.position())).max().unwrap_or(0);
        ranks[position].is_psum = matches!(node.op, Op::Psum(_));
        if place.kind == Kind::Sum {
            // Until all its terms are known: those before the last wait for it.
            let terms = node.inputs.iter().map(|id| ranks[places[id.position()].completed_by]);
            let (level, phase) =
                terms.fold((0, 0), |(level, phase), term| (level.max(term.level), phase.max(term.phase)));
            let last = &mut ranks[place.completed_by];
            (last.level, last.phase) = (level, phase);
        }
    }
    for terms in accumulate::terms(program, places) {
        let last = ranks[terms[terms.len() - 1]];
        for (number, &term) in terms.iter().enumerate() {
            ranks[term] = Rank { is_psum: false, term: number, ..last };
        }
    }
    sink(program, places, again, &mut ranks);
    ranks
}
