//! The op table: every primitive, in every mode, at odd shapes, in both precisions.
//!
//! Each case is a primitive at some shapes. For each: the value against naive loops; the jvp against central finite
//! differences; ⟨Jv, u⟩ = ⟨v, Jᵀu⟩; every pattern of batched arguments against a loop; the Hessian-vector product
//! and the third derivative along one direction against finite differences of the order below.

use super::support::{Array, distance, interpret, run};
use thalweg_kernel::Key;
use thalweg_program::builder::{Builder, Var};
use thalweg_program::ir::{Element, Program, Type};
use thalweg_program::prim::{Contract, Gather, Pad, Primitive, ScatterAdd, Slice};
use thalweg_program::transform::{batch, gradient, hvp, jacobian_product, jacobian_transpose_product, jvp};

/// What the arguments are drawn from: finite differences must not cross a kink or a pole.
#[derive(Clone, Copy)]
enum Domain {
    Normal,
    Positive,
    AwayFromZero,
    Index(usize),
}

impl Domain {
    fn draw(self, shape: &[usize], key: Key) -> Array {
        let mut array = Array::normal(shape, key);
        let mut uniforms = vec![0.0; array.data.len()];
        key.named("uniform").uniforms(&mut uniforms);
        for (x, u) in array.data.iter_mut().zip(uniforms) {
            *x = match self {
                Self::Normal => *x,
                Self::Positive => 0.5 + u,
                Self::AwayFromZero => x.signum() * (0.3 + u),
                Self::Index(limit) => (u * limit as f64).floor(),
            };
        }
        array
    }
}

