//! Losses and errors: many points, both precisions, every number of examples, and numbers at the edge.

use std::sync::Arc;

use super::{LOSSES, Problem, assert_close, examples, network, normals, relative_error};
use crate::arch::{Activation, Architecture, Mlp};
use crate::loss::Loss;
use crate::objective::{Examples, Objective, Value};

#[test]
fn many_points_are_each_of_them() {
    for loss in LOSSES {
        let problem = Problem::new(&[3, 5, 3], Activation::Relu, false, loss, 200);
        let thetas: Vec<Vec<f64>> = (0..13).map(|i| normals(&format!("theta {i}"), problem.n())).collect();
        let points: Vec<&[f64]> = thetas.iter().map(|theta| &theta[..]).collect();
        let together = problem.objective.values(&points, &problem.examples);
        let outputs = problem.objective.outputs(&points, &problem.examples);
        for (i, theta) in points.iter().enumerate() {
            assert_eq!(problem.objective.values(&[theta], &problem.examples), [together[i]]);
            assert_eq!(problem.objective.outputs(&[theta], &problem.examples)[0], outputs[i]);
            let mut gradient = vec![0.0; problem.n()];
            let value = problem.objective.gradient(theta, &problem.examples, &mut gradient);
            assert!((value.loss - together[i].loss).abs() <= 1e-13 * value.loss);
            assert_eq!(value.error, together[i].error);
        }
        assert_eq!(problem.objective.values(&[], &problem.examples), []);
    }
}

/// A line and a plane, of networks whose first layer is linear in their parameters and of one that is so altogether.
#[test]
fn values_on_a_section_are_those_of_its_points() {
    for (sizes, layer_norm) in [(&[3, 5, 4, 3][..], false), (&[3, 5, 3], true), (&[3, 3], false)] {
        for loss in LOSSES {
            let problem = Problem::new(sizes, Activation::Relu, layer_norm, loss, 517);
            let vectors: Vec<Vec<f64>> =
                (0..3).map(|i| normals(&format!("vector {i}"), problem.n())).collect();
            for count in [2, 3] {
                let vectors: Vec<&[f64]> = vectors[..count].iter().map(|vector| &vector[..]).collect();
                let section = problem.objective.section(&vectors, &problem.examples);
                let coefficients: Vec<Vec<f64>> = (0..9).map(|i| normals(&format!("c {i}"), count)).collect();
                let slices: Vec<&[f64]> = coefficients.iter().map(|c| &c[..]).collect();
                let found = section.values(&slices);
                for (c, found) in coefficients.iter().zip(found) {
                    let theta: Vec<f64> =
                        (0..problem.n()).map(|p| (0..count).map(|i| c[i] * vectors[i][p]).sum()).collect();
                    let truth = problem.objective.values(&[&theta], &problem.examples)[0];
                    assert!((found.loss - truth.loss).abs() <= 1e-13 * truth.loss, "{sizes:?} {loss:?}");
                    // The shards are others, so the same examples are added in another order.
                    assert!((found.error - truth.error).abs() <= 1e-15, "{sizes:?} {loss:?}");
                }
            }
        }
    }
}

