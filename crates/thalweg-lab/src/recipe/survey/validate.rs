//! What a configuration must keep to beyond its types.

use serde::Serialize;
use thalweg_geometry::section::Grid;
use thalweg_learn::arch::ModelConfig;
use thalweg_learn::data::Dataset;
use thalweg_learn::loss::Loss;
use thalweg_learn::optim::OptimiserError;
use thalweg_learn::schedule::ScheduleError;
use thalweg_learn::train::{Course, TrainConfig, TrainError};

use super::SurveyError;
use super::config::{
    CheckpointsConfig, InitialConfig, LineConfig, PlaneConfig, SpectrumConfig, SurveyConfig, SurveyData,
    TrajectoryConfig,
};
use super::spectrum::short;

/// More parameters than any machine that this is meant for could take a Hessian product of.
const PARAMETERS_MAX: u128 = 1_000_000_000;
/// More points than anyone waits for.
const GRID_MAX: usize = 10_000_000;
/// Further from the ends than any landscape has a shape; and far from where f32 overflows.
const REACH_MAX: f64 = 1e6;
/// More steps than anyone waits for, and few enough to count in f64.
const STEPS_MAX: u64 = 1_000_000_000_000_000;
/// Each is a file.
const CHECKPOINTS_MAX: u64 = 1_000_000;
const PER_DECADE_MAX: u32 = 1000;

/// Refuses the first field that cannot be followed.
pub(super) fn validate(config: &SurveyConfig) -> Result<(), SurveyError> {
    kinds(config)?;
    model(&config.model, config.train.loss)?;
    let lr = config.train.lr;
    if !(lr.is_finite() && lr > 0.0) {
        return Err(SurveyError::field("train.lr", "a finite number above 0", lr));
    }
    initial(&config.initial)?;
    line(&config.line)?;
    plane(&config.plane)?;
    trajectory(&config.trajectory)?;
    spectrum(&config.spectrum)
}

fn model(model: &ModelConfig, loss: Loss) -> Result<(), SurveyError> {
    match model {
        ModelConfig::Mlp(mlp) if mlp.widths.contains(&0) => {
            let found = format!("{:?}", mlp.widths);
            Err(SurveyError::field("model.widths", "at least 1 unit in every layer", found))
        }
        ModelConfig::Autoencoder(_) if loss.has_classes() => {
            let expected = "reconstruction, as the outputs of an autoencoder are for its inputs";
            Err(SurveyError::field("train.loss", expected, loss.name()))
        }
        _ => Ok(()),
    }
}

/// Refuses a text for a network of something else, and something else for a network of texts.
fn kinds(config: &SurveyConfig) -> Result<(), SurveyError> {
    match (&config.data, config.model.takes_tokens()) {
        (SurveyData::TextFile(_), false) => {
            let expected = "a network for texts: gpt, or rnn or lstm with `model.embedding`";
            Err(SurveyError::field("model.kind", expected, kind(&config.model)))
        }
        (SurveyData::TextFile(_), true) | (_, false) => Ok(()),
        (_, true) => {
            let expected = "text_file, with a `data.path`, as the network of `model` is for texts";
            Err(SurveyError::field("data.kind", expected, kind(&config.data)))
        }
    }
}

/// The name of a choice, as configurations write it.
fn kind(choice: &impl Serialize) -> String {
    let fields = serde_json::to_value(choice).unwrap_or_default();
    fields["kind"].as_str().unwrap_or_default().to_owned()
}

/// Outputs of the network: one for each class, or for each input.
pub(super) fn outputs(config: &TrainConfig, data: &Dataset) -> Result<usize, SurveyError> {
    match (config.loss.has_classes(), data.positions()) {
        (true, _) => Ok(data.classes()),
        (false, 1) => Ok(data.features()),
        (false, _) => {
            let expected = "a loss of classes, as a text has one at every position";
            Err(SurveyError::field("train.loss", expected, config.loss.name()))
        }
    }
}

