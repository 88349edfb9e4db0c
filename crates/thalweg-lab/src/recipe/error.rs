//! Why a recipe could not be followed.

use std::io;
use std::path::PathBuf;

use thalweg_geometry::section::SectionError;
use thalweg_geometry::site::SiteError;
use thalweg_geometry::spectrum::LanczosError;
use thalweg_learn::arch::ModelError;
use thalweg_learn::checkpoint::CheckpointError;
use thalweg_learn::data::{DataError, OwnError};
use thalweg_learn::train::TrainError;
use thalweg_report::RecordError;

use crate::NotPlainData;
use crate::interrupt::Interrupted;
use crate::store::StoreError;

/// A study that cannot be made or was stopped. Whatever had been finished is still there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// A field of the configuration outside its range.
    #[error("`{field}`: expected {expected}, found {found}")]
    Field {
        /// The dotted path.
        field: String,
        /// Its range.
        expected: String,
        /// The value.
        found: String,
    },
    /// A network that is too large for the machine, or readings of it that are.
    #[error(
        "not enough memory: {part} needs {} at least for {parameters} parameters, this machine has {}; {remedy}",
        gigabytes(*needed), gigabytes(*available)
    )]
    Memory {
        /// The part that needs most.
        part: &'static str,
        /// The number of parameters.
        parameters: u128,
        /// Bytes.
        needed: u128,
        /// Bytes that there are in all.
        available: u64,
        /// What would lower it.
        remedy: &'static str,
    },
    /// A network that cannot be built.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Data that cannot be used.
    #[error("data: {0}")]
    Data(#[from] DataError),
    /// Training that cannot be begun or resumed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A checkpoint that cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file that the configuration names cannot be read.
    #[error("`{field}`: cannot read {}: {cause}", path.display())]
    Read {
        /// The field that names it.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// A file whose digest the configuration gives, and which has another.
    #[error("`{field}`: expected {} to have the digest {expected}, found {found}: its content has changed", path.display())]
    Digest {
        /// The field that gives the digest.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// The digest in the configuration.
        expected: String,
        /// The file's.
        found: String,
    },
    /// The metrics of a run that were kept, and are none.
    #[error("cannot go on from {}: {cause}", path.display())]
    Metrics {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: serde_json::Error,
    },
    /// The run's folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A measurement that could not be begun.
    #[error("cannot measure: {0}")]
    Section(SectionError),
    /// A search for eigenvalues that could not be begun.
    #[error("cannot search for eigenvalues: {0}")]
    Lanczos(LanczosError),
    /// A network that gave no answer.
    #[error(transparent)]
    Site(SiteError),
    /// A figure whose parts do not fit.
    #[error("cannot draw: {0}")]
    Record(#[from] RecordError),
    /// A configuration that cannot be written.
    #[error(transparent)]
    Identity(#[from] NotPlainData),
    /// The user asked for an end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl RecipeError {
    pub(crate) fn field(
        field: impl Into<String>,
        expected: impl Into<String>,
        found: impl std::fmt::Display,
    ) -> Self {
        Self::Field { field: field.into(), expected: expected.into(), found: found.to_string() }
    }

    /// The published data set of which a file is nowhere, if that is what is wrong.
    pub fn missing_set(&self) -> Option<&str> {
        match self {
            Self::Data(DataError::Missing { set, .. }) => Some(set),
            _ => None,
        }
    }

    /// Whether another setting mends it, and not another file.
    pub fn is_of_settings(&self) -> bool {
        let asks_too_much = |data: &DataError| {
            use DataError::{
                Classes, Enlarged, Examples, HeldOut, OutsideUnit, Own, Shape, Share, ShortText, Synthetic,
            };
            matches!(
                data,
                Classes { .. }
                    | Enlarged { .. }
                    | Examples { .. }
                    | HeldOut { .. }
                    | OutsideUnit { .. }
                    | Own(OwnError::Name { .. } | OwnError::ClassCount { .. })
                    | Shape { .. }
                    | Share { .. }
                    | ShortText { .. }
                    | Synthetic { .. }
            )
        };
        match self {
            Self::Field { .. } | Self::Model(_) => true,
            Self::Data(data) => asks_too_much(data),
            _ => false,
        }
    }
}

fn gigabytes(bytes: impl Into<u128>) -> String {
    format!("{:.1} GB", bytes.into() as f64 / 1e9)
}

impl From<SiteError> for RecipeError {
    fn from(error: SiteError) -> Self {
        match error {
            SiteError::Failed(cause) if cause.is::<Interrupted>() => Self::Interrupted(Interrupted),
            error => Self::Site(error),
        }
    }
}

impl From<SectionError> for RecipeError {
    fn from(error: SectionError) -> Self {
        match error {
            SectionError::Site(error) => error.into(),
            error => Self::Section(error),
        }
    }
}

impl From<LanczosError> for RecipeError {
    fn from(error: LanczosError) -> Self {
        match error {
            LanczosError::Site(error) => error.into(),
            error => Self::Lanczos(error),
        }
    }
}
