//! A language model learns a text, sees no later character, and takes data that are made for it only.

use std::path::Path;

use serde_json::json;
use thalweg_kernel::Key;
use thalweg_learn::arch::{ModelConfig, initial_parameters};
use thalweg_learn::data::{DataConfig, text};
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{Examples, Objective};
use thalweg_learn::optim::{Adam, Optimiser};
use thalweg_learn::schedule::Schedule;
use thalweg_learn::train::{Recipe, Trainer};

const TEXT: &str = "she sells sea shells by the sea shore; ";

fn small() -> ModelConfig {
    serde_json::from_value(json!({"kind": "gpt", "width": 16, "depth": 1, "heads": 2, "mlp_width": 32}))
        .unwrap()
}

fn recipe() -> Recipe {
    Recipe {
        loss: Loss::CrossEntropy,
        optimiser: Optimiser::Adam(Adam::default()),
        schedule: Schedule::Constant { lr: 0.01, warmup: None },
        batch_size: Some(8),
        clip_norm: None,
        augment: None,
    }
}

fn recurrent() -> ModelConfig {
    serde_json::from_value(json!({"kind": "lstm", "units": 24, "embedding": 8})).unwrap()
}

#[test]
fn a_text_is_learned() {
    [small(), recurrent()].iter().for_each(learns);
}

fn learns(model: &ModelConfig) {
    let split =
        text::split(&text::parse(TEXT.repeat(20).as_bytes(), Path::new("sea"), 16).unwrap(), 8).unwrap();
    let network = model.build(split.train.shape(), split.train.classes()).unwrap();
    let theta: Vec<f32> = initial_parameters(network.space(), model.init(), Key::from_seed(0));
    let test = Objective::<f32>::new(network.clone(), Loss::CrossEntropy, split.test.examples());
    let value = |theta: &[f32]| test.values(&[theta], &Examples::of(&split.test))[0];
    let before = value(&theta);
    let mut trainer = Trainer::new(&network, &split.train, recipe(), theta, Key::from_seed(1)).unwrap();
    while trainer.steps() < 300 && trainer.step().taken {}
    let after = value(trainer.theta());
    // After "s", " ", "e" and "h" the text goes on in several ways; only the first characters of a window do not tell which.
    assert!(before.loss > 2.0 && before.error > 0.7, "{before:?}");
    assert!(after.loss < 0.4 && after.error < 0.2, "{after:?}");
}

#[test]
fn outputs_depend_on_the_past_alone() {
    [small(), recurrent()].iter().for_each(looks_back);
}

fn looks_back(model: &ModelConfig) {
    let network = model.build(6, 5).unwrap();
    let theta: Vec<f64> = initial_parameters(network.space(), model.init(), Key::from_seed(0));
    let objective = Objective::<f64>::new(network, Loss::CrossEntropy, 1);
    let of = |tokens: [f64; 6]| {
        let examples = Examples::new(tokens.to_vec(), vec![0; 6]);
        objective.outputs(&[&theta], &examples).remove(0)
    };
    let (first, second) = (of([0.0, 1.0, 2.0, 3.0, 4.0, 0.0]), of([0.0, 1.0, 2.0, 3.0, 1.0, 2.0]));
    assert_eq!(first[..4 * 5], second[..4 * 5]);
    assert!(first[4 * 5..].iter().zip(&second[4 * 5..]).all(|(a, b)| a != b));
}

#[test]
fn data_of_one_label_an_example_are_refused() {
    let digits = DataConfig::default().load().unwrap().train;
    let network = small().build(64, 10).unwrap();
    let theta: Vec<f32> = initial_parameters(network.space(), small().init(), Key::from_seed(0));
    let error =
        Trainer::new(&network, &digits, recipe(), theta, Key::from_seed(1)).err().unwrap().to_string();
    assert_eq!(
        error,
        "train: gpt 64 of 10 tokens, width 16, depth 1, heads 2, mlp 32 takes 64 labels an example, found 1 in digits/train"
    );
}
