//! Matrix products, and sums of them, out = Σ L·Rᵀ: one factor in panels, the other row by row.
//!
//! The factor of the *lanes* is packed in panels, each a few vector registers wide: for each k so many of its elements
//! side by side. The *rows* of the other factor are read where they lie, one number at a time, each multiplied with a
//! whole width of the panel. Six rows with a panel make a tile of the product that stays in registers. A product that
//! packs both factors loses up to half of its time to packing the weights when a shard has few examples.
//!
//! The sum is cut into steps of 128: so much of a panel stays in the first-level cache while all rows pass by. Where the
//! lanes lie side by side in the product too, tiles are written where they belong; elsewhere they gather in the workspace
//! and are transposed at the end. Rows that lie across k are copied first, and lanes that few rows will meet are not
//! packed at all.
//!
//! What lost: dot products along k, which need no packing at all, but whose loads straddle cache lines and whose
//! horizontal sums never end; and a library's products, which take their packing memory by the call.
#![expect(unsafe_code, reason = "walks factors by pointers and strides; the caller checked the views")]

use std::ops::Range;

use super::tiles::{ROWS, Tile, Tiles};
use super::tiles_plain::Plain;
#[cfg(target_arch = "x86_64")]
use super::tiles_x86::{Narrow, Wide};
use crate::Real;
use crate::simd::Level;

/// Steps of the sum that are taken at a time.
const STEPS: usize = 128;
/// Lanes that share a passage of the rows.
const GROUP: usize = 384;
/// The widest panel, and the narrowest, of which a group has most.
const WIDEST: usize = 64;
const NARROWEST: usize = 8;
/// Elements of a cache line of single precision.
const LINE: usize = 16;
/// Terms of a product at most.
pub(super) const TERMS: usize = 4;
/// Rows from which on packing the lanes pays for itself.
const FEW: usize = 48;

/// A matrix in memory: its first element, its extent, and the distances between neighbours along its own axis and
/// along k.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factor<T> {
    pub(super) start: *const T,
    pub(super) extent: usize,
    pub(super) along: usize,
    pub(super) step: usize,
}

impl<T> Factor<T> {
    /// None at all.
    const NOTHING: Self = Self { start: std::ptr::null(), extent: 0, along: 0, step: 0 };

    #[cfg(target_arch = "x86_64")]
    fn cast<U>(self) -> Factor<U> {
        Factor { start: self.start.cast(), extent: self.extent, along: self.along, step: self.step }
    }
}

/// Two factors and the length of the sum over k.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term<T> {
    pub(super) lanes: Factor<T>,
    pub(super) rows: Factor<T>,
    pub(super) depth: usize,
}

impl<T> Term<T> {
    /// No term.
    pub(super) const NOTHING: Self = Self { lanes: Factor::NOTHING, rows: Factor::NOTHING, depth: 0 };

    #[cfg(target_arch = "x86_64")]
    fn cast<U>(self) -> Term<U> {
        Term { lanes: self.lanes.cast(), rows: self.rows.cast(), depth: self.depth }
    }
}

/// The product: its first element, and the distances along the lanes and along the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product<T> {
    pub(super) start: *mut T,
    pub(super) lanes: usize,
    pub(super) rows: usize,
    /// Whether the products are added to what stands there.
    pub(super) adds: bool,
}

impl<T> Product<T> {
    #[cfg(target_arch = "x86_64")]
    fn cast<U>(self) -> Product<U> {
        Product { start: self.start.cast(), lanes: self.lanes, rows: self.rows, adds: self.adds }
    }
}

/// Elements of the workspace that [`multiply`] needs for so many rows: a packed panel, a copy of some steps of the
/// rows, and the products of a group of panels.
pub(super) fn workspace(rows: usize) -> usize {
    STEPS * (WIDEST + copied_row(rows)) + GROUP * rows
}

/// From one step to the next in a copy of rows: an odd number of cache lines, or all steps would meet in a few sets of
/// the first-level cache.
fn copied_row(rows: usize) -> usize {
    (rows.div_ceil(LINE) | 1) * LINE
}

/// Some of the lanes.
#[derive(Clone, Copy)]
struct Panel<T> {
    /// Where the products go, and the distance from one row's to the next row's.
    products: *mut T,
    row: usize,
    /// The first lane, and how many there are.
    first: usize,
    count: usize,
    /// How many with padding.
    width: usize,
    /// Whether the products go where they belong.
    direct: bool,
}

