//! Tiles of a matrix product: what an instruction set and a precision do in their own way.
#![expect(unsafe_code, reason = "tiles are pointers; the caller checked the views")]

use crate::Real;

/// Rows in a tile.
pub(super) const ROWS: usize = 6;

/// Some rows with a panel, over some steps of the sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile<T> {
    /// The panel's elements at the first step, and the distance from one step's to the next's.
    pub(super) panel: *const T,
    pub(super) panel_step: usize,
    /// The first row at the first step, with the distances between rows and between steps.
    pub(super) rows: *const T,
    pub(super) along: usize,
    pub(super) step: usize,
    /// Rows that are read next: nothing is read from there, but it may be fetched.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only x86's tiles fetch"))]
    pub(super) ahead: *const T,
    /// The products, one row's lanes after another's so far apart.
    pub(super) to: *mut T,
    pub(super) to_row: usize,
    pub(super) steps: usize,
    /// Whether nothing was added up before.
    pub(super) begins: bool,
}

/// What a level and a precision do in their own way.
pub(super) trait Tiles: Copy {
    /// The precision.
    type Element: Real;
    /// Lanes of a vector.
    const LANES: usize;
    /// Vectors of the widest panel.
    const VECTORS: usize;

    /// Adds up a tile of `rows` rows, 1 to [`ROWS`], with `vectors` vectors of the panel.
    ///
    /// # Safety
    /// The panel's elements, the rows and the products must be there, and the level one that the machine has.
    unsafe fn tile(self, tile: Tile<Self::Element>, rows: usize, vectors: usize);

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
