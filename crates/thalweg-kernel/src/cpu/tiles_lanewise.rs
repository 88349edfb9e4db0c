//! Tiles of rows that have the lanes themselves: each lane is multiplied with its own number, not all with one.
//!
//! Each channel of a depthwise convolution has weights of its own, so channels are lanes of both factors. There is a load
//! to each multiplication, and no register can hold more for others; loops that LLVM vectorises do as well as intrinsics.
#![expect(unsafe_code, reason = "loads and stores through pointers; the caller checked the views")]

use super::tiles::Tile;
use crate::Real;
use crate::simd::{Isa, Kernel};

/// Lanes that are summed at once: one register of 512 bits in single precision, two of 256.
const LANES: usize = 16;
/// Rows of a tile at most.
pub(super) const ROWS: usize = 6;

/// Some rows with a panel of so many lanes. There is nothing to be read beyond the last.
pub(super) struct Lanewise<'r, T> {
    pub(super) tile: Tile<'r, T>,
    pub(super) rows: usize,
    pub(super) lanes: usize,
}

impl<T: Real> Kernel for Lanewise<'_, T> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        macro_rules! with {
            ($lanes:expr, $first:expr, $($rows:literal)*) => {
                match self.rows {
                    $($rows => sum::<I, T, { $lanes }, $rows>(&self.tile, $first),)*
                    _ => unreachable!("a tile with {} rows", self.rows),
                }
            };
        }
        let whole = self.lanes / LANES * LANES;
        // SAFETY: whoever made the tile had its elements.
        unsafe {
            for first in (0..whole).step_by(LANES) {
                with!(LANES, first, 1 2 3 4 5 6);
            }
            for first in whole..self.lanes {
                with!(1, first, 1 2 3 4 5 6);
            }
        }
    }
}

/// # Safety
/// The tile's elements must be there.
#[inline(always)]
unsafe fn sum<I: Isa, T: Real, const W: usize, const R: usize>(tile: &Tile<'_, T>, first: usize) {
    // SAFETY: by contract.
    unsafe {
        let to = tile.to.add(first);
        let mut sums = [[T::ZERO; W]; R];
        if !tile.begins {
            for (r, sums) in sums.iter_mut().enumerate() {
                *sums = to.add(r * tile.to_row).cast::<[T; W]>().read();
            }
        }
        for run in tile.runs {
            let [panel, rows] = tile.at(run).map(|start| start.add(first));
            for k in 0..run.steps {
                let x = panel.add(k * tile.panel_step).cast::<[T; W]>().read();
                for (r, sums) in sums.iter_mut().enumerate() {
                    let w = rows.add(r * tile.along + k * tile.step).cast::<[T; W]>().read();
                    for ((sum, x), w) in sums.iter_mut().zip(x).zip(w) {
                        *sum = x.mul_add_fast::<I>(w, *sum);
                    }
                }
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            to.add(r * tile.to_row).cast::<[T; W]>().write(sums);
        }
    }
}
