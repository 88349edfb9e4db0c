//! Steps in the order in which they are asked for.
//!
//! By levels, everything that could be computed at one time is computed then, and waits. That is quick where it fits a cache. But
//! the blocks of long attention are independent of each other: all their scores would exist at once. Asked for, a step comes right
//! before the first that reads it; and a step that needs little more memory than it frees comes as soon as it can.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use thalweg_kernel::Space;

use super::place::Place;
use super::schedule::Step;
use super::{accumulate, memory};
use crate::ir::Program;

/// A step may take this part of what it touches beyond what it frees, and still comes as soon as it can.
const LITTLE: usize = 8;

/// The steps in that order.
pub(super) fn ordered(program: &Program, places: &[Place], steps: &[Step]) -> Vec<Step> {
    let order = Demand::new(program, places, steps).order();
    order.into_iter().map(|step| steps[step].clone()).collect()
}

/// What is known of the steps while they are put in order.
struct Demand<'p> {
    program: &'p Program,
    /// Steps that follow each other: terms of a sum that the machine takes as one.
    together: Vec<Vec<usize>>,
    /// For each of those the ones that it has to wait for, those with the longest history first, and the largest of them.
    before: Vec<Vec<usize>>,
    /// For each the ones that wait for it.
    after: Vec<BTreeSet<usize>>,
    /// For each the buffers that it writes to and reads.
    touched: Vec<BTreeSet<usize>>,
    /// For each buffer how many touch it that are still to come.
    touches: Vec<usize>,
    /// Whether a buffer is in memory.
    held: Vec<bool>,
    done: Vec<bool>,
    order: Vec<usize>,
}

impl<'p> Demand<'p> {
    fn new(program: &'p Program, places: &'p [Place], steps: &[Step]) -> Self {
        let together = together(places, steps);
        let mut whose = vec![None; program.nodes.len()];
        for (number, steps_of) in together.iter().enumerate() {
            let nodes = steps_of.iter().flat_map(|&step| steps[step].nodes());
            nodes.for_each(|&node| whose[node] = Some(number));
        }
        let written = memory::written(program, places, steps);
        let in_arena = |node: usize| places[node].space == Space::Arena;
        let mut before = vec![BTreeSet::new(); together.len()];
        let mut touched = vec![BTreeSet::new(); together.len()];
        for (node, own) in whose.iter().enumerate().filter_map(|(node, own)| Some((node, (*own)?))) {
            for operand in program.nodes[node].inputs.iter().map(|id| id.position()) {
                let earlier = whose[places[operand].completed_by].filter(|&earlier| earlier != own);
                before[own].extend(earlier);
                touched[own].extend(earlier.filter(|_| in_arena(operand)).map(|_| places[operand].owner));
            }
            touched[own].extend((written[node] && in_arena(node)).then_some(places[node].owner));
        }
        for terms in accumulate::terms(program, places) {
            for (earlier, later) in
                terms.windows(2).filter_map(|pair| Some((whose[pair[0]]?, whose[pair[1]]?)))
            {
                before[later].extend((earlier != later).then_some(earlier));
            }
        }
        let mut after = vec![BTreeSet::new(); together.len()];
        for (number, all) in before.iter().enumerate() {
            for &earlier in all {
                after[earlier].insert(number);
            }
        }
        let mut touches = vec![0; program.nodes.len()];
        touched.iter().flatten().for_each(|&buffer: &usize| touches[buffer] += 1);
        let (held, done) = (vec![false; program.nodes.len()], vec![false; together.len()]);
        let mut demand = Self {
            program,
            together,
            before: Vec::new(),
            after,
            touched,
            touches,
            held,
            done,
            order: Vec::new(),
        };
        demand.before = demand.sorted(before);
        demand
    }

    fn sorted(&self, before: Vec<BTreeSet<usize>>) -> Vec<Vec<usize>> {
        // None comes before what it waits for.
        let mut history: Vec<usize> = Vec::with_capacity(before.len());
        for all in &before {
            history.push(all.iter().map(|&earlier| history[earlier] + 1).max().unwrap_or(0));
        }
        let sorted = |all: BTreeSet<usize>| {
            let mut all: Vec<usize> = all.into_iter().collect();
            all.sort_by_key(|&step| Reverse((history[step], self.size(step))));
            all
        };
        before.into_iter().map(sorted).collect()
    }

    fn order(mut self) -> Vec<usize> {
        for last in 0..self.together.len() {
            if self.after[last].is_empty() {
                self.ask_for(last);
            }
        }
        self.order
    }

