//! Planning of a fused call: loops, tiles, block buffers.

use super::axes::{Axis, axes, merged};
use super::fused::{Accumulation, Gather, Plan, Reduced};
use super::memory::{Needs, Place, Places, assert_countable, block};
use super::reduce::Group;
use super::tape::Op;
use super::tile::Stream;
use crate::call::{Fused, Instruction, ReductionKind};
use crate::{Layout, Real};

/// A value of the tape, once it is known where it lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    Nowhere,
    /// A block buffer.
    Register(usize),
    /// The repeated constant of this number in the machine's pool.
    Constant(usize),
    /// In place in the memory of this load.
    Load(usize),
    /// In place in the memory of this store.
    Store(usize),
}

/// How the iteration space is cut.
struct Cut {
    /// Loops, outermost first: the axis that each walks, `inside` excepted.
    loops: Vec<usize>,
    /// Which of the loops is the chunked axis.
    chunk: usize,
    /// Rows of a tile and of the last one.
    rows: usize,
    rows_last: usize,
    /// First axis that lies whole inside the tile.
    inside: usize,
}

/// Prepares a fused call whose iteration space has elements. (`None` where it has none; then only the destinations
/// of reductions are written, with what the reduction of nothing is.)
pub(crate) fn plan<T: Real>(fused: &Fused, places: &Places<'_>, needs: &mut Needs) -> Option<Plan> {
    let shape = &fused.shape;
    let fits =
        |layout: &Layout| assert_eq!(&layout.shape, shape, "a view of another shape than its fused call");
    let loads: Vec<Place> = fused.loads.iter().map(|view| places.source(view)).collect();
    let stores: Vec<Place> = fused.stores.iter().map(|store| places.destination(&store.to)).collect();
    let results: Vec<Place> =
        fused.reductions.iter().map(|reduction| places.destination(&reduction.to)).collect();
    assert!(results.len() <= 64, "{} reductions in one fused call, at most 64 can be", results.len());
    for place in loads.iter().chain(&stores).chain(&results) {
        fits(&place.layout);
    }
    check_values(fused);
    assert_countable(shape);
    if shape.contains(&0) {
        return None;
    }

    let space = common_axes(fused, &loads, &stores, &results);
    let cut = cut::<T>(&space);
    let stream = |place: &Place, number: usize| {
        let stride = |axis: usize| space[axis].strides[number];
        let loops = (0..cut.loops.len())
            .map(|l| stride(cut.loops[l]) * if l == cut.chunk { cut.rows } else { 1 })
            .collect();
        let inside = space[cut.inside..].iter().map(|axis| (axis.extent, axis.strides[number]));
        let row = (stride(cut.loops[cut.chunk]), cut.rows);
        Stream::new((place.buffer, place.layout.offset), loops, row, inside)
    };
    let numbered = |places: &[Place], first: usize| -> Vec<Stream> {
        places.iter().enumerate().map(|(i, place)| stream(place, first + i)).collect()
    };
    let load_streams = numbered(&loads, 0);
    let store_streams = numbered(&stores, loads.len());
    let extents: Vec<usize> = cut
        .loops
        .iter()
        .enumerate()
        .map(
            |(l, &axis)| {
                if l == cut.chunk { space[axis].extent.div_ceil(cut.rows) } else { space[axis].extent }
            },
        )
        .collect();

    // A store can be written in place if its tiles are dense and nothing that is still to be read lies there.
    let in_place = |s: usize| {
        let others = loads
            .iter()
            .chain(&results)
            .chain(stores.iter().enumerate().filter(|&(o, _)| o != s).map(|o| o.1));
        store_streams[s].dense && others.into_iter().all(|other| !stores[s].meets(other))
    };
    let mut tape = Allocation::new(fused, &load_streams, &extents, in_place, needs);
    tape.allocate(fused);
    let partial = tape.fresh();
    let registers = tape.registers;

    // Slots: block buffers, constants, loads in place, stores in place.
    let constants: Vec<usize> = tape.constants.clone();
    let direct_loads: Vec<usize> =
        (0..loads.len()).filter(|&i| tape.homes[i] == Home::Load(i) && tape.last_use[i].is_some()).collect();
    let direct_stores: Vec<usize> =
        (0..stores.len()).filter(|&s| tape.homes.contains(&Home::Store(s))).collect();
    let slot = |home: Home| -> usize {
        let at = |list: &[usize], x: usize| {
            list.iter().position(|&y| y == x).expect("every home of a value that is used has a slot")
        };
        match home {
            Home::Register(r) => r,
            Home::Constant(c) => registers + at(&constants, c),
            Home::Load(i) => registers + constants.len() + at(&direct_loads, i),
            Home::Store(s) => registers + constants.len() + direct_loads.len() + at(&direct_stores, s),
            Home::Nowhere => unreachable!("a value that is used has a home"),
        }
    };
    let homes = &tape.homes;
    let values = fused.loads.len() + fused.constants.len();
    let mut ops = Vec::new();
    for (i, instruction) in fused.tape.iter().enumerate() {
        if tape.last_use[values + i].is_none() {
            continue;
        }
        let to = homes[values + i];
        let operands = operands(instruction);
        let padded = operands
            .iter()
            .chain([&(values + i)])
            .all(|&v| matches!(homes[v], Home::Register(_) | Home::Constant(_)));
        let op = match *instruction {
            Instruction::Unary(f, a) => Op::Unary(f, slot(to), slot(homes[a])),
            Instruction::Binary(f, a, b) => Op::Binary(f, slot(to), slot(homes[a]), slot(homes[b])),
            Instruction::Select(c, a, b) => {
                Op::Select(slot(to), slot(homes[c]), slot(homes[a]), slot(homes[b]))
            }
        };
        ops.push((op, padded));
    }
    let gathers = (0..loads.len())
        .filter_map(|i| match homes[i] {
            Home::Register(r) if tape.last_use[i].is_some() => {
                Some(Gather { register: r, pinned: tape.pinned[i], from: load_streams[i].clone() })
            }
            _ => None,
        })
        .collect();
    let copies = (0..stores.len())
        .filter(|&s| homes[fused.stores[s].value] != Home::Store(s))
        .map(|s| (slot(homes[fused.stores[s].value]), store_streams[s].clone()))
        .collect();
    let mut accumulators = 0;
    let reductions = (0..results.len())
        .map(|r| {
            let number = loads.len() + stores.len() + r;
            Reduced {
                kind: fused.reductions[r].kind,
                value: slot(homes[fused.reductions[r].value]),
                groups: groups(&space, &cut, r),
                to: kept_stream(&space, &cut, &results[r], r, number),
                across: accumulation(&space, &cut, &extents, r, number, &mut accumulators),
            }
        })
        .collect();

    needs.registers = needs.registers.max(registers);
    needs.accumulators = needs.accumulators.max(accumulators);
    let plan = Plan {
        loops: extents,
        chunk: cut.chunk,
        rows: cut.rows,
        rows_last: cut.rows_last,
        inner: space[cut.inside..].iter().map(|axis| axis.extent).product(),
        registers,
        partial,
        constants,
        direct_loads: direct_loads.iter().map(|&i| load_streams[i].clone()).collect(),
        direct_stores: direct_stores.iter().map(|&s| store_streams[s].clone()).collect(),
        gathers,
        ops,
        copies,
        reductions,
    };
    needs.slots = needs.slots.max(plan.slots());
    Some(plan)
}

