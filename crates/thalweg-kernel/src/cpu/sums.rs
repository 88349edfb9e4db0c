//! The order of a sum over several axes, cut into chunks that stay in the first-level cache.

use super::product::{Chunk, Piece, Run};

/// Runs in a list at most: what is left of a sum is a loop around.
pub(super) const RUNS: usize = 1024;

/// An axis of the sum, with the distances between neighbours in the two factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SumAxis {
    pub(super) extent: usize,
    pub(super) lanes: isize,
    pub(super) rows: isize,
}

/// The axes of a sum, the last inside, along which both factors go on by strides that are not negative.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    pub(super) axes: Vec<SumAxis>,
    /// Where the lanes start.
    pub(super) first: usize,
    /// Positions of the inner axis that are passed before the others go on, and come back to pass the next.
    pub(super) stretch: usize,
}

/// What a block sees of an axis: so many positions from the first on, some apart, and where its rows are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) step: usize,
    /// Distance of the rows at the first of these positions, and from one of them to the next.
    pub(super) rows: isize,
    pub(super) rows_step: isize,
}

impl Seen {
    /// All of an axis along which the rows go on by their stride.
    pub(super) fn all(axis: &SumAxis) -> Self {
        Self { first: 0, count: axis.extent, step: 1, rows: 0, rows_step: axis.rows }
    }

    /// The rows' distance at a position, if the block sees it.
    fn rows_at(&self, position: usize) -> Option<isize> {
        let after = position.checked_sub(self.first)?;
        let number = after / self.step;
        (after % self.step == 0 && number < self.count).then(|| self.rows + number as isize * self.rows_step)
    }
}

/// A position of the outer axes with a stretch of the inner one.
struct Unit {
    outer: Vec<usize>,
    first: usize,
    steps: usize,
}

/// Cuts the sum into chunks of at most `most` steps. Runs that continue each other are one where the lanes' places do not
/// matter or continue too.
pub(super) fn chunks(sum: &Sum, seen: &[Vec<Seen>], most: usize, lanes_matter: bool) -> Vec<Chunk> {
    let Some((inner, outer)) = sum.axes.split_last() else { return Vec::new() };
    let extents: Vec<usize> = outer.iter().map(|axis| axis.extent).collect();
    let mut tuples = vec![Vec::new()];
    for &extent in &extents {
        tuples = tuples
            .into_iter()
            .flat_map(|t: Vec<usize>| (0..extent).map(move |i| [&t[..], &[i]].concat()))
            .collect();
    }
    let (tuples, stretch) = (&tuples, sum.stretch);
    let units = (0..inner.extent).step_by(stretch).flat_map(|begin| {
        let end = inner.extent.min(begin + stretch);
        tuples.iter().flat_map(move |outer| {
            (begin..end).step_by(most).map(move |first| Unit {
                outer: outer.clone(),
                first,
                steps: most.min(end - first),
            })
        })
    });
    let mut chunks: Vec<Chunk> = Vec::new();
    for unit in units {
        let full = chunks.last().is_none_or(|chunk| chunk.steps + unit.steps > most);
        if full {
            chunks.push(Chunk {
                steps: 0,
                pieces: Vec::new(),
                runs: vec![Vec::new(); seen.len()],
                copied: Vec::new(),
            });
        }
        let chunk = chunks.last_mut().expect("there is one");
        let to_unit: isize = unit.outer.iter().zip(outer).map(|(&i, axis)| i as isize * axis.lanes).sum();
        let lanes_at =
            |position: usize| (sum.first as isize + to_unit + position as isize * inner.lanes) as usize;
        push_piece(&mut chunk.pieces, Piece { lanes: lanes_at(unit.first), steps: unit.steps }, inner);
        for (seen, runs) in seen.iter().zip(&mut chunk.runs) {
            let (own, others) = seen.split_last().expect("one for each axis");
            let to_unit: Option<isize> =
                others.iter().zip(&unit.outer).map(|(seen, &position)| seen.rows_at(position)).sum();
            let Some(to_unit) = to_unit else { continue };
            for position in unit.first..unit.first + unit.steps {
                let Some(rows) = own.rows_at(position) else { continue };
                let run = Run {
                    rows: to_unit + rows,
                    lanes: lanes_at(position),
                    at: chunk.steps + position - unit.first,
                    steps: 1,
                };
                push_run(runs, run, inner, lanes_matter);
            }
        }
        chunk.steps += unit.steps;
    }
    chunks
}

fn push_piece(pieces: &mut Vec<Piece>, piece: Piece, inner: &SumAxis) {
    match pieces.last_mut() {
        Some(last) if (last.lanes + last.steps * inner.lanes as usize) == piece.lanes => {
            last.steps += piece.steps;
        }
        _ => pieces.push(piece),
    }
}

fn push_run(runs: &mut Vec<Run>, run: Run, inner: &SumAxis, lanes_matter: bool) {
    if let Some(last) = runs.last_mut() {
        let continues = last.at + last.steps == run.at
            && last.rows + last.steps as isize * inner.rows == run.rows
            && (!lanes_matter || last.lanes + last.steps * inner.lanes as usize == run.lanes);
        if continues {
            last.steps += run.steps;
            return;
        }
    }
    runs.push(run);
}
