//! What can be wrong with a checkpoint.

use std::path::PathBuf;

use crate::optim::OptimiserError;

/// A checkpoint that cannot be written, read or used; every message begins with the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Fewer bytes than the header says, or than a header needs.
    #[error("checkpoint {}: expected {expected} bytes, found {found}: the file was cut off or is none", .origin.display())]
    Truncated {
        /// The file.
        origin: PathBuf,
        /// Bytes that the file must have.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// More bytes than the header accounts for.
    #[error("checkpoint {}: expected {expected} bytes, found {found}: something follows the last array", .origin.display())]
    Surplus {
        /// The file.
        origin: PathBuf,
        /// Bytes that the file must have.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// A header that is no safetensors header.
    #[error("checkpoint {}: expected a safetensors header, found {reason}", .origin.display())]
    Header {
        /// The file.
        origin: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of PyTorch's that is none, or has more in it than a state dict.
    #[error("{}: expected a state dict as torch.save writes it, found {reason}", .origin.display())]
    Torch {
        /// The file.
        origin: PathBuf,
        /// What is there.
        reason: String,
    },
    /// A safetensors file that is no checkpoint of ours, or a damaged one.
    #[error("checkpoint {}: expected a metadata entry \"thalweg\" that describes it, found {found}", .origin.display())]
    Description {
        /// The file.
        origin: PathBuf,
        /// What is there.
        found: String,
    },
    /// A layout of another version.
    #[error("checkpoint {}: expected format {expected}, found {found}", .origin.display())]
    Format {
        /// The file.
        origin: PathBuf,
        /// The version that this crate reads.
        expected: u32,
        /// The version there.
        found: u64,
    },
    /// An array of another precision.
    #[error("checkpoint {}: expected {leaf} in {expected}, found {found}", .origin.display())]
    Dtype {
        /// The file.
        origin: PathBuf,
        /// Name of the array.
        leaf: String,
        /// The precision asked for.
        expected: String,
        /// The one there.
        found: String,
    },
    /// A leaf of another shape than the network's.
    #[error("checkpoint {} is of another network: leaf {leaf} has shape {found:?}, expected {expected:?}", .origin.display())]
    Shape {
        /// The file.
        origin: PathBuf,
        /// Name of the leaf.
        leaf: String,
        /// The network's shape.
        expected: Vec<usize>,
        /// The checkpoint's.
        found: Vec<usize>,
    },
    /// A leaf of the network that the checkpoint does not have.
    #[error("checkpoint {} is of another network: expected leaf {leaf} of shape {shape:?}, found none of that name", .origin.display())]
    Missing {
        /// The file.
        origin: PathBuf,
        /// Name of the leaf.
        leaf: String,
        /// Its shape in the network.
        shape: Vec<usize>,
    },
    /// A leaf that the network does not have.
    #[error("checkpoint {} is of another network: found leaf {leaf} of shape {shape:?}, expected none of that name", .origin.display())]
    Unexpected {
        /// The file.
        origin: PathBuf,
        /// Name of the leaf.
        leaf: String,
        /// Its shape in the checkpoint.
        shape: Vec<usize>,
    },
    /// The right leaves in another order, so that the flat vectors differ.
    #[error("checkpoint {} is of another network: expected leaf {expected} next, found {found}", .origin.display())]
    Order {
        /// The file.
        origin: PathBuf,
        /// The network's leaf at that place.
        expected: String,
        /// The checkpoint's.
        found: String,
    },
    /// Arrays and description disagree.
    #[error("checkpoint {}: array {array}: {problem}", .origin.display())]
    Inconsistent {
        /// The file.
        origin: PathBuf,
        /// Name of the array.
        array: String,
        /// How.
        problem: &'static str,
    },
    /// Values that do not fill their shape.
    #[error("checkpoint: expected {leaf} of shape {shape:?} to have {expected} values, found {found}")]
    Values {
        /// Name of the array.
        leaf: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Product of the axes.
        expected: usize,
        /// Number of values.
        found: usize,
    },
    /// A name that cannot be written.
    #[error("checkpoint: {problem}: {leaf:?}")]
    Name {
        /// The name.
        leaf: String,
        /// Why not.
        problem: &'static str,
    },
    /// The optimiser's state is for another number of parameters than there are.
    #[error("checkpoint: expected the optimiser's state for {expected} parameters, found it for {found}")]
    OptimiserLength {
        /// Length of θ.
        expected: usize,
        /// Parameters of the state.
        found: usize,
    },
    /// A stored optimiser that cannot be.
    #[error("checkpoint {}: {source}", .origin.display())]
    Optimiser {
        /// The file.
        origin: PathBuf,
        /// What is wrong with it.
        source: OptimiserError,
    },
    /// The format's own limits, such as the size of the header.
    #[error("checkpoint: cannot be written as safetensors: {reason}")]
    Unwritable {
        /// What the format's library says.
        reason: String,
    },
}
