//! Random programs: whatever the compiler fuses, views and reuses, the result is that of naive loops.

use super::support::{Array, distance, interpret, run};
use thalweg_kernel::Key;
use thalweg_program::builder::{Builder, Var};
use thalweg_program::ir::Program;
use thalweg_program::transform::{gradient, hvp};

/// A stream of choices.
struct Choices {
    key: Key,
    taken: u64,
}

impl Choices {
    fn below(&mut self, limit: usize) -> usize {
        let mut u = [0.0];
        self.key.fold_in(self.taken).uniforms(&mut u);
        self.taken += 1;
        (u[0] * limit as f64) as usize
    }
}

/// One more value from earlier ones, bounded so that long chains stay finite and smooth.
fn step<'b>(builder: &'b Builder, choices: &mut Choices, values: &[Var<'b>]) -> Var<'b> {
    let x = values[choices.below(values.len())];
    let y = values[choices.below(values.len())];
    let shape = x.shape();
    let rank = shape.len();
    match choices.below(15) {
        0 => x.tanh(),
        1 => x.sin() * 0.5,
        2 => (x * 0.5).tanh() - 0.25 * x,
        3 if rank > 0 => x.sum(&[choices.below(rank)]).tanh(),
        4 if rank > 0 => {
            let mut axes: Vec<usize> = (0..rank).collect();
            axes.rotate_left(choices.below(rank));
            x.permute(&axes)
        }
        5 if rank > 0 => x.reshape(&[shape.iter().product()]),
        6 if rank > 0 => {
            let axis = choices.below(rank);
            let start = choices.below(shape[axis]);
            x.slice(axis, start, shape[axis] - start)
        }
        7 if rank > 0 => x.pad(choices.below(rank), choices.below(3), choices.below(2)),
        8 if rank == 2 => builder.einsum("ij,kj->ik", x, (x * 0.7).sin()).tanh(),
        9 if rank > 0 => builder.concatenate(choices.below(rank), &[x, x.cos()]),
        12 if rank == 2 => {
            // Parts that are sums of contractions, views of what is computed, and shared by two concatenations.
            let product = builder.einsum("ij,kj->ik", x, x.sin()) + builder.einsum("ij,kj->ik", x.cos(), x);
            let turned = builder.concatenate(1, &[x.tanh(), product]).permute(&[1, 0]);
            builder.concatenate(0, &[turned, product.tanh(), product, builder.zeros(&product.shape())]) * 0.3
        }
        13 if rank > 0 && y.shape() == shape => {
            let axis = choices.below(rank);
            let pair = builder.concatenate(axis, &[x.sin(), y.logistic(), x * y * 0.1]);
            pair.slice(axis, choices.below(2 * shape[axis]), shape[axis]) + y
        }
        14 if rank > 0 => {
            // Pieces that do not meet, or do.
            let axis = choices.below(rank);
            let n = shape[axis];
            let piece = |start: usize, extent| x.slice(axis, start.min(n - extent), extent).cos();
            let apart = [piece(0, n.div_ceil(3)), piece(n / 2, n.div_ceil(3)), piece(choices.below(n), 1)];
            builder.concatenate(axis, &apart)
        }
        10 if rank < 3 => x.broadcast(&[&[2], &shape[..]].concat(), &(1..=rank).collect::<Vec<_>>()),
        _ if y.shape() == shape => (x * y).tanh() + y,
        _ => x.logistic() - x,
    }
}

fn total(v: Var<'_>) -> Var<'_> {
    v.sum(&(0..v.shape().len()).collect::<Vec<_>>())
}

fn program(choices: &mut Choices, scalar: bool) -> Program {
    let builder = Builder::new();
    let mut values = vec![builder.real(&[3, 5]), builder.real(&[5]), builder.real(&[4, 1, 2])];
    for _ in 0..20 {
        let next = step(&builder, choices, &values);
        if next.shape().iter().product::<usize>() < 500 {
            values.push(next);
        }
    }
    if scalar {
        let sum = values.iter().map(|&v| total(v.sin())).reduce(|a, b| a + b);
        return builder.finish(&[sum.unwrap()]).unwrap();
    }
    let results: Vec<Var<'_>> = (0..5).map(|_| values[choices.below(values.len())]).collect();
    builder.finish(&results).unwrap()
}

fn arguments(key: Key) -> Vec<Array> {
    let shapes: [&[usize]; 3] = [&[3, 5], &[5], &[4, 1, 2]];
    shapes.iter().enumerate().map(|(i, shape)| Array::normal(shape, key.fold_in(i as u64))).collect()
}

#[test]
fn compiled_programs_agree_with_naive_loops() {
    for seed in 0..300 {
        let key = Key::from_seed(seed);
        let program = program(&mut Choices { key: key.named("program"), taken: 0 }, false);
        let arguments = arguments(key.named("arguments"));
        let far = distance(&run::<f64>(&program, &arguments), &interpret(&program, &arguments));
        assert!(far < 1e-12, "seed {seed}: {far:e}\n{program}");
    }
}

#[test]
fn their_derivatives_do_too() {
    for seed in 0..120 {
        let key = Key::from_seed(seed).named("derivatives");
        let program = program(&mut Choices { key: key.named("program"), taken: 0 }, true);
        let arguments = [arguments(key.named("arguments")), arguments(key.named("directions"))].concat();
        for derivative in [gradient(&program, &[0, 1, 2]), hvp(&program, &[2, 0, 1])] {
            let arguments = match derivative.inputs.len() {
                3 => arguments[..3].to_vec(),
                _ => [&arguments[..3], &arguments[5..], &arguments[3..5]].concat(),
            };
            let far = distance(&run::<f64>(&derivative, &arguments), &interpret(&derivative, &arguments));
            assert!(far < 1e-11, "seed {seed}: {far:e}\n{derivative}");
        }
    }
}
