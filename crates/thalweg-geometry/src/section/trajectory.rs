//! The plane in which a training run moves most.

use super::{Grid, Plane, PlaneOptions, SectionError, plane};
use crate::dense::symmetric_eigen;
use crate::site::{Reading, Site};
use crate::vector::{
    add_combination, add_scaled, coefficients, difference, dot, fix_sign, norm, orthogonalise,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// From where a trajectory's displacements are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Centre {
    /// The last checkpoint (Li et al. 2018): the plane passes through θ_T.
    #[default]
    Final,
    /// The mean of the checkpoints: principal components in the usual sense.
    Mean,
}

/// Checkpoints that have no principal axes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TrajectoryError {
    /// Two points are a line whatever they are.
    #[error("a trajectory of {found} checkpoints, expected at least 3")]
    TooFew {
        /// How many there are.
        found: usize,
    },
    /// Lengths differ.
    #[error("checkpoint {index} has {found} elements, expected {expected} as the first has")]
    Dimension {
        /// Which checkpoint.
        index: usize,
        /// The first one's length.
        expected: usize,
        /// Its length.
        found: usize,
    },
    /// NaN or infinity: the run diverged before it.
    #[error("checkpoint {index} is not finite")]
    NotFinite {
        /// Which checkpoint.
        index: usize,
    },
    /// Nothing moved.
    #[error("all {checkpoints} checkpoints are equal")]
    Still {
        /// How many there are.
        checkpoints: usize,
    },
    /// No axis was asked for.
    #[error("0 components, expected at least 1")]
    NoComponent,
}

/// A trajectory's principal axes and how the checkpoints lie to them. See [`trajectory`](trajectory()).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trajectory {
    /// From where displacements are counted.
    pub centre: Centre,
    /// That point. Not part of the JSON, where it reads back empty.
    #[serde(skip)]
    pub origin: Vec<f64>,
    /// Orthonormal axes, the most important first. Not part of the JSON, where they read back empty.
    #[serde(skip)]
    pub axes: Vec<Vec<f64>>,
    /// Share of the sum of squared displacements along each axis, in [0, 1].
    pub explained: Vec<f64>,
    /// `coordinates[t][k]`: checkpoint t along axis k.
    pub coordinates: Vec<Vec<f64>>,
    /// For each checkpoint, the norm of its displacement's part off the axes over that of the displacement; 0 where
    /// that is 0.
    pub off_plane: Vec<f64>,
    /// The squared parts off the axes over the squared displacements, sums over checkpoints: 1 − Σ explained.
    pub off_plane_total: f64,
}

/// Principal axes of a training run's checkpoints.
///
/// *Measures*: in which directions a run moves, and how much of its movement a picture of them shows.
///
/// *Definition*: displacements dₜ = θₜ − c from the final checkpoint or the mean; eigenvectors of the Gram
/// matrix dₛ·dₜ = Σₖ λₖ uₖuₖᵀ give axes Σₜ uₖₜ dₜ/√λₖ, explained shares λₖ/Σλ, and what is left of dₜ beside the axes.
///
/// *Shapes and units*: coordinates in the norm of θ. Of each axis the element of largest magnitude is positive. There
/// are fewer axes than asked for if the displacements span less, to 1e-12 of the largest λ.
///
/// *Cost*: no evaluation; T²n/2 products and T vectors of n for T checkpoints.
///
/// *When it misleads*: a random walk in many dimensions has explained shares of 6/(πk)², .61, .15, .07, … about its
/// mean and 8/(π(2k−1))², .81, .09, .03, … from its last point, and coordinates that are cosines: two axes that
/// explain most are no sign of a simple landscape (Antognini & Sohl-Dickstein 2018). Displacements from the final point weigh the start of the run most. Always read it beside
/// `off_plane`: the picture's loss at a checkpoint's coordinates is not the loss at that checkpoint.
///
/// *Reference*: Li et al. 2018.
///
/// *Example*:
/// ```
/// use thalweg_geometry::section::{Centre, trajectory};
/// let run: [&[f64]; 4] = [&[4.0, 0.0, 1.0], &[2.0, 1.0, 0.0], &[1.0, 0.0, 0.0], &[0.0, 0.0, 0.0]];
/// let found = trajectory(&run, Centre::Final, 2)?;
/// assert!(found.explained[0] > 0.9);
/// assert!(found.off_plane_total < 0.05);
/// # Ok::<(), thalweg_geometry::section::TrajectoryError>(())
/// ```
///
/// # Errors
/// Fewer than 3 checkpoints, of different lengths, not finite, or all equal.
pub fn trajectory(
    checkpoints: &[&[f64]],
    centre: Centre,
    components: usize,
) -> Result<Trajectory, TrajectoryError> {
    check(checkpoints, components)?;
    let origin = origin(checkpoints, centre);
    let displacements: Vec<Vec<f64>> =
        checkpoints.par_iter().map(|theta| difference(theta, &origin)).collect();
    // In units of the largest, so that no square overflows.
    let unit = displacements.iter().map(|d| norm(d)).fold(0.0, f64::max);
    if unit == 0.0 {
        return Err(TrajectoryError::Still { checkpoints: checkpoints.len() });
    }
    let scaled: Vec<Vec<f64>> =
        displacements.into_par_iter().map(|d| d.into_iter().map(|x| x / unit).collect()).collect();
    let axes = axes(&scaled, components);
    let coordinates: Vec<Vec<f64>> = scaled.iter().map(|d| coefficients(&axes, d)).collect();
    let off: Vec<f64> = scaled
        .par_iter()
        .zip(&coordinates)
        .map(|(d, along)| {
            let mut rest = d.clone();
            add_combination(&mut rest, -1.0, along, &axes);
            norm(&rest)
        })
        .collect();
    let lengths: Vec<f64> = scaled.par_iter().map(|d| norm(d)).collect();
    let total = dot(&lengths, &lengths);
    let share = |k: usize| coordinates.iter().map(|along| along[k] * along[k]).sum::<f64>() / total;
    Ok(Trajectory {
        centre,
        explained: (0..axes.len()).map(share).collect(),
        off_plane: off.iter().zip(&lengths).map(|(off, d)| if *d == 0.0 { 0.0 } else { off / d }).collect(),
        off_plane_total: dot(&off, &off) / total,
        coordinates: coordinates.iter().map(|along| along.iter().map(|x| x * unit).collect()).collect(),
        origin,
        axes,
    })
}

