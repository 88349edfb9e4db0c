//! A run in miniature and its folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thalweg_lab::identity::Identity;
use thalweg_lab::store::{Folder, StageOutcome, StoreError};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) lr: f64,
    pub(crate) widths: Vec<u32>,
    pub(crate) label: Option<String>,
    pub(crate) inner: Inner,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Inner {
    pub(crate) kind: String,
}

pub(crate) fn config() -> Config {
    Config { lr: 0.1, widths: vec![2, 3], label: None, inner: Inner { kind: "NaN".to_owned() } }
}

pub(crate) fn identity() -> Identity {
    Identity::new("survey", 3, &config()).unwrap()
}

/// A run with two finished stages, closed again.
pub(crate) fn finished(path: &Path) {
    let mut folder = Folder::open_or_create(path, &identity()).unwrap();
    folder.stage("train", |stage| stage.write("theta.bin", b"0123456789")).unwrap();
    let two = |stage: &mut thalweg_lab::store::Stage<'_>| {
        stage.write("a.bin", b"aaaa")?;
        stage.write("b.bin", b"bbbb")
    };
    folder.stage("spectrum", two).unwrap();
}

pub(crate) fn reopen(path: &Path) -> Folder {
    Folder::open_or_create(path, &identity()).unwrap()
}

pub(crate) fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn again(folder: &mut Folder, name: &str) -> StageOutcome {
    folder.stage::<StoreError>(name, |_| Ok(())).unwrap()
}

pub(crate) struct Temporary(pub(crate) tempfile::TempDir);

impl Temporary {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn run(&self) -> PathBuf {
        self.0.path().join("above").join("run")
    }
}
