//! The report: from the readings on record to figures, findings and one page.
//!
//! It reads the folder and nothing else, so it says the same whether the readings were taken now or by a process
//! that was killed.

mod conventions;
mod figures;
mod findings;
mod sections;

use rayon::prelude::*;
use thalweg_geometry::section::Line;
use thalweg_geometry::site::Reading;
use thalweg_geometry::spectrum::Extremes;
use thalweg_report::Page;

use super::inputs::Inputs;
use super::plane::{PlaneArrays, Planes};
use super::spectrum::{At, Threshold, threshold};
use super::train::Divergence;
use super::training::Training;
use super::trajectory::TrajectoryReadings;
use super::{SurveyError, line, plane, timings, training, trajectory};
use crate::interrupt;
use crate::progress::Progress;
use crate::store::Folder;

pub(super) const STAGE: &str = "report";
pub(super) const PAGE: &str = "report.html";
pub(super) const FINDINGS: &str = "findings.json";

/// Pixels of a PNG for each CSS pixel.
const PNG_SCALE: f64 = 2.0;

/// The readings that there are; what needs a solution is missing from a run that diverged.
struct Readings {
    training: Reading<Training>,
    line: Option<Reading<Line>>,
    plane: Option<(Planes, PlaneArrays)>,
    trajectory: Option<TrajectoryReadings>,
    trajectory_plane: Option<PlaneArrays>,
    spectrum_start: Reading<Extremes>,
    spectrum_end: Option<Reading<Extremes>>,
    threshold: Option<Threshold>,
}

impl Readings {
    fn gather(inputs: &Inputs, folder: &Folder) -> Result<Self, SurveyError> {
        let has = |stage: &str| folder.is_finished(stage);
        let trajectory: Option<TrajectoryReadings> =
            has(trajectory::STAGE).then(|| folder.read_json(trajectory::JSON)).transpose()?;
        let has_plane = trajectory.as_ref().is_some_and(|readings| readings.planes.is_some());
        let planes = || Ok((folder.read_json(plane::JSON)?, PlaneArrays::read(folder, plane::NPZ)?));
        Ok(Self {
            training: folder.read_json(training::JSON)?,
            line: has(line::STAGE).then(|| folder.read_json(line::JSON)).transpose()?,
            plane: has(plane::STAGE).then(planes).transpose().map_err(|error: SurveyError| error)?,
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
}

/// Writes pictures, findings and the page.
pub(super) fn write(inputs: &Inputs, folder: &mut Folder, progress: &Progress) -> Result<(), SurveyError> {
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
        let findings = findings::all(&readings);
        let subtitle = subtitle(inputs);
        let mut page = Page::new("Survey of a loss landscape", subtitle);
        page.findings.clone_from(&findings);
        page.sections = sections::all(inputs, &readings, &figures);
        page.conventions = conventions::conventions(inputs);
        page.provenance = conventions::provenance(inputs, stage.folder(), &timings::read(stage.folder()));
        stage.write_json(FINDINGS, &findings)?;
        stage.write(PAGE, page.html().as_bytes())?;
        bar.inc(1);
        bar.finish();
        Ok::<(), SurveyError>(())
    })?;
    Ok(())
}

fn subtitle(inputs: &Inputs) -> String {
    let data = &inputs.data.train;
    format!(
        "{} ({} parameters) trained on {} ({} examples) for {} steps",
        inputs.architecture.describe(),
        inputs.architecture.space().dimension(),
        data.name(),
        data.examples(),
        inputs.plan.steps
    )
}

/// The loss's unit, if it has one.
fn loss_unit(inputs: &Inputs) -> &'static str {
    match inputs.plan.recipe.loss {
        thalweg_learn::loss::Loss::CrossEntropy => "nats",
        thalweg_learn::loss::Loss::HalfMeanSquare => "",
    }
}
