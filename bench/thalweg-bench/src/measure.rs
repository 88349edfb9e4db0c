//! How long something takes.

use std::time::Instant;

use serde::Serialize;

/// The times of one work's repetitions, one after the other.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Timing {
    /// The work.
    pub(crate) name: &'static str,
    /// Median over repetitions; of an even number of them the mean of the middle two, rounded down.
    pub(crate) median_ns: u64,
    /// Shortest.
    pub(crate) min_ns: u64,
    /// The shortest time that at least 90 % of repetitions do not exceed.
    pub(crate) p90_ns: u64,
    /// How many were timed.
    pub(crate) repetitions: usize,
}

/// Runs `run` so many times and times each, after a tenth as many runs, and 3 at least, that are not timed.
pub(crate) fn time(name: &'static str, repetitions: usize, run: &mut dyn FnMut()) -> Timing {
    (0..repetitions.div_ceil(10).max(3)).for_each(|_| run());
    let once = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_nanos() as u64
    };
    summarise(name, (0..repetitions).map(once).collect())
}

fn summarise(name: &'static str, mut times_ns: Vec<u64>) -> Timing {
    times_ns.sort_unstable();
    let count = times_ns.len();
    Timing {
        name,
        median_ns: u64::midpoint(times_ns[(count - 1) / 2], times_ns[count / 2]),
        min_ns: times_ns[0],
        p90_ns: times_ns[(count * 9).div_ceil(10) - 1],
        repetitions: count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_made_of_order_statistics() {
        let timing = |median_ns, min_ns, p90_ns, repetitions| Timing {
            name: "x",
            median_ns,
            min_ns,
            p90_ns,
            repetitions,
        };
        assert_eq!(summarise("x", vec![7]), timing(7, 7, 7, 1));
        assert_eq!(summarise("x", vec![9, 1]), timing(5, 1, 9, 2));
        assert_eq!(summarise("x", (1..=10).rev().collect()), timing(5, 1, 9, 10));
        assert_eq!(summarise("x", (1..=11).rev().collect()), timing(6, 1, 10, 11));
    }

    #[test]
    fn every_repetition_is_run_after_the_warm_up() {
        for (repetitions, runs) in [(1, 4), (30, 33), (100, 110)] {
            let mut count = 0;
            assert_eq!(time("x", repetitions, &mut || count += 1).repetitions, repetitions);
            assert_eq!(count, runs);
        }
    }
}
