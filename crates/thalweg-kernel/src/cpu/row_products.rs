//! Products of rows with rows, x·Wᵀ with W as `[out, in]`: the forward pass of every linear layer.
//!
//! Both factors run along the summed axis in memory, while a general matrix product wants one of them transposed
//! and packs it so: for the few rows of a shard that costs up to half as much as the product. Here the factor with
//! few rows is packed, in panels of one vector register's width times a few, and the rows of the other are read
//! where they lie, one number at a time, each multiplied with a whole width of the panel. A tile of the product
//! stays in registers for the whole sum. (What lost: dot products along k, which need no packing at all, but whose
//! loads straddle cache lines and whose horizontal sums never end; 105 GFLOP/s where this makes 164 and the general product 95.)
#![expect(unsafe_code, reason = "vector loads and stores through pointers; the caller checked the views")]

use std::arch::x86_64::{
    __m256, __m512, _mm256_fmadd_ps, _mm256_load_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_store_ps,
    _mm512_fmadd_ps, _mm512_load_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_store_ps,
};
use std::ops::Range;

use crate::simd::Level;

/// Shortest sum for which writing the sums does not weigh more than packing the larger factor.
const LEAST_DEPTH: usize = 32;
/// Rows of the smaller factor from which on packing the larger one pays for itself.
const MOST_FEW: usize = 192;
/// Elements of the larger factor up to which packing it costs next to nothing, unless the other has less rows than a
/// vector has lanes.
const LEAST_MANY: usize = 1 << 16;
/// Width of the widest panel.
const WIDTH: usize = 64;
/// Rows of the larger factor in a tile.
const ROWS: usize = 6;
/// Steps of the sum after which tiles change: so much of a panel stays in the first-level cache.
const STEPS: usize = 128;
/// Most panels.
const PANELS: usize = MOST_FEW.div_ceil(16);

/// Whether this is the better way for a product of `few` rows with `many` rows of length `depth`.
pub(super) fn suits(level: Level, few: usize, many: usize, depth: usize) -> bool {
    let size = (4..=MOST_FEW).contains(&few) && (many * depth >= LEAST_MANY || few < 16);
    size && depth >= LEAST_DEPTH && matches!(level, Level::Avx2 | Level::Avx512)
}

/// Elements of the workspace that [`multiply`] needs: the packed panels, and the sums of all rows with them.
pub(super) fn workspace(few: usize, many: usize, depth: usize) -> usize {
    few.next_multiple_of(16) * (depth + many)
}

/// A matrix in memory: its first element, and the distances between neighbours along its rows' axis and along k.
#[derive(Clone, Copy)]
pub(super) struct Factor {
    pub(super) start: *const f32,
    pub(super) rows: usize,
    pub(super) row: usize,
    pub(super) step: usize,
}

/// The product: its first element, and the distances along the rows of `few` and along those of `many`.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub(super) start: *mut f32,
    pub(super) few: usize,
    pub(super) many: usize,
    /// Whether the products are added to what stands there.
    pub(super) adds: bool,
}

/// out[i, j] (+)= Σ_k few[i, k]·many[j, k].
///
/// # Safety
/// All elements must be there, the level one that the machine has and that [`suits`] accepts, and the workspace
/// aligned to a cache line and as large as [`workspace`] says.
pub(super) unsafe fn multiply(
    level: Level,
    few: Factor,
    many: Factor,
    depth: usize,
    out: Product,
    workspace: *mut f32,
) {
    let lanes = if level == Level::Avx512 { 16 } else { 8 };
    let widest = if level == Level::Avx512 { WIDTH } else { 2 * lanes };
    let nothing = Panel { panel: std::ptr::null(), sums: workspace, first: 0, count: 0, width: 0 };
    let mut panels = [nothing; PANELS];
    let mut used = 0;
    let mut free = workspace;
    for first in (0..few.rows).step_by(widest) {
        let count = widest.min(few.rows - first);
        let width = count.next_multiple_of(lanes);
        // SAFETY: panel and sums take `width` × (`depth` + rows) elements of the workspace.
        unsafe {
            pack(few, first, count, width, depth, free);
            let sums = free.add(width * depth);
            panels[used] = Panel { panel: free, sums, first, count, width };
            free = sums.add(width * many.rows);
        }
        used += 1;
    }
    let panels = &panels[..used];
    // SAFETY: the panels were packed above; the rest is the caller's word.
    unsafe {
        match level {
            Level::Avx512 => wide::run(panels, many, depth),
            _ => narrow::run(panels, many, depth),
        }
        for panel in panels {
            put(*panel, many.rows, out);
        }
    }
}

