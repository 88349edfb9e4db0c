//! Objectives against finite differences, materialised matrices, closed forms, single examples, and themselves on
//! other numbers of threads.

mod closed_forms;
mod cross_entropy;
mod derivatives;
mod dropout;
mod reconstruction;
mod symmetries;
mod threads;
mod values;

use std::sync::Arc;

use serde_json::json;
use thalweg_kernel::{Key, Real};

use super::{Examples, Objective};
use crate::arch::{Activation, Architecture, Mlp, ModelConfig};
use crate::loss::Loss;

const LOSSES: [Loss; 2] = [Loss::CrossEntropy, Loss::HalfMeanSquare];

fn normals<T: Real>(name: &str, count: usize) -> Vec<T> {
    let mut draws = vec![0.0; count];
    Key::from_seed(1).named(name).normals(&mut draws);
    draws.into_iter().map(T::from_f64).collect()
}

fn examples<T: Real>(count: usize, inputs: usize, classes: usize) -> Examples<T> {
    let labels = (0..count).map(|i| ((i * i + 3 * i) % classes) as i32).collect();
    Examples::new(normals("inputs", count * inputs), labels)
}

/// The layers of a list, between so many features.
fn layers(list: &[&str], inputs: usize, outputs: usize) -> Arc<dyn Architecture> {
    let model: ModelConfig = serde_json::from_value(json!({ "kind": "layers", "layers": list })).unwrap();
    model.build(inputs, outputs).unwrap()
}

/// A network of that shape, and a generic point of its parameter space.
fn network<T: Real>(
    sizes: &[usize],
    activation: Activation,
    bias: bool,
    layer_norm: bool,
) -> (Arc<dyn Architecture>, Vec<T>) {
    let [inputs, widths @ .., outputs] = sizes else { panic!("sizes of a network: {sizes:?}") };
    let mlp = Mlp::new(*inputs, widths, *outputs, activation, bias, layer_norm).unwrap();
    let theta = normals("theta", mlp.space().dimension()).into_iter().map(|x: T| x * T::from_f64(0.7));
    let theta = theta.collect();
    (Arc::new(mlp), theta)
}

/// A small problem: tanh bends everywhere, and the layer norm couples the units.
struct Problem {
    objective: Objective<f64>,
    theta: Vec<f64>,
    examples: Examples<f64>,
}

impl Problem {
    fn new(sizes: &[usize], activation: Activation, layer_norm: bool, loss: Loss, count: usize) -> Self {
        let (network, theta) = network(sizes, activation, true, layer_norm);
        let examples = examples(count, sizes[0], sizes[sizes.len() - 1]);
        Self { objective: Objective::new(network, loss, count), theta, examples }
    }

    /// With batch norms, through which the examples meet: two hidden layers of 4 units.
    fn batch_normed(loss: Loss, count: usize) -> Self {
        let list =
            ["linear 4", "batchnorm", "tanh", "linear 4 nobias", "batchnorm noaffine", "sigmoid", "linear 3"];
        Self::training(&list, loss, count)
    }

    /// In training mode: three inputs and outputs, and a key for each example.
    fn training(list: &[&str], loss: Loss, count: usize) -> Self {
        let network = layers(list, 3, 3);
        let theta = normals("theta", network.space().dimension());
        let mut examples = examples(count, 3, 3);
        examples.set_keys((0..count as u64).map(Key::from_seed));
        Self { objective: Objective::training(network, loss, count), theta, examples }
    }

    fn n(&self) -> usize {
        self.theta.len()
    }

    /// Examples times outputs.
    fn rows(&self) -> usize {
        self.objective.examples() * self.objective.architecture().outputs()
    }

    fn gradient_at(&self, theta: &[f64]) -> Vec<f64> {
        let mut gradient = vec![f64::NAN; self.n()];
        self.objective.gradient(theta, &self.examples, &mut gradient);
        gradient
    }

    fn hessian_products(&self, tangents: &[f64]) -> Vec<f64> {
        let mut products = vec![f64::NAN; tangents.len()];
        self.objective.hessian_products(&self.theta, tangents, &self.examples, &mut products);
        products
    }

    fn ggn_products(&self, tangents: &[f64]) -> Vec<f64> {
        let mut products = vec![f64::NAN; tangents.len()];
        self.objective.ggn_products(&self.theta, tangents, &self.examples, &mut products);
        products
    }

    fn outputs(&self) -> Vec<f64> {
        self.objective.outputs(&[&self.theta], &self.examples).remove(0)
    }

    /// Row-major `[n, n]`; a Hessian or Gauss–Newton matrix, being symmetric, is its own products with the unit
    /// vectors.
    fn units(&self) -> Vec<f64> {
        let n = self.n();
        (0..n * n).map(|at| if at / n == at % n { 1.0 } else { 0.0 }).collect()
    }
}

/// max |found − truth| / max |truth|.
fn relative_error(found: &[f64], truth: &[f64]) -> f64 {
    assert_eq!(found.len(), truth.len());
    assert!(found.iter().chain(truth).all(|x| x.is_finite()));
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, |most: f64, x| most.max(x.abs()));
    most(&mut found.iter().zip(truth).map(|(x, y)| x - y)) / most(&mut truth.iter().copied())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[track_caller]
fn assert_close(found: &[f64], truth: &[f64], tolerance: f64) {
    let error = relative_error(found, truth);
    assert!(error <= tolerance, "relative error {error:e}");
}
