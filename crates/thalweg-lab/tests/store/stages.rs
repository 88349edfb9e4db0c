//! Stages: done once, gone on with, damaged and repaired.

use std::fs;
use std::path::Path;

use thalweg_lab::store::{DamageKind, StageOutcome, StoreError};

use crate::support::{Temporary, again, finished, names, reopen};

#[test]
fn a_finished_stage_is_never_done_again() {
    let temporary = Temporary::new();
    let path = temporary.run();
    finished(&path);
    let mut folder = reopen(&path);
    let mut worked = false;
    let outcome = folder.stage::<StoreError>("train", |_| {
        worked = true;
        Ok(())
    });
    assert_eq!(outcome.unwrap(), StageOutcome::AlreadyDone);
    assert!(!worked);
    assert_eq!(again(&mut folder, "path"), StageOutcome::Done);
    assert_eq!(
        folder.stages().iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>(),
        ["train", "spectrum", "path"]
    );
    assert_eq!(folder.read("theta.bin").unwrap(), b"0123456789");
    folder.verify().unwrap();
    assert_eq!(names(&path), [".lock", "a.bin", "b.bin", "manifest.json", "theta.bin"]);
}

#[test]
fn a_failed_stage_leaves_no_record_and_is_done_again() {
    let temporary = Temporary::new();
    let path = temporary.run();
    let mut folder = reopen(&path);
    let failed = folder.stage("train", |stage| {
        stage.write("theta.bin", b"half")?;
        stage.write("no/good", b"")
    });
    assert!(matches!(failed, Err(StoreError::Name { .. })));
    assert!(!folder.is_finished("train"));
    assert!(matches!(folder.read("theta.bin"), Err(StoreError::NotRecorded { .. })));
    drop(folder);
    let mut folder = reopen(&path);
    folder.stage("train", |stage| stage.write("theta.bin", b"whole")).unwrap();
    assert_eq!(folder.read("theta.bin").unwrap(), b"whole");
}

#[test]
fn a_stage_goes_on_from_its_saved_state() {
    let temporary = Temporary::new();
    let path = temporary.run();
    let mut folder = reopen(&path);
    for cut in 1..=3u8 {
        let failed = folder.stage("train", |stage| {
            let expected = (cut > 1).then(|| vec![2 * (cut - 1)]);
            assert_eq!(stage.state()?, expected);
            stage.save_state(&[2 * cut - 1])?;
            stage.save_state(&[2 * cut])?;
            stage.write("..", b"")
        });
        assert!(failed.is_err());
        drop(folder);
        folder = reopen(&path);
        assert_eq!(names(&path).iter().filter(|name| name.contains(".state-")).count(), 1);
        folder.verify().unwrap();
    }
    folder.stage("train", |stage| stage.write("theta.bin", &stage.state()?.unwrap())).unwrap();
    assert_eq!(folder.read("theta.bin").unwrap(), [6]);
    assert_eq!(names(&path), [".lock", "manifest.json", "theta.bin"]);
}

#[test]
fn a_damaged_state_is_an_error_and_can_be_given_up() {
    let temporary = Temporary::new();
    let path = temporary.run();
    let mut folder = reopen(&path);
    let _ = folder.stage("train", |stage| {
        stage.save_state(b"state")?;
        stage.write("..", b"")
    });
    fs::write(path.join("train.state-a"), b"stale").unwrap();
    let read = folder.stage("train", |stage| stage.state().map(|_| ()));
    assert!(matches!(read, Err(StoreError::Damaged { .. })));
    assert_eq!(folder.repair().unwrap(), ["train"]);
    folder.stage("train", |stage| stage.write("was", &stage.state()?.unwrap_or_default())).unwrap();
    assert_eq!(folder.read("was").unwrap(), b"");
    assert_eq!(fs::read(path.join("train.state-a.damaged")).unwrap(), b"stale");
}

#[test]
fn truncated_flipped_and_missing_files_are_found_and_repaired() {
    let temporary = Temporary::new();
    let path = temporary.run();
    type Case = (fn(&Path), fn(&DamageKind) -> bool, &'static str);
    let cases: [Case; 3] = [
        (
            |file| fs::write(file, b"aa").unwrap(),
            |kind| *kind == DamageKind::Length { expected: 4, found: 2 },
            "a.bin (stage spectrum): expected 4 bytes, found 2",
        ),
        (
            |file| fs::write(file, b"aaba").unwrap(),
            |kind| matches!(kind, DamageKind::Digest { expected, found } if expected != found),
            "a.bin (stage spectrum): expected digest ",
        ),
        (
            |file| fs::remove_file(file).unwrap(),
            |kind| *kind == DamageKind::Missing,
            "a.bin (stage spectrum): missing",
        ),
    ];
    finished(&path);
    for (harm, is_kind, says) in cases {
        harm(&path.join("a.bin"));
        let mut folder = reopen(&path);
        let error = folder.verify().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(says) && text.contains("--repair") && text.contains("run"), "{text}");
        let StoreError::Damaged { damage, .. } = error else { panic!("{error}") };
        assert_eq!(damage.len(), 1);
        assert!(is_kind(&damage[0].kind), "{damage:?}");
        assert!(matches!(folder.read("a.bin"), Err(StoreError::Damaged { .. })), "damage is never read");
        assert_eq!(folder.read("b.bin").unwrap(), b"bbbb");

        assert_eq!(folder.repair().unwrap(), ["spectrum"]);
        assert!(folder.is_finished("train") && !folder.is_finished("spectrum"));
        drop(folder);
        finished(&path);
        let mut folder = reopen(&path);
        folder.verify().unwrap();
        assert_eq!(folder.repair().unwrap(), Vec::<String>::new());
    }
    // Two damaged files were there to be kept; the third was gone.
    assert_eq!(fs::read(path.join("a.bin.damaged")).unwrap(), b"aa");
    assert_eq!(fs::read(path.join("a.bin.damaged-2")).unwrap(), b"aaba");
    assert!(!path.join("a.bin.damaged-3").exists());
}
