//! The report: from the readings on record to figures, findings and one page.
//!
//! It reads the folder and nothing else, so it says the same whether the readings were taken now or by a process
//! that was killed.

mod conventions;
mod figures;
mod finding;
mod findings;
mod references;
mod sections;

use rayon::prelude::*;
use thalweg_geometry::section::{Line, Trajectory};
use thalweg_geometry::site::Reading;
use thalweg_geometry::spectrum::Extremes;
use thalweg_learn::arch::{Activation, ModelConfig};
use thalweg_learn::loss::Loss;
use thalweg_report::Page;

pub use finding::Finding;

use super::inputs::Inputs;
use super::plane::{PlaneArrays, Planes};
use super::spectrum::{At, Threshold, threshold};
use super::trace::{self, Trace};
use super::trajectory::TrajectoryReadings;
use super::{line, plane, trajectory};
use crate::interrupt;
use crate::progress::Progress;
use crate::recipe::training::Divergence;
use crate::recipe::{RecipeError, timings};
use crate::store::Folder;

pub(super) const STAGE: &str = "report";
pub(super) const PAGE: &str = "report.html";
pub(super) const FINDINGS: &str = "findings.json";

/// Pixels of a PNG for each CSS pixel.
const PNG_SCALE: f64 = 2.0;

/// The readings that there are; what needs a solution is missing from a run that diverged.
struct Readings {
    training: Reading<Trace>,
    line: Option<Reading<Line>>,
    plane: Option<(Planes, PlaneArrays)>,
    trajectory: Option<TrajectoryReadings>,
    trajectory_plane: Option<PlaneArrays>,
    spectrum_start: Reading<Extremes>,
    spectrum_end: Option<Reading<Extremes>>,
    threshold: Option<Threshold>,
}

impl Readings {
    fn gather(inputs: &Inputs, folder: &Folder) -> Result<Self, RecipeError> {
        let has = |stage: &str| folder.is_finished(stage);
        let trajectory: Option<TrajectoryReadings> =
            has(trajectory::STAGE).then(|| folder.read_json(trajectory::JSON)).transpose()?;
        let has_plane = trajectory.as_ref().is_some_and(|readings| readings.planes.is_some());
        let planes = || Ok((folder.read_json(plane::JSON)?, PlaneArrays::read(folder, plane::NPZ)?));
        Ok(Self {
            training: folder.read_json(trace::JSON)?,
            line: has(line::STAGE).then(|| folder.read_json(line::JSON)).transpose()?,
            plane: has(plane::STAGE).then(planes).transpose().map_err(|error: RecipeError| error)?,
            trajectory_plane: has_plane.then(|| PlaneArrays::read(folder, trajectory::NPZ)).transpose()?,
            trajectory,
            spectrum_start: folder.read_json(&At::Initialisation.json())?,
            spectrum_end: has(&At::Solution.stage())
                .then(|| folder.read_json(&At::Solution.json()))
                .transpose()?,
            threshold: threshold(inputs),
        })
    }

    fn divergence(&self) -> Option<&Divergence> {
        self.training.value.divergence.as_ref()
    }

    /// Whether training came to its end and left the loss no lower than a [`guess`] has it.
    fn has_learned_nothing(&self, inputs: &Inputs) -> bool {
        let last = self.training.value.loss_train.last();
        self.divergence().is_none() && last.is_none_or(|&loss| loss >= guess(inputs))
    }

    /// The training loss before and after, if training came to its end, below a guess, and made it worse.
    fn rose(&self, inputs: &Inputs) -> Option<[f64; 2]> {
        let losses = &self.training.value.loss_train;
        let (&before, &after) = (losses.first()?, losses.last()?);
        let is_told = self.divergence().is_some() || self.has_learned_nothing(inputs);
        (!is_told && after > before).then_some([before, after])
    }
}

