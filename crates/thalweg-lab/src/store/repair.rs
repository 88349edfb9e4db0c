//! Finding damaged files, and making room to compute them again.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{Damage, StoreError};
use super::folder::Folder;
use super::manifest::FileRecord;
use super::reading::read_checked;

impl Folder {
    /// Checks every recorded file: that it exists, its length, its digest. Reads all of them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with every damaged file, or a file cannot be read.
    pub fn verify(&self) -> Result<(), StoreError> {
        let damage = self.damage()?;
        if damage.is_empty() {
            return Ok(());
        }
        Err(StoreError::Damaged { path: self.path().to_owned(), damage })
    }

    /// Keeps each damaged file under a `.damaged` name and marks its stage as not finished, so that the stage is
    /// done again and no other. Returns the names of those stages.
    ///
    /// # Errors
    /// A file cannot be read or renamed, or the manifest cannot be written.
    pub fn repair(&mut self) -> Result<Vec<String>, StoreError> {
        let damage = self.damage()?;
        for damage in &damage {
            keep_aside(&self.path().join(&damage.file), "damaged")?;
        }
        let is_damaged = |stage: &str| damage.iter().any(|damage| damage.stage == stage);
        // What is whole of these stages is written again, and need not be kept when it comes out otherwise.
        let again = self.stages().iter().filter(|stage| is_damaged(&stage.name));
        let superseded: Vec<FileRecord> = again.flat_map(|stage| stage.files.clone()).collect();
        let mut manifest = self.manifest.clone();
        manifest.stages_mut().retain(|stage| !is_damaged(&stage.name));
        manifest.states_mut().retain(|state| !is_damaged(&state.stage));
        if !damage.is_empty() {
            manifest.write(self.path())?;
        }
        self.manifest = manifest;
        self.superseded.extend(superseded);

        let mut again: Vec<String> = damage.into_iter().map(|damage| damage.stage).collect();
        again.dedup();
        Ok(again)
    }

    fn damage(&self) -> Result<Vec<Damage>, StoreError> {
        let finished =
            self.stages().iter().flat_map(|stage| stage.files.iter().map(|file| (&stage.name, file)));
        let states = self.manifest.states().iter().map(|state| (&state.stage, &state.file));
        let mut all = Vec::new();
        for (stage, file) in finished.chain(states) {
            all.extend(self.damage_of(stage, file)?);
        }
        Ok(all)
    }

    fn damage_of(&self, stage: &str, file: &FileRecord) -> Result<Vec<Damage>, StoreError> {
        match read_checked(self.path(), stage, file) {
            Ok(_) => Ok(Vec::new()),
            Err(StoreError::Damaged { damage, .. }) => Ok(damage),
            Err(error) => Err(error),
        }
    }
}

/// Renames a file (or what stands in its place) to the first free of `name.suffix`, `name.suffix-2`, …, and returns
/// the new name; a missing one is left at that.
pub(super) fn keep_aside(path: &Path, suffix: &str) -> Result<Option<String>, StoreError> {
    let candidate = |n: usize| {
        let mut name = path.as_os_str().to_owned();
        name.push(if n == 1 { format!(".{suffix}") } else { format!(".{suffix}-{n}") });
        PathBuf::from(name)
    };
    // A link that leads nowhere takes its name too.
    let is_free = |aside: &PathBuf| fs::symlink_metadata(aside).is_err();
    let free = (1..).map(candidate).find(is_free).expect("some number is free");
    match fs::rename(path, &free) {
        Ok(()) => Ok(free.file_name().map(|name| name.to_string_lossy().into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(StoreError::Write { path: path.to_owned(), cause }),
    }
}
