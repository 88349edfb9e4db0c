//! Sums of products out = Σ L·Rᵀ: one factor in panels, the other row by row.
//!
//! The factor of the *lanes* is packed in panels, each a few vector registers wide: for each step of the sum so many of
//! its elements side by side. The *rows* of the other factor are read where they lie, one number at a time, each
//! multiplied with a whole width of the panel. Some rows with a panel make a tile of the result that stays in registers.
//! Where a batch axis is that of the lanes (channels that each have weights of their own), rows are vectors instead.
//! A product that packs both factors loses up to half of its time to packing the weights when a shard has few examples.
//!
//! Chunk by chunk of the sum a panel stays in the first-level cache while all rows pass by. Where the lanes lie side by
//! side in the result too, tiles are written where they belong; elsewhere they gather in the workspace and are transposed
//! at the end. Rows that lie far across the sum, or whose lines would meet in a few sets of the caches, are copied first, as many
//! as fit the second-level cache; lanes that few rows will meet are not packed at all.
//!
//! What lost: dot products along k, which need no packing at all, but whose loads straddle cache lines and whose
//! horizontal sums never end; and a library's products, which take their packing memory by the call.
#![expect(unsafe_code, reason = "walks factors by pointers and strides; the caller checked the views")]

use std::ops::Range;

use super::axes::{MAX_AXES, advance, position};
use super::block::Block;
use super::copied::{STRIP, copy_rows};
use super::panel::{self, Panel};
use super::product::{Chunk, PANEL, Product, Term};
use super::tiles::{Tile, Tiles};
use super::tiles_lanewise::ROWS;
use super::tiles_plain::Plain;
#[cfg(target_arch = "x86_64")]
use super::tiles_x86::{Narrow, Wide};
use crate::Real;
use crate::simd::Level;

/// Lanes that share a passage of the rows.
const GROUP: usize = 384;
/// The narrowest panel of full width, of which a group has most.
const NARROWEST: usize = 8;
/// Lanes of the widest panel.
const WIDEST: usize = 64;
/// Elements of a cache line of single precision.
const LINE: usize = 16;
/// Terms of a product at most.
pub(super) const TERMS: usize = 4;
/// Rows from which on packing the lanes pays for itself.
const FEW: usize = 48;

/// How rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// One number for all lanes, where it lies.
    InPlace,
    /// The same from a copy.
    Copied,
    /// As many numbers as lanes.
    Lanewise,
}

/// Where the two factors of a term start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pointers<T> {
    pub(super) lanes: *const T,
    pub(super) rows: *const T,
}

impl<T> Pointers<T> {
    pub(super) const NOTHING: Self = Self { lanes: std::ptr::null(), rows: std::ptr::null() };

    #[cfg(target_arch = "x86_64")]
    fn cast<U>(self) -> Pointers<U> {
        Pointers { lanes: self.lanes.cast(), rows: self.rows.cast() }
    }
}

/// Elements of the workspace that [`multiply`] needs: a packed panel, the products of a group of panels, and a copy of the
/// rows at some steps.
pub(super) fn workspace(product: &Product) -> usize {
    let copied = |term: &Term| {
        let steps = term.chunks.iter().map(|chunk| chunk.steps).max().unwrap_or(0);
        let rows = product.blocks.iter().map(Block::count).max().unwrap_or(0);
        if term.copies_rows { rows.next_multiple_of(STRIP) * steps } else { 0 }
    };
    PANEL + gathered(product) + product.terms.iter().map(copied).max().unwrap_or(0)
}

/// Elements that the products of a group of panels take until they are put in their place: those of the last panel, unless it
/// is full, if the others are written there at once.
fn gathered(product: &Product) -> usize {
    let lanes = match product.lanes_out {
        1 if product.lanes.is_multiple_of(LINE) => 0,
        1 => WIDEST,
        _ => GROUP,
    };
    lanes.min(product.lanes.next_multiple_of(LINE)) * product.rows()
}

