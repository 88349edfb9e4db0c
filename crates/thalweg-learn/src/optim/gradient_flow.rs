//! Gradient flow: dθ/dt = −∇L, integrated to a tolerance.

use serde::{Deserialize, Serialize};
use thalweg_kernel::Real;

use super::probe::{Halt, Probe, moved};
use super::{Number, OptimiserError, Shares, check};

/// What a state keeps: the substep that would be taken next (0: none yet) and the error of the last one.
pub(super) const NUMBERS: [&str; 2] = ["substep", "error"];

/// Stages 2 and 3 are at these shares of a substep.
const NODES: [f64; 2] = [0.5, 0.75];
/// Weights of the slopes in the third-order solution.
const WEIGHTS: [f64; 3] = [2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0];
/// The same less those of the second-order one, which also takes the slope at the end.
const ERROR: [f64; 4] = [-5.0 / 72.0, 1.0 / 12.0, 1.0 / 9.0, -1.0 / 8.0];
/// A substep's error goes with this power of its length.
const ORDER: f64 = 3.0;
/// Errors below count as this in the next choice of a length.
const ERROR_MIN: f64 = 1e-4;

/// The path of steepest descent in continuous time, dθ/dt = −∇L(θ).
///
/// A step of the optimiser is a stretch of time as long as the scheduled learning rate: with a constant rate θ_k is the flow at
/// time k·η, which θ_k of gradient descent at that rate follows as η → 0; with other schedules, at the sum of the rates.
/// Within it, substeps of any length are taken by the third-order Runge–Kutta pair of Bogacki & Shampine 1989, whose
/// second-order solution gives the error:
///
/// err = √(mean_i (e_i / (`atol` + `rtol` max(|θ_i|, |θ'_i|)))²) ≤ 1,
///
/// the norm of Hairer, Nørsett & Wanner 1993, II.4. That is the error of one substep, so a run's is larger, in proportion to the
/// tolerances. Lengths follow a PI controller (Gustafsson 1991; exponents 0.7/3 and 0.4/3). A step of which `substeps_max` are
/// not enough is not taken: the run ends there and says so.
///
/// Why not the fifth-order pair of Dormand & Prince: the flow of a network is stiff before it is anything else, for the largest
/// curvatures λ are many and last. What limits a substep then is stability, h λ < 2.51 for three gradients here and 3.31 for six
/// there. (Gradient descent itself has 2 for one.)
///
/// The loss has to be one function: that of all examples, with nothing random in it. In single precision tolerances below
/// 1e-5 mean little, as increments of θ are rounded. Cost: three gradients a substep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GradientFlow {
    /// Error allowed to a substep in units of each parameter's size, > 0; 1e-4 unless given.
    pub rtol: f64,
    /// The same beside that, in absolute units, > 0; 1e-6 unless given.
    pub atol: f64,
    /// Substeps that may be tried in a step, at least 1; 1000 unless given.
    pub substeps_max: u64,
}

impl Default for GradientFlow {
    fn default() -> Self {
        Self { rtol: 1e-4, atol: 1e-6, substeps_max: 1000 }
    }
}

/// A substep that was tried.
struct Tried<T, B> {
    theta: Vec<T>,
    probe: Probe<T, B>,
    /// In units of what is allowed.
    error: f64,
}

impl GradientFlow {
    pub(super) fn validate(&self) -> Result<(), OptimiserError> {
        let kind = "gradient_flow";
        check(kind, "rtol", self.rtol, f64::MIN_POSITIVE..f64::INFINITY, "finite and above 0")?;
        check(kind, "atol", self.atol, f64::MIN_POSITIVE..f64::INFINITY, "finite and above 0")?;
        if self.substeps_max == 0 {
            let (field, expected, found) = ("substeps_max", "at least 1", 0.0);
            return Err(OptimiserError::HyperParameter { kind, field, expected, found });
        }
        Ok(())
    }

    /// Follows the flow for a time `lr`. `here` is at θ; what is given back is where θ is then.
    pub(super) fn step<T: Real, B>(
        &self,
        theta: &mut [T],
        numbers: &mut [Number],
        here: Probe<T, B>,
        lr: f64,
        probe: &mut dyn FnMut(&[T]) -> Probe<T, B>,
    ) -> Result<Probe<T, B>, Halt> {
        let (mut now, mut here) = (theta.to_vec(), here);
        let [mut length, mut error_before] = [numbers[0].value, numbers[1].value];
        if length == 0.0 && lr > 0.0 {
            (length, error_before) = (self.first_length(&now, &here.gradient, lr), ERROR_MIN);
        }
        let (mut passed, mut tried) = (0.0, 0);
        while passed < lr {
            if tried == self.substeps_max {
                return Err(Halt::Substeps { tried });
            }
            tried += 1;
            let left = lr - passed;
            // A rest that rounding would leave is no substep of its own.
            let is_last = length >= left * (1.0 - 1e-12);
            let h = if is_last { left } else { length };
            let Some(new) = self.attempt(&now, &here, h, probe).filter(|new| new.error.is_finite()) else {
                length = h * 0.2;
                continue;
            };
            if new.error > 1.0 {
                length = h * (0.9 * power(new.error, -1.0 / ORDER)).max(0.2);
                continue;
            }
            let error = new.error.max(ERROR_MIN);
            let growth = 0.9 * power(error, -0.7 / ORDER) * power(error_before, 0.4 / ORDER);
            let proposed = h * growth.clamp(0.2, 5.0);
            // A substep that was cut short for the end of the step says nothing against longer ones.
            length = if is_last { proposed.max(length) } else { proposed };
            error_before = error;
            passed = if is_last { lr } else { passed + h };
            (now, here) = (new.theta, new.probe);
        }
        theta.copy_from_slice(&now);
        (numbers[0].value, numbers[1].value) = (length, error_before);
        Ok(here)
    }

