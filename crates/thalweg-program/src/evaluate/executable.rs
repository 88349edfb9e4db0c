//! A compiled program with memory for as many threads as run it.

use std::sync::{Mutex, PoisonError};

use thalweg_kernel::{Arena, Machine, Real, Scratch};

use crate::compile::{Signature, compile};
use crate::ir::Program;

/// A compiled program in one precision. Any number of threads may run it at once; each run takes its memory
/// from pools, so that none is allocated once as many runs as ever overlap have been seen.
pub struct Executable<T: Real> {
    machine: Machine<T>,
    arenas: Pool<Arena<T>>,
    scratches: Pool<Scratch<T>>,
}

impl<T: Real> Executable<T> {
    /// Compiles a program whose arguments and results are handed over as the signature says.
    ///
    /// # Panics
    /// If the signature does not fit the program.
    pub fn new(program: &Program, signature: &Signature) -> Self {
        let machine = Machine::new(&compile(program, signature));
        Self { machine, arenas: Pool::new(), scratches: Pool::new() }
    }

    /// The same for whoever has threads to spare: see [`Machine::in_parts`].
    #[must_use]
    pub fn in_parts(mut self, most: usize) -> Self {
        self.machine = self.machine.in_parts(most);
        self
    }

    /// Compiles a program with each argument and each result in a slot of its own.
    pub fn of(program: &Program) -> Self {
        Self::new(program, &Signature::separate(program))
    }

    /// Evaluates: real inputs, index inputs, and where the results go, by slot.
    ///
    /// # Panics
    /// If a slot is missing or shorter than its bindings reach.
    pub fn run(&self, inputs: &[&[T]], indices: &[&[i32]], outputs: &mut [&mut [T]]) {
        let mut arena = self.take_arena();
        self.with_scratch(|machine, scratch| machine.run(&mut arena, scratch, inputs, indices, outputs));
        self.give_arena(arena);
    }

    /// Runs with scratch memory from the pool.
    pub(super) fn with_scratch(&self, run: impl FnOnce(&Machine<T>, &mut Scratch<T>)) {
        let mut scratch = self.scratches.take().unwrap_or_else(|| self.machine.scratch());
        run(&self.machine, &mut scratch);
        self.scratches.give(scratch);
    }

    /// An arena from the pool.
    pub(super) fn take_arena(&self) -> Arena<T> {
        self.arenas.take().unwrap_or_else(|| self.machine.arena())
    }

    /// Puts an arena back.
    pub(super) fn give_arena(&self, arena: Arena<T>) {
        self.arenas.give(arena);
    }

    /// The prepared calls.
    pub(super) fn machine(&self) -> &Machine<T> {
        &self.machine
    }
}

/// What is lent and comes back.
struct Pool<M>(Mutex<Vec<M>>);

impl<M> Pool<M> {
    fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// What came back last: it may be in a cache still.
    fn take(&self) -> Option<M> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give(&self, memory: M) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}
