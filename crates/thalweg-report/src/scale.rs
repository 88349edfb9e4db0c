//! Scales: from values to positions in which equal steps look equal, and back.

use crate::record::{Axis, Scale};

/// A scale with its constants fixed by the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Transform {
    Linear,
    Log,
    /// `sign(v) log10(1 + |v|/linear_within)`.
    SymLog {
        linear_within: f64,
    },
}

impl Transform {
    /// The position of a value; none if it is not finite or has no place on this scale.
    pub(crate) fn forward(self, v: f64) -> Option<f64> {
        let t = match self {
            Self::Linear => v,
            Self::Log if v > 0.0 => v.log10(),
            Self::Log => return None,
            Self::SymLog { linear_within } => {
                v.signum() * (v.abs() / linear_within).ln_1p() / std::f64::consts::LN_10
            }
        };
        t.is_finite().then_some(t)
    }

    /// The value at a position.
    pub(crate) fn inverse(self, t: f64) -> f64 {
        match self {
            Self::Linear => t,
            Self::Log => 10f64.powf(t),
            Self::SymLog { linear_within } => {
                t.signum() * (t.abs() * std::f64::consts::LN_10).exp_m1() * linear_within
            }
        }
    }
}

/// A scale and the interval of values that is shown, lower end first, never empty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) transform: Transform,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Beyond this ratio to the largest, small values of a bi-symmetric axis share its linear part.
const SYM_LOG_DECADES: i32 = 5;

impl Span {
    /// The interval that an axis asks for, or that of the data widened by the share `margin` at both ends.
    pub(crate) fn of(axis: &Axis, values: impl Iterator<Item = f64> + Clone, margin: f64) -> Self {
        let transform = match axis.scale {
            Scale::Linear => Transform::Linear,
            Scale::Log => Transform::Log,
            Scale::SymLog => Transform::SymLog { linear_within: linear_within(values.clone()) },
        };
        let placed = values.filter_map(|v| transform.forward(v));
        let (low, high) = placed.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), t| (l.min(t), h.max(t)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let (low, high) = widened(transform, low, high, margin);
        let asked = axis.range.map_or((None, None), |(l, h)| (transform.forward(l), transform.forward(h)));
        let (low, high) = (asked.0.unwrap_or(low), asked.1.unwrap_or(high));
        // A range that is empty or upside down is widened rather than refused.
        let (low, high) =
            if low < high { (low, high) } else { widened(transform, low.min(high), low.max(high), margin) };
        Self { transform, low: transform.inverse(low), high: transform.inverse(high) }
    }

    /// The share of the way from the lower to the upper end; outside 0..1 for values that are out of sight.
    pub(crate) fn share(&self, v: f64) -> Option<f64> {
        let (low, high) = self.ends();
        self.transform.forward(v).map(|t| (t - low) / (high - low))
    }

    /// Both ends as positions.
    pub(crate) fn ends(&self) -> (f64, f64) {
        let t = |v| self.transform.forward(v).unwrap_or(0.0);
        let (low, high) = (t(self.low), t(self.high));
        if low < high { (low, high) } else { (low, low + 1.0) }
    }
}

/// Positions that differ by less are the same.
const LEAST: f64 = 1e-280;

/// Widens an interval of positions by a margin; one without extent becomes one that shows the value in its middle.
fn widened(transform: Transform, low: f64, high: f64, margin: f64) -> (f64, f64) {
    let extent = high - low;
    // Rounding noise around a constant is a constant: magnified, it would look like a finding. So is what lies near
    // the least numbers, where steps and ratios lose their digits.
    let noise = (1e-12 * low.abs().max(high.abs())).max(LEAST);
    if extent > noise {
        return (low - margin * extent, high + margin * extent);
    }
    let half = match transform {
        Transform::Linear if low.abs() > LEAST => 0.1 * low.abs(),
        Transform::Linear => 1.0,
        _ => 0.5,
    };
    (low - half, high + half)
}

/// The power of ten below which a bi-symmetric scale is about linear: that of the smallest magnitude, but not more
/// than [`SYM_LOG_DECADES`] below the largest.
fn linear_within(values: impl Iterator<Item = f64>) -> f64 {
    let magnitudes = values.map(f64::abs).filter(|v| v.is_finite() && *v > 0.0);
    let (least, most) = magnitudes.fold((f64::INFINITY, 0f64), |(l, m), v| (l.min(v), m.max(v)));
    if most == 0.0 {
        return 1.0;
    }
    let decade = |v: f64| v.log10().floor() as i32;
    10f64.powi(decade(least).max(decade(most) - SYM_LOG_DECADES).clamp(-300, 300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_have_inverses() {
        for transform in [Transform::Linear, Transform::Log, Transform::SymLog { linear_within: 0.01 }] {
            for v in [1e-6, 0.3, 1.0, 2e5] {
                let back = transform.inverse(transform.forward(v).unwrap());
                assert!((back - v).abs() <= 1e-12 * v.max(1.0), "{transform:?} {v} {back}");
            }
        }
        let symmetric = Transform::SymLog { linear_within: 0.01 };
        assert_eq!(symmetric.forward(-7.0).unwrap(), -symmetric.forward(7.0).unwrap());
        assert_eq!(symmetric.forward(0.0), Some(0.0));
        assert_eq!(Transform::Log.forward(0.0), None);
        assert_eq!(Transform::Linear.forward(f64::NAN), None);
    }

    #[test]
    fn spans_contain_their_data_and_are_never_empty() {
        let span = |axis: &Axis, values: &[f64]| Span::of(axis, values.iter().copied(), 0.05);
        let plain = span(&Axis::new("x"), &[1.0, f64::NAN, 3.0, f64::INFINITY]);
        assert_eq!((plain.low, plain.high), (0.9, 3.1));
        for values in [&[][..], &[f64::NAN], &[0.0], &[5.0, 5.0], &[-2.0], &[1e300], &[1e-300]] {
            for axis in [Axis::new("x"), Axis::new("x").log(), Axis::new("x").sym_log()] {
                let span = span(&axis, values);
                assert!(span.low < span.high, "{axis:?} {values:?} {span:?}");
                let (low, high) = span.ends();
                assert!(low < high && low.is_finite() && high.is_finite());
            }
        }
        let fixed = span(&Axis::new("x").log().range(0.0, 100.0), &[1.0, 10.0]);
        assert!(fixed.low > 0.5 && fixed.low < 1.0, "an end without a place comes from the data: {fixed:?}");
        assert!((fixed.high - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_linear_part_is_a_power_of_ten_near_the_least_magnitude() {
        assert_eq!(linear_within([-3.0, 0.0, 40.0, 0.02].into_iter()), 0.01);
        assert_eq!(linear_within([1e-14, 100.0].into_iter()), 10f64.powi(2 - SYM_LOG_DECADES));
        assert_eq!(linear_within([0.0, f64::NAN].into_iter()), 1.0);
    }
}
