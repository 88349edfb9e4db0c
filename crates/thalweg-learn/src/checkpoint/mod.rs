//! θ and everything needed to go on from it, as one safetensors file.
//!
//! Leaves of θ stand under their PyTorch names with PyTorch's layouts (`layers.0.weight`, `[out, in]`, row-major), so
//! the file opens as a state dict elsewhere. Beside them, never in θ: buffers such as running statistics, and the
//! optimiser's vectors as `optimiser.<slot>.<leaf>`. What is no array is JSON in the one metadata entry `thalweg`; the
//! format's own map has no order, and with a second entry the same checkpoint could have two byte strings.
//!
//! Bytes in, bytes out: naming, syncing and renaming files is the store's.

mod decode;
mod encode;
mod error;
mod torch;

pub use error::CheckpointError;
pub use torch::{is_torch, read_torch};

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use thalweg_kernel::Real;

use crate::optim::{Optimiser, OptimiserState};

/// Version of the layout that this crate writes and reads.
pub const FORMAT: u32 = 1;

/// The metadata entry that makes a safetensors file a checkpoint of ours.
const ENTRY: &str = "thalweg";
/// What the names of the optimiser's arrays begin with.
const OPTIMISER: &str = "optimiser.";

/// A named array, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf<T> {
    /// PyTorch name.
    pub name: String,
    /// Axes; empty for a single number.
    pub shape: Vec<usize>,
    /// Values, the last axis running fastest.
    pub values: Vec<T>,
}

/// A run at one instant, in the precision `T`.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint<T> {
    /// Steps taken.
    pub step: u64,
    /// The epoch of the next step.
    pub epoch: u64,
    /// Seed of the run.
    pub seed: u64,
    /// The architecture, as its configuration writes it.
    pub architecture: String,
    /// θ, leaf by leaf in the order of the flat vector.
    pub leaves: Vec<Leaf<T>>,
    /// Arrays that are no part of θ, such as running statistics.
    pub buffers: Vec<Leaf<T>>,
    /// The optimiser's state; none where only θ is kept.
    pub optimiser: Option<OptimiserState<T>>,
}

/// What is in a checkpoint beside its arrays; readable without knowing the precision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of the layout.
    pub format: u32,
    /// Precision of every array: `"f32"` or `"f64"`.
    pub dtype: String,
    /// Steps taken.
    pub step: u64,
    /// The epoch of the next step.
    pub epoch: u64,
    /// Seed of the run.
    pub seed: u64,
    /// The architecture, as its configuration writes it.
    pub architecture: String,
    /// Names of the leaves in the order of the flat vector (the file itself is sorted by name).
    pub leaves: Vec<String>,
    /// Names of the buffers.
    pub buffers: Vec<String>,
    /// The optimiser and the steps that it has taken.
    pub optimiser: Option<(Optimiser, u64)>,
    /// The optimiser's numbers by name; written where it keeps any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optimiser_numbers: Vec<(String, f64)>,
}

/// A precision that can be stored.
pub trait Stored: Real {
    /// Its name in a safetensors header.
    const DTYPE: safetensors::Dtype;
    /// The little-endian bytes of those values.
    fn bytes_from(values: &[Self]) -> Vec<u8>;
    /// The values of little-endian bytes, to the last bit (payloads of NaN too); a remainder is ignored.
    fn values_from(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! stored {
    ($real:ty, $dtype:ident) => {
        impl Stored for $real {
            const DTYPE: safetensors::Dtype = safetensors::Dtype::$dtype;

            fn bytes_from(values: &[Self]) -> Vec<u8> {
                // Written into place: collected, bytes would come one at a time.
                let mut bytes = vec![0; size_of_val(values)];
                let (whole, _) = bytes.as_chunks_mut();
                whole.iter_mut().zip(values).for_each(|(to, x)| *to = x.to_le_bytes());
                bytes
            }

            fn values_from(bytes: &[u8]) -> Vec<Self> {
                let (whole, _) = bytes.as_chunks();
                whole.iter().map(|&x| Self::from_le_bytes(x)).collect()
            }
        }
    };
}
stored!(f32, F32);
stored!(f64, F64);

impl<T: Real> Leaf<T> {
    /// The same array in another precision: exact when widened, rounded to nearest when narrowed.
    pub fn cast<U: Real>(&self) -> Leaf<U> {
        let values = self.values.iter().map(|x| U::from_f64(x.to_f64())).collect();
        Leaf { name: self.name.clone(), shape: self.shape.clone(), values }
    }
}

impl<T: Stored> Checkpoint<T> {
    /// The file, the same bytes for the same checkpoint. Cost: memory for one more copy of the arrays, twice for a
    /// moment.
    ///
    /// # Errors
    /// A leaf whose values do not fill its shape, a name used twice or reserved, or an optimiser's state of another
    /// length than θ: a checkpoint that could not be read back.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CheckpointError> {
        encode::encode(self)
    }

    /// The network alone, as PyTorch's module of the same architecture saves and loads its state dict: leaves, running
    /// statistics, and counts of batches (which nothing depends on: the steps taken). A safetensors file, the same bytes for the
    /// same network.
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes).
    pub fn to_state_dict(&self) -> Result<Vec<u8>, CheckpointError> {
        encode::state_dict(self)
    }

