//! Shards that meet: a program with sums over evaluations, over any shards and threads, is the same program over all
//! examples at once.

use thalweg_kernel::{Key, Layout, Real};
use thalweg_program::builder::{Builder, Var};
use thalweg_program::compile::{Binding, Signature};
use thalweg_program::evaluate::{Cut, Data, Point, Role, Sharded};
use thalweg_program::ir::Program;
use thalweg_program::transform::{gradient, hvp};

const EXAMPLES: usize = 23;
const FEATURES: usize = 5;
const UNITS: usize = 7;
const PARAMETERS: usize = UNITS * FEATURES + UNITS * UNITS;

/// Two linear layers, each followed by a batch norm, and a mean over all examples.
fn loss(builder: &Builder, params: &[Var<'_>], x: Var<'_>) -> Program {
    let mut h = x;
    for &w in params {
        let y = builder.einsum("bi,oi->bo", h, w);
        let moments = y.moments_of_all(&[0]);
        h = ((y - moments.mean) * (moments.variance + 1e-3).sqrt().reciprocal() + 0.3).tanh();
    }
    let each = (h * h * h).sum(&[1]);
    builder.finish(&[each.sum(&[0]) / EXAMPLES as f64, each]).unwrap()
}

/// Loss, its gradient, its Hessian-vector product, and a number for each example.
fn program(examples: usize) -> (Program, Signature) {
    let write = || {
        let builder = Builder::new();
        let params = [builder.real(&[UNITS, FEATURES]), builder.real(&[UNITS, UNITS])];
        let x = builder.real(&[examples, FEATURES]);
        loss(&builder, &params, x)
    };
    let (each, mut scalar) = (write(), write());
    scalar.outputs.truncate(1);
    let (first, second) = (gradient(&scalar, &[0, 1]), hvp(&scalar, &[0, 1]));
    let builder = Builder::new();
    let leaf = |shape: [usize; 2]| builder.real(&shape);
    let params = [leaf([UNITS, FEATURES]), leaf([UNITS, UNITS])];
    let tangents = [leaf([UNITS, FEATURES]), leaf([UNITS, UNITS])];
    let x = builder.real(&[examples, FEATURES]);
    let arguments = [params[0], params[1], x];
    let values = builder.call(&each, &arguments);
    let gradients = builder.call(&first, &arguments);
    let products = builder.call(&second, &[&arguments[..], &tangents].concat());
    let results = [&gradients[..], &products[2..], &values[1..]].concat();
    let program = builder.finish(&results).unwrap();
    let leaves = |slot| {
        let at = |offset, shape: &[usize]| Binding { slot, layout: Layout::contiguous(offset, shape) };
        [at(0, &[UNITS, FEATURES]), at(UNITS * FEATURES, &[UNITS, UNITS])]
    };
    let dense = |slot, shape: &[usize]| Binding { slot, layout: Layout::contiguous(0, shape) };
    let inputs = [&leaves(0)[..], &leaves(1), &[dense(2, &[examples, FEATURES])]].concat();
    let outputs = [&[dense(0, &[])][..], &leaves(1), &leaves(2), &[dense(3, &[examples])]].concat();
    (program, Signature { inputs, outputs })
}

/// All numbers of one evaluation over shards of so many examples.
fn evaluated<T: Real>(shard: usize) -> Vec<f64> {
    let roles = [Role::Scalar, Role::Sum, Role::Sum, Role::Rows(1)];
    let sharded = Sharded::<T>::new(Cut::by(EXAMPLES, shard), &roles, program);
    let drawn = |name: &str, count: usize| -> Vec<T> {
        let mut values = vec![0.0; count];
        Key::from_seed(3).named(name).normals(&mut values);
        values.into_iter().map(T::from_f64).collect()
    };
    let (theta, v) = (drawn("theta", PARAMETERS), drawn("tangent", PARAMETERS));
    // Far from 0: the variance must not drown in the mean.
    let x: Vec<T> = drawn("x", EXAMPLES * FEATURES).into_iter().map(|x| x + T::from_f64(50.0)).collect();
    let (mut g, mut hv, mut each) =
        (vec![T::ZERO; PARAMETERS], vec![T::ZERO; PARAMETERS], vec![T::ZERO; EXAMPLES]);
    // Twice: nothing of one evaluation may be left in the next.
    let mut loss = 0.0;
    for _ in 0..2 {
        let mut point = Point {
            shared: vec![&theta[..], &v],
            scalars: Vec::new(),
            sums: vec![&mut g[..], &mut hv],
            rows: vec![&mut each[..]],
        };
        sharded.evaluate(std::slice::from_mut(&mut point), Data { rows: &[(&x, FEATURES)], indices: &[] });
        loss = point.scalars[0];
    }
    let vectors = [g, hv, each].concat();
    std::iter::once(loss).chain(vectors.into_iter().map(Real::to_f64)).collect()
}

fn distance(found: &[f64], expected: &[f64]) -> f64 {
    let scale = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    found.iter().zip(expected).fold(0.0f64, |most, (x, y)| most.max((x - y).abs())) / scale
}

#[test]
fn shards_that_meet_are_one_evaluation_over_all() {
    let whole = evaluated::<f64>(EXAMPLES);
    for shard in [1, 2, 7, 8, 11, 12, 22] {
        let far = distance(&evaluated::<f64>(shard), &whole);
        assert!(far < 1e-11, "shards of {shard}: {far:e}");
        let far = distance(&evaluated::<f32>(shard), &whole);
        assert!(far < 3e-4, "shards of {shard} in f32: {far:e}");
    }
}

#[test]
fn shards_that_meet_give_the_same_bits_on_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| evaluated::<f32>(3)).into_iter().map(f64::to_bits).collect::<Vec<u64>>()
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert_eq!(on(threads), one, "{threads} threads");
    }
}
