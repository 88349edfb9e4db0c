//! Whether a study fits into the machine.
//!
//! Asked before anything is written: a process that the system ends for want of memory can say nothing, and most do
//! not see it coming, since memory is only taken when it is written to.

use std::fs;

use thalweg_geometry::site::Dtype;

use crate::recipe::RecipeError;

/// Bytes of a number in f64, which all vectors that instruments keep are in.
pub(in crate::recipe) const WIDE: u128 = 8;

/// What needs memory for every parameter, and what would lower it.
pub(in crate::recipe) struct Part {
    pub(in crate::recipe) bytes: u128,
    pub(in crate::recipe) name: &'static str,
    pub(in crate::recipe) remedy: &'static str,
}

/// Bytes of a number in that precision.
fn narrow(dtype: Dtype) -> u128 {
    if dtype == Dtype::F32 { 4 } else { WIDE }
}

/// Refuses a network of that many parameters if training it with an optimiser that keeps so many vectors, or one of `parts`, needs more memory than there is. What is
/// counted is the least: vectors of the length of θ, and not what a pass over the data needs.
///
/// # Errors
/// [`RecipeError::Memory`] for the part that needs most. None if `available` is not known.
pub(in crate::recipe) fn check(
    parameters: u128,
    dtype: Dtype,
    slots: usize,
    parts: impl IntoIterator<Item = Part>,
    available: Option<u64>,
) -> Result<(), RecipeError> {
    let Some(available) = available else { return Ok(()) };
    // θ, its gradient and what the optimiser keeps, or at least what it makes of them; and all but the gradient once more in a
    // checkpoint.
    let vectors = 3 + 2 * (slots as u128).max(1);
    let remedy = match slots {
        0..=2 => "a smaller network, in `model`, would need less",
        _ => "a shorter `train.optimiser.history` would need less",
    };
    let training = Part { bytes: vectors * narrow(dtype), name: "training", remedy };
    let parts = std::iter::once(training).chain(parts);
    let Part { bytes, name: part, remedy } = parts.max_by_key(|part| part.bytes).expect("training is there");
    let needed = bytes * parameters;
    if needed <= u128::from(available) {
        return Ok(());
    }
    Err(RecipeError::Memory { part, parameters, needed, available, remedy })
}

/// Bytes of memory that this process may come to use, where the system says: the machine's, or less in a container.
pub(in crate::recipe) fn available() -> Option<u64> {
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

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_some() {
        assert!(available().is_some_and(|bytes| bytes > 1 << 26));
    }
}
