//! Tiles in vector registers of x86: AVX-512 and AVX2, single and double precision.
//!
//! Rows that come next are fetched ahead, since short pieces of many rows are no stream that the hardware would foresee;
//! so are the products' lines where nothing is read from them, since a store that waits for its line holds up the others.
#![expect(unsafe_code, reason = "vector loads and stores through pointers; the caller checked the views")]

use std::arch::x86_64::{
    _MM_HINT_ET0, _MM_HINT_T0, _mm_prefetch, _mm256_fmadd_pd, _mm256_fmadd_ps, _mm256_loadu_pd,
    _mm256_loadu_ps, _mm256_set1_pd, _mm256_set1_ps, _mm256_setzero_pd, _mm256_setzero_ps, _mm256_storeu_pd,
    _mm256_storeu_ps, _mm512_fmadd_pd, _mm512_fmadd_ps, _mm512_loadu_pd, _mm512_loadu_ps, _mm512_set1_pd,
    _mm512_set1_ps, _mm512_setzero_pd, _mm512_setzero_ps, _mm512_storeu_pd, _mm512_storeu_ps,
};
use std::marker::PhantomData;

use super::tiles::{Tile, Tiles};
use super::tiles_lanewise::Lanewise;
use super::transpose::{block_4_double, block_8, block_8_double, block_16};
use crate::simd::{Level, dispatch};

/// Of 512-bit vectors.
#[derive(Clone, Copy)]
pub(super) struct Wide<T>(PhantomData<T>);

/// Of 256-bit vectors.
#[derive(Clone, Copy)]
pub(super) struct Narrow<T>(PhantomData<T>);

/// Bytes of a cache line.
const LINE: usize = 64;

/// Rows within reach of one pointer: so many distances an address knows of itself. A pointer for each row, or a distance,
/// would be more than there are registers, and half of the loads would be of them.
const REACH: usize = 3;

/// Rows that a copy fetches ahead.
const AHEAD: usize = 12;

