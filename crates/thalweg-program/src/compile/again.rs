//! Values that are computed again where they are read long after they were made.
//!
//! A value that the forward pass makes and the backward pass reads takes memory all the while, and has left the cache when it is
//! read. Where it is cheap to make of what is in memory at that time anyway, it is made a second time: a relu of a normalised
//! image of what the norm's own derivative reads, a mask of the indices that made it. Nothing is computed again that would keep
//! alive what otherwise were gone (save what repeats along the value, and so is smaller).
//!
//! What is computed again are copies of its nodes, whose places and ranks are found as those of all others are.

use std::collections::HashMap;

use thalweg_kernel::{Binary, Unary};

use super::place::{Kind, Place};
use super::rewrite::{Again, Rewrite};
use super::schedule::Step;
use super::{Plan, memory};
use crate::ir::{Op, Program, ValueId};

/// Arrays that a value is made of again at most.
const ARRAYS: usize = 2;
/// Operations that make it at most.
const OPERATIONS: usize = 12;

/// The program with the copies that are worth it, for readings `far` apart; `None` if none are.
pub(super) fn computed_again(plan: &Plan, far: usize) -> Option<Again> {
    let mut search = Search::new(&plan.program, &plan.places, &plan.steps);
    for value in 0..plan.program.nodes.len() {
        search.consider(value, far);
    }
    (!search.replaced.is_empty()).then(|| search.written(&plan.again))
}

/// For each node how many elements are written before it is computed.
pub(super) fn times(program: &Program, places: &[Place], steps: &[Step]) -> Vec<usize> {
    let written = memory::written(program, places, steps);
    let (mut times, mut now) = (vec![0; program.nodes.len()], 0);
    for step in steps {
        step.nodes().iter().for_each(|&node| times[node] = now);
        let here = step.nodes().iter().filter(|&&node| written[node]);
        now += here.map(|&node| program.nodes[node].ty.len()).sum::<usize>();
    }
    times
}

/// A value that is read far from where it was made: how it is made again, for a group of readers close to each other.
#[derive(Debug)]
struct Copy {
    value: usize,
    /// The nodes to copy besides that of the value.
    chain: Vec<usize>,
}

struct Search<'p> {
    program: &'p Program,
    places: &'p [Place],
    is_result: Vec<bool>,
    /// For each node the nodes that read it, whatever the view.
    readers: Vec<Vec<usize>>,
    /// For each node when it is computed: see [`times`].
    time: Vec<usize>,
    /// For each node when it is last read.
    last_read: Vec<usize>,
    copies: Vec<Copy>,
    /// For each node whether it has copies.
    has_copies: Vec<bool>,
    /// For readers the values that they read a copy of, with its number.
    replaced: HashMap<usize, Vec<(usize, usize)>>,
}

impl<'p> Search<'p> {
    fn new(program: &'p Program, places: &'p [Place], steps: &[Step]) -> Self {
        let nodes = program.nodes.len();
        let time = times(program, places, steps);
        let mut readers = vec![Vec::new(); nodes];
        let mut last_read = vec![0; nodes];
        for (node, inputs) in program.nodes.iter().map(|node| &node.inputs).enumerate() {
            if places[node].kind.computes() {
                for operand in inputs.iter().map(|id| places[id.position()].completed_by) {
                    readers[operand].push(node);
                    last_read[operand] = time[node].max(last_read[operand]);
                }
            }
        }
        let mut is_result = vec![false; nodes];
        for id in &program.outputs {
            let source = places[id.position()].completed_by;
            (is_result[source], last_read[source]) = (true, usize::MAX);
        }
        let has_copies = vec![false; nodes];
        Self {
            program,
            places,
            is_result,
            readers,
            time,
            last_read,
            copies: Vec::new(),
            has_copies,
            replaced: HashMap::new(),
        }
    }

    /// Makes copies of a value for readers that are so far from it.
    fn consider(&mut self, value: usize, far: usize) {
        if self.is_result[value] || !self.is_cheap(value) {
            return;
        }
        let mut readers = self.readers[value].clone();
        readers.sort_by_key(|&reader| self.time[reader]);
        readers.dedup();
        let mut last = self.time[value];
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for reader in readers {
            if self.time[reader] >= last.saturating_add(far) {
                groups.push(Vec::new());
            }
            last = self.time[reader];
            // Those near the value itself read it.
            groups.last_mut().into_iter().for_each(|group| group.push(reader));
        }
        for group in groups {
            let until = group.iter().map(|&reader| self.time[reader]).max().unwrap_or(0);
            let mut found = Found::default();
            if !self.operands_at_hand(value, until, &mut found) {
                continue;
            }
            self.has_copies[value] = true;
            for &array in &found.arrays {
                self.last_read[array] = self.last_read[array].max(until);
            }
            for reader in group {
                self.replaced.entry(reader).or_default().push((value, self.copies.len()));
            }
            self.copies.push(Copy { value, chain: found.chain });
        }
    }