/// The number of parameters of the network for those data.
pub(super) fn parameters(model: &ModelConfig, data: &Dataset, outputs: usize) -> Result<u128, SurveyError> {
    let features = data.features();
    let expected = || format!("a network of at most {PARAMETERS_MAX} parameters");
    let ModelConfig::Mlp(mlp) = model else {
        // Layers count what they need before they exist.
        let found = model.build(data.shape(), outputs)?.space().dimension() as u128;
        return match found <= PARAMETERS_MAX {
            true => Ok(found),
            false => Err(SurveyError::field("model", expected(), found)),
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
    Err(SurveyError::field("model.widths", expected(), found))
}

fn initial(initial: &InitialConfig) -> Result<(), SurveyError> {
    match initial {
        InitialConfig { path: None, blake3: Some(_) } => Err(SurveyError::field(
            "initial.blake3",
            "a file in `initial.path` that it is the digest of",
            "none",
        )),
        _ => Ok(()),
    }
}

/// Refuses a run of no step, of more than anyone waits for, or with more checkpoints than a folder should hold.
pub(super) fn steps(config: &SurveyConfig, steps: u64, steps_per_epoch: u64) -> Result<(), SurveyError> {
    let TrainConfig { epochs, steps: given, .. } = config.train;
    let (field, found) = given.map_or(("train.epochs", epochs), |steps| ("train.steps", steps));
    if steps == 0 {
        return Err(SurveyError::field(field, "at least 1", found));
    }
    if steps > STEPS_MAX {
        return Err(SurveyError::field(field, format!("at most {STEPS_MAX} steps"), found));
    }
    let CheckpointsConfig { per_decade, every_epochs } = config.checkpoints;
    if per_decade > PER_DECADE_MAX {
        let field = "checkpoints.per_decade";
        return Err(SurveyError::field(field, format!("at most {PER_DECADE_MAX}"), per_decade));
    }
    let multiples = steps.checked_div(every_epochs.saturating_mul(steps_per_epoch)).unwrap_or(0);
    if multiples > CHECKPOINTS_MAX {
        let expected = format!("at most {CHECKPOINTS_MAX} checkpoints in the {steps} steps of the run");
        let found = format!("{every_epochs}, which makes {multiples}");
        return Err(SurveyError::field("checkpoints.every_epochs", expected, found));
    }
    Ok(())
}

/// A refusal of the plan of training, under the names that the configuration has.
pub(super) fn plan_error(config: &TrainConfig, error: TrainError) -> SurveyError {
    let is_momentum_missing = matches!(error, TrainError::Optimiser(OptimiserError::NesterovWithoutMomentum));
    match (error, &config.schedule) {
        (
            TrainError::Value { field: "schedule.milestones", expected, .. },
            Course::Steps { milestones, .. },
        ) => SurveyError::field(
            "train.schedule.milestones",
            format!("each {expected}"),
            format!("{milestones:?}"),
        ),
        (TrainError::Value { field, expected, found }, _) => {
            SurveyError::field(format!("train.{field}"), expected, found)
        }
        (TrainError::Schedule(ScheduleError::Value { field: "lr_end", .. }), Course::Cosine { end, .. }) => {
            SurveyError::field("train.schedule.end", "a share of the learning rate, at least 0", end)
        }
        (TrainError::Schedule(ScheduleError::Value { field, expected, found }), _) => {
            SurveyError::field(format!("train.schedule.{field}"), expected, found)
        }
        (TrainError::Schedule(ScheduleError::Milestones { .. }), Course::Steps { milestones, .. }) => {
            let expected = "ascending shares of the run, at different steps of it";
            SurveyError::field("train.schedule.milestones", expected, format!("{milestones:?}"))
        }
        (TrainError::Optimiser(OptimiserError::HyperParameter { field, expected, found, .. }), _) => {
            SurveyError::field(format!("train.optimiser.{field}"), expected, found)
        }
        (TrainError::LoneExample { norm, examples, size }, _) => SurveyError::field(
            "train.batch_size",
            format!("at least 2 examples in every batch, for a variance in the batch norm {norm}"),
            format!("{size}, which leaves a batch of 1 of {examples} examples"),
        ),
        _ if is_momentum_missing => SurveyError::field(
            "train.optimiser.nesterov",
            "a momentum above 0 beside it",
            "true with momentum 0",
        ),
        (error, _) => error.into(),
    }
}

fn line(line: &LineConfig) -> Result<(), SurveyError> {
    points("line.points", line.points)?;
    range("line.from and line.to", [line.from, line.to], line.points)?;
    let tolerance = line.rise_tolerance;
    if !(tolerance.is_finite() && tolerance >= 0.0) {
        return Err(SurveyError::field("line.rise_tolerance", "a finite number of at least 0", tolerance));
    }
    Ok(())
}

fn plane(plane: &PlaneConfig) -> Result<(), SurveyError> {
    grid("plane.points", plane.points)?;
    range("plane.x", plane.x, plane.points[0])?;
    range("plane.y", plane.y, plane.points[1])
}

fn trajectory(trajectory: &TrajectoryConfig) -> Result<(), SurveyError> {
    let margin = trajectory.margin;
    if !(margin.is_finite() && (0.0..=100.0).contains(&margin)) {
        return Err(SurveyError::field("trajectory.margin", "a number from 0 to 100", margin));
    }
    grid("trajectory.points", trajectory.points)
}

fn spectrum(spectrum: &SpectrumConfig) -> Result<(), SurveyError> {
    for (field, found) in [
        ("spectrum.largest", spectrum.largest),
        ("spectrum.smallest", spectrum.smallest),
        ("spectrum.block", spectrum.block),
    ] {
        if found == 0 {
            return Err(SurveyError::field(field, "at least 1", found));
        }
    }
    let wanted = spectrum.largest.saturating_add(spectrum.smallest).saturating_add(spectrum.block);
    if spectrum.products_max < wanted {
        let expected = format!("at least {wanted}: the eigenvalues wanted and the start vectors");
        return Err(SurveyError::field("spectrum.products_max", expected, spectrum.products_max));
    }
    let tolerance = spectrum.tolerance;
    if !(tolerance > 0.0 && tolerance < 1.0) {
        return Err(SurveyError::field("spectrum.tolerance", "a number above 0 and below 1", tolerance));
    }
    Ok(())
}

fn range(field: &str, [from, to]: [f64; 2], points: usize) -> Result<(), SurveyError> {
    let found = || format!("[{}, {}]", short(from), short(to));
    if !(from.is_finite() && to.is_finite() && from < to) {
        return Err(SurveyError::field(field, "two finite numbers, the lower first", found()));
    }
    if from.abs().max(to.abs()) > REACH_MAX {
        return Err(SurveyError::field(
            field,
            format!("two numbers from -{REACH_MAX} to {REACH_MAX}"),
            found(),
        ));
    }
    match Grid::linear(from, to, points) {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(SurveyError::field(field, format!("room for {points} different points between"), found()))
        }
    }
}

fn points(field: &str, points: usize) -> Result<(), SurveyError> {
    if (2..=GRID_MAX).contains(&points) {
        return Ok(());
    }
    Err(SurveyError::field(field, format!("from 2 to {GRID_MAX} points"), points))
}

fn grid(field: &str, [x, y]: [usize; 2]) -> Result<(), SurveyError> {
    if x >= 2 && y >= 2 && x.saturating_mul(y) <= GRID_MAX {
        return Ok(());
    }
    let expected = format!("[x, y] with at least 2 points along each and at most {GRID_MAX} in all");
    Err(SurveyError::field(field, expected, format!("[{x}, {y}]")))
}
