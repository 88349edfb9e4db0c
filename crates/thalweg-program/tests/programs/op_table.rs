//! The op table: every primitive, in every mode, at odd shapes, in both precisions.
//!
//! Each case is a primitive at some shapes. For each: the value against naive loops; the jvp against central finite
//! differences; ⟨Jv, u⟩ = ⟨v, Jᵀu⟩; every pattern of batched arguments against a loop; the Hessian-vector product
//! and the third derivative along one direction against finite differences of the order below.

use super::cases::{Case, Domain, all};
use super::support::{Array, distance, interpret, run};
use thalweg_kernel::Key;
use thalweg_program::builder::{Builder, Var};
use thalweg_program::ir::{Program, Type};
use thalweg_program::transform::{batch, gradient, hvp, jacobian_product, jacobian_transpose_product, jvp};

struct Drawn {
    program: Program,
    /// The program of the scalar Σ w·f² + f, so that linear primitives have derivatives of every order.
    scalar: Program,
    arguments: Vec<Array>,
    directions: Vec<Array>,
    wrt: Vec<usize>,
}

fn draw(case: &Case) -> Drawn {
    let write = |scalar: bool| {
        let builder = Builder::new();
        let x: Vec<Var<'_>> = case
            .arguments
            .iter()
            .map(|(shape, domain)| match domain {
                Domain::Index(_) => builder.input(Type::index(shape)),
                _ => builder.input(Type::real(shape)),
            })
            .collect();
        let mut result = (case.write)(&builder, &x);
        if scalar {
            let all: Vec<usize> = (0..result.shape().len()).collect();
            result = (result * result * result * 0.25 + result * result * 0.5 + result).sum(&all);
        }
        builder.finish(&[result]).unwrap_or_else(|error| panic!("{}: {error}", case.name))
    };
    let key = Key::from_seed(7).named(&case.name);
    let arguments: Vec<Array> = case
        .arguments
        .iter()
        .enumerate()
        .map(|(i, (shape, domain))| domain.draw(shape, key.fold_in(i as u64)))
        .collect();
    let wrt: Vec<usize> = (0..arguments.len())
        .filter(|&i| !matches!(case.arguments[i].1, Domain::Index(_) | Domain::Key))
        .collect();
    let directions = wrt
        .iter()
        .map(|&i| Array::normal(&arguments[i].shape, key.named("direction").fold_in(i as u64)))
        .collect();
    Drawn { program: write(false), scalar: write(true), arguments, directions, wrt }
}

impl Drawn {
    fn moved(&self, step: f64) -> Vec<Array> {
        let mut arguments = self.arguments.clone();
        for (&i, direction) in self.wrt.iter().zip(&self.directions) {
            arguments[i] = arguments[i].plus(direction, step);
        }
        arguments
    }

    /// Derivative along the directions of a program's results, by central differences of the naive loops.
    fn difference(&self, program: &Program) -> Vec<Array> {
        let step = 1e-5;
        let with = |arguments: Vec<Array>| {
            let extra = program.inputs.len() - arguments.len();
            let directions = self.directions.iter().cycle().take(extra).cloned();
            interpret(program, &arguments.into_iter().chain(directions).collect::<Vec<_>>())
        };
        let (ahead, behind) = (with(self.moved(step)), with(self.moved(-step)));
        ahead
            .iter()
            .zip(&behind)
            .map(|(a, b)| a.plus(b, -1.0))
            .map(|d| Array { data: d.data.iter().map(|x| x / (2.0 * step)).collect(), ..d })
            .collect()
    }

    fn with(&self, more: &[Array]) -> Vec<Array> {
        [&self.arguments[..], more].concat()
    }
}

fn check(name: &str, mode: &str, found: &[Array], expected: &[Array], bound: f64) {
    let far = distance(found, expected);
    assert!(far <= bound, "{name}, {mode}: {far:e} > {bound:e}\nfound {found:?}\nexpected {expected:?}");
}

