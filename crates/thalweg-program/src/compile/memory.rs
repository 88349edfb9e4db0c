//! Where each buffer lies, from when it is written to when it is last read.
//!
//! What is written in one phase and read in another lies in the arena, which each evaluation has of its own. All else lies in
//! scratch memory, which a thread uses for one evaluation after another: it stays in the thread's cache.
//!
//! A pass that is the last to read a buffer may write a value in its place, element by element.

use std::collections::HashSet;

use thalweg_kernel::{Layout, Space};

use super::place::{Kind, Place};
use super::schedule::Step;
use crate::ir::{Op, Program};

/// Buffers start at multiples of this many elements: a cache line of `f32`, and whole vectors of any width.
const ALIGNMENT: usize = 16;

/// The memory of a program.
pub(super) struct Memory {
    /// Where each node's buffer starts, where it has one.
    pub(super) starts: Vec<Option<(Space, usize)>>,
    /// For each node whether it is written to memory, of an evaluation or in a result.
    pub(super) written: Vec<bool>,
    /// Elements of the arena.
    pub(super) arena: usize,
    /// Elements of scratch memory.
    pub(super) scratch: usize,
}

pub(super) fn arrange(program: &Program, places: &[Place], steps: &[Step]) -> Memory {
    let written = written(program, places, steps);
    let last_read = last_reads(program, places, steps);
    let phase = phases(program, steps);
    let size = |node: usize| program.nodes[node].ty.len().next_multiple_of(ALIGNMENT);
    let in_arena = |node: usize| places[node].space == Space::Arena;
    let mut starts: Vec<Option<(Space, usize)>> = vec![None; program.nodes.len()];
    let [mut arena, mut scratch] = [FreeList::default(), FreeList::default()];
    let mut held: Vec<usize> = Vec::new();
    let loaded = (0..places.len()).filter(|&node| places[node].kind == Kind::Loaded);
    let computed = steps
        .iter()
        .map(|step| step.nodes().iter().copied().filter(|&n| written[n] && in_arena(n)).collect());
    let writes: Vec<Vec<usize>> = std::iter::once(loaded.collect()).chain(computed).collect();
    for (now, nodes) in writes.into_iter().enumerate() {
        let mut replaced =
            now.checked_sub(1).map_or(Vec::new(), |step| replaceable(program, places, &steps[step]));
        replaced.retain(|(owner, _)| last_read[*owner] == now);
        // What a step reads may not be overwritten by it, so only what was last read before is free.
        let (kept, expired): (Vec<usize>, Vec<usize>) =
            held.into_iter().partition(|&node| last_read[node] >= now);
        held = kept;
        for node in expired {
            match starts[node] {
                Some((Space::Arena, start)) => arena.give(start, size(node)),
                Some((_, start)) => scratch.give(start, size(node)),
                None => {}
            }
        }
        for node in nodes {
            let owner = places[node].owner;
            if starts[owner].is_some() {
                continue;
            }
            let is_kept =
                matches!(program.nodes[node].op, Op::Psum(_)) || phase[last_read[owner]] != phase[now];
            let space = if is_kept { Space::Arena } else { Space::Scratch };
            // A part of a concatenation may lie otherwise in its buffer than the whole does.
            let may_replace = owner == node && places[node].kind == Kind::Elementwise;
            let alike = |(old, layout): &(usize, &Layout)| {
                let fits = **layout == places[node].layout && size(*old) == size(node);
                fits && held.contains(old) && starts[*old].is_some_and(|(its, _)| its == space)
            };
            starts[owner] = match replaced.iter().position(|old| may_replace && alike(old)) {
                Some(found) => {
                    let (old, _) = replaced.swap_remove(found);
                    held.retain(|&node| node != old);
                    starts[old]
                }
                None if is_kept => Some((space, arena.take(size(owner)))),
                None => Some((space, scratch.take(size(owner)))),
            };
            held.push(owner);
        }
    }
    Memory { starts, written, arena: arena.end, scratch: scratch.end }
}

