//! From bytes to a checkpoint, trusting none of them.
//!
//! The header is parsed by `safetensors`, which checks that arrays lie end to end and fill their shapes. Its entry for
//! whole files is passed by: it adds the header's length to an unchecked sum of sizes, which overflows on a hostile file.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Metadata, TensorInfo};

use super::{Checkpoint, CheckpointError, Description, ENTRY, FORMAT, Leaf, OPTIMISER, Stored};
use crate::optim::{OptimiserState, Slot};

/// Bytes of the header's length at the beginning of a file.
const PREFIX: usize = 8;

/// A file taken apart: its header, and the bytes that offsets count in.
struct File<'a> {
    header: Metadata,
    data: &'a [u8],
    origin: &'a Path,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8], origin: &'a Path) -> Result<Self, CheckpointError> {
        let truncated = |expected| {
            let found = bytes.len() as u64;
            CheckpointError::Truncated { origin: origin.to_path_buf(), expected, found }
        };
        let (prefix, rest) = bytes.split_first_chunk::<PREFIX>().ok_or_else(|| truncated(PREFIX as u64))?;
        let length = u64::from_le_bytes(*prefix);
        let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
        let (header, data) = split.ok_or_else(|| truncated(length.saturating_add(PREFIX as u64)))?;
        let header: Metadata = serde_json::from_slice(header)
            .map_err(|e| CheckpointError::Header { origin: origin.to_path_buf(), reason: e.to_string() })?;
        let expected = (header.data_len() as u64).saturating_add(length).saturating_add(PREFIX as u64);
        if header.data_len() > data.len() {
            return Err(truncated(expected));
        }
        if header.data_len() < data.len() {
            let (origin, found) = (origin.to_path_buf(), bytes.len() as u64);
            return Err(CheckpointError::Surplus { origin, expected, found });
        }
        Ok(Self { header, data, origin })
    }

    fn describe(&self) -> Result<Description, CheckpointError> {
        let origin = || self.origin.to_path_buf();
        let fail = |found| CheckpointError::Description { origin: origin(), found };
        let entry = self.header.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
        let entry = entry.ok_or_else(|| fail("none".to_owned()))?;
        // The version first: a later one may have other fields.
        let value: serde_json::Value = serde_json::from_str(entry).map_err(|e| fail(e.to_string()))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(found) if found == u64::from(FORMAT) => {}
            Some(found) => return Err(CheckpointError::Format { origin: origin(), expected: FORMAT, found }),
            None => return Err(fail("one without a format version".to_owned())),
        }
        serde_json::from_value(value).map_err(|e| fail(e.to_string()))
    }

    fn array<T: Stored>(&self, name: &str, info: &TensorInfo) -> Result<Leaf<T>, CheckpointError> {
        if info.dtype != T::DTYPE {
            return Err(CheckpointError::Dtype {
                origin: self.origin.to_path_buf(),
                leaf: name.to_owned(),
                expected: T::DTYPE.to_string(),
                found: info.dtype.to_string(),
            });
        }
        let (start, end) = info.data_offsets;
        let values = T::values_from(&self.data[start..end]);
        Ok(Leaf { name: name.to_owned(), shape: info.shape.clone(), values })
    }

    /// All arrays in the order of their data.
    fn arrays<T: Stored>(&self) -> Result<Vec<Leaf<T>>, CheckpointError> {
        self.arrays_but(|_| false)
    }

    /// The same without some, whatever their precision.
    fn arrays_but<T: Stored>(&self, is_left_out: fn(&str) -> bool) -> Result<Vec<Leaf<T>>, CheckpointError> {
        let names = self.header.offset_keys();
        let info = |name: &str| self.header.info(name).expect("the header lists its own names");
        let wanted = names.iter().filter(|name| !is_left_out(name));
        wanted.map(|name| self.array(name, info(name))).collect()
    }
}

pub(super) fn describe(bytes: &[u8], origin: &Path) -> Result<Description, CheckpointError> {
    File::open(bytes, origin)?.describe()
}

pub(super) fn arrays<T: Stored>(bytes: &[u8], origin: &Path) -> Result<Vec<Leaf<T>>, CheckpointError> {
    // PyTorch's batch norms count their batches in whole numbers, which nothing here depends on.
    File::open(bytes, origin)?.arrays_but(|name| name.ends_with(".num_batches_tracked"))
}

pub(super) fn decode<T: Stored>(bytes: &[u8], origin: &Path) -> Result<Checkpoint<T>, CheckpointError> {
    let file = File::open(bytes, origin)?;
    let description = file.describe()?;
    if description.dtype != T::NAME {
        return Err(CheckpointError::Dtype {
            origin: origin.to_path_buf(),
            leaf: "every array".to_owned(),
            expected: T::NAME.to_owned(),
            found: description.dtype,
        });
    }
    let mut arrays = BTreeMap::new();
    for leaf in file.arrays::<T>()? {
        arrays.insert(leaf.name.clone(), leaf);
    }
    let mut take = |name: &str| {
        arrays.remove(name).ok_or_else(|| inconsistent(origin, name, "it is described but not there"))
    };
    let leaves = description.leaves.iter().map(|name| take(name)).collect::<Result<Vec<_>, _>>()?;
    let buffers = description.buffers.iter().map(|name| take(name)).collect::<Result<Vec<_>, _>>()?;
    let optimiser = match description.optimiser {
        None if !description.optimiser_numbers.is_empty() => {
            return Err(inconsistent(origin, "optimiser_numbers", "there is no optimiser that they are of"));
        }
        None => None,
        Some((optimiser, step)) => {
            let fail = |source| CheckpointError::Optimiser { origin: origin.to_path_buf(), source };
            // Before its vectors, whose number may be one of its fields.
            optimiser.validate().map_err(fail)?;
            let mut slots = Vec::new();
            for slot in optimiser.slot_names() {
                let mut values = Vec::new();
                for leaf in &leaves {
                    let name = format!("{OPTIMISER}{slot}.{}", leaf.name);
                    let array = take(&name)?;
                    if array.shape != leaf.shape {
                        return Err(inconsistent(origin, &name, "it has another shape than its leaf"));
                    }
                    values.extend(array.values);
                }
                slots.push(Slot { name: slot, values });
            }
            let parameters = leaves.iter().map(|leaf| leaf.values.len()).sum();
            let numbers = &description.optimiser_numbers;
            let state = OptimiserState::restore(optimiser, parameters, step, slots, numbers);
            Some(state.map_err(fail)?)
        }
    };
    if let Some(name) = arrays.keys().next() {
        return Err(inconsistent(origin, name, "it is there but nothing describes it"));
    }
    let Description { step, epoch, seed, architecture, .. } = description;
    Ok(Checkpoint { step, epoch, seed, architecture, leaves, buffers, optimiser })
}

fn inconsistent(origin: &Path, array: &str, problem: &'static str) -> CheckpointError {
    CheckpointError::Inconsistent { origin: origin.to_path_buf(), array: array.to_owned(), problem }
}
