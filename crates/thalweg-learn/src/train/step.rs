//! One step of training.

use thalweg_kernel::Real;

use super::Trainer;
use crate::objective::{Examples, Objective};
use crate::optim::{Halt, Optimiser, Probe};

/// What one step saw, and whether it was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "a run that has diverged takes no more steps: who waits for it to reach a step waits for ever"]
pub struct Step {
    /// Mean loss over the batch before the step.
    pub loss: f64,
    /// Mean expected error over the batch before the step, in [0, 1]; NaN of a loss without classes.
    pub error: f64,
    /// Whether the step was taken: losses and gradients were finite, and a flow came to its end. If not, nothing has
    /// changed: the run has diverged, and trying again would come to the same.
    pub taken: bool,
    /// Why not, if it was not.
    pub halt: Option<Halt>,
}

/// What comes with a loss and a gradient.
#[derive(Clone, Debug)]
pub(super) struct Seen<T> {
    /// Mean expected error.
    error: f64,
    /// What the batch norms took.
    statistics: Vec<T>,
}

/// Room for what is seen, before anything is.
pub(super) fn nothing<T: Real>(parameters: usize, statistics: usize) -> Probe<T, Seen<T>> {
    let beside = Seen { error: f64::NAN, statistics: vec![T::ZERO; statistics] };
    Probe { loss: f64::NAN, gradient: vec![T::ZERO; parameters], beside }
}

/// Evaluates everything at a point.
fn look<T: Real>(objective: &Objective<T>, batch: &Examples<T>, theta: &[T], seen: &mut Probe<T, Seen<T>>) {
    let Probe { gradient, beside, .. } = seen;
    let value = objective.gradient_and_statistics(theta, batch, gradient, &mut beside.statistics);
    (seen.loss, seen.beside.error) = (value.loss, value.error);
}

impl<T: Real> Trainer<T> {
    /// One step.
    ///
    /// Loss and error are those at θ before it, and so are the statistics that running statistics take in, also where the
    /// optimiser looks at other points. Those points see the same batch, augmented alike, and the same is dropped.
    ///
    /// Cost: one gradient over the batch, about three forward passes; two for SAM. An optimiser that
    /// [chooses its points](Optimiser::chooses_points) says what it needs.
    pub fn step(&mut self) -> Step {
        let Self { recipe, feed, whole, rest, here, is_known, theta, running, state, shares, awake } = self;
        awake.rouse();
        let step = state.steps();
        let lr = recipe.schedule.lr_at(step);
        let (batch, examples) = feed.at(step);
        let rest = rest.as_ref().filter(|_| examples < whole.examples());
        let objective = rest.unwrap_or(whole);
        if !std::mem::take(is_known) {
            look(objective, batch, theta, here);
        }
        let (loss, error) = (here.loss, here.beside.error);
        let norms = objective.architecture().norms();
        let statistics = here.beside.statistics.clone();
        let mut moved = || {
            if !here.is_finite_by(shares) {
                return Err(Halt::NotFinite);
            }
            if recipe.optimiser.chooses_points() {
                let empty = nothing(theta.len(), statistics.len());
                let start = std::mem::replace(here, empty);
                *here = state.step_along(theta, start, lr, &mut |point: &[T]| {
                    let mut there = nothing(point.len(), statistics.len());
                    look(objective, batch, point, &mut there);
                    there
                })?;
                *is_known = true;
                return Ok(());
            }
            if let Optimiser::Sam(sam) = recipe.optimiser {
                let point = sam.ascended(theta, &here.gradient);
                look(objective, batch, &point, here);
                if !here.is_finite_by(shares) {
                    return Err(Halt::NotFinite);
                }
            }
            if let Some(longest) = recipe.clip_norm {
                clip(&mut here.gradient, longest);
            }
            state.step_shared(theta, &here.gradient, lr, shares);
            Ok(())
        };
        let halt = moved().err();
        if halt.is_none() {
            running.update(norms, objective.examples(), &statistics);
        }
        Step { loss, error, taken: halt.is_none(), halt }
    }
}

/// Shortens a gradient to that norm, if it is longer.
fn clip<T: Real>(gradient: &mut [T], longest: f64) {
    let square = |&x: &T| x.to_f64() * x.to_f64();
    let factor = longest / (gradient.iter().map(square).sum::<f64>().sqrt() + 1e-6);
    if factor < 1.0 {
        let factor = T::from_f64(factor);
        gradient.iter_mut().for_each(|x| *x = *x * factor);
    }
}
