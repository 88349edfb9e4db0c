//! Edges of pooling: equals, NaN, padding, nothing, misfits, and what linear programs keep.

use super::support::{Array, distance, run};
use thalweg_kernel::{Call, Key};
use thalweg_program::builder::{Builder, Var};
use thalweg_program::compile::{Signature, compile};
use thalweg_program::ir::{Element, Program};
use thalweg_program::prim::{Gather, MaxIndex, Slide, Window};
use thalweg_program::transform::{gradient, hoist, hvp, jacobian_transpose_product, split_linear};

const BY_TWO: Slide = Slide { stride: 2, dilation: 1, padding: [0, 0] };

fn program(shape: &[usize], write: impl for<'b> Fn(Var<'b>) -> Var<'b>) -> Program {
    let builder = Builder::new();
    let x = builder.real(shape);
    builder.finish(&[write(x)]).unwrap()
}

/// One example, one channel.
fn row(data: &[f64]) -> Array {
    Array { shape: vec![1, data.len(), 1], data: data.to_vec() }
}

/// The pooled row and what flows back from 1, 2, 3, …
fn pooled(x: &[f64], write: impl for<'b> Fn(Var<'b>) -> Var<'b>) -> (Vec<f64>, Vec<f64>) {
    let program = program(&[1, x.len(), 1], write);
    let y = run::<f64>(&program, &[row(x)]);
    let u: Vec<f64> = (1..=y[0].data.len()).map(|i| i as f64).collect();
    let back = run::<f64>(&jacobian_transpose_product(&program, &[0]), &[row(x), row(&u)]);
    assert_eq!(run::<f32>(&program, &[row(x)])[0].data.len(), y[0].data.len());
    (y[0].data.clone(), back[0].data.clone())
}

