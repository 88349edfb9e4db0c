//! Files that are on their way: under their name with `.part` behind it until they are whole and right.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::FetchError;

/// The name of a file that is on its way to `target`.
pub(super) fn part_of(target: &Path) -> PathBuf {
    with(target, ".part")
}

/// Gives what is whole its own name, so that a power cut leaves it so.
pub(super) fn finish(part: &Path, target: &Path) -> Result<(), FetchError> {
    let refuse = |error| FetchError::write(target, 0)(error);
    File::open(part).and_then(|file| file.sync_all()).map_err(refuse)?;
    fs::rename(part, target).map_err(refuse)?;
    if cfg!(unix)
        && let Some(folder) = target.parent()
    {
        // A rename is on the disk only when the folder is; some network file systems cannot say, and need not.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Removes a part that is of no use. One that is not there is removed already.
pub(super) fn discard(part: &Path) -> Result<(), FetchError> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FetchError::write(part, 0)(error)),
        _ => Ok(()),
    }
}

/// Renames a file that stands in the way; its new name.
pub(super) fn put_aside(path: &Path) -> Result<PathBuf, FetchError> {
    let names = std::iter::once(".damaged".to_owned()).chain((2..).map(|n| format!(".damaged-{n}")));
    for name in names {
        let aside = with(path, &name);
        // A link that leads nowhere is something, too.
        if fs::symlink_metadata(&aside).is_err() {
            fs::rename(path, &aside).map_err(FetchError::write(path, 0))?;
            return Ok(aside);
        }
    }
    unreachable!("some number is free")
}

/// A folder that one process at a time writes to, as long as this is held.
pub(super) struct Lock {
    _folder: Option<File>,
}

/// Locks the folder itself: nothing is left behind, whatever ends the process. Where that cannot be done (not on Unix, on some
/// network file systems), nothing is locked.
pub(super) fn lock(folder: &Path) -> Result<Lock, FetchError> {
    if !cfg!(unix) {
        return Ok(Lock { _folder: None });
    }
    let handle = File::open(folder).map_err(FetchError::read(folder))?;
    match handle.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(FetchError::Busy { path: folder.to_owned() }),
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(Lock { _folder: Some(handle) }),
    }
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_way_is_kept_under_free_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gz");
        for (content, name) in [("a", "x.gz.damaged"), ("b", "x.gz.damaged-2"), ("c", "x.gz.damaged-3")] {
            fs::write(&path, content).unwrap();
            assert_eq!(put_aside(&path).unwrap(), folder.path().join(name));
        }
        assert_eq!(fs::read_to_string(folder.path().join("x.gz.damaged-2")).unwrap(), "b");
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn one_process_at_a_time_writes_to_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        assert!(matches!(lock(folder.path()), Err(FetchError::Busy { .. })));
        drop(held);
        assert!(lock(folder.path()).is_ok());
    }
}
