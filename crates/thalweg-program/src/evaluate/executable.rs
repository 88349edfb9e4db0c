//! A compiled program with scratch memory for as many threads as run it.

use std::sync::{Mutex, PoisonError};

use thalweg_kernel::{Machine, Real, Scratch};

use crate::compile::{Signature, compile};
use crate::ir::Program;

/// A compiled program in one precision. Any number of threads may run it at once; each run takes scratch memory
/// from a pool, so that none is allocated once as many runs as ever overlap have been seen.
pub struct Executable<T: Real> {
    machine: Machine<T>,
    pool: Mutex<Vec<Scratch<T>>>,
}

impl<T: Real> Executable<T> {
    /// Compiles a program whose arguments and results are handed over as the signature says.
    ///
    /// # Panics
    /// If the signature does not fit the program.
    pub fn new(program: &Program, signature: &Signature) -> Self {
        Self { machine: Machine::new(&compile(program, signature)), pool: Mutex::new(Vec::new()) }
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
        let mut scratch = self.take();
        self.machine.run(&mut scratch, inputs, indices, outputs);
        self.give(scratch);
    }

    /// Puts scratch memory back.
    pub(super) fn give(&self, scratch: Scratch<T>) {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }

    /// The prepared calls.
    pub(super) fn machine(&self) -> &Machine<T> {
        &self.machine
    }

    /// Scratch memory from the pool.
    pub(super) fn take(&self) -> Scratch<T> {
        let pooled = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        pooled.unwrap_or_else(|| self.machine.scratch())
    }
}