fn check(checkpoints: &[&[f64]], components: usize) -> Result<(), TrajectoryError> {
    if components == 0 {
        return Err(TrajectoryError::NoComponent);
    }
    if checkpoints.len() < 3 {
        return Err(TrajectoryError::TooFew { found: checkpoints.len() });
    }
    let expected = checkpoints[0].len();
    for (index, theta) in checkpoints.iter().enumerate() {
        if theta.len() != expected {
            return Err(TrajectoryError::Dimension { index, expected, found: theta.len() });
        }
        if theta.iter().any(|x| !x.is_finite()) {
            return Err(TrajectoryError::NotFinite { index });
        }
    }
    Ok(())
}

fn origin(checkpoints: &[&[f64]], centre: Centre) -> Vec<f64> {
    let last = checkpoints[checkpoints.len() - 1];
    match centre {
        Centre::Final => last.to_vec(),
        Centre::Mean => {
            // About the last, so that equal checkpoints have exactly themselves as their mean.
            let mut sum = vec![0.0; last.len()];
            checkpoints.iter().for_each(|theta| add_scaled(&mut sum, 1.0, &difference(theta, last)));
            let count = checkpoints.len() as f64;
            sum.iter().zip(last).map(|(sum, last)| last + sum / count).collect()
        }
    }
}

/// Orthonormal principal axes of vectors of norm ≤ 1, at most `components` of them.
fn axes(displacements: &[Vec<f64>], components: usize) -> Vec<Vec<f64>> {
    let gram: Vec<Vec<f64>> = (0..displacements.len())
        .into_par_iter()
        .map(|s| displacements[..=s].iter().map(|d| dot(d, &displacements[s])).collect())
        .collect();
    let eigen = symmetric_eigen(displacements.len(), |s, t| gram[s][t])
        .expect("products of finite vectors of norm at most 1 are finite");
    let largest = eigen.values[eigen.values.len() - 1];
    let mut axes: Vec<Vec<f64>> = Vec::new();
    for (&value, vector) in eigen.values.iter().zip(&eigen.vectors).rev().take(components) {
        if value <= 1e-12 * largest {
            break;
        }
        let mut axis = vec![0.0; displacements[0].len()];
        add_combination(&mut axis, 1.0, vector, displacements);
        // The Gram matrix squares the condition: the axes of small λ lean on the first ones without this.
        orthogonalise(&mut axis, &axes);
        let length = norm(&axis);
        axis.iter_mut().for_each(|x| *x /= length);
        fix_sign(&mut axis);
        axes.push(axis);
    }
    axes
}

impl Trajectory {
    /// The window of the first two axes that covers every checkpoint, wider by `margin` of its extent on each side,
    /// with `counts` = [along the first, along the second] points.
    ///
    /// # Errors
    /// If there is one axis only, or the counts make no grid.
    pub fn window(&self, margin: f64, counts: [usize; 2]) -> Result<PlaneOptions, SectionError> {
        if self.explained.len() < 2 {
            return Err(SectionError::Collinear { found: self.explained.len() });
        }
        let grid = |k: usize| {
            let along = self.coordinates.iter().map(|coordinates| coordinates[k]);
            let (low, high) =
                along.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
            let wider = margin * (high - low);
            Grid::linear(low - wider, high + wider, counts[k])
        };
        Ok(PlaneOptions { a: grid(0)?, b: grid(1)? })
    }

    /// The loss over that [`window`](Self::window): a is the coordinate along the first axis, b along the second.
    ///
    /// # Errors
    /// As [`window`](Self::window) and [`plane`](plane()).
    pub fn survey(
        &self,
        site: &dyn Site,
        margin: f64,
        counts: [usize; 2],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Reading<Plane>, SectionError> {
        let options = self.window(margin, counts)?;
        let [u, v, ..] = self.axes.as_slice() else {
            return Err(SectionError::Collinear { found: self.axes.len() });
        };
        plane(site, &self.origin, u, v, &options, progress)
    }
}
