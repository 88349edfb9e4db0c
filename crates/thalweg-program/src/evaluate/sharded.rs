//! Evaluation over the examples of a data set, cut into shards.
//!
//! A thread takes a shard of examples through the whole program in its own arena; nothing forks and joins inside
//! an operation, unless there is a single task: its larger products are then cut for the threads that would have nothing to
//! do, which changes no bits. Shards are gathered into lanes, each a run of neighbouring shards that one task takes in order and
//! whose sums it adds up; then the lanes are added in order. How examples are cut into shards and shards into
//! lanes depends on the work alone, never on the number of threads, so results are the same to the last bit on
//! any number of them. The design that lost gave each thread one sum: it needs less memory, but which examples
//! meet in a sum then depends on the machine.
//!
//! Where examples of different shards meet in the program ([`Psum`](crate::prim::Psum)), all shards run phase by phase
//! (`together.rs`), and each is a lane of its own.
//!
//! Arrays are allocated once and kept; an evaluation allocates only the lists of who takes what, some hundred bytes a
//! task.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use thalweg_kernel::Real;

use super::lane::{Sum, Task, add_in_order, cut_off};
use super::{Cut, Executable};
use crate::compile::Signature;
use crate::ir::Program;

/// What a result slot of a shard's program means for the whole data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A number to be added over shards, which is done in `f64`.
    Scalar,
    /// A vector to be added over shards.
    Sum,
    /// A vector that every shard comes to alike, because it is made of sums over all of them.
    Replicated,
    /// Rows of this many elements, one an example, to be put end to end.
    Rows(usize),
}

/// The examples: real rows and indices by slot. The program's real slots are first those of a [`Point`], then
/// these.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a, T> {
    /// For each real slot the elements and how many of them an example has.
    pub rows: &'a [(&'a [T], usize)],
    /// For each index slot the elements and how many of them an example has.
    pub indices: &'a [(&'a [i32], usize)],
}

/// One evaluation: arguments that all examples share, and where the results go.
#[derive(Debug)]
pub struct Point<'a, T> {
    /// Shared arguments by slot.
    pub shared: Vec<&'a [T]>,
    /// Totals of the [`Role::Scalar`] slots, in order.
    pub scalars: Vec<f64>,
    /// Destinations of the [`Role::Sum`] and [`Role::Replicated`] slots, in order.
    pub sums: Vec<&'a mut [T]>,
    /// Destinations of the [`Role::Rows`] slots, in order.
    pub rows: Vec<&'a mut [T]>,
}

impl<'a, T> Point<'a, T> {
    /// A point of which only the scalars are wanted.
    pub fn scalars(shared: Vec<&'a [T]>) -> Self {
        Self { shared, scalars: Vec::new(), sums: Vec::new(), rows: Vec::new() }
    }
}

/// A program over shards of examples.
pub struct Sharded<T: Real> {
    cut: Cut,
    whole: Executable<T>,
    last: Option<Executable<T>>,
    roles: Vec<Role>,
    /// Elements of each [`Role::Sum`] and [`Role::Replicated`] slot.
    sums: Vec<usize>,
    /// Which of them are added.
    added: Vec<bool>,
    lanes: usize,
    /// Whether the shards meet.
    coupled: bool,
    buffers: Mutex<Vec<Vec<T>>>,
}

/// Memory that the lanes of one evaluation may take for their sums, in elements.
const LANE_BUDGET: usize = 1 << 26;
/// Memory of the shards of the points that are evaluated together where shards meet, in elements.
const ARENAS_BUDGET: usize = 1 << 20;
/// Lanes beyond which more would not find threads on the machines that this is meant for.
const LANES: usize = 64;
/// Shards that a lane takes at least where it has only numbers to sum: the weights of a point then stay in a core's
/// cache from one shard to the next.
const SHARDS_A_LANE: usize = 2;

impl<T: Real> Sharded<T> {
    /// Compiles what `write` writes for a number of examples: the program and its signature. At most two sizes are
    /// asked for, that of a whole shard and that of the last. `roles` says what each result slot is.
    pub fn new(cut: Cut, roles: &[Role], write: impl Fn(usize) -> (Program, Signature)) -> Self {
        let (program, signature) = write(cut.shard);
        let size = |slot: usize| {
            let bound = signature.outputs.iter().filter(|binding| binding.slot == slot);
            bound.map(|binding| binding.layout.end()).max().unwrap_or(0)
        };
        let is_vector = |slot: &usize| matches!(roles[*slot], Role::Sum | Role::Replicated);
        let sums: Vec<usize> = (0..roles.len()).filter(is_vector).map(size).collect();
        let added = (0..roles.len()).filter(is_vector).map(|slot| roles[slot] == Role::Sum).collect();
        let whole = Executable::new(&program, &signature);
        let coupled = cut.shards() > 1 && whole.machine().phases() > 1;
        let affordable = LANE_BUDGET / sums.iter().sum::<usize>().max(1);
        let lanes = if coupled {
            cut.shards()
        } else if !sums.is_empty() {
            affordable.clamp(2, LANES).min(cut.shards()).max(1)
        } else if roles.contains(&Role::Scalar) {
            (cut.shards() / SHARDS_A_LANE).clamp(1, LANES)
        } else {
            cut.shards().clamp(1, LANES)
        };
        // What is a single task shares out its products.
        let whole = if lanes == 1 { whole.in_parts(rayon::current_num_threads()) } else { whole };
        let rest = cut.examples % cut.shard;
        let last = (rest > 0).then(|| {
            let (program, signature) = write(rest);
            Executable::new(&program, &signature)
        });
        Self {
            cut,
            whole,
            coupled,
            last,
            roles: roles.to_vec(),
            lanes,
            sums,
            added,
            buffers: Mutex::new(Vec::new()),
        }
    }

