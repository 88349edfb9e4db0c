//! The training trajectory: losses, errors, gradient norm and distance at every checkpoint.

use serde::{Deserialize, Serialize};
use thalweg_geometry::site::{Convention, Outcome, Reading, Site as _, Uncertainty, Value, Work, number};
use thalweg_learn::checkpoint::Stored;

use super::Ground;
use crate::recipe::RecipeError;
use crate::recipe::training::{Divergence, divergence, kept_steps, theta_at};
use crate::store::{Array, Folder};
use crate::watched::Watched;

pub(super) const STAGE: &str = "training";
pub(super) const JSON: &str = "training.json";

/// What is measured at the checkpoints; element i of every list belongs to `step[i]`. The names are those of the arrays in
/// `training.npz`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Steps taken.
    pub step: Vec<u64>,
    /// The same in passes over the training set.
    #[serde(with = "number")]
    pub epoch: Vec<f64>,
    /// Mean loss over the training set.
    #[serde(with = "number")]
    pub loss_train: Vec<f64>,
    /// Mean loss over the held-out set.
    #[serde(with = "number")]
    pub loss_test: Vec<f64>,
    /// Share of the training set misclassified, in [0, 1]; NaN where there are no classes.
    #[serde(with = "number")]
    pub error_train: Vec<f64>,
    /// The same of the held-out set.
    #[serde(with = "number")]
    pub error_test: Vec<f64>,
    /// ‖∇L‖ of the training loss.
    #[serde(with = "number")]
    pub gradient_norm: Vec<f64>,
    /// ‖θ‖.
    #[serde(with = "number")]
    pub norm: Vec<f64>,
    /// ‖θ − θ₀‖.
    #[serde(with = "number")]
    pub distance: Vec<f64>,
    /// The convention of what is over the held-out set; the reading's own is that of the training set.
    pub convention_test: Convention,
    /// Where training ended early, if it did.
    pub divergence: Option<Divergence>,
}

fn losses(values: &[Value]) -> Vec<f64> {
    values.iter().map(|value| value.loss).collect()
}

fn errors(values: &[Value]) -> Vec<f64> {
    // Without a loss there is no class that the network is for.
    let error = |value: &Value| value.error.filter(|_| !value.loss.is_nan()).unwrap_or(f64::NAN);
    values.iter().map(error).collect()
}

/// Measures at every checkpoint. Cost: for each of them two forwards (training and test set) and a gradient.
pub(super) fn measure<T: Stored>(ground: &Ground<'_, T>, folder: &mut Folder) -> Result<(), RecipeError> {
    folder.stage(STAGE, |stage| {
        let steps = kept_steps(&ground.inputs.setup, stage.folder())?;
        let bar = ground.progress.stage("checkpoints", 3 * steps.len() as u64, "evaluations");
        let [train, test] = [ground.train, &*ground.test].map(|site| Watched::new(site, &bar));
        let mut thetas = Vec::with_capacity(steps.len());
        for &step in &steps {
            thetas.push(theta_at::<T>(stage.folder(), step)?);
        }
        let points: Vec<&[f64]> = thetas.iter().map(Vec::as_slice).collect();
        let values_train = train.values(&points)?;
        let values_test = test.values(&points)?;
        let mut gradient = vec![0.0; train.dimension()];
        let mut gradient_norms = Vec::with_capacity(steps.len());
        for theta in &points {
            train.gradient(theta, &mut gradient)?;
            gradient_norms.push(norm(gradient.iter().copied()));
        }
        bar.finish();

        let per_epoch = ground.inputs.setup.steps_per_epoch as f64;
        let training = Trace {
            epoch: steps.iter().map(|&step| step as f64 / per_epoch).collect(),
            loss_train: losses(&values_train),
            loss_test: losses(&values_test),
            error_train: errors(&values_train),
            error_test: errors(&values_test),
            gradient_norm: gradient_norms,
            norm: thetas.iter().map(|theta| norm(theta.iter().copied())).collect(),
            distance: thetas
                .iter()
                .map(|theta| norm(theta.iter().zip(&thetas[0]).map(|(a, b)| a - b)))
                .collect(),
            convention_test: ground.test.convention().clone(),
            divergence: divergence(stage.folder())?,
            step: steps,
        };
        write_arrays(stage, &training)?;
        let finite = [&training.loss_train, &training.loss_test, &training.gradient_norm]
            .iter()
            .all(|list| list.iter().all(|x| x.is_finite()));
        let count = training.step.len() as u64;
        let reading = Reading {
            quantity: "training trajectory".to_owned(),
            uncertainty: Uncertainty::Rounding { dtype: ground.train.convention().dtype },
            outcome: if finite { Outcome::Converged } else { Outcome::NotFinite },
            work: Work { forwards: 2 * count, gradients: count, ..Work::default() },
            convention: ground.train.convention().clone(),
            value: training,
        };
        Ok::<(), RecipeError>(stage.write_json(JSON, &reading)?)
    })?;
    Ok(())
}

fn write_arrays(stage: &mut crate::store::Stage<'_>, training: &Trace) -> Result<(), RecipeError> {
    let count = training.step.len();
    let array = |values: &[f64]| Array::new([count], values.to_vec());
    let steps: Vec<i64> = training.step.iter().map(|&step| step.cast_signed()).collect();
    stage.write_npz(
        "training.npz",
        &[
            ("step", Array::new([count], steps)),
            ("epoch", array(&training.epoch)),
            ("loss_train", array(&training.loss_train)),
            ("loss_test", array(&training.loss_test)),
            ("error_train", array(&training.error_train)),
            ("error_test", array(&training.error_test)),
            ("gradient_norm", array(&training.gradient_norm)),
            ("norm", array(&training.norm)),
            ("distance", array(&training.distance)),
        ],
    )?;
    Ok(())
}

/// ‖x‖₂, summed in order.
pub(super) fn norm(x: impl Iterator<Item = f64>) -> f64 {
    x.map(|x| x * x).sum::<f64>().sqrt()
}