/// Ranges of 16: transposing so many rows at a time stays within the first-level cache.
fn blocks(length: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(16).map(move |start| start..length.min(start + 16))
}

/// Writes `count` rows as a panel: for each k their elements side by side, zeros up to `width`.
///
/// # Safety
/// The rows must be there, and room for `width` × `depth` elements.
unsafe fn pack(few: Factor, first: usize, count: usize, width: usize, depth: usize, panel: *mut f32) {
    // SAFETY: by contract.
    unsafe {
        for steps in blocks(depth) {
            for i in 0..count {
                let row = few.start.add((first + i) * few.row);
                for k in steps.clone() {
                    *panel.add(k * width + i) = *row.add(k * few.step);
                }
            }
            for k in steps {
                for i in count..width {
                    *panel.add(k * width + i) = 0.0;
                }
            }
        }
    }
}

/// Writes the sums of a panel.
///
/// # Safety
/// The product's elements must be there.
unsafe fn put(panel: Panel, rows: usize, to: Product) {
    // SAFETY: by contract.
    unsafe {
        for block in blocks(rows) {
            for i in 0..panel.count {
                let row = to.start.add((panel.first + i) * to.few);
                for j in block.clone() {
                    let (sum, out) = (*panel.sums.add(j * panel.width + i), row.add(j * to.many));
                    *out = if to.adds { *out + sum } else { sum };
                }
            }
        }
    }
}

/// Some rows of the smaller factor, packed: for each k their elements side by side.
#[derive(Clone, Copy)]
struct Panel {
    panel: *const f32,
    /// Sums with each row of the larger factor, side by side.
    sums: *mut f32,
    /// The first row.
    first: usize,
    /// Rows that are not padding.
    count: usize,
    /// Rows with padding.
    width: usize,
}

