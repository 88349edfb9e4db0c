//! Levels, and the elementwise chains that run as one pass.
//!
//! A value's level is the length of the longest chain of passes before it. An edge from one elementwise node to
//! another of the same shape stays within a pass and adds nothing; every other edge adds one. Elementwise nodes and
//! reductions of one level and one iteration space run as one pass. No cycle can arise: a path that leaves a pass
//! and comes back has crossed an edge that adds one, so it ends on a higher level.

use std::collections::HashMap;

use super::place::{Kind, Place};
use crate::ir::Program;

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

pub(super) fn steps(program: &Program, places: &[Place]) -> Vec<Step> {
    let levels = levels(program, places);
    let mut order: Vec<(usize, Step)> = Vec::new();
    let mut passes: HashMap<(usize, &[usize]), (usize, usize)> = HashMap::new();
    for (position, node) in program.nodes.iter().enumerate() {
        let shape = match places[position].kind {
            Kind::Elementwise => &node.ty.shape[..],
            Kind::Reduction => &program.ty(node.inputs[0]).shape[..],
            Kind::Filled | Kind::Copied | Kind::Calls => {
                order.push((levels[position], Step::Single(position)));
                continue;
            }
            Kind::Dead | Kind::Given | Kind::Loaded | Kind::Constant | Kind::View | Kind::Sum => continue,
        };
        let key = (levels[position], shape);
        let reduces = places[position].kind == Kind::Reduction;
        // A full pass is followed by another, which loads what it needs of the first.
        let open = passes.get(&key).copied().filter(|&(_, reductions)| !reduces || reductions < REDUCTIONS);
        let (pass, reductions) = open.unwrap_or_else(|| {
            order.push((levels[position], Step::Fused { shape: shape.to_vec(), nodes: Vec::new() }));
            (order.len() - 1, 0)
        });
        passes.insert(key, (pass, reductions + usize::from(reduces)));
        if let Step::Fused { nodes, .. } = &mut order[pass].1 {
            nodes.push(position);
        }
    }
    order.sort_by_key(|&(level, _)| level);
    order.into_iter().map(|(_, step)| step).collect()
}

/// Whether `user` reads the operand inside its own pass.
fn within_pass(program: &Program, places: &[Place], operand: usize, user: usize) -> bool {
    let elementwise = places[operand].kind == Kind::Elementwise;
    match places[user].kind {
        Kind::Elementwise => elementwise && program.nodes[operand].ty.shape == program.nodes[user].ty.shape,
        Kind::Reduction => elementwise,
        _ => false,
    }
}

fn levels(program: &Program, places: &[Place]) -> Vec<usize> {
    let mut levels = vec![0; program.nodes.len()];
    for (position, node) in program.nodes.iter().enumerate() {
        let place = &places[position];
        if place.kind == Kind::Dead {
            continue;
        }
        let after = |operand: usize| {
            let source = places[operand].completed_by;
            let passes = places[source].kind.computes() && !within_pass(program, places, operand, position);
            levels[source] + usize::from(passes)
        };
        levels[position] = node.inputs.iter().map(|id| after(id.position())).max().unwrap_or(0);
        if place.kind == Kind::Sum {
            // Its own operands are its terms: the one that completes it comes after the other.
            let before = node.inputs.iter().map(|id| id.position()).find(|&term| term != place.completed_by);
            let first = before.map_or(0, |first| levels[places[first].completed_by] + 1);
            levels[place.completed_by] = levels[place.completed_by].max(first);
        }
    }
    levels
}
