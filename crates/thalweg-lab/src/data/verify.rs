//! The digests of all files of a set that are here.

use std::path::PathBuf;

use thalweg_learn::data::Folders;

use super::catalogue::Set;
use super::whereabouts::{Condition, all, whereabouts};
use super::{FetchError, Found};
use crate::progress::Progress;

/// What is here of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Every file in every form and place, with what it was found to be.
    pub files: Vec<(PathBuf, Condition)>,
    /// Names of each file that lies in none of the places in any form.
    pub missing: Vec<Vec<String>>,
}

impl Verified {
    /// Whether the set can be read, and nothing of it that lies anywhere is wrong.
    pub fn is_right(&self) -> bool {
        self.missing.is_empty() && self.files.iter().all(|(_, condition)| condition.is_right())
    }
}

/// Takes the digest of every file of `set` that lies in one of the places where it may lie, packed or not, of archives, too.
///
/// # Errors
/// An interrupt. A file that cannot be read is wrong, and is said among the others.
pub fn verify(set: &Set, folders: &Folders, progress: &Progress) -> Result<Verified, FetchError> {
    let Some(publication) = &set.publication else {
        return Ok(Verified { files: Vec::new(), missing: Vec::new() });
    };
    let found = all(set, publication, folders);
    // Nothing to look at is nothing to say.
    let stage = (!found.is_empty()).then(|| progress.stage(&set.name, found.len() as u64, "files"));
    let mut files = Vec::with_capacity(found.len());
    for Found { path, form } in found {
        let condition = match Condition::of(&path, &form) {
            Err(FetchError::Read { source, .. }) => Condition::Wrong {
                expected: form.contents.to_string(),
                found: format!("a file that cannot be read ({source})"),
            },
            other => other?,
        };
        files.push((path, condition));
        if let Some(stage) = &stage {
            stage.inc(1);
        }
    }
    if let Some(stage) = stage {
        stage.finish();
    }
    let names = publication.files.iter().map(|forms| forms.iter().map(|form| form.name.clone()).collect());
    let missing = names
        .zip(whereabouts(set, folders))
        .filter_map(|(names, found)| found.is_none().then_some(names))
        .collect();
    Ok(Verified { files, missing })
}