macro_rules! level {
    ($name:ident, $features:literal, $vector:ty, $lanes:literal, $zero:path, $load:path, $one:path, $fma:path, $store:path) => {
        mod $name {
            use super::*;

            /// All panels with all rows of `many`: rows that were read for one panel are near for the next.
            #[target_feature(enable = $features)]
            pub(super) unsafe fn run(panels: &[Panel], many: Factor, depth: usize) {
                for first in (0..depth).step_by(STEPS) {
                    let steps = first..depth.min(first + STEPS);
                    let whole = many.rows / ROWS * ROWS;
                    // SAFETY: tiles lie within the rows and the depth.
                    unsafe {
                        for j in (0..whole).step_by(ROWS) {
                            tiles::<ROWS>(panels, many, j, &steps);
                        }
                        for j in whole..many.rows {
                            tiles::<1>(panels, many, j, &steps);
                        }
                    }
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn tiles<const R: usize>(panels: &[Panel], many: Factor, j: usize, steps: &Range<usize>) {
                for panel in panels {
                    // SAFETY: by contract of the caller.
                    unsafe {
                        match panel.width / $lanes {
                            1 => tile::<1, R>(*panel, many, j, steps.clone()),
                            2 => tile::<2, R>(*panel, many, j, steps.clone()),
                            3 => tile::<3, R>(*panel, many, j, steps.clone()),
                            _ => tile::<4, R>(*panel, many, j, steps.clone()),
                        }
                    }
                }
            }

            /// R rows from j with a panel of V vectors, over some steps of the sum.
            #[target_feature(enable = $features)]
            unsafe fn tile<const V: usize, const R: usize>(
                at: Panel,
                many: Factor,
                j: usize,
                steps: Range<usize>,
            ) {
                // SAFETY: panel and sums are aligned and hold V vectors for each k and each row; R rows are there.
                unsafe {
                    let rows: [*const f32; R] = std::array::from_fn(|r| many.start.add((j + r) * many.row));
                    let place = |r: usize, v: usize| at.sums.add(((j + r) * V + v) * $lanes);
                    let mut sums = [[$zero(); V]; R];
                    if steps.start > 0 {
                        for r in 0..R {
                            for v in 0..V {
                                sums[r][v] = $load(place(r, v));
                            }
                        }
                    }
                    let mut panel = at.panel.add(steps.start * V * $lanes);
                    for k in steps {
                        let x: [$vector; V] = std::array::from_fn(|v| $load(panel.add(v * $lanes)));
                        for r in 0..R {
                            let w = $one(*rows[r].add(k * many.step));
                            for v in 0..V {
                                sums[r][v] = $fma(x[v], w, sums[r][v]);
                            }
                        }
                        panel = panel.add(V * $lanes);
                    }
                    for r in 0..R {
                        for v in 0..V {
                            $store(place(r, v), sums[r][v]);
                        }
                    }
                }
            }
        }
    };
}

level!(
    wide,
    "avx512f",
    __m512,
    16,
    _mm512_setzero_ps,
    _mm512_load_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_store_ps
);
level!(
    narrow,
    "avx2,fma",
    __m256,
    8,
    _mm256_setzero_ps,
    _mm256_load_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_store_ps
);

#[cfg(test)]
mod tests {
    use crate::call::{Call, CallList, Labels, Space, View};
    use crate::cpu::Machine;
    use crate::simd::Level;
    use crate::{Key, Layout};

    /// x `[m, k]` times Wᵀ with W `[n, k]`, rows of both `gap` elements longer than k, the product transposed or not.
    fn check(level: Level, [m, n, k]: [usize; 3], gap: usize, transposed: bool) {
        let view = |space, shape: [usize; 2], row: usize| {
            let layout = Layout { offset: 1, shape: shape.to_vec(), strides: vec![row, 1] };
            View { space, layout }
        };
        let row = k + gap;
        let (out, out_labels) = if transposed { ([n, m], vec![1, 0]) } else { ([m, n], vec![0, 1]) };
        let list = CallList {
            inputs: vec![m * row + 1, n * row + 1],
            outputs: vec![m * n + 1],
            calls: vec![Call::Contract {
                a: view(Space::Input(0), [m, k], row),
                b: view(Space::Input(1), [n, k], row),
                out: view(Space::Output(0), out, out[1]),
                labels: Labels { a: vec![0, 2], b: vec![1, 2], out: out_labels },
                adds: false,
            }],
            ..CallList::default()
        };
        let machine = Machine::<f32>::with_level(&list, level);
        // Small whole numbers: every order of summation gives the exact result.
        let whole = |size: usize, name: &str| -> Vec<f32> {
            let mut values = vec![0.0; size];
            Key::from_seed(5).named(name).uniforms(&mut values);
            values.iter().map(|u| (u * 9.0).floor() as f32 - 4.0).collect()
        };
        let (x, w) = (whole(list.inputs[0], "x"), whole(list.inputs[1], "w"));
        let mut result = vec![f32::NAN; m * n + 1];
        machine.run(&mut machine.scratch(), &[&x, &w], &[], &mut [&mut result]);
        for i in 0..m {
            for j in 0..n {
                let expected: f32 = (0..k).map(|s| x[1 + i * row + s] * w[1 + j * row + s]).sum();
                let found = result[1 + if transposed { j * m + i } else { i * n + j }];
                assert_eq!(found, expected, "{level:?} m {m} n {n} k {k} at {i}, {j}");
            }
        }
    }

    #[test]
    fn products_of_rows_are_sums_of_products() {
        for level in Level::available() {
            for (m, n) in
                [(4, 4), (5, 2050), (15, 31), (17, 2049), (64, 2048), (65, 520), (191, 600), (193, 12)]
            {
                for k in [32, 33, 128, 129] {
                    check(level, [m, n, k], k % 3, false);
                    check(level, [n, m, k], 0, true);
                }
            }
        }
    }
}
