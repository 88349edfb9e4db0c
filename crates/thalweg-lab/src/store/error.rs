//! What can go wrong with a run's folder.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::tree::NotPlainData;

/// A field in which a folder's run differs from the one asked for; values are compact JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Dotted path of the field, or `recipe` or `recipe version`.
    pub field: String,
    /// The value in the folder.
    pub in_folder: String,
    /// The value asked for.
    pub asked_for: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} in the folder, {} asked for", self.field, self.in_folder, self.asked_for)
    }
}

/// What is wrong with a recorded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// It is not there.
    Missing,
    /// A folder stands in its place.
    NotAFile,
    /// It has another length, in bytes.
    Length {
        /// As recorded.
        expected: u64,
        /// As it is.
        found: u64,
    },
    /// It has another content: BLAKE3 digests, hexadecimal.
    Digest {
        /// As recorded.
        expected: String,
        /// As it is.
        found: String,
    },
}

/// A recorded file that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The stage that wrote it.
    pub stage: String,
    /// Its name in the folder.
    pub file: String,
    /// What is wrong.
    pub kind: DamageKind,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (stage {}): ", self.file, self.stage)?;
        match &self.kind {
            DamageKind::Missing => f.write_str("missing"),
            DamageKind::NotAFile => f.write_str("a folder is in its place"),
            DamageKind::Length { expected, found } => write!(f, "expected {expected} bytes, found {found}"),
            DamageKind::Digest { expected, found } => write!(f, "expected digest {expected}, found {found}"),
        }
    }
}

/// A run's folder that cannot be used as asked. The folder is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A name that is not safe as a file's.
    #[error("{name:?} cannot name a file of a run: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// Something else than a folder.
    #[error("{} is not a folder", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// A folder that holds other things and no run.
    #[error("{} is not a run's folder: it has no manifest.json but holds {found:?}; choose another folder", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// One of the things in it.
        found: String,
    },
    /// Something of another program's under a name that a run's folder needs. It is as it was.
    #[error("{} is not {expected} but something else's; choose another folder", path.display())]
    NotOurs {
        /// The thing.
        path: PathBuf,
        /// What it would have to be.
        expected: &'static str,
    },
    /// A folder without a run, where one was expected.
    #[error("{} holds no run: there is no manifest.json", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// Another process works in it.
    #[error("{} is in use by {}; wait for it to end or choose another folder", path.display(), holder(*process))]
    Busy {
        /// The folder.
        path: PathBuf,
        /// That process's id, if it could be read.
        process: Option<u32>,
    },
    /// Something cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Something cannot be written. What was there under that name before still is.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// What.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The manifest is not what was written.
    #[error(
        "{} is damaged: {reason}; bring it back from a copy, or move the folder aside and run again",
        path.display()
    )]
    ManifestDamaged {
        /// The manifest.
        path: PathBuf,
        /// How this shows.
        reason: String,
    },
    /// A manifest of another format.
    #[error("{} has format {found}, this thalweg reads format {expected}", path.display())]
    Format {
        /// The manifest.
        path: PathBuf,
        /// The format this code reads.
        expected: u32,
        /// The format it says it has.
        found: String,
    },
    /// The folder of another run.
    #[error("{} holds another run; choose another folder. They differ in{}", path.display(), lines(differences))]
    OtherRun {
        /// The folder.
        path: PathBuf,
        /// Every field that differs.
        differences: Vec<Difference>,
    },
    /// Recorded files that are not what they were.
    #[error(
        "{} has damaged files; --repair keeps them as *.damaged and computes their stages again:{}",
        path.display(),
        lines(damage)
    )]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// Each damaged file.
        damage: Vec<Damage>,
    },
    /// A file that no finished stage has written.
    #[error("no finished stage of {} has written {name}", path.display())]
    NotRecorded {
        /// The folder.
        path: PathBuf,
        /// The file.
        name: String,
    },
    /// A name that a finished stage has already used.
    #[error("{name} is taken: stage {stage} of {} wrote it", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
        /// The name.
        name: String,
        /// The stage that wrote it.
        stage: String,
    },
    /// A file whose content is not what its reader expects.
    #[error("{} cannot be read as {expected}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// Where it is not.
        reason: String,
    },
    /// A value that cannot be written as plain data: a defect of its type.
    #[error("{name} cannot be written: {cause}")]
    NotPlainData {
        /// The file.
        name: String,
        /// Why.
        cause: NotPlainData,
    },
    /// Arrays that cannot be written.
    #[error("{name} cannot be written: {reason}")]
    Arrays {
        /// The file.
        name: String,
        /// Why.
        reason: String,
    },
}

fn holder(process: Option<u32>) -> String {
    process.map_or_else(|| "another process".to_owned(), |id| format!("process {id}"))
}

fn lines<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("\n  {item}")).collect()
}
