//! What stands between two ends of a path.

use crate::site::number;
use serde::{Deserialize, Serialize};

/// The barrier between the ends of a path, by three definitions that are all in use.
///
/// *Measures*: how far the loss (or the error) rises between two ends.
///
/// *Definition*, over the points α of [0, 1] that were measured:
/// frankle = sup L(α) − ½(L(0) + L(1));
/// entezari = sup [L(α) − (1−α)L(0) − αL(1)];
/// saddle = sup L(α).
///
/// *Shapes and units*: the unit of L; of the error, shares in [0, 1], so 2 points are .02.
///
/// *Cost*: none beyond the values.
///
/// *When it misleads*: the supremum is over the grid and a narrow peak falls through it; ends of different loss have
/// a positive frankle barrier on a straight slope, which entezari has not.
///
/// *Reference*: Frankle et al. 2020 (on the error); Entezari et al. 2022; Draxler et al. 2018.
///
/// *Example*:
/// ```
/// use thalweg_geometry::section::Barrier;
/// let barrier = Barrier::of(&[0.0, 0.5, 1.0], &[1.0, 3.0, 2.0]).unwrap();
/// assert_eq!((barrier.frankle, barrier.entezari, barrier.saddle), (1.5, 1.5, 3.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Barrier {
    /// Above the mean of the ends.
    #[serde(with = "number")]
    pub frankle: f64,
    /// Above the chord; ≥ 0.
    #[serde(with = "number")]
    pub entezari: f64,
    /// The largest value itself.
    #[serde(with = "number")]
    pub saddle: f64,
    /// Where the largest value is first met.
    #[serde(with = "number")]
    pub alpha_saddle: f64,
}

impl Barrier {
    /// From values at increasing α; those outside [0, 1] are passed over. NaN if a value is. `None` if 0 or 1 is not
    /// among the α.
    pub fn of(alphas: &[f64], values: &[f64]) -> Option<Self> {
        let end = |alpha: f64| alphas.iter().position(|&a| a == alpha).map(|i| values[i]);
        let (start, finish) = (end(0.0)?, end(1.0)?);
        let mut barrier = Self {
            frankle: f64::NAN,
            entezari: f64::NEG_INFINITY,
            saddle: f64::NEG_INFINITY,
            alpha_saddle: f64::NAN,
        };
        for (&alpha, &value) in alphas.iter().zip(values).filter(|(a, _)| (0.0..=1.0).contains(*a)) {
            if value.is_nan() {
                let nan = f64::NAN;
                return Some(Self { frankle: nan, entezari: nan, saddle: nan, alpha_saddle: nan });
            }
            // An end of infinite loss is its own chord there: ∞ − ∞ counts as 0 and 0·∞ as 0.
            let chord = match alpha {
                0.0 => start,
                1.0 => finish,
                // (1−α)s + αs rounds beside s: a flat path would lie above its own chord.
                _ if start == finish => start,
                _ => (1.0 - alpha) * start + alpha * finish,
            };
            barrier.entezari = barrier.entezari.max(gap(value, chord));
            if value > barrier.saddle || barrier.alpha_saddle.is_nan() {
                (barrier.saddle, barrier.alpha_saddle) = (value, alpha);
            }
        }
        barrier.frankle = gap(barrier.saddle, 0.5 * start + 0.5 * finish);
        Some(barrier)
    }
}

/// a − b, and 0 for equal infinities.
fn gap(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { a - b }
}

/// The largest rise along a path.
///
/// *Measures*: how far a path is from being monotonically decreasing.
///
/// *Definition*: Δ = max (Lⱼ − Lᵢ) over i ≤ j over the points of [0, 1], a rise on the last step included.
///
/// *Shapes and units*: the unit of L; ≥ 0, and 0 for a path that never rises.
///
/// *When it misleads*: rounding makes a flat stretch rise by some ulps; say from what size on a rise counts.
///
/// *Reference*: Lucas et al. 2021.
///
/// *Example*:
/// ```
/// use thalweg_geometry::section::Rise;
/// assert_eq!(Rise::of(&[0.0, 0.5, 1.0], &[2.0, 1.0, 1.25]).unwrap().size, 0.25);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rise {
    /// Δ.
    #[serde(with = "number")]
    pub size: f64,
    /// Where it starts.
    #[serde(with = "number")]
    pub alpha_from: f64,
    /// Where it ends.
    #[serde(with = "number")]
    pub alpha_to: f64,
}

