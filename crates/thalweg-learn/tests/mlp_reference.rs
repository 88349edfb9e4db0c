//! Perceptrons with every activation, with and without biases and layer norms, under both losses, against what
//! PyTorch computed (`reference/mlp.py`).

use std::sync::Arc;

use serde::Deserialize;
use thalweg_learn::arch::{Activation, Architecture, Mlp};
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{Examples, Objective};

const SIZES: [usize; 4] = [4, 5, 4, 3];
const EXAMPLES: usize = 7;

#[derive(Deserialize)]
struct Table {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    activation: Activation,
    bias: bool,
    layer_norm: bool,
    loss: Loss,
    outputs: Vec<f64>,
    value: f64,
    leaves: Vec<Leaf>,
}

/// In the order of PyTorch, which is not ours: all linear layers, then all norms.
#[derive(Deserialize)]
struct Leaf {
    name: String,
    shape: Vec<usize>,
    gradient: Vec<f64>,
    hvp: Vec<f64>,
}

/// ((multiplier·i + offset) mod modulus)/modulus − ½ for i = 0, 1, …
fn residues(multiplier: usize, offset: usize, modulus: usize, count: usize) -> Vec<f64> {
    (0..count).map(|i| ((multiplier * i + offset) % modulus) as f64 / modulus as f64 - 0.5).collect()
}

/// Four leaves a layer: linear weight and bias, norm weight and bias.
fn number(name: &str) -> usize {
    let parts: Vec<&str> = name.split('.').collect();
    let layer: usize = parts[1].parse().unwrap();
    4 * layer + 2 * usize::from(parts[0] == "norms") + usize::from(parts[2] == "bias")
}

fn parameter(name: &str, count: usize) -> Vec<f64> {
    let offset = if name.starts_with("norms") && name.ends_with("weight") { 1.0 } else { 0.0 };
    residues(37, 11 + 29 * number(name), 97, count).into_iter().map(|x| offset + 1.5 * x).collect()
}

fn tangent(name: &str, count: usize) -> Vec<f64> {
    residues(61, 5 + 17 * number(name), 83, count)
}

/// max |found − truth| / max |truth| over the whole vector.
fn relative_error(found: &[f64], truth: &[f64]) -> f64 {
    assert_eq!(found.len(), truth.len());
    assert!(found.iter().chain(truth).all(|x| x.is_finite()));
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, |most: f64, x| most.max(x.abs()));
    most(&mut found.iter().zip(truth).map(|(x, y)| x - y)) / most(&mut truth.iter().copied())
}

fn check(case: &Case) {
    let [inputs, widths @ .., outputs] = &SIZES;
    let mlp = Mlp::new(*inputs, widths, *outputs, case.activation, case.bias, case.layer_norm).unwrap();
    let space = mlp.space().clone();
    assert_eq!(space.leaves().len(), case.leaves.len());
    // A vector of ours from PyTorch's arrays, by name.
    let ours = |array: &dyn Fn(&Leaf) -> Vec<f64>| {
        let mut all = vec![f64::NAN; space.dimension()];
        for leaf in &case.leaves {
            let own = space.leaf(&leaf.name).unwrap_or_else(|| panic!("no leaf is named {}", leaf.name));
            assert_eq!(own.shape, leaf.shape, "{}", leaf.name);
            all[own.range()].copy_from_slice(&array(leaf));
        }
        all
    };
    let size = |leaf: &Leaf| leaf.shape.iter().product();
    let theta = ours(&|leaf| parameter(&leaf.name, size(leaf)));
    let v = ours(&|leaf| tangent(&leaf.name, size(leaf)));

    let inputs: Vec<f64> = residues(53, 3, 89, EXAMPLES * SIZES[0]).into_iter().map(|x| 3.0 * x).collect();
    let labels = (0..EXAMPLES).map(|i| ((2 * i * i + i) % SIZES[3]) as i32).collect();
    let examples = Examples::new(inputs, labels);
    let objective = Objective::<f64>::new(Arc::new(mlp), case.loss, EXAMPLES);
    let (mut gradient, mut product) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
    let value = objective.gradient(&theta, &examples, &mut gradient);
    objective.hessian_products(&theta, &v, &examples, &mut product);
    let outputs = objective.outputs(&[&theta], &examples).remove(0);

    let pairs = [
        ("outputs", outputs, case.outputs.clone()),
        ("loss", vec![value.loss], vec![case.value]),
        ("gradient", gradient, ours(&|leaf| leaf.gradient.clone())),
        ("hvp", product, ours(&|leaf| leaf.hvp.clone())),
    ];
    for (what, found, truth) in &pairs {
        let error = relative_error(found, truth);
        assert!(
            error <= 1e-12,
            "{what}: relative error {error:e} ({:?}, bias {}, layer norm {}, {:?})",
            case.activation,
            case.bias,
            case.layer_norm,
            case.loss
        );
    }
}

#[test]
fn perceptrons_are_those_of_pytorch() {
    let table: Table = serde_json::from_str(include_str!("reference/mlp.json")).unwrap();
    assert_eq!(table.cases.len(), 7 * 2 * 2 * 2);
    table.cases.iter().for_each(check);
}