/// out[l, r] (+)= Σ_terms Σ lanes[l, ·]·rows[r, ·].
///
/// # Safety
/// All elements must be there, the level one that the machine has, and the workspace as large as [`workspace`] says.
pub(super) unsafe fn multiply<T: Real>(
    level: Level,
    product: &Product,
    pointers: [Pointers<T>; TERMS],
    out: *mut T,
    adds: bool,
    workspace: *mut T,
) {
    // SAFETY: by contract; what is cast is of this precision.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        {
            macro_rules! with {
                ($tiles:expr) => {
                    return with_tiles(
                        $tiles,
                        product,
                        pointers.map(Pointers::cast),
                        out.cast(),
                        adds,
                        workspace.cast(),
                    )
                };
            }
            match (level, T::NAME) {
                (Level::Avx512, f32::NAME) => with!(Wide::<f32>::new()),
                (Level::Avx512, f64::NAME) => with!(Wide::<f64>::new()),
                (Level::Avx2, f32::NAME) => with!(Narrow::<f32>::new()),
                (Level::Avx2, f64::NAME) => with!(Narrow::<f64>::new()),
                _ => {}
            }
        }
        with_tiles(Plain::new(level), product, pointers, out, adds, workspace);
    }
}

/// # Safety
/// As [`multiply`]; the tiles are of a level that the machine has.
unsafe fn with_tiles<S: Tiles>(
    tiles: S,
    product: &Product,
    pointers: [Pointers<S::Element>; TERMS],
    out: *mut S::Element,
    adds: bool,
    workspace: *mut S::Element,
) {
    let rows = product.rows();
    let widest = const { S::LANES * S::VECTORS };
    const { assert!(S::LANES * S::VECTORS <= WIDEST && LINE.is_multiple_of(S::LANES)) };
    let mut panels = [Panel::NOTHING; GROUP / NARROWEST];
    // One packed panel after another lies in the same place, which stays in the first-level cache.
    let packed = workspace;
    // SAFETY (all blocks): the workspace holds these one after another.
    let products = unsafe { packed.add(PANEL) };
    let copy = unsafe { products.add(gathered(product)) };
    let mut first = 0;
    while first < product.lanes {
        let (mut free, mut used) = (products, 0);
        while used < GROUP / widest && first < product.lanes {
            let count = widest.min(product.lanes - first);
            let width = count.next_multiple_of(S::LANES);
            let direct = product.lanes_out == 1 && width == count;
            unsafe {
                let out = out.add(first * product.lanes_out);
                panels[used] = Panel { out, products: free, first, count, width, direct };
                free = if direct { free } else { free.add(width * rows) };
            }
            (first, used) = (first + count, used + 1);
        }
        unsafe { group(tiles, &panels[..used], product, pointers, adds, [packed, copy]) };
    }
}

/// The products of a group of panels.
///
/// # Safety
/// As [`multiply`].
unsafe fn group<S: Tiles>(
    tiles: S,
    panels: &[Panel<S::Element>],
    product: &Product,
    pointers: [Pointers<S::Element>; TERMS],
    adds: bool,
    [packed, copy]: [*mut S::Element; 2],
) {
    if adds && !product.adds_lanes {
        for panel in panels.iter().filter(|panel| !panel.direct) {
            // SAFETY: as below.
            unsafe { panel::get(*panel, product) };
        }
    }
    let mut begins = !adds || product.adds_lanes;
    for (term, at) in product.terms.iter().zip(pointers) {
        // Where rows are copied, blocks are passed one by one: a copy and its products stay in the second-level cache.
        let part = if term.copies_rows { 1 } else { product.blocks.len() };
        for first in (0..product.blocks.len()).step_by(part) {
            let mut begins = begins;
            for chunk in &term.chunks {
                // SAFETY (all blocks): panels, rows and steps lie within the factors, the product and the workspace.
                let is_copied = panels[0].first > 0 && product.has_one_copy();
                if term.copies_rows && !is_copied {
                    unsafe { copy_rows(tiles, product, term, chunk, first, at.rows, copy) };
                }
                for panel in panels {
                    let blocks = first..first + part;
                    unsafe {
                        passage(tiles, *panel, product, (term, chunk, at), blocks, begins, [packed, copy]);
                    };
                }
                begins = false;
            }
        }
        begins = false;
    }
    if product.adds_lanes {
        let adds = adds || panels[0].first > 0;
        // SAFETY: as above.
        return unsafe { panel::add_up(panels, product, adds) };
    }
    for panel in panels.iter().filter(|panel| !panel.direct) {
        // SAFETY: as above.
        unsafe { panel::put(tiles, *panel, product) };
    }
}