/// The fills that stand for a fused call over nothing: each reduction's destination and its number as bits.
pub(crate) fn empty_results(fused: &Fused, places: &Places<'_>) -> Vec<(Place, u64)> {
    fused
        .reductions
        .iter()
        .map(|reduction| {
            let mut place = places.destination(&reduction.to);
            let keep = |of: &[usize]| -> Vec<usize> {
                of.iter().zip(&reduction.reduced).filter(|&(_, &reduced)| !reduced).map(|(&x, _)| x).collect()
            };
            place.layout.strides = keep(&place.layout.strides);
            place.layout.shape = keep(&place.layout.shape);
            let nothing = match reduction.kind {
                ReductionKind::Sum => 0.0f64,
                ReductionKind::Max => f64::NEG_INFINITY,
            };
            (place, nothing.to_bits())
        })
        .collect()
}

fn operands(instruction: &Instruction) -> Vec<usize> {
    match *instruction {
        Instruction::Unary(_, a) => vec![a],
        Instruction::Binary(_, a, b) => vec![a, b],
        Instruction::Select(c, a, b) => vec![c, a, b],
    }
}

/// Every value is named after it is made.
fn check_values(fused: &Fused) {
    let leaves = fused.loads.len() + fused.constants.len();
    for (i, instruction) in fused.tape.iter().enumerate() {
        for value in operands(instruction) {
            assert!(value < leaves + i, "instruction {i} names value {value}, which is not made yet");
        }
    }
    let ends = fused.stores.iter().map(|s| s.value).chain(fused.reductions.iter().map(|r| r.value));
    for value in ends {
        assert!(value < leaves + fused.tape.len(), "value {value} of a fused call does not exist");
    }
    for reduction in &fused.reductions {
        assert_eq!(reduction.reduced.len(), fused.shape.len(), "one flag an axis says what is reduced");
    }
}

