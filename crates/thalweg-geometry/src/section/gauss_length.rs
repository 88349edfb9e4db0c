//! How much the outputs' path turns.

use crate::site::{Matrix, number};
use crate::vector::{dot, norm};
use serde::{Deserialize, Serialize};
use std::f64::consts::FRAC_PI_2;

/// The Gauss length of the path of the outputs, mean over examples, by two estimates.
///
/// *Measures*: how far the path z(α) of an example's outputs is from straight. With squared error and z(1) = y, a
/// length below π/2 implies that the loss of that example falls strictly.
///
/// *Definition*: ∫₀¹ ‖∂v̂/∂α‖ dα with v = dz/dα and v̂ = v/‖v‖. `turning` is the sum of the turning angles of the
/// polyline through the points, the length of what was seen. `smooth` takes v and dv/dα from second-order central
/// differences at the inner points, ‖∂v̂‖ = ‖v′ − v̂ (v̂·v′)‖/‖v‖, extrapolates that linearly to the two ends and sums by
/// the trapezoidal rule.
///
/// *Shapes and units*: radians; one number for each example, then their mean.
///
/// *Cost*: one forward at each α of [0, 1]; five matrices of examples × outputs in memory, and examples × α numbers.
///
/// *When it misleads*: of a smooth path, `turning` lacks half a step at either end, an error of first order, where
/// `smooth` has one of second order. At kinks (ReLU) `smooth` has no limit and `turning` is right. Where the outputs
/// hardly move, rounding turns the direction at random: with outputs in f32, use no finer a grid than needed.
///
/// *Reference*: Lucas et al. 2021; O'Neill 1966 for the name.
///
/// *Example*: see [`line`](super::line()), which measures it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussLength {
    /// Mean over examples of the sum of turning angles of the polyline.
    #[serde(with = "number")]
    pub turning: f64,
    /// Mean over examples of the quadrature of the smooth derivative.
    #[serde(with = "number")]
    pub smooth: f64,
    /// Share of examples, in [0, 1], whose turning angles sum to less than π/2: what is proved of short lengths holds for
    /// each example by itself and says nothing of a mean.
    #[serde(with = "number")]
    pub share_below_half_pi: f64,
    /// Number of examples.
    pub examples: usize,
    /// Examples whose outputs never moved; they count with length 0.
    pub examples_still: usize,
}

/// Takes the outputs along a path one after another.
pub(super) struct GaussPath {
    alphas: Vec<f64>,
    before: Option<Matrix>,
    here: Option<Matrix>,
    /// The unit direction of each example's last segment that moved; zero before there is one.
    directions: Option<Matrix>,
    turning: Vec<f64>,
    /// ‖∂v̂‖ of each example, for each inner point.
    rates: Vec<Vec<f64>>,
}

impl GaussPath {
    pub(super) fn new() -> Self {
        Self {
            alphas: Vec::new(),
            before: None,
            here: None,
            directions: None,
            turning: Vec::new(),
            rates: Vec::new(),
        }
    }

    /// The outputs at the next α.
    pub(super) fn push(&mut self, alpha: f64, next: Matrix) {
        if let Some(here) = &self.here {
            assert_eq!(
                (here.rows(), here.columns()),
                (next.rows(), next.columns()),
                "shapes of a path's outputs"
            );
            let directions =
                self.directions.get_or_insert_with(|| Matrix::zeros(next.rows(), next.columns()));
            let columns = next.columns().max(1);
            for (i, direction) in directions.elements_mut().chunks_mut(columns).enumerate() {
                self.turning[i] += turn(direction, here.row(i), next.row(i));
            }
            if let Some(before) = &self.before {
                let reached = self.alphas.len() - 1;
                let (h, k) = (self.alphas[reached] - self.alphas[reached - 1], alpha - self.alphas[reached]);
                let rate = |i| rate([before.row(i), here.row(i), next.row(i)], h, k);
                self.rates.push((0..next.rows()).map(rate).collect());
            }
        } else {
            self.turning = vec![0.0; next.rows()];
        }
        self.alphas.push(alpha);
        self.before = self.here.replace(next);
    }

    /// `None` if there are fewer than three points or no example.
    pub(super) fn finish(&self) -> Option<GaussLength> {
        let examples = self.turning.len();
        if self.alphas.len() < 3 || examples == 0 {
            return None;
        }
        let directions = self.directions.as_ref()?;
        let still = |&i: &usize| directions.row(i).iter().all(|&x| x == 0.0);
        let short = self.turning.iter().filter(|&&turning| turning < FRAC_PI_2).count();
        let smooth: f64 = (0..examples).map(|i| self.integral(i)).sum();
        Some(GaussLength {
            turning: self.turning.iter().sum::<f64>() / examples as f64,
            smooth: smooth / examples as f64,
            share_below_half_pi: short as f64 / examples as f64,
            examples,
            examples_still: (0..examples).filter(still).count(),
        })
    }

    fn integral(&self, example: usize) -> f64 {
        let last = self.alphas.len() - 1;
        let inner = |i: usize| self.rates[i - 1][example];
        // Beyond the inner points a straight line through the nearest two, or the only one.
        let outer = |alpha: f64, near: usize, far: usize| {
            if near == far {
                return inner(near);
            }
            let slope = (inner(far) - inner(near)) / (self.alphas[far] - self.alphas[near]);
            let value = inner(near) + slope * (alpha - self.alphas[near]);
            // `max` would drop a NaN.
            if value < 0.0 { 0.0 } else { value }
        };
        let at = |i: usize| match i {
            0 => outer(self.alphas[0], 1, 2.min(last - 1)),
            i if i == last => outer(self.alphas[last], last - 1, (last - 2).max(1)),
            i => inner(i),
        };
        (0..last).map(|i| 0.5 * (at(i) + at(i + 1)) * (self.alphas[i + 1] - self.alphas[i])).sum()
    }
}