/// The buffers of which a pass reads each element once, where it could write another value's, with how they lie.
fn replaceable<'p>(program: &Program, places: &'p [Place], step: &Step) -> Vec<(usize, &'p Layout)> {
    let Step::Fused { shape, nodes } = step else { return Vec::new() };
    let mut found: Vec<(usize, &Layout)> = Vec::new();
    let mut others: Vec<usize> = Vec::new();
    let inside: HashSet<usize> = nodes.iter().copied().collect();
    for &node in nodes {
        for operand in program.nodes[node].inputs.iter().map(|id| id.position()) {
            let place = &places[operand];
            if place.space != Space::Arena || inside.contains(&operand) {
                continue;
            }
            let here = (place.owner, &place.layout);
            // What is reduced is read once more, after the values of its tile are written.
            let elementwise =
                places[node].kind == Kind::Elementwise && program.nodes[operand].ty.shape == *shape;
            let known = found.iter().find(|(owner, _)| *owner == place.owner);
            match known {
                _ if !elementwise => others.push(place.owner),
                None => found.push(here),
                Some(&known) if known == here => {}
                Some(_) => others.push(place.owner),
            }
        }
    }
    found.retain(|(owner, layout)| !others.contains(owner) && layout.offset == 0);
    found
}

/// For each node whether it must be in memory: all that is computed, save elementwise values that only their own
/// pass reads.
pub(super) fn written(program: &Program, places: &[Place], steps: &[Step]) -> Vec<bool> {
    let mut pass = vec![usize::MAX; program.nodes.len()];
    for (number, step) in steps.iter().enumerate() {
        for &node in step.nodes() {
            pass[node] = number;
        }
    }
    let mut written: Vec<bool> =
        places.iter().map(|p| p.kind.computes() && p.kind != Kind::Elementwise).collect();
    for (position, node) in program.nodes.iter().enumerate() {
        if places[position].kind == Kind::Dead {
            continue;
        }
        for operand in node.inputs.iter().map(|id| id.position()) {
            written[operand] |= places[operand].kind == Kind::Elementwise && pass[operand] != pass[position];
        }
    }
    for output in program.outputs.iter().map(|id| id.position()) {
        written[output] |= places[output].kind == Kind::Elementwise;
    }
    written
}

/// For each buffer's owner the last step that reads it, through whatever view. Step 0 loads the index arguments,
/// the schedule's first step is 1, and results are read after the last.
fn last_reads(program: &Program, places: &[Place], steps: &[Step]) -> Vec<usize> {
    let mut last = vec![0; program.nodes.len()];
    for (number, step) in steps.iter().enumerate() {
        for &node in step.nodes() {
            let owner = places[node].owner;
            last[owner] = last[owner].max(number + 1);
            for id in &program.nodes[node].inputs {
                let owner = places[id.position()].owner;
                last[owner] = last[owner].max(number + 1);
            }
        }
    }
    for id in &program.outputs {
        last[places[id.position()].owner] = steps.len() + 1;
    }
    last
}

/// The phase of step 0, of each of the schedule's steps, and of reading the results: evaluations meet after a row of sums over
/// them.
fn phases(program: &Program, steps: &[Step]) -> Vec<usize> {
    let (mut phase, mut meet) = (0, false);
    let of_step = steps.iter().map(|step| {
        let meets = matches!(step, Step::Single(node) if matches!(program.nodes[*node].op, Op::Psum(_)));
        phase += usize::from(meet && !meets);
        meet = meets;
        phase
    });
    let mut found: Vec<usize> = std::iter::once(0).chain(of_step).collect();
    found.push(phase + usize::from(meet));
    found
}

/// Free ranges of memory, in order of position, none adjacent to another.
#[derive(Default)]
struct FreeList {
    holes: Vec<(usize, usize)>,
    end: usize,
}

