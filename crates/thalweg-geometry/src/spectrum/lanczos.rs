//! Eigenpairs at both ends of the spectrum.

use super::subspace::{Growth, Subspace};
use crate::dense::Eigen;
use crate::operator::LinearOperator;
use crate::site::{Dtype, Outcome, Reading, SiteError, Uncertainty, number};
use crate::vector::{fix_sign, norm};
use serde::{Deserialize, Serialize};
use thalweg_kernel::Key;
use thiserror::Error;

/// What [`lanczos`] is to find and how long it may try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LanczosOptions {
    /// How many of the algebraically largest eigenpairs; all n if there are fewer.
    pub largest: usize,
    /// How many of the algebraically smallest.
    pub smallest: usize,
    /// A pair has converged when ‖Av − λv‖ ≤ tolerance × spectral norm.
    pub tolerance: f64,
    /// Products that the search may take; one for each pair found comes on top, to measure its residual.
    pub products_max: usize,
    /// Vectors of n elements that the basis may hold before a thick restart; at least
    /// 2 × (largest + smallest + block).
    pub basis_max: usize,
    /// Start vectors. With b of them up to b copies of a repeated eigenvalue are found at once.
    pub block: usize,
}

impl Default for LanczosOptions {
    fn default() -> Self {
        Self { largest: 1, smallest: 0, tolerance: 1e-4, products_max: 300, basis_max: 300, block: 1 }
    }
}

/// An eigenvalue with its residual and eigenvector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Eigenpair {
    /// λ.
    #[serde(with = "number")]
    pub value: f64,
    /// ‖Av − λv‖ by a product of its own: some eigenvalue of A lies within this distance of λ.
    #[serde(with = "number")]
    pub residual: f64,
    /// v, of unit length, its element of largest magnitude positive. Not part of the JSON, where it reads back empty.
    #[serde(skip)]
    pub vector: Vec<f64>,
}

/// Both ends of a spectrum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extremes {
    /// Largest first. Empty if a product was not finite.
    pub largest: Vec<Eigenpair>,
    /// Smallest first. Shares pairs with `largest` when more are wanted than there are.
    pub smallest: Vec<Eigenpair>,
    /// max |Ritz value|, a lower bound of the spectral norm.
    #[serde(with = "number")]
    pub spectral_norm: f64,
    /// n.
    pub dimension: usize,
    /// Thick restarts.
    pub restarts: usize,
    /// How often the basis came to span an invariant subspace and was continued with a fresh vector.
    pub breakdowns: usize,
}

/// What [`lanczos`] tells while it works, whenever it has looked at the Ritz values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LanczosProgress {
    /// Products so far.
    pub products: usize,
    /// The most there may be.
    pub products_max: usize,
    /// Wanted pairs whose residual bound meets the tolerance.
    pub converged: usize,
    /// Wanted pairs.
    pub wanted: usize,
}