    /// The first guess of Hairer, Nørsett & Wanner 1993, II.4: what moves θ by a hundredth of itself.
    fn first_length<T: Real>(&self, theta: &[T], gradient: &[T], lr: f64) -> f64 {
        let size = |values: &[T]| self.norm(values.iter().map(|x| x.to_f64()), theta, theta);
        let (of_theta, of_slope) = (size(theta), size(gradient));
        let guess = if of_theta < 1e-5 || of_slope < 1e-5 { 1e-6 } else { 0.01 * of_theta / of_slope };
        // At least a length that growth gets away from.
        guess.min(lr).max(lr * 1e-12)
    }

    /// A substep of length `h`; none if a slope on the way is not finite.
    fn attempt<T: Real, B>(
        &self,
        theta: &[T],
        here: &Probe<T, B>,
        h: f64,
        probe: &mut dyn FnMut(&[T]) -> Probe<T, B>,
    ) -> Option<Tried<T, B>> {
        let mut at = |theta: &[T]| Some(probe(theta)).filter(Probe::is_finite);
        let g_1 = &here.gradient;
        // Slopes are gradients with the other sign.
        let g_2 = at(&moved(theta, -h * NODES[0], g_1))?.gradient;
        let g_3 = at(&moved(theta, -h * NODES[1], &g_2))?.gradient;
        let weights = WEIGHTS.map(|weight| T::from_f64(-h * weight));
        let end: Vec<T> = (0..theta.len())
            .map(|i| theta[i] + (weights[0] * g_1[i] + weights[1] * g_2[i] + weights[2] * g_3[i]))
            .collect();
        if !Shares::even(end.len()).all_finite(&end) {
            return None;
        }
        let probe = at(&end)?;
        let g_4 = &probe.gradient;
        let error = self.norm(
            (0..theta.len()).map(|i| {
                let slopes = [g_1[i], g_2[i], g_3[i], g_4[i]].map(T::to_f64);
                h * ERROR.iter().zip(slopes).map(|(weight, slope)| weight * slope).sum::<f64>()
            }),
            theta,
            &end,
        );
        Some(Tried { theta: end, probe, error })
    }

    /// √(mean (xᵢ / (atol + rtol max(|aᵢ|, |bᵢ|)))²).
    fn norm<T: Real>(&self, x: impl Iterator<Item = f64>, a: &[T], b: &[T]) -> f64 {
        let allowed = |(a, b): (&T, &T)| self.atol + self.rtol * a.to_f64().abs().max(b.to_f64().abs());
        let square = |(x, allowed): (f64, f64)| (x / allowed) * (x / allowed);
        let sum: f64 = x.zip(a.iter().zip(b).map(allowed)).map(square).sum();
        (sum / a.len().max(1) as f64).sqrt()
    }
}

