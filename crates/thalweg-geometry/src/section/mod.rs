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

use crate::site::{Matrix, Site, SiteError, Value};
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
    /// The site answered for another number of points.
    #[error("the site returned {found} results for {expected} points")]
    Answers {
        /// Points asked for.
        expected: usize,
        /// Results returned.
        found: usize,
    },
    /// The site gave no answer.
    #[error(transparent)]
    Site(#[from] SiteError),
}

/// Bytes of points that are handed to a site at a time.
const POINT_BYTES: usize = 1 << 28;

fn check_dimension(what: &'static str, expected: usize, vector: &[f64]) -> Result<(), SectionError> {
    let found = vector.len();
    if found == expected { Ok(()) } else { Err(SectionError::Dimension { what, expected, found }) }
}

/// Asks for `count` points that `write` fills in, in as few calls as `most` and [`POINT_BYTES`] allow.
fn batches<T>(
    dimension: usize,
    count: usize,
    most: usize,
    write: &dyn Fn(usize, &mut [f64]),
    mut ask: impl FnMut(&[&[f64]]) -> Result<Vec<T>, SiteError>,
    mut take: impl FnMut(usize, T),
) -> Result<(), SectionError> {
    let batch = (POINT_BYTES / (8 * dimension.max(1))).clamp(1, most.max(1)).min(count.max(1));
    let mut points = vec![vec![0.0; dimension]; batch];
    for start in (0..count).step_by(batch) {
        let expected = batch.min(count - start);
        for (offset, point) in points[..expected].iter_mut().enumerate() {
            write(start + offset, point);
        }
        let asked: Vec<&[f64]> = points[..expected].iter().map(Vec::as_slice).collect();
        let answers = ask(&asked)?;
        if answers.len() != expected {
            return Err(SectionError::Answers { expected, found: answers.len() });
        }
        answers.into_iter().enumerate().for_each(|(offset, answer)| take(start + offset, answer));
    }
    Ok(())
}

/// The values at `count` points.
fn values_at(
    site: &dyn Site,
    count: usize,
    most: usize,
    write: &dyn Fn(usize, &mut [f64]),
    done: &mut dyn FnMut(usize),
) -> Result<Vec<Value>, SectionError> {
    let mut values = Vec::with_capacity(count);
    let take = |number: usize, value| {
        values.push(value);
        done(number + 1);
    };
    batches(site.dimension(), count, most, write, |points| site.values(points), take)?;
    Ok(values)
}

/// The outputs at `count` points, one after another to `take`; a few are in memory together.
fn outputs_at(
    site: &dyn Site,
    count: usize,
    write: &dyn Fn(usize, &mut [f64]),
    take: &mut dyn FnMut(usize, Matrix),
) -> Result<(), SectionError> {
    batches(site.dimension(), count, 4, write, |points| site.outputs(points), take)
}

/// Losses and, where every value has one, errors.
fn losses_and_errors(values: &[Value]) -> (Vec<f64>, Option<Vec<f64>>) {
    (values.iter().map(|value| value.loss).collect(), values.iter().map(|value| value.error).collect())
}
