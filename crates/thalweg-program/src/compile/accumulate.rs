//! Sums of contractions and convolutions, in place.
//!
//! The tangent of a contraction is a sum of two. Rather than write both and add them in a pass of their own, the
//! second is added to the first where it lies: the sum needs no pass and no memory. Nor do the zeros around a term that is
//! shorter than the sum, as what each block of queries gives back to the keys that it sees.

use std::collections::HashMap;

use super::place::{Kind, Place};
use crate::ir::{Op, Program};

/// For one node its part in a sum of contractions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// The sum that this node is the first term of: it is computed in the sum's place.
    pub(super) first_of: Option<usize>,
    /// This node is a sum: its first term, and what is added to it.
    pub(super) sum_of: Option<(usize, usize)>,
    /// Whether all terms of this sum can be added to something.
    products: bool,
}

/// Finds the sums whose terms nobody else reads: a contraction, or such a sum, plus a contraction or, in the midst of zeros, one
/// or such a sum.
pub(super) fn parts(program: &Program) -> Vec<Part> {
    let uses = uses(program);
    let mut parts = vec![Part::default(); program.nodes.len()];
    for (sum, node) in program.nodes.iter().enumerate().filter(|&(sum, _)| uses[sum] > 0) {
        if node.op != Op::Binary(thalweg_kernel::Binary::Add) {
            continue;
        }
        let term = |i: usize| node.inputs[i].position();
        let contraction = |term: usize| {
            uses[term] == 1 && matches!(program.nodes[term].op, Op::Contract(_) | Op::Convolve(_))
        };
        let first = |term: usize| contraction(term) || (uses[term] == 1 && parts[term].sum_of.is_some());
        let product = |term: usize| contraction(term) && is_product(program, term);
        let products = |term: usize| product(term) || (uses[term] == 1 && parts[term].products);
        let added =
            |term: usize| product(term) || (uses[term] == 1 && inside(program, term).is_some_and(products));
        let found = [(term(0), term(1)), (term(1), term(0))].into_iter().find(|&(a, b)| first(a) && added(b));
        if let Some((first, added)) = found {
            let all = products(first);
            parts[first].first_of = Some(sum);
            parts[sum].sum_of = Some((first, added));
            parts[sum].products = all;
        }
    }
    parts
}

/// Whether a contraction is a product of matrices, or a convolution. Others, such as a dot product or an outer one, run as passes
/// over broadcast operands, which have nothing to add to.
fn is_product(program: &Program, term: usize) -> bool {
    let node = &program.nodes[term];
    let Op::Contract(contract) = &node.op else { return true };
    let labels = contract.labels();
    let [a, b] = [0, 1].map(|i| program.ty(node.inputs[i]));
    let long = |labels: &[u8], shape: &[usize], group: &dyn Fn(u8) -> bool| {
        labels.iter().zip(shape).any(|(&label, &extent)| extent > 1 && group(label))
    };
    let (in_a, in_b) = (|label| labels.a.contains(&label), |label| labels.b.contains(&label));
    let in_out = |label| labels.out.contains(&label);
    long(&labels.a, &a.shape, &|label| in_out(label) && !in_b(label))
        && long(&labels.b, &b.shape, &|label| in_out(label) && !in_a(label))
        && long(&labels.a, &a.shape, &|label| in_b(label) && !in_out(label))
}

/// What lies in the midst of zeros.
fn inside(program: &Program, padded: usize) -> Option<usize> {
    let node = &program.nodes[padded];
    matches!(&node.op, Op::Pad(pad) if pad.between == 0).then(|| node.inputs[0].position())
}

/// Places what is added to a sum, where the sum lies, and gives the contraction that completes it.
pub(super) fn add(
    program: &Program,
    parts: &[Part],
    places: &mut [Place],
    term: usize,
    sum: &Place,
) -> usize {
    let mut last = term;
    let mut waiting = vec![(term, sum.clone())];
    // Sums and what lies in the midst of zeros: they are complete when their last term is.
    let mut made = Vec::new();
    while let Some((term, place)) = waiting.pop() {
        let node = &program.nodes[term];
        match (&node.op, parts[term].sum_of) {
            (Op::Pad(pad), _) => {
                let inner = node.inputs[0];
                let extent = program.ty(inner).shape[pad.axis];
                let layout = place.layout.sliced(pad.axis, pad.before, extent, 1);
                waiting.push((inner.position(), Place { layout, ..place.clone() }));
                made.push((term, inner.position()));
                places[term] = Place { kind: Kind::View, ..place };
            }
            (_, Some((first, added))) => {
                waiting.extend([(added, place.clone()), (first, place.clone())]);
                made.push((term, added));
                places[term] = Place { kind: Kind::Sum, ..place };
            }
            _ => {
                places[term] = Place { kind: Kind::Calls, completed_by: term, adds: true, ..place };
                last = term;
            }
        }
    }
    for (term, last) in made.into_iter().rev() {
        places[term].completed_by = places[last].completed_by;
    }
    last
}

