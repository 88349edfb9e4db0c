//! Archives: what is expected is taken out of them, and hostile ones put nothing anywhere.

use std::collections::BTreeMap;
use std::fs;

use tar::{Builder, EntryType, Header};
use thalweg_lab::data::{Digest, Download, Form, Gives, Origin, Publication};

use crate::support::{bring, files, noise, set, zipped};

const NAMES: [&str; 2] = ["one.bin", "two.bin"];

fn contents() -> [Vec<u8>; 2] {
    [noise(3, 70_000), noise(4, 1_000)]
}

/// An entry of an archive: the name is written as it is, wherever it leads.
struct Entry<'a> {
    name: &'a str,
    kind: EntryType,
    /// The length that the header says.
    size: u64,
    bytes: &'a [u8],
}

impl<'a> Entry<'a> {
    fn file(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name, kind: EntryType::Regular, size: bytes.len() as u64, bytes }
    }
}

fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
        header.set_entry_type(entry.kind);
        header.set_size(entry.size);
        header.set_mode(0o644);
        if entry.kind.is_symlink() || entry.kind.is_hard_link() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, entry.bytes).unwrap();
    }
    zipped(&builder.into_inner().unwrap())
}

/// An archive as it should be: with a folder, a page that nobody needs, and files under `toy-bin`.
fn good() -> Vec<u8> {
    let [one, two] = contents();
    let folder = Entry { kind: EntryType::Directory, ..Entry::file("toy-bin/", b"") };
    archive(&[
        folder,
        Entry::file("toy-bin/two.bin", &two),
        Entry::file("toy-bin/readme.html", b"<html>"),
        Entry::file("./toy-bin/one.bin", &one),
    ])
}

/// A set that is published as `archive`, whatever that is.
fn published_as(archive: &[u8]) -> Publication {
    let form = |(name, bytes): (&str, Vec<u8>)| {
        vec![Form { name: name.to_owned(), contents: Digest::of(&bytes), zipped: None }]
    };
    Publication {
        address: "http://127.0.0.1:1/".to_owned(),
        downloads: vec![Download {
            name: "toy-binary.tar.gz".to_owned(),
            bytes: archive.len() as u64,
            md5: Digest::of(archive).md5,
            gives: Gives::Archive(NAMES.map(|name| format!("toy-bin/{name}")).to_vec()),
        }],
        files: NAMES.into_iter().zip(contents()).map(form).collect(),
    }
}

/// The good one, as a set and as bytes.
#[cfg(feature = "fetch")]
pub(crate) fn publication() -> (Publication, Vec<u8>) {
    (published_as(&good()), good())
}

/// The files of the set.
pub(crate) fn whole() -> BTreeMap<String, Vec<u8>> {
    NAMES.map(|name| format!("toy/{name}")).into_iter().zip(contents()).collect()
}

/// Brings the set out of an archive in a folder; an error as text.
fn unpacked(archive: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let outer = tempfile::tempdir().unwrap();
    let [from, to] = ["from", "a/b/c/d/to"].map(|name| outer.path().join(name));
    fs::create_dir_all(&to).unwrap();
    fs::create_dir(&from).unwrap();
    fs::write(from.join("toy-binary.tar.gz"), archive).unwrap();
    let result = bring(&set(published_as(archive)), &to, &Origin::Folder(from.clone()));
    let brought = files(&to);
    assert_eq!(files(outer.path()).len(), brought.len() + 1, "something lies outside of the folder");
    match result {
        Ok(_) => Ok(brought),
        Err(message) => {
            assert_eq!(brought, BTreeMap::new(), "{message}");
            Err(message.replace(&from.display().to_string(), "FROM"))
        }
    }
}

