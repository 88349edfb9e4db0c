//! What can be wrong with bringing a data set here.

use std::io;
use std::path::{Path, PathBuf};

use crate::interrupt::Interrupted;

/// A data set that could not be brought or looked at. What was right before is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A name that no set has.
    #[error("expected one of the data sets {}, found {found:?}{}", .known.join(", "), meant(.nearest.as_deref()))]
    Unknown {
        /// Names that sets have.
        known: Vec<String>,
        /// The name given.
        found: String,
        /// The name that it is nearest to.
        nearest: Option<String>,
    },
    /// Neither the user's data folder nor another is known.
    #[error(
        "expected a folder to put data sets in, from --data-dir, {} or HOME, found none",
        thalweg_learn::data::VARIABLE
    )]
    NoFolder,
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}{}: {source}", .path.display(), of(*.bytes))]
    Write {
        /// Which.
        path: PathBuf,
        /// Bytes that it would have, 0 of a folder.
        bytes: u64,
        /// Why.
        source: io::Error,
    },
    /// Another process fetches the same set.
    #[error("{} is being written to by another process; wait for it to end", .path.display())]
    Busy {
        /// The set's folder.
        path: PathBuf,
    },
    /// A file with another content than the publisher's. It is not kept.
    #[error("{what}: expected {expected}, found {found}; nothing of it was kept")]
    Content {
        /// The file or its address.
        what: String,
        /// Length and digest that it should have.
        expected: String,
        /// What it has.
        found: String,
    },
    /// A folder that has no whole copy of the set.
    #[error("{set}: expected {} in {}, itself or under {set}, found {found}", .names.join(" or "), .folder.display())]
    NotInFolder {
        /// The set.
        set: String,
        /// Names that the file may have.
        names: Vec<String>,
        /// The folder.
        folder: PathBuf,
        /// What is there.
        found: String,
    },
    /// An archive that is not what the publisher's is.
    #[error("{}: expected {expected}, found {found}", .path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What it should have.
        expected: String,
        /// What it has.
        found: String,
    },
    /// A build without the network.
    #[error("{set} is not here, and this build cannot download it: it is without the feature `fetch`")]
    NoClient {
        /// The set.
        set: String,
    },
    /// No answer.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// The address.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// An answer that is a refusal.
    #[error("{url}: expected the file, found the answer {status}{}", reason(*.status))]
    Status {
        /// The address.
        url: String,
        /// Status of HTTP.
        status: u16,
    },
    /// An answer of another length than the file.
    #[error("{url}: expected {expected} bytes, found an answer of {}{found}", if *.more { "at least " } else { "" })]
    Length {
        /// The address.
        url: String,
        /// Bytes of the file.
        expected: u64,
        /// Bytes of the answer.
        found: u64,
        /// Whether there are more.
        more: bool,
    },
    /// An answer that ended early.
    #[error(
        "{url}: expected {expected} bytes, found {found} before the answer broke off ({reason}); they are kept, the same command goes on from there"
    )]
    BrokenOff {
        /// The address.
        url: String,
        /// Bytes of the file.
        expected: u64,
        /// Bytes that are here.
        found: u64,
        /// How it ended.
        reason: String,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl FetchError {
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    pub(super) fn write(path: &Path, bytes: u64) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, bytes, source }
    }
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

fn of(bytes: u64) -> String {
    if bytes == 0 { String::new() } else { format!(" of {bytes} bytes") }
}

fn reason(status: u16) -> &'static str {
    match status {
        401 | 403 => " (not allowed)",
        404 | 410 => " (not found)",
        429 => " (too many requests)",
        500..=599 => " (the server's fault)",
        _ => "",
    }
}