/// The terms of each sum that is not part of another, in order.
pub(super) fn terms(program: &Program, places: &[Place]) -> Vec<Vec<usize>> {
    let mut terms: HashMap<usize, Vec<usize>> = HashMap::new();
    for (sum, node) in program.nodes.iter().enumerate().filter(|&(sum, _)| places[sum].kind == Kind::Sum) {
        let mut operands = [0, 1].map(|i| node.inputs[i].position());
        if places[operands[0]].completed_by == places[sum].completed_by {
            operands.reverse();
        }
        let mut of = |operand: usize| {
            let source = inside(program, operand).unwrap_or(operand);
            terms.remove(&source).unwrap_or_else(|| vec![source])
        };
        let [mut all, added] = operands.map(&mut of);
        all.extend(added);
        terms.insert(sum, all);
    }
    let mut all: Vec<(usize, Vec<usize>)> = terms.into_iter().collect();
    all.sort_unstable();
    all.into_iter().map(|(_, terms)| terms).collect()
}

/// How often each node is read, by nodes that are needed and as a result.
fn uses(program: &Program) -> Vec<usize> {
    let mut uses = vec![0; program.nodes.len()];
    for (node, _) in program.nodes.iter().zip(program.live()).filter(|&(_, live)| live) {
        node.inputs.iter().for_each(|id| uses[id.position()] += 1);
    }
    program.outputs.iter().for_each(|id| uses[id.position()] += 1);
    uses
}

#[cfg(test)]
mod tests {
    use thalweg_kernel::Call;

    use crate::builder::Builder;
    use crate::compile::trial::{Trial, trial};
    use crate::compile::{LIMITS, Signature, compile};
    use crate::transform::gradient;

    /// A matrix of which products read prefixes, and products of those.
    #[test]
    fn what_prefixes_give_back_is_added_where_it_belongs() {
        let builder = Builder::new();
        let (x, w) = (builder.real(&[3, 4]), builder.real(&[9, 4]));
        let part = |rows: usize| builder.einsum("bi,oi->bo", x, w.slice(0, 0, rows));
        let cubes = |rows: usize| {
            let y = part(rows);
            (y * y * y).sum(&[0, 1])
        };
        let loss = cubes(2) + cubes(9) + cubes(5);
        let program = gradient(&builder.finish(&[loss]).unwrap(), &[1]);
        let list = compile(&program, &Signature::separate(&program));
        let adds = |call: &Call| match call {
            Call::Contract { out, adds: true, .. } => Some(out.layout.shape[0].max(out.layout.shape[1])),
            _ => None,
        };
        let mut added: Vec<usize> = list.calls.iter().filter_map(adds).collect();
        added.sort_unstable();
        assert_eq!(added, [4, 5], "{:#?}", list.calls);
        let moves = list.calls.iter().filter(|call| matches!(call, Call::Fill { .. } | Call::Copy { .. }));
        assert_eq!(moves.count(), 0, "{:#?}", list.calls);

        // 3 (x·w)² x, for a row of w as often as it is read.
        let Trial { arguments, results, .. } = trial(&program, LIMITS);
        for (row, found) in results[1].chunks(4).enumerate() {
            let often = [2, 9, 5].into_iter().filter(|&rows| row < rows).count() as f64;
            let mut expected = [0.0; 4];
            for x in arguments[0].chunks(4) {
                let product: f64 = x.iter().zip(&arguments[1][4 * row..]).map(|(x, w)| x * w).sum();
                expected.iter_mut().zip(x).for_each(|(sum, x)| *sum += often * 3.0 * product * product * x);
            }
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-12 * expected.abs().max(1.0),
                    "row {row}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_product_of_matrices_is_added_in_a_pass() {
        for equation in ["k,k->", "ij,j->i", "i,j->ij", "ij,ij->ij", "ij,ij->i"] {
            let builder = Builder::new();
            let operand = |labels: &str| builder.real(&vec![50; labels.len()]);
            let (factors, _) = equation.split_once("->").unwrap();
            let (a, b) = factors.split_once(',').unwrap();
            let (x, y, z) = (operand(a), operand(b), operand(b));
            let sum = builder.einsum(equation, x, y) + builder.einsum(equation, x, z);
            let program = builder.finish(&[sum]).unwrap();
            let calls = compile(&program, &Signature::separate(&program)).calls;
            assert!(
                calls.iter().all(|call| !matches!(call, Call::Contract { adds: true, .. })),
                "{equation}"
            );
        }
    }

    /// On a thread with little room for recursion.
    #[test]
    fn long_sums_amid_zeros_compile() {
        const TERMS: usize = 20_000;
        let compiled = || {
            let builder = Builder::new();
            let (x, y, z) = (builder.real(&[2, 2]), builder.real(&[3, 2]), builder.real(&[TERMS, 2, 2]));
            let term = |i: usize| builder.einsum("ik,jk->ij", x, z.slice(0, i, 1).reshape(&[2, 2]));
            let sum = (1..TERMS).fold(term(0), |sum, i| sum + term(i));
            let program = builder.finish(&[builder.einsum("ik,jk->ij", y, x) + sum.pad(0, 1, 0)]).unwrap();
            compile(&program, &Signature::separate(&program)).calls.len()
        };
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(compiled).unwrap();
        assert_eq!(thread.join().unwrap(), TERMS + 1);
    }
}
