//! The loss along lines, over planes and around trajectories.

mod barrier;
mod direction;
mod gauss_length;
mod grid;
mod line;
mod plane;
mod trajectory;

pub use barrier::{Barrier, Rise};
pub use direction::{Frame, Normalisation, normalise, random_direction};
pub use gauss_length::GaussLength;
pub use grid::{Grid, GridError};
pub use line::{Curve, Distance, Line, LineOptions, line};
pub use plane::{Plane, PlaneOptions, plane, random_plane};
pub use trajectory::{Centre, Trajectory, TrajectoryError, trajectory};

use crate::site::{Matrix, Site, SiteError, Value, complete, points_together, written};
use thiserror::Error;

/// Why there was nothing to measure. Losses that are not finite are outcomes.
#[derive(Debug, Error)]
pub enum SectionError {
    /// A vector is not a point of the site's space.
    #[error("{what} has {found} elements, expected {expected}")]
    Dimension {
        /// Which vector.
        what: &'static str,
        /// The site's dimension.
        expected: usize,
        /// The vector's length.
        found: usize,
    },
    /// The leaves leave out or repeat elements of θ.
    #[error(
        "leaves cover {found} elements of the parameter vector, expected all {expected} of them once, in order"
    )]
    Leaves {
        /// The length of θ.
        expected: usize,
        /// Elements covered up to the first gap, overlap or overrun.
        found: usize,
    },
    /// A scale that is none: a part holds NaN or infinity, or its norm overflows.
    #[error("{what} has a part with the norm {found}, expected a finite number")]
    Norm {
        /// Which vector.
        what: &'static str,
        /// The norm.
        found: f64,
    },
    /// A line needs something to measure along it.
    #[error("no site to measure, expected at least 1")]
    NoSite,
    /// A trajectory with a line for its plane.
    #[error("the trajectory has {found} principal axes, expected 2 to span a plane")]
    Collinear {
        /// Axes that it has.
        found: usize,
    },
    /// A grid that cannot be.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// The site gave no answer.
    #[error(transparent)]
    Site(#[from] SiteError),
}

fn check_dimension(what: &'static str, expected: usize, vector: &[f64]) -> Result<(), SectionError> {
    let found = vector.len();
    if found == expected { Ok(()) } else { Err(SectionError::Dimension { what, expected, found }) }
}

/// The values at the points Σ cᵢ·θᵢ, in calls of at most `most` of them.
fn values_at<const K: usize>(
    site: &dyn Site,
    vectors: [&[f64]; K],
    coefficients: &[[f64; K]],
    most: usize,
    done: &mut dyn FnMut(usize),
) -> Result<Vec<Value>, SectionError> {
    let section = site.section(&vectors);
    let mut values = Vec::with_capacity(coefficients.len());
    // The larger the points, the longer a call takes and the less of the progress is told.
    for together in coefficients.chunks(most.min(points_together(site.dimension()))) {
        let asked: Vec<&[f64]> = together.iter().map(|point| &point[..]).collect();
        for value in complete(asked.len(), section.values(&asked)?)? {
            values.push(value);
            done(values.len());
        }
    }
    Ok(values)
}

/// The outputs at `count` points, one after another to `take`; a few are in memory together.
fn outputs_at(
    site: &dyn Site,
    count: usize,
    write: &dyn Fn(usize, &mut [f64]),
    take: &mut dyn FnMut(usize, Matrix),
) -> Result<(), SectionError> {
    Ok(written(site.dimension(), count, 4, write, |points| site.outputs(points), take)?)
}

/// Losses and, where every value has one, errors.
fn losses_and_errors(values: &[Value]) -> (Vec<f64>, Option<Vec<f64>>) {
    (values.iter().map(|value| value.loss).collect(), values.iter().map(|value| value.error).collect())
}
