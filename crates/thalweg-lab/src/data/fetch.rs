//! Brings the files of a set here.

use std::fs;
use std::path::{Path, PathBuf};

use thalweg_learn::data::Folders;

use super::catalogue::{Download, Form, Gives, Publication, Set};
use super::part::{discard, finish, lock, part_of, put_aside};
use super::unpack::{Member, unpack};
use super::whereabouts::{Condition, candidates};
use super::{FetchError, Found};
use crate::interrupt;
use crate::progress::Progress;

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Where they are published.
    Published,
    /// Another address that has files of the same names; it stands in front of them.
    Mirror(String),
    /// A folder that has them, itself or in one of the set's name, packed or not.
    Folder(PathBuf),
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The set needs no files.
    BuiltIn,
    /// All was here and right.
    WasHere,
    /// It is here now.
    Brought {
        /// Files that were brought.
        files: Vec<PathBuf>,
        /// New names of files that stood in their place and were wrong.
        aside: Vec<PathBuf>,
    },
}

/// Brings what is not here or wrong of `set` to the first of `folders`, and nothing else. Files that are right stay as they are.
/// A download that is cut short, by whatever, leaves a file with `.part` behind its name, from which the next call goes on.
///
/// # Errors
/// What [`FetchError`] lists. No file gets its name before it was found to be right.
pub fn fetch(
    set: &Set,
    folders: &Folders,
    origin: &Origin,
    progress: &Progress,
) -> Result<Fetched, FetchError> {
    let Some(publication) = &set.publication else { return Ok(Fetched::BuiltIn) };
    let needed = needed(set, publication, folders)?;
    if needed.is_empty() {
        return Ok(Fetched::WasHere);
    }
    if let Origin::Folder(from) = origin {
        fs::read_dir(from).map_err(FetchError::read(from))?;
    }
    let folder = folders.own().ok_or(FetchError::NoFolder)?.join(&set.name);
    let new = Vec::from_iter(folder.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned));
    fs::create_dir_all(&folder).map_err(FetchError::write(&folder, 0))?;
    let mut errand = Errand { set, publication, folders, folder, progress, brought: vec![], aside: vec![] };
    if let Err(error) = errand.run(origin, &needed) {
        // Where nothing came nothing is left behind; a folder with anything in it stays.
        let _ = new.iter().try_for_each(fs::remove_dir);
        return Err(error);
    }
    Ok(Fetched::Brought { files: errand.brought, aside: errand.aside })
}

/// Files of which the one that is read is not here, or wrong.
fn needed(set: &Set, publication: &Publication, folders: &Folders) -> Result<Vec<usize>, FetchError> {
    let mut needed = Vec::new();
    for (file, forms) in publication.files.iter().enumerate() {
        let read = candidates(set, folders, forms).find(|found| found.path.is_file());
        let is_right = match read {
            Some(Found { path, form }) => Condition::of(&path, &form)?.is_right(),
            None => false,
        };
        if !is_right {
            needed.push(file);
        }
    }
    Ok(needed)
}

fn with_slash(address: &str) -> String {
    format!("{}/", address.trim_end_matches('/'))
}

/// One call of [`fetch`].
struct Errand<'a> {
    set: &'a Set,
    publication: &'a Publication,
    folders: &'a Folders,
    /// Where files go.
    folder: PathBuf,
    progress: &'a Progress,
    brought: Vec<PathBuf>,
    aside: Vec<PathBuf>,
}

