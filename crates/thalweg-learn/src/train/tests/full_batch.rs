//! Optimisers that choose their points.

use std::sync::Arc;

use thalweg_kernel::{Key, Real};

use super::{
    SEED, batch_normed, digits, dropping, mlp, momentum, recipe, refusal, resumes_to_the_same_bits, run,
    trainer, trainer_of,
};
use crate::arch::{Activation, Architecture, Mlp, ModelConfig, initial_parameters};
use crate::augment::Augmentation;
use crate::data::Dataset;
use crate::loss::Loss;
use crate::objective::{Examples, Objective};
use crate::optim::{GradientFlow, Halt, Lbfgs, Optimiser, Sgd};
use crate::schedule::Schedule;
use crate::train::running::Running;
use crate::train::{Recipe, Trainer};

/// So few pairs that some are lost within ten steps.
const LBFGS: Optimiser =
    Optimiser::Lbfgs(Lbfgs { history: 3, tolerance_grad: 1e-9, tolerance_change: 1e-12 });

fn flow(rtol: f64) -> Optimiser {
    Optimiser::GradientFlow(GradientFlow { rtol, atol: rtol, ..GradientFlow::default() })
}

fn constant(optimiser: Optimiser, lr: f64) -> Recipe {
    Recipe { schedule: Schedule::Constant { lr, warmup: None }, ..recipe(optimiser, None) }
}

#[test]
fn a_run_resumed_at_any_step_reaches_the_same_bits() {
    let cases = || [LBFGS, flow(1e-3)].into_iter().map(|optimiser| (optimiser, None));
    for network in [mlp(Activation::Tanh), batch_normed()] {
        resumes_to_the_same_bits::<f32>(&network, cases());
        resumes_to_the_same_bits::<f64>(&network, cases());
    }
}

#[test]
fn steps_report_and_keep_what_is_where_they_begin() {
    let (data, network) = (digits(), batch_normed());
    let (examples, objective) =
        (Examples::of(&data), Objective::training(Arc::clone(&network), Loss::CrossEntropy, 100));
    for optimiser in [LBFGS, flow(1e-4)] {
        let mut trainer = trainer_of::<f64>(&network, constant(optimiser, 0.5));
        let mut running = Running::<f64>::new(network.norms());
        let mut last = f64::INFINITY;
        for step in 0..6 {
            let value = objective.values(&[trainer.theta()], &examples)[0];
            running.update(
                network.norms(),
                100,
                &objective.statistics(&[trainer.theta()], &examples).remove(0),
            );
            let seen = trainer.step();
            assert!(
                (seen.loss - value.loss).abs() < 1e-13 && seen.error == value.error,
                "{seen:?} {value:?}"
            );
            let pairs = trainer.statistics().iter().zip(running.values());
            assert!(pairs.clone().all(|(x, y)| (x - y).abs() < 1e-12 * y.abs().max(1.0)), "step {step}");
            // Both go downhill whatever the rate.
            assert!(seen.loss < last, "{optimiser:?}, step {step}: {} after {last}", seen.loss);
            last = seen.loss;
        }
    }
}

#[test]
fn lbfgs_trains_to_a_gradient_of_nothing() {
    // Labels that smoothing keeps from being fitted by endless parameters. Two layers are not convex, and have valleys of minima.
    let mut inputs = vec![0.0; 4 * 60];
    Key::from_seed(2).normals(&mut inputs);
    let inputs = inputs.into_iter().map(|x| x as f32).collect();
    let labels = (0..60).map(|i| i * i % 3).collect();
    let data = Dataset::new("noise", inputs, 4, labels, 3).unwrap();
    let loss = Loss::CrossEntropy.smoothed(0.1);
    for widths in [&[][..], &[3]] {
        let network: Arc<dyn Architecture> =
            Arc::new(Mlp::new(4, widths, 3, Activation::Linear, true, false).unwrap());
        let lbfgs = Optimiser::Lbfgs(Lbfgs { tolerance_grad: 1e-10, tolerance_change: 0.0, history: 10 });
        let recipe = Recipe { loss, ..constant(lbfgs, 1.0) };
        let theta = initial_parameters(network.space(), ModelConfig::default().init(), Key::from_seed(SEED));
        let mut trainer = Trainer::<f64>::new(&network, &data, recipe, theta, Key::from_seed(SEED)).unwrap();
        let objective = Objective::<f64>::new(Arc::clone(&network), loss, 60);
        let gradient = |theta: &[f64]| {
            let mut gradient = vec![0.0; theta.len()];
            objective.gradient(theta, &Examples::of(&data), &mut gradient);
            gradient.iter().map(|g| g * g).sum::<f64>().sqrt()
        };
        while gradient(trainer.theta()) > 1e-8 {
            assert!(trainer.steps() < 1000, "{widths:?}: {:e} is left", gradient(trainer.theta()));
            run(&mut trainer, 5);
        }
        // Converged is no divergence: steps go on, and nothing moves.
        run(&mut trainer, 100);
        let before = trainer.theta().to_vec();
        run(&mut trainer, 3);
        assert_eq!(trainer.theta(), before);
    }
}

