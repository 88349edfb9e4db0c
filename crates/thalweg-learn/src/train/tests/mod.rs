mod augmented;
mod full_batch;
mod sam;

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use thalweg_kernel::{Key, Real};

use super::{Recipe, TrainConfig, TrainError, Trainer};
use crate::arch::{Activation, Architecture, Mlp, ModelConfig, initial_parameters};
use crate::batches::Batches;
use crate::checkpoint::{Checkpoint, Stored};
use crate::data::{DataConfig, Dataset};
use crate::loss::Loss;
use crate::objective::{Examples, Objective};
use crate::optim::{Adam, AdamW, Optimiser, OptimiserState, Sam, Sgd};
use crate::schedule::Schedule;

const SEED: u64 = 5;

fn origin() -> &'static Path {
    Path::new("run/x.safetensors")
}

fn momentum() -> Optimiser {
    Optimiser::Sgd(Sgd { momentum: 0.9, ..Sgd::default() })
}

fn optimisers() -> [Optimiser; 5] {
    [
        Optimiser::Sgd(Sgd::default()),
        momentum(),
        Optimiser::Adam(Adam::default()),
        Optimiser::Adamw(AdamW::default()),
        Optimiser::Sam(Sam { momentum: 0.9, ..Sam::default() }),
    ]
}

/// A schedule that moves at every step.
fn recipe(optimiser: Optimiser, batch_size: Option<usize>) -> Recipe {
    let schedule = Schedule::Cosine { lr: 0.05, lr_end: 0.0, steps: 20, warmup: None };
    Recipe { loss: Loss::CrossEntropy, optimiser, schedule, batch_size, clip_norm: None, augment: None }
}

fn mlp(activation: Activation) -> Arc<dyn Architecture> {
    Arc::new(Mlp::new(64, &[6, 5], 10, activation, true, true).unwrap())
}

/// 100 digits: batches of 32 leave one of 4.
fn digits() -> Dataset {
    crate::data::digits::whole().subset("some digits", &(0..100).collect::<Vec<_>>()).unwrap()
}

/// With running statistics beside θ.
fn batch_normed() -> Arc<dyn Architecture> {
    layers(&["linear 6", "batchnorm", "relu", "linear 10"])
}

/// With random numbers in every step.
fn dropping() -> Arc<dyn Architecture> {
    layers(&["dropout 0.1", "linear 6", "batchnorm", "relu", "dropout 0.5", "linear 10"])
}

fn layers(list: &[&str]) -> Arc<dyn Architecture> {
    let model: ModelConfig = serde_json::from_value(json!({ "kind": "layers", "layers": list })).unwrap();
    model.build(64, 10).unwrap()
}

fn trainer<T: Real>(recipe: Recipe) -> Trainer<T> {
    trainer_of(&mlp(Activation::Tanh), recipe)
}

fn trainer_of<T: Real>(network: &Arc<dyn Architecture>, recipe: Recipe) -> Trainer<T> {
    let theta = initial_parameters(network.space(), ModelConfig::default().init(), Key::from_seed(SEED));
    Trainer::new(network, &digits(), recipe, theta, Key::from_seed(SEED)).unwrap()
}

fn run<T: Real>(trainer: &mut Trainer<T>, steps: u64) {
    for _ in 0..steps {
        assert!(trainer.step().taken);
    }
}

fn resumes_to_the_same_bits<T: Stored>(
    network: &Arc<dyn Architecture>,
    cases: impl Iterator<Item = (Optimiser, Option<usize>)>,
) {
    for (optimiser, batch_size) in cases {
        let recipe = || recipe(optimiser, batch_size);
        let mut undisturbed = trainer_of::<T>(network, recipe());
        let mut stored = Vec::new();
        for step in 0..10 {
            assert_eq!(undisturbed.steps(), step);
            // Through bytes: what is on disk is what a run goes on from.
            stored.push(undisturbed.checkpoint(SEED).to_bytes().unwrap());
            run(&mut undisturbed, 1);
        }
        for (step, bytes) in (0..).zip(stored) {
            let checkpoint = Checkpoint::<T>::from_bytes(&bytes, origin()).unwrap();
            let epoch = if batch_size.is_some() { step / 4 } else { step };
            assert_eq!((checkpoint.step, checkpoint.epoch), (step, epoch));
            let key = Key::from_seed(checkpoint.seed);
            let resumed = Trainer::from_checkpoint(network, &digits(), recipe(), checkpoint, key, origin());
            let mut resumed = resumed.unwrap();
            run(&mut resumed, 10 - step);
            assert!(
                resumed.checkpoint(SEED) == undisturbed.checkpoint(SEED),
                "{optimiser:?} from step {step}"
            );
        }
    }
}

