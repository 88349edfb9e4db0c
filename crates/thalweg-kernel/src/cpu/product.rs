//! A planned sum of products: which rows meet which lanes, and in which order the sum is taken.
//!
//! out = Σ lanes·rows, as a matrix product generalised: the rows may run along several axes, in *blocks* that each see a
//! part of the sum of their own, and the sum may run along several axes. Contractions have one block; a convolution has
//! one for each part of the array whose positions see the same taps.
//!
//! The sum is cut into *chunks*, so much as fits the first-level cache beside the rows. What a block sees of a chunk are
//! its *runs*, in each of which the rows go on by one stride.
#![expect(unsafe_code, reason = "products take pointers and strides; views were checked")]

use super::axes::{MAX_AXES, advance, position};
use super::block::Block;
use super::copied::STRIP;
use super::memory::Memory;
use super::products::{self, Pointers, TERMS};
use super::sums::{Seen, Sum, chunks};
use crate::Real;

/// Elements of a packed panel that stay in the first-level cache.
pub(super) const PANEL: usize = 8192;
/// A multiple of the lanes of any vector.
const LANES: usize = 16;
/// Steps of a chunk at most: where taps pass it one after another, so much of the rows stays in the first-level cache beside it.
const STEPS: usize = 256;

/// Steps of a chunk whose lanes need not be packed: their lines stay in the first-level cache where they lie, unless they are a
/// multiple of so many elements apart and meet in a few of its sets.
const SHORT: usize = 64;

/// Loops around a sum of products.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(super) out: (usize, usize),
    /// The lanes, and the distance between neighbours in the result.
    pub(super) lanes: usize,
    pub(super) lanes_out: usize,
    pub(super) blocks: Vec<Block>,
    /// One or more; more only where there are no loops.
    pub(super) terms: Vec<Term>,
    /// The axes of the loops: first those of the product, then those summed, with the strides of lanes, rows and result.
    pub(super) extents: Vec<usize>,
    pub(super) strides: [Vec<usize>; 3],
    /// How many of them are summed.
    pub(super) summed: usize,
    /// Whether the product is added to what stands in its place.
    pub(super) adds: bool,
    /// Whether the lanes are added up in the end: the result has none.
    pub(super) adds_lanes: bool,
}

/// Two factors with the order of their sum.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) lanes: Factor,
    pub(super) rows: Factor,
    pub(super) chunks: Vec<Chunk>,
    /// Whether the lanes are read where they lie, and not packed, however many rows they meet.
    pub(super) in_place: bool,
    /// Whether the rows are copied first.
    pub(super) copies_rows: bool,
}

/// A factor: where it starts, and the distances between neighbours along the lanes and along a run. Rows have no lanes, or
/// have them side by side: each lane then meets its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factor {
    pub(super) start: (usize, usize),
    pub(super) along: usize,
    pub(super) step: usize,
}

/// A part of the sum.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) steps: usize,
    /// Where the lanes lie, one stretch after another.
    pub(super) pieces: Vec<Piece>,
    /// What each block sees; of the copy, if the rows are copied.
    pub(super) runs: Vec<Vec<Run>>,
    /// Where the rows that are copied lie, block by block.
    pub(super) copied: Vec<Vec<Run>>,
}

/// Some steps of the lanes, one stride apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) lanes: usize,
    pub(super) steps: usize,
}

/// Some steps of the sum, in which lanes and rows go on by their strides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Distance of the rows' first element from where a row starts.
    pub(super) rows: isize,
    /// Distance of the lanes' first element from where the lanes start.
    pub(super) lanes: usize,
    /// Number of the first step in its chunk.
    pub(super) at: usize,
    pub(super) steps: usize,
}

/// Steps that a chunk may have.
pub(super) fn steps_of(lanes: usize) -> usize {
    (PANEL / lanes.next_multiple_of(16).min(64)).min(STEPS)
}