    /// Does one after all that it waits for.
    fn ask_for(&mut self, last: usize) {
        let mut asked = vec![last];
        while let Some(&next) = asked.last() {
            match self.before[next].iter().find(|&&earlier| !self.done[earlier]) {
                Some(&earlier) => asked.push(earlier),
                None => {
                    asked.pop();
                    self.take(next);
                }
            }
        }
    }

    /// Does one, and whatever can then be done with little more memory.
    fn take(&mut self, next: usize) {
        let mut ready = vec![next];
        while let Some(next) = ready.pop() {
            if std::mem::replace(&mut self.done[next], true) {
                continue;
            }
            self.order.extend(&self.together[next]);
            for &buffer in &self.touched[next] {
                self.touches[buffer] -= 1;
                self.held[buffer] = self.touches[buffer] > 0;
            }
            // Those that wait for it, and those that read what it read.
            let read = self.before[next].iter().flat_map(|&earlier| &self.after[earlier]);
            let others: BTreeSet<usize> = self.after[next].iter().chain(read).copied().collect();
            ready.extend(
                others.into_iter().rev().filter(|&other| self.can_be_done(other) && self.is_cheap(other)),
            );
        }
    }

    fn can_be_done(&self, number: usize) -> bool {
        !self.done[number] && self.before[number].iter().all(|&earlier| self.done[earlier])
    }

    /// Whether little more memory is held after it than before.
    fn is_cheap(&self, number: usize) -> bool {
        let sum = |is: &dyn Fn(usize) -> bool| -> usize {
            let buffers = self.touched[number].iter().filter(|&&buffer| is(buffer));
            buffers.map(|&buffer| self.program.nodes[buffer].ty.len()).sum()
        };
        let taken = sum(&|buffer| !self.held[buffer] && self.touches[buffer] > 1);
        let freed = sum(&|buffer| self.held[buffer] && self.touches[buffer] == 1);
        LITTLE * taken.saturating_sub(freed) <= self.size(number)
    }

    /// Elements that it touches.
    fn size(&self, number: usize) -> usize {
        self.touched[number].iter().map(|&buffer| self.program.nodes[buffer].ty.len()).sum()
    }
}

/// Steps by themselves, or several that write the same place one after the other.
fn together(places: &[Place], steps: &[Step]) -> Vec<Vec<usize>> {
    let mut together: Vec<Vec<usize>> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let of = |step: &Step| match step {
            Step::Single(node) => Some(&places[*node]),
            Step::Fused { .. } => None,
        };
        let previous = number.checked_sub(1).and_then(|previous| of(&steps[previous]));
        match (of(step), previous, together.last_mut()) {
            (Some(own), Some(previous), Some(last))
                if own.adds
                    && (own.space, own.owner, &own.layout)
                        == (previous.space, previous.owner, &previous.layout) =>
            {
                last.push(number);
            }
            _ => together.push(vec![number]),
        }
    }
    together
}

#[cfg(test)]
mod tests {
    use super::ordered;
    use crate::builder::Builder;
    use crate::compile::{Signature, memory, place, schedule};

    #[test]
    fn a_large_value_is_used_up_before_the_next_is_made() {
        let builder = Builder::new();
        let (x, w) = (builder.real(&[64, 4]), builder.real(&[64, 4]));
        // What is of one shape is computed in one pass.
        let part = |number: usize| {
            let weight = w.slice(0, 0, 64 - number);
            let wide = builder.einsum("bi,oi->bo", x, weight).tanh();
            builder.einsum("bo,oi->bi", wide, weight)
        };
        let narrow = builder.concatenate(1, &[0, 1, 2, 3].map(part));
        let program = builder.finish(&[narrow.sin().sum(&[0, 1])]).unwrap();
        let places = place::places(&program, &Signature::separate(&program));
        let by_level = schedule::steps(&program, &places, &[]);
        let asked_for = ordered(&program, &places, &by_level);
        let sorted = |mut steps: Vec<schedule::Step>| {
            steps.sort_by_key(|step| step.nodes().to_vec());
            steps
        };
        assert_eq!(sorted(by_level.clone()), sorted(asked_for.clone()), "the same steps");
        let scratch = |steps: &[schedule::Step]| memory::arrange(&program, &places, steps).scratch;
        let (wide, narrow) = (64 * 64, 64 * 16);
        assert!(scratch(&by_level) >= 3 * wide);
        assert!(scratch(&asked_for) <= wide + 2 * narrow, "{}", scratch(&asked_for));
    }
}
