//! Matrix products out = L·Rᵀ of single precision, one factor in panels: the products of linear layers with the
//! rows of a shard.
//!
//! The factor of the *lanes* is packed in panels, each up to four vector registers wide: for each k so many of its
//! elements side by side. The *rows* of the other factor are read where they lie, one number at a time, each
//! multiplied with a whole width of the panel. Six rows with a panel make a tile of the product that stays in
//! registers. A general matrix product packs both factors: for the few examples of a shard, packing the weights
//! costs up to half as much as the product.
//!
//! The sum is cut into steps of 128: so much of a panel stays in the first-level cache while all rows pass by. Rows
//! that come next are fetched ahead, since short pieces of many rows are no stream that the hardware would foresee.
//! Where the lanes lie side by side in the product too, tiles are written where they belong; elsewhere they gather in
//! the workspace and are transposed at the end.
//!
//! What lost: dot products along k, which need no packing at all, but whose loads straddle cache lines and whose
//! horizontal sums never end.
#![expect(unsafe_code, reason = "vector loads and stores through pointers; the caller checked the views")]

use std::arch::x86_64::{
    __m256, __m512, _MM_HINT_T0, _mm_prefetch, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps,
    _mm256_setzero_ps, _mm256_storeu_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps,
    _mm512_storeu_ps,
};
use std::ops::Range;

use super::transpose::{block_8, block_16};
use crate::simd::Level;

/// Rows in a tile.
const ROWS: usize = 6;
/// Steps of the sum that are taken at a time.
const STEPS: usize = 128;
/// Lanes that share a passage of the rows, and the panels that they make.
const GROUP: usize = 192;
const PANELS: usize = GROUP / 16;
/// Elements of a cache line.
const LINE: usize = 16;

/// A matrix in memory: its first element, its extent, and the distances between neighbours along its own axis and
/// along k.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factor {
    pub(super) start: *const f32,
    pub(super) extent: usize,
    pub(super) along: usize,
    pub(super) step: usize,
}

/// The product: its first element, and the distances along the lanes and along the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) start: *mut f32,
    pub(super) lanes: usize,
    pub(super) rows: usize,
    /// Whether the products are added to what stands there.
    pub(super) adds: bool,
}

/// Elements of the workspace that [`multiply`] needs: a group of packed panels, and its products.
pub(super) fn workspace(rows: usize) -> usize {
    GROUP * (STEPS + rows)
}

/// out[l, r] (+)= Σ_k lanes[l, k]·rows[r, k].
///
/// # Safety
/// All elements must be there, the level one that the machine has and that [`lanes_of`](super::product_choice::lanes_of) accepts, and the workspace as
/// large as [`workspace`] says.
pub(super) unsafe fn multiply(
    level: Level,
    lanes: Factor,
    rows: Factor,
    depth: usize,
    out: Product,
    workspace: *mut f32,
) {
    // SAFETY: by contract.
    unsafe {
        match level {
            Level::Avx512 => wide::multiply(lanes, rows, depth, out, workspace),
            _ => narrow::multiply(lanes, rows, depth, out, workspace),
        }
    }
}

/// Some of the lanes.
#[derive(Clone, Copy)]
struct Panel {
    /// For each of the steps at hand, elements side by side.
    packed: *mut f32,
    /// Where the products go, and the distance from one row's to the next row's.
    products: *mut f32,
    row: usize,
    /// The first lane, and how many there are.
    first: usize,
    count: usize,
    /// How many with padding.
    width: usize,
    /// Whether the products go where they belong.
    direct: bool,
}

const NO_PANEL: Panel = Panel {
    packed: std::ptr::null_mut(),
    products: std::ptr::null_mut(),
    row: 0,
    first: 0,
    count: 0,
    width: 0,
    direct: false,
};

