//! Networks against what PyTorch computed (`reference/layers.py`, `resnets.py`, `dropout.py`).

use serde::Deserialize;
use thalweg_kernel::Key;
use thalweg_learn::arch::{Architecture, BatchNorm, ModelConfig};
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{Examples, Objective};

const EXAMPLES: usize = 3;

#[derive(Deserialize)]
struct Table {
    /// About how many elements of a leaf are stored.
    samples: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    model: ModelConfig,
    input: Vec<usize>,
    leaves: Vec<Leaf>,
    training: Derivatives,
    /// Running statistics after one pass.
    #[serde(default)]
    running: Vec<Running>,
    /// With those statistics.
    evaluation: Option<Derivatives>,
}

#[derive(Deserialize)]
struct Leaf {
    name: String,
    shape: Vec<usize>,
    is_norm: bool,
    /// Fan-in and fan-out, of weights.
    fans: Option<[usize; 2]>,
}

#[derive(Deserialize)]
struct Running {
    name: String,
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct Derivatives {
    outputs: Vec<f64>,
    loss: f64,
    /// Of each leaf.
    gradient: Vec<Part>,
    hvp: Vec<Part>,
}

/// The norm of an array, and some of its elements.
#[derive(Deserialize)]
struct Part {
    norm: f64,
    some: Vec<f64>,
}

impl Part {
    fn of(array: &[f64], samples: usize) -> Self {
        let norm = array.iter().map(|x| x * x).sum::<f64>().sqrt();
        Self { norm, some: array.iter().copied().step_by((array.len() / samples).max(1)).collect() }
    }
}

/// ((multiplier·i + offset) mod modulus)/modulus − ½ for i = 0, 1, …
fn residues(multiplier: usize, offset: usize, modulus: usize, count: usize) -> Vec<f64> {
    (0..count).map(|i| ((multiplier * i + offset) % modulus) as f64 / modulus as f64 - 0.5).collect()
}

fn parameter(number: usize, leaf: &Leaf) -> Vec<f64> {
    let count = leaf.shape.iter().product();
    let x = residues(389, 11 + 29 * number, 1009, count).into_iter();
    if leaf.is_norm && leaf.name.ends_with("weight") {
        x.map(|x| 1.0 + 0.5 * x).collect()
    } else if leaf.shape.len() == 1 || leaf.is_norm {
        x.map(|x| 0.5 * x).collect()
    } else {
        let fan_in: usize = leaf.shape[1..].iter().product();
        x.map(|x| (24.0 / fan_in as f64).sqrt() * x).collect()
    }
}

/// max |found − truth| / scale.
fn error(found: &[f64], truth: &[f64], scale: f64) -> f64 {
    assert_eq!(found.len(), truth.len());
    assert!(found.iter().chain(truth).all(|x| x.is_finite()));
    found.iter().zip(truth).fold(0.0, |most: f64, (x, y)| most.max((x - y).abs())) / scale
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most: f64, x| most.max(x.abs()))
}

/// Compares the names, shapes and roles of the leaves. Returns the number that PyTorch gives to each of ours: it has the
/// parameters that are a module's own before those of its parts.
fn check_leaves(case: &Case, network: &dyn Architecture) -> Vec<usize> {
    let about = network.describe();
    let leaves = network.space().leaves();
    let number = |name: &str| case.leaves.iter().position(|leaf| leaf.name == name);
    let numbers: Vec<usize> = leaves
        .iter()
        .map(|leaf| {
            number(&leaf.name).unwrap_or_else(|| panic!("{about}: {} is none of PyTorch's", leaf.name))
        })
        .collect();
    assert_eq!(leaves.len(), case.leaves.len(), "{about}");
    for (leaf, &number) in leaves.iter().zip(&numbers) {
        let theirs = &case.leaves[number];
        assert_eq!(leaf.shape, theirs.shape, "{about}: {}", leaf.name);
        assert_eq!(leaf.prunable, theirs.fans.is_some(), "{about}: {}", leaf.name);
        assert_eq!(leaf.filter_axis, theirs.fans.map(|_| 0), "{about}: {}", leaf.name);
        if let Some(fans) = theirs.fans {
            assert_eq!([leaf.fan_in, leaf.fan_out], fans, "{about}: {}", leaf.name);
        }
    }
    numbers
}

