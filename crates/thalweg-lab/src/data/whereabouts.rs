//! Where the files of a set lie, and whether they are right.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use thalweg_learn::data::Folders;

use super::catalogue::{Form, Publication, Set};
use super::{Digest, FetchError};

/// A file of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it lies.
    pub path: PathBuf,
    /// Which of its forms it is.
    pub form: Form,
}

/// The file that is read of each file of a set; `None` of one that lies in none of the places.
pub fn whereabouts(set: &Set, folders: &Folders) -> Vec<Option<Found>> {
    let files = set.publication.iter().flat_map(|publication| &publication.files);
    files.map(|forms| candidates(set, folders, forms).find(|found| found.path.is_file())).collect()
}

/// Whether all of a set is here, right or wrong: its files, or the set is built in.
pub fn is_here(set: &Set, folders: &Folders) -> bool {
    whereabouts(set, folders).iter().all(Option::is_some)
}

/// All places where a file may lie, in the order in which they are looked in.
pub(super) fn candidates<'a>(
    set: &Set,
    folders: &Folders,
    forms: &'a [Form],
) -> impl Iterator<Item = Found> + use<'a> {
    let places = folders.places(&set.name);
    places.into_iter().flat_map(move |place| {
        forms.iter().map(move |form| Found { path: place.join(&form.name), form: form.clone() })
    })
}

/// Every file of a set in every place, those of its archives included, each once.
pub(super) fn all(set: &Set, publication: &Publication, folders: &Folders) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    let files = publication.files.iter().flat_map(|forms| candidates(set, folders, forms));
    let archives = publication.downloads.iter().map(|download| Form {
        name: download.name.clone(),
        contents: download.digest(),
        zipped: None,
    });
    let archives: Vec<Form> = archives.collect();
    for one in files.chain(candidates(set, folders, &archives)) {
        // One folder may be named twice, by a link or by two variables.
        let Ok(place) = fs::canonicalize(&one.path) else { continue };
        if place.is_file() && !seen.contains(&place) {
            seen.push(place);
            found.push(one);
        }
    }
    found
}

/// Whether a file is what was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// To the last byte.
    Right,
    /// It holds what was published, gzipped by another: Debian's packages do this.
    RightWithin,
    /// It is not.
    Wrong {
        /// Length and digest that it should have.
        expected: String,
        /// What it has.
        found: String,
    },
}

impl Condition {
    /// Whether the set can be read from it.
    pub fn is_right(&self) -> bool {
        !matches!(self, Self::Wrong { .. })
    }

    /// Of the file at `path`, if it is to be of that form.
    ///
    /// # Errors
    /// A file that cannot be read, an interrupt.
    pub fn of(path: &Path, form: &Form) -> Result<Self, FetchError> {
        let Form { contents, zipped, .. } = form;
        let Some(zipped) = zipped else {
            return Ok(Self::compare(contents, &Digest::of_file(path, contents.most())?));
        };
        let length = fs::metadata(path).map_err(FetchError::read(path))?.len();
        if zipped.bytes == Some(length) && zipped.is_that_of(&Digest::of_file(path, length)?) {
            return Ok(Self::Right);
        }
        // The reader goes by the first bytes, not by the name.
        let is_zipped = begins_like_gzip(path)?;
        let found = match is_zipped {
            true => Digest::of_zipped(path, contents.most())?,
            false => Ok(Digest::of_file(path, contents.most())?),
        };
        Ok(match found {
            Ok(found) if contents.is_that_of(&found) => Self::RightWithin,
            Ok(found) => {
                Self::Wrong { expected: format!("{contents} within"), found: contents.instead(&found) }
            }
            Err(found) => Self::Wrong { expected: format!("{contents} within"), found },
        })
    }

    fn compare(expected: &Digest, found: &Digest) -> Self {
        match expected.is_that_of(found) {
            true => Self::Right,
            false => Self::Wrong { expected: expected.to_string(), found: expected.instead(found) },
        }
    }
}

fn begins_like_gzip(path: &Path) -> Result<bool, FetchError> {
    let mut first = Vec::new();
    let file = File::open(path).map_err(FetchError::read(path))?;
    file.take(2).read_to_end(&mut first).map_err(FetchError::read(path))?;
    Ok(first == [0x1f, 0x8b])
}