/// Everything that an objective gives, over all examples and as the mean or the rows of single ones.
#[test]
fn any_number_of_examples_is_the_mean_over_single_ones() {
    let (network, theta) = network::<f64>(&[3, 4, 3], Activation::Tanh, true, true);
    let v: Vec<f64> = normals("v", theta.len());
    let everything = |count: usize, examples: &Examples<f64>| {
        let objective = Objective::new(Arc::clone(&network), Loss::CrossEntropy, count);
        let u = &normals::<f64>("u", 3 * 1437)[..3 * count];
        let mut sums = [(); 3].map(|()| vec![f64::NAN; theta.len()]);
        let [gradient, hessian, ggn] = &mut sums;
        let Value { loss, error } = objective.gradient(&theta, examples, gradient);
        objective.hessian_products(&theta, &v, examples, hessian);
        objective.ggn_products(&theta, &v, examples, ggn);
        let mut jtu = vec![f64::NAN; theta.len()];
        objective.jacobian_transpose_product(&theta, u, examples, &mut jtu);
        let rows = [
            objective.outputs(&[&theta], examples).remove(0),
            objective.jacobian_product(&theta, &v, examples),
        ];
        ([&[loss, error], &sums.concat()[..]].concat(), jtu, rows)
    };
    let all: Examples<f64> = examples(1437, 3, 3);
    let first = |count: usize| Examples::new(all.inputs[..3 * count].to_vec(), all.labels[..count].to_vec());
    let single = Objective::new(Arc::clone(&network), Loss::CrossEntropy, 1);
    let alone = |i: usize| {
        let one = Examples::new(all.inputs[3 * i..3 * i + 3].to_vec(), vec![all.labels[i]]);
        let mut sums = [(); 4].map(|()| vec![f64::NAN; theta.len()]);
        let [gradient, hessian, ggn, jtu] = &mut sums;
        let Value { loss, error } = single.gradient(&theta, &one, gradient);
        single.hessian_products(&theta, &v, &one, hessian);
        single.ggn_products(&theta, &v, &one, ggn);
        let u = &normals::<f64>("u", 3 * 1437)[3 * i..3 * i + 3];
        single.jacobian_transpose_product(&theta, u, &one, jtu);
        let rows = [single.outputs(&[&theta], &one).remove(0), single.jacobian_product(&theta, &v, &one)];
        ([&[loss, error], &sums[..3].concat()[..]].concat(), sums[3].clone(), rows)
    };
    let mut singles = (0..1437).map(alone);
    let n = theta.len();
    let (mut means, mut jtu, mut rows) = (vec![0.0; 2 + 3 * n], vec![0.0; n], [Vec::new(), Vec::new()]);
    let mut seen = 0;
    for count in [1, 63, 64, 65, 129, 1437] {
        for (each, single_jtu, single_rows) in singles.by_ref().take(count - seen) {
            means.iter_mut().zip(each).for_each(|(sum, x)| *sum += x);
            jtu.iter_mut().zip(single_jtu).for_each(|(sum, x)| *sum += x);
            rows.iter_mut().zip(single_rows).for_each(|(rows, row)| rows.extend(row));
        }
        seen = count;
        let found = everything(count, &first(count));
        let truth: Vec<f64> = means.iter().map(|sum| sum / count as f64).collect();
        for (found, truth) in [
            (&found.0[..2], &truth[..2]),
            (&found.0[2..2 + n], &truth[2..2 + n]),
            (&found.0[2 + n..2 + 2 * n], &truth[2 + n..2 + 2 * n]),
            (&found.0[2 + 2 * n..], &truth[2 + 2 * n..]),
            (&found.1, &jtu),
            (&found.2[0], &rows[0]),
            (&found.2[1], &rows[1]),
        ] {
            assert_close(found, truth, 1e-12);
        }
    }
}

#[test]
fn single_precision_is_double_precision_rounded() {
    for (activation, loss) in [(Activation::Gelu, LOSSES[0]), (Activation::Tanh, LOSSES[1])] {
        let (network, wide) = network::<f64>(&[16, 32, 32, 10], activation, true, true);
        // The same numbers in both: those of f32.
        let theta: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
        let wide: Vec<f64> = theta.iter().map(|&x| f64::from(x)).collect();
        let narrow_examples: Examples<f32> = examples(150, 16, 10);
        let inputs = narrow_examples.inputs.iter().map(|&x| f64::from(x)).collect();
        let wide_examples = Examples::new(inputs, narrow_examples.labels.clone());
        let narrow = Objective::<f32>::new(Arc::clone(&network), loss, 150);
        let double = Objective::<f64>::new(network, loss, 150);
        let v: Vec<f32> = normals("v", theta.len());
        let wide_v: Vec<f64> = v.iter().map(|&x| f64::from(x)).collect();
        let (mut g, mut truth) = (vec![0.0; v.len()], vec![0.0; v.len()]);
        let close = |found: &[f32], truth: &[f64], tolerance| {
            let found: Vec<f64> = found.iter().map(|&x| f64::from(x)).collect();
            let error = relative_error(&found, truth);
            assert!(error <= tolerance, "relative error {error:e}");
        };
        let value = narrow.gradient(&theta, &narrow_examples, &mut g);
        let wide_value = double.gradient(&wide, &wide_examples, &mut truth);
        assert!((value.loss - wide_value.loss).abs() <= 1e-6 * wide_value.loss);
        close(&g, &truth, 3e-6);
        narrow.hessian_products(&theta, &v, &narrow_examples, &mut g);
        double.hessian_products(&wide, &wide_v, &wide_examples, &mut truth);
        close(&g, &truth, 1e-5);
        narrow.ggn_products(&theta, &v, &narrow_examples, &mut g);
        double.ggn_products(&wide, &wide_v, &wide_examples, &mut truth);
        close(&g, &truth, 1e-5);
    }
}

/// A network without weights to speak of: its outputs are its biases.
fn value_of_outputs<const C: usize>(loss: Loss, outputs: [f32; C], label: i32) -> (Value, Vec<f32>) {
    let mlp = Mlp::new(1, &[], C, Activation::Linear, true, false).unwrap();
    let theta = [&[0.0; C], &outputs[..]].concat();
    let objective = Objective::<f32>::new(Arc::new(mlp) as Arc<dyn Architecture>, loss, 1);
    let examples = Examples::new(vec![1.0], vec![label]);
    let mut gradient = vec![0.0; 2 * C];
    let value = objective.gradient(&theta, &examples, &mut gradient);
    let alone = objective.values(&[&theta], &examples)[0];
    assert_eq!([value.loss.to_bits(), value.error.to_bits()], [alone.loss.to_bits(), alone.error.to_bits()]);
    (value, gradient[C..].to_vec())
}

