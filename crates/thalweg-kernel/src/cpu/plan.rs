//! Planning of a fused call: tiles, block buffers, and the operations on them.

use super::chain::{self, Kind};
use super::fused::{Gather, Plan, Reduced};
use super::memory::{Needs, Place, Places, assert_countable};
use super::registers::{Allocation, Home};
use super::tape::Op;
use super::tile::Stream;
use super::tiling::{accumulation, common_axes, cut, groups, kept_stream};
use crate::call::{Fused, ReductionKind};
use crate::{Layout, Real};

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
    let steps = chain::steps(fused);
    let mut tape = Allocation::new(fused, &steps, &load_streams, &extents, in_place, needs);
    tape.allocate(fused, &steps);
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
    for (i, step) in steps.iter().enumerate() {
        if tape.last_use[values + i].is_none() {
            continue;
        }
        let in_blocks = |&v: &usize| matches!(homes[v], Home::Register(_) | Home::Constant(_));
        let padded = step.operands.iter().chain([&(values + i)]).all(in_blocks);
        let at = |operand: usize| slot(homes[step.operands[operand]]);
        let to = slot(homes[values + i]);
        let op = match step.kind {
            Kind::Unary(f) => Op::Unary(f, to, at(0)),
            Kind::Binary(f) => Op::Binary(f, to, at(0), at(1)),
            Kind::Select => Op::Select(to, at(0), at(1), at(2)),
            Kind::Chain(chain) => Op::Chain(chain, to, at(0), at(1), at(step.operands.len() - 1)),
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

/// Every value is named after it is made.
fn check_values(fused: &Fused) {
    let leaves = fused.loads.len() + fused.constants.len();
    for (i, instruction) in fused.tape.iter().enumerate() {
        for value in instruction.operands() {
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
