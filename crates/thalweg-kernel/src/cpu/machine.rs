//! The machine: a list of calls, prepared to be run again and again.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::contract::{self, Contraction};
use super::copy::{Copy, Fill, Iota, LoadIndex};
use super::fused;
use super::index::{OneHot, Rows};
use super::max_index::{self, MaxIndex};
use super::memory::{Arena, Memory, Needs, Places, Scratch, SpaceSizes};
use super::parts::{self, Parts};
use super::plan;
use super::product::Product;
use super::uniform::Uniform;
use crate::call::{Call, CallList, Fused, Labels, View};
use crate::simd::{Level, dispatch};
use crate::{Real, Window};

/// Work on calls that is compiled here, once for each precision, and not again in every crate that has a machine.
pub trait Compiled: Sized {
    /// Plans a call.
    fn prepare(call: &Call, places: &Places<'_>, needs: &mut Needs, prepared: &mut Calls);

    /// Runs calls one after another.
    fn run(calls: &Calls, which: Range<usize>, memory: &mut Memory<'_, Self>);
}

macro_rules! compiled {
    ($($precision:ty)*) => {
        $(impl Compiled for $precision {
            fn prepare(call: &Call, places: &Places<'_>, needs: &mut Needs, prepared: &mut Calls) {
                prepare::<Self>(call, places, needs, &mut prepared.0);
            }

            fn run(calls: &Calls, which: Range<usize>, memory: &mut Memory<'_, Self>) {
                for call in &calls.0[which] {
                    run(call, memory);
                }
            }
        })*
    };
}
compiled!(f32 f64);

/// Machines made so far.
static MADE: AtomicU64 = AtomicU64::new(0);

/// Calls, planned.
#[derive(Clone, Debug)]
pub struct Calls(Vec<Prepared>);

/// A call, planned.
#[derive(Clone, Debug)]
enum Prepared {
    Fused(Box<fused::Plan>),
    Product(Box<Product>),
    Parts(Box<Parts>),
    Copy(Box<Copy>),
    Fill(Box<Fill>),
    Iota(Iota),
    Uniform(Box<Uniform>),
    LoadIndex(LoadIndex),
    Gather(Box<Rows>),
    ScatterAdd(Box<Rows>),
    OneHot(Box<OneHot>),
    MaxIndex(Box<MaxIndex>),
}

/// Calls between two sums over evaluations.
#[derive(Clone, Debug, Default)]
struct Phase {
    calls: Range<usize>,
    /// Elements of the arena that are summed after them.
    summed: Vec<Range<usize>>,
}

/// A list of calls, prepared for one precision. Immutable: threads share it, each with a [`Scratch`] of its own,
/// and an [`Arena`] for each evaluation.
///
/// A result is a function of the machine and the inputs: it does not depend on the thread, on what arena and scratch held
/// before, or on how the caller's slices are aligned.
///
/// A list with [`Call::AllReduce`] falls into phases. Where several evaluations run together, each runs a
/// [phase](Self::run_phase); then what they [sum](Self::summed) is added up and written to each of their arenas; then
/// each runs the next phase.
#[derive(Clone, Debug)]
pub struct Machine<T: Real> {
    prepared: Calls,
    phases: Vec<Phase>,
    sizes: SpaceSizes,
    needs: Needs,
    level: Level,
    id: u64,
    precision: PhantomData<T>,
}

impl<T: Real> Machine<T> {
    /// Plans every call.
    ///
    /// The destination of a call may share no element with what the call reads, save that a store of a fused call
    /// may have the very layout of a load (an update in place).
    ///
    /// # Panics
    /// If the list is malformed: a view outside of its buffer, a write to an input, shapes or labels that do not
    /// fit, a value used before it is made. A compiler that emits such a list is at fault, not its input.
    pub fn new(list: &CallList) -> Self {
        Self::with_level(list, Level::current())
    }

    /// The same for whoever has threads to spare: products that are large enough are cut into so many parts, for the threads of
    /// the caller's pool. Bits do not depend on it.
    #[must_use]
    pub fn in_parts(self, most: usize) -> Self {
        self.cut(most, parts::WORTH)
    }

    /// Whether any product is cut.
    pub fn is_in_parts(&self) -> bool {
        self.prepared.0.iter().any(|call| matches!(call, Prepared::Parts(_)))
    }

    pub(crate) fn cut(mut self, most: usize, worth: usize) -> Self {
        for call in &mut self.prepared.0 {
            let Prepared::Product(product) = call else { continue };
            if let Some(parts) = Parts::of(product, most, worth) {
                self.needs.workspace = self.needs.workspace.max(parts.workspace);
                *call = Prepared::Parts(Box::new(parts));
            }
        }
        // Its scratch memory has another size now.
        self.id = MADE.fetch_add(1, Ordering::Relaxed);
        self
    }

    pub(crate) fn with_level(list: &CallList, level: Level) -> Self {
        let places = Places(list);
        let mut needs = Needs::default();
        let mut prepared = Calls(Vec::with_capacity(list.calls.len()));
        let mut phases = vec![Phase::default()];
        for call in &list.calls {
            if let Call::AllReduce { from, to } = call {
                let to = places.destination(to);
                assert!(
                    places.is_arena(&to) && to.layout.is_contiguous(),
                    "a sum lies dense in the arena: {to:?}"
                );
                let copy = Copy::new(&places.source(from), &to);
                prepared.0.extend(copy.map(|copy| Prepared::Copy(Box::new(copy))));
                let phase = phases.last_mut().expect("there is a first phase");
                phase.summed.push(to.layout.offset..to.layout.offset + to.layout.len());
                phase.calls.end = prepared.0.len();
                continue;
            }
            if let Some(Phase { calls, summed }) = phases.last()
                && !summed.is_empty()
            {
                let calls = calls.end..calls.end;
                phases.push(Phase { calls, summed: Vec::new() });
            }
            T::prepare(call, &places, &mut needs, &mut prepared);
            if let Some(phase) = phases.last_mut() {
                phase.calls.end = prepared.0.len();
            }
        }
        let sizes = SpaceSizes {
            inputs: list.inputs.clone(),
            indices: list.indices.clone(),
            outputs: list.outputs.clone(),
            arena: list.arena,
            scratch: list.scratch,
        };
        let id = MADE.fetch_add(1, Ordering::Relaxed);
        Self { prepared, phases, sizes, needs, level, id, precision: PhantomData }
    }

    /// Memory for what one evaluation keeps.
    pub fn arena(&self) -> Arena<T> {
        Arena::new(self.sizes.arena, self.id)
    }

    /// Working memory for one run at a time of this machine.
    pub fn scratch(&self) -> Scratch<T> {
        Scratch::new(&self.sizes, &self.needs, self.id)
    }

    /// Evaluates: reads the inputs, writes the outputs. Allocates nothing.
    ///
    /// # Panics
    /// If a slice has not the length that the list states for its slot, or if `arena` or `scratch` was made by another
    /// machine.
    pub fn run(
        &self,
        arena: &mut Arena<T>,
        scratch: &mut Scratch<T>,
        inputs: &[&[T]],
        indices: &[&[i32]],
        outputs: &mut [&mut [T]],
    ) {
        self.run_calls(0..self.prepared.0.len(), arena, scratch, inputs, indices, outputs);
    }

    /// Number of phases; at least 1.
    pub fn phases(&self) -> usize {
        self.phases.len()
    }

    /// One phase of an evaluation, with the same arena and arguments each time.
    ///
    /// # Panics
    /// As [`run`](Self::run), and if there is no such phase.
    pub fn run_phase(
        &self,
        phase: usize,
        arena: &mut Arena<T>,
        scratch: &mut Scratch<T>,
        inputs: &[&[T]],
        indices: &[&[i32]],
        outputs: &mut [&mut [T]],
    ) {
        self.run_calls(self.phases[phase].calls.clone(), arena, scratch, inputs, indices, outputs);
    }

    /// What is summed over evaluations after a phase: among [`Arena::elements_mut`].
    ///
    /// # Panics
    /// If there is no such phase.
    pub fn summed(&self, phase: usize) -> &[Range<usize>] {
        &self.phases[phase].summed
    }

    /// Elements of an arena.
    pub fn arena_len(&self) -> usize {
        self.sizes.arena
    }

    fn run_calls(
        &self,
        calls: Range<usize>,
        arena: &mut Arena<T>,
        scratch: &mut Scratch<T>,
        inputs: &[&[T]],
        indices: &[&[i32]],
        outputs: &mut [&mut [T]],
    ) {
        assert_eq!(arena.owner, self.id, "this arena was made by another machine");
        assert_eq!(scratch.owner, self.id, "this scratch was made by another machine");
        let sizes = &self.sizes;
        check("input", &sizes.inputs, inputs.len(), |i| inputs[i].len());
        check("index", &sizes.indices, indices.len(), |i| indices[i].len());
        check("output", &sizes.outputs, outputs.len(), |i| outputs[i].len());
        let mut memory = scratch.memory(arena, inputs, indices, outputs, self.level);
        T::run(&self.prepared, calls, &mut memory);
    }
}

fn check(what: &str, expected: &[usize], found: usize, length: impl Fn(usize) -> usize) {
    assert_eq!(expected.len(), found, "number of {what} slices");
    for (i, &size) in expected.iter().enumerate() {
        assert_eq!(size, length(i), "length of {what} slice {i}");
    }
}

fn prepare<T: Real>(call: &Call, places: &Places<'_>, needs: &mut Needs, prepared: &mut Vec<Prepared>) {
    match call {
        Call::Contract { a, b, out, labels, adds } => {
            prepare_contraction::<T>([a, b, out], labels, &[], *adds, places, needs, prepared);
        }
        Call::Convolve { a, b, out, labels, windows, adds } => {
            prepare_contraction::<T>([a, b, out], labels, windows, *adds, places, needs, prepared);
        }
        Call::Fused(fused) => prepare_fused::<T>(fused, places, needs, prepared),
        Call::Copy { from, to } => {
            let copy = Copy::new(&places.source(from), &places.destination(to));
            prepared.extend(copy.map(|copy| Prepared::Copy(Box::new(copy))));
        }
        Call::AllReduce { .. } => unreachable!("a sum over evaluations ends a phase"),
        Call::Fill { value, to } => {
            let fill = Fill::new(*value, &places.destination(to));
            prepared.extend(fill.map(|fill| Prepared::Fill(Box::new(fill))));
        }
        Call::Iota { to } => prepared.extend(Iota::new(&places.destination(to)).map(Prepared::Iota)),
        Call::Uniform { keys, out, stream } => {
            let uniform = Uniform::new(&places.source(keys), &places.destination(out), *stream);
            prepared.extend(uniform.map(|uniform| Prepared::Uniform(Box::new(uniform))));
        }
        Call::LoadIndex { slot, to } => {
            let load = LoadIndex::new(*slot, &places.0.indices, &places.destination(to));
            prepared.push(Prepared::LoadIndex(load));
        }
        Call::Gather { table, index, out, batch } => {
            let rows =
                Rows::new(&places.source(table), &places.source(index), &places.destination(out), *batch);
            prepared.extend(rows.map(|rows| Prepared::Gather(Box::new(rows))));
        }
        Call::ScatterAdd { rows, index, out, batch } => {
            let out = places.destination(out);
            prepared.extend(Fill::new(0, &out).map(|fill| Prepared::Fill(Box::new(fill))));
            let rows = Rows::new(&out, &places.source(index), &places.source(rows), *batch);
            prepared.extend(rows.map(|rows| Prepared::ScatterAdd(Box::new(rows))));
        }
        Call::OneHot { index, out } => {
            let one_hot = OneHot::new(&places.source(index), &places.destination(out));
            prepared.extend(one_hot.map(|one_hot| Prepared::OneHot(Box::new(one_hot))));
        }
        Call::MaxIndex { from, out, windows } => {
            let plan = MaxIndex::new(&places.source(from), &places.destination(out), windows);
            prepared.extend(plan.map(|plan| Prepared::MaxIndex(Box::new(plan))));
        }
    }
}

fn prepare_contraction<T: Real>(
    [a, b, out]: [&View; 3],
    labels: &Labels,
    windows: &[([u8; 3], Window)],
    adds: bool,
    places: &Places<'_>,
    needs: &mut Needs,
    prepared: &mut Vec<Prepared>,
) {
    let at = [&places.source(a), &places.source(b), &places.destination(out)];
    match contract::plan([a, b, out], at, labels, windows, adds) {
        Contraction::Nothing => {}
        Contraction::Zero => {
            prepared.extend(Fill::new(0, at[2]).map(|fill| Prepared::Fill(Box::new(fill))));
        }
        Contraction::Fused(fused) => prepare_fused::<T>(&fused, places, needs, prepared),
        Contraction::Product(product) => prepare_product(product, needs, prepared),
    }
}

fn prepare_product(product: Box<Product>, needs: &mut Needs, prepared: &mut Vec<Prepared>) {
    let workspace = match prepared.last_mut() {
        Some(Prepared::Product(last)) if last.can_join(&product) => {
            last.join(&product);
            last.workspace()
        }
        _ => {
            let workspace = product.workspace();
            prepared.push(Prepared::Product(product));
            workspace
        }
    };
    needs.workspace = needs.workspace.max(workspace);
}

fn prepare_fused<T: Real>(
    fused: &Fused,
    places: &Places<'_>,
    needs: &mut Needs,
    prepared: &mut Vec<Prepared>,
) {
    match plan::plan::<T>(fused, places, needs) {
        Some(plan) => prepared.push(Prepared::Fused(Box::new(plan))),
        None => {
            let fills = plan::empty_results(fused, places).into_iter();
            prepared.extend(
                fills.filter_map(|(to, bits)| Fill::new(bits, &to)).map(Box::new).map(Prepared::Fill),
            );
        }
    }
}

#[inline]
fn run<T: Real>(call: &Prepared, memory: &mut Memory<'_, T>) {
    match call {
        Prepared::Fused(plan) => dispatch(memory.level, fused::Run { plan, memory }),
        Prepared::Product(product) => product.run(memory),
        Prepared::Parts(parts) => parts.run(memory),
        Prepared::Copy(copy) => copy.run(memory),
        Prepared::Fill(fill) => fill.run(memory),
        Prepared::Iota(iota) => iota.run(memory),
        Prepared::Uniform(uniform) => uniform.run(memory),
        Prepared::LoadIndex(load) => load.run(memory),
        Prepared::Gather(rows) => rows.gather(memory),
        Prepared::ScatterAdd(rows) => rows.scatter_add(memory),
        Prepared::OneHot(one_hot) => one_hot.run(memory),
        Prepared::MaxIndex(plan) => dispatch(memory.level, max_index::Run { plan, memory }),
    }
}