#[test]
fn extreme_outputs_have_the_right_cross_entropy() {
    let cross_entropy = |outputs, label| value_of_outputs(Loss::CrossEntropy, outputs, label);
    for (outputs, label, loss, gradient) in [
        ([1e4, -1e4, 0.0], 0, 0.0, [0.0, 0.0, 0.0]),
        ([1e4, -1e4, 0.0], 1, 2e4, [1.0, -1.0, 0.0]),
        ([1e4, -1e4, 0.0], 2, 1e4, [1.0, 0.0, -1.0]),
        ([-1e4, -1e4, -1e4], 2, 3f64.ln(), [1.0 / 3.0, 1.0 / 3.0, -2.0 / 3.0]),
        ([1e4, 1e4, -1e4], 0, 2f64.ln(), [-0.5, 0.5, 0.0]),
        ([1e30, -1e30, 0.0], 1, 2e30, [1.0, -1.0, 0.0]),
    ] {
        let (value, found) = cross_entropy(outputs, label);
        assert!((value.loss - loss).abs() <= 1e-6 * loss, "{outputs:?}, {label}: {}", value.loss);
        for (found, truth) in found.iter().zip(gradient) {
            assert!((found - truth).abs() <= 1e-6, "{outputs:?}, {label}: {found} instead of {truth}");
        }
    }
}

#[test]
fn errors_break_ties_at_random() {
    for (outputs, label, error) in [
        ([3.0, 1.0, 2.0], 0, 0.0),
        ([3.0, 1.0, 2.0], 1, 1.0),
        ([3.0, 3.0, 2.0], 0, 0.5),
        ([3.0, 3.0, 2.0], 1, 0.5),
        ([3.0, 3.0, 2.0], 2, 1.0),
        ([0.0, 0.0, 0.0], 1, 2.0 / 3.0),
        ([0.0, -0.0, -1.0], 1, 0.5),
        ([f32::INFINITY, 0.0, 0.0], 0, 0.0),
    ] {
        for loss in LOSSES {
            let (value, _) = value_of_outputs(loss, outputs, label);
            assert!((value.error - error).abs() < 1e-6, "{outputs:?}, {label}: {}", value.error);
        }
    }
}

#[test]
fn what_is_not_a_number_is_wrong() {
    for (nan, label) in (0..3).flat_map(|nan| (0..3).map(move |label| (nan, label))) {
        let mut outputs = [1.0, 2.0, 3.0];
        outputs[nan] = f32::NAN;
        for loss in LOSSES {
            let (value, _) = value_of_outputs(loss, outputs, label);
            assert!(value.loss.is_nan() && value.error == 1.0, "{outputs:?}, {label}: {value:?}");
        }
    }
    // One parameter among many, in the midst of a network and of several shards.
    for loss in LOSSES {
        let problem = Problem::new(&[3, 5, 4, 3], Activation::Tanh, true, loss, 70);
        for spoilt in [0, 7, problem.n() - 1] {
            let mut theta = problem.theta.clone();
            theta[spoilt] = f64::NAN;
            let value = problem.objective.values(&[&theta, &problem.theta], &problem.examples);
            assert!(value[0].loss.is_nan(), "{spoilt}: {value:?}");
            assert_eq!(value[0].error, 1.0);
            assert!(value[1].loss.is_finite() && value[1].error < 1.0);
        }
    }
}

#[test]
fn units_that_agree_are_normalised_to_zero() {
    // One large bias for all: rounding must not pass for variance.
    let mlp: Arc<dyn Architecture> = Arc::new(Mlp::new(1, &[3], 2, Activation::Linear, true, true).unwrap());
    let leaves = mlp.space().leaves();
    let mut theta = vec![1f32; mlp.space().dimension()];
    for (i, leaf) in leaves.iter().enumerate() {
        let value = match i {
            0 => 0.0,
            1 => 1_000_003.1,
            _ if leaf.name.ends_with("bias") => 0.0,
            _ => 1.0,
        };
        theta[leaf.range()].fill(value);
    }
    let objective = Objective::<f32>::new(Arc::clone(&mlp), Loss::HalfMeanSquare, 1);
    let examples = Examples::new(vec![1.0], vec![0]);
    assert_eq!(objective.outputs(&[&theta], &examples)[0], [0.0, 0.0]);
}
