//! Work that is done once.

use std::fs;
use std::io::{self, Write};

use serde::Serialize;

use super::atomic::{check_name, write_atomic, write_atomic_with};
use super::error::StoreError;
use super::folder::Folder;
use super::manifest::{FileRecord, StageRecord, StateRecord};
use super::npz::{Array, npz_bytes};
use super::reading::{json_bytes, read_checked};
use super::repair::keep_aside;

/// Whether a stage was worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageOutcome {
    /// It was done now.
    Done,
    /// An earlier process had finished it.
    AlreadyDone,
}

/// A stage under way: what it writes becomes part of the run when the stage ends well.
#[derive(Debug)]
pub struct Stage<'f> {
    folder: &'f mut Folder,
    name: String,
    files: Vec<FileRecord>,
}

impl Folder {
    /// Does the stage `name` unless it is finished. When `work` ends well, the files that it wrote go on record with
    /// their digests; when it fails or is cut off, nothing does, and the next call does it again (files it had
    /// written are overwritten; a saved [state](Stage::save_state) is there to go on from).
    ///
    /// # Errors
    /// What `work` returns; the stage's name is unsafe; the manifest cannot be written.
    pub fn stage<E: From<StoreError>>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Stage<'_>) -> Result<(), E>,
    ) -> Result<StageOutcome, E> {
        check_name(name)?;
        if self.is_finished(name) {
            return Ok(StageOutcome::AlreadyDone);
        }
        let mut stage = Stage { folder: self, name: name.to_owned(), files: Vec::new() };
        work(&mut stage)?;
        let record = StageRecord { name: stage.name, files: stage.files };
        self.finish(record)?;
        Ok(StageOutcome::Done)
    }

    /// Whether what stands under that name is neither the same content nor what a repair has given up. A stage that was
    /// cut off leaves what it will write again: the same.
    fn is_foreign(&self, record: &FileRecord) -> Result<bool, StoreError> {
        let path = self.path().join(&record.name);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(cause) => return Err(StoreError::Read { path, cause }),
            Ok(metadata) if !metadata.is_file() => return Ok(true),
            Ok(_) => {}
        }
        let mut known = self.superseded.iter().filter(|old| old.name == record.name).chain([record]);
        Ok(!known.any(|known| read_checked(self.path(), "", known).is_ok()))
    }

    /// Removes saved states of finished stages, which a process that was killed as it finished one has left.
    pub(super) fn remove_old_states(&self) {
        for state in self.stages().iter().flat_map(|stage| state_names(&stage.name)) {
            // As in `finish`: one that stays is only in the way.
            let _ = fs::remove_file(self.path().join(state));
        }
    }

    fn finish(&mut self, record: StageRecord) -> Result<(), StoreError> {
        let mut manifest = self.manifest.clone();
        let states = state_names(&record.name);
        manifest.states_mut().retain(|state| state.stage != record.name);
        manifest.stages_mut().push(record);
        manifest.write(self.path())?;
        self.manifest = manifest;
        for state in states {
            // Saved states hold no result, and nothing names them any more: one that stays is only in the way.
            let _ = fs::remove_file(self.path().join(state));
        }
        Ok(())
    }
}

impl Stage<'_> {
    /// The folder, with what earlier stages wrote.
    pub fn folder(&self) -> &Folder {
        self.folder
    }

    /// Writes a file of this stage.
    ///
    /// # Errors
    /// The name is unsafe or another stage's; the system refuses.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_with(name, |sink| sink.write_all(bytes))
    }

    /// Writes a file of this stage as its content is produced, for what should not be in memory at once. What stands
    /// under its name with another content, and is on no record, is not ours to replace: it is
    /// [kept aside](Folder::kept_aside).
    ///
    /// # Errors
    /// As [`write`](Self::write), and what `produce` returns.
    pub fn write_with(
        &mut self,
        name: &str,
        produce: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        self.folder.refuse_taken(name, &self.name)?;
        let is_ours = self.files.iter().any(|file| file.name == name);
        let mut aside = None;
        let record = write_atomic_with(self.folder.path(), name, produce, |record| {
            if !is_ours && self.folder.is_foreign(record)? {
                aside = keep_aside(&self.folder.path().join(name), "found")?;
            }
            Ok(())
        })?;
        self.folder.kept_aside.extend(aside.map(|aside| (name.to_owned(), aside)));
        self.files.retain(|file| file.name != record.name);
        self.files.push(record);
        Ok(())
    }

    /// Writes a reading as JSON (see [`Folder::read_json`]).
    ///
    /// # Errors
    /// As [`write`](Self::write); the value cannot be written as plain data.
    pub fn write_json<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), StoreError> {
        let bytes = json_bytes(name, value)?;
        self.write(name, &bytes)
    }

    /// Writes arrays as npz, for `numpy.load` (see [`Folder::read_npz`]). Equal arrays give equal bytes.
    ///
    /// # Errors
    /// As [`write`](Self::write); two arrays share a key, or a key cannot name a file.
    pub fn write_npz(&mut self, name: &str, arrays: &[(&str, Array)]) -> Result<(), StoreError> {
        let bytes = npz_bytes(name, arrays)?;
        self.write(name, &bytes)
    }

    /// Saves the state from which the stage can go on if it is cut off; it replaces the state saved before.
    ///
    /// # Errors
    /// The system refuses: the state saved before is still there.
    pub fn save_state(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        // Two names in turn: until the manifest names the new state, the old one must be whole.
        let slots = state_names(&self.name);
        let old = self.folder.manifest.states().iter().find(|state| state.stage == self.name);
        let old = old.map(|state| state.file.name.clone());
        let free = slots.iter().find(|slot| Some(*slot) != old.as_ref()).expect("of two names one is free");
        let file = write_atomic(self.folder.path(), free, bytes)?;

        let mut manifest = self.folder.manifest.clone();
        manifest.states_mut().retain(|state| state.stage != self.name);
        manifest.states_mut().push(StateRecord { stage: self.name.clone(), file });
        manifest.write(self.folder.path())?;
        self.folder.manifest = manifest;
        if let Some(old) = old {
            // If it stays, the next save but one replaces it.
            let _ = fs::remove_file(self.folder.path().join(old));
        }
        Ok(())
    }

    /// The state saved last, if this stage was cut off after saving one.
    ///
    /// # Errors
    /// Its file is damaged or cannot be read.
    pub fn state(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let saved = self.folder.manifest.states().iter().find(|state| state.stage == self.name);
        saved.map(|state| read_checked(self.folder.path(), &self.name, &state.file)).transpose()
    }
}

/// The two names that a stage's saved states have in turn.
fn state_names(stage: &str) -> [String; 2] {
    ["a", "b"].map(|slot| format!("{stage}.state-{slot}"))
}
