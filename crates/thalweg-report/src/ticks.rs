//! Ticks: where an axis is marked, and what is written there.

use crate::number_text::{decimal, power_of_ten, scientific};
use crate::scale::{Span, Transform};

/// The marks of one axis, in increasing order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ticks {
    /// Values with their text.
    pub(crate) major: Vec<(f64, String)>,
    /// Values of the unlabelled marks between.
    pub(crate) minor: Vec<f64>,
}

/// At most about `target` labelled marks for what `span` shows.
pub(crate) fn ticks(span: &Span, target: usize) -> Ticks {
    let target = target.max(2);
    match span.transform {
        Transform::Linear => linear(span.low, span.high, target),
        Transform::Log => log(span.low, span.high, target),
        Transform::SymLog { linear_within } => sym_log(span, linear_within, target),
    }
}

/// Round values that divide what `span` shows into about `target` classes, both ends excluded: the levels of a
/// contour plot.
pub(crate) fn levels(span: &Span, target: usize) -> Vec<(f64, String)> {
    let all = match span.transform {
        Transform::Log => {
            let (low, high) = span.ends();
            let ladder = LADDERS.iter().min_by_key(|ladder| {
                let count = (high - low) * ladder.len() as f64;
                ((count - target as f64).abs() * 64.0) as u64
            });
            let ladder = ladder.copied().unwrap_or(&[1.0]);
            if (high - low) * (ladder.len() as f64) < 0.6 * target as f64 {
                linear(span.low, span.high, target).major
            } else {
                let values = on_ladder(span.low, span.high, ladder);
                let stride = values.len().div_ceil(2 * target).max(1);
                let values: Vec<f64> = values.into_iter().step_by(stride).collect();
                let text = log_text(&values);
                values.into_iter().zip(text).collect()
            }
        }
        Transform::Linear => {
            // The step whose count of levels comes nearest, rather than the first that is coarse enough.
            let all = (target / 2..=2 * target).map(|t| linear(span.low, span.high, t).major);
            all.min_by_key(|levels| levels.len().abs_diff(target)).unwrap_or_default()
        }
        Transform::SymLog { .. } => ticks(span, target).major,
    };
    all.into_iter().filter(|(v, _)| *v > span.low && *v < span.high).collect()
}

