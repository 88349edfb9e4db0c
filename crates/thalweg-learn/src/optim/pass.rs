//! The pass over all parameters that a step is.

use thalweg_kernel::{Loops, Real, threads, vectorised};

use super::Shares;

/// What a step does to one parameter. It sees that parameter's numbers alone, so it does not matter who moves which.
pub(super) trait Update<T, const SLOTS: usize>: Copy + Send + Sync {
    /// θ and its state after the step. Must be `inline(always)`: see [`Loops`].
    fn update(self, x: T, state: [T; SLOTS], gradient: T) -> (T, [T; SLOTS]);
}

/// What every step goes over, and who goes over what.
pub(super) struct Pass<'a, T> {
    pub(super) theta: &'a mut [T],
    pub(super) gradient: &'a [T],
    pub(super) shares: &'a Shares,
}

impl<T: Real> Pass<'_, T> {
    /// Updates all parameters and their state.
    pub(super) fn update<const SLOTS: usize>(self, update: impl Update<T, SLOTS>, slots: [&mut [T]; SLOTS]) {
        let mut rest = Stretch { theta: self.theta, slots, gradient: self.gradient };
        let mut hands = self.shares.deal(|length| rest.cut_off(length));
        threads::for_each_mut(&mut hands, &|hand| {
            for stretch in hand.drain(..) {
                vectorised(Updated { update, stretch });
            }
        });
    }
}

/// Some of the parameters, with what belongs to them.
struct Stretch<'a, T, const SLOTS: usize> {
    theta: &'a mut [T],
    slots: [&'a mut [T]; SLOTS],
    gradient: &'a [T],
}

impl<T, const SLOTS: usize> Stretch<'_, T, SLOTS> {
    /// The first of them, which go.
    fn cut_off(&mut self, length: usize) -> Self {
        let (gradient, others) = self.gradient.split_at(length);
        self.gradient = others;
        let slots = self.slots.each_mut().map(|slot| first(slot, length));
        Self { theta: first(&mut self.theta, length), slots, gradient }
    }
}

/// The first elements of a slice, which lose them.
fn first<'a, T>(slice: &mut &'a mut [T], length: usize) -> &'a mut [T] {
    slice.split_off_mut(..length).expect("as long as theta")
}

/// A stretch to be updated.
struct Updated<'a, T, U, const SLOTS: usize> {
    update: U,
    stretch: Stretch<'a, T, SLOTS>,
}

impl<T: Real, U: Update<T, SLOTS>, const SLOTS: usize> Loops for Updated<'_, T, U, SLOTS> {
    #[inline(always)]
    fn run(self) {
        let Self { update, stretch: Stretch { theta, slots, gradient } } = self;
        let count = theta.len();
        // All as long as the first, so that the loop checks nothing.
        let gradient = &gradient[..count];
        let slots = slots.map(|slot| &mut slot[..count]);
        for i in 0..count {
            let mut state = [T::ZERO; SLOTS];
            for slot in 0..SLOTS {
                state[slot] = slots[slot][i];
            }
            (theta[i], state) = update.update(theta[i], state, gradient[i]);
            for slot in 0..SLOTS {
                slots[slot][i] = state[slot];
            }
        }
    }
}

/// A running mean of gradients without what is too small to move anything: the mean of a parameter that has no gradient any
/// more would come to rest among numbers that are slow to compute with, 0.9 of the smallest being rounded to itself.
#[inline(always)]
pub(super) fn momentum<T: Real>(b: T) -> T {
    if b < T::MIN_POSITIVE && b > -T::MIN_POSITIVE { T::ZERO } else { b }
}