/// Why there was nothing to measure.
#[derive(Debug, Error)]
pub enum LanczosError {
    /// The tolerance is no number ≥ 0.
    #[error("tolerance is {found}, expected a finite number of at least 0")]
    Tolerance {
        /// The tolerance given.
        found: f64,
    },
    /// The block is empty.
    #[error("block is 0, expected at least 1 start vector")]
    Block,
    /// A restart would have no room.
    #[error("basis_max is {found}, expected at least {expected} for the pairs wanted")]
    Basis {
        /// The least that will do.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// The operator's site gave no answer.
    #[error(transparent)]
    Site(#[from] SiteError),
}

/// The largest and the smallest eigenpairs of a symmetric operator.
///
/// *Measures*: the sharpest and the most negatively curved directions at a point.
///
/// *Definition*: the Ritz pairs $(\theta_j, Vs_j)$, $V^\top\! A V s_j = \theta_j s_j$, at either end of the spectrum
/// on the Krylov space of a Gaussian start vector (or a block of them); the basis V is reorthogonalised in full,
/// twice, at each step. Convergence is judged by $\lVert A v-\theta v\rVert = \beta_m\lvert e_m^\top s_j\rvert$ and
/// the reported residual is then measured with a product of its own. If the space becomes invariant, a fresh vector
/// orthogonal to it goes on, until one has changed none of the wanted values.
///
/// *Shapes and units*: eigenvalues in A's unit, vectors of n elements. The uncertainty is the largest residual.
///
/// *Cost*: one product a step, 4nm flops of orthogonalisation at a basis of m vectors, and one product for each pair
/// at the end. Memory: n × min(basis_max, products_max) f64.
///
/// *When it misleads*: without a breakdown, one start vector sees a repeated eigenvalue once: where a symmetry of
/// the network repeats eigenvalues, set `block` to the number of copies that matter. A small residual says that some
/// eigenvalue is near, not that none was skipped. Products in f32 have residuals of about 1e-6 of the spectral norm;
/// a smaller tolerance ends as `PrecisionLimited`. The smallest eigenvalues of a Hessian whose spectrum piles up
/// near 0 converge slowly if none is clearly negative.
///
/// *Reference*: Lanczos 1950; Paige 1971 for the residual; Wu & Simon 2000 for the restart.
///
/// *Example*:
/// ```
/// use thalweg_geometry::operator::Diagonal;
/// use thalweg_geometry::spectrum::{LanczosOptions, lanczos};
/// use thalweg_kernel::Key;
/// let operator = Diagonal::new((0..100).map(f64::from).collect());
/// let options = LanczosOptions { largest: 2, smallest: 1, tolerance: 1e-8, ..LanczosOptions::default() };
/// let reading = lanczos(&operator, &options, &Key::from_seed(0), &mut |_| ())?;
/// assert!((reading.value.largest[1].value - 98.0).abs() < 1e-6);
/// assert!(reading.value.smallest[0].value.abs() < 1e-6);
/// # Ok::<(), thalweg_geometry::spectrum::LanczosError>(())
/// ```
///
/// # Errors
/// Options that make no sense, and the site's refusals. Not converging and products that are not finite are outcomes.
pub fn lanczos(
    operator: &dyn LinearOperator,
    options: &LanczosOptions,
    key: &Key,
    progress: &mut dyn FnMut(LanczosProgress),
) -> Result<Reading<Extremes>, LanczosError> {
    Search::new(operator, options, key)?.run(progress)
}

/// The state of a search.
struct Search<'a> {
    operator: &'a dyn LinearOperator,
    options: &'a LanczosOptions,
    space: Subspace<'a>,
    largest: usize,
    smallest: usize,
    products: usize,
    restarts: usize,
    breakdowns: usize,
}

impl<'a> Search<'a> {
    fn new(
        operator: &'a dyn LinearOperator,
        options: &'a LanczosOptions,
        key: &'a Key,
    ) -> Result<Self, LanczosError> {
        let LanczosOptions { tolerance, basis_max, block, .. } = *options;
        let n = operator.dimension();
        let (largest, smallest) = (options.largest.min(n), options.smallest.min(n));
        if !tolerance.is_finite() || tolerance < 0.0 {
            return Err(LanczosError::Tolerance { found: tolerance });
        }
        if block == 0 {
            return Err(LanczosError::Block);
        }
        let expected = (2 * (largest + smallest + block)).min(n).min(options.products_max);
        if basis_max < expected {
            return Err(LanczosError::Basis { expected, found: basis_max });
        }
        let precision = match operator.convention().dtype {
            Dtype::F32 => f64::from(f32::EPSILON),
            Dtype::F64 => f64::EPSILON,
        };
        let space = Subspace::new(operator, key, precision);
        Ok(Self { operator, options, space, largest, smallest, products: 0, restarts: 0, breakdowns: 0 })
    }

    fn run(mut self, progress: &mut dyn FnMut(LanczosProgress)) -> Result<Reading<Extremes>, LanczosError> {
        let n = self.operator.dimension();
        let wanted = self.largest + self.smallest;
        if wanted == 0 {
            return self.finish(None, Outcome::Converged);
        }
        let mut settled: Option<Vec<f64>> = None;
        let mut looked_at = 0;
        self.space.refresh(self.options.block);
        let (ritz, outcome) = loop {
            let left = self.options.products_max - self.products;
            let room = left.min(self.options.basis_max - self.space.len());
            let growth = if room == 0 { Growth::Grown(0) } else { self.space.grow(room)? };
            let (Growth::Grown(cost) | Growth::NotFinite(cost)) = growth else {
                // Every Ritz pair is exact now, but a value's further copies may lie outside.
                self.breakdowns += 1;
                let Some(ritz) = self.space.ritz() else { break (None, Outcome::NotFinite) };
                let found: Vec<f64> = self.wanted(&ritz).map(|j| ritz.values[j]).collect();
                let close = self.options.tolerance.max(1e-12) * spectral_norm(&ritz);
                let same = |old: &Vec<f64>| {
                    old.len() == found.len() && old.iter().zip(&found).all(|(a, b)| (a - b).abs() <= close)
                };
                if self.space.len() == n || settled.as_ref().is_some_and(same) {
                    break (Some(ritz), Outcome::Converged);
                }
                settled = (self.space.len() >= wanted.min(n)).then_some(found);
                self.space.refresh(self.options.block);
                continue;
            };
            self.products += cost;
            if matches!(growth, Growth::NotFinite(_)) {
                break (None, Outcome::NotFinite);
            }
            let m = self.space.len();
            let spent = self.products == self.options.products_max;
            let full = m == self.options.basis_max;
            // Looking costs O(m³): after every tenth part of m is often enough.
            if !(spent || full || m == n || m >= looked_at + (m / 10).max(1)) {
                continue;
            }
            looked_at = m;
            let Some(ritz) = self.space.ritz() else { break (None, Outcome::NotFinite) };
            let limit = self.options.tolerance * spectral_norm(&ritz);
            let converged =
                self.wanted(&ritz).filter(|&j| self.space.residual_bound(&ritz.vectors[j]) <= limit).count();
            progress(LanczosProgress {
                products: self.products,
                products_max: self.options.products_max,
                converged,
                wanted,
            });
            // After a breakdown the pairs of earlier vectors are exact and say nothing about those of the fresh one.
            let enough = m >= wanted.min(n) && converged == wanted && self.breakdowns == 0;
            if m == n || enough {
                break (Some(ritz), Outcome::Converged);
            }
            if spent {
                break (Some(ritz), Outcome::BudgetSpent);
            }
            if full {
                let kept = self.kept(m);
                self.space.restart(&ritz, &kept);
                self.restarts += 1;
                looked_at = kept.len();
            }
        };
        self.finish(ritz, outcome)
    }

