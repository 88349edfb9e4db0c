//! Tiles of any precision, as loops that LLVM vectorises for each instruction set.
#![expect(unsafe_code, reason = "loads and stores through pointers; the caller checked the views")]

use std::marker::PhantomData;

use super::tiles::{Tile, Tiles};
use super::tiles_lanewise::Lanewise;
use crate::Real;
use crate::simd::{Isa, Kernel, Level, dispatch};

/// Tiles of this precision at a level.
#[derive(Clone, Copy)]
pub(super) struct Plain<T> {
    level: Level,
    precision: PhantomData<T>,
}

impl<T> Plain<T> {
    pub(super) fn new(level: Level) -> Self {
        Self { level, precision: PhantomData }
    }
}

/// Lanes of a vector: one register of 512 bits in double precision, two of 256, four of 128.
const LANES: usize = 8;

impl<T: Real> Tiles for Plain<T> {
    type Element = T;
    const LANES: usize = LANES;
    const VECTORS: usize = 2;
    const SUMS: usize = 12;

    unsafe fn tile(self, tile: Tile<'_, T>, rows: usize, vectors: usize) {
        dispatch(self.level, Sum { tile, rows, vectors });
    }

    unsafe fn lanewise(self, tile: Tile<'_, T>, rows: usize, lanes: usize) {
        dispatch(self.level, Lanewise { tile, rows, lanes });
    }

    unsafe fn strip(
        self,
        from: *const T,
        from_row: usize,
        to: *mut T,
        to_row: usize,
        rows: usize,
        vectors: usize,
    ) {
        for row in 0..rows {
            // SAFETY: by contract.
            unsafe {
                std::ptr::copy_nonoverlapping(
                    from.add(row * from_row),
                    to.add(row * to_row),
                    vectors * LANES,
                );
            }
        }
    }

    unsafe fn block(self, from: *const T, from_row: usize, to: *mut T, to_row: usize) {
        for i in 0..LANES {
            for j in 0..LANES {
                // SAFETY: by contract.
                unsafe { *to.add(j * to_row + i) = *from.add(i * from_row + j) };
            }
        }
    }
}

struct Sum<'r, T> {
    tile: Tile<'r, T>,
    rows: usize,
    vectors: usize,
}

impl<T: Real> Kernel for Sum<'_, T> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        macro_rules! with {
            ($($vectors:literal: $($rows:literal)*;)*) => {
                match (self.vectors, self.rows) {
                    $($(($vectors, $rows) => sum::<I, T, { $vectors * LANES }, $rows>(self.tile),)*)*
                    _ => unreachable!("a tile of {} vectors with {} rows", self.vectors, self.rows),
                }
            };
        }
        // SAFETY: whoever made the tile had its elements.
        unsafe { with!(1: 1 2 3 4 5 6 7 8 9 10 11 12; 2: 1 2 3 4 5 6;) }
    }
}

#[inline(always)]
unsafe fn sum<I: Isa, T: Real, const W: usize, const R: usize>(tile: Tile<'_, T>) {
    // SAFETY: by contract of the caller.
    unsafe {
        let mut sums = [[T::ZERO; W]; R];
        if !tile.begins {
            for (r, sums) in sums.iter_mut().enumerate() {
                *sums = tile.to.add(r * tile.to_row).cast::<[T; W]>().read();
            }
        }
        for run in tile.runs {
            let [panel, rows] = tile.at(run);
            for k in 0..run.steps {
                let x = panel.add(k * tile.panel_step).cast::<[T; W]>().read();
                for (r, sums) in sums.iter_mut().enumerate() {
                    let w = *rows.add(r * tile.along + k * tile.step);
                    for (sum, x) in sums.iter_mut().zip(x) {
                        *sum = x.mul_add_fast::<I>(w, *sum);
                    }
                }
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            tile.to.add(r * tile.to_row).cast::<[T; W]>().write(sums);
        }
    }
}
