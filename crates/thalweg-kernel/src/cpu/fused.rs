//! Fused elementwise chains: an interpreter over blocks that stay in the first-level cache.
//!
//! The iteration space is cut into tiles of about 4 KiB a value. For each tile the interpreter walks the tape;
//! each instruction is one loop that LLVM has vectorised, so the cost of deciding what to do next is paid once a
//! tile. Operands that lie densely in memory are used there, others (broadcasts, transposes) are gathered first;
//! the last instruction before a store writes to memory itself.
//!
//! The design that lost is compiling each tape to machine code. It would save the trips of intermediate values to
//! the first-level cache, about a third of the time of a cheap chain that lies in cache and nothing of one that
//! does not, at the price of a code generator for each target, a warm-up for each program, and memory that is both
//! writable and executable.
#![expect(unsafe_code, reason = "follows plans whose views were checked against their buffers")]

use super::axes::{MAX_AXES, advance, position};
use super::memory::{Memory, block_stride};
use super::reduce::{Group, reduce_tile};
use super::tape::{Op, apply};
use super::tile::Stream;
use crate::Real;
use crate::call::ReductionKind;
use crate::simd::{Isa, Kernel};

/// A fused call, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Tiles along each loop, outermost first.
    pub(crate) loops: Vec<usize>,
    /// The loop along the chunked axis.
    pub(crate) chunk: usize,
    /// Rows of a tile.
    pub(crate) rows: usize,
    /// Rows of the last tile along the chunked axis.
    pub(crate) rows_last: usize,
    /// Elements of a row.
    pub(crate) inner: usize,
    /// Block buffers in use.
    pub(crate) registers: usize,
    /// The one of them that holds a tile's reduction.
    pub(crate) partial: usize,
    /// Constants of the machine's pool that the tape names.
    pub(crate) constants: Vec<usize>,
    /// Loads used in place.
    pub(crate) direct_loads: Vec<Stream>,
    /// Stores computed in place.
    pub(crate) direct_stores: Vec<Stream>,
    /// Loads that are gathered into a block buffer.
    pub(crate) gathers: Vec<Gather>,
    /// The tape; whether all operands are block buffers, so that a length may be rounded up.
    pub(crate) ops: Vec<(Op, bool)>,
    /// Slots that are stored, and where.
    pub(crate) copies: Vec<(usize, Stream)>,
    /// Slots that are reduced.
    pub(crate) reductions: Vec<Reduced>,
}

/// A load that is copied into a block buffer.
#[derive(Clone, Debug)]
pub(crate) struct Gather {
    pub(crate) register: usize,
    /// Whether nothing else uses the buffer, so that it need be filled only when the load moves on.
    pub(crate) pinned: bool,
    pub(crate) from: Stream,
}

/// A reduction, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Reduced {
    pub(crate) kind: ReductionKind,
    /// Slot that is reduced.
    pub(crate) value: usize,
    /// The tile's axes, kept and reduced in turn.
    pub(crate) groups: Vec<Group>,
    /// The destination, met by the kept part of a tile.
    pub(crate) to: Stream,
    /// How it goes on from tile to tile, if it does.
    pub(crate) across: Option<Accumulation>,
}

/// Results that several tiles add to: held in double precision, whatever the program's precision, until complete.
#[derive(Clone, Debug)]
pub(crate) struct Accumulation {
    /// Where among the accumulators, and how many.
    pub(crate) start: usize,
    pub(crate) size: usize,
    /// The results are complete when the loops from this one on have come round.
    pub(crate) first: usize,
    /// Accumulators from tile to tile along each loop.
    pub(crate) loops: Vec<usize>,
    /// The open results' axes, with their strides among the accumulators and in the destination.
    pub(crate) extents: Vec<usize>,
    pub(crate) open: Vec<usize>,
    pub(crate) strides: Vec<usize>,
    /// Which of them is a single tile's rows.
    pub(crate) rows_dimension: Option<usize>,
}

impl Plan {
    /// Pointers that a run keeps: block buffers, constants, loads in place, stores in place.
    pub(crate) fn slots(&self) -> usize {
        self.registers + self.constants.len() + self.direct_loads.len() + self.direct_stores.len()
    }
}

/// One run of a plan.
pub(crate) struct Run<'a, 'b, T> {
    pub(crate) plan: &'a Plan,
    pub(crate) memory: &'a mut Memory<'b, T>,
}