/// The iteration space with every view's strides, merged, the axes of small strides inside.
fn common_axes(fused: &Fused, loads: &[Place], stores: &[Place], results: &[Place]) -> Vec<Axis> {
    let strides: Vec<&[usize]> =
        loads.iter().chain(stores).chain(results).map(|place| place.layout.strides.as_slice()).collect();
    let mut space = axes(&fused.shape, &strides);
    let first_result = loads.len() + stores.len();
    for (i, axis) in space.iter_mut().enumerate() {
        for (r, reduction) in fused.reductions.iter().enumerate() {
            if reduction.reduced[i] {
                axis.tag |= 1 << r;
                axis.strides[first_result + r] = 0;
            }
        }
    }
    // The memory decides the order of the walk, not the order in which the program lists its axes. Stores count
    // twice: a strided store is dearer than a strided load. The sort is stable.
    let reach = |axis: &Axis| {
        let (read, rest) = axis.strides.split_at(loads.len());
        let written = &rest[..stores.len()];
        read.iter().sum::<usize>() + 2 * written.iter().sum::<usize>()
    };
    space.retain(|axis| axis.extent != 1);
    space.sort_by_key(|axis| std::cmp::Reverse(reach(axis)));
    let mut space = merged(space);
    if space.is_empty() {
        space.push(Axis { extent: 1, strides: vec![0; strides.len()], tag: 0 });
    }
    space
}

/// Tiles of about a block: as many inner axes as fit, and some rows of the next.
fn cut<T: Real>(space: &[Axis]) -> Cut {
    let (mut inside, mut inner) = (space.len(), 1);
    while inside > 1 && inner * space[inside - 1].extent <= block::<T>() {
        inside -= 1;
        inner *= space[inside].extent;
    }
    let chunked = inside - 1;
    let extent = space[chunked].extent;
    let most = (block::<T>() / inner).max(1);
    // Equal tiles, and lengths that are whole vectors where that is possible.
    let mut rows = extent.div_ceil(extent.div_ceil(most));
    let whole = 32 >> inner.trailing_zeros().min(5);
    if rows < extent && rows.next_multiple_of(whole) <= most {
        rows = rows.next_multiple_of(whole);
    }
    let rows_last = extent - (extent.div_ceil(rows) - 1) * rows;
    // Loops that no reduction runs along go outermost: the sums that are open at a time are then few.
    let mut loops: Vec<usize> = (0..=chunked).collect();
    loops.sort_by_key(|&axis| space[axis].tag != 0);
    let chunk = loops.iter().position(|&axis| axis == chunked).unwrap_or(0);
    Cut { loops, chunk, rows, rows_last, inside }
}

/// The tile's axes as alternating runs of kept and reduced ones.
fn groups(space: &[Axis], cut: &Cut, reduction: usize) -> Vec<Group> {
    let kept = |axis: &Axis| axis.tag >> reduction & 1 == 0;
    let chunked = &space[cut.inside - 1];
    let mut groups = vec![Group { extent: 1, rows: true, kept: kept(chunked) }];
    for axis in &space[cut.inside..] {
        match groups.last_mut() {
            Some(last) if last.kept == kept(axis) => last.extent *= axis.extent,
            _ => groups.push(Group { extent: axis.extent, rows: false, kept: kept(axis) }),
        }
    }
    groups
}

/// The destination of a reduction, met by the kept part of each tile.
fn kept_stream(space: &[Axis], cut: &Cut, place: &Place, reduction: usize, number: usize) -> Stream {
    let kept = |axis: &&Axis| axis.tag >> reduction & 1 == 0;
    let loops = (0..cut.loops.len())
        .map(|l| space[cut.loops[l]].strides[number] * if l == cut.chunk { cut.rows } else { 1 })
        .collect();
    let chunked = &space[cut.inside - 1];
    let rows = if kept(&chunked) { cut.rows } else { 1 };
    let inside = space[cut.inside..].iter().filter(kept).map(|axis| (axis.extent, axis.strides[number]));
    Stream::new((place.buffer, place.layout.offset), loops, (chunked.strides[number], rows), inside)
}