    /// The places of the wanted Ritz values: the largest, largest first, then the smallest, smallest first.
    fn wanted(&self, ritz: &Eigen) -> impl Iterator<Item = usize> + use<> {
        let m = ritz.values.len();
        (0..self.largest.min(m)).map(move |j| m - 1 - j).chain(0..self.smallest.min(m))
    }

    /// The places of the Ritz values that a restart keeps: the wanted ones and a third of the room beyond them.
    fn kept(&self, m: usize) -> Vec<usize> {
        let wanted = self.largest + self.smallest;
        let spare = (m - wanted) / 3;
        let spare_above = spare * self.largest / wanted;
        let above = self.largest + spare_above;
        let below = self.smallest + spare - spare_above;
        (0..below).chain(m - above..m).collect()
    }

    fn finish(self, ritz: Option<Eigen>, outcome: Outcome) -> Result<Reading<Extremes>, LanczosError> {
        let mut extremes = Extremes {
            largest: Vec::new(),
            smallest: Vec::new(),
            spectral_norm: ritz.as_ref().map_or(0.0, spectral_norm),
            dimension: self.operator.dimension(),
            restarts: self.restarts,
            breakdowns: self.breakdowns,
        };
        let (mut outcome, mut residual_max, mut measured) = (outcome, 0.0_f64, 0);
        if outcome == Outcome::NotFinite {
            (extremes.spectral_norm, residual_max) = (f64::NAN, f64::NAN);
        }
        if let Some(ritz) = ritz {
            let places: Vec<usize> = self.wanted(&ritz).collect();
            let mut distinct = places.clone();
            distinct.sort_unstable();
            distinct.dedup();
            measured = distinct.len();
            let mut pairs = Vec::new();
            for &j in &distinct {
                pairs.push(self.measured(ritz.values[j], &ritz.vectors[j])?);
            }
            residual_max = pairs
                .iter()
                .map(|pair| pair.residual)
                .fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a });
            let pair =
                |j: &usize| pairs[distinct.binary_search(j).expect("a wanted place is among them")].clone();
            let (largest, smallest) = places.split_at(self.largest.min(ritz.values.len()));
            extremes.largest = largest.iter().map(pair).collect();
            extremes.smallest = smallest.iter().map(pair).collect();
            let slack = self.options.tolerance.max(64.0 * f64::EPSILON);
            if !residual_max.is_finite() {
                outcome = Outcome::NotFinite;
            } else if outcome == Outcome::Converged && residual_max > slack * extremes.spectral_norm {
                outcome = Outcome::PrecisionLimited;
            }
        }
        let products = (self.products + measured) as u64;
        Ok(Reading {
            quantity: format!("extreme eigenvalues of the {}", self.operator.name()),
            value: extremes,
            uncertainty: Uncertainty::Residual(residual_max),
            outcome,
            work: self.operator.work_per_product() * products,
            convention: self.operator.convention(),
        })
    }

    /// The Ritz pair as a vector of n elements, with the residual that one more product shows.
    fn measured(&self, value: f64, coordinates: &[f64]) -> Result<Eigenpair, LanczosError> {
        let mut vector = self.space.vector(coordinates);
        fix_sign(&mut vector);
        let mut residual = self.operator.apply(&vector)?;
        residual.iter_mut().zip(&vector).for_each(|(r, v)| *r -= value * v);
        Ok(Eigenpair { value, residual: norm(&residual), vector })
    }
}

fn spectral_norm(ritz: &Eigen) -> f64 {
    ritz.values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()))
}
