//! The plane of the trajectory's first two principal components.

use serde::{Deserialize, Serialize};
use thalweg_geometry::section::{Centre, SectionError, Trajectory, trajectory};
use thalweg_geometry::site::{Dtype, Outcome, Reading, Site, Uncertainty, Work, number};
use thalweg_learn::checkpoint::Stored;

use super::Ground;
use super::plane::{Planes, plane_arrays};
use crate::recipe::RecipeError;
use crate::recipe::training::{kept_steps, theta_at};
use crate::store::{Array, Folder};
use crate::watched::Watched;

pub(super) const STAGE: &str = "trajectory";
pub(super) const JSON: &str = "trajectory.json";
pub(super) const NPZ: &str = "trajectory.npz";

/// How the checkpoints lie in the plane in which the run moves most, and the loss over that plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrajectoryReadings {
    /// Steps of the checkpoints.
    #[serde(rename = "step")]
    pub steps: Vec<u64>,
    /// The principal axes; `None` if the run has none, for the `reason`.
    pub axes: Option<Reading<Trajectory>>,
    /// The loss over the plane of the first two.
    pub planes: Option<Planes>,
    /// Training loss at each checkpoint's projection onto the plane: how far the picture's loss is from the run's.
    #[serde(rename = "loss_projected", with = "number")]
    pub losses_projected: Vec<f64>,
    /// Why something is missing.
    pub reason: Option<String>,
}

/// Measures axes and plane. Cost: a forward for each point and part of the data, and one for each checkpoint.
pub(super) fn measure<T: Stored>(ground: &Ground<'_, T>, folder: &mut Folder) -> Result<(), RecipeError> {
    folder.stage(STAGE, |stage| {
        let config = &ground.inputs.config.trajectory;
        let steps = kept_steps(&ground.inputs.setup, stage.folder())?;
        let mut thetas = Vec::with_capacity(steps.len());
        for &step in &steps {
            thetas.push(theta_at::<T>(stage.folder(), step)?);
        }
        let points: Vec<&[f64]> = thetas.iter().map(Vec::as_slice).collect();
        let mut readings = TrajectoryReadings {
            steps,
            axes: None,
            planes: None,
            losses_projected: Vec::new(),
            reason: None,
        };
        let found = match trajectory(&points, Centre::Final, 2) {
            Ok(found) => found,
            Err(error) => {
                readings.reason = Some(error.to_string());
                return Ok(stage.write_json(JSON, &readings)?);
            }
        };
        let total = 2 * config.points[0] * config.points[1] + thetas.len();
        let bar = ground.progress.stage("trajectory plane", total as u64, "evaluations");
        let survey = |site: &dyn Site| {
            found.survey(&Watched::new(site, &bar), config.margin, config.points, &mut |_, _| ())
        };
        let mut arrays = axes_arrays(&readings.steps, &found);
        match survey(ground.train) {
            Ok(train) => {
                let test = survey(&*ground.test)?;
                arrays.extend(plane_arrays(&train, &test));
                readings.planes = Some(Planes::of(&train, &test));
                readings.losses_projected = projected(&found, &Watched::new(ground.train, &bar))?;
                let losses = readings.losses_projected.clone();
                arrays.push(("loss_projected", Array::new([losses.len()], losses)));
            }
            // A run along a straight line has no second axis.
            Err(error @ SectionError::Collinear { .. }) => readings.reason = Some(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        bar.finish();
        stage.write_npz(NPZ, &arrays)?;
        readings.axes = Some(Reading {
            quantity: "principal axes of the training trajectory".to_owned(),
            value: found,
            // Principal components of points that are given: whatever they were trained in, these sums are in f64.
            uncertainty: Uncertainty::Rounding { dtype: Dtype::F64 },
            outcome: Outcome::Converged,
            work: Work { forwards: readings.losses_projected.len() as u64, ..Work::default() },
            convention: ground.train.convention().clone(),
        });
        Ok::<(), RecipeError>(stage.write_json(JSON, &readings)?)
    })?;
    Ok(())
}

/// The training loss at the projections of the checkpoints.
fn projected(found: &Trajectory, site: &Watched<'_>) -> Result<Vec<f64>, RecipeError> {
    let mut losses = Vec::with_capacity(found.coordinates.len());
    for coordinates in &found.coordinates {
        let mut theta = found.origin.clone();
        for (along, axis) in coordinates.iter().zip(&found.axes) {
            theta.iter_mut().zip(axis).for_each(|(x, direction)| *x += along * direction);
        }
        losses.push(site.values(&[&theta])?[0].loss);
    }
    Ok(losses)
}

fn axes_arrays(steps: &[u64], found: &Trajectory) -> Vec<(&'static str, Array)> {
    let dimension = found.origin.len();
    let flat = |rows: &[Vec<f64>]| rows.concat();
    let steps: Vec<i64> = steps.iter().map(|&step| step.cast_signed()).collect();
    vec![
        ("step", Array::new([steps.len()], steps)),
        ("axes", Array::new([found.axes.len(), dimension], flat(&found.axes))),
        ("origin", Array::new([dimension], found.origin.clone())),
        ("coordinates", Array::new([found.coordinates.len(), found.axes.len()], flat(&found.coordinates))),
        ("off_plane", Array::new([found.off_plane.len()], found.off_plane.clone())),
    ]
}