#[test]
fn values_are_those_of_naive_loops_in_both_precisions() {
    for case in all() {
        let drawn = draw(&case);
        let expected = interpret(&drawn.program, &drawn.arguments);
        check(&case.name, "f64", &run::<f64>(&drawn.program, &drawn.arguments), &expected, 1e-13);
        check(&case.name, "f32", &run::<f32>(&drawn.program, &drawn.arguments), &expected, 1e-5);
    }
}

#[test]
fn jvp_is_the_limit_of_differences() {
    for case in all() {
        let drawn = draw(&case);
        let derivative = jacobian_product(&drawn.program, &drawn.wrt);
        let arguments = drawn.with(&drawn.directions);
        let expected = drawn.difference(&drawn.program);
        check(&case.name, "jvp", &run::<f64>(&derivative, &arguments), &expected, 1e-7);
        check(&case.name, "jvp in f32", &run::<f32>(&derivative, &arguments), &expected, 1e-4);
    }
}

#[test]
fn transpose_is_the_adjoint() {
    for case in all() {
        let drawn = draw(&case);
        let forward = jacobian_product(&drawn.program, &drawn.wrt);
        let adjoint = jacobian_transpose_product(&drawn.program, &drawn.wrt);
        let jv = run::<f64>(&forward, &drawn.with(&drawn.directions));
        let u = Array::normal(&jv[0].shape, Key::from_seed(8).named(&case.name));
        let jtu = run::<f64>(&adjoint, &drawn.with(std::slice::from_ref(&u)));
        let left = jv[0].dot(&u);
        let right: f64 = jtu.iter().zip(&drawn.directions).map(|(a, b)| a.dot(b)).sum();
        assert!((left - right).abs() <= 1e-11 * left.abs().max(1.0), "{}: {left} is not {right}", case.name);
        check(&case.name, "adjoint in f32", &run::<f32>(&adjoint, &drawn.with(&[u])), &jtu, 1e-4);
    }
}

/// The program on each member in turn, results stacked.
fn looped(program: &Program, arguments: &[Array], batched: &[bool], size: usize) -> Vec<Array> {
    let member = |i: usize| -> Vec<Array> {
        let take = |(array, &batched): (&Array, &bool)| match batched {
            false => array.clone(),
            true => {
                let shape = array.shape[1..].to_vec();
                let len: usize = shape.iter().product();
                Array { data: array.data[i * len..(i + 1) * len].to_vec(), shape }
            }
        };
        interpret(program, &arguments.iter().zip(batched).map(take).collect::<Vec<_>>())
    };
    let members: Vec<Vec<Array>> = (0..size).map(member).collect();
    (0..program.outputs.len())
        .map(|output| Array {
            shape: [&[size], &members[0][output].shape[..]].concat(),
            data: members.iter().flat_map(|results| results[output].data.clone()).collect(),
        })
        .collect()
}

fn check_batch(case: &Case, mode: &str, program: &Program, domains: &[(Vec<usize>, Domain)]) {
    let size = 3;
    for pattern in 1..1_u32 << domains.len().min(4) {
        let batched: Vec<bool> = (0..domains.len()).map(|i| pattern >> i.min(3) & 1 == 1).collect();
        let key = Key::from_seed(9).named(&case.name).fold_in(u64::from(pattern));
        let arguments: Vec<Array> = domains
            .iter()
            .zip(&batched)
            .enumerate()
            .map(|(i, ((shape, domain), &batched))| {
                let shape = if batched { [&[size], &shape[..]].concat() } else { shape.clone() };
                domain.draw(&shape, key.fold_in(i as u64))
            })
            .collect();
        let found = run::<f64>(&batch(program, size, &batched), &arguments);
        let mode = format!("{mode} {batched:?}");
        check(&case.name, &mode, &found, &looped(program, &arguments, &batched, size), 1e-12);
    }
}

#[test]
fn batch_is_a_loop() {
    for case in all() {
        check_batch(&case, "batch", &draw(&case).program, &case.arguments);
    }
}

