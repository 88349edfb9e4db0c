//! What can be wrong with files of the user's own.

use std::path::{Path, PathBuf};

use super::{DataError, Place};

/// A file or folder of the user's own that cannot be used, with the place, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnError {
    /// No class, or more than networks have outputs.
    #[error("{data}: expected from 1 to {most} classes, found {found}")]
    ClassCount {
        /// The data set's name, or its file.
        data: String,
        /// How many there may be.
        most: usize,
        /// How many there are, or a label that says so.
        found: String,
    },
    /// A part that is asked for by a name that a file has not.
    #[error("{}: expected {what} {name:?}, found {}", .path.display(), found_names(.among))]
    Name {
        /// The file.
        path: PathBuf,
        /// What it is the name of.
        what: &'static str,
        /// The name.
        name: String,
        /// Those that are there.
        among: Vec<String>,
    },
    /// A file, or a part of it, that is not what it should be.
    #[error("{}{}: expected {expected}, found {found}", .path.display(), part_of(.part))]
    Unfit {
        /// The file or folder.
        path: PathBuf,
        /// Which part of it, if not all.
        part: Option<String>,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A field that is no number, or none that is finite.
    #[error("{place}, field {field}: expected a {expected}, found {found:?}")]
    Number {
        /// Where.
        place: Place,
        /// Number of the field, from 1.
        field: usize,
        /// What it should be.
        expected: &'static str,
        /// Its first characters.
        found: String,
    },
}

/// The error of a file, or of that part of it.
pub(super) fn unfit(
    path: &Path,
    part: Option<&str>,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> DataError {
    let (path, part) = (path.to_path_buf(), part.map(str::to_owned));
    OwnError::Unfit { path, part, expected: expected.into(), found: found.into() }.into()
}

fn found_names(names: &[String]) -> String {
    // A file may have any number of them.
    const SHOWN: usize = 12;
    match names.len() {
        0 => "none".to_owned(),
        count => {
            let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
            if count > SHOWN { format!("{shown} and {} more", count - SHOWN) } else { shown }
        }
    }
}

fn part_of(part: &Option<String>) -> String {
    part.as_ref().map_or(String::new(), |part| format!(", {part}"))
}
