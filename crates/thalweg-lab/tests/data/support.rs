//! Small sets with digests of their own, so that what is right can be made here.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use thalweg_lab::data::{Digest, Download, Fetched, Folders, Form, Gives, Origin, Publication, Set, fetch};
use thalweg_lab::progress::Progress;

/// Bytes that do not compress, others for each key.
pub(crate) fn noise(key: u64, length: usize) -> Vec<u8> {
    let mut state = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

pub(crate) fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Contents of the files of [`toy`].
pub(crate) fn contents() -> [Vec<u8>; 2] {
    [noise(1, 300_000), noise(2, 1_000)]
}

/// What a server has of [`toy`], by name.
pub(crate) fn published() -> BTreeMap<String, Vec<u8>> {
    let [images, labels] = contents();
    BTreeMap::from([("images.gz".to_owned(), zipped(&images)), ("labels.gz".to_owned(), zipped(&labels))])
}

/// A set of two files, each published gzipped.
pub(crate) fn toy() -> Set {
    let published = published();
    let file = |name: &str, contents: &[u8]| {
        let zipped = Digest::of(&published[&format!("{name}.gz")]);
        let form = |name: String, zipped| Form { name, contents: Digest::of(contents), zipped };
        vec![form(format!("{name}.gz"), Some(zipped)), form(name.to_owned(), None)]
    };
    let download = |(index, name): (usize, &str)| Download {
        name: name.to_owned(),
        bytes: published[name].len() as u64,
        md5: Digest::of(&published[name]).md5,
        gives: Gives::File(index),
    };
    let [images, labels] = contents();
    set(Publication {
        address: "http://127.0.0.1:1/".to_owned(),
        downloads: ["images.gz", "labels.gz"].into_iter().enumerate().map(download).collect(),
        files: vec![file("images", &images), file("labels", &labels)],
    })
}

pub(crate) fn set(publication: Publication) -> Set {
    Set {
        name: "toy".to_owned(),
        kinds: vec!["toy".to_owned()],
        what: String::new(),
        licence: String::new(),
        publication: Some(publication),
    }
}

/// Brings a set to a folder, quietly; an error as text, without the folder's name.
pub(crate) fn bring(set: &Set, folder: &Path, origin: &Origin) -> Result<Fetched, String> {
    let fetched = fetch(set, &Folders::only(folder), origin, &Progress::new(true));
    fetched.map_err(|error| error.to_string().replace(&folder.display().to_string(), "FOLDER"))
}

/// All files under a folder, by their path in it.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// The files that a whole [`toy`] has, as they are published.
pub(crate) fn whole() -> BTreeMap<String, Vec<u8>> {
    published().into_iter().map(|(name, bytes)| (format!("toy/{name}"), bytes)).collect()
}