/// The outputs, loss, gradient and product along `v` at a point.
fn check_derivatives(
    objective: &Objective<f64>,
    point: &[f64],
    v: &[f64],
    examples: &Examples<f64>,
    (truth, numbers, samples): (&Derivatives, &[usize], usize),
) {
    let network = objective.architecture();
    let about = format!("{} in {:?}", network.describe(), objective.mode());
    let (mut gradient, mut product) = (vec![0.0; v.len()], vec![0.0; v.len()]);
    let value = objective.gradient(point, examples, &mut gradient);
    objective.hessian_products(point, v, examples, &mut product);
    let found = objective.outputs(&[point], examples).remove(0);
    let outputs_error = error(&found, &truth.outputs, largest(&truth.outputs));
    assert!(outputs_error <= 1e-10, "{about}: outputs, relative error {outputs_error:e}");
    let loss_error = error(&[value.loss], &[truth.loss], truth.loss.abs());
    assert!(loss_error <= 1e-10, "{about}: loss, relative error {loss_error:e}");
    for (what, found, truth) in [("gradient", &gradient, &truth.gradient), ("hvp", &product, &truth.hvp)] {
        let scale = largest(found);
        assert!(scale > 1e-3, "{about}: {what} is too small to tell: {scale:e}");
        for (leaf, &number) in network.space().leaves().iter().zip(numbers) {
            let truth = &truth[number];
            let found = Part::of(&found[leaf.range()], samples);
            let some = error(&found.some, &truth.some, scale);
            let norm = error(&[found.norm], &[truth.norm], truth.norm.max(scale));
            assert!(some.max(norm) <= 1e-10, "{about}: {what} of {}, errors {some:e}, {norm:e}", leaf.name);
        }
    }
}

fn check(case: &Case, samples: usize) {
    let is_sequence = case.model.takes_tokens();
    let positions = if is_sequence { case.input[0] } else { 1 };
    let outputs = case.training.outputs.len() / (EXAMPLES * positions);
    let network = case.model.build(&case.input[..], outputs).unwrap();
    let numbers = check_leaves(case, &*network);
    let numbered = || numbers.iter().map(|&number| (number, &case.leaves[number]));
    let theta: Vec<f64> = numbered().flat_map(|(number, leaf)| parameter(number, leaf)).collect();
    let size = |leaf: &Leaf| leaf.shape.iter().product();
    let v: Vec<f64> =
        numbered().flat_map(|(number, leaf)| residues(211, 5 + 17 * number, 503, size(leaf))).collect();
    let count = EXAMPLES * network.inputs();
    let inputs = match is_sequence {
        true => (0..count).map(|i| ((353 * i + 3) % 1013 % outputs) as f64).collect(),
        false => residues(353, 3, 1013, count).into_iter().map(|x| 3.0 * x).collect(),
    };
    let labels = (0..EXAMPLES * positions).map(|i| ((2 * i * i + i) % outputs) as i32).collect();
    let mut examples = Examples::new(inputs, labels);
    examples.set_keys((0..EXAMPLES as u64).map(Key::from_seed));
    let training = Objective::<f64>::training(network.clone(), Loss::CrossEntropy, EXAMPLES);
    check_derivatives(&training, &theta, &v, &examples, (&case.training, &numbers, samples));

    let names: Vec<String> = network.norms().iter().flat_map(BatchNorm::arrays).collect();
    assert_eq!(names, case.running.iter().map(|array| &array.name[..]).collect::<Vec<_>>());
    let mut rest = training.statistics(&[&theta], &examples).remove(0).into_iter();
    for (norm, arrays) in network.norms().iter().zip(case.running.chunks(2)) {
        let count = (EXAMPLES * norm.positions) as f64;
        for (array, start, factor) in [(&arrays[0], 0.0, 1.0), (&arrays[1], 1.0, count / (count - 1.0))] {
            let running: Vec<f64> =
                rest.by_ref().take(norm.channels).map(|s| 0.9 * start + 0.1 * factor * s).collect();
            let error = error(&running, &array.values, largest(&array.values));
            assert!(error <= 1e-12, "{}: relative error {error:e}", array.name);
        }
    }
    if let Some(truth) = &case.evaluation {
        let given = case.running.iter().flat_map(|array| array.values.iter().copied());
        let point: Vec<f64> = theta.iter().copied().chain(given).collect();
        let evaluation = Objective::<f64>::evaluation(network, Loss::CrossEntropy, EXAMPLES);
        check_derivatives(&evaluation, &point, &v, &examples, (truth, &numbers, samples));
    }
}

#[test]
fn residual_networks_are_those_of_pytorch() {
    let table: Table = serde_json::from_str(include_str!("reference/resnets.json")).unwrap();
    assert_eq!(table.cases.len(), 10);
    table.cases.iter().for_each(|case| check(case, table.samples));
}

#[test]
fn networks_with_dropout_are_those_of_pytorch() {
    let table: Table = serde_json::from_str(include_str!("reference/dropout.json")).unwrap();
    assert_eq!(table.cases.len(), 8);
    for case in &table.cases {
        // Something is dropped, or the two modes would be one.
        let evaluation = &case.evaluation.as_ref().unwrap().outputs;
        assert!(error(evaluation, &case.training.outputs, largest(evaluation)) > 1e-2);
        check(case, table.samples);
    }
}

#[test]
fn networks_are_those_of_pytorch() {
    let table: Table = serde_json::from_str(include_str!("reference/layers.json")).unwrap();
    assert_eq!(table.cases.len(), 20);
    table.cases.iter().for_each(|case| check(case, table.samples));
}