impl Term {
    /// Of lanes and rows of a sum of which each block sees a part: see [`chunks`]. `apart`: each sees but few steps of it.
    pub(super) fn new(
        lanes: Factor,
        rows: Factor,
        copies_rows: bool,
        count: usize,
        sum: &Sum,
        seen: &[Vec<Seen>],
        apart: bool,
    ) -> Self {
        // What is not packed need not fit the first-level cache.
        let in_place = apart && lanes.along == 1 && count.is_multiple_of(LANES);
        let most = if in_place { usize::MAX } else { steps_of(count) };
        let mut chunks = chunks(sum, seen, most, lanes.along == 1);
        if copies_rows {
            for chunk in &mut chunks {
                chunk.copied.clone_from(&chunk.runs);
                for run in chunk.runs.iter_mut().flatten() {
                    run.rows = (run.at * STRIP) as isize;
                }
            }
        }
        Self { lanes, rows, chunks, in_place, copies_rows }
    }

    /// Whether lanes that lie side by side are as good where they are as packed, at the steps of a chunk.
    pub(super) fn stays(&self, chunk: &Chunk) -> bool {
        self.in_place || (chunk.steps <= SHORT && !self.lanes.step.is_multiple_of(SHORT))
    }
}

impl Product {
    /// Rows in all blocks.
    pub(super) fn rows(&self) -> usize {
        self.blocks.iter().map(Block::count).sum()
    }

    /// Whether lanes are packed for many rows.
    pub(super) fn packs(&self) -> bool {
        let stays = |term: &Term| term.lanes.along == 1 && term.chunks.iter().all(|chunk| term.stays(chunk));
        !self.terms.iter().all(stays)
    }

    /// Whether rows that are copied are copied once: all groups of lanes see them whole.
    pub(super) fn has_one_copy(&self) -> bool {
        let [term] = &self.terms[..] else { return false };
        self.blocks.len() == 1 && term.chunks.len() == 1
    }

    /// Whether [`Self::join`] can take in what would be added next.
    pub(crate) fn can_join(&self, next: &Self) -> bool {
        let loops = self.extents.len() + next.extents.len();
        let result = |product: &Self| (product.out, product.lanes, product.lanes_out);
        let kinds = !self.adds_lanes && !next.adds_lanes;
        let fits = kinds && loops == 0 && next.adds && self.terms.len() < TERMS && next.terms.len() == 1;
        fits && result(self) == result(next) && self.blocks == next.blocks
    }

    /// Takes in what would be added next: sums then stay in the cache between the terms, and are put in their place
    /// once. The order of a sum is the same.
    pub(crate) fn join(&mut self, next: &Self) {
        self.terms.extend(next.terms.iter().cloned());
    }

    /// Elements of workspace that the product needs.
    pub(crate) fn workspace(&self) -> usize {
        products::workspace(self)
    }

    pub(crate) fn run<T: Real>(&self, memory: &Memory<'_, T>) {
        self.run_in(memory, memory.workspace);
    }

    /// The same with a workspace that has as many elements as it [needs](Self::workspace).
    pub(super) fn run_in<T: Real>(&self, memory: &Memory<'_, T>, workspace: *mut T) {
        let mut counter = [0; MAX_AXES];
        let counter = &mut counter[..self.extents.len()];
        let outer = self.extents.len() - self.summed;
        loop {
            // The first term of a sum over the outer summed axes overwrites, the others add.
            let adds = self.adds || counter[outer..].iter().any(|&c| c != 0);
            let [lanes, rows, out] = [0, 1, 2].map(|of| position(counter, &self.strides[of]));
            // SAFETY: the views were checked to lie in their buffers, and their positions are all that is touched; the
            // level is the machine's, and the workspace was sized for this product.
            unsafe {
                let at = |(buffer, offset): (usize, usize), more: usize| memory.at(buffer, offset + more);
                let mut pointers = [Pointers::NOTHING; TERMS];
                for (to, term) in pointers.iter_mut().zip(&self.terms) {
                    let [lanes, rows] = [at(term.lanes.start, lanes), at(term.rows.start, rows)];
                    *to = Pointers { lanes: lanes.cast_const(), rows: rows.cast_const() };
                }
                let out = at(self.out, out);
                products::multiply(memory.level, self, pointers, out, adds, workspace);
            }
            if !advance(counter, &self.extents) {
                break;
            }
        }
    }
}
