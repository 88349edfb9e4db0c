//! An optimiser in the middle of a run.

use rayon::prelude::*;
use thalweg_kernel::Real;

use super::{Halt, Optimiser, OptimiserError, Probe};

/// Parameters that one task moves: enough to be worth a task.
const SHARE: usize = 1 << 15;

/// One vector of state, as long as θ.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot<T> {
    /// PyTorch's name for it: `momentum_buffer`, `exp_avg`, `exp_avg_sq`, `square_avg`, `sum`. Of L-BFGS `s_0`, `s_1`, … and `y_0`,
    /// `y_1`, …, the last pair first.
    pub name: String,
    /// Its values, in the order of θ.
    pub values: Vec<T>,
}

/// One number of state.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// What it is.
    pub name: &'static str,
    /// Finite, and at least 0.
    pub value: f64,
}

/// An optimiser in the middle of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimiserState<T> {
    optimiser: Optimiser,
    parameters: usize,
    step: u64,
    slots: Vec<Slot<T>>,
    numbers: Vec<Number>,
}

impl Optimiser {
    /// Moves some of the parameters, with the same stretch of each slot and gradient.
    fn step<T: Real>(&self, theta: &mut [T], slots: Vec<&mut [T]>, gradients: &[&[T]], lr: f64, step: u64) {
        let mut slots = slots.into_iter();
        match (self, slots.next(), slots.next()) {
            (Self::Sgd(sgd), None, _) => sgd.step(theta, gradients, lr),
            (Self::Sgd(sgd), Some(momentum), _) => sgd.step_with_momentum(theta, gradients, momentum, lr),
            (Self::Adam(adam), Some(m), Some(v)) => adam.step(theta, gradients, m, v, lr, step),
            (Self::Adamw(adamw), Some(m), Some(v)) => adamw.step(theta, gradients, m, v, lr, step),
            (Self::Rmsprop(rmsprop), Some(v), b) => rmsprop.step(theta, gradients, v, b, lr),
            (Self::Adagrad(adagrad), Some(s), _) => adagrad.step(theta, gradients, s, lr),
            (Self::Sam(sam), None, _) => sam.base().step(theta, gradients, lr),
            (Self::Sam(sam), Some(momentum), _) => {
                sam.base().step_with_momentum(theta, gradients, momentum, lr);
            }
            _ => unreachable!("construction gives every optimiser its slots"),
        }
    }
}

impl<T: Real> OptimiserState<T> {
    /// The state before the first step, for that many parameters: all zero.
    ///
    /// # Errors
    /// If the configuration is out of range.
    pub fn new(optimiser: Optimiser, parameters: usize) -> Result<Self, OptimiserError> {
        optimiser.validate()?;
        let zero = |name| Slot { name, values: vec![T::ZERO; parameters] };
        let slots = optimiser.slot_names().into_iter().map(zero).collect();
        let numbers = optimiser.number_names().iter().map(|name| Number { name, value: 0.0 }).collect();
        Ok(Self { optimiser, parameters, step: 0, slots, numbers })
    }

    /// The state after `step` steps, from its vectors and its numbers with their names.
    ///
    /// # Errors
    /// If the configuration is out of range, or vectors or numbers are not the ones that it keeps, in its order.
    pub fn restore(
        optimiser: Optimiser,
        parameters: usize,
        step: u64,
        slots: Vec<Slot<T>>,
        numbers: &[(String, f64)],
    ) -> Result<Self, OptimiserError> {
        optimiser.validate()?;
        let kind = optimiser.kind();
        let found: Vec<String> = slots.iter().map(|slot| slot.name.clone()).collect();
        if found != optimiser.slot_names() {
            let expected = optimiser.slot_names();
            return Err(OptimiserError::Slots { kind, expected, found });
        }
        if let Some(slot) = slots.iter().find(|slot| slot.values.len() != parameters) {
            let (slot, found) = (slot.name.clone(), slot.values.len());
            return Err(OptimiserError::SlotLength { kind, slot, expected: parameters, found });
        }
        let expected = optimiser.number_names();
        let named = numbers.iter().map(|(name, _)| &name[..]).eq(expected.iter().copied());
        if !named || numbers.iter().any(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            return Err(OptimiserError::Numbers { kind, expected, found: numbers.to_vec() });
        }
        let numbers =
            expected.iter().zip(numbers).map(|(name, &(_, value))| Number { name, value }).collect();
        Ok(Self { optimiser, parameters, step, slots, numbers })
    }

