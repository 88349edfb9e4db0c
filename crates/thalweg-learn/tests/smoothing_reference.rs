//! Smoothed cross-entropy against PyTorch's (`reference/label_smoothing.py`), in the outputs of one example: those of a network
//! that has nothing but biases to speak of.

use std::sync::Arc;

use serde::Deserialize;
use thalweg_kernel::Real;
use thalweg_learn::arch::{Activation, Architecture, Mlp};
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{Examples, Objective};

#[derive(Deserialize)]
struct Table {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    outputs: Vec<f64>,
    label: i32,
    smoothing: f64,
    loss: f64,
    gradient: Vec<f64>,
    hessian: Vec<Vec<f64>>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str::<Table>(include_str!("reference/label_smoothing.json")).unwrap().cases
}

/// An objective in the outputs, and the point and example where they are those of the case.
fn objective<T: Real>(case: &Case) -> (Objective<T>, Vec<T>, Examples<T>) {
    let classes = case.outputs.len();
    let mlp = Mlp::new(1, &[], classes, Activation::Linear, true, false).unwrap();
    let loss = Loss::CrossEntropy.smoothed(case.smoothing);
    let objective = Objective::<T>::new(Arc::new(mlp) as Arc<dyn Architecture>, loss, 1);
    let theta = vec![0.0; classes].iter().chain(&case.outputs).map(|&z| T::from_f64(z)).collect();
    (objective, theta, Examples::new(vec![T::ONE], vec![case.label]))
}

fn check<T: Real>(tolerance: f64) {
    for case in cases() {
        let classes = case.outputs.len();
        let (objective, theta, examples) = objective::<T>(&case);
        let close = |what: &str, found: T, truth: f64, scale: f64| {
            let error = (found.to_f64() - truth).abs();
            assert!(
                error <= tolerance * scale,
                "{what} of {:?}, {}: {found} instead of {truth}",
                case.outputs,
                case.smoothing
            );
        };
        let mut gradient = vec![T::ZERO; 2 * classes];
        let value = objective.gradient(&theta, &examples, &mut gradient);
        close("loss", T::from_f64(value.loss), case.loss, case.loss);
        let alone = objective.values(&[&theta], &examples)[0].loss;
        assert!((alone - value.loss).abs() <= tolerance * case.loss);
        for (&found, &truth) in gradient[classes..].iter().zip(&case.gradient) {
            // Probabilities less targets: both are at most 1.
            close("gradient", found, truth, 1.0);
        }
        for (of, truth) in case.hessian.iter().enumerate() {
            let (mut v, mut products) = (vec![T::ZERO; 2 * classes], vec![T::ZERO; 2 * classes]);
            v[classes + of] = T::ONE;
            objective.hessian_products(&theta, &v, &examples, &mut products);
            products[classes..].iter().zip(truth).for_each(|(&x, &y)| close("Hessian", x, y, 1.0));
            objective.ggn_products(&theta, &v, &examples, &mut products);
            products[classes..].iter().zip(truth).for_each(|(&x, &y)| close("GGN", x, y, 1.0));
        }
    }
}

#[test]
fn losses_and_derivatives_are_those_of_pytorch() {
    assert_eq!(cases().len(), 8);
    check::<f64>(1e-14);
    check::<f32>(1e-6);
}

#[test]
fn products_are_differences_of_gradients() {
    for case in cases() {
        let classes = case.outputs.len();
        let (objective, theta, examples) = objective::<f64>(&case);
        let v: Vec<f64> =
            (0..2 * classes).map(|i| if i < classes { 0.0 } else { 1.0 - 0.4 * i as f64 }).collect();
        let gradient_at = |h: f64| {
            let point: Vec<f64> = theta.iter().zip(&v).map(|(x, v)| x + h * v).collect();
            let mut gradient = vec![0.0; 2 * classes];
            objective.gradient(&point, &examples, &mut gradient);
            gradient
        };
        let mut product = vec![0.0; 2 * classes];
        objective.hessian_products(&theta, &v, &examples, &mut product);
        let [after, before] = [gradient_at(1e-5), gradient_at(-1e-5)];
        for ((x, a), b) in product.iter().zip(after).zip(before) {
            assert!((x - (a - b) / 2e-5).abs() < 1e-9, "{:?}: {x}", case.outputs);
        }
    }
}

#[test]
fn the_least_loss_is_the_entropy_of_the_target() {
    // Where outputs are the logarithms of the target, nothing is left to gain.
    let (smoothing, classes) = (0.1, 4);
    let target = |c: usize| if c == 1 { 1.0 - smoothing } else { 0.0 } + smoothing / classes as f64;
    let entropy: f64 = (0..classes).map(|c| -target(c) * target(c).ln()).sum();
    let outputs = (0..classes).map(|c| target(c).ln()).collect();
    let case = Case { outputs, label: 1, smoothing, loss: entropy, gradient: vec![], hessian: vec![] };
    let (objective, theta, examples) = objective::<f64>(&case);
    let mut gradient = vec![0.0; 2 * classes];
    let value = objective.gradient(&theta, &examples, &mut gradient);
    assert!((value.loss - entropy).abs() < 1e-15 && gradient.iter().all(|g| g.abs() < 1e-15), "{value:?}");
}
