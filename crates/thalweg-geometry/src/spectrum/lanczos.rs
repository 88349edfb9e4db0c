//! Eigenpairs at both ends of the spectrum.

use super::extremes::{Eigenpair, Extremes};
use super::search::{Aim, End, Ended, Found, Known, Pair, reach, search};
use super::subspace::Subspace;
use crate::operator::LinearOperator;
use crate::site::{Dtype, Outcome, Reading, SiteError, Uncertainty};
use crate::vector::{dot, fix_sign, norm};
use serde::{Deserialize, Serialize};
use std::f64::consts::SQRT_2;
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
    /// Products that all searches together may take; one for each pair found comes on top, to verify it.
    pub products_max: usize,
    /// Vectors of n elements to hold, those found included, before a thick restart; at least
    /// 2 × (largest + smallest + block).
    pub basis_max: usize,
    /// Start vectors of the first two searches. A search with b of them finds up to b copies of a repeated eigenvalue; where
    /// there are copies, each search takes twice as many as the one before, up to 8 times this.
    pub block: usize,
}

impl Default for LanczosOptions {
    fn default() -> Self {
        Self { largest: 1, smallest: 0, tolerance: 1e-4, products_max: 300, basis_max: 300, block: 1 }
    }
}

/// What [`lanczos`] tells while it works, whenever it has looked at the Ritz values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LanczosProgress {
    /// Products so far.
    pub products: usize,
    /// The most there may be.
    pub products_max: usize,
    /// Wanted pairs whose residual bound meets the tolerance; of later searches, those found before count.
    pub converged: usize,
    /// Wanted pairs.
    pub wanted: usize,
    /// Which search it is, from 1: those after the first look for copies of repeated eigenvalues.
    pub search: usize,
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

/// The largest and the smallest eigenpairs of a symmetric operator, with their multiplicities.
///
/// *Measures*: the sharpest and the most negatively curved directions at a point.
///
/// *Definition*: the Ritz pairs (θⱼ, Vsⱼ), VᵀAV sⱼ = θⱼsⱼ, at either end of the spectrum on the Krylov space of a Gaussian
/// start vector (or a block of them); the basis V is reorthogonalised in full, twice, at each step. Convergence is
/// judged by ‖Av − θv‖ = βₘ|eₘᵀsⱼ|. In exact arithmetic such a space has one copy of each eigenvalue. So the pairs found
/// are locked and the search begins again from a fresh random start in their orthogonal complement; what it finds that
/// belongs among the wanted is locked too; and so on until a search finds nothing that belongs. At last each vector
/// is multiplied once more, by [`LinearOperator::exact`] where there is one: λ = vᵀAv and ‖Av − λv‖ are of that matrix.
///
/// *What is sure*: within its residual of each λ lies an eigenvalue of A (up to the rounding of the last product). The
/// vectors are orthonormal, so as many eigenvalues, copies counted, can be paired with the λ, none further away than
/// √(2Σr²), the `pairing_bound` (Kahan 1967). *What is likely*: that none further out was passed over. A search of m steps in n dimensions misses
/// the outermost eigenvalue by more than ε of the spread with probability at most 1.648√n·exp(−√ε(2m−1)), whatever the
/// gaps (Kuczyński & Woźniakowski 1992); `detection_limit` is that for 10⁻³. If the budget ends before the last search has,
/// the outcome is `MultiplicityUnresolved`.
///
/// *Shapes and units*: eigenvalues in A's unit, vectors of n elements. The uncertainty is the largest residual.
///
/// *Cost*: one product a step, 4nm flops of orthogonalisation at a basis of m vectors, and one product for each pair
/// at the end. Where nothing is repeated there is one search more, which need only settle the outermost value at each
/// end: at least (ln(1648√n)/√0.1 + 1)/2 steps (20 for n = 10⁴) unless the gap shows sooner, typically a fifth to a
/// half of the first search. Where there are copies each further search has twice as many start vectors, up to 8 ×
/// block: 20 zeros of a kernel of dimension 65 below a spectrum that decays towards 0 took 1060 products (n = 650,
/// tolerance 1e-4). Memory: n × min(basis_max, products_max) f64.
///
/// *When it misleads*: a small residual says that some eigenvalue is near. Eigenvalues that lie further out than the last
/// returned one by less than half its residual are not told from it. Products in f32 have residuals of about 1e-6 of the spectral
/// norm; a smaller tolerance ends as `PrecisionLimited`. The smallest eigenvalues of a Hessian whose spectrum piles up
/// near 0 converge slowly if none is clearly negative.
///
/// *Reference*: Lanczos 1950; Paige 1971 for the residual; Parlett 1980 for locking; Wu & Simon 2000 for the restart.
///
/// *Example*:
/// ```
/// use thalweg_geometry::operator::Diagonal;
/// use thalweg_geometry::spectrum::{LanczosOptions, lanczos};
/// use thalweg_kernel::Key;
/// let operator = Diagonal::new((0..100).map(|i| f64::from(i.min(98))).collect());
/// let options = LanczosOptions { largest: 3, smallest: 1, tolerance: 1e-8, ..LanczosOptions::default() };
/// let reading = lanczos(&operator, &options, &Key::from_seed(0), &mut |_| ())?;
/// let largest: Vec<f64> = reading.value.largest.iter().map(|pair| pair.value.round()).collect();
/// assert_eq!(largest, [98.0, 98.0, 97.0]);
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
    Searches::new(operator, options, key)?.run(progress)
}

