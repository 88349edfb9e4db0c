//! The loss on the straight line between two checkpoints.

use super::gauss_length::{GaussLength, GaussPath};
use super::{Barrier, Grid, Rise, SectionError, check_dimension, losses_and_errors, outputs_at, values_at};
use crate::site::{Convention, Outcome, Reading, Site, Uncertainty, Work, number};
use crate::vector::{add_scaled, difference, norm};
use serde::{Deserialize, Serialize};

/// Where [`line`](line()) measures and what besides values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineOptions {
    /// The α; 0 and 1 are measured in any case.
    pub grid: Grid,
    /// A path whose largest rise is at most this is monotonic; in units of the loss. 0 takes rounding for a rise.
    pub rise_tolerance: f64,
    /// Whether to follow the outputs for their Gauss length, at the price of a second forward at each α of [0, 1].
    pub gauss_length: bool,
}

impl Default for LineOptions {
    /// 51 points from 0 to 1, no tolerance, no Gauss length.
    fn default() -> Self {
        let grid = Grid::linear(0.0, 1.0, 51).expect("0 to 1 in 51 points is a grid");
        Self { grid, rise_tolerance: 0.0, gauss_length: false }
    }
}

/// How far apart the ends are in weight space.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distance {
    /// ‖θ₁ − θ₀‖.
    #[serde(with = "number")]
    pub absolute: f64,
    /// ‖θ₁ − θ₀‖/‖θ₀‖; `None` if θ₀ = 0.
    #[serde(with = "number")]
    pub over_start: Option<f64>,
    /// ‖θ₁ − θ₀‖/‖θ₁‖; `None` if θ₁ = 0.
    #[serde(with = "number")]
    pub over_end: Option<f64>,
}

/// One site along the line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What the caller calls it, such as `train`.
    pub name: String,
    /// The site's convention.
    pub convention: Convention,
    /// Loss at each α.
    #[serde(rename = "loss", with = "number")]
    pub losses: Vec<f64>,
    /// Error at each α, in [0, 1], if the site has one at all of them.
    #[serde(rename = "error", with = "number")]
    pub errors: Option<Vec<f64>>,
    /// The largest rise of the loss on [0, 1].
    pub rise: Rise,
    /// Whether that is within the tolerance. Not if a loss is NaN.
    pub is_monotonic: bool,
    /// The barrier of the loss.
    pub barrier_loss: Barrier,
    /// The barrier of the error.
    pub barrier_error: Option<Barrier>,
    /// The turning of the outputs' path, if asked for; `None` too with fewer than 3 points in [0, 1].
    pub gauss_length: Option<GaussLength>,
}

/// What [`line`](line()) measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The grid's points with 0 and 1, increasing.
    #[serde(rename = "alpha", with = "number")]
    pub alphas: Vec<f64>,
    /// A curve for each site, in their order.
    pub curves: Vec<Curve>,
    /// Between the ends.
    pub distance: Distance,
}

/// Linear interpolation θ(α) = (1−α)θ₀ + αθ₁ between two checkpoints, for several sites together.
///
/// *Measures*: what gradient descent would meet on the straight way: rises, barriers, and how much the outputs turn.
///
/// *Definition*: L(θ(α)) at each α; [`Rise`], [`Barrier`] and [`GaussLength`] of it on [0, 1], whatever
/// the range that is drawn.
///
/// *Shapes and units*: `losses[i]` and `errors[i]` belong to `alphas[i]`; distances are Euclidean in θ. The reading's
/// convention is that of the first site; each curve carries its own.
///
/// *Cost*: a forward for each α and site, as a [section](Site::section) of the site: of a network, one without the
/// first layer. All α go to the site in one call while the points fit in 256 MiB. With the Gauss length one more
/// forward, a whole one, for each α of [0, 1].
///
/// *When it misleads*: without a tolerance, a loss that is constant by more than equal numbers (a network whose
/// outputs do not change while its weights do) rises by an ulp here and there and is not monotonic; `rise_tolerance` says
/// from what size on a rise counts, and a mean over examples in f32 needs some 1e-6 of the loss. A straight line in θ is none under a rescaling or a reordering of hidden units, so a barrier
/// between two runs may vanish when they are aligned. Running statistics of batch normalisation decide much of the
/// middle: the site's convention says what was done to them.
///
/// *Reference*: Goodfellow, Vinyals & Saxe 2015; Lucas et al. 2021; Frankle et al. 2020.
///
/// *Example*:
/// ```
/// use thalweg_geometry::{section::{LineOptions, line}, testbed::ProductValley};
/// let site = ProductValley::new();
/// let reading = line(&[("train", &site)], &[1.0, 1.0], &[-1.0, -1.0], &LineOptions::default())?;
/// let curve = &reading.value.curves[0];
/// assert_eq!(curve.barrier_loss.frankle, 0.5);
/// assert!(!curve.is_monotonic);
/// assert_eq!(reading.work.forwards, 51);
/// # Ok::<(), thalweg_geometry::section::SectionError>(())
/// ```
///
/// # Errors
/// No site, ends of another dimension than a site's, or a site's refusal. Losses that are not finite are an outcome.
pub fn line(
    sites: &[(&str, &dyn Site)],
    theta_start: &[f64],
    theta_end: &[f64],
    options: &LineOptions,
) -> Result<Reading<Line>, SectionError> {
    let (_, first) = sites.first().ok_or(SectionError::NoSite)?;
    for (_, site) in sites {
        check_dimension("the start of the line", site.dimension(), theta_start)?;
        check_dimension("the end of the line", site.dimension(), theta_end)?;
    }
    let alphas = options.grid.with_ends();
    let between = Between { theta_start, theta_end, step: difference(theta_end, theta_start) };
    let mut work = Work::default();
    let mut curves = Vec::with_capacity(sites.len());
    for (name, site) in sites {
        curves.push(curve(name, *site, &between, &alphas, options, &mut work)?);
    }
    let finite = |curve: &Curve| {
        let gauss = curve.gauss_length.is_none_or(|length| (length.turning + length.smooth).is_finite());
        gauss && curve.losses.iter().all(|loss| loss.is_finite())
    };
    let outcome = if curves.iter().all(finite) { Outcome::Converged } else { Outcome::NotFinite };
    Ok(Reading {
        quantity: "line between two checkpoints".into(),
        value: Line { alphas, curves, distance: between.distance() },
        uncertainty: Uncertainty::Rounding { dtype: first.convention().dtype },
        outcome,
        work,
        convention: first.convention().clone(),
    })
}

