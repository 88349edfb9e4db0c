//! L-BFGS (Liu & Nocedal 1989).

use serde::{Deserialize, Serialize};
use thalweg_kernel::Real;

use super::line_search::search;
use super::probe::{Probe, dot, largest, sum_of_sizes};
use super::{OptimiserError, Slot, check};

/// Pairs that a state may keep: a checkpoint has two vectors for each.
const HISTORY_MAX: u64 = 100;
/// The least cosine of the angle between s and y of a pair that is kept.
const COSINE_MIN: f64 = 1e-10;

/// L-BFGS with a search for the strong Wolfe conditions. A step is one iteration: PyTorch's
/// `LBFGS(max_iter=1, max_eval=26, line_search_fn="strong_wolfe")`.
///
/// With g the gradient at θ and the pairs s = θ' − θ, y = g' − g of the last steps, of which those with s·y > 10⁻¹⁰ ‖s‖ ‖y‖ are kept:
///
/// - d = −H g, H being the inverse BFGS matrix of the pairs from H₀ = (s·y)/(y·y) of the last one (algorithm 7.4 of Nocedal &
///   Wright 2006); without pairs d = −g;
/// - θ' = θ + t d, with t from the search for L(θ + t d) ≤ L(θ) + 10⁻⁴ t g·d and |∇L(θ + t d)·d| ≤ 0.9 |g·d|. The first t is the
///   scheduled learning rate, and without pairs min(1, 1/‖g‖₁) times that: a constant rate of 1 is the usual choice.
///
/// Iterates are PyTorch's while its pairs have s·y > 10⁻¹⁰ without the norms. That it stops taking in shorter ones makes its last
/// digits slow.
///
/// A step does not move θ where ‖g‖∞ ≤ `tolerance_grad`, where g·d > −`tolerance_change`, where the rate is 0, or where 26
/// evaluations find nothing lower. The algorithm is for one function: the loss of all examples, with nothing random in
/// it. In single precision it ends where rounding hides the slope; `dtype = "f64"` goes further.
///
/// Cost: 1 to 26 gradients a step, mostly 1 or 2 (the last one is the first of the next step), and 2 `history` vectors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lbfgs {
    /// Pairs that are kept, from 1 to 100; 10 unless given.
    pub history: u64,
    /// The largest element of a gradient that counts as 0; 1e-7 unless given.
    pub tolerance_grad: f64,
    /// The slope g·d above which d is no descent, and the length of an interval that is searched no further, in its largest
    /// element; 1e-9 unless given.
    pub tolerance_change: f64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self { history: 10, tolerance_grad: 1e-7, tolerance_change: 1e-9 }
    }
}

impl Lbfgs {
    pub(super) fn validate(&self) -> Result<(), OptimiserError> {
        if !(1..=HISTORY_MAX).contains(&self.history) {
            let (expected, found) = ("from 1 to 100", self.history as f64);
            return Err(OptimiserError::HyperParameter { kind: "lbfgs", field: "history", expected, found });
        }
        check("lbfgs", "tolerance_grad", self.tolerance_grad, 0.0..f64::INFINITY, "finite and at least 0")?;
        check("lbfgs", "tolerance_change", self.tolerance_change, 0.0..f64::INFINITY, "finite and at least 0")
    }

    /// The last s first, then the last y first.
    pub(super) fn slot_names(&self) -> Vec<String> {
        // Bounded again, as a name may be asked for before the numbers are checked.
        let history = self.history.min(HISTORY_MAX);
        let named = |what: &str| (0..history).map(|i| format!("{what}_{i}")).collect::<Vec<_>>();
        [named("s"), named("y")].concat()
    }

    pub(super) fn step<T: Real, B>(
        &self,
        theta: &mut [T],
        slots: &mut [Slot<T>],
        here: Probe<T, B>,
        lr: f64,
        probe: &mut dyn FnMut(&[T]) -> Probe<T, B>,
    ) -> Probe<T, B> {
        let (s, y) = slots.split_at_mut(slots.len() / 2);
        if largest(&here.gradient) <= self.tolerance_grad || lr == 0.0 {
            return here;
        }
        let direction = direction(s, y, &here.gradient);
        let slope = dot(&here.gradient, &direction);
        // Not `slope > …`: a slope that is no number is no descent either.
        if !(slope < 0.0 && slope <= -self.tolerance_change) {
            return here;
        }
        let is_first = dot(&s[0].values, &y[0].values) <= 0.0;
        let t = if is_first { (1.0 / sum_of_sizes(&here.gradient)).min(1.0) * lr } else { lr };
        let ends = [here.loss, slope];
        let Some(found) = search(theta, &direction, ends, t, self.tolerance_change, probe) else {
            return here;
        };
        theta.copy_from_slice(&found.theta);
        let t = T::from_f64(found.t);
        let step: Vec<T> = direction.iter().map(|&d| t * d).collect();
        let pairs = found.probe.gradient.iter().zip(&here.gradient);
        let change: Vec<T> = pairs.map(|(&after, &before)| after - before).collect();
        if dot(&step, &change) > COSINE_MIN * (dot(&step, &step) * dot(&change, &change)).sqrt() {
            push(s, step);
            push(y, change);
        }
        found.probe
    }
}

/// The new one becomes the first, and the last one goes.
fn push<T>(slots: &mut [Slot<T>], new: Vec<T>) {
    let mut displaced = new;
    for slot in slots {
        std::mem::swap(&mut slot.values, &mut displaced);
    }
}