/// The most that the block grows by.
const TIMES_MAX: usize = 8;

/// The searches so far and what they found.
struct Searches<'a> {
    operator: &'a dyn LinearOperator,
    options: &'a LanczosOptions,
    key: &'a Key,
    /// Relative rounding error of a product.
    precision: f64,
    /// How many are wanted at each of [`End::BOTH`].
    most: [usize; 2],
    /// Whether something that belongs may still be there, at each end.
    is_open: [bool; 2],
    detection_limit: f64,
    /// By how much the block has grown: where there are copies, there are often many.
    times: usize,
    /// Start vectors drawn.
    started: u64,
    /// Pairs found, ascending; `vectors[j]` belongs to `values[j]`, whose residual bound is `bounds[j]`.
    values: Vec<f64>,
    bounds: Vec<f64>,
    vectors: Vec<Vec<f64>>,
    range: Option<[f64; 2]>,
    products: usize,
    searches: usize,
    restarts: usize,
    breakdowns: usize,
}

impl<'a> Searches<'a> {
    fn new(
        operator: &'a dyn LinearOperator,
        options: &'a LanczosOptions,
        key: &'a Key,
    ) -> Result<Self, LanczosError> {
        let LanczosOptions { tolerance, basis_max, block, .. } = *options;
        let n = operator.dimension();
        let most = [options.largest.min(n), options.smallest.min(n)];
        if !tolerance.is_finite() || tolerance < 0.0 {
            return Err(LanczosError::Tolerance { found: tolerance });
        }
        if block == 0 {
            return Err(LanczosError::Block);
        }
        let expected =
            (most[0] + most[1]).saturating_add(block).saturating_mul(2).min(n).min(options.products_max);
        if basis_max < expected {
            return Err(LanczosError::Basis { expected, found: basis_max });
        }
        let precision = match operator.convention().dtype {
            Dtype::F32 => f64::from(f32::EPSILON),
            Dtype::F64 => f64::EPSILON,
        };
        Ok(Self {
            operator,
            options,
            key,
            precision,
            most,
            is_open: most.map(|most| most > 0),
            detection_limit: 0.0,
            times: 1,
            started: 0,
            values: Vec::new(),
            bounds: Vec::new(),
            vectors: Vec::new(),
            range: None,
            products: 0,
            searches: 0,
            restarts: 0,
            breakdowns: 0,
        })
    }

