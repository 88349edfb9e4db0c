//! Where something is wrong.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where in a data set or a file something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// An example of a data set in memory, counted from 0.
    Example {
        /// The data set's name.
        data: String,
        /// Index of the example.
        example: usize,
    },
    /// A line of a file, counted from 1.
    Line {
        /// The file.
        path: PathBuf,
        /// Number of the line.
        line: usize,
    },
    /// A byte of a file, unzipped if it is zipped, counted from 0.
    Byte {
        /// The file.
        path: PathBuf,
        /// Bytes before it.
        at: usize,
    },
    /// A folder.
    Folder {
        /// The folder.
        path: PathBuf,
    },
}

impl Place {
    pub(super) fn line(path: &Path, line: usize) -> Self {
        Self::Line { path: path.to_path_buf(), line }
    }

    pub(super) fn byte(path: &Path, at: usize) -> Self {
        Self::Byte { path: path.to_path_buf(), at }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Example { data, example } => write!(f, "{data}, example {example}"),
            Self::Line { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Byte { path, at } => write!(f, "{}, byte {at}", path.display()),
            Self::Folder { path } => write!(f, "{}", path.display()),
        }
    }
}
