//! How the iteration space of a fused call is walked: the order of its axes, tiles, and how reductions meet them.

use super::axes::{Axis, axes, merged};
use super::fused::Accumulation;
use super::memory::{Place, block};
use super::reduce::Group;
use super::tile::Stream;
use crate::Real;
use crate::call::Fused;

/// How the iteration space is cut.
pub(super) struct Cut {
    /// Loops, outermost first: the axis that each walks, `inside` excepted.
    pub(super) loops: Vec<usize>,
    /// Which of the loops is the chunked axis.
    pub(super) chunk: usize,
    /// Rows of a tile and of the last one.
    pub(super) rows: usize,
    pub(super) rows_last: usize,
    /// First axis that lies whole inside the tile.
    pub(super) inside: usize,
}

/// The iteration space with every view's strides, merged, the axes of small strides inside.
pub(super) fn common_axes(fused: &Fused, loads: &[Place], stores: &[Place], results: &[Place]) -> Vec<Axis> {
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
pub(super) fn cut<T: Real>(space: &[Axis]) -> Cut {
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
pub(super) fn groups(space: &[Axis], cut: &Cut, reduction: usize) -> Vec<Group> {
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
pub(super) fn kept_stream(
    space: &[Axis],
    cut: &Cut,
    place: &Place,
    reduction: usize,
    number: usize,
) -> Stream {
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
pub(super) fn accumulation(
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