    /// How the examples are cut.
    pub fn cut(&self) -> Cut {
        self.cut
    }

    /// The program for a shard.
    pub(super) fn program(&self, shard: usize) -> &Executable<T> {
        match &self.last {
            Some(last) if shard + 1 == self.cut.shards() => last,
            _ => &self.whole,
        }
    }

    pub(super) fn arguments<'d>(
        &self,
        shard: usize,
        shared: &[&'d [T]],
        data: Data<'d, T>,
    ) -> (Vec<&'d [T]>, Vec<&'d [i32]>) {
        let range = self.cut.range(shard);
        let own = |width: usize| range.start * width..range.end * width;
        let rows = data.rows.iter().map(|&(all, width)| &all[own(width)]);
        let inputs = shared.iter().copied().chain(rows).collect();
        (inputs, data.indices.iter().map(|&(all, width)| &all[own(width)]).collect())
    }

    /// Evaluates all points over all examples. Every pair of a point and a lane is a task of its own.
    ///
    /// # Panics
    /// If a slice does not have the length that the program and the cut ask for.
    pub fn evaluate(&self, points: &mut [Point<'_, T>], data: Data<'_, T>) {
        // So many points at a time that the sums of all their lanes stay within a few times the budget; where shards
        // meet, so few that what they hold between two phases stays in a cache.
        let sums = self.lanes * self.sums.iter().sum::<usize>();
        let arenas = if self.coupled { self.lanes * self.whole.machine().arena_len() } else { 0 };
        let together = (4 * LANE_BUDGET / sums.max(1)).min(ARENAS_BUDGET / arenas.max(1)).max(1);
        points.chunks_mut(together).for_each(|points| self.evaluate_together(points, data));
    }

    fn evaluate_together(&self, points: &mut [Point<'_, T>], data: Data<'_, T>) {
        let mut tasks: Vec<Task<'_, T>> = Vec::with_capacity(points.len() * self.lanes);
        for point in points.iter_mut() {
            let shared = &point.shared[..];
            let mut rows: Vec<&mut [T]> = point.rows.iter_mut().map(|rows| &mut **rows).collect();
            let mut lent: Vec<Sum<'_, T>> = point.sums.iter_mut().map(|sum| Sum::Lent(sum)).collect();
            for lane in 0..self.lanes {
                let shards =
                    lane * self.cut.shards() / self.lanes..(lane + 1) * self.cut.shards() / self.lanes;
                let examples = self.examples(&shards);
                let rows =
                    rows.iter_mut().zip(self.widths()).map(|(rest, width)| cut_off(rest, examples * width));
                let (rows, sums) = (rows.collect(), std::mem::take(&mut lent));
                tasks.push(Task { shared, shards, rows, scalars: Vec::new(), sums });
            }
        }
        // Lane by lane: a thread then stays with few examples, which its cache holds, and takes the points in turn.
        let mut order: Vec<&mut Task<'_, T>> = tasks.iter_mut().collect();
        order.sort_by_key(|task| task.shards.start);
        match &mut order[..] {
            _ if self.coupled => self.carry_out_together(&mut tasks, data),
            // From outside of the threads each product would be a visit of its own.
            [task] if self.whole.machine().is_in_parts() => rayon::scope(|_| self.carry_out(task, data)),
            [task] => self.carry_out(task, data),
            order => order.par_iter_mut().with_max_len(1).for_each(|task| self.carry_out(task, data)),
        }
        let scalars = self.scalars();
        let mut totals: Vec<Vec<f64>> = Vec::with_capacity(tasks.len() / self.lanes);
        for lanes in tasks.chunks_mut(self.lanes) {
            // Shard by shard, whatever the lanes: programs with other lanes then agree on what they share.
            let shards = lanes.iter().flat_map(|lane| lane.scalars.chunks(scalars.max(1)));
            totals.push(shards.fold(vec![0.0; scalars], |mut totals, values| {
                totals.iter_mut().zip(values).for_each(|(total, value)| *total += value);
                totals
            }));
            if let Some((first, others)) = lanes.split_first_mut() {
                for (slot, sum) in first.sums.iter_mut().enumerate().filter(|&(slot, _)| self.added[slot]) {
                    let parts: Vec<&[T]> = others.iter().map(|lane| lane.sums[slot].slice()).collect();
                    add_in_order(sum.slice_mut(), &parts);
                }
            }
        }
        let own = tasks.into_iter().flat_map(|task| task.sums).filter_map(Sum::into_own);
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
        for (point, totals) in points.iter_mut().zip(totals) {
            point.scalars = totals;
        }
    }

    /// Elements an example of each of the [`Role::Rows`] slots, in order.
    pub fn widths(&self) -> impl Iterator<Item = usize> + '_ {
        self.roles.iter().filter_map(|role| match role {
            Role::Rows(width) => Some(*width),
            Role::Scalar | Role::Sum | Role::Replicated => None,
        })
    }

    fn examples(&self, shards: &Range<usize>) -> usize {
        (shards.end * self.cut.shard).min(self.cut.examples)
            - (shards.start * self.cut.shard).min(self.cut.examples)
    }

    fn buffer(&self, size: usize) -> Vec<T> {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = buffers.iter().position(|buffer| buffer.len() == size);
        let pooled = fitting.map(|position| buffers.swap_remove(position));
        drop(buffers);
        pooled.unwrap_or_else(|| vec![T::ZERO; size])
    }

    /// Gives a task sums of its own, unless it was lent the caller's.
    pub(super) fn own_sums(&self, task: &mut Task<'_, T>) {
        if task.sums.is_empty() {
            task.sums = self.sums.iter().map(|&size| Sum::Own(self.buffer(size))).collect();
        }
    }

    /// How many of the slots are numbers.
    pub(super) fn scalars(&self) -> usize {
        self.roles.iter().filter(|role| **role == Role::Scalar).count()
    }

    fn carry_out(&self, task: &mut Task<'_, T>, data: Data<'_, T>) {
        let scalars = self.scalars();
        task.scalars.reserve(task.shards.len() * scalars);
        self.own_sums(task);
        let mut again: Vec<Vec<T>> = Vec::new();
        if task.shards.is_empty() {
            task.sums.iter_mut().for_each(|sum| sum.slice_mut().fill(T::ZERO));
        } else if task.shards.len() > 1 {
            again = self.sums.iter().map(|&size| self.buffer(size)).collect();
        }
        let first = task.shards.start;
        for shard in task.shards.clone() {
            let mut values = vec![T::ZERO; scalars];
            let examples = self.cut.range(shard).len();
            let rows =
                task.rows.iter_mut().zip(self.widths()).map(|(rest, width)| cut_off(rest, examples * width));
            if shard == first {
                let mut sums = task.sums.iter_mut().map(Sum::slice_mut);
                self.run(shard, task.shared, data, &mut values, &mut sums, rows.collect());
            } else {
                let mut sums = again.iter_mut().map(|sum| &mut sum[..]);
                self.run(shard, task.shared, data, &mut values, &mut sums, rows.collect());
                for ((total, part), _) in
                    task.sums.iter_mut().zip(&again).zip(&self.added).filter(|&(_, &added)| added)
                {
                    total.slice_mut().iter_mut().zip(part).for_each(|(total, part)| *total += *part);
                }
            }
            task.scalars.extend(values.iter().map(|value| value.to_f64()));
        }
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).extend(again);
    }