/// The same pointer, of which the compiler does not know that it lies near others: it would make one of them all.
#[inline(always)]
fn opaque<T>(mut pointer: *const T) -> *const T {
    // SAFETY: there is no instruction.
    #[expect(clippy::pointers_in_nomem_asm_block, reason = "nothing is read or written through it")]
    unsafe {
        std::arch::asm!("/* {} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags));
    }
    pointer
}

/// A loop over rows that holds everything in registers: the compiler leaves longer ones as they are, with arrays in memory.
macro_rules! unrolled {
    ($row:ident < $count:expr, $body:block) => {
        unrolled!($row $count, $body: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23)
    };
    ($row:ident $count:expr, $body:block: $($number:literal)*) => {
        $(if $number < $count {
            let $row: usize = $number;
            $body
        })*
    };
}

macro_rules! tiles {
    ($name:ident, $element:ty, $level:ident, $features:literal, $lanes:literal, $vectors:literal, $sums:literal,
     $({$v:literal: $($r:literal)*})*, $block:path,
     $zero:path, $load:path, $one:path, $fma:path, $store:path) => {
        impl $name<$element> {
            pub(super) fn new() -> Self {
                Self(PhantomData)
            }
        }

        impl Tiles for $name<$element> {
            type Element = $element;
            const LANES: usize = $lanes;
            const VECTORS: usize = $vectors;
            const SUMS: usize = $sums;

            unsafe fn tile(self, tile: Tile<'_, $element>, rows: usize, vectors: usize) {
                // SAFETY: by contract.
                unsafe {
                    match (vectors, rows) {
                        $($(($v, $r) => sum::<$v, $r>(tile),)*)*
                        _ => unreachable!("a tile of {vectors} vectors with {rows} rows"),
                    }
                }

                #[target_feature(enable = $features)]
                unsafe fn sum<const V: usize, const R: usize>(tile: Tile<'_, $element>) {
                    // SAFETY: by contract of the caller. Nothing is read from ahead.
                    unsafe {
                        let place = |r: usize, v: usize| tile.to.add(r * tile.to_row + v * $lanes);
                        let mut sums = [[$zero(); V]; R];
                        for r in 0..R {
                            for v in 0..V {
                                if tile.begins {
                                    _mm_prefetch::<_MM_HINT_ET0>(place(r, v).cast());
                                } else {
                                    sums[r][v] = $load(place(r, v));
                                }
                            }
                        }
                        for run in tile.runs {
                            let [mut panel, first] = tile.at(run);
                            let mut rows: [*const $element; R] = std::array::from_fn(|group| {
                                opaque(first.wrapping_add(group * REACH * tile.along))
                            });
                            let mut k = 0;
                            while k < run.steps {
                                let end = run.steps.min(k + LINE / size_of::<$element>());
                                if !tile.ahead.is_null() {
                                    let ahead = tile.ahead.wrapping_offset(run.rows).wrapping_add(k);
                                    for r in 0..R {
                                        _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(r * tile.along).cast());
                                    }
                                }
                                while k < end {
                                    let x: [_; V] = std::array::from_fn(|v| $load(panel.add(v * $lanes)));
                                    unrolled!(r < R, {
                                        let row = rows[r / REACH].wrapping_add(r % REACH * tile.along);
                                        let w = $one(*row);
                                        for v in 0..V {
                                            sums[r][v] = $fma(x[v], w, sums[r][v]);
                                        }
                                    });
                                    unrolled!(r < R.div_ceil(REACH), {
                                        let next = rows[r].wrapping_add(tile.step);
                                        // Of fewer rows it may hold all distances.
                                        rows[r] = if V == 1 { opaque(next) } else { next };
                                    });
                                    panel = panel.wrapping_add(tile.panel_step);
                                    k += 1;
                                }
                            }
                        }
                        for r in 0..R {
                            for v in 0..V {
                                $store(place(r, v), sums[r][v]);
                            }
                        }
                    }
                }
            }

            unsafe fn lanewise(self, tile: Tile<'_, $element>, rows: usize, lanes: usize) {
                dispatch(Level::$level, Lanewise { tile, rows, lanes });
            }

            unsafe fn strip(
                self,
                from: *const $element,
                from_row: usize,
                to: *mut $element,
                to_row: usize,
                rows: usize,
                vectors: usize,
            ) {
                // SAFETY: by contract.
                unsafe {
                    match vectors {
                        4 => copy::<4>(from, from_row, to, to_row, rows),
                        3 => copy::<3>(from, from_row, to, to_row, rows),
                        2 => copy::<2>(from, from_row, to, to_row, rows),
                        1 => copy::<1>(from, from_row, to, to_row, rows),
                        _ => {}
                    }
                }

                #[target_feature(enable = $features)]
                unsafe fn copy<const V: usize>(
                    from: *const $element,
                    from_row: usize,
                    to: *mut $element,
                    to_row: usize,
                    rows: usize,
                ) {
                    for row in 0..rows {
                        // SAFETY: by contract of the caller. Nothing is read from ahead.
                        unsafe {
                            let (from, to) = (from.add(row * from_row), to.add(row * to_row));
                            let ahead = from.wrapping_add(AHEAD * from_row);
                            for v in 0..V {
                                _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(v * $lanes).cast());
                                $store(to.add(v * $lanes), $load(from.add(v * $lanes)));
                            }
                        }
                    }
                }
            }

            unsafe fn block(self, from: *const $element, from_row: usize, to: *mut $element, to_row: usize) {
                // SAFETY: by contract.
                unsafe { $block(from, from_row, to, to_row) };
            }
        }
    };
}

tiles!(
    Wide, f32, Avx512, "avx512f", 16, 4, 24,
    {1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24}
    {2: 1 2 3 4 5 6 7 8 9 10 11 12} {3: 1 2 3 4 5 6 7 8} {4: 1 2 3 4 5 6}, block_16,
    _mm512_setzero_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps
);
tiles!(
    Wide, f64, Avx512, "avx512f", 8, 4, 24,
    {1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24}
    {2: 1 2 3 4 5 6 7 8 9 10 11 12} {3: 1 2 3 4 5 6 7 8} {4: 1 2 3 4 5 6}, block_8_double,
    _mm512_setzero_pd, _mm512_loadu_pd, _mm512_set1_pd, _mm512_fmadd_pd, _mm512_storeu_pd
);
tiles!(
    Narrow, f32, Avx2, "avx2,fma", 8, 2, 12, {1: 1 2 3 4 5 6 7 8 9 10 11 12} {2: 1 2 3 4 5 6}, block_8,
    _mm256_setzero_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps
);
tiles!(
    Narrow, f64, Avx2, "avx2,fma", 4, 2, 12, {1: 1 2 3 4 5 6 7 8 9 10 11 12} {2: 1 2 3 4 5 6}, block_4_double,
    _mm256_setzero_pd, _mm256_loadu_pd, _mm256_set1_pd, _mm256_fmadd_pd, _mm256_storeu_pd
);