fn refused(entries: &[Entry<'_>]) -> String {
    unpacked(&archive(entries)).unwrap_err()
}

#[test]
fn the_expected_files_are_taken_and_nothing_else() {
    assert_eq!(unpacked(&good()), Ok(whole()));
    // A file that is there is not taken again, and its length still counts.
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(from.path().join("toy-binary.tar.gz"), good()).unwrap();
    fs::create_dir(to.path().join("toy")).unwrap();
    fs::write(to.path().join("toy/two.bin"), &contents()[1]).unwrap();
    bring(&set(published_as(&good())), to.path(), &Origin::Folder(from.path().to_owned())).unwrap();
    assert_eq!(files(to.path()), whole());
}

#[test]
fn names_that_lead_elsewhere_lead_nowhere() {
    let [one, two] = contents();
    let (temporary, name) = (std::env::temp_dir(), format!("thalweg-evil-{}", std::process::id()));
    let absolute = temporary.join(&name);
    let entries = |evil| {
        archive(&[
            Entry::file(evil, b"evil"),
            Entry::file("toy-bin/one.bin", &one),
            Entry::file("toy-bin/two.bin", &two),
        ])
    };
    for evil in
        ["../evil", "../../../../evil", "toy-bin/../../evil", "toy-bin/evil", absolute.to_str().unwrap()]
    {
        assert_eq!(unpacked(&entries(evil)), Ok(whole()), "{evil}");
        assert!(!absolute.exists());
    }
    let none = "FROM/toy-binary.tar.gz: expected an entry toy-bin/one.bin, found none";
    for evil in ["../toy-bin/one.bin", "/toy-bin/one.bin", "toy-bin/./one.bin", "one.bin", "TOY-BIN/ONE.BIN"]
    {
        assert_eq!(refused(&[Entry::file(evil, &one), Entry::file("toy-bin/two.bin", &two)]), none, "{evil}");
    }
}

#[test]
fn what_is_not_a_plain_file_of_its_length_is_refused() {
    let [one, two] = contents();
    let begin = "FROM/toy-binary.tar.gz: expected toy-bin/one.bin of ";
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Directory, EntryType::Fifo] {
        let entry = Entry { kind, ..Entry::file("toy-bin/one.bin", b"") };
        let message = refused(&[Entry::file("toy-bin/two.bin", &two), entry]);
        assert_eq!(message, format!("{begin}a plain file, found an entry of type {kind:?}"));
    }
    let expected = format!("{begin}{}, found ", Digest::of(&one));
    // A promise of which nothing is believed.
    for size in [0, 69_999, 70_001, 1 << 40, (1 << 62) - 1] {
        let entry = Entry { size, ..Entry::file("toy-bin/one.bin", &one) };
        assert_eq!(refused(&[entry]), format!("{expected}{size} bytes"));
    }
    let mut other = one.clone();
    other[69_999] ^= 1;
    let message = refused(&[Entry::file("toy-bin/two.bin", &two), Entry::file("toy-bin/one.bin", &other)]);
    assert_eq!(message, format!("{expected}MD5 {}", Digest::of(&other).md5));
    let twice = refused(&[Entry::file("toy-bin/one.bin", &one), Entry::file("toy-bin/one.bin", &one)]);
    assert_eq!(twice, format!("{begin}one entry, found a second"));
}

#[test]
fn archives_that_break_off_or_never_end_are_refused() {
    let begin =
        "FROM/toy-binary.tar.gz: expected a tar archive in a gzip stream, found one that cannot be read (";
    let whole = good();
    let mut spoilt = whole.clone();
    spoilt[40_000] ^= 0x10;
    for bytes in [&whole[..40_000], &spoilt, b"<html>", &zipped(&[7; 5000])] {
        let message = unpacked(bytes).unwrap_err();
        assert!(message.starts_with(begin) || message.contains(", found MD5 "), "{message}");
    }
    let none = unpacked(&zipped(b"")).unwrap_err();
    assert!(none.ends_with("expected an entry toy-bin/one.bin, found none"), "{none}");
    // More than any archive of these files has, in front of them, in few bytes.
    let [one, two] = contents();
    let zeros = vec![0; 1 << 25];
    let message = refused(&[
        Entry::file("zeros", &zeros),
        Entry::file("toy-bin/one.bin", &one),
        Entry::file("toy-bin/two.bin", &two),
    ]);
    assert!(message.starts_with(begin), "{message}");
    // A long name of 2⁶² bytes: nothing is made room for.
    let long = Entry { kind: EntryType::GNULongName, size: 1 << 62, ..Entry::file("long", &[b'x'; 512]) };
    let message = refused(&[long]);
    assert!(message.starts_with(begin), "{message}");
}