    /// Reads a file; `origin` is what errors call it.
    ///
    /// No bytes, however damaged or hostile, do more than give an error, and no more memory is taken than a multiple
    /// of their length.
    ///
    /// # Errors
    /// Bytes that are no safetensors file or were cut off, no checkpoint of ours, one of another format version or
    /// precision, arrays that are missing or that nothing accounts for.
    pub fn from_bytes(bytes: &[u8], origin: &Path) -> Result<Self, CheckpointError> {
        decode::decode(bytes, origin)
    }

    /// θ as one flat vector, the leaves one after another.
    pub fn theta(&self) -> Vec<T> {
        self.leaves.iter().flat_map(|leaf| leaf.values.iter().copied()).collect()
    }

    /// Whether the leaves are those of a network, in its order.
    ///
    /// # Errors
    /// The first difference: a leaf missing, of another shape, of no place in the network, or out of order.
    pub fn check_against(
        &self,
        expected: &[(String, Vec<usize>)],
        origin: &Path,
    ) -> Result<(), CheckpointError> {
        check_leaves(&self.leaves, expected, origin)?;
        for (leaf, (name, _)) in self.leaves.iter().zip(expected) {
            if leaf.name != *name {
                let (expected, found) = (name.clone(), leaf.name.clone());
                return Err(CheckpointError::Order { origin: origin.to_path_buf(), expected, found });
            }
        }
        Ok(())
    }
}

/// What a checkpoint says of itself, without its arrays.
///
/// # Errors
/// As [`Checkpoint::from_bytes`], but for the arrays.
pub fn describe(bytes: &[u8], origin: &Path) -> Result<Description, CheckpointError> {
    decode::describe(bytes, origin)
}

/// The arrays of any safetensors file of that precision, such as a state dict saved from PyTorch, in the order of the
/// file's data. The counts of batches that PyTorch's batch norms keep (`….num_batches_tracked`) are passed over.
///
/// # Errors
/// Bytes that are no safetensors file, or an array of another precision.
pub fn read_arrays<T: Stored>(bytes: &[u8], origin: &Path) -> Result<Vec<Leaf<T>>, CheckpointError> {
    decode::arrays(bytes, origin)
}

/// The leaves of a network picked out of `arrays` in the order of `expected`: how a foreign state dict, sorted by name,
/// becomes θ.
///
/// # Errors
/// A leaf that is missing or of another shape, or an array that the network has no leaf for.
pub fn arrange<T: Real>(
    mut arrays: Vec<Leaf<T>>,
    expected: &[(String, Vec<usize>)],
    origin: &Path,
) -> Result<Vec<Leaf<T>>, CheckpointError> {
    check_leaves(&arrays, expected, origin)?;
    let places: BTreeMap<&str, usize> =
        expected.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i)).collect();
    arrays.sort_by_key(|leaf| places.get(leaf.name.as_str()).copied());
    Ok(arrays)
}

fn check_leaves<T>(
    leaves: &[Leaf<T>],
    expected: &[(String, Vec<usize>)],
    origin: &Path,
) -> Result<(), CheckpointError> {
    let origin = || origin.to_path_buf();
    let found: BTreeMap<&str, &Leaf<T>> = leaves.iter().map(|leaf| (leaf.name.as_str(), leaf)).collect();
    for (name, shape) in expected {
        match found.get(name.as_str()) {
            None => {
                return Err(CheckpointError::Missing {
                    origin: origin(),
                    leaf: name.clone(),
                    shape: shape.clone(),
                });
            }
            Some(leaf) if leaf.shape != *shape => {
                let (leaf, found) = (name.clone(), leaf.shape.clone());
                return Err(CheckpointError::Shape {
                    origin: origin(),
                    leaf,
                    expected: shape.clone(),
                    found,
                });
            }
            Some(_) => {}
        }
    }
    let names: BTreeSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    match leaves.iter().find(|leaf| !names.contains(leaf.name.as_str())) {
        Some(leaf) => {
            let (leaf, shape) = (leaf.name.clone(), leaf.shape.clone());
            Err(CheckpointError::Unexpected { origin: origin(), leaf, shape })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