/// The angle by which a segment turns from the direction before; updates that. A segment that stays turns nothing.
fn turn(direction: &mut [f64], from: &[f64], to: &[f64]) -> f64 {
    let mut segment: Vec<f64> = to.iter().zip(from).map(|(to, from)| to - from).collect();
    let length = norm(&segment);
    if length == 0.0 {
        return 0.0;
    }
    segment.iter_mut().for_each(|x| *x /= length);
    let started = direction.iter().any(|&x| x != 0.0);
    let angle = if started { angle(direction, &segment) } else { 0.0 * length };
    direction.copy_from_slice(&segment);
    angle
}

/// The angle between unit vectors, accurate at 0 and π too, where the arc cosine is not (Kahan 2006).
pub(super) fn angle(a: &[f64], b: &[f64]) -> f64 {
    let apart: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let along: Vec<f64> = a.iter().zip(b).map(|(a, b)| a + b).collect();
    // The system's would not give the same bits everywhere.
    2.0 * libm::atan2(norm(&apart), norm(&along))
}

/// ‖∂v̂‖ at the middle one of three points, h after the first and k before the last.
///
/// 0 where the differences have no velocity: the direction is then not defined.
fn rate([before, here, after]: [&[f64]; 3], h: f64, k: f64) -> f64 {
    let mut velocity = Vec::with_capacity(here.len());
    let mut acceleration = Vec::with_capacity(here.len());
    for ((z0, z1), z2) in before.iter().zip(here).zip(after) {
        let (back, ahead) = ((z1 - z0) / h, (z2 - z1) / k);
        velocity.push((back * k + ahead * h) / (h + k));
        acceleration.push(2.0 * (ahead - back) / (h + k));
    }
    let speed = norm(&velocity);
    if speed == 0.0 {
        return 0.0;
    }
    velocity.iter_mut().for_each(|v| *v /= speed);
    let along = dot(&velocity, &acceleration);
    acceleration.iter_mut().zip(&velocity).for_each(|(a, v)| *a -= along * v);
    norm(&acceleration) / speed
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn measured(alphas: &[f64], rows: usize, z: impl Fn(f64) -> Vec<f64>) -> GaussLength {
        let mut path = GaussPath::new();
        for &alpha in alphas {
            let elements = z(alpha);
            path.push(alpha, Matrix::from_rows(rows, elements.len() / rows, elements));
        }
        path.finish().unwrap()
    }

    fn grid(count: usize) -> Vec<f64> {
        (0..count).map(|i| i as f64 / (count - 1) as f64).collect()
    }

    fn semicircle(alpha: f64) -> Vec<f64> {
        vec![(PI * alpha).sin(), (PI * alpha).cos()]
    }

    #[test]
    fn a_semicircle_has_length_pi_at_the_stated_orders() {
        for count in [11, 51, 201] {
            let steps = (count - 1) as f64;
            let found = measured(&grid(count), 1, semicircle);
            assert!((found.turning - PI * (1.0 - 1.0 / steps)).abs() < 1e-12);
            let second_order = 2.0 * steps * (PI / (2.0 * steps)).tan();
            assert!((found.smooth - second_order).abs() < 1e-9, "{}", found.smooth);
        }
        assert!((measured(&grid(201), 1, semicircle).smooth - PI).abs() < 1e-4);
    }

    #[test]
    fn uneven_points_do_not_matter() {
        let uneven: Vec<f64> = grid(201).iter().map(|a| a * a * (3.0 - 2.0 * a)).collect();
        assert!((measured(&uneven, 1, semicircle).smooth - PI).abs() < 1e-3);
    }

    #[test]
    fn an_ellipse_at_uneven_speed_turns_by_pi_as_well() {
        let found = measured(&grid(401), 1, |a| vec![5.0 * (PI * a).sin(), (PI * a).cos()]);
        assert!((found.smooth - PI).abs() < 2e-3, "{}", found.smooth);
    }

    #[test]
    fn the_mean_is_over_examples_and_still_ones_count() {
        // A semicircle, a straight line, and one that stays.
        let found = measured(&grid(101), 3, |a| [semicircle(a), vec![a, 2.0 * a], vec![1.0, 1.0]].concat());
        assert!((found.smooth - PI / 3.0).abs() < 1e-3);
        assert_eq!((found.examples, found.examples_still), (3, 1));
        assert_eq!(found.share_below_half_pi, 2.0 / 3.0);
    }

    #[test]
    fn a_corner_and_a_reversal_are_seen_by_the_polyline_only_as_angles() {
        let corner = |a: f64| if a < 0.5 { vec![a, 0.0] } else { vec![0.5, a - 0.5] };
        assert!((measured(&grid(101), 1, corner).turning - PI / 2.0).abs() < 1e-12);
        let pause = |a: f64| if a < 0.4 { vec![a, 0.0] } else { vec![0.4, (a - 0.6).max(0.0)] };
        assert!((measured(&grid(101), 1, pause).turning - PI / 2.0).abs() < 1e-12);
        let reversal = |a: f64| vec![(a - 0.5).abs()];
        assert!((measured(&grid(101), 1, reversal).turning - PI).abs() < 1e-12);
    }

    #[test]
    fn outputs_that_are_not_finite_travel() {
        let found = measured(&grid(5), 1, |a| vec![if a == 0.5 { f64::NAN } else { a }, 0.0]);
        assert!(found.turning.is_nan() && found.smooth.is_nan());
        let edge = measured(&grid(3), 1, |a| vec![if a == 0.0 { f64::NAN } else { a }, 0.0]);
        assert!(edge.turning.is_nan() && edge.smooth.is_nan());
    }
}
