//! Edges: misfits, nothing, infinity, and programs of unusual size.

use super::support::{Array, distance, interpret, run};
use thalweg_kernel::{Call, Key};
use thalweg_program::builder::{Builder, Var};
use thalweg_program::compile::{Signature, compile};
use thalweg_program::ir::{Element, Type};
use thalweg_program::prim::{Contract, Primitive, Slice};
use thalweg_program::transform::{gradient, hvp, jvp};

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
    assert!(distance(&found[1..], &[expected]) < 1e-14);
    let second = run::<f64>(&hvp(&program, &[0]), &[x, y.clone(), y]);
    assert_eq!(second[1].data, [0.0; 5]);
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

#[test]
fn extents_that_cannot_be_counted_are_misfits() {
    let builder = Builder::new();
    let x = builder.real(&[3]);
    let cut = builder.finish(&[x.slice_by(0, 0, usize::MAX / 2, 3)]).expect_err("a misfit").to_string();
    assert!(cut.contains("do not fit axis 0 of real[3]"), "{cut}");
    let builder = Builder::new();
    let x = builder.real(&[3]);
    let grown = builder.finish(&[x.pad(0, usize::MAX, 0)]).expect_err("a misfit").to_string();
    assert!(grown.contains("axis 0 of real[3] longer than can be counted"), "{grown}");
}

#[test]
fn nothing_sums_to_zero_and_moves_nothing() {
    for endless in [f64::INFINITY, f64::NAN] {
        let builder = Builder::new();
        let sum = builder.constant(endless, &[2, 0]).sum(&[1]);
        assert_eq!(run::<f64>(&builder.finish(&[sum]).unwrap(), &[])[0].data, [0.0; 2]);
    }
    let builder = Builder::new();
    let x = builder.real(&[2, 0]);
    let tangent = jvp(&builder.finish(&[x.max(&[1])]).unwrap(), &[0]);
    let nothing = Array { shape: vec![2, 0], data: vec![] };
    let found = run::<f64>(&tangent, &[nothing.clone(), nothing]);
    assert_eq!((&found[0].data[..], &found[1].data[..]), (&[f64::NEG_INFINITY; 2][..], &[0.0; 2][..]));
}

#[test]
fn powers_have_their_derivatives_at_zero() {
    let number = |x: f64| Array { shape: vec![], data: vec![x] };
    // (base, exponent, ∂/∂base, ∂²/∂base²)
    for (a, b, first, second) in [
        (0.0, 0.0, 0.0, 0.0),
        (0.0, 1.0, 1.0, 0.0),
        (0.0, 2.0, 0.0, 2.0),
        (0.0, 3.0, 0.0, 0.0),
        (1.0, 0.0, 0.0, 0.0),
    ] {
        let builder = Builder::new();
        let (x, y) = (builder.real(&[]), builder.real(&[]));
        let program = builder.finish(&[x.power(y)]).unwrap();
        let slope = run::<f64>(&gradient(&program, &[0, 1]), &[number(a), number(b)]);
        let bend = run::<f64>(&hvp(&program, &[0, 1]), &[a, b, 1.0, 0.0].map(number));
        assert_eq!((slope[1].data[0], bend[2].data[0]), (first, second), "{a}^{b}");
    }
}

#[test]
fn a_pass_may_have_more_reductions_than_a_call() {
    for count in [64, 65, 130] {
        let builder = Builder::new();
        let x: Vec<Var<'_>> = (0..count).map(|_| builder.real(&[4])).collect();
        let total = x.iter().map(|&x| (x * x).sum(&[0])).reduce(|a, b| a + b).unwrap();
        let program = builder.finish(&[total]).unwrap();
        let arguments: Vec<Array> = (0..count).map(|i| Array::normal(&[4], Key::from_seed(i))).collect();
        let found = run::<f64>(&program, &arguments);
        assert!(distance(&found, &interpret(&program, &arguments)) < 1e-12, "{count} reductions");
    }
}

#[test]
fn a_sum_of_products_that_is_a_result_is_computed_in_its_place() {
    let builder = Builder::new();
    let (w, x, y) = (builder.real(&[3, 4]), builder.real(&[5, 4]), builder.real(&[5, 4]));
    let sum = builder.einsum("bi,oi->bo", x, w) + builder.einsum("bi,oi->bo", y, w);
    let program = builder.finish(&[sum]).unwrap();
    let calls = compile(&program, &Signature::separate(&program)).calls;
    assert!(!calls.iter().any(|call| matches!(call, Call::Copy { .. })), "{calls:?}");
    let arguments: Vec<Array> = [[3, 4], [5, 4], [5, 4]]
        .iter()
        .zip(0..)
        .map(|(shape, i)| Array::normal(shape, Key::from_seed(i)))
        .collect();
    assert!(distance(&run::<f64>(&program, &arguments), &interpret(&program, &arguments)) < 1e-12);
    // Asked for twice, it is computed once and copied.
    let builder = Builder::new();
    let (w, x, y) = (builder.real(&[3, 4]), builder.real(&[5, 4]), builder.real(&[5, 4]));
    let sum = builder.einsum("bi,oi->bo", x, w) + builder.einsum("bi,oi->bo", y, w);
    let twice = builder.finish(&[sum, sum]).unwrap();
    assert!(distance(&run::<f64>(&twice, &arguments), &interpret(&twice, &arguments)) < 1e-12);
}

#[test]
fn a_sum_of_convolutions_is_one_array() {
    use thalweg_program::prim::Slide;
    let same = [Slide { padding: [1, 1], ..Slide::default() }];
    let builder = Builder::new();
    let (w, x, y) = (builder.real(&[3, 2, 3]), builder.real(&[2, 5, 2]), builder.real(&[2, 5, 2]));
    let sum = x.convolve(w, &same, 1) + y.convolve(w, &same, 1);
    let program = builder.finish(&[sum]).unwrap();
    let calls = compile(&program, &Signature::separate(&program)).calls;
    let adds: Vec<bool> = calls
        .iter()
        .filter_map(|call| if let Call::Convolve { adds, .. } = call { Some(*adds) } else { None })
        .collect();
    assert_eq!((adds, calls.len()), (vec![false, true], 2));
    let shapes: [&[usize]; 3] = [&[3, 2, 3], &[2, 5, 2], &[2, 5, 2]];
    let arguments: Vec<Array> =
        shapes.iter().zip(0..).map(|(shape, i)| Array::normal(shape, Key::from_seed(i))).collect();
    assert!(distance(&run::<f64>(&program, &arguments), &interpret(&program, &arguments)) < 1e-13);
}
