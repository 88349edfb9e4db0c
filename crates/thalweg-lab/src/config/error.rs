//! What can be wrong with a configuration.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::tree::NotPlainData;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this file, on this line (counted from 1).
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// The line of the value's key.
        line: usize,
    },
    /// In this `--set` argument.
    Override(String),
    /// Nowhere: the built-in defaults.
    Defaults,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Override(argument) => write!(f, "`--set {argument}`"),
            Self::Defaults => f.write_str("the defaults"),
        }
    }
}

/// A configuration that cannot be used. Paths of fields are dotted; below an array, a step is the position.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// The text is no TOML.
    #[error("{place} is not valid TOML: {reason}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says.
        reason: String,
    },
    /// Variants that are not `path.to.field=[value, value]`.
    #[error("`--vary {argument}`: {reason}; expected path.to.field=[value, value]")]
    Vary {
        /// The argument.
        argument: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An override that is not `path.to.field=value`.
    #[error("`--set {argument}`: {reason}; expected path.to.field=value")]
    Override {
        /// The argument.
        argument: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A field that does not exist.
    #[error("unknown field `{field}` in {place}{}", suggestion(nearest.as_deref(), "known here", known))]
    UnknownField {
        /// The path of the field.
        field: String,
        /// Where it was written.
        place: Place,
        /// The nearest path that does exist.
        nearest: Option<String>,
        /// All fields at that level.
        known: Vec<String>,
    },
    /// A variant that does not exist.
    #[error(
        "unknown value {found:?} for `{field}` in {place}: expected one of {}{}",
        allowed.join(", "),
        suggestion(nearest.as_deref(), "", &[])
    )]
    UnknownVariant {
        /// The path of the field.
        field: String,
        /// Where it was written.
        place: Place,
        /// The value.
        found: String,
        /// All values that exist.
        allowed: Box<[String]>,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// A required field is not there.
    #[error("missing field `{field}` of the table in {place}{}", together(field, variant.as_ref()))]
    MissingField {
        /// The path of the field.
        field: String,
        /// Where its table was written.
        place: Place,
        /// The path of that table and which variant it names, if it is a choice between variants.
        variant: Option<(String, String)>,
    },
    /// The wrong type, or out of range.
    #[error("`{field}` in {place}: expected {expected}, found {found}")]
    WrongType {
        /// The path of the field.
        field: String,
        /// Where it was written.
        place: Place,
        /// What was expected.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A value that the configuration's own checks refuse.
    #[error("`{field}` in {place}: {reason}")]
    Refused {
        /// The path of the innermost value known to hold the cause.
        field: String,
        /// Where it was written.
        place: Place,
        /// Why.
        reason: String,
    },
    /// The configuration's type cannot be written as plain data: a defect of the type, not of the file.
    #[error("the configuration cannot be written as plain data: {cause}")]
    NotPlainData {
        /// What cannot.
        cause: NotPlainData,
    },
}

/// How a variant is given with its fields.
fn together(field: &str, variant: Option<&(String, String)>) -> String {
    let Some((path, variant)) = variant else { return String::new() };
    let name = field.rsplit('.').next().unwrap_or(field);
    format!("; a variant is given with its fields, --set '{path}={{kind={variant:?}, {name}=…}}'")
}

fn suggestion(nearest: Option<&str>, listed_as: &str, known: &[String]) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; {listed_as}: {}", known.join(", ")),
    }
}
