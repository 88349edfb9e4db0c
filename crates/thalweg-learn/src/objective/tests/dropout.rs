//! What is dropped depends on an example's key alone; as instruments measure, nothing is.

use std::sync::Arc;

use thalweg_kernel::{Key, Real};

use super::{Problem, assert_close, examples, layers, normals};
use crate::loss::Loss;
use crate::objective::{Examples, Objective};

pub(super) const DROPPING: [&str; 6] =
    ["dropout 0.2", "linear 5", "tanh", "dropout 0.4", "linear 4", "linear 3"];
pub(super) const DROPPING_AND_NORMED: [&str; 6] =
    ["linear 4", "batchnorm", "dropout 0.3", "tanh", "dropout 0.1", "linear 3"];

const LOSS: Loss = Loss::HalfMeanSquare;

/// The outputs with the keys of those seeds.
fn outputs<T: Real>(
    objective: &Objective<T>,
    theta: &[T],
    mut examples: Examples<T>,
    seeds: impl IntoIterator<Item = u64>,
) -> Vec<T> {
    examples.set_keys(seeds.into_iter().map(Key::from_seed));
    objective.outputs(&[theta], &examples).remove(0)
}

/// Examples of ones alone.
fn ones<T: Real>(count: usize, width: usize) -> Examples<T> {
    Examples::new(vec![T::ONE; count * width], vec![0; count])
}

#[test]
fn as_many_are_kept_as_the_probability_says() {
    for (layer, probability) in [("dropout 0.3", 0.3f64), ("dropout 0.75", 0.75)] {
        let objective = Objective::<f64>::training(layers(&[layer], 50, 50), LOSS, 200);
        let found = outputs(&objective, &[], ones(200, 50), 0..200);
        assert!(found.iter().all(|&x| x == 0.0 || x == 1.0 / (1.0 - probability)));
        let kept = found.iter().filter(|&&x| x != 0.0).count() as f64 / 1e4;
        // Four standard errors.
        let error = (probability * (1.0 - probability) / 1e4).sqrt();
        assert!((kept - (1.0 - probability)).abs() < 4.0 * error, "{kept} kept");
    }
}

#[test]
fn layers_drop_for_themselves() {
    let objective = Objective::<f64>::training(layers(&["dropout 0.5", "dropout 0.5"], 80, 80), LOSS, 50);
    let found = outputs(&objective, &[], ones(50, 80), 0..50);
    // Of two layers that dropped the same, half would be kept.
    let kept = found.iter().filter(|&&x| x == 4.0).count() as f64 / 4e3;
    assert!((kept - 0.25).abs() < 4.0 * (0.1875f64 / 4e3).sqrt(), "{kept} kept");
}

/// Of a network that is linear behind what it drops.
#[test]
fn outputs_in_the_mean_are_those_without_dropout() {
    let network = layers(&["dropout 0.4", "linear 6", "dropout 0.2", "linear 2"], 5, 2);
    let theta: Vec<f64> = normals("theta", network.space().dimension());
    let (x, draws) = (normals::<f64>("x", 5), 20_000);
    let many = Examples::new(x.repeat(draws), vec![0; draws]);
    let objective = Objective::training(Arc::clone(&network), LOSS, draws);
    let found = outputs(&objective, &theta, many, 0..draws as u64);
    let truth = Objective::new(network, LOSS, 1).outputs(&[&theta], &Examples::new(x, vec![0])).remove(0);
    for (class, truth) in truth.iter().enumerate() {
        let drawn = || found.iter().skip(class).step_by(2);
        let mean = drawn().sum::<f64>() / draws as f64;
        let deviation = (drawn().map(|x| (x - mean).powi(2)).sum::<f64>() / draws as f64).sqrt();
        assert!(deviation > 0.1, "nothing was dropped");
        assert!((mean - truth).abs() < 4.0 * deviation / (draws as f64).sqrt(), "{mean} for {truth}");
    }
}

#[test]
fn keys_decide_and_nothing_else_does() {
    let network = layers(&DROPPING, 3, 3);
    let theta: Vec<f64> = normals("theta", network.space().dimension());
    let all = examples::<f64>(70, 3, 3);
    let whole = Objective::training(Arc::clone(&network), LOSS, 70);
    let of = |seeds: std::ops::Range<u64>| outputs(&whole, &theta, all.clone(), seeds);
    let found = of(0..70);
    assert_eq!(found, of(0..70));
    let moved = of(1..71);
    assert!(found.chunks(3).zip(moved.chunks(3)).filter(|(a, b)| a != b).count() > 60);
    // An example alone, and in the other precision: up to rounding.
    let single = Objective::training(Arc::clone(&network), LOSS, 1);
    let narrow = Objective::<f32>::training(network, LOSS, 70);
    for i in [0, 33, 69] {
        let one = Examples::new(all.inputs[3 * i..3 * i + 3].to_vec(), vec![all.labels[i]]);
        let alone = outputs(&single, &theta, one, [i as u64]);
        assert_close(&alone, &found[3 * i..3 * i + 3], 1e-13);
    }
    let theta: Vec<f32> = theta.iter().map(|&x| x as f32).collect();
    let rounded: Vec<f64> =
        outputs(&narrow, &theta, examples(70, 3, 3), 0..70).into_iter().map(f64::from).collect();
    assert_close(&rounded, &found, 1e-5);
}

#[test]
fn instruments_and_evaluation_drop_nothing() {
    let plain = layers(&["linear 5", "tanh", "linear 4", "linear 3"], 3, 3);
    let dropping = layers(&DROPPING, 3, 3);
    let theta: Vec<f64> = normals("theta", plain.space().dimension());
    let examples = examples::<f64>(70, 3, 3);
    let of = |objective: &Objective<f64>| {
        let (mut gradient, mut product) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
        let value = objective.gradient(&theta, &examples, &mut gradient);
        objective.hessian_products(&theta, &theta, &examples, &mut product);
        (value, gradient, product, objective.outputs(&[&theta], &examples))
    };
    let truth = of(&Objective::new(plain, LOSS, 70));
    // To the bit: it is the same program.
    assert!(of(&Objective::new(Arc::clone(&dropping), LOSS, 70)) == truth);
    assert!(of(&Objective::evaluation(dropping, LOSS, 70)) == truth);
}

#[test]
#[should_panic(expected = "keys: one an example, for dropout")]
fn examples_without_keys_are_refused() {
    let Problem { objective, theta, examples } = Problem::training(&DROPPING, LOSS, 4);
    objective.values(&[&theta], &Examples::new(examples.inputs, examples.labels));
}
