//! A network that PyTorch saved gives the numbers that PyTorch computes with it.

use std::path::Path;

use serde_json::Value;
use thalweg_geometry::site::Site as _;
use thalweg_lab::config::load;
use thalweg_lab::progress::Progress;
use thalweg_lab::recipe::survey::{SurveyConfig, SurveyOptions, survey};
use thalweg_lab::site::NetworkSite;
use thalweg_learn::arch::{Activation, MlpConfig, ModelConfig};
use thalweg_learn::checkpoint::{Checkpoint, arrange, read_arrays};
use thalweg_learn::data::{DataConfig, DigitsConfig, Scaling};
use thalweg_learn::loss::Loss;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/state_dict.safetensors");

fn reference() -> Value {
    serde_json::from_str(include_str!("reference/state_dict.json")).unwrap()
}

fn close(found: &Value, expected: &Value) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((found - expected).abs() < 1e-13 * expected.abs(), "{found} and not {expected}");
}

fn config(more: &[&str]) -> SurveyConfig {
    let path = format!("initial.path={FILE}");
    let fields = [
        &path[..],
        "dtype=f64",
        "model.widths=[5, 4]",
        "model.activation=tanh",
        "model.layer_norm=true",
        "data.train_examples=60",
        "train.steps=3",
        "checkpoints.every_epochs=0",
        "line.points=3",
        "plane.points=[2, 2]",
        "trajectory.points=[2, 2]",
        "spectrum.largest=1",
        "spectrum.smallest=1",
        "spectrum.tolerance=0.1",
    ];
    let fields: Vec<String> = fields.iter().chain(more).map(|&field| field.to_owned()).collect();
    load(None, &fields).unwrap()
}

#[test]
fn a_survey_begins_at_the_loss_that_pytorch_has() {
    let folder = tempfile::tempdir().unwrap();
    let begins_at = |name: &str, more: &[&str]| -> Value {
        let options = SurveyOptions { out: Some(folder.path().join(name)), ..SurveyOptions::default() };
        let survey = survey(&config(more), &options, &Progress::new(true)).unwrap();
        let bytes = std::fs::read(survey.folder.join("training.json")).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()["value"].clone()
    };
    let (training, expected) = (begins_at("f64", &[]), reference());
    close(&training["loss_train"][0], &expected["loss_train"]);
    close(&training["loss_test"][0], &expected["loss_test"]);
    // The same as PyTorch itself writes it.
    let path = format!("initial.path={}", FILE.replace(".safetensors", ".pt"));
    assert_eq!(begins_at("pt", &[&path])["loss_train"][0], training["loss_train"][0]);
    // The file is in f64; a survey in f32 rounds it.
    let narrow = begins_at("f32", &["dtype=f32"])["loss_train"][0].as_f64().unwrap();
    let expected = expected["loss_train"].as_f64().unwrap();
    assert!((narrow - expected).abs() < 1e-6 * expected && narrow != expected);
}

#[test]
fn its_outputs_are_pytorchs() {
    let digits = DigitsConfig { scaling: Scaling::Standardised, train_examples: Some(60), enlarge: None };
    let data = DataConfig::Digits(digits).load().unwrap();
    let mlp = MlpConfig {
        widths: vec![5, 4],
        activation: Activation::Tanh,
        layer_norm: true,
        ..MlpConfig::default()
    };
    let network = ModelConfig::Mlp(mlp).build(data.train.shape(), data.train.classes()).unwrap();
    let leaves = network.space().leaves().iter().map(|leaf| (leaf.name.clone(), leaf.shape.clone()));
    let expected: Vec<(String, Vec<usize>)> = leaves.collect();
    let origin = Path::new(FILE);
    let arrays = read_arrays::<f64>(&std::fs::read(origin).unwrap(), origin).unwrap();
    let theta: Vec<f64> =
        arrange(arrays, &expected, origin).unwrap().into_iter().flat_map(|leaf| leaf.values).collect();

    let site = NetworkSite::<f64>::new(network, Loss::CrossEntropy, &data.train);
    let outputs = site.outputs(&[&theta]).unwrap();
    let reference = reference();
    let expected: Vec<f64> =
        reference["outputs"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    assert_eq!(expected.len(), 30);
    for (example, expected) in expected.chunks(10).enumerate() {
        for (found, expected) in outputs[0].row(example).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-13, "example {example}: {found} and not {expected}");
        }
    }
}

#[test]
fn batch_norms_begin_with_the_statistics_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = FILE.replace("state_dict.safetensors", "batch_norm.safetensors");
    let mut config = config(&[]);
    config.model = serde_json::from_value(serde_json::json!({
        "kind": "layers",
        "layers": ["flatten", "linear 5", "batchnorm", "tanh", "linear 10"],
    }))
    .unwrap();
    config.initial.path = Some(file.clone().into());
    let options = SurveyOptions { out: Some(folder.path().join("run")), ..SurveyOptions::default() };
    let survey = survey(&config, &options, &Progress::new(true)).unwrap();
    let read = |name: &str| std::fs::read(survey.folder.join(name)).unwrap();

    // The losses are with the statistics of the training set, those of the held-out data too.
    let training: Value = serde_json::from_slice(&read("training.json")).unwrap();
    let expected: Value = serde_json::from_str(include_str!("reference/batch_norm.json")).unwrap();
    for part in ["loss_train", "loss_test"] {
        close(&training["value"][part][0], &expected[part]);
    }
    let origin = Path::new(&file);
    let arrays = read_arrays::<f64>(&std::fs::read(origin).unwrap(), origin).unwrap();
    let begun = Checkpoint::<f64>::from_bytes(&read("checkpoint-00000000.safetensors"), origin).unwrap();
    assert_eq!(begun.buffers.len(), 2);
    for buffer in &begun.buffers {
        assert!(arrays.contains(buffer), "{}", buffer.name);
    }
}
