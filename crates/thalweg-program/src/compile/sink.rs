//! Elementwise values that are computed where they are first read, not where they first could be.
//!
//! A value that is made in one pass and read in a later one is written to memory and read back. Where it is made of one
//! array (and of what repeats along it), computing it in the later pass keeps that array in its stead: no more memory,
//! and one array less to write. So the mask of a relu is made from what the relu wrote, and 1 − y² from y. Numbers that a kernel
//! reads from memory are written where they are first read, too. A value of
//! several arrays sinks no further than to the next phase, and only if they are all in memory anyway: what waits for a sum
//! over evaluations is then computed once, after it.

use super::place::{Kind, Place};
use super::schedule::{Rank, within_pass};
use crate::ir::Program;

/// Moves the ranks of such values to those of their first readers, and those of what is computed again.
pub(super) fn sink(program: &Program, places: &[Place], again: &[bool], ranks: &mut [Rank]) {
    let readers = readers(program, places);
    let is_result = results(program, places);
    let at_hand = at_hand(program, places, ranks, &readers);
    let sources = sources(program, places, &readers);
    for position in (0..program.nodes.len()).rev() {
        if !matches!(places[position].kind, Kind::Elementwise | Kind::Filled) || is_result[position] {
            continue;
        }
        let place = |reader: &Reader| {
            let Rank { phase, level, .. } = ranks[reader.node];
            (phase, if reader.inside { level } else { level.saturating_sub(1) })
        };
        let Some((phase, level)) = readers[position].iter().map(place).min() else { continue };
        let own = ranks[position];
        let may_sink = again.get(position).is_some_and(|&again| again)
            || sources[position].is_some()
            || (phase <= own.phase + 1 && phase > own.phase && at_hand[position]);
        if may_sink && (phase, level) > (own.phase, own.level) {
            ranks[position].phase = phase;
            ranks[position].level = level;
        }
    }
}

/// A node that reads another.
#[derive(Clone, Copy)]
struct Reader {
    node: usize,
    /// Whether it could do so within its own pass: not through a view, which is of memory.
    inside: bool,
}

/// For each node those that read it, whatever the view.
fn readers(program: &Program, places: &[Place]) -> Vec<Vec<Reader>> {
    let mut readers = vec![Vec::new(); program.nodes.len()];
    for (node, inputs) in program.nodes.iter().map(|node| &node.inputs).enumerate() {
        if places[node].kind.computes() {
            for operand in inputs.iter().map(|id| id.position()) {
                let inside = within_pass(program, places, operand, node);
                readers[places[operand].completed_by].push(Reader { node, inside });
            }
        }
    }
    readers
}

/// For each node whether it is a result, whatever the view.
fn results(program: &Program, places: &[Place]) -> Vec<bool> {
    let mut is_result = vec![false; program.nodes.len()];
    for id in &program.outputs {
        is_result[places[id.position()].completed_by] = true;
    }
    is_result
}

/// The arrays as long as the node itself that it is made of: not what repeats along it, and no constants.
fn arrays(program: &Program, places: &[Place], position: usize) -> Vec<usize> {
    let node = &program.nodes[position];
    let is_array = |&operand: &usize| {
        let layout = &places[operand].layout;
        places[operand].kind != Kind::Constant && !layout.repeats() && layout.len() == node.ty.len()
    };
    let mut arrays: Vec<usize> = node.inputs.iter().map(|id| id.position()).filter(is_array).collect();
    arrays.sort_unstable();
    arrays.dedup();
    arrays
}

/// What a value is made of that may sink anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Of numbers, and of what repeats along it.
    Nothing,
    /// Of one array.
    Array(usize),
}

