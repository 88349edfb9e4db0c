//! Recipes: studies from a configuration to a report, one folder a recipe.
//!
//! A recipe has
//! - a configuration whose `Default` is a study that runs in under a minute on two cores, with a comment for every
//!   field;
//! - a version, which goes up whenever the same configuration would give other numbers;
//! - stages, each of which writes its readings once and is never done again;
//! - findings: the few numbers that the study exists for.
//!
//! What a recipe measures it leaves to `thalweg-geometry`, how it trains to `thalweg-learn`, and how it looks to
//! `thalweg-report`; what it adds is which of these, in what order, and what the results mean.
//!
//! | recipe | study |
//! |---|---|
//! | [`survey`] | one training run and the landscape that it walked through |
//! | [`train`] | a training run, or several side by side, and nothing more |

mod error;
pub mod setup;
pub mod survey;
mod timings;
pub mod train;
mod training;

use std::path::Path;
use std::time::Instant;

use thalweg_geometry::site::Dtype;

pub use error::RecipeError;
pub use thalweg_learn::checkpoint::CheckpointError;
pub use training::Divergence;

use crate::identity::Identity;
use crate::interrupt;
use crate::progress::Progress;
use crate::store::Folder;
use setup::Setup;

/// Opens a run's folder or makes it, which it is not for a run that could not begin; with all that is on record in it whole.
fn open(
    path: &Path,
    identity: &Identity,
    setup: &Setup,
    repair: bool,
    progress: &Progress,
) -> Result<Folder, RecipeError> {
    if !Folder::holds_run(path) {
        match setup.config.dtype {
            Dtype::F32 => setup.check_initial_loss::<f32>()?,
            Dtype::F64 => setup.check_initial_loss::<f64>()?,
        }
    }
    let mut folder = Folder::open_or_create(path, identity)?;
    if repair {
        for stage in folder.repair()? {
            progress.note(&format!("stage {stage} had damaged files and is done again"));
        }
    }
    folder.verify()?;
    Ok(folder)
}

/// Says which files were in the way of a run's own.
fn tell_kept_aside(folder: &Folder, progress: &Progress) {
    for (name, aside) in folder.kept_aside() {
        progress.note(&format!("{name} was there with another content, which is now in {aside}"));
    }
}

/// Does a part and notes how long it took, if there was anything left of it to do.
fn part(
    folder: &mut Folder,
    name: &str,
    work: impl FnOnce(&mut Folder) -> Result<(), RecipeError>,
) -> Result<(), RecipeError> {
    interrupt::check()?;
    let (before, started) = (folder.stages().len(), Instant::now());
    let result = work(folder);
    if folder.stages().len() > before {
        timings::add(folder, name, started.elapsed())?;
    }
    result
}
