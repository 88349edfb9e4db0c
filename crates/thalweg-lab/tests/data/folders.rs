//! Files from a folder in place of the network, and folders that cannot be written.

use std::fs;

use tempfile::TempDir;
use thalweg_lab::data::{Condition, Fetched, Folders, Origin, is_here, verify, whereabouts};
use thalweg_lab::progress::Progress;

use crate::support::{bring, contents, files, published, toy, whole, zipped};

/// Files by name.
type Named<'a> = &'a [(&'a str, &'a [u8])];

/// A folder with those files in it.
fn with(given: Named<'_>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in given {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn origin(folder: &TempDir) -> Origin {
    Origin::Folder(folder.path().to_owned())
}

#[test]
fn files_are_taken_packed_or_not_from_the_folder_or_the_sets_own() {
    let [images, labels] = contents();
    let published = published();
    let mut otherwise = zipped(&labels);
    otherwise[4] ^= 1;
    let cases: [[Named<'_>; 2]; 3] = [
        [
            &[("images.gz", &published["images.gz"]), ("toy/labels.gz", &published["labels.gz"])],
            &[("toy/images.gz", &published["images.gz"]), ("toy/labels.gz", &published["labels.gz"])],
        ],
        // Packed by another, and not at all.
        [
            &[("images", &images), ("labels.gz", &otherwise)],
            &[("toy/images", &images), ("toy/labels.gz", &otherwise)],
        ],
        // Of two the one that is right.
        [
            &[("images.gz", b"spoilt"), ("images", &images), ("labels", &labels)],
            &[("toy/images", &images), ("toy/labels", &labels)],
        ],
    ];
    for [given, expected] in cases {
        let (from, to) = (with(given), tempfile::tempdir().unwrap());
        assert!(!is_here(&toy(), &Folders::only(to.path())));
        let fetched = bring(&toy(), to.path(), &origin(&from)).unwrap();
        assert!(matches!(fetched, Fetched::Brought { files, aside } if files.len() == 2 && aside.is_empty()));
        let expected = expected.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
        assert_eq!(files(to.path()), expected);
        assert!(is_here(&toy(), &Folders::only(to.path())));
        assert_eq!(bring(&toy(), to.path(), &origin(&from)), Ok(Fetched::WasHere));
        assert_eq!(files(from.path()).len(), given.len(), "nothing is taken away");
    }
}

#[test]
fn an_unpacked_file_is_read_though_a_wrong_packed_one_was_there() {
    let [images, labels] = contents();
    let from = with(&[("images", &images)]);
    let to = with(&[("toy/images.gz", b"spoilt"), ("labels", &labels)]);
    bring(&toy(), to.path(), &origin(&from)).unwrap();
    let names: Vec<String> = files(to.path()).into_keys().collect();
    assert_eq!(names, ["labels", "toy/images", "toy/images.gz.damaged"]);
    let read: Vec<_> =
        whereabouts(&toy(), &Folders::only(to.path())).into_iter().map(|found| found.unwrap().path).collect();
    assert_eq!(read, [to.path().join("toy/images"), to.path().join("labels")]);
}

#[test]
fn what_the_folder_lacks_or_has_wrong_is_said_and_nothing_false_is_kept() {
    let [images, labels] = contents();
    let refused = |given: Named<'_>| {
        let (from, to) = (with(given), tempfile::tempdir().unwrap());
        let message = bring(&toy(), to.path(), &origin(&from)).unwrap_err();
        for (name, bytes) in files(to.path()) {
            let right = [("toy/images", &images), ("toy/labels", &labels)];
            assert!(right.contains(&(&name[..], &bytes)), "{name}: {message}");
        }
        message.replace(&from.path().display().to_string(), "FROM")
    };
    let begin = "toy: expected images.gz or images in FROM, itself or under toy, found ";
    assert_eq!(refused(&[]), format!("{begin}none"));
    assert_eq!(
        refused(&[("images", &images)]),
        begin.replace("images", "labels") + "none",
        "what is there is brought"
    );
    let cut = refused(&[("images", &images[..1000]), ("labels", &labels)]);
    assert!(cut.starts_with(&format!("{begin}FROM/images, not of 300000 bytes with MD5 ")), "{cut}");
    assert!(cut.ends_with(" but of 1000 bytes"), "{cut}");
    let long = refused(&[("images", &[&images[..], b"!"].concat())]);
    assert!(long.ends_with(" but of more than 300000 bytes"), "{long}");
    let broken = refused(&[("toy/images.gz", &published()["images.gz"][..5000])]);
    assert!(broken.contains("FROM/toy/images.gz, not of 300000 bytes with MD5 "), "{broken}");
    assert!(broken.contains(" within but of a gzip stream that cannot be read ("), "{broken}");
    // A bomb: as many bytes as one likes, of which none too many is unzipped.
    let bomb = refused(&[("images.gz", &zipped(&vec![0; 1 << 26]))]);
    assert!(bomb.ends_with(" within but of more than 300000 bytes"), "{bomb}");
}

