//! Products of rows with rows: out[i, j] = Σ_k a[i, k]·b[j, k], where both factors run along k in memory.
//!
//! That is x·Wᵀ with W as `[out, in]`: the forward pass of every linear layer. A general matrix product first packs
//! one factor transposed, which for the few rows of a shard costs up to half as much as the product itself. Here a
//! tile of 4 × 6 dot products stays in registers, nothing is packed, and each tile ends with its horizontal sums,
//! which a long k pays for.
#![expect(unsafe_code, reason = "vector loads through pointers; the caller checked the views")]

use std::arch::x86_64::{
    __m128, __m256, __m512, _mm_add_ps, _mm_storeu_ps, _mm256_add_ps, _mm256_castps256_ps128, _mm256_extractf128_ps,
    _mm256_fmadd_ps, _mm256_hadd_ps, _mm256_loadu_ps, _mm256_maskload_ps, _mm256_setzero_ps, _mm512_add_ps,
    _mm512_castps512_ps256, _mm512_extractf32x8_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_maskz_loadu_ps,
    _mm512_setzero_ps, _mm512_unpackhi_pd, _mm512_unpackhi_ps, _mm512_unpacklo_pd, _mm512_unpacklo_ps,
};
use std::arch::x86_64::{_mm256_loadu_si256, _mm512_castpd_ps, _mm512_castps_pd};

use crate::simd::Level;

/// Rows of a in a tile.
const ROWS: usize = 4;
/// Elements of a row that are summed in one go: the rows of b that a tile reads stay in the first-level cache.
const DEPTH: usize = 1024;
/// Shortest sum for which the horizontal sums at the end of a tile do not weigh more than packing.
const LEAST_DEPTH: usize = 96;
/// Rows from which on packing pays for itself.
const MOST_ROWS: usize = 192;

/// Whether this is the better way for a product of that size (m, n, k).
pub(super) fn suits(level: Level, [m, n, k]: [usize; 3]) -> bool {
    matches!(level, Level::Avx2 | Level::Avx512) && k >= LEAST_DEPTH && m.min(n) <= MOST_ROWS
}

/// A factor or the product: its first element and the distance between neighbouring rows (for the product: along i
/// and along j).
#[derive(Clone, Copy)]
pub(super) struct Factor {
    pub(super) start: *const f32,
    pub(super) row: usize,
}

