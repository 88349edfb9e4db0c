//! Derivatives against finite differences, and operators against matrices put together from their parts.

use super::dropout::{DROPPING, DROPPING_AND_NORMED};
use super::{LOSSES, Problem, assert_close, dot, normals};
use crate::arch::Activation;
use crate::loss::Loss;

/// Shards of 64 and 6 (of 8 and 6 where examples meet), so that every result is a sum over two programs.
fn problems() -> impl Iterator<Item = Problem> {
    let batch_normed = LOSSES.map(|loss| Problem::batch_normed(loss, 70));
    let alone = [(Activation::Tanh, true), (Activation::Gelu, false), (Activation::Sigmoid, true)];
    let alone = alone.into_iter().flat_map(|(activation, norm)| {
        LOSSES.map(|loss| Problem::new(&[3, 5, 4, 3], activation, norm, loss, 70))
    });
    let dropping = [
        Problem::training(&DROPPING, Loss::CrossEntropy, 70),
        Problem::training(&DROPPING_AND_NORMED, Loss::HalfMeanSquare, 70),
    ];
    let again = Problem::new(&[3, 5, 4, 3], Activation::Tanh, false, Loss::Reconstruction, 70);
    let smoothed = Problem::new(&[3, 5, 4, 3], Activation::Gelu, true, Loss::CrossEntropy.smoothed(0.15), 70);
    alone.chain(batch_normed).chain(dropping).chain([again, smoothed])
}

/// Central differences of fourth order: (8(f₁ − f₋₁) − (f₂ − f₋₂))/12h for f at ±h and ±2h along each coordinate.
fn differences(theta: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let h = 1e-3;
    let along = |i: usize| {
        let at = |shift: f64| {
            let mut moved = theta.to_vec();
            moved[i] += shift * h;
            f(&moved)
        };
        let (inner, outer) = ([at(1.0), at(-1.0)], [at(2.0), at(-2.0)]);
        (0..inner[0].len())
            .map(|j| (8.0 * (inner[0][j] - inner[1][j]) - (outer[0][j] - outer[1][j])) / (12.0 * h))
            .collect::<Vec<_>>()
    };
    (0..theta.len()).flat_map(along).collect()
}

#[test]
fn gradients_are_differences_of_values() {
    for problem in problems() {
        let value = |theta: &[f64]| vec![problem.objective.values(&[theta], &problem.examples)[0].loss];
        assert_close(&problem.gradient_at(&problem.theta), &differences(&problem.theta, value), 1e-8);
    }
}

#[test]
fn hessians_are_differences_of_gradients_and_symmetric() {
    for problem in problems() {
        let n = problem.n();
        let hessian = problem.hessian_products(&problem.units());
        let truth = differences(&problem.theta, |theta| problem.gradient_at(theta));
        assert_close(&hessian, &truth, 1e-8);
        let transposed: Vec<f64> = (0..n * n).map(|at| hessian[at % n * n + at / n]).collect();
        assert_close(&hessian, &transposed, 1e-13);
    }
}

#[test]
fn the_matrix_of_unit_vectors_gives_every_product() {
    // 19 tangents: two runs of 8 through one program and one of 3 through another.
    for problem in problems() {
        let (n, tangents) = (problem.n(), normals("tangents", 19 * problem.n()));
        let products = [problem.hessian_products(&tangents), problem.ggn_products(&tangents)];
        let matrices = [problem.hessian_products(&problem.units()), problem.ggn_products(&problem.units())];
        for (products, matrix) in products.iter().zip(&matrices) {
            let truth: Vec<f64> = tangents
                .chunks(n)
                .flat_map(|v| matrix.chunks(n).map(|row| dot(row, v)).collect::<Vec<_>>())
                .collect();
            assert_close(products, &truth, 1e-12);
        }
        for (k, v) in tangents.chunks(n).enumerate() {
            assert_close(&products[0][k * n..(k + 1) * n], &problem.hessian_products(v), 1e-13);
            assert_close(&products[1][k * n..(k + 1) * n], &problem.ggn_products(v), 1e-13);
        }
        assert!(problem.hessian_products(&[]).is_empty());
    }
}