/// Writes pictures, findings and the page.
pub(super) fn write(inputs: &Inputs, folder: &mut Folder, progress: &Progress) -> Result<(), RecipeError> {
    folder.stage(STAGE, |stage| {
        let readings = Readings::gather(inputs, stage.folder())?;
        let figures = figures::all(inputs, &readings)?;
        let bar = progress.stage("report", figures.len() as u64 + 1, "pictures and pages");
        // Drawn side by side, written one after another: the order in the manifest is that of the page.
        let pictures: Vec<(String, Vec<u8>)> = figures
            .par_iter()
            .map(|(_, figure)| {
                let pictures = (figure.svg(), figure.png(PNG_SCALE));
                bar.inc(1);
                pictures
            })
            .collect();
        interrupt::check()?;
        for ((name, _), (svg, png)) in figures.iter().zip(&pictures) {
            stage.write(&format!("{name}.svg"), svg.as_bytes())?;
            stage.write(&format!("{name}.png"), png)?;
        }
        let findings = findings::all(inputs, &readings);
        let subtitle = subtitle(inputs, &readings);
        let mut page = Page::new("Survey of a loss landscape", subtitle);
        page.findings = findings.iter().map(finding::Finding::on_page).collect();
        page.sections = sections::all(inputs, &readings, &figures);
        page.conventions = conventions::conventions(inputs);
        page.provenance = conventions::provenance(inputs, stage.folder(), &timings::read(stage.folder()));
        stage.write_json(FINDINGS, &findings)?;
        stage.write(PAGE, page.html().as_bytes())?;
        bar.inc(1);
        bar.finish();
        Ok::<(), RecipeError>(())
    })?;
    Ok(())
}

fn subtitle(inputs: &Inputs, readings: &Readings) -> String {
    let data = &inputs.setup.data.train;
    let steps = match readings.divergence() {
        None => format!("{} steps", inputs.setup.plan.steps),
        Some(divergence) => format!("{} of {} steps, and diverged", divergence.step, inputs.setup.plan.steps),
    };
    format!(
        "{}, {} parameters, trained on {} ({} examples) for {steps}",
        network(inputs),
        inputs.setup.architecture.space().dimension(),
        data.name(),
        data.examples()
    )
}

/// The network in words: `Perceptron 64-64-64-10 (ReLU)`; other kinds as checkpoints name them.
fn network(inputs: &Inputs) -> String {
    let ModelConfig::Mlp(mlp) = &inputs.config.model else { return inputs.setup.architecture.describe() };
    let ends = [inputs.setup.architecture.inputs(), inputs.setup.architecture.outputs()];
    let sizes: Vec<String> =
        ends[..1].iter().chain(&mlp.widths).chain(&ends[1..]).map(usize::to_string).collect();
    let activation = match mlp.activation {
        Activation::Relu => "ReLU",
        Activation::Gelu => "GELU",
        Activation::Silu => "SiLU",
        other => other.name(),
    };
    let (name, mut notes) = match mlp.widths.is_empty() {
        true => ("Linear map", Vec::new()),
        false => ("Perceptron", vec![activation]),
    };
    if mlp.layer_norm {
        notes.push("layer norm");
    }
    if !mlp.bias {
        notes.push("no biases");
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    format!("{name} {}{notes}", sizes.join("-"))
}

/// The loss of outputs that give every class the same probability; of a reconstruction that of outputs of 0.
fn guess(inputs: &Inputs) -> f64 {
    let classes = inputs.setup.data.train.classes() as f64;
    match inputs.setup.plan.recipe.loss {
        // Smoothed or not: what a label's probabilities are does not matter to outputs that are all equal.
        Loss::CrossEntropy | Loss::SmoothedCrossEntropy { .. } => libm::log(classes),
        // ½‖1/C − e_y‖² = ½(1 − 1/C).
        Loss::HalfMeanSquare => 0.5 * (1.0 - 1.0 / classes),
        Loss::Reconstruction => {
            let data = &inputs.setup.data.train;
            let squares: f64 = data.inputs().iter().map(|&x| f64::from(x).powi(2)).sum();
            0.5 * squares / data.examples() as f64
        }
    }
}

/// What [`guess`] is the loss of.
fn guess_name(inputs: &Inputs) -> &'static str {
    if inputs.setup.plan.recipe.loss.has_classes() { "uniform guess" } else { "guess of 0" }
}

/// The median over checkpoints of the share of their distance from the last one that is off the plane; the last one
/// itself, whose distance is 0, does not count.
fn off_plane_median(axes: &Trajectory) -> f64 {
    let mut shares = axes.off_plane[..axes.off_plane.len() - 1].to_vec();
    shares.sort_by(f64::total_cmp);
    let middle = shares.len() / 2;
    if shares.len().is_multiple_of(2) { 0.5 * (shares[middle - 1] + shares[middle]) } else { shares[middle] }
}

/// The loss's unit, if it has one.
fn loss_unit(inputs: &Inputs) -> &'static str {
    match inputs.setup.plan.recipe.loss {
        Loss::CrossEntropy | Loss::SmoothedCrossEntropy { .. } => "nats",
        Loss::HalfMeanSquare | Loss::Reconstruction => "",
    }
}
