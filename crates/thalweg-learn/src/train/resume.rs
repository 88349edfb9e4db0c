//! From a run to a checkpoint and back.

use std::path::Path;
use std::sync::Arc;

use thalweg_kernel::{Key, Real};

use super::{Recipe, TrainError, Trainer};
use crate::arch::{Architecture, BatchNorm, statistics_arrays};
use crate::checkpoint::{Checkpoint, Leaf, Stored, arrange};
use crate::data::Dataset;
use crate::optim::OptimiserState;

/// A network's parameters under their names.
fn leaves<T: Real>(architecture: &dyn Architecture, theta: &[T]) -> Vec<Leaf<T>> {
    let named = |leaf: &thalweg_program::params::Leaf| Leaf {
        name: leaf.name.clone(),
        shape: leaf.shape.clone(),
        values: theta[leaf.range()].to_vec(),
    };
    architecture.space().leaves().iter().map(named).collect()
}

/// The arrays of running statistics under their names.
fn buffers<T: Real>(norms: &[BatchNorm], statistics: &[T]) -> Vec<Leaf<T>> {
    let mut rest = statistics.iter();
    let mut named = |(name, shape): (String, Vec<usize>)| {
        let values = rest.by_ref().take(shape[0]).copied().collect();
        Leaf { name, shape, values }
    };
    statistics_arrays(norms).into_iter().map(&mut named).collect()
}

impl<T: Real> Trainer<T> {
    /// Where the run stands. `seed` is noted down for whoever resumes it: the key of [`new`](Self::new) comes from it.
    pub fn checkpoint(&self, seed: u64) -> Checkpoint<T> {
        Checkpoint {
            step: self.steps(),
            epoch: self.steps() / self.steps_per_epoch(),
            seed,
            architecture: self.architecture().describe(),
            leaves: leaves(&**self.architecture(), &self.theta),
            buffers: buffers(self.architecture().norms(), self.statistics()),
            optimiser: Some(self.state.clone()),
        }
    }
}

impl<T: Stored> Trainer<T> {
    /// The run that a checkpoint was taken of: with the same data, recipe and key its next steps have the same bits
    /// as if it had never been interrupted. `origin` is what errors call the checkpoint.
    ///
    /// # Errors
    /// A checkpoint of another network (leaves or description differ), of another optimiser, or of θ alone; and as
    /// [`new`](Self::new).
    pub fn from_checkpoint(
        architecture: &Arc<dyn Architecture>,
        data: &Dataset,
        recipe: Recipe,
        checkpoint: Checkpoint<T>,
        key: Key,
        origin: &Path,
    ) -> Result<Self, TrainError> {
        let theta = theta_of(&**architecture, &checkpoint, origin)?;
        let statistics = arrange(checkpoint.buffers, &statistics_arrays(architecture.norms()), origin)?;
        let statistics = statistics.into_iter().flat_map(|array| array.values).collect();
        let state: OptimiserState<T> =
            checkpoint.optimiser.ok_or_else(|| TrainError::NoOptimiser { origin: origin.to_path_buf() })?;
        if state.steps() != checkpoint.step {
            let (expected, found) = (checkpoint.step, state.steps());
            return Err(TrainError::Steps { origin: origin.to_path_buf(), expected, found });
        }
        Self::resume(architecture, data, recipe, theta, statistics, state, key)
    }
}

/// The checkpoint's θ, if it is that network's.
fn theta_of<T: Stored>(
    architecture: &dyn Architecture,
    checkpoint: &Checkpoint<T>,
    origin: &Path,
) -> Result<Vec<T>, TrainError> {
    let leaves = architecture.space().leaves().iter();
    let expected: Vec<(String, Vec<usize>)> =
        leaves.map(|leaf| (leaf.name.clone(), leaf.shape.clone())).collect();
    checkpoint.check_against(&expected, origin)?;
    // The same leaves may be those of a network with another activation.
    let (expected, found) = (architecture.describe(), &checkpoint.architecture);
    if *found != expected {
        let (origin, found) = (origin.to_path_buf(), found.clone());
        return Err(TrainError::OtherNetwork { origin, expected, found });
    }
    Ok(checkpoint.theta())
}
