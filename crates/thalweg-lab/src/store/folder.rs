//! Opening a run's folder, and its files.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::atomic::{check_name, is_temporary, remove_leftovers, sync_folder, write_atomic};
use super::error::{Difference, StoreError};
use super::lock::{LOCK, lock};
use super::manifest::{FileRecord, MANIFEST, Manifest, StageRecord};
use super::repair::keep_aside;
use crate::identity::{Identity, NotARunId, RunId};
use crate::tree::{from_tree, to_json_line};

/// A run's folder, held for this process alone until it is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    id: RunId,
    pub(super) manifest: Manifest,
    /// Files of stages that a repair has given up: ours, though not on record.
    pub(super) superseded: Vec<FileRecord>,
    pub(super) kept_aside: Vec<(String, String)>,
    _lock: File,
}

impl Folder {
    /// Opens the folder of the run `identity` at `path`, or makes it (with the folders above it). Digests are
    /// checked when a file is read and by [`verify`](Self::verify), not here.
    ///
    /// # Errors
    /// `path` is no folder, or a folder that holds something else; another process works in it; its run differs
    /// from `identity` (every differing field is named); its manifest is damaged or of another format; the system
    /// refuses.
    pub fn open_or_create(path: &Path, identity: &Identity) -> Result<Self, StoreError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => refuse_foreign(path)?,
            Ok(_) => return Err(StoreError::NotAFolder { path: path.to_owned() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(path)?,
            Err(cause) => return Err(StoreError::Read { path: path.to_owned(), cause }),
        }
        // Before the lock, which writes: a folder that is not ours stays as it is.
        Manifest::read(path)?;
        let lock = lock(path)?;
        let manifest = match Manifest::read(path)? {
            Some(manifest) => manifest,
            None => {
                let manifest = Manifest::new(identity);
                manifest.write(path)?;
                manifest
            }
        };
        let folder = Self::locked(path, lock, manifest)?;
        folder.refuse_other(identity)?;
        remove_leftovers(path)?;
        folder.remove_old_states();
        Ok(folder)
    }

