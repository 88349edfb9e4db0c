//! How far to go along a direction: a search for the strong Wolfe conditions.
//!
//! The algorithms are 3.5 (bracket) and 3.6 (zoom) of Nocedal & Wright 2006 with cubic interpolation, decision by decision as
//! PyTorch's `line_search_fn="strong_wolfe"` takes them, so that iterates agree. What is otherwise here: a point with a loss
//! or a gradient that is not finite counts as too high, and intervals that end at one are halved. PyTorch goes on past it.

use thalweg_kernel::Real;

use super::probe::{Probe, dot, largest, moved};

/// Evaluations after the first, at most.
const SEARCHES_MAX: u32 = 25;
/// The share of the first slope that the loss has to fall by at least.
const C_1: f64 = 1e-4;
/// The share of the first slope that may be left.
const C_2: f64 = 0.9;

/// A point on the line.
struct Place<T, B> {
    t: f64,
    loss: f64,
    slope: f64,
    /// None where the line begins: that is the caller's.
    probe: Option<(Vec<T>, Probe<T, B>)>,
}

/// The line θ + t·d.
struct Line<'a, T, B> {
    theta: &'a [T],
    direction: &'a [T],
    probe: &'a mut dyn FnMut(&[T]) -> Probe<T, B>,
}

impl<T: Real, B> Line<'_, T, B> {
    fn at(&mut self, t: f64) -> Place<T, B> {
        let point = moved(self.theta, t, self.direction);
        let probe = (self.probe)(&point);
        let slope = dot(&probe.gradient, self.direction);
        let loss = if probe.is_finite() { probe.loss } else { f64::INFINITY };
        Place { t, loss, slope, probe: Some((point, probe)) }
    }
}

/// Where a search ended.
pub(super) struct Found<T, B> {
    pub(super) t: f64,
    pub(super) theta: Vec<T>,
    pub(super) probe: Probe<T, B>,
}

/// A point on θ + t·d that is lower than θ, which has that loss and that slope < 0; the conditions hold there unless 26
/// evaluations were not enough or the interval became shorter than `width_min` in every parameter. `t` is the first that is
/// tried. None if no point was lower.
pub(super) fn search<T: Real, B>(
    theta: &[T],
    direction: &[T],
    [loss, slope]: [f64; 2],
    t: f64,
    width_min: f64,
    probe: &mut dyn FnMut(&[T]) -> Probe<T, B>,
) -> Option<Found<T, B>> {
    let mut line = Line { theta, direction, probe };
    let is_high = |place: &Place<T, B>| {
        // A loss that is not finite is infinite here.
        place.loss > loss + C_1 * place.t * slope
    };
    let is_flat = |place: &Place<T, B>| place.slope.abs() <= -C_2 * slope;
    let start = || Place { t: 0.0, loss, slope, probe: None };
    let mut before = start();
    let mut here = line.at(t);
    let mut searches = 0;
    let mut done = false;
    let [mut low, mut high] = loop {
        if searches == SEARCHES_MAX {
            break [start(), here];
        }
        if is_high(&here) || searches > 1 && here.loss >= before.loss {
            break [before, here];
        }
        if is_flat(&here) {
            done = true;
            break [here, before];
        }
        if here.slope >= 0.0 {
            break [before, here];
        }
        let bounds = [here.t + 0.01 * (here.t - before.t), here.t * 10.0];
        let next = line.at(interpolated(&before, &here, bounds));
        before = std::mem::replace(&mut here, next);
        searches += 1;
    };
    if high.loss < low.loss && !done {
        std::mem::swap(&mut low, &mut high);
    }
    let length = largest(direction);
    let mut has_stalled = false;
    while !done && searches < SEARCHES_MAX {
        let [least, most] = [low.t.min(high.t), low.t.max(high.t)];
        if (most - least) * length < width_min {
            break;
        }
        let mut t = interpolated(&low, &high, [least, most]);
        // Near an end, twice in a row or beyond it: a tenth of the interval away from it.
        let edge = 0.1 * (most - least);
        if (most - t).min(t - least) < edge {
            if has_stalled || t >= most || t <= least {
                t = if (t - most).abs() < (t - least).abs() { most - edge } else { least + edge };
                has_stalled = false;
            } else {
                has_stalled = true;
            }
        } else {
            has_stalled = false;
        }
        let new = line.at(t);
        searches += 1;
        if is_high(&new) || new.loss >= low.loss {
            high = new;
            if high.loss < low.loss {
                std::mem::swap(&mut low, &mut high);
            }
            continue;
        }
        if is_flat(&new) {
            done = true;
        } else if new.slope * (high.t - low.t) >= 0.0 {
            high = std::mem::replace(&mut low, new);
            continue;
        }
        low = new;
    }
    low.probe.map(|(theta, probe)| Found { t: low.t, theta, probe })
}