    /// One shard through the program.
    fn run<'s>(
        &self,
        shard: usize,
        shared: &[&[T]],
        data: Data<'_, T>,
        scalars: &'s mut [T],
        sums: &mut dyn Iterator<Item = &'s mut [T]>,
        rows: Vec<&'s mut [T]>,
    ) {
        let (inputs, indices) = self.arguments(shard, shared, data);
        let mut outputs = self.outputs(scalars, sums, rows);
        self.program(shard).run(&inputs, &indices, &mut outputs);
    }

    /// Where the results of a shard go, by slot.
    pub(super) fn outputs<'s>(
        &self,
        scalars: &'s mut [T],
        sums: &mut dyn Iterator<Item = &'s mut [T]>,
        rows: Vec<&'s mut [T]>,
    ) -> Vec<&'s mut [T]> {
        let (mut scalars, mut rows) = (scalars.chunks_mut(1), rows.into_iter());
        let mut outputs: Vec<&mut [T]> = Vec::with_capacity(self.roles.len());
        for role in &self.roles {
            let output = match role {
                Role::Scalar => scalars.next(),
                Role::Sum | Role::Replicated => sums.next(),
                Role::Rows(_) => rows.next(),
            };
            outputs.push(output.expect("a point has a destination for each result slot"));
        }
        outputs
    }
}