/// The rows of some blocks with a panel, over a chunk.
///
/// # Safety
/// As [`multiply`].
unsafe fn passage<S: Tiles>(
    tiles: S,
    panel: Panel<S::Element>,
    product: &Product,
    (term, chunk, at): (&Term, &Chunk, Pointers<S::Element>),
    blocks: Range<usize>,
    begins: bool,
    [packed, copy]: [*mut S::Element; 2],
) {
    let reading = match (term.copies_rows, term.rows.along) {
        (true, _) => Reading::Copied,
        (false, 0) => Reading::InPlace,
        (false, _) => Reading::Lanewise,
    };
    let dense = term.lanes.step == panel.width;
    let stays = product.rows() < FEW || dense || term.stays(chunk);
    let in_place = term.lanes.along == 1 && panel.width == panel.count && stays;
    // SAFETY (all blocks): by contract.
    let lanes = unsafe { at.lanes.add(panel.first * term.lanes.along) };
    let (start, panel_step) = if in_place {
        (lanes, term.lanes.step)
    } else {
        unsafe { panel::pack(tiles, panel, &term.lanes, lanes, chunk, packed) };
        (packed.cast_const(), panel.width)
    };
    let rows = match reading {
        Reading::Copied => copy.cast_const(),
        _ => unsafe { at.rows.add(panel.first * term.rows.along) },
    };
    for (block, runs) in product.blocks[blocks.clone()].iter().zip(&chunk.runs[blocks]) {
        let begins = begins && !block.again();
        if begins || !runs.is_empty() {
            let tile = Tile {
                panel: start,
                panel_step,
                in_place,
                rows,
                along: 0,
                step: if term.copies_rows { STRIP } else { term.rows.step },
                runs,
                ahead: std::ptr::null(),
                to: std::ptr::null_mut(),
                to_row: 0,
                begins,
            };
            unsafe { block_of(tiles, panel, block, tile, reading, chunk.steps) };
        }
    }
}

/// All rows of a block with a panel, over so many steps.
///
/// # Safety
/// As [`multiply`].
unsafe fn block_of<S: Tiles>(
    tiles: S,
    panel: Panel<S::Element>,
    block: &Block,
    tile: Tile<'_, S::Element>,
    reading: Reading,
    steps: usize,
) {
    let last = block.extents.len() - 1;
    let extent = block.extents[last];
    let to_row = if panel.direct { block.out[last] } else { block.numbers[last] * panel.width };
    let (strip, to_strip, along) = match reading {
        Reading::Copied => (STRIP, STRIP * steps, 1),
        _ => (extent, 0, block.rows[last]),
    };
    let mut counter = [0; MAX_AXES];
    let counter = &mut counter[..last];
    loop {
        // SAFETY (all blocks): by contract.
        let rows = match reading {
            Reading::Copied => tile.rows,
            _ => unsafe { tile.rows.add(position(counter, &block.rows)) },
        };
        let to = if panel.direct {
            unsafe { panel.out.add(block.first + position(counter, &block.out)) }
        } else {
            unsafe { panel.products.add((block.number + position(counter, &block.numbers)) * panel.width) }
        };
        for first in (0..extent).step_by(strip) {
            let rows = unsafe { rows.add(first / strip * to_strip) };
            let tile = Tile { rows, along, to: unsafe { to.add(first * to_row) }, to_row, ..tile };
            unsafe { strip_of(tiles, panel, tile, strip.min(extent - first), reading) };
        }
        if !advance(counter, &block.extents[..last]) {
            break;
        }
    }
}

/// So many rows with a panel, of which the tile has the first.
///
/// # Safety
/// As [`multiply`].
unsafe fn strip_of<S: Tiles>(
    tiles: S,
    panel: Panel<S::Element>,
    first: Tile<'_, S::Element>,
    extent: usize,
    reading: Reading,
) {
    let Tile { rows, along, to, to_row, .. } = first;
    let most = if reading == Reading::Lanewise { ROWS } else { S::SUMS / (panel.width / S::LANES) };
    // Tiles of a strip are as alike as can be: a last one of a row or two would wait for itself.
    let count = extent.div_ceil(extent.div_ceil(most));
    // Rows that lie close together are in the cache with those before them.
    let fetches = along >= LINE * 2 && first.step == 1;
    for j in (0..extent).step_by(count) {
        let rows_here = count.min(extent - j);
        let next = if j + rows_here < extent { (j + rows_here) * along } else { 0 };
        // SAFETY (all blocks): by contract.
        let tile = Tile {
            rows: unsafe { rows.add(j * along) },
            ahead: if fetches { rows.wrapping_add(next) } else { std::ptr::null() },
            to: unsafe { to.add(j * to_row) },
            ..first
        };
        match reading {
            Reading::Lanewise => unsafe { tiles.lanewise(tile, rows_here, panel.count) },
            _ => unsafe { tiles.tile(tile, rows_here, panel.width / S::LANES) },
        }
    }
}