    /// Opens an existing run's folder, whatever its run.
    ///
    /// # Errors
    /// As [`open_or_create`](Self::open_or_create), and if there is no run.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let no_run = || StoreError::NoRun { path: path.to_owned() };
        Manifest::read(path)?.ok_or_else(no_run)?;
        let lock = lock(path)?;
        let manifest = Manifest::read(path)?.ok_or_else(no_run)?;
        let folder = Self::locked(path, lock, manifest)?;
        remove_leftovers(path)?;
        folder.remove_old_states();
        Ok(folder)
    }

    fn locked(path: &Path, lock: File, manifest: Manifest) -> Result<Self, StoreError> {
        let damaged = |error: NotARunId| StoreError::ManifestDamaged {
            path: path.join(MANIFEST),
            reason: error.to_string(),
        };
        let id = manifest.id().parse().map_err(damaged)?;
        let (superseded, kept_aside) = (Vec::new(), Vec::new());
        Ok(Self { path: path.to_owned(), id, manifest, superseded, kept_aside, _lock: lock })
    }

    fn refuse_other(&self, identity: &Identity) -> Result<(), StoreError> {
        if self.id == identity.id() {
            return Ok(());
        }
        let mut differences = Vec::new();
        let mut compare = |field: &str, in_folder: String, asked_for: String| {
            if in_folder != asked_for {
                differences.push(Difference { field: field.to_owned(), in_folder, asked_for });
            }
        };
        compare("recipe", self.recipe().0.to_owned(), identity.recipe().to_owned());
        compare("recipe version", self.recipe().1.to_string(), identity.version().to_string());
        // From the side of the identity, whose fields stand in declared order.
        for (field, asked_for, in_folder) in identity.config().differences(self.manifest.config()) {
            differences.push(Difference { field, in_folder, asked_for });
        }
        Err(StoreError::OtherRun { path: self.path.clone(), differences })
    }

    /// Whether there is a run at `path`, or what is left of one.
    pub fn holds_run(path: &Path) -> bool {
        fs::symlink_metadata(path.join(MANIFEST)).is_ok()
    }

    /// Files that were in the way of a stage's and not its own (name, new name): they are kept under another name.
    pub fn kept_aside(&self) -> &[(String, String)] {
        &self.kept_aside
    }

    /// Keeps a file that is on no record under another name, `name.found`, out of the way of one to be written.
    ///
    /// # Errors
    /// The name is unsafe or belongs to a finished stage; the system refuses.
    pub fn set_aside(&mut self, name: &str) -> Result<(), StoreError> {
        self.refuse_taken(name, "")?;
        if let Some(aside) = keep_aside(&self.path.join(name), "found")? {
            self.kept_aside.push((name.to_owned(), aside));
        }
        Ok(())
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of its run.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// The recipe of its run and the recipe's version.
    pub fn recipe(&self) -> (&str, u32) {
        self.manifest.recipe()
    }

    /// The configuration of its run.
    ///
    /// # Errors
    /// It is not a `C`.
    pub fn config<C: DeserializeOwned>(&self) -> Result<C, StoreError> {
        from_tree(self.manifest.config()).map_err(|fault| StoreError::Content {
            path: self.path.join(MANIFEST),
            expected: "this recipe's configuration",
            reason: fault.to_string(),
        })
    }

    /// One line of JSON: the configuration of its run.
    pub fn config_json(&self) -> String {
        to_json_line(self.manifest.config())
    }

    /// The finished stages, in the order in which they were finished.
    pub fn stages(&self) -> &[StageRecord] {
        self.manifest.stages()
    }

    /// Whether the stage `name` is finished.
    pub fn is_finished(&self, name: &str) -> bool {
        self.stages().iter().any(|stage| stage.name == name)
    }

    /// Writes a file that belongs to no stage (a picture, a page): whole or not at all, but not on record.
    ///
    /// # Errors
    /// The name is unsafe or belongs to a finished stage; the system refuses.
    pub fn write_atomic(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.refuse_taken(name, "")?;
        write_atomic(&self.path, name, bytes)?;
        Ok(())
    }

    /// Refuses a name that is unsafe, ours, or on record for another stage than `stage`.
    pub(super) fn refuse_taken(&self, name: &str, stage: &str) -> Result<(), StoreError> {
        check_name(name)?;
        let reserved = |reason| StoreError::Name { name: name.to_owned(), reason };
        if name.eq_ignore_ascii_case(MANIFEST) {
            return Err(reserved("it is the manifest's"));
        }
        if name.contains(".damaged") {
            return Err(reserved("*.damaged is kept for damaged files"));
        }
        if name.contains(".state-") {
            return Err(reserved("*.state-* is kept for saved states"));
        }
        let mut finished =
            self.stages().iter().flat_map(|stage| stage.files.iter().map(|file| (&stage.name, file)));
        match finished.find(|(owner, file)| *owner != stage && file.name.eq_ignore_ascii_case(name)) {
            Some((owner, _)) => Err(StoreError::Taken {
                path: self.path.clone(),
                name: name.to_owned(),
                stage: owner.clone(),
            }),
            None => Ok(()),
        }
    }

    pub(super) fn record(&self, name: &str) -> Option<(&str, &FileRecord)> {
        let mut files =
            self.stages().iter().flat_map(|stage| stage.files.iter().map(|file| (stage.name.as_str(), file)));
        files.find(|(_, file)| file.name == name)
    }
}

/// Makes the folder and whatever is missing above it.
fn create(path: &Path) -> Result<(), StoreError> {
    let refuse = |cause| StoreError::Write { path: path.to_owned(), cause };
    fs::create_dir_all(path).map_err(refuse)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent).map_err(refuse),
        _ => Ok(()),
    }
}

/// Refuses a folder that holds things but no run. The traces of a run that was killed before its first manifest do
/// not count.
fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
    let read = |cause| StoreError::Read { path: path.to_owned(), cause };
    let mut foreign = None;
    for entry in fs::read_dir(path).map_err(read)? {
        let name = entry.map_err(read)?.file_name().to_string_lossy().into_owned();
        if name == MANIFEST {
            return Ok(());
        }
        if name != LOCK && !is_temporary(&name) {
            foreign = Some(name);
        }
    }
    match foreign {
        Some(found) => Err(StoreError::NotARun { path: path.to_owned(), found }),
        None => Ok(()),
    }
}