#[test]
fn a_run_resumed_at_any_step_reaches_the_same_bits() {
    let cases = || optimisers().into_iter().flat_map(|o| [(o, Some(32)), (o, None)]);
    for network in [mlp(Activation::Tanh), batch_normed(), dropping()] {
        resumes_to_the_same_bits::<f32>(&network, cases());
        resumes_to_the_same_bits::<f64>(&network, cases());
    }
}

#[test]
fn running_statistics_are_in_checkpoints_and_are_asked_for() {
    let network = batch_normed();
    let mut trainer = trainer_of::<f64>(&network, recipe(momentum(), Some(32)));
    run(&mut trainer, 3);
    let mut checkpoint = trainer.checkpoint(SEED);
    let names: Vec<&str> = checkpoint.buffers.iter().map(|array| &array.name[..]).collect();
    assert_eq!(names, ["1.running_mean", "1.running_var"]);
    let values: Vec<f64> = checkpoint.buffers.iter().flat_map(|array| array.values.clone()).collect();
    assert_eq!(values, trainer.statistics());
    assert!(values[6..].iter().all(|&variance| variance > 0.0 && variance != 1.0), "{values:?}");
    checkpoint.buffers.pop();
    let (data, recipe, key) = (digits(), recipe(momentum(), Some(32)), Key::from_seed(SEED));
    let Err(error) = Trainer::from_checkpoint(&network, &data, recipe, checkpoint, key, origin()) else {
        panic!("a run went on without running variances");
    };
    assert!(error.to_string().contains("1.running_var"), "{error}");
}

#[test]
fn steps_are_those_of_the_optimiser_on_each_batch() {
    let (data, network) = (digits(), mlp(Activation::Tanh));
    for batch_size in [Some(32), Some(50), Some(100), Some(1000), None] {
        let mut trainer = trainer::<f64>(recipe(momentum(), batch_size));
        let (mut theta, schedule) = (trainer.theta().to_vec(), trainer.recipe().schedule.clone());
        let mut state = OptimiserState::new(momentum(), theta.len()).unwrap();
        for step in 0..9 {
            let batch = match batch_size {
                Some(size) => {
                    let batches = Batches::new(100, size, Key::from_seed(SEED), false).unwrap();
                    assert_eq!(trainer.steps_per_epoch(), batches.per_epoch() as u64);
                    data.subset("batch", &batches.at_step(step)).unwrap()
                }
                None => data.clone(),
            };
            let objective = Objective::new(Arc::clone(&network), Loss::CrossEntropy, batch.examples());
            let mut gradient = vec![0.0; theta.len()];
            let value = objective.gradient(&theta, &Examples::of(&batch), &mut gradient);
            state.step(&mut theta, &gradient, schedule.lr_at(step));
            let seen = trainer.step();
            assert_eq!((seen.loss, seen.error, seen.taken), (value.loss, value.error, true));
            assert!(trainer.theta() == theta, "batch {batch_size:?}, step {step}");
        }
    }
}

#[test]
fn what_is_dropped_is_a_function_of_seed_step_and_example() {
    let (data, network) = (digits(), dropping());
    for batch_size in [Some(32), None] {
        let mut trainer = trainer_of::<f64>(&network, recipe(momentum(), batch_size));
        for step in 0..6 {
            let chosen = match batch_size {
                Some(size) => Batches::new(100, size, Key::from_seed(SEED), false).unwrap().at_step(step),
                None => (0..100).collect(),
            };
            let key = Key::from_seed(SEED).named("dropout").fold_in(step);
            let mut batch = Examples::of(&data.subset("batch", &chosen).unwrap());
            batch.set_keys(chosen.iter().map(|&example| key.fold_in(example as u64)));
            let objective = Objective::training(Arc::clone(&network), Loss::CrossEntropy, chosen.len());
            let value = objective.values(&[trainer.theta()], &batch)[0];
            let seen = trainer.step();
            assert!((seen.loss - value.loss).abs() < 1e-12, "batch {batch_size:?}, step {step}: {value:?}");
        }
    }
}

