//! Whether a survey fits into the machine.
//!
//! Asked before anything is written: a process that the system ends for want of memory can say nothing, and most do
//! not see it coming, since memory is only taken when it is written to.

use std::fs;

use thalweg_geometry::site::Dtype;

use super::SurveyError;
use super::config::SurveyConfig;

/// Bytes of a number in f64, which all vectors that instruments keep are in.
const WIDE: u128 = 8;

/// Refuses a survey of a network of that many parameters that needs more memory than there is. What is counted is the
/// least: vectors of the length of θ, and not what a pass over the data needs.
///
/// # Errors
/// [`SurveyError::Memory`] for the part that needs most. None if `available` is not known.
pub(super) fn check(
    config: &SurveyConfig,
    parameters: u128,
    checkpoints: usize,
    available: Option<u64>,
) -> Result<(), SurveyError> {
    let Some(available) = available else { return Ok(()) };
    let spectrum = &config.spectrum;
    let narrow = if config.dtype == Dtype::F32 { 4 } else { WIDE };
    let basis = (spectrum.products_max as u128).min(parameters);
    let parts = [
        // θ, its gradient and a slot of the optimiser; and the first and the last of them once more in a checkpoint.
        (5 * narrow, "training", "a smaller network, in `model`, would need less"),
        // All checkpoints, and their displacements.
        (
            2 * WIDE * checkpoints as u128,
            "the plane of the trajectory",
            "fewer checkpoints, in `checkpoints`, would need less",
        ),
        (
            WIDE * (basis + 2),
            "the search for eigenvalues",
            "a lower `spectrum.products_max` would need less: each product keeps a vector",
        ),
    ];
    let (bytes, part, remedy) = parts.into_iter().max_by_key(|(bytes, ..)| *bytes).expect("there are three");
    let needed = bytes * parameters;
    if needed <= u128::from(available) {
        return Ok(());
    }
    Err(SurveyError::Memory { part, parameters, needed, available, remedy })
}

/// Bytes of memory that this process may come to use, where the system says: the machine's, or less in a container.
pub(super) fn available() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    });
    let container = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .into_iter()
        .filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    machine.into_iter().chain(container).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_said_with_what_would() {
        let mut config = SurveyConfig::default();
        let refused = |config: &SurveyConfig, parameters, checkpoints, available| {
            check(config, parameters, checkpoints, Some(available)).unwrap_err().to_string()
        };
        assert_eq!(
            refused(&config, 963_000_000, 50, 24_000_000_000),
            "not enough memory: the search for eigenvalues needs 11571.4 GB at least for 963000000 parameters, this machine \
             has 24.0 GB; a lower `spectrum.products_max` would need less: each product keeps a vector"
        );
        config.spectrum.products_max = 50;
        assert!(check(&config, 10_000_000, 50, Some(24_000_000_000)).is_ok());
        assert!(
            refused(&config, 10_000_000, 2000, 24_000_000_000)
                .contains("the plane of the trajectory needs 320.0 GB")
        );
        config.spectrum.products_max = 3;
        assert!(
            refused(&config, 1_000_000_000, 2, 1 << 30).contains("the search for eigenvalues needs 40.0 GB")
        );
        assert!(check(&config, 1_000_000_000, 3, None).is_ok());
        // No more vectors than dimensions, whatever the budget.
        config.spectrum.products_max = usize::MAX;
        assert!(check(&config, 9000, 50, Some(1 << 30)).is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_some() {
        assert!(available().is_some_and(|bytes| bytes > 1 << 26));
    }
}