    /// The configuration.
    pub fn optimiser(&self) -> &Optimiser {
        &self.optimiser
    }

    /// Length of θ.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The vectors of state, in the order of [`Optimiser::slot_names`].
    pub fn slots(&self) -> &[Slot<T>] {
        &self.slots
    }

    /// The numbers of state, in the order of [`Optimiser::number_names`].
    pub fn numbers(&self) -> &[Number] {
        &self.numbers
    }

    /// Moves θ by one step of learning rate `lr`, along the gradient Σ `gradients`. For SAM that is the gradient at
    /// [`Sam::ascended`](super::Sam::ascended).
    ///
    /// The parts are added from first to last. Cost: one pass over θ, the state and the gradients.
    ///
    /// # Panics
    /// If there is no gradient, a length differs from the number of parameters, or the optimiser
    /// [chooses its points](Optimiser::chooses_points).
    pub fn step(&mut self, theta: &mut [T], gradients: &[&[T]], lr: f64) {
        assert!(!self.optimiser.chooses_points(), "{} needs more than a gradient", self.optimiser.kind());
        assert!(!gradients.is_empty(), "a step needs a gradient");
        for length in gradients.iter().map(|part| part.len()).chain([theta.len()]) {
            assert_eq!(length, self.parameters, "theta and its gradients must have one entry a parameter");
        }
        self.step += 1;
        let slots: Vec<&mut [T]> = self.slots.iter_mut().map(|slot| slot.values.as_mut_slice()).collect();
        let (optimiser, step) = (&self.optimiser, self.step);
        if theta.len() <= 2 * SHARE {
            optimiser.step(theta, slots, gradients, lr, step);
            return;
        }
        // Elements are independent, so it does not matter who moves which.
        let mut slots: Vec<_> = slots.into_iter().map(|slot| slot.chunks_mut(SHARE)).collect();
        let mut stretch = || slots.iter_mut().filter_map(Iterator::next).collect::<Vec<&mut [T]>>();
        let shares: Vec<_> = theta.chunks_mut(SHARE).map(|theta| (theta, stretch())).collect();
        shares.into_par_iter().enumerate().for_each(|(number, (theta, slots))| {
            let range = number * SHARE..number * SHARE + theta.len();
            let gradients: Vec<&[T]> = gradients.iter().map(|part| &part[range.clone()]).collect();
            optimiser.step(theta, slots, &gradients, lr, step);
        });
    }

    /// Moves θ by one step of learning rate `lr` on the function that `probe` evaluates, which is at θ what `here` says.
    /// Gives back what `probe` found where θ is then: the next step's `here`.
    ///
    /// # Errors
    /// If `here` is not finite, or the step cannot be taken; θ and the state are as before.
    ///
    /// # Panics
    /// If a length differs from the number of parameters, or the optimiser does not
    /// [choose its points](Optimiser::chooses_points).
    pub fn step_along<B>(
        &mut self,
        theta: &mut [T],
        here: Probe<T, B>,
        lr: f64,
        probe: &mut dyn FnMut(&[T]) -> Probe<T, B>,
    ) -> Result<Probe<T, B>, Halt> {
        assert_eq!([theta.len(), here.gradient.len()], [self.parameters; 2], "theta and its gradient");
        if !here.is_finite() {
            return Err(Halt::NotFinite);
        }
        let there = match self.optimiser {
            Optimiser::Lbfgs(lbfgs) => lbfgs.step(theta, &mut self.slots, here, lr, probe),
            Optimiser::GradientFlow(flow) => flow.step(theta, &mut self.numbers, here, lr, probe)?,
            _ => panic!("{} takes a gradient", self.optimiser.kind()),
        };
        self.step += 1;
        Ok(there)
    }
}