type Write = Box<dyn for<'b> Fn(&'b Builder, &[Var<'b>]) -> Var<'b>>;

struct Case {
    name: String,
    arguments: Vec<(Vec<usize>, Domain)>,
    write: Write,
}

fn case(
    name: &str,
    arguments: &[(&[usize], Domain)],
    write: impl for<'b> Fn(&'b Builder, &[Var<'b>]) -> Var<'b> + 'static,
) -> Case {
    let shapes: Vec<_> = arguments.iter().map(|(shape, _)| *shape).collect();
    Case {
        name: format!("{name} {shapes:?}"),
        arguments: arguments.iter().map(|&(shape, domain)| (shape.to_vec(), domain)).collect(),
        write: Box::new(write),
    }
}

const SHAPES: [&[usize]; 7] = [&[], &[1], &[0], &[17], &[3, 5], &[2, 0, 3], &[4, 1, 33]];

fn elementwise() -> Vec<Case> {
    use Domain::{AwayFromZero, Normal, Positive};
    let mut cases = Vec::new();
    for shape in SHAPES {
        macro_rules! unary {
            ($($name:ident $domain:ident),+) => {
                $(cases.push(case(stringify!($name), &[(shape, $domain)], |_, x| x[0].$name()));)+
            };
        }
        unary!(exp Normal, log Positive, tanh Normal, erf Normal, logistic Normal, sqrt Positive);
        unary!(reciprocal AwayFromZero, sin Normal, cos Normal, relu AwayFromZero, step AwayFromZero, abs AwayFromZero);
        cases.push(case("neg", &[(shape, Normal)], |_, x| -x[0]));
        for n in [-2, 3, 4] {
            cases.push(case("powi", &[(shape, AwayFromZero)], move |_, x| x[0].powi(n)));
        }
        let two = [(shape, Normal), (shape, Normal)];
        cases.push(case("add", &two, |_, x| x[0] + x[1]));
        cases.push(case("sub", &two, |_, x| x[0] - x[1]));
        cases.push(case("mul", &two, |_, x| x[0] * x[1]));
        cases.push(case("maximum", &two, |_, x| x[0].maximum(x[1])));
        cases.push(case("minimum", &two, |_, x| x[0].minimum(x[1])));
        cases.push(case("greater", &two, |_, x| x[0].greater(x[1])));
        cases.push(case("equal", &two, |_, x| x[0].equal(x[1])));
        cases.push(case("div", &[(shape, Normal), (shape, AwayFromZero)], |_, x| x[0] / x[1]));
        cases.push(case("power", &[(shape, Positive), (shape, Normal)], |_, x| x[0].power(x[1])));
        let three = [(shape, AwayFromZero), (shape, Normal), (shape, Normal)];
        cases.push(case("select", &three, |_, x| x[0].greater(0.0).select(x[1], x[2])));
        cases.push(case("same operand twice", &[(shape, Normal)], |_, x| x[0] * x[0] + x[0]));
        cases.push(case("with numbers", &[(shape, Positive)], |_, x| {
            1.0 / (2.0 * x[0] + 3.0) - x[0] / 4.0 + (1.5 - x[0])
        }));
    }
    let pairs: [(&[usize], &[usize]); 6] = [
        (&[3, 5], &[5]),
        (&[5], &[3, 5]),
        (&[3, 1], &[1, 4]),
        (&[], &[2, 3]),
        (&[2, 1, 3], &[4, 1]),
        (&[0, 3], &[3]),
    ];
    for (a, b) in pairs {
        let domains = [(a, Normal), (b, AwayFromZero)];
        cases.push(case("mul with broadcast", &domains, |_, x| x[0] * x[1]));
        cases.push(case("div with broadcast", &domains, |_, x| x[0] / x[1]));
        cases.push(case("sub with broadcast", &domains, |_, x| x[0].tanh() - x[1].exp()));
    }
    cases
}

fn structural() -> Vec<Case> {
    use Domain::Normal;
    let mut cases = vec![
        case("broadcast", &[(&[3], Normal)], |_, x| x[0].broadcast(&[2, 3, 4], &[1])),
        case("broadcast scalar", &[(&[], Normal)], |_, x| x[0].broadcast(&[2, 3], &[])),
        case("broadcast to nothing", &[(&[3], Normal)], |_, x| x[0].broadcast(&[0, 3], &[1])),
        case("broadcast_to", &[(&[2, 1, 3], Normal)], |_, x| x[0].broadcast_to(&[5, 2, 4, 3])),
        case("reshape", &[(&[4, 6], Normal)], |_, x| x[0].reshape(&[3, 1, 8])),
        case("reshape of a permuted array", &[(&[4, 6], Normal)], |_, x| {
            x[0].permute(&[1, 0]).reshape(&[3, 8])
        }),
        case("reshape of a broadcast array", &[(&[4], Normal)], |_, x| {
            x[0].broadcast(&[4, 3], &[0]).reshape(&[12])
        }),
        case("reshape of nothing", &[(&[0, 6], Normal)], |_, x| x[0].reshape(&[2, 0, 5])),
        case("permute", &[(&[2, 3, 4], Normal)], |_, x| x[0].permute(&[2, 0, 1])),
        case("permute in a chain", &[(&[5, 7], Normal)], |_, x| {
            x[0].permute(&[1, 0]).exp().permute(&[1, 0]) * x[0]
        }),
        case("slice", &[(&[5, 7], Normal)], |_, x| x[0].slice(1, 2, 4)),
        case("slice with step", &[(&[3, 9], Normal)], |_, x| x[0].slice_by(1, 1, 3, 3)),
        case("slice of nothing", &[(&[3, 4], Normal)], |_, x| x[0].slice(0, 3, 0)),
        case("slice in a chain", &[(&[6, 5], Normal)], |_, x| {
            (x[0].slice(0, 1, 2) * x[0].slice(0, 4, 2)).tanh()
        }),
        case("pad", &[(&[3, 2], Normal)], |_, x| x[0].pad(1, 2, 1)),
        case("pad between", &[(&[3, 2], Normal)], |b, x| {
            b.apply(Pad { axis: 0, before: 1, after: 0, between: 2 }, &[x[0].exp()])
        }),
        case("pad of nothing", &[(&[0, 2], Normal)], |_, x| x[0].pad(0, 1, 2)),
        case("concatenate", &[(&[2, 3], Normal), (&[2, 1], Normal), (&[2, 0], Normal)], |b, x| {
            b.concatenate(1, &[x[0], x[1], x[2], x[1]])
        }),
        case("concatenate with constants", &[(&[2], Normal)], |b, x| {
            b.concatenate(0, &[b.constant(2.0, &[3]), x[0], b.zeros(&[1])])
        }),
    ];
    for axes in [&[][..], &[0], &[1], &[2], &[0, 1], &[1, 2], &[0, 2], &[0, 1, 2]] {
        for shape in [&[2, 3, 5][..], &[1, 4, 1], &[3, 0, 2], &[2, 17, 33]] {
            cases.push(case(&format!("sum over {axes:?}"), &[(shape, Normal)], move |_, x| x[0].sum(axes)));
            if !shape.contains(&0) {
                cases.push(case(&format!("mean over {axes:?}"), &[(shape, Normal)], move |_, x| {
                    (x[0] * 2.0).mean(axes)
                }));
                cases.push(case(&format!("max over {axes:?}"), &[(shape, Normal)], move |_, x| {
                    x[0].max(axes)
                }));
            }
        }
    }
    cases.push(case("sum of a broadcast", &[(&[3], Normal)], |_, x| {
        x[0].broadcast(&[2, 3, 4], &[1]).sum(&[0, 1])
    }));
    cases.push(case("max of a broadcast", &[(&[3], Normal)], |_, x| {
        x[0].broadcast(&[2, 3, 4], &[1]).max(&[1, 2])
    }));
    cases.push(case("softmax", &[(&[4, 10], Normal)], |_, x| {
        let shifted = (x[0] - x[0].max(&[1]).reshape(&[4, 1]).stop_gradient()).exp();
        shifted / shifted.sum(&[1]).reshape(&[4, 1])
    }));
    cases
}

fn bilinear() -> Vec<Case> {
    use Domain::Normal;
    let mut cases = Vec::new();
    let specs: [(&str, &[usize], &[usize]); 16] = [
        ("ik,kj->ij", &[3, 4], &[4, 5]),
        ("ik,jk->ij", &[3, 4], &[5, 4]),
        ("ki,kj->ji", &[4, 3], &[4, 5]),
        ("ik,kj->ij", &[17, 33], &[33, 18]),
        ("ik,kj->ij", &[1, 7], &[7, 1]),
        ("ik,kj->ij", &[3, 0], &[0, 2]),
        ("ik,kj->ij", &[0, 3], &[3, 2]),
        ("k,k->", &[9], &[9]),
        ("i,j->ij", &[3], &[5]),
        ("i,i->i", &[6], &[6]),
        (",i->i", &[], &[4]),
        ("bik,bkj->bij", &[2, 3, 4], &[2, 4, 5]),
        ("bik,kj->ibj", &[2, 3, 4], &[4, 5]),
        ("ik,bkj->bij", &[3, 4], &[2, 4, 5]),
        ("bhqd,bhkd->bhqk", &[2, 3, 4, 5], &[2, 3, 6, 5]),
        ("iklm,jmk->jil", &[2, 3, 4, 5], &[6, 5, 3]),
    ];
    for (spec, a, b) in specs {
        cases.push(case(&format!("contract {spec}"), &[(a, Normal), (b, Normal)], move |builder, x| {
            builder.einsum(spec, x[0], x[1])
        }));
    }
    cases.push(case("matmul", &[(&[2, 3, 4], Normal), (&[4, 5], Normal)], |_, x| x[0].matmul(x[1])));
    cases.push(case("matmul with itself", &[(&[3, 3], Normal)], |_, x| x[0].matmul(x[0])));
    cases.push(case("matmul of views", &[(&[3, 4], Normal), (&[3, 5], Normal)], |_, x| {
        x[0].permute(&[1, 0]).matmul(x[1].slice_by(1, 0, 2, 3))
    }));
    cases.push(case("matmul with constants", &[(&[3, 4], Normal)], |b, x| {
        x[0].matmul(b.constant(0.5, &[4, 2]))
    }));
    cases
}

fn indexed() -> Vec<Case> {
    use Domain::{Index, Normal};
    vec![
        case("one_hot", &[(&[5], Index(4)), (&[5, 4], Normal)], |_, x| x[0].one_hot(4) * x[1]),
        case("one_hot, classes first", &[(&[5, 2], Index(4)), (&[4, 5, 2], Normal)], |_, x| {
            x[0].one_hot(4).permute(&[2, 0, 1]) * x[1].tanh()
        }),
        case("one_hot of nothing", &[(&[0], Index(4)), (&[4], Normal)], |_, x| x[0].one_hot(4) * x[1]),
        case("gather", &[(&[7, 3], Normal), (&[2, 4], Index(7))], |_, x| x[0].gather(x[1])),
        case("gather of scalars", &[(&[7], Normal), (&[3], Index(7))], |_, x| x[0].gather(x[1])),
        case("gather in a batch", &[(&[2, 5, 3], Normal), (&[2, 4], Index(5))], |b, x| {
            b.apply(Gather { batch: 1 }, &[x[0], x[1]])
        }),
        case("scatter_add", &[(&[2, 4, 3], Normal), (&[2, 4], Index(5))], |_, x| x[0].scatter_add(x[1], 5)),
        case("scatter_add in a batch", &[(&[2, 4, 3], Normal), (&[2, 4], Index(5))], |b, x| {
            b.apply(ScatterAdd { batch: 1, rows: 5 }, &[x[0], x[1]])
        }),
        case("scatter_add of nothing", &[(&[0, 3], Normal), (&[0], Index(5))], |_, x| {
            x[0].scatter_add(x[1], 5)
        }),
    ]
}

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
    let wrt: Vec<usize> =
        (0..arguments.len()).filter(|&i| !matches!(case.arguments[i].1, Domain::Index(_))).collect();
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

fn all() -> Vec<Case> {
    elementwise().into_iter().chain(structural()).chain(bilinear()).chain(indexed()).collect()
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
fn stop_gradient_keeps_the_value_and_has_no_derivative() {
    let builder = Builder::new();
    let x = builder.real(&[5]);
    let y = builder.real(&[5]);
    let loss = (x.exp().stop_gradient() * y * x).sum(&[0]);
    let program = builder.finish(&[loss]).unwrap();
    let key = Key::from_seed(11);
    let (x, y) = (Array::normal(&[5], key.named("x")), Array::normal(&[5], key.named("y")));
    // As if e^x were a number: the gradient in x is e^x·y, and no derivative of e^x appears at any order.
    let found = run::<f64>(&gradient(&program, &[0]), &[x.clone(), y.clone()]);
    let expected = Array::new(&[5], |i| x.at(i).exp() * y.at(i));
    check("stop_gradient", "gradient", &found[1..], &[expected], 1e-14);
    let second = run::<f64>(&hvp(&program, &[0]), &[x, y.clone(), y]);
    check("stop_gradient", "hvp", &second[1..], &[Array::new(&[5], |_| 0.0)], 0.0);
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
        "one_hot",
        "gather",
        "scatter_add",
    ];
    for name in all {
        assert!(seen.contains(&name), "no case holds {name}");
    }
}

#[test]
fn misfits_are_said_with_both_shapes() {
    let message = |write: &dyn for<'b> Fn(&'b Builder, Var<'b>) -> Var<'b>| {
        let builder = Builder::new();
        let x = builder.real(&[2, 3]);
        let result = write(&builder, x);
        builder.finish(&[result]).expect_err("a misfit").to_string()
    };
    assert_eq!(
        message(&|b, x| x + b.real(&[4])),
        "broadcast: cannot place real[4] on axes [1] of shape [2, 3]"
    );
    assert_eq!(message(&|_, x| x.reshape(&[5])), "reshape: real[2, 3] has 6 elements, shape [5] has 5");
    assert_eq!(
        message(&|_, x| x.matmul(x)),
        "contract: a shared axis has extent 3 in one place and 2 in another of real[2, 3] and real[2, 3]"
    );
    assert_eq!(message(&|_, x| x.sum(&[2])), "sum: expected an axis below 2, found axis 2 of real[2, 3]");
    assert_eq!(message(&|_, x| x.one_hot(3)), "one_hot: expected indices, found real[2, 3]");
    assert_eq!(message(&|_, x| x.permute(&[0, 0])), "permute: [0, 0] is no order of the axes of real[2, 3]");
    assert_eq!(
        message(&|_, x| x.slice(1, 2, 2)),
        "slice: 2 elements from 2 by 1 do not fit axis 1 of real[2, 3]"
    );
    let ty = Type { element: Element::Real, shape: vec![2] };
    assert!(Contract::new(&[0], &[0], &[0, 0]).shape(&[&ty, &ty]).is_err(), "a label twice in the result");
    assert!(Slice { axis: 0, start: 0, extent: 2, step: 0 }.shape(&[&ty]).is_err(), "a step of 0");
}
