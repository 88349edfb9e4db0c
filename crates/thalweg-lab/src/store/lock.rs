//! One process at a time.
//!
//! An advisory lock of the operating system on a file that is never removed. It ends with the process, so a killed
//! run leaves nothing to clean up. A file whose mere existence is the lock would outlive a kill, and a process id
//! in it may since belong to another program; the id here only serves the error message.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::Path;

use super::error::StoreError;

/// The lock's file.
pub(super) const LOCK: &str = ".lock";

/// Takes the folder's lock; it is held until the file is dropped.
pub(super) fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK);
    let refuse = |cause| StoreError::Write { path: path.clone(), cause };
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(refuse)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = file.read_to_string(&mut text);
            let process = read.ok().and_then(|_| text.trim().parse().ok());
            return Err(StoreError::Busy { path: folder.to_owned(), process });
        }
        Err(TryLockError::Error(cause)) => return Err(refuse(cause)),
    }
    file.set_len(0).map_err(refuse)?;
    writeln!(file, "{}", std::process::id()).map_err(refuse)?;
    Ok(file)
}