/// out[i, j] (+)= Σ_k a[i, k]·b[j, k].
///
/// # Safety
/// The level must be one that the machine has and that [`suits`] accepts, and all elements must be there.
pub(super) unsafe fn multiply(
    level: Level,
    [m, n, k]: [usize; 3],
    a: Factor,
    b: Factor,
    out: *mut f32,
    [out_i, out_j]: [usize; 2],
    adds: bool,
) {
    for depth in (0..k).step_by(DEPTH) {
        let part = DEPTH.min(k - depth);
        // SAFETY: `depth` stays below k, and the level was checked by the caller.
        unsafe {
            let a = Factor { start: a.start.add(depth), ..a };
            let b = Factor { start: b.start.add(depth), ..b };
            let to = Product { start: out, strides: [out_i, out_j], adds: adds || depth > 0 };
            match level {
                Level::Avx512 => wide::multiply([m, n, part], a, b, to),
                _ => narrow::multiply([m, n, part], a, b, to),
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Product {
    start: *mut f32,
    strides: [usize; 2],
    adds: bool,
}

impl Product {
    /// Stores the dot products of the four rows from i with row j.
    ///
    /// # Safety
    /// The elements must be there.
    #[inline(always)]
    unsafe fn put<const M: usize>(self, i: usize, j: usize, sums: [f32; ROWS]) {
        for (r, sum) in sums.into_iter().enumerate().take(M) {
            // SAFETY: by contract.
            unsafe {
                let to = self.start.add((i + r) * self.strides[0] + j * self.strides[1]);
                *to = if self.adds { *to + sum } else { sum };
            }
        }
    }
}

macro_rules! level {
    ($name:ident, $features:literal, $columns:literal, $vector:ty, $lanes:literal, $zero:path, $load:path, $fma:path, $part:ident, $total:ident) => {
        mod $name {
            use super::*;
            use super::{$part as part, $total as total};

            /// Rows of b in a tile: with those of a and one more they fill the registers.
            const COLUMNS: usize = $columns;

            #[target_feature(enable = $features)]
            pub(super) unsafe fn multiply(size: [usize; 3], a: Factor, b: Factor, out: Product) {
                let [m, n, k] = size;
                // SAFETY: tiles lie within m × n.
                unsafe {
                    let mut j = 0;
                    while j < n {
                        let columns = COLUMNS.min(n - j);
                        let mut i = 0;
                        while i < m {
                            let at = (k, a, b, out, i, j);
                            let rows = if m - i >= ROWS { ROWS } else { 1 };
                            match (rows, columns) {
                                (ROWS, 1) => tile::<ROWS, 1>(at),
                                (ROWS, 2) => tile::<ROWS, 2>(at),
                                (ROWS, 3) => tile::<ROWS, 3>(at),
                                (ROWS, 4) => tile::<ROWS, 4>(at),
                                (ROWS, 5) => tile::<ROWS, 5>(at),
                                (ROWS, _) => tile::<ROWS, COLUMNS>(at),
                                (_, 1) => tile::<1, 1>(at),
                                (_, 2) => tile::<1, 2>(at),
                                (_, 3) => tile::<1, 3>(at),
                                (_, 4) => tile::<1, 4>(at),
                                (_, 5) => tile::<1, 5>(at),
                                _ => tile::<1, COLUMNS>(at),
                            }
                            i += rows;
                        }
                        j += columns;
                    }
                }
            }

            /// M × N dot products of k terms.
            #[target_feature(enable = $features)]
            unsafe fn tile<const M: usize, const N: usize>(
                (k, a, b, out, i, j): (usize, Factor, Factor, Product, usize, usize),
            ) {
                // SAFETY: reads k elements of M rows of a and N rows of b.
                unsafe {
                    let a_row: [*const f32; M] = std::array::from_fn(|r| a.start.add((i + r) * a.row));
                    let b_row: [*const f32; N] = std::array::from_fn(|c| b.start.add((j + c) * b.row));
                    let mut sums = [[$zero(); ROWS]; N];
                    let whole = k / $lanes * $lanes;
                    let mut at = 0;
                    while at < whole {
                        let x: [$vector; M] = std::array::from_fn(|r| $load(a_row[r].add(at)));
                        for c in 0..N {
                            let y = $load(b_row[c].add(at));
                            for r in 0..M {
                                sums[c][r] = $fma(x[r], y, sums[c][r]);
                            }
                        }
                        at += $lanes;
                    }
                    if at < k {
                        let x: [$vector; M] = std::array::from_fn(|r| part(a_row[r].add(at), k - at));
                        for c in 0..N {
                            let y = part(b_row[c].add(at), k - at);
                            for r in 0..M {
                                sums[c][r] = $fma(x[r], y, sums[c][r]);
                            }
                        }
                    }
                    for c in 0..N {
                        out.put::<M>(i, j + c, total(sums[c]));
                    }
                }
            }
        }
    };
}

level!(wide, "avx512f,avx512dq", 6, __m512, 16, _mm512_setzero_ps, _mm512_loadu_ps, _mm512_fmadd_ps, part_512, total_512);
// Sixteen registers hold a tile of 4 × 2, the rows of a and one of b.
level!(narrow, "avx2,fma", 2, __m256, 8, _mm256_setzero_ps, _mm256_loadu_ps, _mm256_fmadd_ps, part_256, total_256);

/// The first `count` lanes, zeros after.
#[target_feature(enable = "avx512f")]
unsafe fn part_512(from: *const f32, count: usize) -> __m512 {
    // SAFETY: lanes that the mask leaves out are not read.
    unsafe { _mm512_maskz_loadu_ps(((1_u32 << count) - 1) as u16, from) }
}

/// Four horizontal sums.
#[target_feature(enable = "avx512f,avx512dq")]
fn total_512([a, b, c, d]: [__m512; ROWS]) -> [f32; ROWS] {
    let add = |x: __m512, y: __m512| _mm512_add_ps(_mm512_unpacklo_ps(x, y), _mm512_unpackhi_ps(x, y));
    let (ab, cd) = (_mm512_castps_pd(add(a, b)), _mm512_castps_pd(add(c, d)));
    let (low, high) = (_mm512_unpacklo_pd(ab, cd), _mm512_unpackhi_pd(ab, cd));
    let quarters = _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
    let halves = _mm256_add_ps(_mm512_castps512_ps256(quarters), _mm512_extractf32x8_ps::<1>(quarters));
    array(_mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves)))
}

/// The first `count` lanes, zeros after.
#[target_feature(enable = "avx2")]
unsafe fn part_256(from: *const f32, count: usize) -> __m256 {
    const MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: the mask lies within the table, and lanes that it leaves out are not read.
    unsafe { _mm256_maskload_ps(from, _mm256_loadu_si256(MASKS.as_ptr().add(8 - count).cast())) }
}

/// Four horizontal sums.
#[target_feature(enable = "avx2")]
fn total_256([a, b, c, d]: [__m256; ROWS]) -> [f32; ROWS] {
    let halves = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    array(_mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves)))
}

#[target_feature(enable = "sse")]
fn array(x: __m128) -> [f32; ROWS] {
    let mut lanes = [0.0; ROWS];
    // SAFETY: the array has room for four.
    unsafe { _mm_storeu_ps(lanes.as_mut_ptr(), x) };
    lanes
}