/// out[l, r] (+)= Σ_terms Σ_k lanes[l, k]·rows[r, k].
///
/// # Safety
/// All elements must be there, the level one that the machine has, and the workspace as large as [`workspace`] says.
/// There is a term, all are of one extent, and there are at most [`TERMS`].
pub(super) unsafe fn multiply<T: Real>(level: Level, terms: &[Term<T>], out: Product<T>, workspace: *mut T) {
    // SAFETY: by contract; what is cast is of this precision.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        {
            macro_rules! with {
                ($tiles:expr) => {{
                    let mut cast = [Term::NOTHING; TERMS];
                    cast.iter_mut().zip(terms).for_each(|(cast, term)| *cast = term.cast());
                    with_tiles($tiles, &cast[..terms.len()], out.cast(), workspace.cast());
                }};
            }
            match (level, T::NAME) {
                (Level::Avx512, f32::NAME) => return with!(Wide::<f32>::new()),
                (Level::Avx512, f64::NAME) => return with!(Wide::<f64>::new()),
                (Level::Avx2, f32::NAME) => return with!(Narrow::<f32>::new()),
                (Level::Avx2, f64::NAME) => return with!(Narrow::<f64>::new()),
                _ => {}
            }
        }
        with_tiles(Plain::new(level), terms, out, workspace);
    }
}

/// # Safety
/// As [`multiply`]; the tiles are of a level that the machine has.
unsafe fn with_tiles<S: Tiles>(
    tiles: S,
    terms: &[Term<S::Element>],
    out: Product<S::Element>,
    workspace: *mut S::Element,
) {
    let [lanes, rows] = [terms[0].lanes.extent, terms[0].rows.extent];
    let nothing = std::ptr::null_mut();
    let none = Panel { products: nothing, row: 0, first: 0, count: 0, width: 0, direct: false };
    let widest = S::LANES * S::VECTORS;
    let mut panels = [none; GROUP / NARROWEST];
    // One packed panel after another lies in the same place, which stays in the first-level cache.
    let packed = workspace;
    // SAFETY (all blocks): the workspace holds these one after another.
    let copy = unsafe { packed.add(STEPS * WIDEST) };
    let products = unsafe { copy.add(STEPS * copied_row(rows)) };
    let mut first = 0;
    while first < lanes {
        let (mut free, mut used) = (products, 0);
        while used < GROUP / widest && first < lanes {
            let count = widest.min(lanes - first);
            let width = count.next_multiple_of(S::LANES);
            let direct = out.lanes == 1 && width == count;
            unsafe {
                let (products, row) = if direct { (out.start.add(first), out.rows) } else { (free, width) };
                panels[used] = Panel { products, row, first, count, width, direct };
                free = free.add(width * rows);
            }
            (first, used) = (first + count, used + 1);
        }
        unsafe { group(tiles, &panels[..used], terms, out, [packed, copy]) };
    }
}

/// The products of a group of panels.
///
/// # Safety
/// As [`multiply`].
unsafe fn group<S: Tiles>(
    tiles: S,
    panels: &[Panel<S::Element>],
    terms: &[Term<S::Element>],
    out: Product<S::Element>,
    [packed, copy]: [*mut S::Element; 2],
) {
    let rows = terms[0].rows.extent;
    if out.adds {
        for panel in panels.iter().filter(|panel| !panel.direct) {
            // SAFETY: as below.
            unsafe { get(*panel, rows, out) };
        }
    }
    let mut begins = !out.adds;
    for term in terms {
        for first in (0..term.depth).step_by(STEPS) {
            let steps = first..term.depth.min(first + STEPS);
            // SAFETY (all blocks): panels, rows and steps lie within the factors, the product and the workspace.
            let here = unsafe { rows_at(term.rows, &steps, copy) };
            for panel in panels {
                let (start, step) = unsafe { lanes_at(tiles, *panel, term.lanes, rows, &steps, packed) };
                unsafe { tiles_of(tiles, *panel, (start, step), here, steps.len(), begins) };
            }
            begins = false;
        }
    }
    for panel in panels.iter().filter(|panel| !panel.direct) {
        // SAFETY: as above.
        unsafe { put(tiles, *panel, rows, out) };
    }
}

/// All rows with a panel, over some steps.
///
/// # Safety
/// As [`multiply`].
unsafe fn tiles_of<S: Tiles>(
    tiles: S,
    panel: Panel<S::Element>,
    (start, panel_step): (*const S::Element, usize),
    rows: Factor<S::Element>,
    steps: usize,
    begins: bool,
) {
    for j in (0..rows.extent).step_by(ROWS) {
        let count = ROWS.min(rows.extent - j);
        let next = if j + count < rows.extent { (j + count) * rows.along } else { 0 };
        // SAFETY (both blocks): by contract.
        let tile = Tile {
            panel: start,
            panel_step,
            rows: unsafe { rows.start.add(j * rows.along) },
            along: rows.along,
            step: rows.step,
            ahead: rows.start.wrapping_add(next),
            to: unsafe { panel.products.add(j * panel.row) },
            to_row: panel.row,
            steps,
            begins,
        };
        unsafe { tiles.tile(tile, count, panel.width / S::LANES) };
    }
}