#[test]
fn gradient_descent_of_small_steps_follows_the_flow() {
    let end = |optimiser, lr: f64, steps| {
        let mut trainer = trainer::<f64>(constant(optimiser, lr));
        run(&mut trainer, steps);
        trainer.theta().to_vec()
    };
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
    let truth = end(flow(1e-10), 0.5, 4);
    let descent = |steps: u64| end(Optimiser::Sgd(Sgd::default()), 2.0 / steps as f64, steps);
    let errors = [500, 1000].map(|steps| distance(&descent(steps), &truth));
    // Euler's method is of first order.
    assert!(errors[1] < 0.01 && (errors[0] / errors[1] - 2.0).abs() < 0.05, "{errors:?}");
    // Time is what counts, not how it is cut into steps.
    let cut = end(flow(1e-10), 0.125, 16);
    assert!(distance(&cut, &truth) < 1e-7, "{:e}", distance(&cut, &truth));
    let loose = distance(&end(flow(1e-4), 0.5, 4), &truth);
    assert!(loose < 1e-2 && loose > 1e-8, "{loose:e}");
}

#[test]
fn a_flow_that_wants_too_many_substeps_ends_where_it_was() {
    let flow = GradientFlow { substeps_max: 5, ..GradientFlow::default() };
    let mut trainer = trainer::<f32>(constant(Optimiser::GradientFlow(flow), 1e-3));
    run(&mut trainer, 1);
    let mut trainer = {
        let recipe = constant(Optimiser::GradientFlow(flow), 1e4);
        let (network, data) = (trainer.architecture().clone(), digits());
        let (theta, state) = (trainer.theta().to_vec(), trainer.state().clone());
        Trainer::resume(&network, &data, recipe, theta, Vec::new(), state, Key::from_seed(SEED)).unwrap()
    };
    let before = trainer.checkpoint(SEED).to_bytes().unwrap();
    for _ in 0..2 {
        let step = trainer.step();
        assert_eq!((step.taken, step.halt), (false, Some(Halt::Substeps { tried: 5 })), "{step:?}");
        assert!(step.loss.is_finite() && trainer.checkpoint(SEED).to_bytes().unwrap() == before);
    }
}

#[test]
fn what_changes_from_step_to_step_is_refused() {
    let start = |network: &Arc<dyn Architecture>, recipe: Recipe| {
        let theta = vec![f32::ONE; network.space().dimension()];
        refusal(Trainer::new(network, &digits(), recipe, theta, Key::from_seed(0)))
    };
    let tanh = mlp(Activation::Tanh);
    for (optimiser, kind) in [(LBFGS, "lbfgs"), (flow(1e-4), "gradient_flow")] {
        let full = recipe(optimiser, None);
        assert_eq!(
            start(&tanh, recipe(optimiser, Some(32))),
            format!(
                "train: expected batch_size to be \"full\", as {kind} is for the loss of all examples, found 32"
            )
        );
        let augment = Some(Augmentation { shift: 1, ..Augmentation::default() });
        let message = start(&tanh, Recipe { augment, ..full.clone() });
        assert!(message.starts_with("train: expected augment to be none"), "{message}");
        let message = start(&tanh, Recipe { clip_norm: Some(1.0), ..full.clone() });
        assert!(message.starts_with("train: expected clip_norm to be none"), "{message}");
        let message = start(&dropping(), full);
        assert!(message.starts_with("train: expected optimiser.kind to be") && message.ends_with(kind));
    }
    // Others take all of that.
    assert!(recipe(momentum(), Some(32)).check_function(&*dropping()).is_ok());
}
