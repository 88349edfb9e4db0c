//! What a configuration must keep to beyond its types.

use super::SurveyError;
use super::config::{LineConfig, PlaneConfig, SpectrumConfig, SurveyConfig, TrajectoryConfig};
use thalweg_learn::arch::ModelConfig;

/// More parameters than any machine that this is meant for could take a Hessian product of.
const PARAMETERS_MAX: u128 = 1_000_000_000;
/// More points than anyone waits for.
const GRID_MAX: usize = 10_000_000;

/// Refuses the first field that cannot be followed.
pub(super) fn validate(config: &SurveyConfig) -> Result<(), SurveyError> {
    model(&config.model)?;
    let lr = config.train.lr;
    if !(lr.is_finite() && lr > 0.0) {
        return Err(SurveyError::field("train.lr", "a finite number above 0", lr));
    }
    line(&config.line)?;
    plane(&config.plane)?;
    trajectory(&config.trajectory)?;
    spectrum(&config.spectrum)
}

fn model(ModelConfig::Mlp(mlp): &ModelConfig) -> Result<(), SurveyError> {
    let field = "model.widths";
    if mlp.widths.contains(&0) {
        return Err(SurveyError::field(field, "at least 1 unit in every layer", format!("{:?}", mlp.widths)));
    }
    // Before anything is allocated; inputs and outputs of the data come on top, and are small.
    let weights = mlp.widths.windows(2).fold(0u128, |sum, pair| sum + pair[0] as u128 * pair[1] as u128);
    let units: u128 = mlp.widths.iter().map(|&width| width as u128).sum();
    if weights + units > PARAMETERS_MAX {
        let expected = format!("a network of at most {PARAMETERS_MAX} parameters");
        return Err(SurveyError::field(field, expected, format!("{:?}", mlp.widths)));
    }
    Ok(())
}

fn line(line: &LineConfig) -> Result<(), SurveyError> {
    range("line.from and line.to", [line.from, line.to])?;
    points("line.points", line.points)?;
    let tolerance = line.rise_tolerance;
    if !(tolerance.is_finite() && tolerance >= 0.0) {
        return Err(SurveyError::field("line.rise_tolerance", "a finite number of at least 0", tolerance));
    }
    Ok(())
}

fn plane(plane: &PlaneConfig) -> Result<(), SurveyError> {
    range("plane.x", plane.x)?;
    range("plane.y", plane.y)?;
    grid("plane.points", plane.points)
}

fn trajectory(trajectory: &TrajectoryConfig) -> Result<(), SurveyError> {
    let margin = trajectory.margin;
    if !(margin.is_finite() && (0.0..=100.0).contains(&margin)) {
        return Err(SurveyError::field("trajectory.margin", "a number from 0 to 100", margin));
    }
    grid("trajectory.points", trajectory.points)
}

fn spectrum(spectrum: &SpectrumConfig) -> Result<(), SurveyError> {
    for (field, found) in [
        ("spectrum.largest", spectrum.largest),
        ("spectrum.smallest", spectrum.smallest),
        ("spectrum.block", spectrum.block),
    ] {
        if found == 0 {
            return Err(SurveyError::field(field, "at least 1", found));
        }
    }
    let wanted = spectrum.largest.saturating_add(spectrum.smallest).saturating_add(spectrum.block);
    if spectrum.products_max < wanted {
        let expected = format!("at least {wanted}: the eigenvalues wanted and the start vectors");
        return Err(SurveyError::field("spectrum.products_max", expected, spectrum.products_max));
    }
    let tolerance = spectrum.tolerance;
    if !(tolerance > 0.0 && tolerance < 1.0) {
        return Err(SurveyError::field("spectrum.tolerance", "a number above 0 and below 1", tolerance));
    }
    Ok(())
}

fn range(field: &'static str, [from, to]: [f64; 2]) -> Result<(), SurveyError> {
    if from.is_finite() && to.is_finite() && from < to {
        return Ok(());
    }
    Err(SurveyError::field(field, "two finite numbers, the lower first", format!("[{from}, {to}]")))
}

fn points(field: &'static str, points: usize) -> Result<(), SurveyError> {
    if (2..=GRID_MAX).contains(&points) {
        return Ok(());
    }
    Err(SurveyError::field(field, format!("from 2 to {GRID_MAX} points"), points))
}

fn grid(field: &'static str, [x, y]: [usize; 2]) -> Result<(), SurveyError> {
    if x >= 2 && y >= 2 && x.saturating_mul(y) <= GRID_MAX {
        return Ok(());
    }
    let expected = format!("[x, y] with at least 2 points along each and at most {GRID_MAX} in all");
    Err(SurveyError::field(field, expected, format!("[{x}, {y}]")))
}
