//! The loss over a plane.

use super::{
    Frame, Grid, Normalisation, SectionError, check_dimension, losses_and_errors, random_direction, values_at,
};
use crate::site::{Outcome, Reading, Site, Uncertainty, Work, number};
use serde::{Deserialize, Serialize};
use thalweg_kernel::Key;
use thalweg_program::params::Leaf;

/// Points that go to the site in one call, so that progress is told and memory bounded.
const POINTS_TOGETHER: usize = 256;

/// Where [`plane`](plane()) measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaneOptions {
    /// Coordinates along u: the columns, x.
    pub a: Grid,
    /// Coordinates along v: the rows, y.
    pub b: Grid,
}

impl Default for PlaneOptions {
    /// 51 points from −1 to 1 on each axis (Li et al. 2018).
    fn default() -> Self {
        let grid = Grid::linear(-1.0, 1.0, 51).expect("-1 to 1 in 51 points is a grid");
        Self { a: grid.clone(), b: grid }
    }
}

/// What [`plane`](plane()) measures.
///
/// Arrays are row-major of shape [`shape`](Self::shape) = [b.len(), a.len()]: axis 0 is b, axis 1 is a, and element
/// j·a.len() + i belongs to `(a[i], b[j])`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plane {
    /// Coordinates along u, increasing.
    #[serde(with = "number")]
    pub a: Vec<f64>,
    /// Coordinates along v, increasing.
    #[serde(with = "number")]
    pub b: Vec<f64>,
    /// Loss at each point.
    #[serde(rename = "loss", with = "number")]
    pub losses: Vec<f64>,
    /// Error at each point, in [0, 1], if the site has one at all of them.
    #[serde(rename = "error", with = "number")]
    pub errors: Option<Vec<f64>>,
    /// How u and v lie to each other.
    pub frame: Frame,
}

impl Plane {
    /// [rows, columns] = [b.len(), a.len()].
    pub fn shape(&self) -> [usize; 2] {
        [self.b.len(), self.a.len()]
    }

    /// The loss at `(a[column], b[row])`.
    pub fn loss(&self, row: usize, column: usize) -> f64 {
        assert!(column < self.a.len(), "column {column} of {}", self.a.len());
        self.losses[row * self.a.len() + column]
    }
}

/// The loss at θ + a·u + b·v over a grid of (a, b).
///
/// *Measures*: the shape of the loss in a plane through a point.
///
/// *Definition*: L(θ + aᵢu + bⱼv).
///
/// *Shapes and units*: see [`Plane`]; a and b are in units of u and v, whose norms and angle the frame gives. The
/// directions are taken as they are: an oblique frame is reported, not straightened.
///
/// *Cost*: a forward for each point, as a [section](Site::section) of the site: of a network, one without the first
/// layer. Up to 256 points, or 256 MiB of them, go to the site in one call.
///
/// *When it misleads*: a plane through a point of ℝⁿ shows almost nothing of ℝⁿ: the curvature along a random
/// direction is near tr H/n, so sharp directions are averaged away. Compare pictures with the same normalisation
/// only. Contours of an oblique frame are sheared.
///
/// *Reference*: Goodfellow, Vinyals & Saxe 2015; Li et al. 2018.
///
/// *Example*:
/// ```
/// use thalweg_geometry::section::{Grid, PlaneOptions, plane};
/// use thalweg_geometry::testbed::Quadratic;
/// let site = Quadratic::diagonal(vec![2.0, 8.0]);
/// let options = PlaneOptions { a: Grid::linear(0.0, 2.0, 3)?, b: Grid::linear(-1.0, 1.0, 2)? };
/// let reading = plane(&site, &[0.0, 0.0], &[1.0, 0.0], &[0.0, 1.0], &options, &mut |_, _| ())?;
/// assert_eq!(reading.value.shape(), [2, 3]);
/// assert_eq!(reading.value.losses, [4.0, 5.0, 8.0, 4.0, 5.0, 8.0]);
/// # Ok::<(), thalweg_geometry::section::SectionError>(())
/// ```
///
/// # Errors
/// Vectors of another dimension than the site's, or its refusal. Losses that are not finite are an outcome.
pub fn plane(
    site: &dyn Site,
    theta: &[f64],
    u: &[f64],
    v: &[f64],
    options: &PlaneOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Reading<Plane>, SectionError> {
    let n = site.dimension();
    for (what, vector) in [("the centre of the plane", theta), ("direction u", u), ("direction v", v)] {
        check_dimension(what, n, vector)?;
    }
    let (a, b) = (options.a.points(), options.b.points());
    let count = a.len() * b.len();
    let points: Vec<[f64; 3]> = b.iter().flat_map(|&b| a.iter().map(move |&a| [1.0, a, b])).collect();
    let mut told = |done| progress(done, count);
    let values = values_at(site, [theta, u, v], &points, POINTS_TOGETHER, &mut told)?;
    let (losses, errors) = losses_and_errors(&values);
    let finite = losses.iter().all(|loss| loss.is_finite());
    Ok(Reading {
        quantity: "loss over a plane".into(),
        value: Plane { a: a.to_vec(), b: b.to_vec(), losses, errors, frame: Frame::of(u, v) },
        uncertainty: Uncertainty::Rounding { dtype: site.convention().dtype },
        outcome: if finite { Outcome::Converged } else { Outcome::NotFinite },
        work: Work { forwards: count as u64, ..Work::default() },
        convention: site.convention().clone(),
    })
}

/// The [`plane`](plane()) of two random directions, u from the key's child `u` and v from `v`.
///
/// The reading's convention names the normalisation and, where they are left out, the parameters of one axis.
///
/// # Errors
/// As [`plane`](plane()) and [`normalise`](super::normalise).
pub fn random_plane(
    site: &dyn Site,
    theta: &[f64],
    leaves: &[Leaf],
    normalisation: Normalisation,
    options: &PlaneOptions,
    key: &Key,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Reading<Plane>, SectionError> {
    check_dimension("the centre of the plane", site.dimension(), theta)?;
    let u = random_direction(theta, leaves, normalisation, &key.named("u"))?;
    let v = random_direction(theta, leaves, normalisation, &key.named("v"))?;
    let mut reading = plane(site, theta, &u, &v, options, progress)?;
    reading.convention.normalisation = Some(normalisation.name().into());
    if normalisation.ignores_one_axis() {
        let ignored = leaves.iter().filter(|leaf| leaf.shape.len() < 2).map(|leaf| leaf.name.clone());
        reading.convention.ignored_parameters.extend(ignored);
    }
    Ok(reading)
}
