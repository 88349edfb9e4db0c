//! A loss against the inputs themselves.

use super::{Problem, assert_close, examples};
use crate::arch::Activation;
use crate::loss::Loss;
use crate::objective::Examples;

fn problem() -> Problem {
    Problem::new(&[4, 3, 4], Activation::Sigmoid, false, Loss::Reconstruction, 70)
}

#[test]
fn the_loss_is_half_the_squared_distance_from_the_inputs() {
    let problem = problem();
    let pairs = problem.outputs().into_iter().zip(problem.examples.inputs.iter().copied());
    let truth = pairs.map(|(f, x)| (f - x).powi(2)).sum::<f64>() / (2.0 * 70.0);
    let value = problem.objective.values(&[&problem.theta], &problem.examples)[0];
    assert_close(&[value.loss], &[truth], 1e-13);
    assert!(value.error.is_nan(), "nothing can be misclassified");
    let mut gradient = vec![0.0; problem.n()];
    let again = problem.objective.gradient(&problem.theta, &problem.examples, &mut gradient);
    assert_close(&[again.loss], &[truth], 1e-13);
    assert!(again.error.is_nan());
    let section = problem.objective.section(&[&problem.theta], &problem.examples);
    assert_close(&[section.values(&[&[1.0]])[0].loss], &[truth], 1e-13);
}

#[test]
fn labels_play_no_part() {
    let problem = problem();
    let inputs = problem.examples.inputs.clone();
    // More classes than outputs.
    let others = Examples::new(inputs, examples::<f64>(70, 4, 9).labels);
    let losses = |examples: &Examples<f64>| problem.objective.values(&[&problem.theta], examples)[0].loss;
    assert_eq!(losses(&others), losses(&problem.examples));
}