#[test]
fn batches_of_derivatives_are_loops() {
    for case in all() {
        let drawn = draw(&case);
        let directions = drawn.wrt.iter().map(|&i| (case.arguments[i].0.clone(), Domain::Normal));
        let domains: Vec<_> = case.arguments.iter().cloned().chain(directions).collect();
        check_batch(&case, "batch of gradients", &gradient(&drawn.scalar, &drawn.wrt), &case.arguments);
        check_batch(&case, "batch of Hessian products", &hvp(&drawn.scalar, &drawn.wrt), &domains);
    }
}

#[test]
fn gradients_and_hessian_products_are_limits_of_differences() {
    for case in all() {
        let drawn = draw(&case);
        let slope = drawn.difference(&drawn.scalar);
        let first = gradient(&drawn.scalar, &drawn.wrt);
        let gradients = run::<f64>(&first, &drawn.arguments);
        let along: f64 = gradients[1..].iter().zip(&drawn.directions).map(|(g, v)| g.dot(v)).sum();
        check(&case.name, "gradient", &[Array { shape: vec![], data: vec![along] }], &slope, 1e-7);
        let second = hvp(&drawn.scalar, &drawn.wrt);
        let found = run::<f64>(&second, &drawn.with(&drawn.directions));
        let expected = drawn.difference(&first);
        check(&case.name, "the gradient beside it", &found[..drawn.wrt.len()], &gradients[1..], 1e-12);
        check(&case.name, "hvp", &found[drawn.wrt.len()..], &expected[1..], 1e-6);
        let in_f32 = run::<f32>(&second, &drawn.with(&drawn.directions));
        check(&case.name, "hvp in f32", &in_f32, &found, 1e-3);
    }
}

#[test]
fn third_derivatives_along_a_direction_are_limits_of_differences() {
    for case in all() {
        let drawn = draw(&case);
        let once = jacobian_product(&drawn.scalar, &drawn.wrt);
        let twice = jacobian_product(&once, &drawn.wrt);
        let thrice = jacobian_product(&twice, &drawn.wrt);
        let directions =
            drawn.directions.iter().cycle().take(3 * drawn.wrt.len()).cloned().collect::<Vec<_>>();
        let found = run::<f64>(&thrice, &drawn.with(&directions));
        check(&case.name, "third derivative", &found, &drawn.difference(&twice), 1e-6);
        // Reverse over forward over forward: another route to the same number.
        let reverse = gradient(&twice, &drawn.wrt);
        let gradients = run::<f64>(&reverse, &drawn.with(&directions[..2 * drawn.wrt.len()]));
        let along: f64 = gradients[1..].iter().zip(&drawn.directions).map(|(g, v)| g.dot(v)).sum();
        check(&case.name, "by reverse", &[Array { shape: vec![], data: vec![along] }], &found, 1e-10);
    }
}

#[test]
fn jvp_keeps_the_value() {
    for case in all() {
        let drawn = draw(&case);
        let both = run::<f64>(&jvp(&drawn.program, &drawn.wrt), &drawn.with(&drawn.directions));
        check(&case.name, "value", &both[..1], &run::<f64>(&drawn.program, &drawn.arguments), 0.0);
    }
}

#[test]
fn every_primitive_stands_in_the_table() {
    let mut seen: Vec<&str> = Vec::new();
    for case in all() {
        let drawn = draw(&case);
        seen.extend(drawn.program.nodes.iter().map(|node| node.op.name()));
    }
    let all = [
        "input",
        "constant",
        "neg",
        "exp",
        "log",
        "log1p",
        "tanh",
        "erf",
        "logistic",
        "sqrt",
        "reciprocal",
        "sin",
        "cos",
        "relu",
        "step",
        "abs",
        "power_int",
        "add",
        "sub",
        "mul",
        "div",
        "maximum",
        "minimum",
        "power",
        "greater",
        "equal",
        "select",
        "broadcast",
        "reshape",
        "permute",
        "slice",
        "pad",
        "concatenate",
        "sum",
        "max",
        "contract",
        "convolve",
        "iota",
        "uniform",
        "max_index",
        "as_index",
        "one_hot",
        "gather",
        "scatter_add",
    ];
    for name in all {
        assert!(seen.contains(&name), "no case holds {name}");
    }
}