#[test]
fn where_nothing_came_no_folder_is_left() {
    let [images, _] = contents();
    let to = tempfile::tempdir().unwrap();
    let place = to.path().join("new/place");
    let missing = bring(&toy(), &place, &Origin::Folder("/neither".into())).unwrap_err();
    assert!(missing.starts_with("cannot read /neither: "), "{missing}");
    bring(&toy(), &place, &origin(&with(&[]))).unwrap_err();
    assert!(!to.path().join("new").exists());
    bring(&toy(), &place, &origin(&with(&[("images", &images)]))).unwrap_err();
    assert_eq!(files(to.path()).len(), 1, "what came stays");
    // One that was there before is not ours to remove.
    let to = tempfile::tempdir().unwrap();
    bring(&toy(), to.path(), &origin(&with(&[]))).unwrap_err();
    assert!(to.path().exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let published = published();
    let from = with(&[("images.gz", &published["images.gz"]), ("labels.gz", &published["labels.gz"])]);
    let to = with(&[("data", b"a file in the folder's place")]);
    let message = bring(&toy(), &to.path().join("data"), &origin(&from)).unwrap_err();
    assert!(message.starts_with("cannot write FOLDER/toy: "), "{message}");
    // A folder in the place of a part.
    let to = with(&[("toy/images.gz.part/x", b"")]);
    let message = bring(&toy(), to.path(), &origin(&from)).unwrap_err();
    let bytes = published["images.gz"].len();
    assert!(
        message.starts_with(&format!("cannot write FOLDER/toy/images.gz of {bytes} bytes: ")),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_read_and_not_written() {
    use std::os::unix::fs::PermissionsExt as _;

    let published = published();
    let from = with(&[("images.gz", &published["images.gz"]), ("labels.gz", &published["labels.gz"])]);
    let to = with(&[("toy/images.gz", &published["images.gz"])]);
    let allow = |mode| fs::set_permissions(to.path().join("toy"), fs::Permissions::from_mode(mode)).unwrap();
    allow(0o555);
    let is_almighty = fs::write(to.path().join("toy/probe"), "").is_ok();
    let fetched = bring(&toy(), to.path(), &origin(&from));
    allow(0o755);
    if is_almighty {
        // To the superuser nothing is read-only.
        fs::remove_file(to.path().join("toy/probe")).unwrap();
        assert!(fetched.is_ok());
        assert_eq!(files(to.path()), whole());
    } else {
        let message = fetched.unwrap_err();
        assert!(message.starts_with("cannot write FOLDER/toy/labels.gz of "), "{message}");
        assert!(message.ends_with("Permission denied (os error 13)"), "{message}");
        // What is whole needs no writing.
        fs::write(to.path().join("toy/labels.gz"), &published["labels.gz"]).unwrap();
        allow(0o555);
        assert_eq!(bring(&toy(), to.path(), &origin(&from)), Ok(Fetched::WasHere));
        allow(0o755);
    }
}

#[test]
fn every_form_in_every_place_is_verified() {
    let [images, labels] = contents();
    let published = published();
    let mut otherwise = zipped(&labels);
    otherwise[4] ^= 1;
    let folder = with(&[
        ("toy/images.gz", &published["images.gz"]),
        ("toy/images", &images[1..]),
        ("labels.gz", &otherwise),
        ("images", &images),
    ]);
    let verified = verify(&toy(), &Folders::only(folder.path()), &Progress::new(true)).unwrap();
    let found: Vec<(&str, bool)> = verified
        .files
        .iter()
        .map(|(path, condition)| {
            (path.strip_prefix(folder.path()).unwrap().to_str().unwrap(), condition.is_right())
        })
        .collect();
    let expected = [("toy/images.gz", true), ("toy/images", false), ("images", true), ("labels.gz", true)];
    assert_eq!(found, expected);
    assert_eq!(verified.files[0].1, Condition::Right);
    assert_eq!(verified.files[3].1, Condition::RightWithin);
    assert!(verified.missing.is_empty() && !verified.is_right());
    fs::remove_file(folder.path().join("toy/images")).unwrap();
    assert!(verify(&toy(), &Folders::only(folder.path()), &Progress::new(true)).unwrap().is_right());
    fs::remove_file(folder.path().join("labels.gz")).unwrap();
    let verified = verify(&toy(), &Folders::only(folder.path()), &Progress::new(true)).unwrap();
    assert_eq!(verified.missing, [["labels.gz".to_owned(), "labels".to_owned()]]);
    assert!(!verified.is_right());
}
