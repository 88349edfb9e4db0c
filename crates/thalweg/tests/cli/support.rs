//! Real processes on a survey in miniature.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A survey that takes about a second.
pub(crate) const MINIATURE: [&str; 13] = [
    "model.widths=[4]",
    "data.train_examples=60",
    "train.steps=24",
    "train.batch_size=16",
    "checkpoints.per_decade=4",
    "checkpoints.every_epochs=2",
    "line.points=5",
    "plane.points=[5, 4]",
    "trajectory.points=[4, 5]",
    "spectrum.largest=2",
    "spectrum.smallest=2",
    "spectrum.tolerance=0.01",
    "spectrum.products_max=90",
];

/// `thalweg survey` in miniature, with more arguments after its own.
pub(crate) fn miniature(out: &Path, more: &[&str]) -> Command {
    let mut command = survey(&["--out", out.to_str().expect("temporary folders have plain names")]);
    MINIATURE.iter().for_each(|field| {
        command.args(["--set", field]);
    });
    command.args(more);
    command
}

/// `thalweg survey` with these arguments.
pub(crate) fn survey(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command.arg("survey").args(arguments);
    command
}

/// What a process said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn run(command: &mut Command) -> Said {
    let Output { status, stdout, stderr } = command.output().expect("the binary was built with this test");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Said { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// Every file of a folder but the lock, by name.
pub(crate) fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries
        .map(|entry| entry.expect("the folder can be read"))
        .filter(|entry| !entry.file_name().to_string_lossy().contains("lock"))
        .map(|entry| {
            let name = entry.file_name().into_string().expect("names are plain");
            (name, fs::read(entry.path()).expect("the file can be read"))
        })
        .collect()
}

/// The files that must be the same whenever and wherever the same survey is made: all but those with times in them.
pub(crate) fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = contents(folder);
    files.retain(|name, _| !["manifest.json", "timings.json", "report.html"].contains(&&name[..]));
    files
}

/// Panics with the names of the files that differ, rather than with their bytes.
pub(crate) fn assert_same(left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<String>>();
    assert_eq!(names(left), names(right), "other files");
    let differing: Vec<&String> = left.keys().filter(|name| left[*name] != right[*name]).collect();
    assert!(differing.is_empty(), "differing files: {differing:?}");
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a temporary folder can be written");
    for (name, bytes) in contents(from) {
        fs::write(to.join(name), bytes).expect("a temporary folder can be written");
    }
}
