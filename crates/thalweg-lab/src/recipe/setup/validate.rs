//! What a training run's configuration must keep to beyond its types.

use serde::Serialize;
use thalweg_learn::arch::{Architecture, ModelConfig};
use thalweg_learn::augment::AugmentationError;
use thalweg_learn::data::{Dataset, Split};
use thalweg_learn::loss::Loss;
use thalweg_learn::optim::OptimiserError;
use thalweg_learn::schedule::ScheduleError;
use thalweg_learn::train::{Course, TrainConfig, TrainError};

use super::{DataSource, InitialConfig, RunConfig};
use crate::recipe::RecipeError;

/// More parameters than any machine that this is meant for could take a Hessian product of.
const PARAMETERS_MAX: u128 = 1_000_000_000;
/// More steps than anyone waits for, and few enough to count in f64.
const STEPS_MAX: u64 = 1_000_000_000_000_000;

/// Refuses the first field that cannot be followed.
pub(super) fn validate(config: &RunConfig) -> Result<(), RecipeError> {
    kinds(config)?;
    model(&config.model, config.train.loss)?;
    let lr = config.train.lr;
    if !(lr.is_finite() && lr > 0.0) {
        return Err(RecipeError::field("train.lr", "a finite number above 0", lr));
    }
    if let Some(stop) = config.stop {
        stop.validate(config.train.loss.has_classes())?;
    }
    initial(&config.initial)
}

fn model(model: &ModelConfig, loss: Loss) -> Result<(), RecipeError> {
    match model {
        ModelConfig::Mlp(mlp) if mlp.widths.contains(&0) => {
            let found = format!("{:?}", mlp.widths);
            Err(RecipeError::field("model.widths", "at least 1 unit in every layer", found))
        }
        ModelConfig::Autoencoder(_) if loss.has_classes() => {
            let expected = "reconstruction, as the outputs of an autoencoder are for its inputs";
            Err(RecipeError::field("train.loss", expected, loss.name()))
        }
        _ => Ok(()),
    }
}

/// Refuses a text for a network of something else, and something else for a network of texts.
fn kinds(config: &RunConfig) -> Result<(), RecipeError> {
    match (&config.data, config.model.takes_tokens()) {
        (DataSource::TextFile(_), false) => {
            let expected = "a network for texts: gpt, or rnn or lstm with `model.embedding`";
            Err(RecipeError::field("model.kind", expected, kind(&config.model)))
        }
        (DataSource::TextFile(_) | DataSource::Npz(_), true) | (_, false) => Ok(()),
        (_, true) => {
            let expected = "text_file or npz, with a `data.path`, as the network of `model` is for texts";
            Err(RecipeError::field("data.kind", expected, kind(&config.data)))
        }
    }
}

/// Refuses inputs that a network for texts cannot look up.
pub(super) fn tokens(model: &ModelConfig, data: &Split) -> Result<(), RecipeError> {
    if !model.takes_tokens() {
        return Ok(());
    }
    for part in [&data.train, &data.test] {
        let classes = part.classes();
        let is_token = |x: &f32| x.fract() == 0.0 && (0.0..classes as f32).contains(x);
        if let Some(at) = part.inputs().iter().position(|x| !is_token(x)) {
            let expected = format!(
                "inputs of whole numbers from 0 to {}, as the network of `model` is for texts (`data.scaling` \"as_given\" \
                 leaves them as they are, `data.number_of_classes` counts them)",
                classes - 1
            );
            let (example, found) = (at / part.features(), part.inputs()[at]);
            return Err(RecipeError::field(
                "data",
                expected,
                format!("{found} in {}, example {example}", part.name()),
            ));
        }
    }
    Ok(())
}

/// Refuses labels at every position for a network that gives one answer, and one label for a network that answers everywhere.
pub(super) fn positions(network: &dyn Architecture, data: &Dataset) -> Result<(), RecipeError> {
    let (expected, found) = (network.positions(), data.positions());
    if expected == found {
        return Ok(());
    }
    let expected = format!("{expected} labels an example, as many as the network of `model` gives answers");
    Err(RecipeError::field("data", expected, format!("{found} in {}", data.name())))
}

/// The name of a choice, as configurations write it.
fn kind(choice: &impl Serialize) -> String {
    let fields = serde_json::to_value(choice).unwrap_or_default();
    fields["kind"].as_str().unwrap_or_default().to_owned()
}

/// Outputs of the network: one for each class, or for each input.
pub(super) fn outputs(config: &TrainConfig, data: &Dataset) -> Result<usize, RecipeError> {
    match (config.loss.has_classes(), data.positions()) {
        (true, _) => Ok(data.classes()),
        (false, 1) => Ok(data.features()),
        (false, _) => {
            let expected = "a loss of classes, as a text has one at every position";
            Err(RecipeError::field("train.loss", expected, config.loss.name()))
        }
    }
}

