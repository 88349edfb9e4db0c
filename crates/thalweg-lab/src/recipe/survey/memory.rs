//! What a survey keeps in memory beside training.

use super::config::SurveyConfig;
use crate::recipe::RecipeError;
use crate::recipe::setup::{Part, WIDE, check_memory};

/// Refuses a survey of a network of that many parameters that needs more memory than there is.
///
/// # Errors
/// [`RecipeError::Memory`] for the part that needs most. None if `available` is not known.
pub(super) fn check(
    config: &SurveyConfig,
    parameters: u128,
    checkpoints: usize,
    available: Option<u64>,
) -> Result<(), RecipeError> {
    let basis = (config.spectrum.products_max as u128).min(parameters);
    // All checkpoints, and their displacements.
    let trajectory = Part {
        bytes: 2 * WIDE * checkpoints as u128,
        name: "the plane of the trajectory",
        remedy: "fewer checkpoints, in `checkpoints`, would need less",
    };
    let spectrum = Part {
        bytes: WIDE * (basis + 2),
        name: "the search for eigenvalues",
        remedy: "a lower `spectrum.products_max` would need less: each product keeps a vector",
    };
    let slots = config.train.optimiser.slot_names().len();
    check_memory(parameters, config.dtype, slots, [trajectory, spectrum], available)
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
}
