//! Threads that answer at once.
//!
//! A thread without work goes to sleep after some microseconds, and to wake it takes longer than many a piece of work does. Who
//! has short pieces of work, one soon after another, keeps the others [awake](Awake) and [waits](join) without falling asleep.

use std::hint;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a thread looks for work before it sleeps as rayon's threads do.
const PATIENCE: Duration = Duration::from_micros(500);
/// Looks in vain between two looks at the clock, at which other processes may have the core.
const LOOKS: usize = 64;

/// Does pieces of work as they come until the condition holds, or none has come for a while. Whether it did any.
fn work_until(is_over: impl Fn() -> bool) -> bool {
    let (mut has_worked, mut in_vain) = (false, 0);
    let mut since = Instant::now();
    while !is_over() {
        if rayon::yield_now() == Some(rayon::Yield::Executed) {
            (has_worked, in_vain, since) = (true, 0, Instant::now());
            continue;
        }
        hint::spin_loop();
        in_vain += 1;
        if in_vain % LOOKS == 0 {
            if since.elapsed() > PATIENCE {
                break;
            }
            thread::yield_now();
        }
    }
    has_worked
}

/// As [`rayon::join`], but the first to be done does not fall asleep while the other needs a little longer.
pub fn join(left: impl FnOnce() + Send, right: impl FnOnce() + Send) {
    let is_done = AtomicBool::new(false);
    rayon::join(
        || {
            left();
            // Where no other thread took it, this is where it is done.
            work_until(|| is_done.load(Ordering::Acquire));
        },
        || {
            right();
            is_done.store(true, Ordering::Release);
        },
    );
}

/// Items that each thread takes if they are shared out, at least so many.
pub fn share(items: usize, least: usize) -> usize {
    items.div_ceil(rayon::current_num_threads()).max(least).max(1)
}

/// Does something with each of the items side by side: each half of them by another thread, if there are such. Who does which
/// is the same every time, if it can be.
pub fn for_each<I: Sync>(items: &[I], work: &(impl Fn(&I) + Sync)) {
    match items {
        [] => {}
        [item] => work(item),
        _ => {
            let (left, right) = items.split_at(items.len() / 2);
            join(|| for_each(left, work), || for_each(right, work));
        }
    }
}

/// The same to items that change.
pub fn for_each_mut<I: Send>(items: &mut [I], work: &(impl Fn(&mut I) + Sync)) {
    match items {
        [] => {}
        [item] => work(item),
        _ => {
            let (left, right) = items.split_at_mut(items.len() / 2);
            join(|| for_each_mut(left, work), || for_each_mut(right, work));
        }
    }
}

/// The threads of a pool, kept awake between pieces of work.
#[derive(Clone, Debug, Default)]
pub struct Awake(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether any thread looks for work, and how many do.
    is_awake: AtomicBool,
    looking: AtomicUsize,
    /// Whether any of them has found some.
    has_worked: AtomicBool,
    /// Calls that will wake nobody, because those who looked last found nothing; and how many those were when that began.
    sleeps: AtomicUsize,
    rest: AtomicUsize,
}

/// Calls that wake nobody, at most. They double each time that it was in vain.
const REST: usize = 1024;

impl Awake {
    /// Wakes the other threads of the pool of this one, unless they are awake. They go to sleep again when there has been no work
    /// for half a millisecond; where there was none at all, it takes ever more calls until they are woken anew. Nothing happens outside
    /// of a pool, or where it has one thread.
    pub fn rouse(&self) {
        let Self(state) = self;
        let others = rayon::current_num_threads() - 1;
        let Some(caller) = rayon::current_thread_index().filter(|_| others > 0) else { return };
        if state.is_awake.load(Ordering::Acquire) {
            return;
        }
        let sleeps = state.sleeps.load(Ordering::Relaxed);
        if sleeps > 0 {
            state.sleeps.store(sleeps - 1, Ordering::Relaxed);
            return;
        }
        state.has_worked.store(false, Ordering::Relaxed);
        state.looking.store(others, Ordering::Relaxed);
        state.is_awake.store(true, Ordering::Release);
        let state = Arc::clone(state);
        rayon::spawn_broadcast(move |thread| {
            if thread.index() == caller {
                return;
            }
            if work_until(|| false) {
                state.has_worked.store(true, Ordering::Relaxed);
            }
            let is_last = state.looking.fetch_sub(1, Ordering::AcqRel) == 1;
            if is_last {
                let rest = state.rest.load(Ordering::Relaxed);
                let rest =
                    if state.has_worked.load(Ordering::Relaxed) { 0 } else { (2 * rest).clamp(1, REST) };
                state.rest.store(rest, Ordering::Relaxed);
                state.sleeps.store(rest, Ordering::Relaxed);
                state.is_awake.store(false, Ordering::Release);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    fn on<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    }

    #[test]
    fn each_item_has_its_turn_once() {
        for (threads, items) in [(1, 7), (2, 1), (2, 2), (3, 17), (4, 0)] {
            let (counts, mut numbers) = ([const { AtomicU64::new(0) }; 20], vec![1; items]);
            on(threads, || {
                for_each(&counts[..items], &|count| {
                    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                });
                for_each_mut(&mut numbers, &|number| *number += 1);
            });
            assert!(counts[..items].iter().all(|count| count.load(Ordering::Relaxed) == 1));
            assert_eq!(numbers, vec![2; items]);
        }
        // Outside of a pool, too.
        let mut numbers = [1; 3];
        for_each_mut(&mut numbers, &|number| *number += 1);
        assert_eq!(numbers, [2; 3]);
    }

    #[test]
    fn a_panic_on_either_side_is_the_callers() {
        for panics in 0..2 {
            let result = on(2, || {
                std::panic::catch_unwind(|| {
                    join(|| assert_ne!(panics, 0, "left"), || assert_ne!(panics, 1, "right"));
                })
            });
            assert!(result.is_err());
        }
    }

    #[test]
    fn shares_are_as_many_as_threads() {
        let shares = |threads, items, least| on(threads, || share(items, least));
        assert_eq!(shares(3, 100, 1), 34);
        assert_eq!(shares(3, 100, 60), 60);
        assert_eq!(shares(3, 0, 0), 1);
    }

    #[test]
    fn threads_that_are_kept_awake_work_and_fall_asleep() {
        let awake = Awake::default();
        let state = || (awake.0.is_awake.load(Ordering::Acquire), awake.0.sleeps.load(Ordering::Relaxed));
        // Nobody looks for work outside of a pool, nor alone.
        awake.rouse();
        on(1, || awake.rouse());
        assert_eq!(state(), (false, 0));
        let all_asleep = || {
            while state().0 {
                thread::yield_now();
            }
        };
        on(3, || {
            // However often, each of the two others is woken once.
            awake.rouse();
            awake.rouse();
            all_asleep();
            // It was in vain, so it is not tried again at once; and the next time it takes longer.
            for rest in [1, 2, 4] {
                assert_eq!(state(), (false, rest));
                (0..rest).for_each(|_| awake.rouse());
                assert_eq!(state(), (false, 0));
                awake.rouse();
                all_asleep();
            }
            let has_run = AtomicBool::new(false);
            rayon::scope(|scope| scope.spawn(|_| has_run.store(true, Ordering::Release)));
            assert!(has_run.load(Ordering::Acquire));
            all_asleep();
        });
    }
}
