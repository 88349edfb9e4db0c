//! The same bits on any number of threads.

use std::fmt::Debug;
use std::sync::Arc;

use rayon::ThreadPoolBuilder;
use serde_json::json;
use thalweg_kernel::{Key, Real};

use super::{examples, network, normals};
use crate::arch::{Activation, ModelConfig, initial_parameters};
use crate::data::DataConfig;
use crate::loss::Loss;
use crate::objective::Objective;
use crate::train::{BatchSize, TrainConfig, Trainer};

fn on_any_number_of_threads<R: PartialEq + Debug + Send>(compute: impl Fn() -> R + Sync) {
    let on = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&compute);
    let one = on(1);
    for threads in [2, 3, 8] {
        // Not `assert_eq`: a message of all numbers would not help anyone.
        assert!(on(threads) == one, "{threads} threads give other bits than one");
    }
}

fn bits<T: Real>(values: &[T]) -> Vec<u64> {
    values.iter().map(|x| x.to_f64().to_bits()).collect()
}

fn products<T: Real>(widths: &[usize], count: usize) {
    let (network, theta) = network::<T>(widths, Activation::Gelu, true, true);
    let examples = examples::<T>(count, 64, 10);
    let (tangents, cotangents) = (normals::<T>("tangents", 3 * theta.len()), normals::<T>("u", 10 * count));
    on_any_number_of_threads(|| {
        let objective = Objective::<T>::new(Arc::clone(&network), Loss::CrossEntropy, count);
        let mut sums = vec![T::ZERO; 8 * theta.len()];
        let (gradient, rest) = sums.split_at_mut(theta.len());
        let (jtu, rest) = rest.split_at_mut(theta.len());
        let (hessian, ggn) = rest.split_at_mut(3 * theta.len());
        let value = objective.gradient(&theta, &examples, gradient);
        objective.hessian_products(&theta, &tangents, &examples, hessian);
        objective.ggn_products(&theta, &tangents, &examples, ggn);
        objective.jacobian_transpose_product(&theta, &cotangents, &examples, jtu);
        let jv = objective.jacobian_product(&theta, &tangents[..theta.len()], &examples);
        let points = [&theta[..], &tangents[..theta.len()], &tangents[theta.len()..2 * theta.len()]];
        let mut numbers = vec![value];
        numbers.extend(objective.values(&points, &examples));
        let numbers: Vec<[u64; 2]> = numbers.iter().map(|v| [v.loss.to_bits(), v.error.to_bits()]).collect();
        let outputs: Vec<Vec<u64>> = objective.outputs(&points, &examples).iter().map(|o| bits(o)).collect();
        (numbers, bits(&sums), bits(&jv), outputs)
    });
}

/// 23 shards, and more parameters than one task adds up (2¹⁴).
#[test]
fn products_over_shards() {
    products::<f32>(&[64, 128, 96, 10], 1437);
    products::<f64>(&[64, 128, 96, 10], 1437);
}

/// A single shard, whose products are cut.
#[test]
fn products_within_a_shard() {
    products::<f32>(&[64, 512, 200, 10], 60);
    products::<f64>(&[64, 512, 200, 10], 60);
}

#[test]
fn training_within_a_shard() {
    trains_alike(&serde_json::from_value(json!({ "kind": "mlp", "widths": [512, 200] })).unwrap());
}

#[test]
fn training() {
    trains_alike(&ModelConfig::default());
}

#[test]
fn training_with_batch_norms() {
    let list = ["conv 4 3 pad=1 nobias", "batchnorm", "relu", "maxpool 2", "flatten", "linear 10"];
    trains_alike(&serde_json::from_value(json!({ "kind": "layers", "layers": list })).unwrap());
}

#[test]
fn training_with_dropout() {
    let list = ["dropout 0.1", "conv 4 3 pad=1", "relu", "dropout 0.3", "maxpool 2", "flatten", "linear 10"];
    trains_alike(&serde_json::from_value(json!({ "kind": "layers", "layers": list })).unwrap());
    let list = ["flatten", "linear 20 nobias", "batchnorm", "relu", "dropout 0.5", "linear 10"];
    trains_alike(&serde_json::from_value(json!({ "kind": "layers", "layers": list })).unwrap());
}

fn trains_alike(model: &ModelConfig) {
    let split = DataConfig::default().load().unwrap();
    let network = model.build(split.train.shape(), 10).unwrap();
    // The last batch of each epoch is smaller; 300 is five shards, 1437 all of them.
    for (batch_size, steps) in [(BatchSize::Of(64), 50), (BatchSize::Of(300), 50), (BatchSize::Full, 10)] {
        let config = TrainConfig { batch_size, steps: Some(steps), ..TrainConfig::default() };
        let plan = config.plan(split.train.examples()).unwrap();
        on_any_number_of_threads(|| {
            let theta = initial_parameters::<f32>(network.space(), model.init(), Key::from_seed(0));
            let mut trainer =
                Trainer::new(&network, &split.train, plan.recipe.clone(), theta, Key::from_seed(1)).unwrap();
            let losses: Vec<u64> = (0..plan.steps).map(|_| trainer.step().loss.to_bits()).collect();
            (losses, trainer.checkpoint(0).to_bytes().unwrap())
        });
    }
}