/// The number of parameters of the network for those data.
pub(super) fn parameters(model: &ModelConfig, data: &Dataset, outputs: usize) -> Result<u128, RecipeError> {
    let features = data.features();
    let expected = || format!("a network of at most {PARAMETERS_MAX} parameters");
    let ModelConfig::Mlp(mlp) = model else {
        // Layers count what they need before they exist.
        let found = model.build(data.shape(), outputs)?.space().dimension() as u128;
        return match found <= PARAMETERS_MAX {
            true => Ok(found),
            false => Err(RecipeError::field("model", expected(), found)),
        };
    };
    let sizes: Vec<u128> =
        [&[features], &mlp.widths[..], &[outputs]].concat().into_iter().map(|size| size as u128).collect();
    let units: u128 = sizes[1..].iter().sum();
    let hidden = units - outputs as u128;
    let weights: u128 = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let found = weights + if mlp.bias { units } else { 0 } + if mlp.layer_norm { 2 * hidden } else { 0 };
    if found <= PARAMETERS_MAX {
        return Ok(found);
    }
    let found = format!("{:?}: {found} with {features} inputs and {outputs} outputs", mlp.widths);
    Err(RecipeError::field("model.widths", expected(), found))
}

fn initial(initial: &InitialConfig) -> Result<(), RecipeError> {
    match initial {
        InitialConfig { path: None, blake3: Some(_) } => Err(RecipeError::field(
            "initial.blake3",
            "a file in `initial.path` that it is the digest of",
            "none",
        )),
        _ => Ok(()),
    }
}

/// Refuses a run of no step, or of more than anyone waits for.
pub(super) fn steps(config: &TrainConfig, steps: u64) -> Result<(), RecipeError> {
    let (field, found) = config.steps.map_or(("train.epochs", config.epochs), |steps| ("train.steps", steps));
    if steps == 0 {
        return Err(RecipeError::field(field, "at least 1", found));
    }
    if steps > STEPS_MAX {
        return Err(RecipeError::field(field, format!("at most {STEPS_MAX} steps"), found));
    }
    Ok(())
}

/// A refusal of the plan of training, under the names that the configuration has.
pub(super) fn plan_error(config: &TrainConfig, error: TrainError) -> RecipeError {
    let is_momentum_missing =
        matches!(error, TrainError::Optimiser(OptimiserError::NesterovWithoutMomentum { .. }));
    match (error, &config.schedule) {
        (
            TrainError::Value { field: "schedule.milestones", expected, .. },
            Course::Steps { milestones, .. },
        ) => RecipeError::field(
            "train.schedule.milestones",
            format!("each {expected}"),
            format!("{milestones:?}"),
        ),
        (TrainError::Value { field, expected, found }, _) => {
            RecipeError::field(format!("train.{field}"), expected, found)
        }
        (TrainError::Choice { field, expected, found }, _) => {
            RecipeError::field(format!("train.{field}"), expected, found)
        }
        (TrainError::Schedule(ScheduleError::Value { field: "lr_end", .. }), Course::Cosine { end, .. }) => {
            RecipeError::field("train.schedule.end", "a share of the learning rate, at least 0", end)
        }
        (TrainError::Schedule(ScheduleError::Value { field, expected, found }), _) => {
            RecipeError::field(format!("train.schedule.{field}"), expected, found)
        }
        (TrainError::Schedule(ScheduleError::Milestones { .. }), Course::Steps { milestones, .. }) => {
            let expected = "ascending shares of the run, at different steps of it";
            RecipeError::field("train.schedule.milestones", expected, format!("{milestones:?}"))
        }
        (TrainError::Optimiser(OptimiserError::HyperParameter { field, expected, found, .. }), _) => {
            RecipeError::field(format!("train.optimiser.{field}"), expected, found)
        }
        (TrainError::LoneExample { norm, examples, size }, _) => RecipeError::field(
            "train.batch_size",
            format!("at least 2 examples in every batch, for a variance in the batch norm {norm}"),
            format!("{size}, which leaves a batch of 1 of {examples} examples"),
        ),
        (TrainError::Augmentation(AugmentationError { field, expected, found }), _) => {
            let field =
                field.map_or_else(|| "train.augment".to_owned(), |field| format!("train.augment.{field}"));
            RecipeError::field(field, expected, found)
        }
        _ if is_momentum_missing => RecipeError::field(
            "train.optimiser.nesterov",
            "a momentum above 0 beside it",
            "true with momentum 0",
        ),
        (error, _) => error.into(),
    }
}
