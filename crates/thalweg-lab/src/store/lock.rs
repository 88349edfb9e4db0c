//! One process at a time.
//!
//! An advisory lock of the operating system on a file that is never removed. It ends with the process, so a killed
//! run leaves nothing to clean up. A file whose mere existence is the lock would outlive a kill, and a process id
//! in it may since belong to another program; the id here only serves the error message.
//!
//! Others call files `.lock` too: one is written to only if it is a plain file with nothing or a process id in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use super::error::StoreError;

/// The lock's file.
pub(super) const LOCK: &str = ".lock";
/// More bytes than a process id and a line's end have.
const BYTES_MAX: u64 = 24;

/// Takes the folder's lock; it is held until the file is dropped.
pub(super) fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK);
    let refuse = |cause| StoreError::Write { path: path.clone(), cause };
    let foreign = || StoreError::NotOurs { path: path.clone(), expected: "the lock of a run" };
    let mut file = match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Of the name itself: what a link leads to is not ours, whatever it holds.
            if !fs::symlink_metadata(&path).map_err(refuse)?.is_file() {
                return Err(foreign());
            }
            OpenOptions::new().read(true).write(true).open(&path).map_err(refuse)?
        }
        opened => opened.map_err(refuse)?,
    };
    let is_busy = match file.try_lock() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(cause)) => return Err(refuse(cause)),
    };
    let mut content = Vec::new();
    (&file).take(BYTES_MAX).read_to_end(&mut content).map_err(refuse)?;
    if is_busy {
        return Err(StoreError::Busy { path: folder.to_owned(), process: process(&content) });
    }
    if !content.is_empty() && process(&content).is_none() {
        return Err(foreign());
    }
    file.set_len(0).map_err(refuse)?;
    file.rewind().map_err(refuse)?;
    writeln!(file, "{}", std::process::id()).map_err(refuse)?;
    Ok(file)
}

/// The process id, if that is all there is.
fn process(content: &[u8]) -> Option<u32> {
    std::str::from_utf8(content).ok()?.trim_end().parse().ok()
}