struct Between<'a> {
    theta_start: &'a [f64],
    theta_end: &'a [f64],
    /// θ₁ − θ₀.
    step: Vec<f64>,
}

impl Between<'_> {
    /// Of start, end and step: what the losses are measured at and the outputs too.
    ///
    /// Counted from the nearer end, and half of each in the middle. So where both ends have the same number every
    /// point has it, which in (1−α)θ₀ + αθ₁ rounding undoes; and a line backwards is the same line at any two α whose
    /// sum is 1 without rounding. At 0 and 1 one end stands alone: a diverged one spoils only the rest.
    fn coefficients(&self, alpha: f64) -> [f64; 3] {
        match alpha {
            _ if self.theta_start == self.theta_end => [1.0, 0.0, 0.0],
            0.5 => [0.5, 0.5, 0.0],
            _ if alpha < 0.5 => [1.0, 0.0, alpha],
            _ => [0.0, 1.0, alpha - 1.0],
        }
    }

    /// The point itself.
    fn write(&self, alpha: f64, theta: &mut [f64]) {
        let [start, end, step] = self.coefficients(alpha);
        let vector = if start == 0.0 { self.theta_end } else { self.theta_start };
        theta.copy_from_slice(vector);
        if start == 0.5 {
            for ((theta, start), end) in theta.iter_mut().zip(self.theta_start).zip(self.theta_end) {
                *theta = 0.5 * start + 0.5 * end;
            }
        } else if step != 0.0 {
            debug_assert!(start == 1.0 || end == 1.0, "one end and a step from it");
            add_scaled(theta, step, &self.step);
        }
    }

    fn distance(&self) -> Distance {
        let absolute = norm(&self.step);
        let over = |theta: &[f64]| {
            let length = norm(theta);
            (length != 0.0).then(|| absolute / length)
        };
        Distance { absolute, over_start: over(self.theta_start), over_end: over(self.theta_end) }
    }
}

fn curve(
    name: &str,
    site: &dyn Site,
    between: &Between<'_>,
    alphas: &[f64],
    options: &LineOptions,
    work: &mut Work,
) -> Result<Curve, SectionError> {
    let vectors = [between.theta_start, between.theta_end, &between.step];
    let points: Vec<[f64; 3]> = alphas.iter().map(|&alpha| between.coefficients(alpha)).collect();
    let values = values_at(site, vectors, &points, usize::MAX, &mut |_| ())?;
    work.forwards += alphas.len() as u64;
    let mut gauss_length = None;
    if options.gauss_length {
        let inside: Vec<f64> = alphas.iter().copied().filter(|a| (0.0..=1.0).contains(a)).collect();
        let write = |i: usize, theta: &mut [f64]| between.write(inside[i], theta);
        let mut path = GaussPath::new();
        outputs_at(site, inside.len(), &write, &mut |i, outputs| path.push(inside[i], outputs))?;
        work.forwards += inside.len() as u64;
        gauss_length = path.finish();
    }
    let (losses, errors) = losses_and_errors(&values);
    let rise = Rise::of(alphas, &losses).expect("0 and 1 are among the points");
    let barrier = |values: &[f64]| Barrier::of(alphas, values).expect("0 and 1 are among the points");
    Ok(Curve {
        name: name.into(),
        convention: site.convention().clone(),
        rise,
        is_monotonic: rise.size <= options.rise_tolerance,
        barrier_loss: barrier(&losses),
        barrier_error: errors.as_deref().map(barrier),
        losses,
        errors,
        gauss_length,
    })
}
