//! Images of few channels, whose examples lie inside in memory: the same numbers as naive loops.

use super::support::{Array, distance, interpret, run};
use thalweg_kernel::{Call, Key};
use thalweg_program::builder::{Builder, Var};
use thalweg_program::compile::{Signature, compile};
use thalweg_program::ir::Program;
use thalweg_program::prim::Slide;
use thalweg_program::transform::{gradient, hvp};

const SAME: Slide = Slide { stride: 1, dilation: 1, padding: [1, 1] };
const BY_TWO: Slide = Slide { stride: 2, dilation: 1, padding: [0, 0] };

type Write = for<'b> fn(Var<'b>, Var<'b>, Var<'b>) -> Var<'b>;

/// Networks of images `[n, 6, 6, 2]` with weights `[3, 2, 3, 3]` and `[3, 3, 3, 3]`.
const NETWORKS: [(&str, Write); 6] = [
    ("pools", |x, v, w| {
        let h = x.convolve(v, &[SAME; 2], 1).tanh().max_pool(&[2, 2], &[BY_TWO; 2]);
        h.convolve(w, &[SAME; 2], 1).average_pool(&[3, 3], &[Slide { stride: 3, ..BY_TWO }; 2])
    }),
    ("windows that overlap", |x, v, w| {
        let h = x.convolve(v, &[SAME; 2], 1).max_pool(&[3, 3], &[Slide { stride: 2, ..SAME }; 2]);
        h.convolve(w, &[SAME; 2], 1).average_pool(&[2, 2], &[Slide { stride: 1, ..BY_TWO }; 2])
    }),
    ("a residual sum", |x, v, w| {
        let h = x.convolve(v, &[Slide { stride: 2, ..SAME }; 2], 1);
        (h.sin().convolve(w, &[SAME; 2], 1) + h).logistic()
    }),
    ("windows that end before the image", |x, v, w| {
        x.convolve(v, &[Slide::default(); 2], 1).convolve(w, &[SAME; 2], 1).max_pool(&[3, 2], &[BY_TWO; 2])
    }),
    ("features", |x, v, w| {
        let h = x.convolve(v, &[SAME; 2], 1).cos();
        let [n, height, width, c] = h.shape()[..] else { unreachable!("an image") };
        let features = h.permute(&[0, 3, 1, 2]).reshape(&[n, c * height * width]);
        h.builder().einsum("bi,bi->b", features, features.tanh()) + w.sum(&[0, 1, 2, 3]).broadcast_to(&[n])
    }),
    ("sums over examples", |x, v, w| {
        let h = x.convolve(v, &[SAME; 2], 1);
        let apart = h - h.mean(&[0, 1, 2]).broadcast(&h.shape(), &[3]);
        (apart * apart).mean(&[0]).convolve_alone(w)
    }),
];

trait Alone {
    fn convolve_alone(self, weights: Self) -> Self;
}

impl Alone for Var<'_> {
    /// One image without an axis of examples.
    fn convolve_alone(self, weights: Self) -> Self {
        let shape = [&[1], &self.shape()[..]].concat();
        self.reshape(&shape).convolve(weights, &[SAME; 2], 1)
    }
}

fn loss(n: usize, write: Write) -> Program {
    let builder = Builder::new();
    // An image as data sets have it: channel by channel.
    let x = builder.real(&[n, 72]);
    let (v, w) = (builder.real(&[3, 2, 3, 3]), builder.real(&[3, 3, 3, 3]));
    let y = write(x.reshape(&[n, 2, 6, 6]).permute(&[0, 2, 3, 1]), v, w);
    let axes: Vec<usize> = (0..y.shape().len()).collect();
    builder.finish(&[(y * y * y).sum(&axes)]).unwrap()
}

#[test]
fn derivatives_agree_with_naive_loops() {
    for n in [15, 16, 19, 32] {
        for (name, write) in NETWORKS {
            let loss = loss(n, write);
            let shapes: [&[usize]; 3] = [&[n, 72], &[3, 2, 3, 3], &[3, 3, 3, 3]];
            let key = Key::from_seed(n as u64).named(name);
            let normal = |(i, shape): (usize, &&[usize])| Array::normal(shape, key.fold_in(i as u64));
            let arguments: Vec<Array> = shapes.iter().chain(&shapes[1..]).enumerate().map(normal).collect();
            for (derivative, arguments) in
                [(gradient(&loss, &[0, 1, 2]), &arguments[..3]), (hvp(&loss, &[1, 2]), &arguments[..])]
            {
                let expected = interpret(&derivative, arguments);
                let far = distance(&run::<f64>(&derivative, arguments), &expected);
                assert!(far < 1e-12, "{name}, {n} examples: {far:e}");
                let far = distance(&run::<f32>(&derivative, arguments), &expected);
                assert!(far < 1e-4, "{name}, {n} examples, f32: {far:e}");
            }
        }
    }
}

/// Images that are made lie alike, and so they are never copied; the data are, once.
#[test]
fn examples_lie_inside_from_the_first_convolution_on() {
    let copies = |n| {
        let gradient = gradient(&loss(n, NETWORKS[0].1), &[1, 2]);
        let calls = compile(&gradient, &Signature::separate(&gradient)).calls;
        for call in &calls {
            if let Call::Convolve { out, .. } = call
                && out.layout.shape[0] == n
            {
                assert_eq!(out.layout.strides[0] == 1, n >= 16, "{:?}", out.layout);
            }
        }
        calls.iter().filter(|call| matches!(call, Call::Copy { .. })).count()
    };
    assert_eq!((copies(15), copies(16)), (0, 1));
}
