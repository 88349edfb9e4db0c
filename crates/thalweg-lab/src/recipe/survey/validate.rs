//! What the parts of a survey must keep to beyond its types.

use thalweg_geometry::section::Grid;

use super::config::{LineConfig, PlaneConfig, SpectrumConfig, SurveyConfig, TrajectoryConfig};
use super::spectrum::short;
use crate::recipe::RecipeError;

/// More points than anyone waits for.
const GRID_MAX: usize = 10_000_000;
/// Further from the ends than any landscape has a shape; and far from where f32 overflows.
const REACH_MAX: f64 = 1e6;
/// Refuses the first field that cannot be followed.
pub(super) fn validate(config: &SurveyConfig) -> Result<(), RecipeError> {
    line(&config.line)?;
    plane(&config.plane)?;
    trajectory(&config.trajectory)?;
    spectrum(&config.spectrum)
}

fn line(line: &LineConfig) -> Result<(), RecipeError> {
    points("line.points", line.points)?;
    range("line.from and line.to", [line.from, line.to], line.points)?;
    let tolerance = line.rise_tolerance;
    if !(tolerance.is_finite() && tolerance >= 0.0) {
        return Err(RecipeError::field("line.rise_tolerance", "a finite number of at least 0", tolerance));
    }
    Ok(())
}

fn plane(plane: &PlaneConfig) -> Result<(), RecipeError> {
    grid("plane.points", plane.points)?;
    range("plane.x", plane.x, plane.points[0])?;
    range("plane.y", plane.y, plane.points[1])
}

fn trajectory(trajectory: &TrajectoryConfig) -> Result<(), RecipeError> {
    let margin = trajectory.margin;
    if !(margin.is_finite() && (0.0..=100.0).contains(&margin)) {
        return Err(RecipeError::field("trajectory.margin", "a number from 0 to 100", margin));
    }
    grid("trajectory.points", trajectory.points)
}

fn spectrum(spectrum: &SpectrumConfig) -> Result<(), RecipeError> {
    for (field, found) in [
        ("spectrum.largest", spectrum.largest),
        ("spectrum.smallest", spectrum.smallest),
        ("spectrum.block", spectrum.block),
    ] {
        if found == 0 {
            return Err(RecipeError::field(field, "at least 1", found));
        }
    }
    let wanted = spectrum.largest.saturating_add(spectrum.smallest).saturating_add(spectrum.block);
    if spectrum.products_max < wanted {
        let expected = format!("at least {wanted}: the eigenvalues wanted and the start vectors");
        return Err(RecipeError::field("spectrum.products_max", expected, spectrum.products_max));
    }
    let tolerance = spectrum.tolerance;
    if !(tolerance > 0.0 && tolerance < 1.0) {
        return Err(RecipeError::field("spectrum.tolerance", "a number above 0 and below 1", tolerance));
    }
    Ok(())
}

fn range(field: &str, [from, to]: [f64; 2], points: usize) -> Result<(), RecipeError> {
    let found = || format!("[{}, {}]", short(from), short(to));
    if !(from.is_finite() && to.is_finite() && from < to) {
        return Err(RecipeError::field(field, "two finite numbers, the lower first", found()));
    }
    if from.abs().max(to.abs()) > REACH_MAX {
        return Err(RecipeError::field(
            field,
            format!("two numbers from -{REACH_MAX} to {REACH_MAX}"),
            found(),
        ));
    }
    match Grid::linear(from, to, points) {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(RecipeError::field(field, format!("room for {points} different points between"), found()))
        }
    }
}

fn points(field: &str, points: usize) -> Result<(), RecipeError> {
    if (2..=GRID_MAX).contains(&points) {
        return Ok(());
    }
    Err(RecipeError::field(field, format!("from 2 to {GRID_MAX} points"), points))
}

fn grid(field: &str, [x, y]: [usize; 2]) -> Result<(), RecipeError> {
    if x >= 2 && y >= 2 && x.saturating_mul(y) <= GRID_MAX {
        return Ok(());
    }
    let expected = format!("[x, y] with at least 2 points along each and at most {GRID_MAX} in all");
    Err(RecipeError::field(field, expected, format!("[{x}, {y}]")))
}