    fn run(mut self, progress: &mut dyn FnMut(LanczosProgress)) -> Result<Reading<Extremes>, LanczosError> {
        let wanted = self.most[0] + self.most[1];
        let mut outcome = Outcome::Converged;
        while self.is_open != [false; 2] {
            let aims = self.aims();
            let basis_max = self.options.basis_max - self.vectors.len();
            // Never so many that they fill the room that a restart leaves.
            let block =
                self.options.block.saturating_mul(self.times).min(basis_max.saturating_sub(wanted) / 2);
            let block = block.max(self.options.block).min(self.operator.dimension());
            let known = Known {
                tolerance: self.options.tolerance,
                basis_max,
                products_max: self.options.products_max - self.products,
                block,
                range: self.range,
            };
            let mut space = Subspace::new(self.operator, self.key, &self.vectors, self.precision);
            space.refresh(self.started, block);
            self.started += block as u64;
            self.searches += 1;
            let (before, number) = (self.products, self.searches);
            let found = search(space, &aims, &known, &mut |products, converged| {
                progress(LanczosProgress {
                    products: before + products,
                    products_max: self.options.products_max,
                    converged: if number == 1 { converged } else { wanted },
                    wanted,
                    search: number,
                });
            })?;
            let ended = found.ended;
            self.take(found, &aims);
            match ended {
                Ended::Exact | Ended::Converged => {}
                Ended::Spent => {
                    outcome = Outcome::MultiplicityUnresolved;
                    self.detection_limit = f64::INFINITY;
                    break;
                }
                Ended::NotFinite => {
                    outcome = Outcome::NotFinite;
                    break;
                }
            }
        }
        self.finish(outcome)
    }

    /// What the next search is for.
    fn aims(&self) -> Vec<Aim> {
        let wanted = (self.most[0] + self.most[1]).min(self.operator.dimension());
        let aim = |side: usize| {
            let (end, most) = (End::BOTH[side], self.most[side]);
            // Further out than the last one by more than half a residual: within that, the two are not told apart. The
            // same for those before it, in case they are the sharper ones.
            let cutoff = (self.searches > 0).then(|| {
                if self.values.len() < wanted {
                    return [f64::NEG_INFINITY; 2];
                }
                let rounding = 32.0 * self.precision * reach(self.range);
                let beyond = |share: f64| {
                    let places = (0..most).map(|k| end.place(k, self.values.len()));
                    places
                        .map(|j| end.outward(self.values[j]) + (share * self.bounds[j]).max(rounding))
                        .fold(f64::INFINITY, f64::min)
                };
                [beyond(0.5), beyond(1.0)]
            });
            Aim { end, most, cutoff }
        };
        (0..2).filter(|&side| self.is_open[side]).map(aim).collect()
    }

    /// Locks what a search found, and closes the ends at which nothing of it belongs among the wanted.
    fn take(&mut self, found: Found, aims: &[Aim]) {
        let Found { ended, pairs, range, products, restarts, undetected_share } = found;
        self.products += products;
        self.restarts += restarts;
        self.breakdowns += usize::from(ended == Ended::Exact);
        let before = self.range;
        if let Some([low, high]) = range {
            self.range = Some(before.map_or([low, high], |[l, h]| [l.min(low), h.max(high)]));
        }
        let spread = self.range.map_or(0.0, |[low, high]| high - low);
        for aim in aims {
            let (Some([cutoff, _]), Some([low, high])) = (aim.cutoff, range) else { continue };
            let outermost = aim.end.outward(if aim.end == End::Largest { high } else { low });
            let side = usize::from(aim.end == End::Smallest);
            if matches!(ended, Ended::Exact | Ended::Converged) && outermost <= cutoff {
                self.is_open[side] = false;
                let last = aim.end.place(aim.most - 1, self.values.len());
                let limit = outermost + undetected_share * spread - aim.end.outward(self.values[last]);
                let limit = if undetected_share == 0.0 { 0.0 } else { limit.max(0.0) };
                self.detection_limit = self.detection_limit.max(limit);
            }
        }
        if aims.iter().all(|aim| aim.cutoff.is_some()) && !pairs.is_empty() {
            self.times = (2 * self.times).min(TIMES_MAX);
        }
        let old = self.values.drain(..).zip(self.bounds.drain(..)).zip(self.vectors.drain(..));
        let mut all: Vec<Pair> =
            old.map(|((value, bound), vector)| Pair { value, bound, vector }).chain(pairs).collect();
        if all.len() == self.operator.dimension() {
            (self.is_open, self.detection_limit) = ([false; 2], 0.0);
        }
        all.sort_by(|a, b| a.value.total_cmp(&b.value));
        // What does not belong stays locked while there is room: the next search need not find it again.
        let room = (self.most[0] + self.most[1]).max(self.options.basis_max / 2);
        if all.len() > room {
            let spare = room - self.most[0] - self.most[1];
            let below = self.most[1] + spare / 2;
            let above = room - below;
            all.drain(below..all.len() - above);
        }
        for Pair { value, bound, vector } in all {
            self.values.push(value);
            self.bounds.push(bound);
            self.vectors.push(vector);
        }
    }

