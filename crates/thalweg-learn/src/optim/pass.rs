//! The pass over all parameters that a step is.

use thalweg_kernel::{Loops, Real, threads, vectorised};

/// Parameters that a thread takes, at least: enough to be worth its while.
const LEAST: usize = 1 << 14;
/// Parameters whose numbers fill whole lines of a cache, wherever they lie.
const LINE: usize = 64;

/// Parameters that each thread takes.
pub(super) fn share(parameters: usize) -> usize {
    threads::share(parameters, LEAST).next_multiple_of(LINE)
}

/// What a step does to one parameter. It sees that parameter's numbers alone, so it does not matter who moves which.
pub(super) trait Update<T, const SLOTS: usize>: Copy + Send {
    /// θ and its state after the step. Must be `inline(always)`: see [`Loops`].
    fn update(self, x: T, state: [T; SLOTS], gradient: T) -> (T, [T; SLOTS]);
}

/// Updates all parameters, each thread a stretch of them: the same one in every step, if it can be, which then lies in the
/// cache of its core.
pub(super) fn pass<T: Real, const SLOTS: usize>(
    update: impl Update<T, SLOTS>,
    theta: &mut [T],
    slots: [&mut [T]; SLOTS],
    gradient: &[T],
) {
    let share = share(theta.len());
    if theta.len() <= share {
        return vectorised(Stretch { update, theta, slots, gradient });
    }
    let mut slots = slots.map(|slot| slot.chunks_mut(share));
    let mut stretches = Vec::with_capacity(theta.len().div_ceil(share));
    for (theta, gradient) in theta.chunks_mut(share).zip(gradient.chunks(share)) {
        let slots = slots.each_mut().map(|slot| slot.next().expect("as long as theta"));
        stretches.push(Some(Stretch { update, theta, slots, gradient }));
    }
    threads::for_each_mut(&mut stretches, &|stretch| stretch.take().into_iter().for_each(vectorised));
}

/// Some of the parameters, with what belongs to them.
struct Stretch<'a, T, U, const SLOTS: usize> {
    update: U,
    theta: &'a mut [T],
    slots: [&'a mut [T]; SLOTS],
    gradient: &'a [T],
}

impl<T: Real, U: Update<T, SLOTS>, const SLOTS: usize> Loops for Stretch<'_, T, U, SLOTS> {
    #[inline(always)]
    fn run(self) {
        let Self { update, theta, slots, gradient } = self;
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