impl Rise {
    /// From values at increasing α; those outside [0, 1] are passed over. NaN if a value is. `None` if no α lies in
    /// [0, 1].
    pub fn of(alphas: &[f64], values: &[f64]) -> Option<Self> {
        let mut inside = alphas.iter().zip(values).filter(|(a, _)| (0.0..=1.0).contains(*a)).peekable();
        let (&first, &value) = *inside.peek()?;
        let (mut low, mut alpha_low) = (value, first);
        let mut rise = Self { size: 0.0, alpha_from: first, alpha_to: first };
        for (&alpha, &value) in inside {
            if value.is_nan() {
                return Some(Self { size: f64::NAN, alpha_from: f64::NAN, alpha_to: f64::NAN });
            }
            if value < low {
                (low, alpha_low) = (value, alpha);
            }
            if gap(value, low) > rise.size {
                rise = Self { size: gap(value, low), alpha_from: alpha_low, alpha_to: alpha };
            }
        }
        Some(rise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHAS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

    #[test]
    fn a_rise_matches_all_pairs_and_sees_the_last_step() {
        for values in [[5.0, 4.0, 3.0, 2.0, 2.5], [1.0, 4.0, 0.0, 2.0, 2.0], [5.0, 4.0, 3.0, 2.0, 1.0]] {
            let naive = (0..5).flat_map(|i| (i..5).map(move |j| values[j] - values[i])).fold(0.0, f64::max);
            assert_eq!(Rise::of(&ALPHAS, &values).unwrap().size, naive);
        }
        let last = Rise::of(&ALPHAS, &[5.0, 4.0, 3.0, 2.0, 2.5]).unwrap();
        assert_eq!((last.alpha_from, last.alpha_to), (0.75, 1.0));
        assert_eq!(Rise::of(&[-1.0, 0.0, 1.0, 2.0], &[0.0, 3.0, 1.0, 9.0]).unwrap().size, 0.0);
    }

    #[test]
    fn ends_of_different_loss_tell_the_definitions_apart() {
        let straight = Barrier::of(&ALPHAS, &[4.0, 3.0, 2.0, 1.0, 0.0]).unwrap();
        assert_eq!((straight.frankle, straight.entezari, straight.saddle), (2.0, 0.0, 4.0));
        assert_eq!(straight.alpha_saddle, 0.0);
        assert!(Barrier::of(&[0.0, 0.5], &[1.0, 2.0]).is_none());
    }

    #[test]
    fn a_flat_path_has_no_barrier_whatever_its_height() {
        let alphas: Vec<f64> = (0..=50).map(|i| f64::from(i) / 50.0).collect();
        for height in [0.1, 0.7, 2.5, 1e-300, 3e300] {
            let barrier = Barrier::of(&alphas, &[height; 51]).unwrap();
            assert_eq!((barrier.frankle, barrier.entezari, barrier.saddle), (0.0, 0.0, height));
        }
    }

    #[test]
    fn what_is_not_finite_travels() {
        let nan = Barrier::of(&ALPHAS, &[1.0, f64::NAN, 1.0, 1.0, 1.0]).unwrap();
        assert!(nan.frankle.is_nan() && nan.entezari.is_nan() && nan.saddle.is_nan());
        assert!(Rise::of(&ALPHAS, &[f64::NAN, 1.0, 1.0, 1.0, 1.0]).unwrap().size.is_nan());
        let inf = f64::INFINITY;
        let wall = Barrier::of(&ALPHAS, &[1.0, inf, inf, 2.0, 1.0]).unwrap();
        assert_eq!((wall.frankle, wall.entezari, wall.alpha_saddle), (inf, inf, 0.25));
        assert_eq!(Rise::of(&ALPHAS, &[inf, inf, 2.0, 1.0, 1.0]).unwrap().size, 0.0);
        let fall = Barrier::of(&ALPHAS, &[inf, 3.0, 2.0, 1.0, 0.0]).unwrap();
        assert_eq!((fall.frankle, fall.entezari), (0.0, 0.0));
    }
}
