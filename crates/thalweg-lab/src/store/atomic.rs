//! Files that are there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::StoreError;
use super::manifest::FileRecord;

/// Temporary files begin with this, so that what a killed process leaves can be told from results.
const TEMPORARY: &str = ".thalweg-tmp-";

/// Writes `bytes` to the file `name` in `folder`: under a temporary name, synced to the disk, then renamed, then
/// the folder synced. Readers see the previous file or the new one, never a part.
///
/// # Errors
/// The name is not a plain file name, or the system refuses (full disk, read-only folder): the previous file is
/// untouched and the temporary one is gone. The one exception is a failure to sync the folder after the rename:
/// then the new file is in place, but might not outlive a power cut.
pub fn write_atomic(folder: &Path, name: &str, bytes: &[u8]) -> Result<FileRecord, StoreError> {
    write_atomic_with(folder, name, |sink| sink.write_all(bytes), |_| Ok(()))
}

/// The same for content that is produced as it is written. `make_way` sees what is about to be renamed to `name`.
pub(super) fn write_atomic_with(
    folder: &Path,
    name: &str,
    produce: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    make_way: impl FnOnce(&FileRecord) -> Result<(), StoreError>,
) -> Result<FileRecord, StoreError> {
    check_name(name)?;
    let target = folder.join(name);
    let temporary = temporary_in(folder);
    let refuse = |cause| StoreError::Write { path: target.clone(), cause };

    let written = write_synced(&temporary, produce).map_err(refuse).and_then(|(bytes, blake3)| {
        let record = FileRecord { name: name.to_owned(), bytes, blake3 };
        make_way(&record)?;
        fs::rename(&temporary, &target).map_err(refuse)?;
        Ok(record)
    });
    match written {
        Ok(record) => {
            sync_folder(folder).map_err(refuse)?;
            Ok(record)
        }
        Err(error) => {
            // If even this fails, the next opening of the folder cleans up.
            let _ = fs::remove_file(&temporary);
            Err(error)
        }
    }
}

fn temporary_in(folder: &Path) -> PathBuf {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let count = WRITTEN.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{TEMPORARY}{}-{count}", std::process::id()))
}

fn write_synced(
    path: &Path,
    produce: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<(u64, String)> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut sink = DigestingWriter { inner: BufWriter::new(file), hasher: blake3::Hasher::new(), bytes: 0 };
    produce(&mut sink)?;
    let file = sink.inner.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok((sink.bytes, sink.hasher.finalize().to_hex().to_string()))
}

/// Digests what passes, so that the record is of what was meant, not of what a bad disk gives back.
struct DigestingWriter {
    inner: BufWriter<File>,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Write for DigestingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..taken]);
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A rename is on the disk only when the folder is.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Whether `name` is one that [`write_atomic`] gives, to the last character: what others call alike stays.
pub(super) fn is_temporary(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = name.strip_prefix(TEMPORARY).and_then(|rest| rest.split_once('-'));
    numbers.is_some_and(|(process, count)| is_number(process) && is_number(count))
}

/// Removes what killed writers left. Only under the folder's lock: a living writer's file looks the same.
pub(super) fn remove_leftovers(folder: &Path) -> Result<(), StoreError> {
    let read = |cause| StoreError::Read { path: folder.to_owned(), cause };
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let is_file = entry.file_type().map_err(read)?.is_file();
        if is_file && entry.file_name().to_str().is_some_and(is_temporary) {
            let path = entry.path();
            fs::remove_file(&path).map_err(|cause| StoreError::Write { path, cause })?;
        }
    }
    Ok(())
}

/// Whether `name` is safe as the name of a file in a run's folder on every system: no separators, nothing hidden,
/// nothing that a shell or a URL takes apart.
pub(super) fn check_name(name: &str) -> Result<(), StoreError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+=".contains(c);
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > 200 {
        "it has more than 200 bytes"
    } else if name.contains(['/', '\\']) {
        "it has a path separator"
    } else if name.starts_with(['.', '-']) {
        "it begins with a dot or a dash"
    } else if !name.chars().all(plain) {
        "only letters, digits and . _ - + = may be in it"
    } else if name.ends_with('.') {
        "it ends with a dot"
    } else {
        return Ok(());
    };
    Err(StoreError::Name { name: name.to_owned(), reason })
}
