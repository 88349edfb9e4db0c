//! From a program to the flat list of kernel calls.
//!
//! 1. `place`: which values are views of others, and which need memory of their own;
//! 2. `accumulate`: which sums of contractions need no pass of their own; `join`: which concatenations need no copies;
//! 3. `schedule`: levels, and the elementwise chains that run as one pass with their broadcasts and reductions;
//! 4. `again`: which values are computed a second time where they are read long after; then 1 to 3 once more;
//! 5. `memory`: where each buffer lies in the arena, from when it is written to when it is last read;
//! 6. `emit`: the calls.
//!
//! Dead and repeated code and symbolic zeros are gone already: the builder never lets them in.

mod accumulate;
mod again;
mod emit;
mod join;
mod memory;
mod order;
mod place;
mod schedule;
mod sink;

use thalweg_kernel::{CallList, Layout};

use self::again::Again;
use self::place::Place;
use self::schedule::Step;
use crate::ir::{Element, Program};

/// Where an argument or a result lies for the caller.
///
/// Real arguments, index arguments and results are numbered apart, each from slot 0. Several arguments may share a
/// slot: the leaves of θ are places in one flat vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Number of the slot.
    pub slot: usize,
    /// Where in the slot.
    pub layout: Layout,
}

/// How a program's arguments and results are handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// One binding an argument.
    pub inputs: Vec<Binding>,
    /// One binding a result. Results must not overlap.
    pub outputs: Vec<Binding>,
}

impl Signature {
    /// Each argument and each result in a slot of its own, dense and row-major.
    pub fn separate(program: &Program) -> Self {
        let mut next = [0, 0];
        let inputs = program
            .input_types()
            .into_iter()
            .map(|ty| {
                let slot = &mut next[usize::from(ty.element == Element::Index)];
                *slot += 1;
                Binding { slot: *slot - 1, layout: Layout::contiguous(0, &ty.shape) }
            })
            .collect();
        let outputs = program
            .output_types()
            .into_iter()
            .enumerate()
            .map(|(slot, ty)| Binding { slot, layout: Layout::contiguous(0, &ty.shape) })
            .collect();
        Self { inputs, outputs }
    }
}

/// The flat list of kernel calls that computes the program.
///
/// # Panics
/// If the signature does not fit the program: another number of arguments or results, or other shapes.
pub fn compile(program: &Program, signature: &Signature) -> CallList {
    compile_with(program, signature, again::FAR)
}

/// With what is read so many elements after it was made computed again.
fn compile_with(program: &Program, signature: &Signature, far: usize) -> CallList {
    check(program, signature);
    let places = place::places(program, signature);
    let steps = schedule::steps(program, &places, &[]);
    let Some(Again { program, again }) = again::computed_again(program, &places, &steps, far) else {
        return arranged(program, signature, &places, &steps);
    };
    let places = place::places(&program, signature);
    let steps = schedule::steps(&program, &places, &again);
    arranged(&program, signature, &places, &steps)
}

fn arranged(program: &Program, signature: &Signature, places: &[Place], steps: &[Step]) -> CallList {
    let arena = memory::arrange(program, places, steps);
    emit::emit(program, signature, places, steps, &arena)
}

fn check(program: &Program, signature: &Signature) {
    let fits = |bindings: &[Binding], types: &[&crate::ir::Type]| {
        bindings.len() == types.len() && bindings.iter().zip(types).all(|(b, ty)| b.layout.shape == ty.shape)
    };
    assert!(
        fits(&signature.inputs, &program.input_types()),
        "the signature's arguments are not the program's"
    );
    assert!(
        fits(&signature.outputs, &program.output_types()),
        "the signature's results are not the program's"
    );
}