#[test]
fn runs_of_other_seeds_drop_other_things() {
    let network = dropping();
    let of = |seed| {
        let theta = initial_parameters(network.space(), ModelConfig::default().init(), Key::from_seed(SEED));
        let recipe = recipe(momentum(), None);
        let mut trainer =
            Trainer::<f32>::new(&network, &digits(), recipe, theta, Key::from_seed(seed)).unwrap();
        trainer.step().loss
    };
    // All examples in their own order: the seed decides of nothing else.
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn a_run_that_diverges_stays_where_it_was() {
    // Squared error, as cross-entropy's gradient is bounded and so are the steps of saturated units.
    let network: Arc<dyn Architecture> =
        Arc::new(Mlp::new(64, &[6], 10, Activation::Linear, true, false).unwrap());
    let mut far = recipe(momentum(), Some(32));
    far.loss = Loss::HalfMeanSquare;
    far.schedule = Schedule::Constant { lr: 1e3, warmup: None };
    let theta: Vec<f32> =
        initial_parameters(network.space(), ModelConfig::default().init(), Key::from_seed(SEED));
    let mut trainer = Trainer::new(&network, &digits(), far, theta, Key::from_seed(SEED)).unwrap();
    run(&mut trainer, 1);
    while trainer.step().taken {
        assert!(trainer.steps() < 10);
    }
    let before = trainer.checkpoint(SEED);
    for _ in 0..3 {
        let step = trainer.step();
        assert!(!step.taken, "{step:?}");
        // Bytes: θ may hold numbers by now that are not equal to themselves.
        assert!(trainer.checkpoint(SEED).to_bytes().unwrap() == before.to_bytes().unwrap());
    }
}

#[test]
fn a_gradient_that_overflows_is_divergence_too() {
    // z = ±3e38·h at h = .1 has a finite loss, 6e37, and the gradient 6e38 in h: too much for f32.
    let network: Arc<dyn Architecture> =
        Arc::new(Mlp::new(1, &[1], 2, Activation::Linear, false, false).unwrap());
    let data = Dataset::new("one", vec![1.0], 1, vec![1], 2).unwrap();
    let theta = vec![0.1, 3e38, -3e38f32];
    let mut trainer =
        Trainer::new(&network, &data, recipe(momentum(), None), theta.clone(), Key::from_seed(0)).unwrap();
    let step = trainer.step();
    assert!((step.loss - 6e37).abs() < 1e32 && !step.taken, "{step:?}");
    assert_eq!((trainer.theta(), trainer.steps()), (&theta[..], 0));
    assert_eq!(trainer.state().slots()[0].values, [0.0; 3]);
}

#[test]
fn a_longer_gradient_is_shortened_and_a_shorter_one_left_alone() {
    // Steps of plain descent are −lr·g: their lengths are those of the gradients.
    let moved = |clip_norm: Option<f64>| -> Vec<f64> {
        let recipe = Recipe { clip_norm, ..recipe(Optimiser::Sgd(Sgd::default()), None) };
        let mut trainer = trainer::<f64>(recipe);
        let before = trainer.theta().to_vec();
        assert!(trainer.step().taken);
        trainer.theta().iter().zip(before).map(|(after, before)| (after - before) / 0.05).collect()
    };
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let free = moved(None);
    assert_eq!(moved(Some(1e3)), free);
    let longest = norm(&free) / 3.0;
    let clipped = moved(Some(longest));
    let factor = longest / (norm(&free) + 1e-6);
    let close = |(a, b): (&f64, &f64)| (a - factor * b).abs() < 1e-12 * norm(&free);
    assert!(clipped.iter().zip(&free).all(close), "{} and {longest}", norm(&clipped));
}

fn refusal(result: Result<Trainer<f32>, TrainError>) -> String {
    match result {
        Ok(_) => panic!("was accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let mut trained = trainer::<f32>(recipe(momentum(), Some(32)));
    run(&mut trained, 3);
    let resume = |network: Arc<dyn Architecture>, optimiser, edit: &dyn Fn(&mut Checkpoint<f32>)| {
        let mut checkpoint = trained.checkpoint(SEED);
        edit(&mut checkpoint);
        let recipe = recipe(optimiser, Some(32));
        refusal(Trainer::from_checkpoint(
            &network,
            &digits(),
            recipe,
            checkpoint,
            Key::from_seed(SEED),
            origin(),
        ))
    };
    let net = |widths: &[usize], layer_norm| -> Arc<dyn Architecture> {
        Arc::new(Mlp::new(64, widths, 10, Activation::Tanh, true, layer_norm).unwrap())
    };
    let as_is: &dyn Fn(&mut Checkpoint<f32>) = &|_| {};
    let another = "checkpoint run/x.safetensors is of another network: ";
    assert_eq!(
        resume(net(&[7, 5], true), momentum(), as_is),
        another.to_owned() + "leaf layers.0.weight has shape [6, 64], expected [7, 64]"
    );
    assert_eq!(
        resume(net(&[6, 5, 4], true), momentum(), as_is),
        another.to_owned() + "leaf layers.2.weight has shape [10, 5], expected [4, 5]"
    );
    assert_eq!(
        resume(net(&[6, 5], false), momentum(), as_is),
        another.to_owned() + "found leaf norms.0.weight of shape [6], expected none of that name"
    );
    assert_eq!(
        resume(mlp(Activation::Relu), momentum(), as_is),
        another.to_owned() + "expected mlp 64-6-5-10 relu, layer norm, found mlp 64-6-5-10 tanh, layer norm"
    );
    let adam = resume(mlp(Activation::Tanh), Optimiser::Adam(Adam::default()), as_is);
    assert!(
        adam.starts_with("train: expected the state of Adam(") && adam.contains("found that of Sgd("),
        "{adam}"
    );
    let nesterov = Optimiser::Sgd(Sgd { momentum: 0.9, nesterov: true, ..Sgd::default() });
    assert!(resume(mlp(Activation::Tanh), nesterov, as_is).contains("expected the state of Sgd"));
    assert_eq!(
        resume(mlp(Activation::Tanh), momentum(), &|checkpoint| checkpoint.optimiser = None),
        "checkpoint run/x.safetensors: expected an optimiser's state to go on from, found none"
    );
    assert_eq!(
        resume(mlp(Activation::Tanh), momentum(), &|checkpoint| checkpoint.step = 4),
        "checkpoint run/x.safetensors: expected the optimiser's state after 4 steps, found it after 3"
    );
}

#[test]
fn data_that_do_not_fit_the_network_are_refused() {
    let start = |data: &Dataset, inputs, outputs| {
        let network: Arc<dyn Architecture> =
            Arc::new(Mlp::new(inputs, &[], outputs, Activation::Linear, true, false).unwrap());
        let theta = vec![0.0; network.space().dimension()];
        refusal(Trainer::new(&network, data, recipe(momentum(), None), theta, Key::from_seed(0)))
    };
    assert_eq!(
        start(&digits(), 63, 10),
        "train: mlp 63-10 linear expects inputs of 63 numbers, found 64 in some digits"
    );
    assert_eq!(
        start(&digits(), 64, 9),
        "train: mlp 64-9 linear tells 9 classes apart, found 10 in some digits"
    );
}

#[test]
fn the_default_run_learns_the_digits() {
    let split = DataConfig::default().load().unwrap();
    let model = ModelConfig::default();
    let network = model.build(split.train.features(), split.train.classes()).unwrap();
    let config = TrainConfig { epochs: 8, ..TrainConfig::default() };
    let plan = config.plan(split.train.examples()).unwrap();
    let key = Key::from_seed(0);
    let theta: Vec<f32> = initial_parameters(network.space(), model.init(), key.named("initial weights"));
    let mut trainer = Trainer::new(&network, &split.train, plan.recipe, theta, key.named("batches")).unwrap();
    run(&mut trainer, plan.steps);
    let test = Objective::new(network, config.loss, split.test.examples());
    let value = test.values(&[trainer.theta()], &Examples::of(&split.test))[0];
    assert!(value.error < 0.05, "test accuracy {} %", 100.0 * (1.0 - value.error));
}

#[test]
fn a_batch_norm_of_features_needs_two_examples() {
    let error = |layers: Arc<dyn Architecture>, size| {
        let theta = vec![0.0f64; layers.space().dimension()];
        let recipe = recipe(momentum(), Some(size));
        Trainer::new(&layers, &digits(), recipe, theta, Key::from_seed(SEED)).err().map(|e| e.to_string())
    };
    let message = |size| {
        Some(format!(
            "train: expected batches of at least 2 examples for the batch norm 1, which has one number an example and channel, \
             found 100 examples in batches of {size}, which leave a batch of 1"
        ))
    };
    assert_eq!(error(batch_normed(), 1), message(1));
    assert_eq!(error(batch_normed(), 33), message(33), "three batches, and one of 1");
    assert_eq!(error(batch_normed(), 32), None);
    assert_eq!(error(mlp(Activation::Tanh), 1), None);
}
