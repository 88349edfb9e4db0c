//! Concatenations whose parts are computed where they belong, so that joining them takes no work.
//!
//! A part that has memory of its own, and is no result, gets its stretch of the concatenation instead; so does what a part is
//! another shape of, or another order of the axes. What cannot be placed there is copied.

use thalweg_kernel::Layout;

use super::accumulate::Part;
use crate::ir::{Element, Op, Program};

/// Where a part of a concatenation lies.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    /// The concatenation whose buffer it is: the outermost of those that are parts of each other.
    pub(super) owner: usize,
    /// Where in the buffer.
    pub(super) layout: Layout,
}

/// For each node the stretch that it would lie in.
pub(super) fn stretches(program: &Program, live: &[bool], parts: &[Part]) -> Vec<Option<Stretch>> {
    let mut stretches: Vec<Option<Stretch>> = vec![None; program.nodes.len()];
    let is_result = results(program);
    for (position, node) in program.nodes.iter().enumerate().rev() {
        let Op::Concatenate(concatenate) = &node.op else { continue };
        if !live[position] || is_result[position] {
            continue;
        }
        let whole = stretches[position]
            .clone()
            .unwrap_or_else(|| Stretch { owner: position, layout: Layout::contiguous(0, &node.ty.shape) });
        let mut start = 0;
        for part in &node.inputs {
            let extent = program.ty(*part).shape[concatenate.axis];
            let layout = whole.layout.sliced(concatenate.axis, start, extent, 1);
            start += extent;
            let Some((mut part, layout)) = source(program, part.position(), layout) else { continue };
            // The first term of a sum of contractions decides where the sum lies.
            while let (Some((first, _)), false) = (parts[part].sum_of, is_result[part]) {
                part = first;
            }
            if !is_result[part] && program.nodes[part].ty.element == Element::Real {
                stretches[part].get_or_insert(Stretch { owner: whole.owner, layout });
            }
        }
    }
    stretches
}

/// What a value is a view of, and how that has to lie for the value to lie so.
fn source(program: &Program, mut value: usize, mut layout: Layout) -> Option<(usize, Layout)> {
    loop {
        let node = &program.nodes[value];
        let Some(source) = node.inputs.first() else { return Some((value, layout)) };
        layout = match &node.op {
            Op::Reshape(_) => layout.reshaped(&program.ty(*source).shape)?,
            Op::Permute(permute) => layout.permuted(&permute.inverse()),
            _ => return Some((value, layout)),
        };
        value = source.position();
    }
}

/// For each node whether it is a result.
fn results(program: &Program) -> Vec<bool> {
    let mut is_result = vec![false; program.nodes.len()];
    program.outputs.iter().for_each(|id| is_result[id.position()] = true);
    is_result
}

#[cfg(test)]
mod tests {
    use thalweg_kernel::Call;

    use crate::builder::{Builder, Var};
    use crate::compile::{Signature, compile};
    use crate::ir::Program;
    use crate::transform::gradient;

    /// Fills and copies of a program.
    fn moves(program: &Program) -> usize {
        let calls = compile(program, &Signature::separate(program)).calls;
        calls.iter().filter(|call| matches!(call, Call::Fill { .. } | Call::Copy { .. })).count()
    }

    #[test]
    fn parts_are_computed_where_they_belong() {
        let builder = Builder::new();
        let (x, w, v) = (builder.real(&[4, 3]), builder.real(&[3, 3]), builder.real(&[12]));
        let product = builder.einsum("bi,oi->bo", x, w);
        let sum = product + builder.einsum("bi,oi->bo", x.sin(), w);
        let inner = builder.concatenate(0, &[sum, x.tanh()]);
        let turned = v.reshape(&[3, 4]).exp().permute(&[1, 0]);
        let outer = builder.concatenate(0, &[inner, turned, builder.zeros(&[4, 3])]);
        let squares = builder.einsum("bi,bi->b", outer, outer);
        // The zeros are the one fill.
        assert_eq!(moves(&builder.finish(&[squares]).unwrap()), 1);
    }

    #[test]
    fn what_cannot_lie_there_is_copied() {
        let builder = Builder::new();
        let (x, w) = (builder.real(&[4, 3]), builder.real(&[3, 3]));
        let (result, twice) = (x.sin(), x.cos());
        // A result, an argument, and the second of two equal parts.
        let all = builder.concatenate(0, &[result, x, twice, twice]);
        let product = builder.einsum("bi,oi->bo", all, w);
        assert_eq!(moves(&builder.finish(&[product, result]).unwrap()), 3);
    }

    #[test]
    fn slices_give_back_one_array() {
        let builder = Builder::new();
        let (x, w) = (builder.real(&[4, 3]), builder.real(&[8, 3]));
        let gates = builder.einsum("bi,oi->bo", x, w);
        let [a, b]: [Var<'_>; 2] = [0, 4].map(|start| gates.slice(1, start, 4));
        let loss = (a.tanh() * b.logistic()).sum(&[0, 1]);
        assert_eq!(moves(&gradient(&builder.finish(&[loss]).unwrap(), &[0, 1])), 0);
    }
}
