//! The survey: one training run and the landscape that it walked through.
//!
//! Writes down the data, trains a network, keeps checkpoints, and measures
//! - at every checkpoint loss, error, gradient norm and distance from the start;
//! - the straight line from initialisation to solution (Goodfellow et al. 2015; Lucas et al. 2021);
//! - the loss over two planes: of two random directions through the solution, scaled filter by filter (Li et al.
//!   2018), and of the trajectory's first two principal components, with the share of the trajectory off that plane;
//! - the largest and smallest eigenvalues of the Hessian at both ends, by Lanczos;
//!
//! and writes a report. Every stage is done once: [`survey`] called again goes on where it was cut off, to the same
//! bits, and does nothing if all is there. A run that diverges is a result: what needs a solution is left out, and
//! the report says so.

mod config;
mod docs;
mod inputs;
mod line;
mod memory;
mod plane;
mod report;
mod spectrum;
#[cfg(test)]
mod tests;
mod trace;
mod trajectory;
mod validate;

use std::path::{Path, PathBuf};

pub use thalweg_geometry::site::Outcome;
use thalweg_geometry::site::{Dtype, Site};
use thalweg_kernel::Key;
use thalweg_learn::checkpoint::Stored;
use thalweg_learn::data::Folders;
use thalweg_learn::train::{Step, Trainer};

pub use config::{LineConfig, PlaneConfig, SpectrumConfig, SurveyConfig, TrajectoryConfig};
pub use docs::doc;
pub use plane::{Place, PlaneSummary, Planes};
pub use report::Finding;
pub use trace::Trace;
pub use trajectory::TrajectoryReadings;

use super::training::{self, Divergence, Observer, Training};
use super::{RecipeError, open, part, setup, tell_kept_aside};
use crate::identity::Identity;
use crate::progress::Progress;
use crate::site::NetworkSite;
use crate::store::Folder;
use inputs::Inputs;
use spectrum::At;

/// The recipe's name, which folders begin with.
pub const NAME: &str = "survey";
/// Goes up whenever the same configuration would give other numbers.
pub const VERSION: u32 = 6;

/// Where a survey is made, and what is done with a folder that is there.
#[derive(Clone, Debug, Default)]
pub struct SurveyOptions {
    /// The folder; `runs/survey-<name of the run>` if none is given.
    pub out: Option<PathBuf>,
    /// A folder of data sets, looked in first.
    pub data_dir: Option<PathBuf>,
    /// Whether damaged files are kept aside and their stages done again.
    pub repair: bool,
}

/// A survey that has been made.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Its folder.
    pub folder: PathBuf,
    /// Its page.
    pub report: PathBuf,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Where training diverged, if it did.
    pub divergence: Option<Divergence>,
    /// Whether all of it had been there before.
    pub was_complete: bool,
}

/// Makes a survey, or what is left of one.
///
/// # Errors
/// A configuration, a file or a folder that cannot be used, or an interrupt. Whatever was finished before is kept.
pub fn survey(
    config: &SurveyConfig,
    options: &SurveyOptions,
    progress: &Progress,
) -> Result<Survey, RecipeError> {
    let inputs = Inputs::resolve(config, &Folders::new(options.data_dir.as_deref()))?;
    let identity = Identity::new(NAME, VERSION, &inputs.config)?;
    let path = options.out.clone().unwrap_or_else(|| Path::new("runs").join(identity.folder_name()));
    let mut folder = open(&path, &identity, &inputs.setup, options.repair, progress)?;
    let finished_before = folder.stages().len();
    match inputs.config.dtype {
        Dtype::F32 => run::<f32>(&inputs, &mut folder, progress)?,
        Dtype::F64 => run::<f64>(&inputs, &mut folder, progress)?,
    }
    tell_kept_aside(&folder, progress);
    Ok(Survey {
        report: folder.path().join(report::PAGE),
        findings: folder.read_json(report::FINDINGS)?,
        divergence: training::divergence(&folder)?,
        was_complete: folder.stages().len() == finished_before,
        folder: path,
    })
}

/// What all stages stand on.
struct Ground<'a, T: Stored> {
    inputs: &'a Inputs,
    train: &'a NetworkSite<T>,
    test: Box<dyn Site + 'a>,
    key: Key,
    progress: &'a Progress,
}

fn run<T: Stored>(inputs: &Inputs, folder: &mut Folder, progress: &Progress) -> Result<(), RecipeError> {
    let setup = &inputs.setup;
    let loss = setup.plan.recipe.loss;
    let train = NetworkSite::<T>::new(setup.architecture.clone(), loss, &setup.data.train);
    let test = train.held_out(&setup.data.test);
    let ground = Ground { inputs, train: &train, test, key: setup.key(), progress };
    setup::write_data(setup, folder)?;
    part(folder, "training", |folder| {
        Training::new(setup, progress, "training", LastLoss(&train)).run(folder)
    })?;
    part(folder, "checkpoints", |folder| trace::measure(&ground, folder))?;
    let has_solution = training::divergence(folder)?.is_none();
    if has_solution {
        part(folder, "line", |folder| line::measure(&ground, folder))?;
        part(folder, "random plane", |folder| plane::measure(&ground, folder))?;
        part(folder, "trajectory plane", |folder| trajectory::measure(&ground, folder))?;
    }
    part(folder, "spectrum at initialisation", |folder| {
        spectrum::measure(&ground, folder, At::Initialisation)
    })?;
    if has_solution {
        part(folder, "spectrum at the solution", |folder| spectrum::measure(&ground, folder, At::Solution))?;
    }
    part(folder, "report", |folder| report::write(inputs, folder, progress))
}

/// A survey measures at its checkpoints, and leaves training alone.
struct LastLoss<'a, T: Stored>(&'a NetworkSite<T>);

impl<T: Stored> Observer<T> for LastLoss<'_, T> {
    fn began(&mut self, _: &Trainer<T>) -> Result<(), RecipeError> {
        Ok(())
    }

    fn stepped(&mut self, _: &Trainer<T>, _: Step) -> Result<(), RecipeError> {
        Ok(())
    }

    fn state(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _: Option<&[u8]>, _: &Path) -> Result<(), RecipeError> {
        Ok(())
    }

    fn last_loss(&mut self, trainer: &Trainer<T>) -> Result<f64, RecipeError> {
        let theta: Vec<f64> = trainer.theta().iter().map(|x| x.to_f64()).collect();
        Ok(self.0.values(&[&theta])?[0].loss)
    }
}
