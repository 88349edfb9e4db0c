//! From a program to the flat list of kernel calls.
//!
//! 1. `place`: which values are views of others, and which need memory of their own;
//! 2. `accumulate`: which sums of contractions need no pass of their own; `join`: which concatenations need no copies;
//! 3. `schedule`: levels, and the elementwise chains that run as one pass with their broadcasts and reductions;
//! 4. `again`: which values are computed a second time where they are read long after; then 1 to 3 once more; and if all this
//!    takes much memory, `large`: which large values are, and `demand`: another order of the steps;
//! 5. `memory`: where each buffer lies, from when it is written to when it is last read;
//! 6. `emit`: the calls.
//!
//! Dead and repeated code and symbolic zeros are gone already: the builder never lets them in.

mod accumulate;
mod again;
mod demand;
mod emit;
mod join;
mod large;
mod memory;
mod order;
mod place;
mod rewrite;
mod schedule;
mod sink;
#[cfg(test)]
mod trial;

use thalweg_kernel::{CallList, Layout};

use self::place::Place;
use self::rewrite::Again;
use self::schedule::Step;
use crate::ir::{Element, Op, Program};

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

/// When something is worth its while.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Elements written between two readings that are far apart.
    far: usize,
    /// Elements of scratch memory that are worth another plan.
    much: usize,
}

/// Far is more than a second-level cache holds, and much is more than a core's part of a third-level cache by far: what is left
/// in it is read again soon, so a plan by levels is as quick up to there.
const LIMITS: Limits = Limits { far: 1 << 19, much: 1 << 24 };

/// The flat list of kernel calls that computes the program.
///
/// # Panics
/// If the signature does not fit the program: another number of arguments or results, or other shapes.
pub fn compile(program: &Program, signature: &Signature) -> CallList {
    compile_with(program, signature, LIMITS)
}

fn compile_with(program: &Program, signature: &Signature, limits: Limits) -> CallList {
    check(program, signature);
    let plan = Plan::new(program.clone(), Vec::new(), signature, limits).with_less_memory(signature, limits);
    let memory = memory::arrange(&plan.program, &plan.places, &plan.steps);
    emit::emit(&plan.program, signature, &plan.places, &plan.steps, &memory)
}

/// What is computed, where it lies, and in which order.
struct Plan {
    program: Program,
    /// For each node whether it computes something again.
    again: Vec<bool>,
    places: Vec<Place>,
    steps: Vec<Step>,
}

impl Plan {
    /// By levels, with cheap values computed again; `again` says which nodes are copies already.
    fn new(program: Program, again: Vec<bool>, signature: &Signature, limits: Limits) -> Self {
        let plan = Self::by_levels(program, again, signature);
        match again::computed_again(&plan, limits.far) {
            None => plan,
            Some(Again { program, again }) => Self::by_levels(program, again, signature),
        }
    }

    /// By levels, as it stands.
    fn by_levels(program: Program, again: Vec<bool>, signature: &Signature) -> Self {
        let places = place::places(&program, signature);
        let steps = schedule::steps(&program, &places, &again);
        Self { program, again, places, steps }
    }

    /// A plan of much less memory, if this one takes much and there is one.
    fn with_less_memory(self, signature: &Signature, limits: Limits) -> Self {
        let scratch = |plan: &Self| memory::arrange(&plan.program, &plan.places, &plan.steps).scratch;
        let own = scratch(&self);
        // Evaluations that meet do so phase by phase.
        let meets = self.program.nodes.iter().any(|node| matches!(node.op, Op::Psum(_)));
        if meets || own <= limits.much {
            return self;
        }
        let steps = demand::ordered(&self.program, &self.places, &self.steps);
        let Some(Again { program, again }) = large::made_again(&self, &steps, limits.far) else {
            return self;
        };
        let mut other = Self::new(program, again, signature, limits);
        other.steps = demand::ordered(&other.program, &other.places, &other.steps);
        if 4 * scratch(&other) < 3 * own { other } else { self }
    }
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