#[test]
fn the_first_of_equals_is_chosen() {
    let (y, back) = pooled(&[1.0, 1.0, 0.0, -0.0, 2.0, 3.0], |x| x.max_pool(&[2], &[BY_TWO]));
    assert_eq!((y, back), (vec![1.0, 0.0, 3.0], vec![1.0, 0.0, 2.0, 0.0, 0.0, 3.0]));
    // In two dimensions the first in row-major order.
    let square = program(&[1, 2, 2, 1], |x| x.max_pool(&[2, 2], &[BY_TWO; 2]));
    let x = Array { shape: vec![1, 2, 2, 1], data: vec![0.0, 5.0, 5.0, 5.0] };
    let one = Array { shape: vec![1, 1, 1, 1], data: vec![1.0] };
    let back = run::<f64>(&jacobian_transpose_product(&square, &[0]), &[x, one]);
    assert_eq!(back[0].data, [0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn nan_is_chosen_and_infinity_is_a_number() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let x = [nan, 9.0, inf, nan, nan, nan, -inf, -inf, 1.0, inf];
    let (y, back) = pooled(&x, |x| x.max_pool(&[2], &[BY_TWO]));
    assert!(y[..3].iter().all(|y| y.is_nan()), "{y:?}");
    assert_eq!(y[3..], [-inf, inf]);
    // The last NaN of a window; the first of equal infinities.
    assert_eq!(back, [1.0, 0.0, 0.0, 2.0, 0.0, 3.0, 4.0, 0.0, 0.0, 5.0]);
}

#[test]
fn padding_is_never_the_largest_and_counts_in_averages() {
    let padded = [Slide { padding: [1, 1], ..BY_TWO }];
    let (y, back) = pooled(&[-3.0, -2.0, -5.0], |x| x.max_pool(&[2], &padded));
    assert_eq!((y, back), (vec![-3.0, -2.0], vec![1.0, 2.0, 0.0]));
    let (y, back) = pooled(&[-3.0, -2.0, -5.0], |x| x.average_pool(&[2], &padded));
    assert_eq!((y, back), (vec![-1.5, -3.5], vec![0.5, 1.0, 1.0]));
}

#[test]
fn nothing_is_pooled_to_nothing() {
    let pools: [fn(Var<'_>) -> Var<'_>; 2] =
        [|x| x.max_pool(&[2, 1], &[BY_TWO; 2]), |x| x.average_pool(&[2, 1], &[BY_TWO; 2])];
    for pool in pools {
        for shape in [[0, 4, 4, 3], [2, 0, 4, 3], [2, 1, 4, 3], [2, 4, 4, 0]] {
            let scalar = program(&shape, |x| {
                let y = pool(x);
                (y * y).sum(&[0, 1, 2, 3])
            });
            let x = Array::normal(&shape, Key::from_seed(1));
            let found = run::<f64>(&gradient(&scalar, &[0]), std::slice::from_ref(&x));
            assert_eq!(found[0].data, [0.0], "{shape:?}");
            assert!(found[1].data.iter().all(|&g| g == 0.0), "{shape:?}");
        }
    }
}

#[test]
fn channels_last_needs_no_copy() {
    let calls = |pool: fn(Var<'_>) -> Var<'_>| {
        let program = program(&[2, 4, 6, 3], pool);
        compile(&program, &Signature::separate(&program)).calls
    };
    let max = calls(|x| x.max_pool(&[2, 2], &[BY_TWO; 2]));
    assert!(matches!(max[..], [Call::MaxIndex { .. }, Call::Iota { .. }, Call::Fused(_)]), "{max:?}");
    let max = calls(|x| x.max_pool(&[3, 3], &[BY_TWO; 2]));
    assert!(matches!(max[..], [Call::MaxIndex { .. }, Call::Gather { .. }]), "{max:?}");
    let blocks = calls(|x| x.average_pool(&[2, 2], &[BY_TWO; 2]));
    assert!(blocks.iter().all(|call| matches!(call, Call::Fused(_))), "{blocks:?}");
    let overlapping = calls(|x| x.average_pool(&[3, 3], &[Slide { padding: [1, 1], ..BY_TWO }; 2]));
    assert!(!overlapping.iter().any(|call| matches!(call, Call::Copy { .. })), "{overlapping:?}");
}

#[test]
fn a_window_of_one_position_changes_nothing() {
    let x = Array::normal(&[2, 3, 1, 5], Key::from_seed(2));
    let pools: [fn(Var<'_>) -> Var<'_>; 2] = [
        |x| x.max_pool(&[1, 1], &[Slide::default(); 2]),
        |x| x.average_pool(&[1, 1], &[Slide { dilation: 3, ..Slide::default() }; 2]),
    ];
    for pool in pools {
        let program = program(&x.shape, pool);
        assert_eq!(run::<f64>(&program, std::slice::from_ref(&x))[0], x);
    }
}

#[test]
fn misfits_are_said() {
    let message = |write: &dyn for<'b> Fn(Var<'b>) -> Var<'b>| {
        let builder = Builder::new();
        let x = builder.real(&[2, 4, 3]);
        builder.finish(&[write(x)]).expect_err("a misfit").to_string()
    };
    assert_eq!(
        message(&|x| x.max_pool(&[2, 2], &[BY_TWO; 2])),
        "max_pool: expected [n, positions…, c] with one slide for each of 2 axes of positions, found real[2, 4, 3] and \
         2 slides"
    );
    assert!(message(&|x| x.average_pool(&[2], &[])).ends_with("found real[2, 4, 3] and 0 slides"));
    let taps = message(&|x| x.average_pool(&[0], &[BY_TWO]));
    assert!(
        taps.starts_with("average_pool: a window needs a tap, a stride and a dilation: 0 taps"),
        "{taps}"
    );
    let stride = message(&|x| x.max_pool(&[2], &[Slide { stride: 0, ..BY_TWO }]));
    assert!(stride.contains("stride: 0"), "{stride}");
    let padding = message(&|x| x.max_pool(&[2], &[Slide { padding: [2, 0], ..BY_TWO }]));
    assert!(
        padding.starts_with(
            "max_index: expected some input position in each window, found one wholly in the padding"
        ),
        "{padding}"
    );
    let window = Window::new(5, 2, 2, 1, [0, 0]);
    let positions =
        message(&|x| x.builder().apply(MaxIndex { windows: vec![window] }, &[x]).broadcast_to(&[2, 2, 3]));
    assert_eq!(positions, "max_index: expected positions [5] before the channels, found real[2, 4, 3]");
    let large = program_error(&[1, 1 << 13, 1 << 12], |x| x.max_pool(&[3], &[BY_TWO]));
    assert!(large.contains("at most 16777216 elements an example"), "{large}");
}

fn program_error(shape: &[usize], write: impl for<'b> Fn(Var<'b>) -> Var<'b>) -> String {
    let builder = Builder::new();
    let x = builder.real(shape);
    builder.finish(&[write(x)]).expect_err("a misfit").to_string()
}

/// Indices that were computed are no arguments: those are integers, and what is kept is real.
#[test]
fn what_is_kept_of_a_pooling_is_real() {
    let shape = [2, 6, 3];
    let scalar = program(&shape, |x| {
        let y = x.tanh().max_pool(&[3], &[Slide { padding: [1, 0], ..BY_TWO }]);
        (y * y * y).sum(&[0, 1, 2])
    });
    let mut products = hvp(&scalar, &[0]);
    products.outputs.remove(0);
    let key = Key::from_seed(3);
    let [x, v] = ["x", "v"].map(|name| Array::normal(&shape, key.named(name)));
    let parts = split_linear(&products, 1);
    assert!(parts.residuals > 0);
    assert!(parts.primal.output_types().iter().all(|ty| ty.element == Element::Real), "{}", parts.primal);
    let residuals = run::<f64>(&parts.primal, std::slice::from_ref(&x));
    let found =
        run::<f64>(&parts.linear, &[std::slice::from_ref(&x), &residuals, std::slice::from_ref(&v)].concat());
    assert!(distance(&found, &run::<f64>(&products, &[x, v])) < 1e-14);

    // The same where a section is cut off: an index from fixed values, rows from moving ones.
    let builder = Builder::new();
    let (w, x) = (builder.real(&[2, 18]), builder.real(&shape));
    let windows = vec![Window::new(6, 2, 2, 1, [0, 0])];
    let index = builder.apply(MaxIndex { windows }, &[x]).as_index();
    let chosen = builder.apply(Gather { batch: 1 }, &[w.exp(), index]);
    let whole = builder.finish(&[chosen]).unwrap();
    let parts = hoist(&whole, &[0]);
    assert!(parts.head.output_types().iter().all(|ty| ty.element == Element::Real), "{}", parts.head);
    let arguments = [Array::normal(&[2, 18], key.named("w")), Array::normal(&shape, key.named("x"))];
    let kept = run::<f64>(&parts.head, &arguments);
    let found = run::<f64>(&parts.tail, &[&arguments[..], &kept].concat());
    assert_eq!(found, run::<f64>(&whole, &arguments));
}