/// −H g: the two loops over the pairs, whose last is the first.
fn direction<T: Real>(s: &[Slot<T>], y: &[Slot<T>], gradient: &[T]) -> Vec<T> {
    let pairs = s.iter().zip(y).map(|(s, y)| (&s.values[..], &y.values[..], dot(&s.values, &y.values)));
    // Slots that are not used yet are 0.
    let pairs: Vec<_> = pairs.take_while(|&(_, _, curvature)| curvature > 0.0).collect();
    let mut d: Vec<T> = gradient.iter().map(|&g| -g).collect();
    let mut along = Vec::with_capacity(pairs.len());
    for &(s, y, curvature) in &pairs {
        let share = dot(s, &d) / curvature;
        add(&mut d, -share, y);
        along.push(share);
    }
    if let Some(&(_, y, curvature)) = pairs.first() {
        let scale = T::from_f64(curvature / dot(y, y));
        d.iter_mut().for_each(|x| *x = *x * scale);
    }
    for (&(s, y, curvature), share) in pairs.iter().zip(along).rev() {
        let back = dot(y, &d) / curvature;
        add(&mut d, share - back, s);
    }
    d
}

/// x ← x + factor · d.
fn add<T: Real>(x: &mut [T], factor: f64, d: &[T]) {
    let factor = T::from_f64(factor);
    for (x, &d) in x.iter_mut().zip(d) {
        *x += factor * d;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Optimiser, OptimiserState};

    /// Rosenbrock's valley, in pairs of numbers.
    fn valley(x: &[f64]) -> Probe<f64> {
        let (mut loss, mut gradient) = (0.0, vec![0.0; x.len()]);
        for i in (0..x.len()).step_by(2) {
            let (a, b) = (1.0 - x[i], x[i + 1] - x[i] * x[i]);
            loss += a * a + 100.0 * b * b;
            gradient[i] = -2.0 * a - 400.0 * x[i] * b;
            gradient[i + 1] = 200.0 * b;
        }
        Probe { loss, gradient, beside: () }
    }

    #[test]
    fn it_follows_a_curved_valley_to_its_end() {
        let lbfgs = Lbfgs { tolerance_grad: 1e-10, tolerance_change: 0.0, ..Lbfgs::default() };
        let mut state = OptimiserState::new(Optimiser::Lbfgs(lbfgs), 6).unwrap();
        let mut theta = [-1.2, 1.0, 0.5, -0.7, -2.0, 2.0];
        let mut evaluations = 0;
        let mut here = valley(&theta);
        let mut last = here.loss;
        while largest(&here.gradient) > 1e-8 {
            let mut probe = |theta: &[f64]| {
                evaluations += 1;
                valley(theta)
            };
            here = state.step_along(&mut theta, here, 1.0, &mut probe).unwrap();
            assert!(here.loss < last, "{} after {last}", here.loss);
            assert_eq!(here, valley(&theta));
            last = here.loss;
            assert!(state.steps() < 200, "{theta:?}");
        }
        assert!(theta.iter().all(|x| (x - 1.0).abs() < 1e-7), "{theta:?}");
        // Converged: steps are counted, and nothing moves.
        while largest(&here.gradient) > 1e-10 {
            here = state.step_along(&mut theta, here, 1.0, &mut |theta: &[f64]| valley(theta)).unwrap();
        }
        let before = (theta, state.steps());
        state.step_along(&mut theta, here, 1.0, &mut |_: &[f64]| panic!("nothing is looked at")).unwrap();
        assert_eq!((theta, state.steps()), (before.0, before.1 + 1));
        assert!(evaluations < 2 * before.1, "{evaluations} evaluations in {} steps", before.1);
    }

    #[test]
    fn with_as_many_pairs_as_parameters_a_quadratic_takes_few_steps() {
        let curvature = [1.0, 3.0, 10.0, 40.0];
        let probe = |x: &[f64]| {
            let gradient: Vec<f64> = x.iter().zip(curvature).map(|(x, c)| c * x).collect();
            Probe { loss: 0.5 * dot(x, &gradient), gradient, beside: () }
        };
        let steps = |history| {
            let lbfgs = Lbfgs { history, tolerance_grad: 0.0, tolerance_change: 0.0 };
            let mut state = OptimiserState::new(Optimiser::Lbfgs(lbfgs), 4).unwrap();
            let mut theta = [1.0, -1.0, 0.5, 2.0];
            let mut here = probe(&theta);
            while largest(&here.gradient) > 1e-6 {
                here = state.step_along(&mut theta, here, 1.0, &mut |theta: &[f64]| probe(theta)).unwrap();
            }
            state.steps()
        };
        let [one, many] = [steps(1), steps(8)];
        assert!(many < one && many <= 16, "{many} steps with 8 pairs, {one} with 1");
    }

    #[test]
    fn pairs_move_down_as_new_ones_come() {
        let slot = |name: &str, x: f32| Slot { name: name.to_owned(), values: vec![x] };
        let mut slots = [slot("s_0", 1.0), slot("s_1", 2.0), slot("s_2", 3.0)];
        push(&mut slots, vec![9.0]);
        assert_eq!(slots, [slot("s_0", 9.0), slot("s_1", 1.0), slot("s_2", 2.0)]);
    }
}