impl FreeList {
    /// The smallest hole that is large enough, else new memory at the end.
    fn take(&mut self, size: usize) -> usize {
        let fitting = self.holes.iter().enumerate().filter(|(_, hole)| hole.1 >= size);
        let Some((position, &(start, length))) = fitting.min_by_key(|(_, hole)| hole.1) else {
            let start = match self.holes.last() {
                Some(&(start, length)) if start + length == self.end => {
                    self.holes.pop();
                    start
                }
                _ => self.end,
            };
            self.end = start + size;
            return start;
        };
        if length == size {
            self.holes.remove(position);
        } else {
            self.holes[position] = (start + size, length - size);
        }
        start
    }

    fn give(&mut self, start: usize, size: usize) {
        if size == 0 {
            return;
        }
        let position = self.holes.partition_point(|hole| hole.0 < start);
        self.holes.insert(position, (start, size));
        if position + 1 < self.holes.len() && start + size == self.holes[position + 1].0 {
            self.holes[position].1 += self.holes.remove(position + 1).1;
        }
        if position > 0 && self.holes[position - 1].0 + self.holes[position - 1].1 == start {
            self.holes[position - 1].1 += self.holes.remove(position).1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FreeList;
    use crate::builder::Builder;
    use crate::compile::{Signature, compile};

    #[test]
    fn a_part_that_is_turned_replaces_nothing() {
        let builder = Builder::new();
        let (x, w) = (builder.real(&[4, 4]), builder.real(&[4, 4]));
        let product = builder.einsum("bi,oi->bo", x, w);
        // Written across what is read, if it lay in its place.
        let turned = product.tanh().permute(&[1, 0]);
        let all = builder.concatenate(0, &[turned, builder.zeros(&[0, 4])]);
        let program = builder.finish(&[builder.einsum("bi,oi->bo", all, w)]).unwrap();
        assert_eq!(compile(&program, &Signature::separate(&program)).scratch, 32);
    }

    #[test]
    fn a_pass_writes_in_place_of_what_it_is_the_last_to_read() {
        let scratch = |reduces: bool| {
            let builder = Builder::new();
            let (x, w, b) = (builder.real(&[16, 16]), builder.real(&[16, 16]), builder.real(&[16]));
            let product = builder.einsum("bi,oi->bo", x, w);
            let hidden = (product + b.broadcast(&[16, 16], &[1])).tanh();
            let mut results = vec![builder.einsum("bi,oi->bo", hidden, w)];
            results.extend(reduces.then(|| product.sum(&[0])));
            let program = builder.finish(&results).unwrap();
            compile(&program, &Signature::separate(&program)).scratch
        };
        assert_eq!(scratch(false), 256);
        // A sum of what was there comes after the pass has written.
        assert_eq!(scratch(true), 512);
    }

    #[test]
    fn only_what_is_read_in_another_phase_is_in_the_arena() {
        let memory = |meets: bool| {
            let builder = Builder::new();
            let (x, w) = (builder.real(&[16, 16]), builder.real(&[16, 16]));
            let hidden = builder.einsum("bi,oi->bo", builder.einsum("bi,oi->bo", x, w), w);
            let total = hidden.sum(&[0, 1]);
            let total = if meets { total.psum() } else { total };
            let scaled = hidden * total.broadcast(&[16, 16], &[]);
            let program = builder.finish(&[builder.einsum("bi,oi->bo", scaled, w)]).unwrap();
            let list = compile(&program, &Signature::separate(&program));
            (list.arena, list.scratch)
        };
        // Both products are there at a time; the second one waits for the total, then is written over.
        assert_eq!(memory(false), (0, 512));
        assert_eq!(memory(true), (256 + 16, 256));
    }

    #[test]
    fn holes_join_and_the_smallest_fit_is_taken() {
        let mut list = FreeList::default();
        let starts: Vec<usize> = [16, 32, 16, 48].into_iter().map(|size| list.take(size)).collect();
        assert_eq!(starts, [0, 16, 48, 64]);
        list.give(0, 16);
        list.give(48, 16);
        assert_eq!(list.take(16), 0);
        list.give(16, 32);
        assert_eq!(list.take(48), 16, "two neighbours are one hole");
        list.give(64, 48);
        assert_eq!(list.take(64), 64, "a hole at the end grows");
        assert_eq!(list.end, 128);
    }
}
