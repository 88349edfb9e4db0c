//! The manifest: what a folder's run is and what of it is finished.
//!
//! It carries a seal, the digest of its own content, so that a damaged manifest is not taken for damaged files. The
//! seal is of the parsed content: indentation and the order of fields are free.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::atomic::write_atomic;
use super::error::StoreError;
use crate::identity::Identity;
use crate::tree::{Tree, Value, canonical, from_json, from_tree, to_json_pretty, to_tree};

/// The manifest's file.
pub(super) const MANIFEST: &str = "manifest.json";

/// Goes up when an older thalweg would misread the folder.
const FORMAT: u32 = 1;

/// A file as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its name in the folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its BLAKE3 digest, 64 hexadecimal digits.
    pub blake3: String,
}

/// A finished stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Its name.
    pub name: String,
    /// Its files, in the order in which they were written.
    pub files: Vec<FileRecord>,
}

/// The last saved state of an unfinished stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StateRecord {
    pub(super) stage: String,
    pub(super) file: FileRecord,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Body {
    format: u32,
    recipe: String,
    version: u32,
    id: String,
    thalweg: String,
    created_unix_s: u64,
    stages: Vec<StageRecord>,
    states: Vec<StateRecord>,
}

#[derive(Clone, Debug)]
pub(super) struct Manifest {
    body: Body,
    config: Tree,
}

impl Manifest {
    pub(super) fn new(identity: &Identity) -> Self {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let body = Body {
            format: FORMAT,
            recipe: identity.recipe().to_owned(),
            version: identity.version(),
            id: identity.id().to_string(),
            thalweg: env!("CARGO_PKG_VERSION").to_owned(),
            created_unix_s: since_epoch.map_or(0, |elapsed| elapsed.as_secs()),
            stages: Vec::new(),
            states: Vec::new(),
        };
        Self { body, config: identity.config().clone() }
    }

    pub(super) fn stages(&self) -> &[StageRecord] {
        &self.body.stages
    }

    pub(super) fn stages_mut(&mut self) -> &mut Vec<StageRecord> {
        &mut self.body.stages
    }

    pub(super) fn states(&self) -> &[StateRecord] {
        &self.body.states
    }

    pub(super) fn states_mut(&mut self) -> &mut Vec<StateRecord> {
        &mut self.body.states
    }

    pub(super) fn config(&self) -> &Tree {
        &self.config
    }

    pub(super) fn recipe(&self) -> (&str, u32) {
        (&self.body.recipe, self.body.version)
    }

    pub(super) fn id(&self) -> &str {
        &self.body.id
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let not_plain = |cause| StoreError::NotPlainData { name: MANIFEST.to_owned(), cause };
        let mut tree = to_tree(&self.body).map_err(not_plain)?;
        let entries = entries_mut(&mut tree).expect("a struct is written as a table");
        entries.push(("config".to_owned(), self.config.clone()));
        // Text such as "NaN" is read back as a number: the seal is of what a reader will see.
        let reread = from_json(to_json_pretty(&tree).as_bytes()).expect("what we write is JSON");
        let seal = seal_of(&reread);
        let entries = entries_mut(&mut tree).expect("a struct is written as a table");
        entries.push(("seal".to_owned(), Value::Text(seal).into()));
        write_atomic(folder, MANIFEST, to_json_pretty(&tree).as_bytes())?;
        Ok(())
    }

    /// Reads the manifest of `folder`; `None` if there is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(MANIFEST);
        let damaged = |reason: String| StoreError::ManifestDamaged { path: path.clone(), reason };
        let text = match fs::read(&path) {
            Ok(text) => text,
            // A link that leads nowhere is a manifest that cannot be reached, and not a folder without one.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.is_symlink() => {
                return Ok(None);
            }
            Err(cause) => return Err(StoreError::Read { path, cause }),
        };
        let mut tree = from_json(&text).map_err(|error| damaged(error.to_string()))?;
        // One damaged byte spoils one of these names, not all of them: this is another program's manifest.
        if ["format", "seal", "recipe"].iter().all(|field| tree.entry(field).is_none()) {
            return Err(StoreError::NotOurs { path, expected: "the manifest of a run" });
        }
        match tree.entry("format").map(|format| &format.value) {
            Some(Value::Integer(format)) if *format == i128::from(FORMAT) => {}
            Some(Value::Integer(format)) => {
                return Err(StoreError::Format { path, expected: FORMAT, found: format.to_string() });
            }
            _ => return Err(damaged("it has no format number".to_owned())),
        }
        let Some(Value::Text(seal)) = take(&mut tree, "seal").map(|seal| seal.value) else {
            return Err(damaged("it has no seal".to_owned()));
        };
        let found = seal_of(&tree);
        if seal != found {
            return Err(damaged(format!("its seal says {seal}, its content gives {found}")));
        }
        let Some(config) = take(&mut tree, "config") else {
            return Err(damaged("it has no configuration".to_owned()));
        };
        let body = from_tree(&tree).map_err(|fault| damaged(fault.to_string()))?;
        Ok(Some(Self { body, config }))
    }
}

fn seal_of(tree: &Tree) -> String {
    blake3::hash(canonical(tree).as_bytes()).to_hex().to_string()
}

fn entries_mut(tree: &mut Tree) -> Option<&mut Vec<(String, Tree)>> {
    match &mut tree.value {
        Value::Table(entries) => Some(entries),
        _ => None,
    }
}

fn take(tree: &mut Tree, name: &str) -> Option<Tree> {
    let entries = entries_mut(tree)?;
    let position = entries.iter().position(|(known, _)| known == name)?;
    Some(entries.remove(position).1)
}
