//! What is in a file of weights or in a run's folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thalweg_kernel::Real;
use thalweg_learn::checkpoint::{
    self, Checkpoint, CheckpointError, Description, Leaf, Stored, is_torch, read_arrays, read_torch,
};

use crate::store::{Folder, StoreError};

/// A file or folder that cannot be looked into.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// It cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// Something that is neither a file nor a folder.
    #[error("expected a file of weights or a run's folder, found {}, which is neither", path.display())]
    Neither {
        /// What was named.
        path: PathBuf,
    },
    /// No file of weights, or a damaged one.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// No run's folder, or one that another process works in.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was found.
#[derive(Debug)]
pub enum Inspection {
    /// A file of weights.
    Weights(Weights),
    /// A run's folder.
    Run(Run),
}

/// A file of weights.
#[derive(Debug)]
pub struct Weights {
    /// What kind of file it is, in words.
    pub kind: &'static str,
    /// The BLAKE3 digest of the file.
    pub blake3: String,
    /// What a checkpoint of ours says of itself.
    pub description: Option<Description>,
    /// The network's arrays: its leaves and then its running statistics, or all that a foreign file has, in its order.
    pub arrays: Vec<Array>,
}

/// An array of a file of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// PyTorch's name.
    pub name: String,
    /// Axes; empty for a single number.
    pub shape: Vec<usize>,
    /// Numbers in it.
    pub count: usize,
    /// Their Euclidean norm.
    pub norm: f64,
    /// How many of them are NaN or infinite.
    pub not_finite: usize,
    /// The BLAKE3 digest of the numbers' little-endian bytes in f64.
    pub blake3: String,
}

/// A run's folder.
#[derive(Debug)]
pub struct Run {
    /// The recipe and its version.
    pub recipe: (String, u32),
    /// The run's name.
    pub id: String,
    /// Its configuration, one line of JSON.
    pub config: String,
    /// Whether all of it is there.
    pub is_complete: bool,
    /// What is finished: stage, file, bytes.
    pub files: Vec<(String, String, u64)>,
    /// What is wrong with the files, in words; none if all of them are as they were written.
    pub damage: Option<String>,
}

/// Looks into a file of weights (ours, any safetensors file in F32 or F64, or PyTorch's), or into a run's folder. Nothing is
/// changed. Cost: a pass over the files.
///
/// # Errors
/// There is none, or it is damaged beyond reading.
pub fn inspect(path: &Path) -> Result<Inspection, InspectError> {
    let unreadable = |cause| InspectError::Read { path: path.to_owned(), cause };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Ok(Inspection::Run(run(path)?));
    }
    // A pipe would wait for its writer, and some devices never end.
    if !metadata.is_file() {
        return Err(InspectError::Neither { path: path.to_owned() });
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    Ok(Inspection::Weights(weights(&bytes, path)?))
}

/// The state dict that PyTorch's module of the same architecture loads: a checkpoint of ours without all that only a run needs.
///
/// # Errors
/// The file is no checkpoint of ours, or cannot be read.
pub fn export(path: &Path) -> Result<Vec<u8>, InspectError> {
    let bytes = fs::read(path).map_err(|cause| InspectError::Read { path: path.to_owned(), cause })?;
    Ok(match &checkpoint::describe(&bytes, path)?.dtype[..] {
        f64::NAME => Checkpoint::<f64>::from_bytes(&bytes, path)?.to_state_dict()?,
        _ => Checkpoint::<f32>::from_bytes(&bytes, path)?.to_state_dict()?,
    })
}

fn weights(bytes: &[u8], path: &Path) -> Result<Weights, CheckpointError> {
    let of = |kind, description, arrays| Weights {
        kind,
        blake3: blake3::hash(bytes).to_hex().to_string(),
        description,
        arrays,
    };
    if is_torch(bytes) {
        return Ok(of("a state dict of PyTorch's", None, arrays(&read_torch::<f64>(bytes, path)?)));
    }
    match checkpoint::describe(bytes, path) {
        Ok(description) => {
            let arrays = match &description.dtype[..] {
                f64::NAME => of_checkpoint::<f64>(bytes, path)?,
                _ => of_checkpoint::<f32>(bytes, path)?,
            };
            Ok(of("a checkpoint of thalweg's", Some(description), arrays))
        }
        Err(CheckpointError::Description { .. }) => {
            let arrays = match read_arrays::<f32>(bytes, path) {
                Ok(leaves) => arrays(&leaves),
                Err(CheckpointError::Dtype { .. }) => arrays(&read_arrays::<f64>(bytes, path)?),
                Err(error) => return Err(error),
            };
            Ok(of("a safetensors file", None, arrays))
        }
        Err(error) => Err(error),
    }
}

fn of_checkpoint<T: Stored>(bytes: &[u8], path: &Path) -> Result<Vec<Array>, CheckpointError> {
    let checkpoint = Checkpoint::<T>::from_bytes(bytes, path)?;
    Ok([arrays(&checkpoint.leaves), arrays(&checkpoint.buffers)].concat())
}

fn arrays<T: Real>(leaves: &[Leaf<T>]) -> Vec<Array> {
    let array = |leaf: &Leaf<T>| {
        let values: Vec<f64> = leaf.values.iter().map(|x| x.to_f64()).collect();
        let mut hasher = blake3::Hasher::new();
        values.iter().for_each(|x| {
            hasher.update(&x.to_le_bytes());
        });
        Array {
            name: leaf.name.clone(),
            shape: leaf.shape.clone(),
            count: values.len(),
            norm: norm(&values),
            not_finite: values.iter().filter(|x| !x.is_finite()).count(),
            blake3: hasher.finalize().to_hex().to_string(),
        }
    };
    leaves.iter().map(array).collect()
}

/// ‖x‖₂, also where squares would overflow or vanish.
fn norm(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    let scale = if largest.is_finite() && largest > 0.0 { largest } else { 1.0 };
    scale * values.iter().map(|x| (x / scale).powi(2)).sum::<f64>().sqrt()
}

fn run(path: &Path) -> Result<Run, StoreError> {
    let folder = Folder::open(path)?;
    let (recipe, version) = folder.recipe();
    let files = folder
        .stages()
        .iter()
        .flat_map(|stage| stage.files.iter().map(|file| (stage.name.clone(), file.name.clone(), file.bytes)));
    Ok(Run {
        recipe: (recipe.to_owned(), version),
        id: folder.id().to_string(),
        config: folder.config_json(),
        // The last stage of a survey, and of a training run.
        is_complete: ["report", "result"].iter().any(|last| folder.is_finished(last)),
        files: files.collect(),
        damage: match folder.verify() {
            Ok(()) => None,
            Err(error @ StoreError::Damaged { .. }) => Some(error.to_string()),
            Err(error) => return Err(error),
        },
    })
}
