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
            keep_aside(&self.path().join(&damage.file))?;
        }
        let is_damaged = |stage: &str| damage.iter().any(|damage| damage.stage == stage);
        let mut manifest = self.manifest.clone();
        manifest.stages_mut().retain(|stage| !is_damaged(&stage.name));
        manifest.states_mut().retain(|state| !is_damaged(&state.stage));
        if !damage.is_empty() {
            manifest.write(self.path())?;
        }
        self.manifest = manifest;

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

/// Renames a file to the first free of `name.damaged`, `name.damaged-2`, …; a missing one is left at that.
fn keep_aside(path: &Path) -> Result<(), StoreError> {
    let candidate = |n: usize| {
        let mut name = path.as_os_str().to_owned();
        name.push(if n == 1 { ".damaged".to_owned() } else { format!(".damaged-{n}") });
        PathBuf::from(name)
    };
    let free = (1..).map(candidate).find(|aside| !aside.exists()).expect("some number is free");
    match fs::rename(path, free) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::Write { path: path.to_owned(), cause: error })
        }
        _ => Ok(()),
    }
}
