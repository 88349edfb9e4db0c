//! Primitives against what PyTorch computed (`tests/reference/primitives.py`): results, gradients and Hessian-vector
//! products.

use serde::Deserialize;
use thalweg_kernel::Key;
use thalweg_program::builder::{Builder, Var};
use thalweg_program::prim::Slide;
use thalweg_program::transform::{gradient, hvp};

use super::support::{Array, run};

#[derive(Deserialize)]
struct Table {
    convolutions: Vec<Convolution>,
    poolings: Vec<Pooling>,
    functions: Vec<Function>,
}

#[derive(Deserialize)]
struct Function {
    kind: String,
    shapes: Vec<Vec<usize>>,
    #[serde(flatten)]
    truth: Truth,
}

#[derive(Deserialize)]
struct Pooling {
    kind: String,
    x: Vec<usize>,
    taps: Vec<usize>,
    stride: Vec<usize>,
    padding: Vec<usize>,
    dilation: Vec<usize>,
    #[serde(flatten)]
    truth: Truth,
}

#[derive(Deserialize)]
struct Convolution {
    x: Vec<usize>,
    w: Vec<usize>,
    stride: Vec<usize>,
    padding: Vec<usize>,
    dilation: Vec<usize>,
    groups: usize,
    #[serde(flatten)]
    truth: Truth,
}

#[derive(Deserialize)]
struct Truth {
    shape: Vec<usize>,
    result: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    products: Vec<Vec<f64>>,
}

/// ((multiplier·i + offset) mod modulus)/modulus − ½ for i = 0, 1, …
fn residues(multiplier: usize, offset: usize, modulus: usize, shape: &[usize]) -> Array {
    let value = |i: usize| ((multiplier * i + offset) % modulus) as f64 / modulus as f64 - 0.5;
    Array { shape: shape.to_vec(), data: (0..shape.iter().product()).map(value).collect() }
}

fn operand(number: usize, shape: &[usize]) -> Array {
    let mut operand = residues(37, 11 + 29 * number, 97, shape);
    operand.data.iter_mut().for_each(|x| *x *= 1.5);
    operand
}

fn close(what: &str, found: &[f64], truth: &[f64]) {
    assert_eq!(found.len(), truth.len(), "{what}");
    let scale = truth.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let error = found.iter().zip(truth).fold(0.0, |most: f64, (x, y)| most.max((x - y).abs()));
    assert!(error <= 1e-12 * scale, "{what}: relative error {:e}", error / scale);
}

/// Checks a function of operands in PyTorch's order of axes.
fn check(name: &str, shapes: &[&[usize]], truth: &Truth, write: impl for<'b> Fn(&[Var<'b>]) -> Var<'b>) {
    let builder = Builder::new();
    let operands: Vec<Var<'_>> = shapes.iter().map(|shape| builder.real(shape)).collect();
    let y = write(&operands);
    assert_eq!(y.shape(), truth.shape, "{name}");
    let weights = builder.real(&truth.shape);
    let axes: Vec<usize> = (0..truth.shape.len()).collect();
    let f = (weights * y + y * y * y / 6.0).sum(&axes);
    let function = builder.finish(&[y, f]).unwrap();
    let mut scalar = function.clone();
    scalar.outputs.remove(0);
    let x: Vec<Array> = shapes.iter().enumerate().map(|(i, shape)| operand(i, shape)).collect();
    let tangents = shapes.iter().enumerate().map(|(i, shape)| residues(61, 5 + 17 * i, 83, shape));
    let tangents: Vec<Array> = tangents.collect();
    let r = residues(53, 7, 89, &truth.shape);
    let wrt: Vec<usize> = (0..shapes.len()).collect();
    let with_r = [&x[..], &[r]].concat();
    close(name, &run::<f64>(&function, &with_r)[0].data, &truth.result);
    let gradients = run::<f64>(&gradient(&scalar, &wrt), &with_r);
    let products = run::<f64>(&hvp(&scalar, &wrt), &[with_r, tangents].concat());
    for i in 0..shapes.len() {
        close(&format!("{name}: gradient {i}"), &gradients[1 + i].data, &truth.gradients[i]);
        close(&format!("{name}: product {i}"), &products[shapes.len() + i].data, &truth.products[i]);
    }
}

fn table() -> Table {
    serde_json::from_str(include_str!("../reference/primitives.json")).unwrap()
}

fn slides(stride: &[usize], padding: &[usize], dilation: &[usize]) -> Vec<Slide> {
    let slide =
        |axis: usize| Slide { stride: stride[axis], dilation: dilation[axis], padding: [padding[axis]; 2] };
    (0..stride.len()).map(slide).collect()
}

/// From PyTorch's order of axes to channels last, and back.
fn orders(axes: usize) -> [Vec<usize>; 2] {
    let last = std::iter::once(0).chain(2..2 + axes).chain([1]).collect();
    let back = [0, 1 + axes].into_iter().chain(1..1 + axes).collect();
    [last, back]
}