/// The rows at some steps: where they lie if they run along k, else a copy whose steps are an odd number of cache lines
/// apart.
///
/// # Safety
/// The rows must be there, and room for the copy.
unsafe fn rows_at<T: Real>(rows: Factor<T>, steps: &Range<usize>, copy: *mut T) -> Factor<T> {
    // SAFETY (all blocks): by contract.
    let start = unsafe { rows.start.add(steps.start * rows.step) };
    if rows.step == 1 {
        return Factor { start, ..rows };
    }
    let step = copied_row(rows.extent);
    for k in 0..steps.len() {
        unsafe {
            let (from, to) = (start.add(k * rows.step), copy.add(k * step));
            if rows.along == 1 {
                std::ptr::copy_nonoverlapping(from, to, rows.extent);
            } else {
                for j in 0..rows.extent {
                    *to.add(j) = *from.add(j * rows.along);
                }
            }
        }
    }
    Factor { start: copy, extent: rows.extent, along: 1, step }
}

/// A panel at some steps, with the distance between them: where it lies, if it lies side by side and few rows will meet
/// it, else packed.
///
/// # Safety
/// The lanes must be there, and room for the packed panel.
unsafe fn lanes_at<S: Tiles>(
    tiles: S,
    panel: Panel<S::Element>,
    lanes: Factor<S::Element>,
    rows: usize,
    steps: &Range<usize>,
    packed: *mut S::Element,
) -> (*const S::Element, usize) {
    let Panel { first, count, width, .. } = panel;
    // SAFETY (all blocks): by contract.
    let from = unsafe { lanes.start.add(first * lanes.along + steps.start * lanes.step) };
    if lanes.along == 1 && width == count && rows < FEW {
        return (from, lanes.step);
    }
    if count < width {
        for k in 0..steps.len() {
            unsafe { packed.add(k * width + count).write_bytes(0, width - count) };
        }
    }
    if lanes.along == 1 {
        let vectors = count / S::LANES;
        unsafe { tiles.strip(from, lanes.step, packed, width, steps.len(), vectors) };
        for k in 0..steps.len() {
            for i in vectors * S::LANES..count {
                unsafe { *packed.add(k * width + i) = *from.add(k * lanes.step + i) };
            }
        }
        return (packed, width);
    }
    let whole = match lanes.step {
        1 => [count, steps.len()].map(|n| n / S::LANES * S::LANES),
        _ => [0; 2],
    };
    for i in (0..whole[0]).step_by(S::LANES) {
        for k in (0..whole[1]).step_by(S::LANES) {
            unsafe {
                tiles.block(from.add(i * lanes.along + k), lanes.along, packed.add(k * width + i), width);
            };
        }
    }
    for i in 0..count {
        let done = if i < whole[0] { whole[1] } else { 0 };
        for k in done..steps.len() {
            unsafe { *packed.add(k * width + i) = *from.add(i * lanes.along + k * lanes.step) };
        }
    }
    (packed, width)
}

/// Gets what the products of a panel are added to: they then begin with it, as those do that are written in place, and
/// the bits do not depend on the width of a vector.
///
/// # Safety
/// The product's elements must be there.
unsafe fn get<T: Real>(panel: Panel<T>, rows: usize, out: Product<T>) {
    let Panel { products, first, count, width, .. } = panel;
    // SAFETY (all blocks): by contract.
    let from = unsafe { out.start.add(first * out.lanes) };
    for block in (0..rows).step_by(16) {
        for i in 0..count {
            for j in block..rows.min(block + 16) {
                unsafe { *products.add(j * width + i) = *from.add(i * out.lanes + j * out.rows) };
            }
        }
    }
}

/// Puts the products of a panel where they belong.
///
/// # Safety
/// The product's elements must be there.
unsafe fn put<S: Tiles>(tiles: S, panel: Panel<S::Element>, rows: usize, out: Product<S::Element>) {
    let Panel { products, first, count, width, .. } = panel;
    // SAFETY (all blocks): by contract.
    let to = unsafe { out.start.add(first * out.lanes) };
    let whole = match out.rows {
        1 => [count, rows].map(|n| n / S::LANES * S::LANES),
        _ => [0; 2],
    };
    for i in (0..whole[0]).step_by(S::LANES) {
        for j in (0..whole[1]).step_by(S::LANES) {
            unsafe { tiles.block(products.add(j * width + i), width, to.add(i * out.lanes + j), out.lanes) };
        }
    }
    // Sixteen rows at a time stay within the first-level cache.
    for block in (0..rows).step_by(16) {
        for i in 0..count {
            let done = if i < whole[0] { whole[1] } else { 0 };
            for j in block.max(done)..rows.min(block + 16) {
                unsafe { *to.add(i * out.lanes + j * out.rows) = *products.add(j * width + i) };
            }
        }
    }
}
