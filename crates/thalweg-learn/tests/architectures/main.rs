//! What every architecture declares holds: hidden units change places without changing the function (`symmetries.rs`), sizes
//! and beginnings are those of the papers (`sizes.rs`), and what does not fit is refused with its place (`refusals.rs`).

mod refusals;
mod sizes;
mod symmetries;

use serde_json::{Value, json};
use thalweg_kernel::Key;
use thalweg_learn::arch::{ModelConfig, initial_parameters};
use thalweg_learn::data::DataConfig;
use thalweg_learn::init::Init;
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{Examples, Objective};

pub(crate) fn model(config: Value) -> ModelConfig {
    serde_json::from_value(config).unwrap()
}

pub(crate) fn layers(list: &Value) -> ModelConfig {
    model(json!({ "kind": "layers", "layers": list }))
}

#[test]
fn threads_change_no_bit() {
    let list = json!(["conv 8 3x3 pad=1", "groupnorm 2", "gelu", "maxpool 3 stride=2", {"residual": ["conv 8 3x3 pad=1", "relu"]},
        "avgpool 2 stride=1 pad=1", "flatten", "linear 10"]);
    let network = layers(&list).build(&[1, 8, 8][..], 10).unwrap();
    let theta: Vec<f32> = initial_parameters(network.space(), &Init::default(), Key::from_seed(6));
    let data = DataConfig::default().load().unwrap().test;
    let examples = Examples::new(data.inputs().to_vec(), data.labels().to_vec());
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let objective = Objective::<f32>::new(network.clone(), Loss::CrossEntropy, data.examples());
            let (mut gradient, mut product) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
            let value = objective.gradient(&theta, &examples, &mut gradient);
            objective.hessian_products(&theta, &gradient, &examples, &mut product);
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
            assert!(value.loss.is_finite() && product.iter().any(|&x| x != 0.0));
            (value.loss.to_bits(), bits(&gradient), bits(&product))
        })
    };
    let alone = on(1);
    assert!([2, 3, 8].into_iter().all(|threads| on(threads) == alone));
}