#[test]
fn convolutions_are_those_of_pytorch() {
    let table = table();
    assert!(table.convolutions.len() >= 10);
    for case in &table.convolutions {
        let slides = slides(&case.stride, &case.padding, &case.dilation);
        let [last, back] = orders(slides.len());
        let name = format!("{:?} with {:?} by {slides:?}, {} groups", case.x, case.w, case.groups);
        check(&name, &[&case.x, &case.w], &case.truth, |v| {
            v[0].permute(&last).convolve(v[1], &slides, case.groups).permute(&back)
        });
    }
}

#[test]
fn poolings_are_those_of_pytorch() {
    let table = table();
    assert!(table.poolings.len() >= 11);
    for case in &table.poolings {
        let slides = slides(&case.stride, &case.padding, &case.dilation);
        let [last, back] = orders(slides.len());
        let name = format!("{} of {:?} in {:?} by {slides:?}", case.kind, case.taps, case.x);
        check(&name, &[&case.x], &case.truth, |v| {
            let x = v[0].permute(&last);
            let pooled = match case.kind.as_str() {
                "max" => x.max_pool(&case.taps, &slides),
                _ => x.average_pool(&case.taps, &slides),
            };
            pooled.permute(&back)
        });
    }
}

/// The keys of seeds 0, 1, … as constants.
fn keys(builder: &Builder, count: usize) -> Var<'_> {
    let words = (0..count as u64).flat_map(|seed| Key::from_seed(seed).words());
    let words: Vec<Var<'_>> = words.map(|word| builder.constant(f64::from(word), &[1])).collect();
    builder.concatenate(0, &words).reshape(&[count, Key::WORDS])
}

/// What the script looks up.
fn index(builder: &Builder) -> Var<'_> {
    let index: Vec<Var<'_>> =
        [4, 0, 1, 1, 4, 1].iter().map(|&i| builder.constant(f64::from(i), &[1])).collect();
    builder.concatenate(0, &index).reshape(&[2, 3]).as_index()
}

/// What the script adds to variances.
const EPS: f64 = 1e-3;

/// Scaled and shifted by a number a channel, the second axis.
fn affine<'b>(x: Var<'b>, scale: Var<'b>, shift: Var<'b>) -> Var<'b> {
    let mut shape = vec![1; x.shape().len()];
    shape[1] = scale.shape()[0];
    x * scale.reshape(&shape) + shift.reshape(&shape)
}

/// The moments of each group of channels.
fn group_norm<'b>(x: Var<'b>, groups: usize) -> Var<'b> {
    let shape = x.shape();
    let (examples, channels) = (shape[0], shape[1]);
    let grouped = [&[examples, groups, channels / groups], &shape[2..]].concat();
    let axes: Vec<usize> = (2..grouped.len()).collect();
    x.reshape(&grouped).standardised(&axes, EPS).reshape(&shape)
}

/// The moments over all examples and positions, by way of [`Var::moments_of_all`] as batch norms of training take them.
fn batch_norm(x: Var<'_>) -> Var<'_> {
    let axes: Vec<usize> = (0..x.shape().len()).filter(|&axis| axis != 1).collect();
    let mut kept = vec![1; x.shape().len()];
    kept[1] = x.shape()[1];
    let moments = x.moments_of_all(&axes);
    (moments.rest + moments.offset.reshape(&kept)) / (moments.variance.reshape(&kept) + EPS).sqrt()
}

#[test]
fn functions_and_norms_are_those_of_pytorch() {
    let table = table();
    assert!(table.functions.len() >= 17);
    for case in &table.functions {
        let shapes: Vec<&[usize]> = case.shapes.iter().map(|shape| &shape[..]).collect();
        let name = format!("{} of {shapes:?}", case.kind);
        check(&name, &shapes, &case.truth, |v| {
            let builder = v[0].builder();
            let heads_last = [0, 2, 1, 3];
            match &case.kind.split(' ').collect::<Vec<_>>()[..] {
                ["softmax", axis] => v[0].softmax(axis.parse().unwrap()),
                ["log_softmax", axis] => v[0].log_softmax(axis.parse().unwrap()),
                ["embedding"] => v[0].gather(index(builder)),
                ["dropout"] => v[0].dropout(keys(builder, 3), 1, 0.4),
                ["batch_norm"] => affine(batch_norm(v[0]), v[1], v[2]),
                ["group_norm", groups] => affine(group_norm(v[0], groups.parse().unwrap()), v[1], v[2]),
                ["instance_norm"] => affine(v[0].standardised(&[2, 3], EPS), v[1], v[2]),
                ["layer_norm"] => v[0].standardised(&[v[0].shape().len() - 1], EPS) * v[1] + v[2],
                kind => {
                    let [q, k, v] = [v[0], v[1], v[2]].map(|operand| operand.permute(&heads_last));
                    q.attention(k, v, kind[0] == "causal").permute(&heads_last)
                }
            }
        });
    }
}