impl<T: Real> Kernel for Run<'_, '_, T> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let (plan, memory) = (self.plan, self.memory);
        let constants = plan.registers;
        let direct_loads = constants + plan.constants.len();
        let direct_stores = direct_loads + plan.direct_loads.len();
        // SAFETY (all blocks): the planner counted registers, constants, slots and accumulators into the scratch's
        // size and checked every view; tiles stay inside the views.
        for r in 0..plan.registers {
            memory.slots[r] = unsafe { memory.registers.add(r * block_stride::<T>()) };
        }
        for (i, &constant) in plan.constants.iter().enumerate() {
            memory.slots[constants + i] = unsafe { memory.constants.add(constant * block_stride::<T>()) };
        }
        let loops = plan.loops.len();
        let mut counter = [0; MAX_AXES];
        let mut first = true;
        loop {
            let at = &counter[..loops];
            let last = at[plan.chunk] + 1 == plan.loops[plan.chunk];
            let rows = if last { plan.rows_last } else { plan.rows };
            let n = rows * plan.inner;
            for (i, load) in plan.direct_loads.iter().enumerate() {
                memory.slots[direct_loads + i] = unsafe { memory.at(load.buffer, load.start(at)) };
            }
            for (i, store) in plan.direct_stores.iter().enumerate() {
                memory.slots[direct_stores + i] = unsafe { memory.at(store.buffer, store.start(at)) };
            }
            for gather in &plan.gathers {
                // A pinned load moves exactly when a loop that it follows does; it was filled with full tiles
                // first, so a shorter last tile finds its beginning there.
                if first || !gather.pinned || moved(&gather.from.loops, at) {
                    unsafe {
                        let from = memory.at(gather.from.buffer, gather.from.start(at));
                        gather.from.gather(from, memory.slots[gather.register], rows);
                    }
                }
            }
            let rounded = n.next_multiple_of(16);
            for &(op, padded) in &plan.ops {
                unsafe { apply::<I, T>(op, memory.slots, if padded { rounded } else { n }) };
            }
            for (slot, to) in &plan.copies {
                unsafe { to.scatter(memory.slots[*slot], memory.at(to.buffer, to.start(at)), rows) };
            }
            for reduction in &plan.reductions {
                unsafe { reduce::<T>(reduction, plan, memory, at, rows) };
            }
            first = false;
            if !advance(&mut counter[..loops], &plan.loops) {
                break;
            }
        }
    }
}

/// Whether the last step of the loops changed the position of a load with these strides.
#[inline(always)]
fn moved(strides: &[usize], counter: &[usize]) -> bool {
    // The step set all counters behind the one it raised to 0.
    let raised = counter.iter().rposition(|&c| c != 0).unwrap_or(0);
    strides[raised..].iter().any(|&s| s != 0)
}

/// Adds one tile to a reduction.
///
/// # Safety
/// The plan's counts and views were checked.
#[inline(always)]
unsafe fn reduce<T: Real>(
    reduction: &Reduced,
    plan: &Plan,
    memory: &Memory<'_, T>,
    at: &[usize],
    rows: usize,
) {
    // SAFETY (all blocks): as the caller's.
    let values = memory.slots[reduction.value].cast_const();
    let kept: usize = reduction
        .groups
        .iter()
        .filter(|g| g.kept)
        .map(|g| g.extent * if g.rows { rows } else { 1 })
        .product();
    let kept_rows = if reduction.groups[0].kept { rows } else { 1 };
    let block = memory.slots[plan.partial];
    let to = &reduction.to;
    let Some(across) = &reduction.across else {
        unsafe {
            let end = memory.at(to.buffer, to.start(at));
            let partial = if to.dense { end } else { block };
            reduce_tile(reduction.kind, &reduction.groups, values, partial, rows);
            if !to.dense {
                to.scatter(partial, end, kept_rows);
            }
        }
        return;
    };
    let partial = if reduction.groups.iter().all(|g| g.kept) {
        values
    } else {
        unsafe { reduce_tile(reduction.kind, &reduction.groups, values, block, rows) };
        block.cast_const()
    };
    let open = unsafe { memory.accumulators.add(across.start) };
    let inner = &at[across.first..];
    let nothing = match reduction.kind {
        ReductionKind::Sum => 0.0,
        ReductionKind::Max => f64::NEG_INFINITY,
    };
    if inner.iter().all(|&c| c == 0) {
        for i in 0..across.size {
            unsafe { *open.add(i) = nothing };
        }
    }
    let sums = unsafe { open.add(position(at, &across.loops)) };
    for i in 0..kept {
        unsafe {
            let value = (*partial.add(i)).to_f64();
            let sum = sums.add(i);
            *sum = match reduction.kind {
                ReductionKind::Sum => *sum + value,
                ReductionKind::Max => super::tape::maximum(*sum, value),
            };
        }
    }
    if inner.iter().zip(&plan.loops[across.first..]).all(|(&c, &extent)| c + 1 == extent) {
        unsafe { close(across, to, plan, memory, at, rows) };
    }
}

/// Writes complete results to their destination.
///
/// # Safety
/// As `reduce`.
#[inline(always)]
unsafe fn close<T: Real>(
    across: &Accumulation,
    to: &Stream,
    plan: &Plan,
    memory: &Memory<'_, T>,
    at: &[usize],
    rows: usize,
) {
    let done = to.offset + position(&at[..across.first], &to.loops[..across.first]);
    let dimensions = across.extents.len();
    let mut extents = [0; MAX_AXES];
    extents[..dimensions].copy_from_slice(&across.extents);
    if let Some(d) = across.rows_dimension {
        extents[d] = rows.min(plan.rows);
    }
    let extents = &extents[..dimensions];
    let outer = dimensions.saturating_sub(1);
    let (run, stride) = if dimensions == 0 { (1, 0) } else { (extents[outer], across.strides[outer]) };
    let mut counter = [0; MAX_AXES];
    loop {
        let counters = &counter[..outer];
        // SAFETY: positions among the accumulators stay below `size`, those in the destination in the view. The
        // innermost of the open axes is dense.
        unsafe {
            let from = memory.accumulators.add(across.start + position(counters, &across.open[..outer]));
            let end = memory.at(to.buffer, done + position(counters, &across.strides[..outer]));
            for i in 0..run {
                *end.add(i * stride) = T::from_f64(*from.add(i));
            }
        }
        if !advance(&mut counter[..outer], &extents[..outer]) {
            break;
        }
    }
}
