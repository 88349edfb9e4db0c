//! From a checkpoint to bytes.

use std::collections::BTreeSet;

use safetensors::tensor::{Dtype, TensorView};

use super::{Checkpoint, CheckpointError, Description, ENTRY, FORMAT, Leaf, OPTIMISER, Stored};

/// An array on its way out.
struct Array {
    name: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

pub(super) fn encode<T: Stored>(checkpoint: &Checkpoint<T>) -> Result<Vec<u8>, CheckpointError> {
    check(checkpoint)?;
    let mut arrays = Vec::new();
    for leaf in checkpoint.leaves.iter().chain(&checkpoint.buffers) {
        let bytes = T::bytes_from(&leaf.values);
        arrays.push(Array { name: leaf.name.clone(), shape: leaf.shape.clone(), bytes });
    }
    for slot in checkpoint.optimiser.iter().flat_map(|state| state.slots()) {
        let mut rest = slot.values.as_slice();
        for leaf in &checkpoint.leaves {
            let (values, after) = rest.split_at(leaf.values.len());
            rest = after;
            let name = format!("{OPTIMISER}{}.{}", slot.name, leaf.name);
            arrays.push(Array { name, shape: leaf.shape.clone(), bytes: T::bytes_from(values) });
        }
    }
    let names = |leaves: &[Leaf<T>]| leaves.iter().map(|leaf| leaf.name.clone()).collect();
    let numbers = checkpoint.optimiser.iter().flat_map(|state| state.numbers());
    let description = Description {
        format: FORMAT,
        dtype: T::NAME.to_owned(),
        step: checkpoint.step,
        epoch: checkpoint.epoch,
        seed: checkpoint.seed,
        architecture: checkpoint.architecture.clone(),
        leaves: names(&checkpoint.leaves),
        buffers: names(&checkpoint.buffers),
        optimiser: checkpoint.optimiser.as_ref().map(|state| (*state.optimiser(), state.steps())),
        optimiser_numbers: numbers.map(|number| (number.name.to_owned(), number.value)).collect(),
    };
    let unwritable = |reason: String| CheckpointError::Unwritable { reason };
    let description = serde_json::to_string(&description).map_err(|e| unwritable(e.to_string()))?;
    let views = arrays.iter().map(|array| {
        let view = TensorView::new(T::DTYPE, array.shape.clone(), &array.bytes);
        (&array.name, view.expect("values fill their shape, as checked"))
    });
    // Collected, not named: which hash map this is depends on the library's features.
    let metadata = std::iter::once((ENTRY.to_owned(), description)).collect();
    safetensors::serialize(views, Some(metadata)).map_err(|e| unwritable(e.to_string()))
}

/// Leaves and buffers alone, with a count of batches for every batch norm, as PyTorch's modules ask for it.
pub(super) fn state_dict<T: Stored>(checkpoint: &Checkpoint<T>) -> Result<Vec<u8>, CheckpointError> {
    check(checkpoint)?;
    let arrays = checkpoint.leaves.iter().chain(&checkpoint.buffers);
    let mut entries: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = arrays
        .map(|array| (array.name.clone(), T::DTYPE, array.shape.clone(), T::bytes_from(&array.values)))
        .collect();
    for buffer in &checkpoint.buffers {
        if let Some(norm) = buffer.name.strip_suffix(".running_mean") {
            let name = format!("{norm}.num_batches_tracked");
            entries.push((name, Dtype::I64, Vec::new(), checkpoint.step.to_le_bytes().to_vec()));
        }
    }
    let views = entries.iter().map(|(name, dtype, shape, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes);
        (name, view.expect("values fill their shape, as checked"))
    });
    let metadata = std::iter::once(("format".to_owned(), "pt".to_owned())).collect();
    let unwritable = |e: safetensors::SafeTensorError| CheckpointError::Unwritable { reason: e.to_string() };
    safetensors::serialize(views, Some(metadata)).map_err(unwritable)
}

fn check<T: Stored>(checkpoint: &Checkpoint<T>) -> Result<(), CheckpointError> {
    let mut names = BTreeSet::new();
    for leaf in checkpoint.leaves.iter().chain(&checkpoint.buffers) {
        let expected = leaf.shape.iter().fold(1usize, |product, &axis| product.saturating_mul(axis));
        if expected != leaf.values.len() {
            let (shape, found) = (leaf.shape.clone(), leaf.values.len());
            return Err(CheckpointError::Values { leaf: leaf.name.clone(), shape, expected, found });
        }
        let problem = if leaf.name.starts_with(OPTIMISER) {
            "a leaf's name must not begin like the optimiser's arrays"
        } else if leaf.name == "__metadata__" {
            "this name belongs to the format"
        } else if !names.insert(&leaf.name) {
            "two arrays have one name"
        } else {
            continue;
        };
        return Err(CheckpointError::Name { leaf: leaf.name.clone(), problem });
    }
    let parameters = checkpoint.leaves.iter().map(|leaf| leaf.values.len()).sum();
    match &checkpoint.optimiser {
        Some(state) if state.parameters() != parameters => {
            Err(CheckpointError::OptimiserLength { expected: parameters, found: state.parameters() })
        }
        _ => Ok(()),
    }
}