    fn finish(mut self, mut outcome: Outcome) -> Result<Reading<Extremes>, LanczosError> {
        let exact = self.operator.exact();
        let last = exact.as_deref().unwrap_or(self.operator);
        let mut work = self.operator.work_per_product() * self.products as u64;
        let mut pairs = Vec::new();
        if outcome != Outcome::NotFinite {
            let m = self.vectors.len();
            let (above, below) = (self.most[0].min(m), self.most[1].min(m));
            let vectors = std::mem::take(&mut self.vectors);
            let outer = vectors.into_iter().enumerate().filter(|&(j, _)| j < below || j + above >= m);
            for (_, vector) in outer {
                pairs.push(verified(last, vector)?);
            }
            work += last.work_per_product() * pairs.len() as u64;
            pairs.sort_by(|a, b| a.value.total_cmp(&b.value));
        }
        let largest_of = |a: f64, b: f64| if b > a || b.is_nan() { b } else { a };
        let residual_max = match outcome {
            Outcome::NotFinite => f64::NAN,
            _ => pairs.iter().map(|pair| pair.residual).fold(0.0, largest_of),
        };
        let reach = pairs.iter().map(|pair| pair.value.abs()).fold(reach(self.range), largest_of);
        // What the recurrence knows of the residuals and what the last products say differs by their rounding.
        let within = residual_max <= (1.01 * self.options.tolerance + 64.0 * f64::EPSILON) * reach;
        outcome = match outcome {
            Outcome::NotFinite => Outcome::NotFinite,
            _ if !residual_max.is_finite() => Outcome::NotFinite,
            Outcome::MultiplicityUnresolved if !within || pairs.is_empty() => Outcome::BudgetSpent,
            Outcome::Converged if !within => Outcome::PrecisionLimited,
            outcome => outcome,
        };
        let is_finite = outcome != Outcome::NotFinite;
        let count = pairs.len();
        let extremes = Extremes {
            largest: pairs.iter().rev().take(self.most[0].min(count)).cloned().collect(),
            smallest: pairs.iter().take(self.most[1].min(count)).cloned().collect(),
            spectral_norm: if is_finite { reach } else { f64::NAN },
            dimension: self.operator.dimension(),
            pairing_bound: norm(&pairs.iter().map(|pair| pair.residual).collect::<Vec<f64>>()) * SQRT_2,
            detection_limit: if is_finite { self.detection_limit } else { f64::NAN },
            searches: self.searches,
            restarts: self.restarts,
            breakdowns: self.breakdowns,
        };
        Ok(Reading {
            quantity: format!("extreme eigenvalues of the {}", self.operator.name()),
            value: extremes,
            uncertainty: Uncertainty::Residual { size: residual_max },
            outcome,
            work,
            convention: last.convention(),
        })
    }
}

/// The vector's Rayleigh quotient and residual by one more product.
fn verified(operator: &dyn LinearOperator, mut vector: Vec<f64>) -> Result<Eigenpair, LanczosError> {
    fix_sign(&mut vector);
    let mut residual = operator.apply(&vector)?;
    let value = dot(&vector, &residual) / dot(&vector, &vector);
    residual.iter_mut().zip(&vector).for_each(|(r, v)| *r -= value * v);
    Ok(Eigenpair { value, residual: norm(&residual), vector })
}
