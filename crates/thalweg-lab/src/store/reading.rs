//! Readings to and from a folder's files.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Damage, DamageKind, StoreError};
use super::folder::Folder;
use super::manifest::FileRecord;
use super::npz::{Array, arrays_of_npz};
use crate::tree::{from_json, from_tree, to_json_pretty, to_tree};

impl Folder {
    /// The content of a file that a finished stage wrote.
    ///
    /// # Errors
    /// No finished stage wrote it; it is missing or differs from what was written; it cannot be read.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let Some((stage, record)) = self.record(name) else {
            return Err(StoreError::NotRecorded { path: self.path().to_owned(), name: name.to_owned() });
        };
        read_checked(self.path(), stage, record)
    }

    /// A reading that [`Stage::write_json`](super::Stage::write_json) wrote: indented JSON, fields in declared order, maps sorted by key.
    /// Every finite float comes back to the bit; NaN and infinities, which JSON lacks, stand as the strings `"NaN"`,
    /// `"Infinity"` and `"-Infinity"` and come back as numbers wherever a number is asked for.
    ///
    /// # Errors
    /// As [`read`](Self::read); the content is no JSON or no `T`.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        let bytes = self.read(name)?;
        let refuse =
            |reason| StoreError::Content { path: self.path().join(name), expected: "this reading", reason };
        let tree = from_json(&bytes).map_err(|error| refuse(error.to_string()))?;
        from_tree(&tree).map_err(|fault| refuse(fault.to_string()))
    }

    /// Arrays that [`Stage::write_npz`](super::Stage::write_npz) wrote, in the order in which they were written.
    ///
    /// # Errors
    /// As [`read`](Self::read); the content is no npz of `f8`, `f4` or `i8` arrays in row-major order.
    pub fn read_npz(&self, name: &str) -> Result<Vec<(String, Array)>, StoreError> {
        arrays_of_npz(&self.path().join(name), &self.read(name)?)
    }
}

pub(super) fn json_bytes<T: Serialize>(name: &str, value: &T) -> Result<Vec<u8>, StoreError> {
    let tree = to_tree(value).map_err(|cause| StoreError::NotPlainData { name: name.to_owned(), cause })?;
    Ok(to_json_pretty(&tree).into_bytes())
}

/// The content of a recorded file, if it is what the record says.
pub(super) fn read_checked(folder: &Path, stage: &str, record: &FileRecord) -> Result<Vec<u8>, StoreError> {
    let path = folder.join(&record.name);
    let damaged = |kind| {
        let damage = vec![Damage { stage: stage.to_owned(), file: record.name.clone(), kind }];
        StoreError::Damaged { path: folder.to_owned(), damage }
    };
    match fs::read(&path) {
        Ok(content) => match damage_of(record, &content) {
            None => Ok(content),
            Some(kind) => Err(damaged(kind)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(damaged(DamageKind::Missing)),
        Err(_) if path.is_dir() => Err(damaged(DamageKind::NotAFile)),
        Err(cause) => Err(StoreError::Read { path, cause }),
    }
}

fn damage_of(record: &FileRecord, content: &[u8]) -> Option<DamageKind> {
    if content.len() as u64 != record.bytes {
        return Some(DamageKind::Length { expected: record.bytes, found: content.len() as u64 });
    }
    let found = blake3::hash(content).to_hex().to_string();
    (found != record.blake3).then(|| DamageKind::Digest { expected: record.blake3.clone(), found })
}
