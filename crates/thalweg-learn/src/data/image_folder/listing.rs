//! Which files a folder of images holds.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::own_error::unfit;
use super::{DataError, Place};

const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];
/// Folders of the two parts.
const PARTS: [&str; 2] = ["train", "test"];

/// An image's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) path: PathBuf,
    /// Number of its class.
    pub(super) class: usize,
}

/// The files of both parts, or of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) classes: Vec<String>,
    pub(super) train: Vec<File>,
    pub(super) test: Option<Vec<File>>,
}

impl Listing {
    pub(super) fn of(folder: &Path) -> Result<Self, DataError> {
        let [train, test] = PARTS.map(|part| folder.join(part));
        let root = match (train.is_dir(), test.is_dir()) {
            (false, true) => return Err(unfit(folder, None, "a folder train beside test", "test alone")),
            (true, _) => train,
            (false, false) => folder.to_path_buf(),
        };
        let classes = folders(&root)?;
        if classes.is_empty() {
            return Err(DataError::Empty { data: root.display().to_string(), what: "folders of classes" });
        }
        let train = files(&root, &classes, &classes)?;
        let test = match root != folder && test.is_dir() {
            false => None,
            true => {
                let own = folders(&test)?;
                if let Some(other) = own.iter().find(|name| classes.binary_search(name).is_err()) {
                    let found = format!("{} beside them", test.join(other).display());
                    return Err(unfit(&test, None, format!("the classes of {}", root.display()), found));
                }
                Some(files(&test, &own, &classes)?)
            }
        };
        let classes = classes.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        Ok(Self { classes, train, test })
    }
}

/// The images of those classes, each numbered by its place in `all`.
fn files(root: &Path, classes: &[OsString], all: &[OsString]) -> Result<Vec<File>, DataError> {
    let mut files = Vec::new();
    for name in classes {
        let folder = root.join(name);
        let class = all.binary_search(name).unwrap_or_default();
        let before = files.len();
        for (name, is_folder) in entries(&folder)? {
            let path = folder.join(&name);
            let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            let is_image = !is_folder && ending.is_some_and(|ending| ENDINGS.contains(&&ending[..]));
            // A pipe would wait for its writer, and some devices never end.
            if !is_image || !path.is_file() {
                let expected = format!("images (.{}) alone", ENDINGS.join(", ."));
                return Err(unfit(&folder, None, expected, name.to_string_lossy()));
            }
            files.push(File { path, class });
        }
        if files.len() == before {
            return Err(DataError::Empty { data: folder.display().to_string(), what: "images" });
        }
    }
    Ok(files)
}

/// Names of the folders in a folder, in their order; files beside them, such as a licence, are passed over.
fn folders(folder: &Path) -> Result<Vec<OsString>, DataError> {
    Ok(entries(folder)?.into_iter().filter_map(|(name, is_folder)| is_folder.then_some(name)).collect())
}

/// Names in a folder, in their order, and whether each is of a folder. What systems hide is passed over.
fn entries(folder: &Path) -> Result<Vec<(OsString, bool)>, DataError> {
    let unreadable = |source| DataError::Read { place: Place::Folder { path: folder.to_path_buf() }, source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            let is_folder = folder.join(&name).is_dir();
            entries.push((name, is_folder));
        }
    }
    entries.sort_unstable();
    Ok(entries)
}
