//! The line from initialisation to solution.

use thalweg_geometry::section::{Grid, Line, LineOptions, line};
use thalweg_geometry::site::Reading;
use thalweg_learn::checkpoint::Stored;

use super::Ground;
use crate::recipe::RecipeError;
use crate::recipe::training::theta_at;
use crate::store::{Array, Folder};
use crate::watched::Watched;

pub(super) const STAGE: &str = "line";
pub(super) const JSON: &str = "line.json";

/// Measures the line. Cost: two forwards for each α and part of the data, one for the loss and one for the outputs.
pub(super) fn measure<T: Stored>(ground: &Ground<'_, T>, folder: &mut Folder) -> Result<(), RecipeError> {
    folder.stage(STAGE, |stage| {
        let config = &ground.inputs.config.line;
        let grid = Grid::linear(config.from, config.to, config.points)
            .map_err(|error| RecipeError::Section(error.into()))?;
        let options = LineOptions { grid, rise_tolerance: config.rise_tolerance, gauss_length: true };
        let start = theta_at::<T>(stage.folder(), 0)?;
        let end = theta_at::<T>(stage.folder(), ground.inputs.setup.plan.steps)?;
        let bar = ground.progress.stage("line", 4 * config.points as u64, "evaluations");
        let [train, test] = [ground.train, &*ground.test].map(|site| Watched::new(site, &bar));
        let reading = line(&[("train", &train), ("test", &test)], &start, &end, &options)?;
        bar.finish();
        write_arrays(stage, &reading)?;
        Ok::<(), RecipeError>(stage.write_json(JSON, &reading)?)
    })?;
    Ok(())
}

fn write_arrays(stage: &mut crate::store::Stage<'_>, reading: &Reading<Line>) -> Result<(), RecipeError> {
    let count = reading.value.alphas.len();
    let array = |values: &[f64]| Array::new([count], values.to_vec());
    let mut arrays = vec![("alpha".to_owned(), array(&reading.value.alphas))];
    for curve in &reading.value.curves {
        arrays.push((format!("loss_{}", curve.name), array(&curve.losses)));
        arrays.extend(curve.errors.iter().map(|errors| (format!("error_{}", curve.name), array(errors))));
    }
    let arrays: Vec<(&str, Array)> = arrays.iter().map(|(name, array)| (&name[..], array.clone())).collect();
    Ok(stage.write_npz("line.npz", &arrays)?)
}