/// How a reduction goes on from tile to tile; `None` if each tile completes its results.
fn accumulation(
    space: &[Axis],
    cut: &Cut,
    extents: &[usize],
    reduction: usize,
    number: usize,
    accumulators: &mut usize,
) -> Option<Accumulation> {
    let kept = |axis: usize| space[axis].tag >> reduction & 1 == 0;
    let first = (0..cut.loops.len()).find(|&l| !kept(cut.loops[l]) && extents[l] > 1)?;
    let chunked = cut.inside - 1;
    // Dimensions of the open results: kept loops from `first` on, the chunked axis, the kept axes inside.
    let mut dimensions: Vec<(usize, usize)> = Vec::new();
    let mut loop_of = Vec::new();
    for l in first..cut.loops.len() {
        if l != cut.chunk && kept(cut.loops[l]) {
            dimensions.push((extents[l], space[cut.loops[l]].strides[number]));
            loop_of.push(Some(l));
        }
    }
    let mut rows_dimension = None;
    if kept(chunked) {
        let whole = cut.chunk >= first;
        if !whole {
            rows_dimension = Some(dimensions.len());
        }
        let extent = if whole { space[chunked].extent } else { cut.rows };
        dimensions.push((extent, space[chunked].strides[number]));
        loop_of.push(whole.then_some(cut.chunk));
    }
    for axis in &space[cut.inside..] {
        if axis.tag >> reduction & 1 == 0 {
            dimensions.push((axis.extent, axis.strides[number]));
            loop_of.push(None);
        }
    }
    let mut loops = vec![0; cut.loops.len()];
    let mut open = vec![0; dimensions.len()];
    let mut size = 1;
    for (d, &(extent, _)) in dimensions.iter().enumerate().rev() {
        if let Some(l) = loop_of[d] {
            loops[l] = size * if l == cut.chunk { cut.rows } else { 1 };
        }
        open[d] = size;
        size *= extent;
    }
    let start = *accumulators;
    *accumulators += size;
    Some(Accumulation {
        start,
        size,
        first,
        loops,
        extents: dimensions.iter().map(|d| d.0).collect(),
        open,
        strides: dimensions.iter().map(|d| d.1).collect(),
        rows_dimension,
    })
}

/// Where each value of the tape lives.
struct Allocation {
    homes: Vec<Home>,
    /// The last instruction that reads a value (past the tape's end if a store or reduction does).
    last_use: Vec<Option<usize>>,
    /// Loads whose block stays filled from tile to tile.
    pinned: Vec<bool>,
    registers: usize,
    free: Vec<usize>,
    constants: Vec<usize>,
}

impl Allocation {
    fn new(
        fused: &Fused,
        loads: &[Stream],
        extents: &[usize],
        in_place: impl Fn(usize) -> bool,
        needs: &mut Needs,
    ) -> Self {
        let leaves = fused.loads.len() + fused.constants.len();
        let end = fused.tape.len();
        let mut last_use = vec![None; leaves + end];
        for value in fused.stores.iter().map(|s| s.value).chain(fused.reductions.iter().map(|r| r.value)) {
            last_use[value] = Some(end);
        }
        for (i, instruction) in fused.tape.iter().enumerate().rev() {
            if last_use[leaves + i].is_some() {
                for value in operands(instruction) {
                    last_use[value] = last_use[value].max(Some(i));
                }
            }
        }
        let mut homes = vec![Home::Nowhere; leaves + end];
        let mut constants = Vec::new();
        for (i, &bits) in fused.constants.iter().enumerate() {
            if last_use[fused.loads.len() + i].is_some() {
                let constant = needs.constant(bits);
                homes[fused.loads.len() + i] = Home::Constant(constant);
                if !constants.contains(&constant) {
                    constants.push(constant);
                }
            }
        }
        for (i, load) in loads.iter().enumerate() {
            if load.dense {
                homes[i] = Home::Load(i);
            }
        }
        for (s, store) in fused.stores.iter().enumerate() {
            if store.value >= leaves && homes[store.value] == Home::Nowhere && in_place(s) {
                homes[store.value] = Home::Store(s);
            }
        }
        // A load that the innermost loop does not move need not be gathered at every tile.
        let innermost = extents.iter().rposition(|&extent| extent > 1);
        let pinned = loads.iter().map(|load| innermost.is_some_and(|l| load.loops[l] == 0)).collect();
        Self { homes, last_use, pinned, registers: 0, free: Vec::new(), constants }
    }

    fn fresh(&mut self) -> usize {
        self.registers += 1;
        self.registers - 1
    }

    /// Gives registers in order of the tape. A result never shares its operands' registers: loops over blocks that
    /// may be the same would not vectorise.
    fn allocate(&mut self, fused: &Fused) {
        let leaves = fused.loads.len() + fused.constants.len();
        for load in 0..fused.loads.len() {
            if self.homes[load] == Home::Nowhere && self.last_use[load].is_some() {
                self.homes[load] = Home::Register(self.fresh());
            }
        }
        for (i, instruction) in fused.tape.iter().enumerate() {
            let value = leaves + i;
            if self.last_use[value].is_none() {
                continue;
            }
            if self.homes[value] == Home::Nowhere {
                let register = self.free.pop().unwrap_or_else(|| self.fresh());
                self.homes[value] = Home::Register(register);
            }
            let mut operands = operands(instruction);
            operands.sort_unstable();
            operands.dedup();
            for operand in operands {
                let pinned = self.pinned.get(operand).is_some_and(|&p| p);
                if let (Home::Register(r), false) = (self.homes[operand], pinned)
                    && self.last_use[operand] == Some(i)
                {
                    self.free.push(r);
                }
            }
        }
    }
}
