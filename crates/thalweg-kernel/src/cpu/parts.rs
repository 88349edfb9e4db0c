//! A product in parts that threads take side by side.
//!
//! Parts write elements of their own, each with its whole sum, so bits do not depend on how many there are. They are of lanes or
//! of rows: what a part does not share with the others stays in the cache of its core, also from one run to the next.
#![expect(unsafe_code, reason = "threads share the buffers of a run")]

use super::block::{Block, Strips};
use super::memory::Memory;
use super::product::{Product, Run};
use crate::{Real, threads};

/// Multiplications that are worth another thread's while.
pub(crate) const WORTH: usize = 1 << 19;
/// Lanes of which each part but the last has a multiple: whole vectors, and whole lines of a cache.
const LANES: usize = 16;
/// Parts for each thread, where a part does nothing that others do, too: who is done takes from the others.
const FINE: usize = 2;
/// Rows of which each of these has a multiple: whole tiles.
const ROWS: usize = 6;

/// A product that is cut.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// Each with the elements of the workspace that come before its own.
    parts: Vec<(Product, usize)>,
    /// Elements that all of them need.
    pub(crate) workspace: usize,
}

impl Parts {
    /// A product cut for at most so many threads, with about so many multiplications each at least; None if it is too small for two.
    pub(crate) fn of(product: &Product, most: usize, worth: usize) -> Option<Self> {
        let most = most.min(product.multiplications() / worth);
        if most < 2 || product.adds_lanes {
            return None;
        }
        let (ends, part): (Vec<usize>, Take) = match product.best_cut() {
            Cut::Lanes => (ends(product.lanes, LANES, most, 1), Product::lanes_of),
            Cut::Rows if product.packs() => (ends(product.rows(), 1, most, 1), Product::rows_of),
            Cut::Rows => (ends(product.rows(), ROWS, most, FINE), Product::rows_of),
        };
        let mut workspace = 0;
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let parts: Vec<(Product, usize)> = starts
            .zip(&ends)
            .filter(|&(start, end)| start < *end)
            .map(|(start, end)| {
                let part = part(product, start, end - start);
                let before = workspace;
                workspace += part.workspace().next_multiple_of(LANES);
                (part, before)
            })
            .collect();
        (parts.len() > 1).then_some(Self { parts, workspace })
    }

    pub(crate) fn run<T: Real>(&self, memory: &Memory<'_, T>) {
        struct Shared<'a, T>(&'a Memory<'a, T>);
        // SAFETY: parts only read what they share, and write elements of the result and of the workspace that no other has.
        unsafe impl<T> Sync for Shared<'_, T> {}
        impl<T: Real> Shared<'_, T> {
            fn run(&self, (part, before): &(Product, usize)) {
                // SAFETY: the workspace has as many elements as all parts need.
                part.run_in(self.0, unsafe { self.0.workspace.add(*before) });
            }
        }
        let shared = Shared(memory);
        threads::for_each(&self.parts, &|part| shared.run(part));
    }
}

/// Where parts of an extent end: it is cut evenly for so many threads, and then for each into so many, of whole units.
fn ends(extent: usize, unit: usize, threads: usize, each: usize) -> Vec<usize> {
    let units = extent.div_ceil(unit);
    (1..=threads * each).map(|number| (units * number / (threads * each) * unit).min(extent)).collect()
}

/// Takes so many lanes or rows of a product, from a first one on.
type Take = fn(&Product, usize, usize) -> Product;

/// What is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Lanes,
    Rows,
}

impl Product {
    /// Steps of the sum.
    fn steps(&self) -> usize {
        self.terms.iter().flat_map(|term| &term.chunks).map(|chunk| chunk.steps).sum()
    }

    /// Multiplications of one run.
    fn multiplications(&self) -> usize {
        self.extents.iter().product::<usize>() * self.rows() * self.lanes * self.steps()
    }

    /// The step from one row to the next in the result, if there is one: if each block has rows along one axis.
    fn row_step(&self) -> Option<usize> {
        let step = |block: &Block| {
            let Block { extents, strips: Some(strips), .. } = block else { return None };
            (extents.len() == 1 && strips.extents == *extents).then(|| strips.out[0])
        };
        let first = step(self.blocks.first()?);
        first.filter(|_| self.blocks.iter().all(|block| step(block) == first))
    }

    /// All parts read the factor that is not cut, from another core if it was made there; and where a part of the result lies
    /// scattered, so will whoever reads the result.
    fn best_cut(&self) -> Cut {
        let Some(row_step) = self.row_step() else { return Cut::Lanes };
        let steps = self.steps();
        let scattered = |scatters: bool| if scatters { self.rows() * self.lanes / 2 } else { 0 };
        let lanes = self.rows() * steps + scattered(self.lanes_out < row_step);
        let rows = self.lanes * steps + scattered(row_step < self.lanes_out);
        if rows < lanes { Cut::Rows } else { Cut::Lanes }
    }

    /// The product of some lanes.
    fn lanes_of(&self, first: usize, count: usize) -> Self {
        let mut part = Self { lanes: count, ..self.clone() };
        part.out.1 += first * self.lanes_out;
        for term in &mut part.terms {
            term.lanes.start.1 += first * term.lanes.along;
            // Where each lane meets a row of its own.
            term.rows.start.1 += first * term.rows.along;
        }
        part
    }

    /// The product of some rows, where each block has them along one axis.
    fn rows_of(&self, first: usize, count: usize) -> Self {
        let step = self.row_step().expect("rows along one axis are cut");
        let share = |block: &Block| {
            let of_block = |row: usize| row.saturating_sub(block.number).min(block.extents[0]);
            of_block(first)..of_block(first + count)
        };
        let blocks = || self.blocks.iter().enumerate().filter(|(_, block)| !share(block).is_empty());
        let mut part = Self { blocks: Vec::new(), ..self.clone() };
        for (_, block) in blocks() {
            let share = share(block);
            part.blocks.push(Block {
                extents: vec![share.len()],
                number: block.number + share.start - first,
                first: block.first + share.start * step,
                strips: Some(Strips { extents: vec![share.len()], out: vec![step] }),
                ..block.clone()
            });
        }
        for term in &mut part.terms {
            let copies_rows = term.copies_rows;
            let kept = |runs: &[Vec<Run>], shifts: bool| -> Vec<Vec<Run>> {
                let of = |(number, block): (usize, &Block)| {
                    let before = if shifts { share(block).start * block.rows[0] } else { 0 };
                    let shifted = |run: &Run| Run { rows: run.rows + before as isize, ..*run };
                    runs[number].iter().map(shifted).collect()
                };
                blocks().map(of).collect()
            };
            for chunk in &mut term.chunks {
                // Of rows that are copied, runs are of the copy, which begins with the part's first row.
                chunk.runs = kept(&chunk.runs, !copies_rows);
                if copies_rows {
                    chunk.copied = kept(&chunk.copied, true);
                }
            }
        }
        part
    }
}
