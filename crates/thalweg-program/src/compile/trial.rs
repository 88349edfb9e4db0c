//! For tests: what a plan takes, and what it computes.

use thalweg_kernel::{Call, Key, Machine};

use super::{Limits, Signature, compile_with};
use crate::ir::{Program, Type};

/// A program that was compiled and run on normal numbers, the same for every plan.
#[derive(Debug, PartialEq)]
pub(super) struct Trial {
    /// Elements of scratch memory.
    pub(super) scratch: usize,
    /// Number of contractions.
    pub(super) contractions: usize,
    pub(super) arguments: Vec<Vec<f64>>,
    pub(super) results: Vec<Vec<f64>>,
}

pub(super) fn trial(program: &Program, limits: Limits) -> Trial {
    let list = compile_with(program, &Signature::separate(program), limits);
    let normal = |(i, ty): (usize, &&Type)| {
        let mut values = vec![0.0; ty.len()];
        Key::from_seed(5).fold_in(i as u64).normals(&mut values);
        values
    };
    let arguments: Vec<Vec<f64>> = program.input_types().iter().enumerate().map(normal).collect();
    let views: Vec<&[f64]> = arguments.iter().map(Vec::as_slice).collect();
    let mut results: Vec<Vec<f64>> = list.outputs.iter().map(|&size| vec![0.0; size]).collect();
    let machine = Machine::<f64>::new(&list);
    let mut outputs: Vec<&mut [f64]> = results.iter_mut().map(Vec::as_mut_slice).collect();
    machine.run(&mut machine.arena(), &mut machine.scratch(), &views, &[], &mut outputs);
    let contractions = list.calls.iter().filter(|call| matches!(call, Call::Contract { .. })).count();
    Trial { scratch: list.scratch, contractions, arguments, results }
}
