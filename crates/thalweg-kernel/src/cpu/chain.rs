//! Short chains of a fused tape, run as one operation.
//!
//! An operation on a block reads its operands from the first-level cache and writes its result there, which takes
//! longer than the arithmetic does. Where a sum, difference or product has a single reader that is another one or a
//! relu, the two are one operation and the value between them stays in a register. Every step is rounded as before: the
//! bits are those of the tape.

use crate::call::{Binary, Fused, Instruction, Unary};

/// A step of the tape as it is run. It makes the value of the instruction at its place; the steps of values that went
/// into chains make values that nobody reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) kind: Kind,
    /// Numbers of the values that it reads.
    pub(super) operands: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unary(Unary),
    Binary(Binary),
    Select,
    Chain(Chain),
}

/// (a ∘ b) or ((a ∘ b) ∘ c), and the relu of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) first: First,
    pub(crate) then: Then,
    pub(crate) relu: bool,
}

/// What is done with a and b.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Add,
    Sub,
    Mul,
}

/// What is done with that and c.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Nothing,
    Add,
    /// Minus c.
    Sub,
    /// c minus it.
    From,
    Mul,
}

/// The steps of a tape, one an instruction.
pub(super) fn steps(fused: &Fused) -> Vec<Step> {
    let leaves = fused.loads.len() + fused.constants.len();
    let mut readers = vec![0; leaves + fused.tape.len()];
    let ends = fused.stores.iter().map(|s| s.value).chain(fused.reductions.iter().map(|r| r.value));
    for value in fused.tape.iter().flat_map(Instruction::operands).chain(ends) {
        readers[value] += 1;
    }
    let mut steps: Vec<Step> = Vec::with_capacity(fused.tape.len());
    for instruction in &fused.tape {
        // The step that makes a value, if nothing else reads it.
        let own = |value: usize| (value >= leaves && readers[value] == 1).then(|| &steps[value - leaves]);
        let chained = match *instruction {
            Instruction::Binary(f, a, b) if a != b => {
                own(a).and_then(|step| longer(step, f, b, false)).or_else(|| longer(own(b)?, f, a, true))
            }
            Instruction::Unary(Unary::Relu, a) => own(a).and_then(rectified),
            _ => None,
        };
        steps.push(chained.unwrap_or_else(|| Step::of(instruction)));
    }
    steps
}

impl Step {
    fn of(instruction: &Instruction) -> Self {
        let kind = match *instruction {
            Instruction::Unary(f, _) => Kind::Unary(f),
            Instruction::Binary(f, ..) => Kind::Binary(f),
            Instruction::Select(..) => Kind::Select,
        };
        Self { kind, operands: instruction.operands().collect() }
    }
}

fn first(f: Binary) -> Option<First> {
    match f {
        Binary::Add => Some(First::Add),
        Binary::Sub => Some(First::Sub),
        Binary::Mul => Some(First::Mul),
        _ => None,
    }
}

/// A sum, difference or product followed by another with `c`; `turned` if it stands on the right.
fn longer(step: &Step, f: Binary, c: usize, turned: bool) -> Option<Step> {
    let Kind::Binary(g) = step.kind else { return None };
    let then = match first(f)? {
        First::Add => Then::Add,
        First::Mul => Then::Mul,
        First::Sub if turned => Then::From,
        First::Sub => Then::Sub,
    };
    let kind = Kind::Chain(Chain { first: first(g)?, then, relu: false });
    Some(Step { kind, operands: [&step.operands[..], &[c]].concat() })
}

/// The relu of a sum, difference, product or chain.
fn rectified(step: &Step) -> Option<Step> {
    let chain = match step.kind {
        Kind::Binary(f) => Chain { first: first(f)?, then: Then::Nothing, relu: true },
        Kind::Chain(chain) => Chain { relu: true, ..chain },
        Kind::Unary(_) | Kind::Select => return None,
    };
    Some(Step { kind: Kind::Chain(chain), operands: step.operands.clone() })
}

#[cfg(test)]
mod tests {
    use super::{Chain, First, Kind, Then, steps};
    use crate::Layout;
    use crate::call::{Binary, Fused, Instruction, Space, Store, Unary, View};

    fn fused(tape: Vec<Instruction>, stored: &[usize]) -> Fused {
        let view = || View { space: Space::Input(0), layout: Layout::contiguous(0, &[4]) };
        Fused {
            shape: vec![4],
            loads: vec![view(), view(), view()],
            constants: Vec::new(),
            tape,
            stores: stored.iter().map(|&value| Store { value, to: view() }).collect(),
            reductions: Vec::new(),
        }
    }

    #[test]
    fn values_with_one_reader_are_not_written_out() {
        use Binary::{Mul, Sub};
        // relu(c − a·b)
        let tape = vec![
            Instruction::Binary(Mul, 0, 1),
            Instruction::Binary(Sub, 2, 3),
            Instruction::Unary(Unary::Relu, 4),
        ];
        let found = steps(&fused(tape.clone(), &[5]));
        let chain = Chain { first: First::Mul, then: Then::From, relu: true };
        assert_eq!((found[2].kind, &found[2].operands[..]), (Kind::Chain(chain), &[0, 1, 2][..]));
        // Where the difference is wanted too, it ends its chain.
        let found = steps(&fused(tape.clone(), &[4, 5]));
        assert_eq!((found[2].kind, &found[2].operands[..]), (Kind::Unary(Unary::Relu), &[4][..]));
        assert_eq!(found[1].operands, [0, 1, 2]);
        // Where the product is, the chain begins behind it.
        let found = steps(&fused(tape, &[3, 5]));
        let chain = Chain { first: First::Sub, then: Then::Nothing, relu: true };
        assert_eq!((found[2].kind, &found[2].operands[..]), (Kind::Chain(chain), &[2, 3][..]));
    }

    #[test]
    fn a_value_read_twice_by_one_instruction_is_no_chain() {
        let tape = vec![Instruction::Binary(Binary::Mul, 0, 1), Instruction::Binary(Binary::Add, 3, 3)];
        assert_eq!(steps(&fused(tape, &[4]))[1].kind, Kind::Binary(Binary::Add));
    }
}
