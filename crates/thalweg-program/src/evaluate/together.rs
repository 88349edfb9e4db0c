//! Shards that meet: all of a point run phase by phase, and between two phases what they sum is added up.

use rayon::prelude::*;
use thalweg_kernel::{Arena, Real};

use super::lane::{Sum, Task};
use super::{Data, Executable, Sharded};

/// A shard on its way through the program.
struct Running<'t, T: Real> {
    program: &'t Executable<T>,
    arena: Arena<T>,
    inputs: Vec<&'t [T]>,
    indices: Vec<&'t [i32]>,
    outputs: Vec<&'t mut [T]>,
}

impl<T: Real> Sharded<T> {
    /// Carries out tasks of one shard each, those of a point next to each other.
    pub(super) fn carry_out_together(&self, tasks: &mut [Task<'_, T>], data: Data<'_, T>) {
        let scalars = self.scalars();
        let mut values = vec![T::ZERO; tasks.len() * scalars];
        let mut rest = &mut values[..];
        tasks.iter_mut().for_each(|task| self.own_sums(task));
        let mut running: Vec<Running<'_, T>> = Vec::with_capacity(tasks.len());
        for task in tasks.iter_mut() {
            let shard = task.shards.start;
            let program = self.program(shard);
            let (inputs, indices) = self.arguments(shard, task.shared, data);
            let values = rest.split_off_mut(..scalars).expect("numbers of each task");
            let rows = task.rows.iter_mut().map(|rows| &mut **rows).collect();
            let outputs = self.outputs(values, &mut task.sums.iter_mut().map(Sum::slice_mut), rows);
            running.push(Running { program, arena: program.take_arena(), inputs, indices, outputs });
        }
        let shards = self.cut().shards();
        let phases = running[0].program.machine().phases();
        for phase in 0..phases {
            running.par_iter_mut().with_max_len(1).for_each(|shard| shard.run(phase));
            running.par_chunks_mut(shards).with_max_len(1).for_each(|shards| all_reduce(shards, phase));
        }
        for Running { program, arena, .. } in running {
            program.give_arena(arena);
        }
        for (task, values) in tasks.iter_mut().zip(values.chunks(scalars.max(1))) {
            task.scalars.extend(values.iter().map(|value| value.to_f64()));
        }
    }
}

impl<T: Real> Running<'_, T> {
    fn run(&mut self, phase: usize) {
        let Self { program, arena, inputs, indices, outputs } = self;
        program.with_scratch(|machine, scratch| {
            machine.run_phase(phase, arena, scratch, inputs, indices, outputs);
        });
    }

    /// What the shard brings to the sum of that number, and where it wants the total.
    fn summed(&mut self, phase: usize, number: usize) -> &mut [T] {
        let range = self.program.machine().summed(phase)[number].clone();
        &mut self.arena.elements_mut()[range]
    }
}

/// Adds up what the shards of a point sum after a phase, in their order and in `f64`, and hands each the totals.
fn all_reduce<T: Real>(shards: &mut [Running<'_, T>], phase: usize) {
    let sums = shards[0].program.machine().summed(phase).len();
    let mut totals: Vec<f64> = Vec::new();
    for number in 0..sums {
        totals.clear();
        totals.extend(shards[0].summed(phase, number).iter().map(|x| x.to_f64()));
        for shard in &mut shards[1..] {
            let part = shard.summed(phase, number);
            totals.iter_mut().zip(part).for_each(|(total, x)| *total += x.to_f64());
        }
        for shard in shards.iter_mut() {
            let part = shard.summed(phase, number);
            part.iter_mut().zip(&totals).for_each(|(x, &total)| *x = T::from_f64(total));
        }
    }
}
