//! Rows that are copied before they are multiplied: in strips, in each of which the rows of a step lie side by side.
#![expect(unsafe_code, reason = "walks factors by pointers and strides; the caller checked the views")]

use super::block::Block;
use super::panel;
use super::product::{Chunk, Product, Term};
use super::tiles::Tiles;

/// Steps so far apart lie too far across for rows to be read in place.
const ACROSS: usize = 32;
/// Elements after which lines come to the same set of a first-level cache, in single precision.
const PAGE: usize = 1024;
/// Lines that such a set holds at least.
const WAYS: usize = 8;
/// Lanes from which on a copy of the rows pays for itself.
const MANY: usize = 64;
/// Rows that lie side by side in a copy: a whole number of full tiles, whatever the panel's width.
pub(super) const STRIP: usize = 24;

/// Whether rows of such blocks are copied: where steps lie far apart, or rows a multiple of a page, whose lines would all meet in
/// a few sets of the caches. A copy is of a block; it has strips of [`STRIP`] rows one after another, in which each step's rows
/// lie side by side.
pub(super) fn copies_rows(block: &Block, step: usize, lanes: usize) -> bool {
    let ([extent], [along]) = (&block.extents[..], &block.rows[..]) else { return false };
    let meet = along.is_multiple_of(PAGE) && *extent > WAYS && lanes > MANY;
    step > ACROSS || (meet && step == 1)
}

/// Copies the rows of a block at the steps of a chunk: strip by strip, in each of which a step's rows lie side by side.
///
/// # Safety
/// The rows must be there, and room for the copy.
pub(super) unsafe fn copy_rows<S: Tiles>(
    tiles: S,
    product: &Product,
    term: &Term,
    chunk: &Chunk,
    block: usize,
    rows: *const S::Element,
    copy: *mut S::Element,
) {
    let [extent, along] = [product.blocks[block].extents[0], product.blocks[block].rows[0]];
    for first in (0..extent).step_by(STRIP) {
        let count = STRIP.min(extent - first);
        for run in &chunk.copied[block] {
            // SAFETY (all blocks): by contract.
            let (from, to) = unsafe {
                (rows.add(first * along).offset(run.rows), copy.add(first * chunk.steps + run.at * STRIP))
            };
            if term.rows.step == 1 {
                unsafe { panel::transpose(tiles, [count, run.steps], from, along, to, STRIP) };
                continue;
            }
            for k in 0..run.steps {
                unsafe {
                    let (from, to) = (from.add(k * term.rows.step), to.add(k * STRIP));
                    if along == 1 {
                        std::ptr::copy_nonoverlapping(from, to, count);
                    } else {
                        for j in 0..count {
                            *to.add(j) = *from.add(j * along);
                        }
                    }
                }
            }
        }
    }
}
