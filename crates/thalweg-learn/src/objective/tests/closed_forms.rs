//! Regressions whose Hessians are known.

use super::{Problem, assert_close};
use crate::arch::Activation;
use crate::loss::Loss;

const INPUTS: usize = 4;
const CLASSES: usize = 3;

/// x ↦ W x + b on 70 examples; θ is W row by row, then b.
fn regression(loss: Loss) -> Problem {
    Problem::new(&[INPUTS, CLASSES], Activation::Linear, false, loss, 70)
}

/// For each example the input with a 1 at its end, which b belongs to, and the outputs.
fn rows(problem: &Problem) -> Vec<(Vec<f64>, Vec<f64>)> {
    let (w, b) = problem.theta.split_at(INPUTS * CLASSES);
    let outputs =
        |x: &[f64]| (0..CLASSES).map(|c| b[c] + super::dot(&w[c * INPUTS..(c + 1) * INPUTS], x)).collect();
    problem.examples.inputs.chunks(INPUTS).map(|x| ([x, &[1.0]].concat(), outputs(x))).collect()
}

/// The place in θ of what class `c` multiplies feature `j` by; feature `INPUTS` is the constant.
fn place(c: usize, j: usize) -> usize {
    if j < INPUTS { c * INPUTS + j } else { CLASSES * INPUTS + c }
}

/// (1/N) Σ C(z) ⊗ x xᵀ, with the curvature C of the loss in the outputs.
fn hessian(problem: &Problem, curvature: impl Fn(&[f64], usize, usize) -> f64) -> Vec<f64> {
    let (n, rows) = (problem.n(), rows(problem));
    let mut hessian = vec![0.0; n * n];
    for (x, z) in &rows {
        for (c, d) in (0..CLASSES * CLASSES).map(|cd| (cd / CLASSES, cd % CLASSES)) {
            let factor = curvature(z, c, d) / rows.len() as f64;
            for (j, k) in (0..x.len() * x.len()).map(|jk| (jk / x.len(), jk % x.len())) {
                hessian[place(c, j) * n + place(d, k)] += factor * x[j] * x[k];
            }
        }
    }
    hessian
}

fn softmax(z: &[f64]) -> Vec<f64> {
    let total: f64 = z.iter().map(|z| z.exp()).sum();
    z.iter().map(|z| z.exp() / total).collect()
}

fn kronecker(c: usize, d: usize) -> f64 {
    if c == d { 1.0 } else { 0.0 }
}

#[test]
fn linear_regression() {
    let problem = regression(Loss::HalfMeanSquare);
    let truth = hessian(&problem, |_, c, d| kronecker(c, d));
    assert_close(&problem.hessian_products(&problem.units()), &truth, 1e-13);
    assert_close(&problem.ggn_products(&problem.units()), &truth, 1e-13);
    check_loss_and_gradient(&problem, |z, label| {
        (0..CLASSES).map(|c| 0.5 * (z[c] - kronecker(c, label)).powi(2)).sum()
    });
}

#[test]
fn softmax_regression() {
    let problem = regression(Loss::CrossEntropy);
    let truth = hessian(&problem, |z, c, d| {
        let p = softmax(z);
        kronecker(c, d) * p[c] - p[c] * p[d]
    });
    assert_close(&problem.hessian_products(&problem.units()), &truth, 1e-13);
    assert_close(&problem.ggn_products(&problem.units()), &truth, 1e-13);
    check_loss_and_gradient(&problem, |z, label| -softmax(z)[label].ln());
    // Labels move what is linear in the outputs: the curvature is the same.
    let smoothed = regression(Loss::CrossEntropy.smoothed(0.2));
    assert_close(&smoothed.hessian_products(&smoothed.units()), &truth, 1e-13);
    assert_close(&smoothed.ggn_products(&smoothed.units()), &truth, 1e-13);
    check_loss_and_gradient(&smoothed, |z, label| {
        let p = softmax(z);
        (0..CLASSES).map(|c| -target(smoothed.objective.loss(), c, label) * p[c].ln()).sum()
    });
}

/// What the label says of class `c`.
fn target(loss: Loss, c: usize, label: usize) -> f64 {
    match loss {
        Loss::SmoothedCrossEntropy { smoothing } => {
            (1.0 - smoothing) * kronecker(c, label) + smoothing / CLASSES as f64
        }
        _ => kronecker(c, label),
    }
}

/// The mean of that loss, and the gradient (1/N) Σ (f(z) − q) ⊗ x, where f is the identity or softmax and q the target.
fn check_loss_and_gradient(problem: &Problem, loss: impl Fn(&[f64], usize) -> f64) {
    let rows = rows(problem);
    let (mut mean, mut gradient) = (0.0, vec![0.0; problem.n()]);
    for ((x, z), &label) in rows.iter().zip(&problem.examples.labels) {
        mean += loss(z, label as usize) / rows.len() as f64;
        let f = match problem.objective.loss() {
            Loss::CrossEntropy | Loss::SmoothedCrossEntropy { .. } => softmax(z),
            Loss::HalfMeanSquare | Loss::Reconstruction => z.clone(),
        };
        for (c, j) in (0..CLASSES * x.len()).map(|cj| (cj / x.len(), cj % x.len())) {
            gradient[place(c, j)] +=
                (f[c] - target(problem.objective.loss(), c, label as usize)) * x[j] / rows.len() as f64;
        }
    }
    let value = problem.objective.values(&[&problem.theta], &problem.examples)[0];
    assert!((value.loss - mean).abs() <= 1e-13 * mean, "{} instead of {mean}", value.loss);
    assert_close(&problem.gradient_at(&problem.theta), &gradient, 1e-13);
}
