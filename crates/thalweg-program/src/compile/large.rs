//! Large values of little, computed again where they are read long after they were made.
//!
//! The scores of long attention are products of far fewer numbers, and what softmax makes of them is as large. Kept for the
//! backward pass they would be most of what an evaluation holds. Here they are made a second time, from queries, keys and the
//! largest score of each query, at the price of one product more: as a fused attention does it (Dao et al. 2022), for
//! derivatives of any order.

use super::Plan;
use super::again::times;
use super::place::{Kind, Place};
use super::rewrite::{Again, Rewrite};
use super::schedule::Step;
use crate::ir::{Op, Program, ValueId};

/// Numbers that are summed up for an element of a product that is made again, at most: the widest head.
const SUMMED: usize = 64;
/// How many times as large as what it is made of a value is at least that is made element by element of a large one and others.
const LARGER: usize = 2;
/// A value is not far as long as no more is written than so many times its own size: what softmax does with scores.
const NEAR: usize = 4;

/// The program with such values made again where they are read far from where they are made; `None` if there are none. The
/// steps are those of the plan in the order in which they will be taken.
pub(super) fn made_again(plan: &Plan, steps: &[Step], far: usize) -> Option<Again> {
    let Plan { program, places, again, .. } = plan;
    let time = times(program, places, steps);
    let large = large(program, places);
    let rewrite = Rewrite::new(program, again);
    let mut remade = Remade { program, large: &large, rewrite, copies: vec![None; program.nodes.len()] };
    for (position, node) in program.nodes.iter().enumerate() {
        let is_far = |operand: usize| {
            let made = places[operand].completed_by;
            large[operand]
                && places[position].kind.computes()
                && time[position] >= time[made] + far + NEAR * program.nodes[made].ty.len()
        };
        let operands = node.inputs.iter().map(|id| id.position());
        let inputs = operands.map(|operand| match is_far(operand) {
            true => remade.copy(operand),
            false => remade.rewrite.moved(operand),
        });
        let inputs = inputs.collect();
        remade.rewrite.take(inputs);
    }
    let has_copies = remade.copies.iter().any(Option::is_some);
    has_copies.then(|| remade.rewrite.finished())
}

/// For each node whether it is such a product, a sum or a view of them, or made of them element by element, and else of what is
/// small beside it.
fn large(program: &Program, places: &[Place]) -> Vec<bool> {
    let mut large = vec![false; program.nodes.len()];
    for (position, node) in program.nodes.iter().enumerate() {
        let size = node.ty.len();
        let operands = || node.inputs.iter().map(|id| id.position());
        let is_small = |operand: usize| {
            let place = &places[operand];
            place.kind == Kind::Constant || LARGER * place.layout.stored() <= size
        };
        large[position] = match (places[position].kind, &node.op) {
            (Kind::Calls, Op::Contract(contract)) => {
                let [a, b] = [0, 1].map(|i| program.ty(node.inputs[i]));
                let labels = contract.labels();
                let axes = labels.a.iter().zip(&a.shape);
                let summed = axes.filter(|&(label, _)| !labels.out.contains(label));
                let summed: usize = summed.map(|(_, &extent)| extent).product();
                a.len() + b.len() <= size && summed <= SUMMED
            }
            (Kind::Sum | Kind::View, _) => operands().all(|operand| large[operand]),
            (Kind::Elementwise, _) => {
                operands().any(|operand| large[operand])
                    && operands().all(|operand| large[operand] || is_small(operand))
            }
            _ => false,
        };
    }
    large
}

/// The new program as far as it is written.
struct Remade<'p> {
    program: &'p Program,
    large: &'p [bool],
    rewrite: Rewrite<'p>,
    copies: Vec<Option<ValueId>>,
}

impl Remade<'_> {
    /// The one copy of a large value, made of copies of what is large.
    fn copy(&mut self, value: usize) -> ValueId {
        let mut asked = vec![value];
        while let Some(&value) = asked.last() {
            let node = &self.program.nodes[value];
            let operands = || node.inputs.iter().map(|id| id.position());
            let missing = operands().find(|&operand| self.large[operand] && self.copies[operand].is_none());
            if let Some(operand) = missing.filter(|_| self.copies[value].is_none()) {
                asked.push(operand);
                continue;
            }
            asked.pop();
            if self.copies[value].is_none() {
                let inputs =
                    operands().map(|operand| self.copies[operand].unwrap_or(self.rewrite.moved(operand)));
                let inputs = inputs.collect();
                self.copies[value] = Some(self.rewrite.copy(value, inputs));
            }
        }
        self.copies[value].expect("it was copied just now")
    }
}

#[cfg(test)]
mod tests {
    use crate::builder::Builder;
    use crate::compile::trial::trial;
    use crate::compile::{LIMITS, Limits};
    use crate::ir::Program;
    use crate::transform::{gradient, hvp};

    /// Two layers of causal attention over so many positions.
    fn attention(positions: usize) -> Program {
        let builder = Builder::new();
        let (x, w) = (builder.real(&[1, positions, 16]), builder.real(&[6, 16, 16]));
        let mut h = x;
        for layer in 0..2 {
            let projected = |part: usize| {
                let weight = w.slice(0, 3 * layer + part, 1).reshape(&[16, 16]);
                builder.einsum("bti,oi->bto", h, weight).reshape(&[1, positions, 2, 8])
            };
            let [q, k, v] = [0, 1, 2].map(projected);
            h = h + q.attention(k, v, true).reshape(&[1, positions, 16]).tanh();
        }
        builder.finish(&[(h * h).sum(&[0, 1, 2])]).unwrap()
    }

    #[test]
    fn long_attention_takes_less_memory_and_gives_the_same_bits() {
        let loss = attention(512);
        let [few, much] = [0, usize::MAX].map(|much| Limits { far: 1 << 14, much });
        for (program, products) in [(gradient(&loss, &[1]), 2 * 8), (hvp(&loss, &[1]), 2 * 8 * 3)] {
            let (kept, again) = (trial(&program, much), trial(&program, few));
            assert_eq!(again.results, kept.results);
            assert!(3 * again.scratch < kept.scratch, "{} of {} elements", again.scratch, kept.scratch);
            assert_eq!(again.contractions - kept.contractions, products, "the scores of each block, once");
        }
    }

    #[test]
    fn what_takes_little_is_left_as_it_is() {
        let program = gradient(&attention(200), &[1]);
        let run = |limits| trial(&program, limits);
        assert_eq!(run(LIMITS), run(Limits { much: usize::MAX, ..LIMITS }));
        // Nothing is far.
        assert_eq!(run(Limits { far: 1 << 40, much: 0 }), run(Limits { far: 1 << 40, much: usize::MAX }));
    }
}
