//! Cross-entropy where textbook formulas lose their digits: at confident, tied and endless outputs.

use std::sync::Arc;

use thalweg_kernel::Real;

use crate::arch::{Activation, Architecture, Mlp};
use crate::loss::Loss;
use crate::objective::{Examples, Objective};

/// Loss, gradient and Hessian in the outputs: those in the biases of a network that has nothing else to speak of.
struct AtOutputs {
    loss: f64,
    gradient: Vec<f64>,
    hessian: Vec<Vec<f64>>,
    ggn: Vec<Vec<f64>>,
}

fn at_outputs<T: Real>(outputs: &[f64], label: i32) -> AtOutputs {
    let classes = outputs.len();
    let mlp = Mlp::new(1, &[], classes, Activation::Linear, true, false).unwrap();
    let objective = Objective::<T>::new(Arc::new(mlp) as Arc<dyn Architecture>, Loss::CrossEntropy, 1);
    let theta: Vec<T> = vec![0.0; classes].iter().chain(outputs).map(|&z| T::from_f64(z)).collect();
    let examples = Examples::new(vec![T::ONE], vec![label]);
    let mut gradient = vec![T::ZERO; 2 * classes];
    let loss = objective.gradient(&theta, &examples, &mut gradient).loss;
    let wide = |x: &[T]| x[classes..].iter().map(|x| x.to_f64()).collect::<Vec<_>>();
    let column = |of: usize, ggn: bool| {
        let (mut v, mut product) = (vec![T::ZERO; 2 * classes], vec![T::ZERO; 2 * classes]);
        v[classes + of] = T::ONE;
        match ggn {
            true => objective.ggn_products(&theta, &v, &examples, &mut product),
            false => objective.hessian_products(&theta, &v, &examples, &mut product),
        }
        wide(&product)
    };
    let matrix = |ggn| (0..classes).map(|of| column(of, ggn)).collect();
    AtOutputs { loss, gradient: wide(&gradient), hessian: matrix(false), ggn: matrix(true) }
}

/// The same in closed form, with 1 − p as the sum of the other probabilities.
fn truth(outputs: &[f64], label: usize) -> AtOutputs {
    let others = |of: usize| {
        let except = outputs.iter().enumerate().filter(move |&(j, _)| j != of);
        except.map(move |(_, z)| libm::exp(z - outputs[of])).sum::<f64>()
    };
    let p: Vec<f64> = (0..outputs.len()).map(|j| 1.0 / (1.0 + others(j))).collect();
    let missing: Vec<f64> = (0..outputs.len()).map(|j| others(j) / (1.0 + others(j))).collect();
    let gradient = (0..p.len()).map(|j| if j == label { -missing[j] } else { p[j] }).collect();
    let entry = |i: usize, j: usize| if i == j { p[i] * missing[i] } else { -p[i] * p[j] };
    let hessian: Vec<Vec<f64>> = (0..p.len()).map(|i| (0..p.len()).map(|j| entry(i, j)).collect()).collect();
    AtOutputs { loss: libm::log1p(others(label)), gradient, ggn: hessian.clone(), hessian }
}

fn check<T: Real>(outputs: &[f64], label: i32, tolerance: f64) {
    let (found, truth) = (at_outputs::<T>(outputs, label), truth(outputs, label as usize));
    let close = |what: &str, found: f64, truth: f64| {
        let error = (found - truth).abs();
        assert!(
            error <= tolerance * truth.abs(),
            "{what} of {outputs:?}, {label}: {found:e} instead of {truth:e}"
        );
    };
    close("loss", found.loss, truth.loss);
    for j in 0..outputs.len() {
        close("gradient", found.gradient[j], truth.gradient[j]);
        for i in 0..outputs.len() {
            close("Hessian", found.hessian[i][j], truth.hessian[i][j]);
            close("Gauss-Newton matrix", found.ggn[i][j], truth.ggn[i][j]);
        }
    }
}

#[test]
fn confident_outputs_keep_all_digits() {
    // Up to where products of two probabilities leave single precision's range.
    for top in [0.5, 3.0, 10.0, 16.0, 18.0, 25.0, 40.0] {
        let outputs = [top, 0.0, -0.75];
        check::<f32>(&outputs, 0, 1e-6);
        check::<f64>(&outputs, 0, 1e-14);
        check::<f64>(&[-1.0, top, 0.0, 0.25], 1, 1e-14);
        check::<f32>(&[-1.0, top, 0.0, 0.25], 1, 1e-6);
    }
}

#[test]
fn the_gauss_newton_matrix_of_a_confident_network_is_positive_semi_definite() {
    let g = at_outputs::<f32>(&[18.0, 0.0], 0).ggn;
    // Of the form c·[[1, −1], [−1, 1]].
    assert!(g[0][0] > 0.0 && g[0][0] == g[1][1] && g[0][1] == -g[0][0] && g[1][0] == g[0][1], "{g:?}");
}

#[test]
fn wrong_outputs_have_their_losses_and_slopes() {
    for outputs in [[3.0, 0.0, -0.75], [0.1, 0.3, 0.2], [12.0, -3.0, 11.0]] {
        for label in [1, 2] {
            let (found, truth) = (at_outputs::<f64>(&outputs, label), truth(&outputs, label as usize));
            assert!((found.loss - truth.loss).abs() <= 1e-14 * truth.loss);
            for (found, truth) in found.gradient.iter().zip(&truth.gradient) {
                assert!((found - truth).abs() <= 1e-15);
            }
            for (found, truth) in found.hessian.iter().flatten().zip(truth.hessian.iter().flatten()) {
                assert!((found - truth).abs() <= 1e-15);
            }
        }
    }
}

#[test]
fn ties_have_all_derivatives() {
    check::<f64>(&[0.0, 0.0, 0.0], 1, 1e-14);
    check::<f64>(&[2.0, 2.0, 0.5], 0, 1e-14);
    check::<f64>(&[2.0, 0.5, 2.0], 1, 1e-14);
    check::<f32>(&[1.5, 1.5, -3.0, 1.5], 3, 1e-6);
}

#[test]
fn endless_outputs_do_not_spoil_what_is_finite() {
    let huge = f64::from(f32::MAX) * 0.9;
    for (outputs, label, loss) in [
        ([huge, -huge], 0, 0.0),
        ([f64::NEG_INFINITY, 0.0], 1, 0.0),
        ([f64::NEG_INFINITY, 0.0], 0, f64::INFINITY),
    ] {
        let found = at_outputs::<f32>(&outputs, label);
        assert_eq!(found.loss, loss, "{outputs:?} {label}");
    }
    assert!(at_outputs::<f32>(&[f64::NAN, 0.0], 1).loss.is_nan());
    assert!(at_outputs::<f32>(&[0.0, f64::NAN], 1).loss.is_nan());
}