/// J, a row for each output of each example, put together from products with the unit vectors.
fn jacobian(problem: &Problem) -> Vec<Vec<f64>> {
    let product = |unit: &[f64]| problem.objective.jacobian_product(&problem.theta, unit, &problem.examples);
    let columns: Vec<Vec<f64>> = problem.units().chunks(problem.n()).map(product).collect();
    (0..problem.rows()).map(|row| columns.iter().map(|column| column[row]).collect()).collect()
}

/// The loss's Hessian in the outputs of one example, over the number of examples: diag p − p pᵀ or the identity.
fn curvature(loss: Loss, outputs: &[f64], examples: usize) -> Vec<Vec<f64>> {
    let total: f64 = outputs.iter().map(|z| z.exp()).sum();
    let p: Vec<f64> = outputs.iter().map(|z| z.exp() / total).collect();
    let entry = |a: usize, b: usize| {
        let same = if a == b { 1.0 } else { 0.0 };
        match loss {
            Loss::CrossEntropy | Loss::SmoothedCrossEntropy { .. } => same * p[a] - p[a] * p[b],
            Loss::HalfMeanSquare | Loss::Reconstruction => same,
        }
    };
    let row = |a| (0..outputs.len()).map(|b| entry(a, b) / examples as f64).collect();
    (0..outputs.len()).map(row).collect()
}

#[test]
fn gauss_newton_is_made_of_jacobian_and_curvature() {
    for problem in problems() {
        let (n, classes) = (problem.n(), problem.objective.architecture().outputs());
        let (jacobian, outputs) = (jacobian(&problem), problem.outputs());
        let mut truth = vec![0.0; n * n];
        for (rows, z) in jacobian.chunks(classes).zip(outputs.chunks(classes)) {
            let curvature = curvature(problem.objective.loss(), z, problem.objective.examples());
            for (a, row) in curvature.iter().enumerate() {
                for (b, c) in row.iter().enumerate() {
                    for at in 0..n * n {
                        truth[at] += rows[a][at / n] * c * rows[b][at % n];
                    }
                }
            }
        }
        assert_close(&problem.ggn_products(&problem.units()), &truth, 1e-12);
    }
}

#[test]
fn jacobians_are_differences_of_outputs() {
    for problem in problems() {
        let outputs = |theta: &[f64]| problem.objective.outputs(&[theta], &problem.examples).remove(0);
        let truth = differences(&problem.theta, outputs);
        let (n, jacobian) = (problem.n(), jacobian(&problem));
        let columns: Vec<f64> = (0..n).flat_map(|i| jacobian.iter().map(move |row| row[i])).collect();
        assert_close(&columns, &truth, 1e-8);
    }
}

#[test]
fn jacobian_products_are_adjoint() {
    for problem in problems() {
        let (v, u) = (normals("v", problem.n()), normals("u", problem.rows()));
        let jv = problem.objective.jacobian_product(&problem.theta, &v, &problem.examples);
        let mut jtu = vec![f64::NAN; problem.n()];
        problem.objective.jacobian_transpose_product(&problem.theta, &u, &problem.examples, &mut jtu);
        let (a, b) = (dot(&jv, &u), dot(&v, &jtu));
        assert!((a - b).abs() <= 1e-12 * a.abs().max(1.0), "{a} and {b}");
    }
}

#[test]
fn a_linear_network_of_one_layer_has_no_curvature_but_the_losses() {
    for loss in LOSSES {
        let problem = Problem::new(&[5, 4], Activation::Relu, false, loss, 70);
        let v = normals("v", 3 * problem.n());
        assert_close(&problem.ggn_products(&v), &problem.hessian_products(&v), 1e-13);
    }
    // Two layers are linear in the input, not in θ: the two matrices differ.
    let deep = Problem::new(&[5, 3, 4], Activation::Linear, false, Loss::HalfMeanSquare, 70);
    let v = normals("v", deep.n());
    assert!(super::relative_error(&deep.ggn_products(&v), &deep.hessian_products(&v)) > 1e-2);
}
