//! The plane of two random directions through the solution, and how planes are kept.

use serde::{Deserialize, Serialize};
use thalweg_geometry::section::{Frame, Grid, Plane, PlaneOptions, random_direction, random_plane};
use thalweg_geometry::site::{Reading, Site, number};
use thalweg_learn::checkpoint::Stored;

use super::Ground;
use crate::recipe::RecipeError;
use crate::recipe::training::theta_at;
use crate::store::{Array, Folder, StoreError};
use crate::watched::Watched;

pub(super) const STAGE: &str = "plane";
pub(super) const JSON: &str = "plane.json";
pub(super) const NPZ: &str = "plane.npz";

/// What is said of a plane beside its arrays, for both parts of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planes {
    /// Over the training set.
    pub train: Reading<PlaneSummary>,
    /// Over the held-out set.
    pub test: Reading<PlaneSummary>,
}

/// A plane without its arrays, which are in the npz file of the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaneSummary {
    /// [rows, columns] of the arrays.
    pub shape: [usize; 2],
    /// The axes' norms and the angle between them.
    pub frame: Frame,
    /// The lowest loss on the grid.
    pub lowest: Place,
    /// The highest.
    pub highest: Place,
    /// Points whose loss is not finite.
    pub not_finite: usize,
}

/// A loss and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The loss.
    #[serde(with = "number")]
    pub loss: f64,
    /// Coordinate along the first direction.
    #[serde(with = "number")]
    pub a: f64,
    /// Along the second.
    #[serde(with = "number")]
    pub b: f64,
}

/// A plane as the report draws it.
#[derive(Clone, Debug)]
pub(super) struct PlaneArrays {
    pub(super) a: Vec<f64>,
    pub(super) b: Vec<f64>,
    pub(super) loss_train: Vec<f64>,
    pub(super) error_test: Vec<f64>,
}

/// Measures the plane. Cost: a forward for each point and part of the data.
pub(super) fn measure<T: Stored>(ground: &Ground<'_, T>, folder: &mut Folder) -> Result<(), RecipeError> {
    folder.stage(STAGE, |stage| {
        let config = &ground.inputs.config.plane;
        let axis = |[from, to]: [f64; 2], points| {
            Grid::linear(from, to, points).map_err(|error| RecipeError::Section(error.into()))
        };
        let options =
            PlaneOptions { a: axis(config.x, config.points[0])?, b: axis(config.y, config.points[1])? };
        let theta = theta_at::<T>(stage.folder(), ground.inputs.setup.plan.steps)?;
        let leaves = ground.inputs.setup.architecture.space().leaves();
        let key = ground.key.named("random plane");
        let total = 2 * (config.points[0] * config.points[1]) as u64;
        let bar = ground.progress.stage("random plane", total, "evaluations");
        let survey = |site: &dyn Site| -> Result<Reading<Plane>, RecipeError> {
            let site = Watched::new(site, &bar);
            let normalisation = config.normalisation;
            let mut reading =
                random_plane(&site, &theta, leaves, normalisation, &options, &key, &mut |_, _| ())?;
            reading.convention.seed = Some(ground.inputs.config.seed);
            Ok(reading)
        };
        let (train, test) = (survey(ground.train)?, survey(&*ground.test)?);
        bar.finish();

        let mut arrays = plane_arrays(&train, &test);
        for name in ["u", "v"] {
            let direction = random_direction(&theta, leaves, config.normalisation, &key.named(name))?;
            arrays.push((name, Array::new([direction.len()], direction)));
        }
        stage.write_npz(NPZ, &arrays)?;
        Ok::<(), RecipeError>(stage.write_json(JSON, &Planes::of(&train, &test))?)
    })?;
    Ok(())
}

/// The arrays of a plane for both parts of the data, `[rows, columns]` = [b, a].
pub(super) fn plane_arrays(train: &Reading<Plane>, test: &Reading<Plane>) -> Vec<(&'static str, Array)> {
    let shape = train.value.shape();
    let grid = |values: &[f64]| Array::new(shape, values.to_vec());
    let line = |values: &[f64]| Array::new([values.len()], values.to_vec());
    let none = vec![f64::NAN; train.value.losses.len()];
    let errors = |plane: &Plane| grid(plane.errors.as_ref().unwrap_or(&none));
    vec![
        ("a", line(&train.value.a)),
        ("b", line(&train.value.b)),
        ("loss_train", grid(&train.value.losses)),
        ("loss_test", grid(&test.value.losses)),
        ("error_train", errors(&train.value)),
        ("error_test", errors(&test.value)),
    ]
}

impl Planes {
    pub(super) fn of(train: &Reading<Plane>, test: &Reading<Plane>) -> Self {
        Self { train: summary(train), test: summary(test) }
    }
}

fn summary(reading: &Reading<Plane>) -> Reading<PlaneSummary> {
    let plane = &reading.value;
    let place = |better: fn(f64, f64) -> bool| {
        let nowhere = Place { loss: f64::NAN, a: f64::NAN, b: f64::NAN };
        plane.losses.iter().enumerate().filter(|(_, loss)| loss.is_finite()).fold(
            nowhere,
            |best, (at, &loss)| {
                if best.loss.is_nan() || better(loss, best.loss) {
                    Place { loss, a: plane.a[at % plane.a.len()], b: plane.b[at / plane.a.len()] }
                } else {
                    best
                }
            },
        )
    };
    Reading {
        quantity: reading.quantity.clone(),
        value: PlaneSummary {
            shape: plane.shape(),
            frame: plane.frame,
            lowest: place(|new, best| new < best),
            highest: place(|new, best| new > best),
            not_finite: plane.losses.iter().filter(|loss| !loss.is_finite()).count(),
        },
        uncertainty: reading.uncertainty,
        outcome: reading.outcome,
        work: reading.work,
        convention: reading.convention.clone(),
    }
}

impl PlaneArrays {
    /// Reads back what [`plane_arrays`] kept.
    pub(super) fn read(folder: &Folder, name: &str) -> Result<Self, RecipeError> {
        let arrays = folder.read_npz(name)?;
        let take = |key: &str| {
            let found = arrays.iter().find(|(name, _)| name == key);
            found.and_then(|(_, array)| array.as_f64()).map(<[f64]>::to_vec).ok_or_else(|| {
                StoreError::Content {
                    path: folder.path().join(name),
                    expected: "a plane",
                    reason: format!("it has no array {key} of 64-bit floats"),
                }
            })
        };
        Ok(Self {
            a: take("a")?,
            b: take("b")?,
            loss_train: take("loss_train")?,
            error_test: take("error_test")?,
        })
    }
}