    /// Whether all that a value is made of is in memory until then, or cheaply made of what is.
    fn operands_at_hand(&self, value: usize, until: usize, found: &mut Found) -> bool {
        found.operations += 1;
        let operands = self.program.nodes[value].inputs.iter().map(|id| id.position());
        found.operations <= OPERATIONS
            && operands.into_iter().all(|operand| self.at_hand(operand, until, found))
    }

    fn at_hand(&self, operand: usize, until: usize, found: &mut Found) -> bool {
        let place = &self.places[operand];
        let source = place.completed_by;
        let is_free = place.layout.repeats() || matches!(place.kind, Kind::Constant | Kind::Given);
        if is_free || found.chain.contains(&source) {
            return true;
        }
        if self.last_read[source] >= until && !self.has_copies[source] {
            if !found.arrays.contains(&source) {
                found.arrays.push(source);
            }
            return found.arrays.len() <= ARRAYS;
        }
        self.is_cheap(source) && self.operands_at_hand(source, until, found) && {
            found.chain.push(source);
            true
        }
    }

    /// Whether it takes a few cycles an element.
    fn is_cheap(&self, value: usize) -> bool {
        let cheap = match &self.program.nodes[value].op {
            Op::Unary(unary) => {
                matches!(unary, Unary::Neg | Unary::Relu | Unary::Step | Unary::Abs | Unary::PowerInt(-2..=4))
            }
            Op::Binary(binary) => *binary != Binary::Power,
            Op::Select(_) => true,
            _ => false,
        };
        cheap && self.places[value].kind == Kind::Elementwise
    }

    /// The program, with each copy before its first reader.
    fn written<'a>(&'a self, again: &'a [bool]) -> Again {
        let rewrite = Rewrite::new(self.program, again);
        let mut written = Written { plan: self, rewrite, copies: vec![None; self.copies.len()] };
        for (position, node) in self.program.nodes.iter().enumerate() {
            let mut inputs: Vec<ValueId> =
                node.inputs.iter().map(|id| written.rewrite.moved(id.position())).collect();
            for &(value, number) in self.replaced.get(&position).into_iter().flatten() {
                let copy = written.copy(number);
                for (input, id) in inputs.iter_mut().zip(&node.inputs) {
                    if self.places[id.position()].completed_by == value {
                        *input = written.view(id.position(), value, copy);
                    }
                }
            }
            written.rewrite.take(inputs);
        }
        written.rewrite.finished()
    }
}

/// What a copy is made of.
#[derive(Default)]
struct Found {
    arrays: Vec<usize>,
    /// What is copied besides, in order.
    chain: Vec<usize>,
    operations: usize,
}

/// The new program as far as it is written.
struct Written<'p> {
    plan: &'p Search<'p>,
    rewrite: Rewrite<'p>,
    copies: Vec<Option<ValueId>>,
}