/// For each node what it is made of if that is not more than one array; directly, or by values that nobody else reads.
fn sources(program: &Program, places: &[Place], readers: &[Vec<Reader>]) -> Vec<Option<Source>> {
    let mut sources: Vec<Option<Source>> = Vec::with_capacity(program.nodes.len());
    for position in 0..program.nodes.len() {
        let of_operand = |operand: usize| {
            let is_own = readers[operand].iter().all(|reader| reader.inside && reader.node == position);
            let through = places[operand].kind == Kind::Elementwise && is_own;
            sources[operand].filter(|_| through).unwrap_or(Source::Array(operand))
        };
        let mut all: Vec<Source> = arrays(program, places, position).into_iter().map(of_operand).collect();
        all.retain(|&source| source != Source::Nothing);
        all.dedup();
        sources.push(match all[..] {
            [] => Some(Source::Nothing),
            [one] => Some(one),
            _ => None,
        });
    }
    sources
}

/// For each elementwise node whether all arrays behind it are in memory, whether or not it is computed here: it is made of
/// such arrays, or of values that nobody else reads and that are made of such arrays.
fn at_hand(program: &Program, places: &[Place], ranks: &[Rank], readers: &[Vec<Reader>]) -> Vec<bool> {
    let mut at_hand = vec![false; program.nodes.len()];
    for position in 0..program.nodes.len() {
        if places[position].kind != Kind::Elementwise {
            continue;
        }
        let is_written = |operand: usize| {
            let elsewhere = |reader: &Reader| {
                let [own, other] = [ranks[operand], ranks[reader.node]];
                !reader.inside || (own.phase, own.level) != (other.phase, other.level)
            };
            places[operand].kind != Kind::Elementwise || readers[operand].iter().any(elsewhere)
        };
        let is_own = |operand: usize| readers[operand].iter().all(|reader| reader.node == position);
        at_hand[position] = arrays(program, places, position)
            .into_iter()
            .all(|operand| is_written(operand) || (is_own(operand) && at_hand[operand]));
    }
    at_hand
}

#[cfg(test)]
mod tests {
    use thalweg_kernel::Call;

    use crate::builder::Builder;
    use crate::compile::{Signature, compile};
    use crate::ir::Program;
    use crate::transform::gradient;

    /// Arrays of 4×3 that elementwise passes write.
    fn written(program: &Program) -> usize {
        let calls = compile(program, &Signature::separate(program)).calls;
        let stores = calls.iter().flat_map(|call| match call {
            Call::Fused(fused) if fused.shape == [4, 3] => &fused.stores[..],
            _ => &[],
        });
        stores.count()
    }

    #[test]
    fn what_waits_for_a_sum_over_evaluations_is_not_written_before_it() {
        let builder = Builder::new();
        let (x, y, a) = (builder.real(&[4, 3]), builder.real(&[4, 3]), builder.real(&[3]));
        let total = x.sum(&[0]).psum();
        // Of one array, and of two that are arguments.
        let one = ((x - a) * total).sum(&[0, 1]);
        let two = ((x * a + y * a) * total).sum(&[0, 1]);
        assert_eq!(written(&builder.finish(&[one, two]).unwrap()), 0);
    }

    #[test]
    fn a_derivative_of_the_result_is_made_where_it_is_read() {
        let builder = Builder::new();
        let (x, w, v) = (builder.real(&[4, 5]), builder.real(&[3, 5]), builder.real(&[2, 3]));
        let hidden = builder.einsum("bi,oi->bo", x, w).tanh();
        let loss = builder.einsum("bi,oi->bo", hidden, v).sum(&[0, 1]);
        let program = gradient(&builder.finish(&[loss]).unwrap(), &[1, 2]);
        // The hidden units, and what flows back through them; not 1 - y^2.
        assert_eq!(written(&program), 2);
    }

    #[test]
    fn a_derivative_made_of_the_result_in_two_ways_is_made_where_it_is_read() {
        let builder = Builder::new();
        let (x, w, v) = (builder.real(&[4, 5]), builder.real(&[3, 5]), builder.real(&[2, 3]));
        let hidden = builder.einsum("bi,oi->bo", x, w).logistic();
        let loss = builder.einsum("bi,oi->bo", hidden, v).sum(&[0, 1]);
        let program = gradient(&builder.finish(&[loss]).unwrap(), &[1, 2]);
        // Not y (1 - y).
        assert_eq!(written(&program), 2);
    }
}
