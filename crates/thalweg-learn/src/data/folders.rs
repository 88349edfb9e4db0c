//! Where data sets are looked for.

use std::env;
use std::path::{Path, PathBuf};

use super::DataError;

/// The variable that names a folder of data sets.
pub const VARIABLE: &str = "THALWEG_DATA";
/// Where Debian's packages of data sets put them.
const SYSTEM: &str = "/usr/share/datasets";

/// Folders of data sets, those that come first are looked in first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    folders: Vec<PathBuf>,
    /// The user's own, where what is fetched goes.
    own: Option<PathBuf>,
}

impl Folders {
    /// The folder that was asked for, if one was; then the one that the environment names, the user's data folder, and that of
    /// Debian's packages.
    pub fn new(asked_for: Option<&Path>) -> Self {
        let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self::of(asked_for, &variable)
    }

    /// One folder and no other.
    pub fn only(folder: &Path) -> Self {
        Self { folders: vec![folder.to_path_buf()], own: Some(folder.to_path_buf()) }
    }

    fn of(asked_for: Option<&Path>, variable: &dyn Fn(&str) -> Option<PathBuf>) -> Self {
        let named = variable(VARIABLE);
        let home = || Some(variable("HOME")?.join(".local/share"));
        // A relative one is to be ignored, says the XDG base directory specification.
        let data = variable("XDG_DATA_HOME").filter(|path| path.is_absolute()).or_else(home);
        let user = data.map(|path| path.join("thalweg"));
        let own =
            [asked_for.map(Path::to_path_buf), named.clone(), user.clone()].into_iter().flatten().next();
        let all = [asked_for.map(Path::to_path_buf), named, user, Some(PathBuf::from(SYSTEM))];
        Self { folders: all.into_iter().flatten().collect(), own }
    }

    /// Where what is fetched goes: the folder that was asked for, else that of the environment, else the user's.
    pub fn own(&self) -> Option<&Path> {
        self.own.as_deref()
    }

    /// All of them, in the order in which they are looked in.
    pub fn all(&self) -> &[PathBuf] {
        &self.folders
    }

    /// All places where the files of a data set may lie: in a folder of its name, or in the folder itself.
    pub fn places(&self, set: &str) -> Vec<PathBuf> {
        self.folders.iter().flat_map(|folder| [folder.join(set), folder.clone()]).collect()
    }

    /// The file of one of those names (as it is packed, or not) in the first place that has one.
    ///
    /// # Errors
    /// If no place has; it says where was looked.
    pub fn find(&self, set: &str, names: &[&str]) -> Result<PathBuf, DataError> {
        let places = self.places(set);
        let files = places.iter().flat_map(|place| names.iter().map(|name| place.join(name)));
        files.into_iter().find(|file| file.is_file()).ok_or_else(|| DataError::Missing {
            set: set.to_owned(),
            names: names.iter().map(|&name| name.to_owned()).collect(),
            folders: self.folders.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(asked_for: Option<&str>, variables: &[(&str, &str)]) -> Vec<String> {
        let variable = |name: &str| {
            variables.iter().find(|(own, _)| *own == name).map(|(_, value)| PathBuf::from(value))
        };
        let found = Folders::of(asked_for.map(Path::new), &variable);
        let own = found.own().map_or(String::new(), |path| path.display().to_string());
        let all = found.folders.iter().map(|path| path.display().to_string());
        std::iter::once(own).chain(all).collect()
    }

    #[test]
    fn the_nearest_comes_first() {
        let home = ("HOME", "/home/ada");
        assert_eq!(
            folders(Some("d"), &[home, (VARIABLE, "/data"), ("XDG_DATA_HOME", "/x")]),
            ["d", "d", "/data", "/x/thalweg", SYSTEM]
        );
        assert_eq!(folders(None, &[home, (VARIABLE, "/data")])[0], "/data");
        let own = "/home/ada/.local/share/thalweg";
        assert_eq!(folders(None, &[home, ("XDG_DATA_HOME", "relative")]), [own, own, SYSTEM]);
        assert_eq!(folders(None, &[]), ["", SYSTEM]);
    }
}