impl Written<'_> {
    /// The copy of that number.
    fn copy(&mut self, number: usize) -> ValueId {
        if let Some(id) = self.copies[number] {
            return id;
        }
        let plan = self.plan;
        let Copy { value, chain } = &plan.copies[number];
        let mut copied: HashMap<usize, ValueId> = HashMap::new();
        let mut last = None;
        for &position in chain.iter().chain([value]) {
            let node = &plan.program.nodes[position];
            let mut inputs = Vec::with_capacity(node.inputs.len());
            for id in &node.inputs {
                let source = plan.places[id.position()].completed_by;
                inputs.push(match copied.get(&source) {
                    Some(&copy) => self.view(id.position(), source, copy),
                    None => self.rewrite.moved(id.position()),
                });
            }
            let id = self.rewrite.copy(position, inputs);
            copied.insert(position, id);
            last = Some(id);
        }
        let id = last.expect("a copy has a node");
        self.copies[number] = Some(id);
        id
    }

    /// The view of a value, or the value itself, as one of its copy.
    fn view(&mut self, view: usize, value: usize, copy: ValueId) -> ValueId {
        if view == value {
            return copy;
        }
        let source = self.view(self.plan.program.nodes[view].inputs[0].position(), value, copy);
        self.rewrite.copy(view, vec![source])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use thalweg_kernel::Call;

    use crate::builder::{Builder, Var};
    use crate::compile::trial::{Trial, trial};
    use crate::compile::{LIMITS, Limits, Signature, compile_with};
    use crate::ir::Program;
    use crate::transform::{gradient, hvp};

    /// Elements of scratch memory, and the results for some arguments.
    fn run(program: &Program, far: usize) -> (usize, Vec<Vec<f64>>) {
        let Trial { scratch, results, .. } = trial(program, Limits { far, ..LIMITS });
        (scratch, results)
    }

    fn normalised<'b>(x: Var<'b>, scale: Var<'b>) -> Var<'b> {
        let shape = x.shape();
        x.standardised(&[0], 1e-5) * scale.broadcast(&shape, &[1])
    }

    /// Layers of products, norms and relus, with residual sums around pairs of them, of `[32, 24]`.
    fn residual() -> Program {
        let builder = Builder::new();
        let mut h = builder.real(&[32, 24]);
        let (scale, weights) = (builder.real(&[24]), builder.real(&[6, 24, 24]));
        for pair in 0..3 {
            let weight = |i: usize| weights.slice(0, 2 * pair + i, 1).reshape(&[24, 24]);
            let inner = normalised(builder.einsum("bi,oi->bo", h, weight(0)), scale).relu();
            // Read through a view, too.
            let turned = builder.einsum("ib,oi->bo", inner.permute(&[1, 0]), weight(1));
            h = (normalised(turned, scale) + h).relu();
        }
        builder.finish(&[(h * h).sum(&[0, 1])]).unwrap()
    }

    /// A mask made of what repeats along it, read far apart.
    fn masked() -> Program {
        let builder = Builder::new();
        let (x, w, a) = (builder.real(&[32, 24]), builder.real(&[24, 24]), builder.real(&[24]));
        let mask = (a.sin().broadcast(&[32, 24], &[1]) - x.mean(&[1]).broadcast(&[32, 24], &[0])).step();
        let hidden = builder.einsum("bi,oi->bo", mask * x, w).logistic();
        let again = builder.einsum("bi,oi->bo", hidden, w) * mask;
        builder.finish(&[(again * again.sin()).sum(&[0, 1])]).unwrap()
    }

    #[test]
    fn the_results_are_the_same_bits_in_less_memory() {
        for (loss, arguments) in [(residual(), [1, 2]), (masked(), [1, 2])] {
            for program in [gradient(&loss, &arguments), hvp(&loss, &arguments)] {
                let (all, kept) = run(&program, usize::MAX);
                assert_eq!(
                    run(&program, LIMITS.far),
                    (all, kept.clone()),
                    "so small a program has nothing far away"
                );
                for far in [0, 1000, 3000, 10_000] {
                    assert_eq!(run(&program, far).1, kept, "readings {far} elements apart");
                }
            }
        }
        let program = gradient(&residual(), &[1, 2]);
        let (all, some) = (run(&program, usize::MAX).0, run(&program, 2000).0);
        assert!(10 * some < 8 * all, "{some} of {all} elements");
    }

    #[test]
    fn a_pass_makes_and_loads_nothing_twice() {
        let program = hvp(&residual(), &[1, 2]);
        let list = compile_with(&program, &Signature::separate(&program), Limits { far: 1000, ..LIMITS });
        for call in &list.calls {
            let Call::Fused(fused) = call else { continue };
            let tape: HashSet<_> = fused.tape.iter().collect();
            let loads: HashSet<_> = fused.loads.iter().collect();
            assert_eq!((tape.len(), loads.len()), (fused.tape.len(), fused.loads.len()));
        }
    }

    #[test]
    fn nothing_is_kept_that_would_be_gone() {
        // A bias and a relu: what they are made of is read no more.
        let builder = Builder::new();
        let (x, w, b) = (builder.real(&[32, 24]), builder.real(&[4, 24, 24]), builder.real(&[24]));
        let mut h = x;
        for layer in 0..4 {
            let weight = w.slice(0, layer, 1).reshape(&[24, 24]);
            h = (builder.einsum("bi,oi->bo", h, weight) + b.broadcast(&[32, 24], &[1])).relu();
        }
        let program = gradient(&builder.finish(&[(h * h).sum(&[0, 1])]).unwrap(), &[1, 2]);
        let list = |far| compile_with(&program, &Signature::separate(&program), Limits { far, ..LIMITS });
        let fused = |far| list(far).calls.iter().filter(|call| matches!(call, Call::Fused(_))).count();
        assert_eq!((list(0).scratch, fused(0)), (list(LIMITS.far).scratch, fused(LIMITS.far)));
    }
}