/// The bits of `f64::powf` are those of the system's library.
fn power(x: f64, exponent: f64) -> f64 {
    libm::pow(x, exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Optimiser, OptimiserState};

    const CURVATURES: [f64; 3] = [0.3, 2.0, 25.0];
    const START: [f64; 3] = [1.0, -2.0, 0.5];

    /// ½ Σ c x².
    fn bowl(x: &[f64]) -> Probe<f64> {
        let gradient: Vec<f64> = x.iter().zip(CURVATURES).map(|(x, c)| c * x).collect();
        Probe { loss: 0.5 * x.iter().zip(&gradient).map(|(x, g)| x * g).sum::<f64>(), gradient, beside: () }
    }

    /// Where the flow of a function is after so many steps of that length, and the evaluations that it took.
    fn follow(
        flow: GradientFlow,
        substep: f64,
        f: impl Fn(&[f64]) -> Probe<f64>,
        start: &[f64],
        [lr, steps]: [f64; 2],
    ) -> Result<(Vec<f64>, usize), Halt> {
        let numbers = [("substep".to_owned(), substep), ("error".to_owned(), ERROR_MIN)];
        let optimiser = Optimiser::GradientFlow(flow);
        let mut state =
            OptimiserState::<f64>::restore(optimiser, start.len(), 0, Vec::new(), &numbers).unwrap();
        let (mut theta, mut here, mut count) = (start.to_vec(), f(start), 1);
        for _ in 0..steps as usize {
            let mut probe = |theta: &[f64]| {
                count += 1;
                f(theta)
            };
            here = state.step_along(&mut theta, here, lr, &mut probe)?;
            assert_eq!(here, f(&theta));
        }
        Ok((theta, count))
    }

    /// max |xᵢ − yᵢ|.
    fn apart(x: &[f64], y: impl IntoIterator<Item = f64>) -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
    }

    fn decayed(time: f64) -> [f64; 3] {
        std::array::from_fn(|i| START[i] * libm::exp(-CURVATURES[i] * time))
    }

    #[test]
    fn on_a_quadratic_it_decays_to_the_tolerance() {
        let mut last = f64::INFINITY;
        for tolerance in [1e-3, 1e-5, 1e-7, 1e-9] {
            let flow = GradientFlow { rtol: tolerance, atol: tolerance, ..GradientFlow::default() };
            let (theta, _) = follow(flow, 0.0, bowl, &START, [0.25, 6.0]).unwrap();
            let error = apart(&theta, decayed(1.5));
            assert!(error < 10.0 * tolerance && error < last / 10.0, "{error:e} at {tolerance:e}");
            last = error;
        }
    }

    #[test]
    fn its_order_is_the_third() {
        // Every error is allowed, so a step is one substep.
        let flow = GradientFlow { rtol: 1e9, atol: 1e9, ..GradientFlow::default() };
        let error = |steps: f64| {
            let (theta, count) = follow(flow, 1e9, bowl, &START, [1.0 / steps, steps]).unwrap();
            assert_eq!(count, 1 + 3 * steps as usize);
            apart(&theta, decayed(1.0))
        };
        for steps in [200.0, 400.0] {
            let order = (error(steps) / error(2.0 * steps)).log2();
            assert!((order - 3.0).abs() < 0.1, "{order}");
        }
        // Of dx/dt = −x³, x/√(1 + 2 x² t).
        let quartic =
            |x: &[f64]| Probe { loss: 0.25 * x[0].powi(4), gradient: vec![x[0].powi(3)], beside: () };
        let error = |steps: f64| {
            let (theta, _) = follow(flow, 1e9, quartic, &[2.0], [1.0 / steps, steps]).unwrap();
            apart(&theta, [2.0 / 3.0])
        };
        let order = (error(80.0) / error(160.0)).log2();
        assert!((order - 3.0).abs() < 0.15, "{order}");
    }

    #[test]
    fn what_stiffness_costs_is_what_stability_asks_for() {
        // The fast direction is long at rest, and limits substeps to 2.51/λ all the same.
        let stiff = |x: &[f64]| {
            let gradient = vec![1e4 * x[0], x[1]];
            Probe { loss: 5e3 * x[0] * x[0] + 0.5 * x[1] * x[1], gradient, beside: () }
        };
        let flow = GradientFlow { substeps_max: 10_000, ..GradientFlow::default() };
        let (theta, count) = follow(flow, 0.0, stiff, &[1.0, 1.0], [0.5, 2.0]).unwrap();
        assert!(apart(&theta, [0.0, libm::exp(-1.0)]) < 1e-3, "{theta:?}");
        let least = 3.0 * 1e4 / 2.51;
        let share = count as f64 / least;
        assert!((0.95..1.3).contains(&share), "{count} evaluations, {least} at least");
        // Fewer than it needs: it stops, and says how many it tried.
        let halted = follow(GradientFlow { substeps_max: 100, ..flow }, 0.0, stiff, &[1.0, 1.0], [0.5, 1.0]);
        assert_eq!(halted.unwrap_err(), Halt::Substeps { tried: 100 });
    }

    #[test]
    fn substeps_that_leave_the_domain_are_shortened() {
        let barrier = |x: &[f64]| {
            let loss = if x[0] > 0.0 { 0.5 * x[0] * x[0] - x[0].ln() } else { f64::NAN };
            Probe { loss, gradient: vec![if x[0] > 0.0 { x[0] - 1.0 / x[0] } else { f64::NAN }], beside: () }
        };
        let (theta, _) = follow(GradientFlow::default(), 1e6, barrier, &[3.0], [20.0, 1.0]).unwrap();
        assert!((theta[0] - 1.0).abs() < 1e-3, "{theta:?}");
    }

    #[test]
    fn at_a_critical_point_nothing_moves() {
        let (theta, _) = follow(GradientFlow::default(), 0.0, bowl, &[0.0; 3], [1e6, 2.0]).unwrap();
        assert_eq!(theta, [0.0; 3]);
        let (theta, count) = follow(GradientFlow::default(), 0.0, bowl, &START, [0.0, 3.0]).unwrap();
        assert_eq!((&theta[..], count), (&START[..], 1), "no time passes");
    }
}