/// The steps that people count in.
const STEPS: [f64; 4] = [1.0, 2.0, 2.5, 5.0];
/// Within a decade, coarse to fine.
const LADDERS: [&[f64]; 5] = [
    &[1.0],
    &[1.0, 3.0],
    &[1.0, 2.0, 5.0],
    &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
    &[1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
];

fn linear(low: f64, high: f64, target: usize) -> Ticks {
    let raw = (high - low) / target as f64;
    // Below, powers of ten lose their digits, and no axis needs them.
    if !(raw.is_finite() && raw > 1e-290) {
        return Ticks::default();
    }
    let decade = raw.log10().floor() as i32;
    let mut candidates = (decade..=decade + 1).flat_map(|d| STEPS.map(|m| (m, d)));
    let (mantissa, decade) =
        candidates.find(|(m, d)| m * 10f64.powi(*d) >= raw * 0.999).unwrap_or((1.0, decade + 1));
    let step = mantissa * 10f64.powi(decade);
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    // Counting in whole steps keeps 0.3 from becoming 0.30000000000000004 and zero from becoming 1e-17.
    let values: Vec<f64> = (0..=(last - first).max(-1.0) as i64).map(|k| (first + k as f64) * step).collect();
    let parts = if mantissa == 2.0 { 4.0 } else { 5.0 };
    let fine = step / parts;
    let (begin, end) = ((low / fine - 1e-9).ceil(), (high / fine + 1e-9).floor());
    let minor = (0..=(end - begin).max(-1.0) as i64).map(|k| begin + k as f64).filter(|k| k % parts != 0.0);
    let minor = minor.map(|k| k * fine).collect();
    let text = linear_text(&values, mantissa, decade);
    Ticks { major: values.into_iter().zip(text).collect(), minor }
}

/// All labels of a linear axis have the same number of decimals, or the same power of ten.
fn linear_text(values: &[f64], mantissa: f64, decade: i32) -> Vec<String> {
    let most = values.iter().fold(0f64, |m, v| m.max(v.abs()));
    let digits_of_step = if mantissa == 2.5 { 1 } else { 0 };
    let exponent = if most > 0.0 { (most * (1.0 + 1e-12)).log10().floor() as i32 } else { 0 };
    if !(-3..6).contains(&exponent) {
        let digits = (exponent - decade + digits_of_step).max(0) as usize;
        return values.iter().map(|v| scientific(*v, exponent, digits)).collect();
    }
    let digits = (digits_of_step - decade).max(0) as usize;
    values.iter().map(|v| decimal(*v, digits)).collect()
}

fn log(low: f64, high: f64, target: usize) -> Ticks {
    let span = (high / low).log10();
    let decades = on_ladder(low, high, LADDERS[0]);
    if decades.len() >= 2 {
        let stride = decades.len().div_ceil(target).max(1);
        // With few decades there is room for steps between them.
        let ladder = if decades.len() * 3 <= target && stride == 1 { LADDERS[2] } else { LADDERS[0] };
        let offset = stride_offset(&decades, stride);
        let values: Vec<f64> = match ladder.len() {
            1 => decades.iter().copied().skip(offset).step_by(stride).collect(),
            _ => on_ladder(low, high, ladder),
        };
        let nine = [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let minor = if stride == 1 && span <= 8.0 { on_ladder(low, high, &nine) } else { decades };
        let minor = minor.into_iter().filter(|v| !values.contains(v)).collect();
        let text = log_text(&values);
        return Ticks { major: values.into_iter().zip(text).collect(), minor };
    }
    for ladder in [LADDERS[2], LADDERS[3]] {
        let values = on_ladder(low, high, ladder);
        if values.len() >= 3 && values.len() <= target + 1 {
            let text = log_text(&values);
            return Ticks { major: values.into_iter().zip(text).collect(), minor: Vec::new() };
        }
    }
    linear(low, high, target)
}

/// Strided decades go through 10⁰ where it is in sight, so that they stay the same as the ends move.
fn stride_offset(decades: &[f64], stride: usize) -> usize {
    decades.first().map_or(0, |first| (-(first.log10().round() as i64)).rem_euclid(stride as i64) as usize)
}

fn on_ladder(low: f64, high: f64, ladder: &[f64]) -> Vec<f64> {
    if !(low > 0.0 && high.is_finite()) {
        return Vec::new();
    }
    let decades = low.log10().floor() as i32..=high.log10().floor() as i32;
    let inside = |v: &f64| *v >= low * (1.0 - 1e-9) && *v <= high * (1.0 + 1e-9);
    decades.flat_map(|d| ladder.iter().map(move |m| m * 10f64.powi(d))).filter(inside).collect()
}

/// Plain numbers where they are short, powers of ten beyond: `10⁻³`, `0.01`, `0.1`, `1`.
fn log_text(values: &[f64]) -> Vec<String> {
    let text = |v: &f64| {
        let exponent = (v * (1.0 + 1e-12)).log10().floor() as i32;
        let mantissa = v / 10f64.powi(exponent);
        let digits = usize::from((mantissa - mantissa.round()).abs() > 1e-6);
        if is_short(*v) {
            decimal(*v, (digits as i32 - exponent).max(0) as usize)
        } else if (mantissa - 1.0).abs() < 1e-6 {
            power_of_ten(exponent)
        } else {
            scientific(*v, exponent, digits)
        }
    };
    values.iter().map(text).collect()
}

/// Whether a magnitude is read faster written out than as a power of ten.
fn is_short(magnitude: f64) -> bool {
    (0.0099..=9001.0).contains(&magnitude)
}

fn sym_log(span: &Span, linear_within: f64, target: usize) -> Ticks {
    let (low, high) = span.ends();
    let room = (high - low) / target as f64;
    let top = span.low.abs().max(span.high.abs());
    let first = linear_within.log10().round() as i32;
    let last = top.log10().floor() as i32;
    let stride = room.ceil().max(1.0) as usize;
    let sides = if span.low < 0.0 && span.high > 0.0 { 2 } else { 1 };
    let ladder = on_ladder(10f64.powi(first), top, LADDERS[2]);
    // Both sides are marked at the same magnitudes, and 1 is one of them if it is in sight.
    let mut magnitudes: Vec<f64> = if sides * ladder.len() <= target {
        ladder
    } else {
        let decades: Vec<f64> = (first..=last).map(|d| 10f64.powi(d)).collect();
        let offset = stride_offset(&decades, stride);
        decades.into_iter().skip(offset).step_by(stride).collect()
    };
    magnitudes.retain(|m| span.transform.forward(*m).is_some_and(|t| t > 0.6 * room));
    let inside = |v: &f64| *v >= span.low && *v <= span.high;
    let values: Vec<f64> = magnitudes
        .iter()
        .rev()
        .map(|m| -m)
        .chain([0.0])
        .chain(magnitudes.iter().copied())
        .filter(inside)
        .collect();
    let text = |v: f64| {
        let exponent = (v.abs() * (1.0 + 1e-12)).log10().floor() as i32;
        let whole = (v.abs() / 10f64.powi(exponent) - 1.0).abs() < 1e-6;
        match v {
            0.0 => "0".to_owned(),
            _ if is_short(v.abs()) => decimal(v, (-exponent).max(0) as usize),
            _ if !whole => scientific(v, exponent, 0),
            _ if v < 0.0 => format!("−{}", power_of_ten(exponent)),
            _ => power_of_ten(exponent),
        }
    };
    if values.len() < 3 && !(span.low < 0.0 && span.high > 0.0) {
        return linear(span.low, span.high, target);
    }
    let nine = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    let fine = if last - first <= 4 { &nine[..] } else { &nine[..1] };
    let minor = on_ladder(10f64.powi(first), top, fine).into_iter().flat_map(|v| [v, -v]);
    let mut minor: Vec<f64> = minor.filter(|v| inside(v) && !values.contains(v)).collect();
    minor.sort_by(f64::total_cmp);
    Ticks { major: values.into_iter().map(|v| (v, text(v))).collect(), minor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Axis;

    fn text(axis: &Axis, low: f64, high: f64, target: usize) -> Vec<String> {
        let span = Span::of(&axis.clone().range(low, high), [low, high].into_iter(), 0.0);
        ticks(&span, target).major.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        let axis = Axis::new("x");
        assert_eq!(text(&axis, 0.0, 1.0, 5), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(text(&axis, -1.0, 1.0, 4), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
        assert_eq!(text(&axis, 0.0, 30_000.0, 3), ["0", "10\u{a0}000", "20\u{a0}000", "30\u{a0}000"]);
        assert_eq!(text(&axis, 0.0, 4e-6, 4), ["0", "1×10⁻⁶", "2×10⁻⁶", "3×10⁻⁶", "4×10⁻⁶"]);
        assert_eq!(text(&axis, 0.9991, 1.0001, 4), ["0.99925", "0.99950", "0.99975", "1.00000"]);
    }

    #[test]
    fn log_ticks_are_powers_of_ten() {
        let axis = Axis::new("x").log();
        assert_eq!(text(&axis, 1e-4, 1.0, 6), ["10⁻⁴", "10⁻³", "0.01", "0.1", "1"]);
        assert_eq!(text(&axis, 0.05, 20.0, 4), ["0.1", "1", "10"]);
        assert_eq!(text(&axis, 0.2, 3.0, 6), ["0.2", "0.5", "1", "2"]);
        assert_eq!(text(&axis, 1e-12, 1.0, 5), ["10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "1"]);
        assert_eq!(log_text(&[3e-4, 5.0, 1.5, 2e4]), ["3×10⁻⁴", "5", "1.5", "2×10⁴"]);
    }

    #[test]
    fn bi_symmetric_ticks_are_symmetric_and_hold_zero() {
        let axis = Axis::new("λ").sym_log();
        let span = Span::of(&axis, [-3.0, 0.002, 150.0].into_iter(), 0.0);
        let major: Vec<f64> = ticks(&span, 9).major.into_iter().map(|(v, _)| v).collect();
        assert!(major.contains(&0.0) && major.contains(&-1.0) && major.contains(&100.0), "{major:?}");
        assert!(major.iter().filter(|v| **v < 0.0).all(|v| major.contains(&-v)), "{major:?}");
        // Where there is room for every second decade or third only, 1 is among them.
        let span = Span::of(&axis, [-2.3, 4e-4, 38.0].into_iter(), 0.0);
        for target in 4..9 {
            let major = ticks(&span, target).major;
            let has = |v: f64, text: &str| major.iter().any(|(at, said)| *at == v && said == text);
            assert!(has(1.0, "1") && has(-1.0, "−1"), "{target} {major:?}");
        }
    }

    #[test]
    fn ticks_are_ordered_in_sight_and_near_their_target() {
        for axis in [Axis::new("x"), Axis::new("x").log(), Axis::new("x").sym_log()] {
            for (low, high) in [(1e-9, 2e-9), (0.3, 0.4), (1.0, 1e12), (0.01, 7.0), (1e-300, 1e300)] {
                for target in 2..12 {
                    let span = Span::of(&axis.clone().range(low, high), [low, high].into_iter(), 0.0);
                    let Ticks { major, minor } = ticks(&span, target);
                    let rising = |v: &[f64]| v.windows(2).all(|w| w[0] < w[1]);
                    let values: Vec<f64> = major.iter().map(|m| m.0).collect();
                    assert!(rising(&values) && rising(&minor), "{axis:?} {low} {high} {target}");
                    assert!(major.len() <= 2 * target + 3, "{axis:?} {low} {high} {target} {major:?}");
                    let slack = 1e-6 * high;
                    assert!(values.iter().chain(&minor).all(|v| *v >= low - slack && *v <= high + slack));
                }
            }
        }
    }

    #[test]
    fn levels_lie_strictly_inside() {
        for axis in [Axis::new("z"), Axis::new("z").log()] {
            for (low, high) in [(0.02, 40.0), (0.3, 0.9), (1e-6, 1e3), (2.30, 2.31)] {
                let span = Span::of(&axis, [low, high].into_iter(), 0.0);
                let levels = levels(&span, 12);
                assert!((5..=26).contains(&levels.len()), "{axis:?} {low} {high} {levels:?}");
                assert!(levels.iter().all(|(v, _)| *v > low && *v < high));
            }
        }
    }
}
