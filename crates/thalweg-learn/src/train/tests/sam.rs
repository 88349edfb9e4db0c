use std::sync::Arc;

use thalweg_kernel::Key;

use super::{SEED, digits, dropping, layers, recipe, trainer_of};
use crate::arch::{Activation, Architecture, Mlp, statistics_len};
use crate::augment::Augmentation;
use crate::data::Dataset;
use crate::loss::Loss;
use crate::objective::Objective;
use crate::optim::{Halt, Optimiser, OptimiserState, Sam};
use crate::train::feed::Feed;
use crate::train::running::Running;
use crate::train::{Recipe, Trainer};

const SAM: Sam = Sam { rho: 0.3, adaptive: false, momentum: 0.9, nesterov: false, weight_decay: 0.01 };

/// Both passes of some steps by hand, on what the steps see.
fn follows(network: &Arc<dyn Architecture>, recipe: &Recipe) {
    let mut trainer = trainer_of::<f64>(network, recipe.clone());
    let Optimiser::Sam(sam) = recipe.optimiser else { panic!("{recipe:?}") };
    let (data, key) = (digits(), Key::from_seed(SEED));
    let mut feed = Feed::<f64>::new(&**network, &data, recipe.batch_size, recipe.augment, key).unwrap();
    let mut theta = trainer.theta().to_vec();
    let mut state = OptimiserState::new(recipe.optimiser, theta.len()).unwrap();
    let mut running = Running::<f64>::new(network.norms());
    let mut gradient = vec![0.0; theta.len()];
    for step in 0..9 {
        let (batch, examples) = feed.at(step);
        let objective = Objective::training(Arc::clone(network), recipe.loss, examples);
        let mut statistics = vec![0.0; statistics_len(network.norms())];
        let value = objective.gradient_and_statistics(&theta, batch, &mut gradient, &mut statistics);
        running.update(network.norms(), examples, &statistics);
        let ascended = sam.ascended(&theta, &gradient);
        objective.gradient_and_statistics(&ascended, batch, &mut gradient, &mut statistics);
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let longest = recipe.clip_norm.unwrap_or(f64::INFINITY);
        assert!(norm > longest || recipe.clip_norm.is_none(), "nothing is clipped");
        gradient.iter_mut().for_each(|g| *g *= (longest / (norm + 1e-6)).min(1.0));
        state.step(&mut theta, &gradient, recipe.schedule.lr_at(step));
        let seen = trainer.step();
        assert_eq!((seen.loss, seen.error, seen.taken, seen.halt), (value.loss, value.error, true, None));
        assert!(trainer.theta() == theta && trainer.statistics() == running.values(), "step {step}");
    }
}

#[test]
fn the_second_pass_sees_the_same_batch_and_drops_the_same() {
    let augment = Some(Augmentation { shift: 1, crop: 1, flip: true });
    let normed = layers(&["linear 6", "batchnorm", "relu", "linear 10"]);
    for batch_size in [Some(32), None] {
        for optimiser in [SAM, Sam { rho: 1.0, adaptive: true, ..SAM }].map(Optimiser::Sam) {
            let plain = recipe(optimiser, batch_size);
            follows(&normed, &plain);
            follows(&dropping(), &Recipe { augment, clip_norm: Some(1e-3), ..plain });
        }
    }
}

#[test]
fn a_way_up_that_leaves_the_numbers_is_divergence() {
    let network: Arc<dyn Architecture> =
        Arc::new(Mlp::new(1, &[1], 2, Activation::Linear, false, false).unwrap());
    let data = Dataset::new("one", vec![1.0], 1, vec![1], 2).unwrap();
    // At θ + ε̂ all weights are about 1e38, and their products more than single precision holds.
    let optimiser = Optimiser::Sam(Sam { rho: 3e38, ..SAM });
    let theta = vec![0.5, 0.1, -0.1f32];
    let recipe = Recipe { loss: Loss::HalfMeanSquare, ..recipe(optimiser, None) };
    let mut trainer = Trainer::new(&network, &data, recipe, theta.clone(), Key::from_seed(0)).unwrap();
    for _ in 0..2 {
        let step = trainer.step();
        assert!(step.loss.is_finite() && !step.taken && step.halt == Some(Halt::NotFinite), "{step:?}");
        assert_eq!((trainer.theta(), trainer.steps()), (&theta[..], 0));
        assert_eq!(trainer.state().slots()[0].values, [0.0; 3]);
    }
}
