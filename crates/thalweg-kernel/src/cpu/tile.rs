//! Between an array and a block buffer: the elements of one tile, in the order of the iteration space.
//!
//! A tile is some rows of the chunked axis times all of the axes inside it. Where its elements lie in memory as
//! they lie in the block, kernels use them in place; else they are copied here, a run along the last axis at a time.
#![expect(unsafe_code, reason = "views were checked against their buffers when the plan was made")]

use super::axes::Axis;
use super::axes::{MAX_AXES, advance, merged, position};

/// How one array meets the tiles of a fused call.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    /// Number of the buffer.
    pub(crate) buffer: usize,
    /// First element.
    pub(crate) offset: usize,
    /// Elements from tile to tile along each loop.
    pub(crate) loops: Vec<usize>,
    /// Elements from row to row of a tile.
    row: usize,
    /// The axes inside a row, merged.
    extents: Vec<usize>,
    strides: Vec<usize>,
    /// Elements of a row.
    inner: usize,
    /// Whether a tile is a dense run.
    pub(crate) dense: bool,
}

impl Stream {
    /// The array with stride `row` along the chunked axis, of which a tile takes at most `rows`, and these strides
    /// along the axes inside.
    pub(crate) fn new(
        (buffer, offset): (usize, usize),
        loops: Vec<usize>,
        (row, rows): (usize, usize),
        inside: impl IntoIterator<Item = (usize, usize)>,
    ) -> Self {
        let inside =
            merged(inside.into_iter().map(|(extent, stride)| Axis { extent, strides: vec![stride], tag: 0 }));
        let inner: usize = inside.iter().map(|a| a.extent).product();
        let dense_row = match inside.as_slice() {
            [] => true,
            [axis] => axis.strides[0] == 1,
            _ => false,
        };
        Self {
            buffer,
            offset,
            loops,
            row,
            extents: inside.iter().map(|a| a.extent).collect(),
            strides: inside.iter().map(|a| a.strides[0]).collect(),
            inner,
            dense: dense_row && (row == inner || rows <= 1),
        }
    }

    /// Position of the first element of the tile that the loops stand at.
    #[inline(always)]
    pub(crate) fn start(&self, counter: &[usize]) -> usize {
        self.offset + position(counter, &self.loops)
    }

    /// Calls `run(block position, array position, extent, stride)` for each run of the tile along the last axis.
    #[inline(always)]
    fn runs(&self, rows: usize, mut run: impl FnMut(usize, usize, usize, usize)) {
        let Some(last) = self.extents.len().checked_sub(1) else {
            run(0, 0, rows, self.row);
            return;
        };
        let (extent, stride) = (self.extents[last], self.strides[last]);
        let mut block = 0;
        for row in 0..rows {
            let mut counter = [0; MAX_AXES];
            loop {
                run(
                    block,
                    row * self.row + position(&counter[..last], &self.strides[..last]),
                    extent,
                    stride,
                );
                block += extent;
                if !advance(&mut counter[..last], &self.extents[..last]) {
                    break;
                }
            }
        }
    }

    /// Copies a tile into a block.
    ///
    /// # Safety
    /// `from` points to the tile's first element, the tile lies in its buffer, and `block` has room for the tile
    /// and 16 elements more.
    #[inline(always)]
    pub(crate) unsafe fn gather<T: Copy>(&self, from: *const T, block: *mut T, rows: usize) {
        // SAFETY (all blocks): positions of runs lie in the tile by construction.
        if self.extents.len() == 1 && self.strides[0] == 0 && self.inner <= 16 {
            // One number a short row: whole vectors, each overwriting what the one before wrote too far.
            for row in 0..rows {
                unsafe {
                    let value = *from.add(row * self.row);
                    block.add(row * self.inner).cast::<[T; 16]>().write_unaligned([value; 16]);
                }
            }
            return;
        }
        self.runs(rows, |to, at, extent, stride| unsafe {
            let (to, from) = (block.add(to), from.add(at));
            match stride {
                0 => {
                    let value = *from;
                    for i in 0..extent {
                        *to.add(i) = value;
                    }
                }
                1 if extent >= 64 => std::ptr::copy_nonoverlapping(from, to, extent),
                1 => {
                    for i in 0..extent {
                        *to.add(i) = *from.add(i);
                    }
                }
                _ => {
                    for i in 0..extent {
                        *to.add(i) = *from.add(i * stride);
                    }
                }
            }
        });
    }

    /// Copies a block into a tile.
    ///
    /// # Safety
    /// `to` points to the tile's first element, the tile lies in its buffer, and `block` holds the tile.
    #[inline(always)]
    pub(crate) unsafe fn scatter<T: Copy>(&self, block: *const T, to: *mut T, rows: usize) {
        if self.dense {
            // SAFETY: a dense tile is a run of rows·inner elements. `copy`, as a store may name a load in place.
            unsafe { std::ptr::copy(block, to, rows * self.inner) };
            return;
        }
        self.runs(rows, |from, at, extent, stride| {
            // SAFETY: positions of runs lie in the tile by construction.
            unsafe {
                let (from, to) = (block.add(from), to.add(at));
                for i in 0..extent {
                    *to.add(i * stride) = *from.add(i);
                }
            }
        });
    }
}