macro_rules! level {
    ($name:ident, $features:literal, $vector:ty, $lanes:literal, $widest:literal, $block:path, $zero:path, $load:path, $one:path, $fma:path, $store:path) => {
        mod $name {
            use super::*;

            #[target_feature(enable = $features)]
            pub(super) unsafe fn multiply(
                lanes: Factor,
                rows: Factor,
                depth: usize,
                out: Product,
                workspace: *mut f32,
            ) {
                let mut panels = [NO_PANEL; PANELS];
                let mut first = 0;
                while first < lanes.extent {
                    let (mut free, mut used) = (workspace, 0);
                    while used < GROUP / $widest && first < lanes.extent {
                        let count = $widest.min(lanes.extent - first);
                        let width = count.next_multiple_of($lanes);
                        let direct = out.lanes == 1 && width == count;
                        // SAFETY: the workspace holds packed panels and products of a group.
                        unsafe {
                            let products =
                                if direct { out.start.add(first) } else { free.add(width * STEPS) };
                            let row = if direct { out.rows } else { width };
                            panels[used] = Panel { packed: free, products, row, first, count, width, direct };
                            free = free.add(width * (STEPS + rows.extent));
                        }
                        (first, used) = (first + count, used + 1);
                    }
                    // SAFETY: as above.
                    unsafe { group(&panels[..used], lanes, rows, depth, out) };
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn group(panels: &[Panel], lanes: Factor, rows: Factor, depth: usize, out: Product) {
                // SAFETY (all blocks): panels, tiles and steps lie within the factors and the product.
                for first in (0..depth).step_by(STEPS) {
                    let steps = first..depth.min(first + STEPS);
                    for panel in panels {
                        unsafe { pack(*panel, lanes, &steps) };
                    }
                    for panel in panels {
                        // The rows of these steps stay in the second-level cache from one panel to the next.
                        let mut j = 0;
                        while j < rows.extent {
                            let count = ROWS.min(rows.extent - j);
                            let next =
                                if j + count < rows.extent { (j + count, first) } else { (0, steps.end) };
                            let ahead = rows.start.wrapping_add(next.0 * rows.along + next.1 * rows.step);
                            unsafe {
                                match count {
                                    ROWS => tiles::<ROWS>(*panel, rows, j, &steps, ahead, out.adds),
                                    5 => tiles::<5>(*panel, rows, j, &steps, ahead, out.adds),
                                    4 => tiles::<4>(*panel, rows, j, &steps, ahead, out.adds),
                                    3 => tiles::<3>(*panel, rows, j, &steps, ahead, out.adds),
                                    2 => tiles::<2>(*panel, rows, j, &steps, ahead, out.adds),
                                    _ => tiles::<1>(*panel, rows, j, &steps, ahead, out.adds),
                                }
                            }
                            j += count;
                        }
                    }
                }
                for panel in panels.iter().filter(|panel| !panel.direct) {
                    unsafe { put(*panel, rows.extent, out) };
                }
            }

            /// Some steps of a panel: for each k the elements side by side, zeros up to its width.
            #[target_feature(enable = $features)]
            unsafe fn pack(panel: Panel, lanes: Factor, steps: &Range<usize>) {
                let Panel { packed, count, width, .. } = panel;
                // SAFETY (all blocks): lanes and steps are there, and `width` × steps elements of the panel.
                let from = unsafe { lanes.start.add(panel.first * lanes.along + steps.start * lanes.step) };
                if count < width {
                    for k in 0..steps.len() {
                        unsafe { packed.add(k * width + count).write_bytes(0, width - count) };
                    }
                }
                if lanes.along == 1 {
                    let vectors = count / $lanes;
                    for k in 0..steps.len() {
                        unsafe {
                            let (row, packed) = (from.add(k * lanes.step), packed.add(k * width));
                            for v in 0..vectors {
                                _mm_prefetch::<_MM_HINT_T0>(
                                    row.wrapping_add(8 * lanes.step + v * $lanes).cast(),
                                );
                                $store(packed.add(v * $lanes), $load(row.add(v * $lanes)));
                            }
                            for i in vectors * $lanes..count {
                                *packed.add(i) = *row.add(i);
                            }
                        }
                    }
                    return;
                }
                let whole =
                    if lanes.step == 1 { [count, steps.len()].map(|n| n / $lanes * $lanes) } else { [0; 2] };
                for i in (0..whole[0]).step_by($lanes) {
                    for k in (0..whole[1]).step_by($lanes) {
                        unsafe {
                            $block(
                                from.add(i * lanes.along + k),
                                lanes.along,
                                packed.add(k * width + i),
                                width,
                            )
                        };
                    }
                }
                for i in 0..count {
                    let done = if i < whole[0] { whole[1] } else { 0 };
                    for k in done..steps.len() {
                        unsafe { *packed.add(k * width + i) = *from.add(i * lanes.along + k * lanes.step) };
                    }
                }
            }

            /// Puts the products of a panel where they belong.
            #[target_feature(enable = $features)]
            unsafe fn put(panel: Panel, rows: usize, out: Product) {
                let Panel { products, count, width, .. } = panel;
                // SAFETY (all blocks): the product's elements are there.
                let to = unsafe { out.start.add(panel.first * out.lanes) };
                let whole = if out.rows == 1 && !out.adds {
                    [count, rows].map(|n| n / $lanes * $lanes)
                } else {
                    [0; 2]
                };
                for i in (0..whole[0]).step_by($lanes) {
                    for j in (0..whole[1]).step_by($lanes) {
                        unsafe {
                            $block(products.add(j * width + i), width, to.add(i * out.lanes + j), out.lanes)
                        };
                    }
                }
                // Sixteen rows at a time stay within the first-level cache.
                for block in (0..rows).step_by(16) {
                    for i in 0..count {
                        let done = if i < whole[0] { whole[1] } else { 0 };
                        for j in block.max(done)..rows.min(block + 16) {
                            unsafe {
                                let (sum, to) =
                                    (*products.add(j * width + i), to.add(i * out.lanes + j * out.rows));
                                *to = if out.adds { *to + sum } else { sum };
                            }
                        }
                    }
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn tiles<const R: usize>(
                panel: Panel,
                rows: Factor,
                j: usize,
                steps: &Range<usize>,
                ahead: *const f32,
                adds: bool,
            ) {
                let begins = steps.start == 0 && !(panel.direct && adds);
                // SAFETY: R rows from j and the panel's products with them are there.
                unsafe {
                    let from = rows.start.add(j * rows.along + steps.start * rows.step);
                    let tile = Tile { rows: from, ahead, to: panel.products.add(j * panel.row), begins };
                    match panel.width / $lanes {
                        1 => self::tile::<1, R>(panel, rows, tile, steps.len()),
                        2 => self::tile::<2, R>(panel, rows, tile, steps.len()),
                        3 => self::tile::<3, R>(panel, rows, tile, steps.len()),
                        _ => self::tile::<4, R>(panel, rows, tile, steps.len()),
                    }
                }
            }

            /// R rows with a panel of V vectors, over some steps of the sum.
            #[target_feature(enable = $features)]
            unsafe fn tile<const V: usize, const R: usize>(
                panel: Panel,
                rows: Factor,
                tile: Tile,
                steps: usize,
            ) {
                // SAFETY: the panel holds V vectors for each step; R rows and their products are there. Nothing is
                // read from ahead.
                unsafe {
                    let row: [*const f32; R] = std::array::from_fn(|r| tile.rows.add(r * rows.along));
                    let ahead: [*const f32; R] =
                        std::array::from_fn(|r| tile.ahead.wrapping_add(r * rows.along));
                    let mut sums = [[$zero(); V]; R];
                    if !tile.begins {
                        for r in 0..R {
                            for v in 0..V {
                                sums[r][v] = $load(tile.to.add(r * panel.row + v * $lanes));
                            }
                        }
                    }
                    let mut packed = panel.packed.cast_const();
                    let mut k = 0;
                    while k < steps {
                        for r in 0..R {
                            _mm_prefetch::<_MM_HINT_T0>(ahead[r].wrapping_add(k * rows.step).cast());
                        }
                        let end = steps.min(k + LINE);
                        while k < end {
                            let x: [$vector; V] = std::array::from_fn(|v| $load(packed.add(v * $lanes)));
                            for r in 0..R {
                                let w = $one(*row[r].add(k * rows.step));
                                for v in 0..V {
                                    sums[r][v] = $fma(x[v], w, sums[r][v]);
                                }
                            }
                            packed = packed.add(V * $lanes);
                            k += 1;
                        }
                    }
                    for r in 0..R {
                        for v in 0..V {
                            $store(tile.to.add(r * panel.row + v * $lanes), sums[r][v]);
                        }
                    }
                }
            }
        }
    };
}

/// Some rows with a panel.
#[derive(Clone, Copy)]
struct Tile {
    /// The first row at the first of the steps.
    rows: *const f32,
    /// What is read next.
    ahead: *const f32,
    to: *mut f32,
    /// Whether nothing was added up before.
    begins: bool,
}

level!(
    wide,
    "avx512f",
    __m512,
    16,
    64,
    block_16,
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_storeu_ps
);
level!(
    narrow,
    "avx2,fma",
    __m256,
    8,
    16,
    block_8,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_storeu_ps
);
