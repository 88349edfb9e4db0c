//! From a configuration to what it stands for.

use thalweg_learn::data::Folders;

use super::config::SurveyConfig;
use super::{memory, validate};
use crate::recipe::RecipeError;
use crate::recipe::setup::{Moment, RunConfig, Setup, available};

/// All that a survey needs before its folder is opened: whatever is wrong with it is found before anything is
/// written.
pub(super) struct Inputs {
    /// With the digests of the files that it names.
    pub(super) config: SurveyConfig,
    /// What is trained.
    pub(super) setup: Setup,
}

impl Inputs {
    pub(super) fn resolve(config: &SurveyConfig, folders: &Folders) -> Result<Self, RecipeError> {
        validate::validate(config)?;
        let SurveyConfig { seed, dtype, model, initial, data, train, checkpoints, .. } = config.clone();
        let run = RunConfig {
            seed,
            noise_seed: None,
            dtype,
            model,
            initial,
            data,
            train,
            checkpoints,
            evaluate: Moment::Epochs(1),
            stop: None,
        };
        let setup = Setup::resolve(run, folders, &mut Vec::new(), |parameters, checkpoints| {
            memory::check(config, parameters, checkpoints, available())
        })?;
        let checkpoints = setup.checkpoint_steps.len();
        if checkpoints < 3 {
            let found = format!("{checkpoints} in a run of {} steps", setup.plan.steps);
            return Err(RecipeError::field("checkpoints", "at least 3 of them to make a trajectory", found));
        }
        let (initial, data) = (setup.config.initial.clone(), setup.config.data.clone());
        let config = SurveyConfig { initial, data, ..config.clone() };
        Ok(Self { config, setup })
    }
}
