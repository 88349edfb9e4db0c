//! Points along an axis.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Increasing numbers: the places along an axis at which something is measured. Never empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Grid {
    points: Vec<f64>,
}

/// Numbers that are no grid.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum GridError {
    /// None at all.
    #[error("a grid of 0 points, expected at least 1")]
    Empty,
    /// NaN or infinite.
    #[error("grid point {index} is {found}, expected a finite number")]
    NotFinite {
        /// Its place.
        index: usize,
        /// What it is.
        found: f64,
    },
    /// Not larger than the one before.
    #[error("grid point {index} is {found}, expected more than {before} before it")]
    NotIncreasing {
        /// Its place.
        index: usize,
        /// The one before.
        before: f64,
        /// What it is.
        found: f64,
    },
    /// One point cannot be two ends.
    #[error("a grid of 1 point from {start} to {end}, expected at least 2 to include both ends")]
    Single {
        /// The one end.
        start: f64,
        /// The other.
        end: f64,
    },
}

impl Grid {
    /// `count` equally spaced points that include both ends; one point if the ends are equal and `count` is 1.
    ///
    /// # Errors
    /// If the ends are not finite, not in order, or do not fit in `count` points.
    pub fn linear(start: f64, end: f64, count: usize) -> Result<Self, GridError> {
        if count == 1 && start != end {
            return Err(GridError::Single { start, end });
        }
        let last = count.saturating_sub(1).max(1) as f64;
        // A convex combination meets both ends, and 0 in the middle of a symmetric range, to the bit.
        let at = |i: usize| start * (1.0 - i as f64 / last) + end * (i as f64 / last);
        Self::from_points((0..count).map(at).collect())
    }

    /// These points.
    ///
    /// # Errors
    /// If there is none, or they are not finite and strictly increasing.
    pub fn from_points(points: Vec<f64>) -> Result<Self, GridError> {
        if points.is_empty() {
            return Err(GridError::Empty);
        }
        for (index, &found) in points.iter().enumerate() {
            if !found.is_finite() {
                return Err(GridError::NotFinite { index, found });
            }
            if index > 0 && found <= points[index - 1] {
                return Err(GridError::NotIncreasing { index, before: points[index - 1], found });
            }
        }
        Ok(Self { points })
    }

    /// The points, increasing.
    pub fn points(&self) -> &[f64] {
        &self.points
    }

    /// The points and 0 and 1. A point that rounding set beside one of them becomes it: of an axis that is so long
    /// that rounding moves its points by more than a thousandth, none does.
    pub(super) fn with_ends(&self) -> Vec<f64> {
        let mut points = self.points.clone();
        let reach = points[points.len() - 1].abs().max(points[0].abs());
        let near = (1e-12 * reach).clamp(1e-12, 1e-3);
        for end in [0.0, 1.0] {
            let distance = |point: &f64| (point - end).abs();
            let nearest = points.iter_mut().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            match nearest {
                Some(point) if distance(point) <= near => *point = end,
                _ => points.push(end),
            }
        }
        points.sort_by(f64::total_cmp);
        points.dedup();
        points
    }
}

impl TryFrom<Vec<f64>> for Grid {
    type Error = GridError;
    fn try_from(points: Vec<f64>) -> Result<Self, GridError> {
        Self::from_points(points)
    }
}

impl From<Grid> for Vec<f64> {
    fn from(grid: Grid) -> Self {
        grid.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_included_and_a_symmetric_grid_meets_zero() {
        let grid = Grid::linear(-0.7, 0.7, 51).unwrap();
        assert_eq!((grid.points()[0], grid.points()[25], grid.points()[50]), (-0.7, 0.0, 0.7));
        assert_eq!(Grid::linear(0.0, 3.0, 4).unwrap().points(), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(Grid::linear(-3.0, -1.0, 3).unwrap().points(), [-3.0, -2.0, -1.0]);
        assert_eq!(Grid::linear(0.4, 0.4, 1).unwrap().points(), [0.4]);
    }

    #[test]
    fn what_is_no_grid_is_named() {
        assert_eq!(Grid::linear(0.0, 1.0, 0), Err(GridError::Empty));
        assert_eq!(Grid::linear(0.0, 1.0, 1), Err(GridError::Single { start: 0.0, end: 1.0 }));
        assert!(matches!(Grid::linear(1.0, 0.0, 5), Err(GridError::NotIncreasing { index: 1, .. })));
        assert!(matches!(Grid::linear(2.0, 2.0, 2), Err(GridError::NotIncreasing { .. })));
        assert!(matches!(Grid::linear(0.0, f64::INFINITY, 3), Err(GridError::NotFinite { .. })));
        assert!(serde_json::from_str::<Grid>("[0.0, 0.0]").unwrap_err().to_string().contains("grid point 1"));
    }

    #[test]
    fn ends_are_added_once() {
        let ends = |points: &[f64]| Grid::from_points(points.to_vec()).unwrap().with_ends();
        assert_eq!(ends(&[-0.5, 0.25, 1.5]), [-0.5, 0.0, 0.25, 1.0, 1.5]);
        assert_eq!(ends(&[5e-17, 0.5, 1.0 - 1e-16]), [0.0, 0.5, 1.0]);
        assert_eq!(ends(&[-0.0, 1.0]), [0.0, 1.0]);
        assert_eq!(ends(&[3.0]), [0.0, 1.0, 3.0]);
    }

    #[test]
    fn however_long_the_axis_both_ends_are_there() {
        let most = 1.7e308;
        for [start, end] in
            [[0.0, 1e14], [0.0, 1e308], [-1e30, 1.0], [-most, most], [0.5, 1e16], [-1e13, 1e13]]
        {
            for count in [2, 3, 4, 51] {
                let grid = Grid::linear(start, end, count).unwrap();
                let points = grid.with_ends();
                for point in [0.0, 1.0] {
                    assert!(points.contains(&point), "{start} to {end}: {points:?}");
                }
                let others = |points: &[f64]| points.iter().filter(|point| point.abs() > 1.5).count();
                assert_eq!(others(&points), others(grid.points()), "{start} to {end}: {points:?}");
            }
        }
        // Two points near an end: the nearer one is it, and the other stays.
        let near = Grid::from_points(vec![1.0 - 4e-13, 1.0 + 1e-13]).unwrap();
        assert_eq!(near.with_ends(), [0.0, 1.0 - 4e-13, 1.0]);
    }
}
