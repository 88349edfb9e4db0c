//! An optimiser in the middle of a run.

use thalweg_kernel::Real;

use super::pass::Pass;
use super::{Halt, Optimiser, OptimiserError, Probe, Shares};

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
    fn step<T: Real>(&self, pass: Pass<'_, T>, slots: Vec<&mut [T]>, lr: f64, step: u64) {
        let has_its_slots = "construction gives every optimiser its slots";
        match self {
            Self::Sgd(sgd) => sgd.step(pass, slots, lr),
            Self::Adam(adam) => adam.step(pass, slots.try_into().expect(has_its_slots), lr, step),
            Self::Adamw(adamw) => adamw.step(pass, slots.try_into().expect(has_its_slots), lr, step),
            Self::Rmsprop(rmsprop) => rmsprop.step(pass, slots, lr),
            Self::Adagrad(adagrad) => {
                let [sums] = slots.try_into().expect(has_its_slots);
                adagrad.step(pass, sums, lr);
            }
            Self::Sam(sam) => sam.base().step(pass, slots, lr),
            Self::Lbfgs(_) | Self::GradientFlow(_) => unreachable!("the caller asks"),
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

    /// Moves θ by one step of learning rate `lr`, along a gradient. For SAM that is the gradient at
    /// [`Sam::ascended`](super::Sam::ascended). Cost: one pass over θ, the state and the gradient.
    ///
    /// # Panics
    /// If a length differs from the number of parameters, or the optimiser [chooses its points](Optimiser::chooses_points).
    pub fn step(&mut self, theta: &mut [T], gradient: &[T], lr: f64) {
        self.step_shared(theta, gradient, lr, &Shares::even(theta.len()));
    }

    /// The same by threads that take these shares of the parameters.
    pub(crate) fn step_shared(&mut self, theta: &mut [T], gradient: &[T], lr: f64, shares: &Shares) {
        assert!(!self.optimiser.chooses_points(), "{} needs more than a gradient", self.optimiser.kind());
        assert_eq!(
            [theta.len(), gradient.len(), shares.parameters()],
            [self.parameters; 3],
            "theta, its gradient and their shares have one entry a parameter"
        );
        self.step += 1;
        let slots: Vec<&mut [T]> = self.slots.iter_mut().map(|slot| slot.values.as_mut_slice()).collect();
        self.optimiser.step(Pass { theta, gradient, shares }, slots, lr, self.step);
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
