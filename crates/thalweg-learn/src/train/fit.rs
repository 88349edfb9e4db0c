//! Whether data are what a network takes and answers for.

use super::TrainError;
use crate::arch::Architecture;
use crate::data::Dataset;
use crate::loss::Loss;

/// Refuses inputs, labels or classes of another number than the network's.
pub(super) fn check_fit(
    architecture: &dyn Architecture,
    loss: Loss,
    data: &Dataset,
) -> Result<(), TrainError> {
    let names = || (architecture.describe(), data.name().to_owned());
    let (expected, found) = (architecture.inputs(), data.features());
    if found != expected {
        let (architecture, data) = names();
        return Err(TrainError::Inputs { architecture, data, expected, found });
    }
    let (expected, found) = (architecture.positions(), data.positions());
    if found != expected {
        let (architecture, data) = names();
        return Err(TrainError::Positions { architecture, data, expected, found });
    }
    if !loss.has_classes() {
        let (expected, found) = (architecture.inputs(), architecture.outputs());
        return match found == expected {
            true => Ok(()),
            false => Err(TrainError::Outputs { architecture: architecture.describe(), expected, found }),
        };
    }
    let (expected, found) = (architecture.outputs() / expected, data.classes());
    if found > expected {
        let (architecture, data) = names();
        return Err(TrainError::Classes { architecture, data, expected, found });
    }
    Ok(())
}
