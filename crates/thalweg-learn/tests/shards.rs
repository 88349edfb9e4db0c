//! Of every architecture that is no list of layers, in training mode: how examples are cut, what is kept of them and what a section shares
//! changes nothing but rounding, and threads not even that.

use serde_json::{Value, json};
use std::sync::Arc;
use thalweg_kernel::{Key, Real};
use thalweg_learn::arch::{Architecture, ModelConfig, initial_parameters};
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{Examples, Matrix, Objective};

/// A shard and a rest.
const COUNT: usize = 70;

fn networks() -> Vec<Value> {
    vec![
        json!({"kind": "vit", "width": 8, "depth": 2, "heads": 2, "mlp_width": 12}),
        json!({"kind": "gpt", "width": 6, "depth": 2, "heads": 2, "mlp_width": 9}),
        json!({"kind": "rnn", "units": 6, "depth": 2}),
        json!({"kind": "lstm", "units": 5}),
        json!({"kind": "vit", "width": 8, "depth": 1, "heads": 2, "mlp_width": 5, "dropout": 0.2, "attention_dropout": 0.3}),
        json!({"kind": "gpt", "width": 4, "depth": 1, "heads": 2, "mlp_width": 5, "embedding_dropout": 0.1,
            "attention_dropout": 0.3, "residual_dropout": 0.2}),
        json!({"kind": "lstm", "units": 4, "depth": 2, "dropout": 0.4}),
        json!({"kind": "lstm", "units": 4, "depth": 2, "embedding": 3}),
    ]
}

struct Problem<T> {
    network: Arc<dyn Architecture>,
    examples: Examples<T>,
    theta: Vec<T>,
    v: Vec<T>,
}

impl<T: Real> Problem<T> {
    fn new(config: Value) -> Self {
        let model: ModelConfig = serde_json::from_value(config).unwrap();
        let is_sequence = model.takes_tokens();
        let network = model.build(if is_sequence { &[7][..] } else { &[1, 6, 4] }, 3).unwrap();
        let theta = initial_parameters(network.space(), model.init(), Key::from_seed(1));
        let draw = |count: usize, seed| {
            let mut draws = vec![0.0; count];
            Key::from_seed(seed).normals(&mut draws);
            draws.into_iter().map(T::from_f64).collect::<Vec<T>>()
        };
        let inputs: Vec<T> = match is_sequence {
            true => (0..COUNT * network.inputs()).map(|i| T::from_f64((i * i * 5 / 7 % 3) as f64)).collect(),
            false => draw(COUNT * network.inputs(), 2),
        };
        let labels = (0..COUNT * network.positions()).map(|i| (i * i % 3) as i32).collect();
        let v = draw(theta.len(), 3);
        let mut examples = Examples::new(inputs, labels);
        examples.set_keys((0..COUNT as u64).map(Key::from_seed));
        Self { network, examples, theta, v }
    }

    fn objective(&self, examples: usize) -> Objective<T> {
        Objective::training(Arc::clone(&self.network), Loss::CrossEntropy, examples)
    }

    fn part(&self, from: usize, to: usize) -> Examples<T> {
        let width = self.network.inputs();
        let inputs = self.examples.inputs[from * width..to * width].to_vec();
        let positions = self.network.positions();
        let labels = self.examples.labels[from * positions..to * positions].to_vec();
        let mut part = Examples::new(inputs, labels);
        part.set_keys((from as u64..to as u64).map(Key::from_seed));
        part
    }
}

fn close(what: &str, found: &[f64], truth: &[f64]) {
    assert_eq!(found.len(), truth.len(), "{what}");
    let scale = truth.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let error = found.iter().zip(truth).fold(0.0, |most: f64, (x, y)| most.max((x - y).abs()));
    assert!(scale > 0.0 && error <= 1e-12 * scale, "{what}: {error:e} of {scale:e}");
}

#[test]
fn examples_are_taken_by_themselves() {
    for config in networks() {
        let problem = Problem::<f64>::new(config);
        let (about, theta) = (problem.network.describe(), &problem.theta[..]);
        let of = |from, to| {
            let (objective, part) = (problem.objective(to - from), problem.part(from, to));
            let (mut gradient, mut product) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
            objective.gradient(theta, &part, &mut gradient);
            objective.hessian_products(theta, &problem.v, &part, &mut product);
            (objective.outputs(&[theta], &part).remove(0), gradient, product)
        };
        let (outputs, gradient, product) = of(0, COUNT);
        let parts = [(0, 1), (1, 30), (30, COUNT)].map(|(from, to)| (of(from, to), (to - from) as f64));
        let (mut mean, mut products) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
        for ((_, part, product), count) in &parts {
            let share = count / COUNT as f64;
            mean.iter_mut().zip(part).for_each(|(sum, x)| *sum += share * x);
            products.iter_mut().zip(product).for_each(|(sum, x)| *sum += share * x);
        }
        close(&format!("{about}: outputs"), &parts.map(|((outputs, ..), _)| outputs).concat(), &outputs);
        close(&format!("{about}: gradient"), &mean, &gradient);
        close(&format!("{about}: products"), &products, &product);
    }
}

#[test]
fn what_is_kept_changes_nothing() {
    for config in networks() {
        let problem = Problem::<f64>::new(config);
        let (about, theta, v) = (problem.network.describe(), &problem.theta[..], &problem.v[..]);
        let objective = problem.objective(COUNT);
        for matrix in [Matrix::Hessian, Matrix::Ggn] {
            let mut alone = vec![0.0; v.len()];
            match matrix {
                Matrix::Hessian => objective.hessian_products(theta, v, &problem.examples, &mut alone),
                Matrix::Ggn => objective.ggn_products(theta, v, &problem.examples, &mut alone),
            }
            for together in [2, 8] {
                let mut products = vec![0.0; together * v.len()];
                let curvature = objective.curvature(matrix, theta, &problem.examples, together);
                curvature.products(&v.repeat(together), &mut products);
                close(&format!("{about}: {matrix:?}, {together}"), &products, &alone.repeat(together));
            }
        }
        let along: Vec<[f64; 2]> = vec![[1.0, 0.0], [0.7, 0.4], [-0.5, 1.0]];
        let at = |c: &[f64; 2]| theta.iter().zip(v).map(|(x, y)| c[0] * x + c[1] * y).collect::<Vec<f64>>();
        let points: Vec<Vec<f64>> = along.iter().map(at).collect();
        let points: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
        let truth = objective.values(&points, &problem.examples);
        let coefficients: Vec<&[f64]> = along.iter().map(|c| &c[..]).collect();
        let found = objective.section(&[theta, v], &problem.examples).values(&coefficients);
        let losses =
            |values: &[thalweg_learn::objective::Value]| values.iter().map(|v| v.loss).collect::<Vec<_>>();
        close(&format!("{about}: section"), &losses(&found), &losses(&truth));
    }
}

#[test]
fn threads_change_no_bit() {
    for config in networks() {
        let problem = Problem::<f32>::new(config);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let objective = problem.objective(COUNT);
                let (theta, mut gradient) = (&problem.theta[..], vec![0.0; problem.theta.len()]);
                let mut product = gradient.clone();
                let value = objective.gradient(theta, &problem.examples, &mut gradient);
                objective.hessian_products(theta, &gradient, &problem.examples, &mut product);
                assert!(value.loss.is_finite() && product.iter().any(|&x| x != 0.0));
                let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
                (value.loss.to_bits(), bits(&gradient), bits(&product))
            })
        };
        let alone = on(1);
        assert!([2, 3, 8].into_iter().all(|threads| on(threads) == alone));
    }
}
