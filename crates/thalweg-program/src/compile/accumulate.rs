//! Sums of contractions and convolutions, in place.
//!
//! The tangent of a contraction is a sum of two. Rather than write both and add them in a pass of their own, the
//! second is added to the first where it lies: the sum needs no pass and no memory.

use crate::ir::{Op, Program};

/// For one node its part in a sum of contractions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// The sum that this node is the first term of: it is computed in the sum's place.
    pub(super) first_of: Option<usize>,
    /// The sum that this contraction is added to.
    pub(super) added_to: Option<usize>,
    /// This node is a sum: its first term, and the contraction that is added to it.
    pub(super) sum_of: Option<(usize, usize)>,
}

/// Finds the sums whose terms nobody else reads: a contraction, or such a sum, plus a contraction.
pub(super) fn parts(program: &Program) -> Vec<Part> {
    let uses = uses(program);
    let mut parts = vec![Part::default(); program.nodes.len()];
    for (sum, node) in program.nodes.iter().enumerate().filter(|&(sum, _)| uses[sum] > 0) {
        if node.op != Op::Binary(thalweg_kernel::Binary::Add) {
            continue;
        }
        let term = |i: usize| node.inputs[i].position();
        let contraction = |term: usize| {
            uses[term] == 1 && matches!(program.nodes[term].op, Op::Contract(_) | Op::Convolve(_))
        };
        let first = |term: usize| contraction(term) || (uses[term] == 1 && parts[term].sum_of.is_some());
        let found =
            [(term(0), term(1)), (term(1), term(0))].into_iter().find(|&(a, b)| first(a) && contraction(b));
        if let Some((first, added)) = found {
            parts[first].first_of = Some(sum);
            parts[added].added_to = Some(sum);
            parts[sum].sum_of = Some((first, added));
        }
    }
    parts
}

/// How often each node is read, by nodes that are needed and as a result.
fn uses(program: &Program) -> Vec<usize> {
    let mut uses = vec![0; program.nodes.len()];
    for (node, _) in program.nodes.iter().zip(program.live()).filter(|&(_, live)| live) {
        node.inputs.iter().for_each(|id| uses[id.position()] += 1);
    }
    program.outputs.iter().for_each(|id| uses[id.position()] += 1);
    uses
}