impl Errand<'_> {
    fn run(&mut self, origin: &Origin, needed: &[usize]) -> Result<(), FetchError> {
        let _lock = lock(&self.folder)?;
        match origin {
            Origin::Folder(from) => self.copy_all(from, needed),
            Origin::Published => self.download_all(&self.publication.address, needed),
            Origin::Mirror(address) => self.download_all(&with_slash(address), needed),
        }
    }

    fn download_all(&mut self, address: &str, needed: &[usize]) -> Result<(), FetchError> {
        for download in self.publication.downloads_of(needed) {
            let part = part_of(&self.folder.join(&download.name));
            match &download.gives {
                Gives::File(file) => {
                    self.download(address, download, &part)?;
                    self.place(*file, &self.publication.files[*file][0], &part)?;
                }
                Gives::Archive(names) => {
                    // One that was downloaded by hand need not come again, and is not ours to remove.
                    let places = self.folders.places(&self.set.name);
                    if let Some(archive) = archive_in(&places, download)? {
                        self.unpack(&archive, names, needed)?;
                        continue;
                    }
                    self.download(address, download, &part)?;
                    self.unpack(&part, names, needed)?;
                    discard(&part)?;
                }
            }
        }
        Ok(())
    }

    #[cfg(feature = "fetch")]
    fn download(&self, address: &str, download: &Download, part: &Path) -> Result<(), FetchError> {
        super::download::download(&format!("{address}{}", download.name), download, part, self.progress)
    }

    #[cfg(not(feature = "fetch"))]
    fn download(&self, _: &str, _: &Download, _: &Path) -> Result<(), FetchError> {
        Err(FetchError::NoClient { set: self.set.name.clone() })
    }

    fn copy_all(&mut self, from: &Path, needed: &[usize]) -> Result<(), FetchError> {
        let places = [from.join(&self.set.name), from.to_owned()];
        let mut left = Vec::new();
        let mut wrong = None;
        for &file in needed {
            match self.whole(&places, file, &mut wrong)? {
                Some(Found { path, form }) => self.copy(file, &form, &path)?,
                None => left.push(file),
            }
        }
        let Some(&first) = left.first() else { return Ok(()) };
        for download in self.publication.downloads_of(&left) {
            if let Gives::Archive(names) = &download.gives
                && let Some(archive) = archive_in(&places, download)?
            {
                return self.unpack(&archive, names, &left);
            }
        }
        let downloads = self.publication.downloads_of(&left).into_iter();
        let archives = downloads.filter(|download| matches!(download.gives, Gives::Archive(_)));
        let archives = archives.map(|download| download.name.clone());
        let names = self.publication.files[first].iter().map(|form| form.name.clone()).chain(archives);
        Err(FetchError::NotInFolder {
            set: self.set.name.clone(),
            names: names.collect(),
            folder: from.to_owned(),
            found: wrong.unwrap_or_else(|| "none".to_owned()),
        })
    }

    /// The first form of a file in one of the places that is right. Of one that is wrong it is noted down what it is.
    fn whole(
        &self,
        places: &[PathBuf],
        file: usize,
        wrong: &mut Option<String>,
    ) -> Result<Option<Found>, FetchError> {
        for place in places {
            for form in &self.publication.files[file] {
                let path = place.join(&form.name);
                if !path.is_file() {
                    continue;
                }
                match Condition::of(&path, form)? {
                    Condition::Wrong { expected, found } => {
                        let text = format!("{}, not of {expected} but of {found}", path.display());
                        wrong.get_or_insert(text);
                    }
                    _ => return Ok(Some(Found { path, form: form.clone() })),
                }
            }
        }
        Ok(None)
    }

    fn copy(&mut self, file: usize, form: &Form, from: &Path) -> Result<(), FetchError> {
        let target = self.folder.join(&form.name);
        let part = part_of(&target);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(FetchError::write(folder, 0))?;
        }
        interrupt::check()?;
        let bytes = fs::metadata(from).map_err(FetchError::read(from))?.len();
        // Whether reading or writing failed is not said; what is checked is the copy.
        let copied = fs::copy(from, &part).map_err(FetchError::write(&target, bytes));
        let checked = copied.and_then(|_| match Condition::of(&part, form)? {
            Condition::Wrong { expected, found } => {
                Err(FetchError::Content { what: from.display().to_string(), expected, found })
            }
            _ => Ok(()),
        });
        if checked.is_err() {
            // What cannot be removed is a part, and passes for nothing else.
            drop(discard(&part));
        }
        checked?;
        self.place(file, form, &part)
    }

    /// Takes the needed files out of an archive that is right.
    fn unpack(&mut self, archive: &Path, names: &[String], needed: &[usize]) -> Result<(), FetchError> {
        let member = |&file: &usize| {
            let form = &self.publication.files[file][0];
            let to = part_of(&self.folder.join(&form.name));
            Member { name: names[file].clone(), digest: form.contents.clone(), to }
        };
        let members: Vec<Member> = needed.iter().map(member).collect();
        let all = self.publication.files.iter().filter_map(|forms| forms[0].contents.bytes).sum();
        let bytes = members.iter().filter_map(|member| member.digest.bytes).sum();
        let stage = self.progress.stage(&format!("{}, unpacking", self.set.name), bytes, "bytes");
        unpack(archive, all, &members, &stage)?;
        stage.finish();
        for (&file, Member { to, .. }) in needed.iter().zip(&members) {
            self.place(file, &self.publication.files[file][0], to)?;
        }
        Ok(())
    }

    /// Gives a part that is right its name. What is wrong and would be read in its place is put aside.
    fn place(&mut self, file: usize, form: &Form, part: &Path) -> Result<(), FetchError> {
        let target = self.folder.join(&form.name);
        for found in candidates(self.set, self.folders, &self.publication.files[file]) {
            if found.path.is_file() && !Condition::of(&found.path, &found.form)?.is_right() {
                self.aside.push(put_aside(&found.path)?);
            }
            if found.path == target {
                break;
            }
        }
        finish(part, &target)?;
        self.brought.push(target);
        Ok(())
    }
}

/// The archive in one of the places, if it is right there.
fn archive_in(places: &[PathBuf], download: &Download) -> Result<Option<PathBuf>, FetchError> {
    let form = Form { name: download.name.clone(), contents: download.digest(), zipped: None };
    for place in places {
        let path = place.join(&download.name);
        if path.is_file() && Condition::of(&path, &form)?.is_right() {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
