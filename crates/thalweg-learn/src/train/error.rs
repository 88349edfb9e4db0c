//! What is wrong with a recipe or a checkpoint.

use std::path::PathBuf;

use crate::augment::AugmentationError;
use crate::batches::BatchError;
use crate::checkpoint::CheckpointError;
use crate::optim::{Optimiser, OptimiserError};
use crate::schedule::ScheduleError;

/// A recipe that cannot be followed, or a run that cannot go on from a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The optimiser's numbers.
    #[error(transparent)]
    Optimiser(#[from] OptimiserError),
    /// The schedule's numbers.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The batches.
    #[error(transparent)]
    Batches(#[from] BatchError),
    /// Examples that cannot be augmented so.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),
    /// A number of the configuration outside its range.
    #[error("train: expected {field} to be {expected}, found {found}")]
    Value {
        /// Name of the field.
        field: &'static str,
        /// Its range.
        expected: &'static str,
        /// The value given.
        found: f64,
    },
    /// A choice that does not go with another one.
    #[error("train: expected {field} to be {expected}, found {found}")]
    Choice {
        /// Name of the field.
        field: &'static str,
        /// What goes.
        expected: String,
        /// The choice.
        found: String,
    },
    /// Examples of another size than the network takes.
    #[error("train: {architecture} expects inputs of {expected} numbers, found {found} in {data}")]
    Inputs {
        /// The network.
        architecture: String,
        /// The data set.
        data: String,
        /// Inputs of the network.
        expected: usize,
        /// Features of the data.
        found: usize,
    },
    /// Data with another number of labels an example than the network answers for.
    #[error("train: {architecture} takes {expected} labels an example, found {found} in {data}")]
    Positions {
        /// The network.
        architecture: String,
        /// The data set.
        data: String,
        /// Positions of the network.
        expected: usize,
        /// Labels an example of the data.
        found: usize,
    },
    /// More classes than outputs.
    #[error("train: {architecture} tells {expected} classes apart, found {found} in {data}")]
    Classes {
        /// The network.
        architecture: String,
        /// The data set.
        data: String,
        /// Outputs of the network.
        expected: usize,
        /// Classes of the data.
        found: usize,
    },
    /// A reconstruction by a network whose outputs are not as many as its inputs.
    #[error("train: expected {architecture} to have {expected} outputs, as many as inputs, found {found}")]
    Outputs {
        /// The network.
        architecture: String,
        /// Inputs of the network.
        expected: usize,
        /// Its outputs.
        found: usize,
    },
    /// A batch of one example for a batch norm of features: a variance over one number.
    #[error(
        "train: expected batches of at least 2 examples for the batch norm {norm}, which has one number an example and channel, found \
         {examples} examples in batches of {size}, which leave a batch of 1"
    )]
    LoneExample {
        /// PyTorch's name of the norm.
        norm: String,
        /// Examples of the data.
        examples: usize,
        /// Examples in a batch.
        size: usize,
    },
    /// State of another optimiser than the recipe's.
    #[error("train: expected the state of {expected:?}, found that of {found:?}")]
    OtherOptimiser {
        /// The recipe's.
        expected: Optimiser,
        /// The state's.
        found: Optimiser,
    },
    /// A checkpoint that does not fit the network.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint of another network with the same leaves.
    #[error("checkpoint {} is of another network: expected {expected}, found {found}", .origin.display())]
    OtherNetwork {
        /// The file.
        origin: PathBuf,
        /// The network to be trained.
        expected: String,
        /// The checkpoint's.
        found: String,
    },
    /// A checkpoint of θ alone.
    #[error("checkpoint {}: expected an optimiser's state to go on from, found none", .origin.display())]
    NoOptimiser {
        /// The file.
        origin: PathBuf,
    },
    /// A checkpoint whose two counts of steps differ.
    #[error("checkpoint {}: expected the optimiser's state after {expected} steps, found it after {found}", .origin.display())]
    Steps {
        /// The file.
        origin: PathBuf,
        /// The checkpoint's step.
        expected: u64,
        /// The optimiser's.
        found: u64,
    },
}