/// Where the cubic with the losses and slopes of two places is lowest, within bounds; their middle where it has no minimum, or a
/// loss is not finite.
fn interpolated<T, B>(a: &Place<T, B>, b: &Place<T, B>, [least, most]: [f64; 2]) -> f64 {
    let [a, b] = if a.t <= b.t { [a, b] } else { [b, a] };
    let d_1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.t - b.t);
    let square = d_1 * d_1 - a.slope * b.slope;
    let lowest = || {
        let d_2 = square.sqrt();
        b.t - (b.t - a.t) * ((b.slope + d_2 - d_1) / (b.slope - a.slope + 2.0 * d_2))
    };
    match square {
        // Of losses that are not finite the square is not either.
        _ if square >= 0.0 && square.is_finite() => lowest().max(least).min(most),
        _ => 0.5 * (least + most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A search along the line of one number, and how many evaluations it took.
    fn along(f: impl Fn(f64) -> [f64; 2], from: f64, t: f64) -> (Option<f64>, usize) {
        let mut count = 0;
        let [loss, gradient] = f(from);
        let mut probe = |theta: &[f64]| {
            count += 1;
            let [loss, gradient] = f(theta[0]);
            Probe { loss, gradient: vec![gradient], beside: () }
        };
        let (direction, slope) = ([-gradient], -gradient * gradient);
        let found = search(&[from], &direction, [loss, slope], t, 1e-9, &mut probe);
        let theta = found.map(|found| {
            assert_eq!(found.probe.loss, f(found.theta[0])[0]);
            assert_eq!(found.theta[0], from - found.t * gradient);
            let meets = found.probe.loss <= loss + C_1 * found.t * slope
                && (found.probe.gradient[0] * -gradient).abs() <= -C_2 * slope;
            assert!(meets, "{} from {from}", found.theta[0]);
            found.theta[0]
        });
        (theta, count)
    }

    #[test]
    fn both_conditions_hold_where_a_search_ends() {
        let quadratic = |x: f64| [0.5 * x * x, x];
        assert_eq!(along(quadratic, 3.0, 1.0), (Some(0.0), 1));
        // Too far: the cubic through both ends is the quadratic itself.
        let (theta, count) = along(quadratic, 3.0, 50.0);
        assert!(theta.unwrap().abs() < 1e-12 && count == 2, "{theta:?} {count}");
        // Much too short: tenfold steps, until a tenth of the slope is gone.
        let (theta, count) = along(quadratic, 3.0, 2e-4);
        assert!((theta.unwrap() - 2.4).abs() < 1e-12 && count == 4, "{theta:?} {count}");
        let wavy = |x: f64| [0.05 * x * x + (3.0 * x).cos(), 0.1 * x - 3.0 * (3.0 * x).sin()];
        for from in [0.3, 1.3, -2.0, 4.4] {
            for t in [1e-3, 0.1, 1.0, 30.0] {
                assert!(along(wavy, from, t).0.is_some());
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_too_high() {
        // Defined for x > 0 alone.
        let barrier = |x: f64| if x > 0.0 { [x - x.ln(), 1.0 - 1.0 / x] } else { [f64::NAN, f64::NAN] };
        let (theta, count) = along(barrier, 3.0, 1000.0);
        assert!(theta.is_some_and(|x| x > 0.0 && x < 3.0) && count < 12, "{theta:?} {count}");
        let cliff = |x: f64| if x == 3.0 { [1.0, 1.0] } else { [f64::INFINITY, 1.0] };
        assert_eq!(along(cliff, 3.0, 1.0), (None, 26));
    }
}
