//! Tiles of a product: what an instruction set and a precision do in their own way.
#![expect(unsafe_code, reason = "tiles are pointers; the caller checked the views")]

use super::product::Run;
use crate::Real;

/// Some rows with a panel, over some runs of the sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile<'r, T> {
    /// The panel's elements at the first step, and the distance from one step's to the next's.
    pub(super) panel: *const T,
    pub(super) panel_step: usize,
    /// Whether the panel lies in the lanes themselves, so that runs say where, and not packed, step after step.
    pub(super) in_place: bool,
    /// Where the first row starts, with the distances between rows and between steps.
    pub(super) rows: *const T,
    pub(super) along: usize,
    pub(super) step: usize,
    pub(super) runs: &'r [Run],
    /// Rows that are read next, or nothing: nothing is read from there, but it may be fetched.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only x86's tiles fetch"))]
    pub(super) ahead: *const T,
    /// The products, one row's lanes after another's so far apart.
    pub(super) to: *mut T,
    pub(super) to_row: usize,
    /// Whether nothing was added up before.
    pub(super) begins: bool,
}

impl<T> Tile<'_, T> {
    /// The panel and the rows at the first step of a run.
    ///
    /// # Safety
    /// The run must be one of this tile.
    #[inline(always)]
    pub(super) unsafe fn at(&self, run: &Run) -> [*const T; 2] {
        let panel = if self.in_place { run.lanes } else { run.at * self.panel_step };
        // SAFETY: by contract.
        unsafe { [self.panel.add(panel), self.rows.offset(run.rows)] }
    }
}

/// What a level and a precision do in their own way.
pub(super) trait Tiles: Copy {
    /// The precision.
    type Element: Real;
    /// Lanes of a vector.
    const LANES: usize;
    /// Vectors of the widest panel.
    const VECTORS: usize;
    /// Vectors of a tile: rows times vectors of a panel.
    const SUMS: usize;

    /// Adds up a tile of `rows` rows, 1 to [`Self::SUMS`] over `vectors`, with `vectors` vectors of the panel.
    ///
    /// # Safety
    /// The panel's elements, the rows and the products must be there, and the level one that the machine has.
    unsafe fn tile(self, tile: Tile<'_, Self::Element>, rows: usize, vectors: usize);

    /// The same with rows that have lanes of their own, so many side by side: 1 to [`super::tiles_lanewise::ROWS`] rows.
    ///
    /// # Safety
    /// As [`Self::tile`]; nothing beyond the lanes is touched.
    unsafe fn lanewise(self, tile: Tile<'_, Self::Element>, rows: usize, lanes: usize);

    /// Copies `rows` rows of so many vectors, `from_row` and `to_row` apart.
    ///
    /// # Safety
    /// All elements must be there, and the level one that the machine has.
    unsafe fn strip(
        self,
        from: *const Self::Element,
        from_row: usize,
        to: *mut Self::Element,
        to_row: usize,
        rows: usize,
        vectors: usize,
    );

    /// `LANES` rows of `LANES` elements, `from_row` apart, as columns of the destination, whose rows are `to_row` apart.
    ///
    /// # Safety
    /// All elements must be there, and the level one that the machine has.
    unsafe fn block(self, from: *const Self::Element, from_row: usize, to: *mut Self::Element, to_row: usize);
}
