//! How much memory something takes: what the system says of this process (Linux).

use std::fs;

use serde::Serialize;

const STATUS: &str = "/proc/self/status";
/// Writing [`FORGET_PEAK`] to it makes the highest use so far the present one.
const CLEAR: &str = "/proc/self/clear_refs";
const FORGET_PEAK: &str = "5";

/// Memory before and while something was done, in KiB.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Memory {
    /// The work.
    pub(crate) name: &'static str,
    /// Resident before.
    pub(crate) before_kib: u64,
    /// The most that was resident meanwhile.
    pub(crate) peak_kib: u64,
    /// By how much the resident part of files grew: code that was read when it was first run.
    pub(crate) files_kib: u64,
}

/// The system does not say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    /// A file of the system's could not be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: &'static str,
        /// What is wrong with it.
        error: std::io::Error,
    },
    /// A line is not there.
    #[error("{STATUS}: expected a line `{expected}: … kB`, found none")]
    Line {
        /// How it begins.
        expected: &'static str,
    },
}

/// Runs `run` and watches. Only a process that has not done the same before tells what it takes: freed memory may stay
/// with the process.
pub(crate) fn watch(name: &'static str, run: &mut dyn FnMut()) -> Result<Memory, MemoryError> {
    fs::write(CLEAR, FORGET_PEAK).map_err(|error| MemoryError::File { path: CLEAR, error })?;
    let (before_kib, files_before) = (status("VmRSS")?, status("RssFile")?);
    run();
    let files_kib = status("RssFile")?.saturating_sub(files_before);
    Ok(Memory { name, before_kib, peak_kib: status("VmHWM")?, files_kib })
}

fn status(line: &'static str) -> Result<u64, MemoryError> {
    let text = fs::read_to_string(STATUS).map_err(|error| MemoryError::File { path: STATUS, error })?;
    find(&text, line).ok_or(MemoryError::Line { expected: line })
}

/// The number of KiB in the line of that name.
fn find(status: &str, line: &str) -> Option<u64> {
    let rest = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'))?;
    rest.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_its_whole_name() {
        let status = "VmRSSx:\t1 kB\nVmRSS:\t   1234 kB\nThreads:\t2\n";
        assert_eq!(
            (find(status, "VmRSS"), find(status, "VmHWM"), find(status, "Threads")),
            (Some(1234), None, None)
        );
    }

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "only Linux has /proc/self")]
    fn what_is_freed_again_counts_for_the_peak() {
        const MIB: usize = 1 << 20;
        // The system counts by thread and adds up now and then, so a little may be missing.
        let memory = watch("x", &mut || drop(std::hint::black_box(vec![1u8; 64 * MIB]))).unwrap();
        let taken = memory.peak_kib - memory.before_kib;
        assert!((60 * 1024..80 * 1024).contains(&taken), "{memory:?}");
    }
}
