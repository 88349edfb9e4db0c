//! Folders: whose they are, what may lie in them, and what comes back from them.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Barrier;

use serde::{Deserialize, Serialize};
use thalweg_lab::identity::Identity;
use thalweg_lab::store::{Array, Folder, StoreError, write_atomic};

use crate::support::{Config, Inner, Temporary, config, finished, identity, names, reopen};

#[test]
fn another_run_is_refused_with_every_difference() {
    let temporary = Temporary::new();
    let path = temporary.run();
    finished(&path);
    let other = Config {
        lr: f64::INFINITY,
        widths: vec![2],
        label: Some("x".to_owned()),
        inner: Inner { kind: "sgd".to_owned() },
    };
    let text =
        Folder::open_or_create(&path, &Identity::new("survey", 4, &other).unwrap()).unwrap_err().to_string();
    let (head, lines) = text.split_once('\n').unwrap();
    assert!(head.contains("another run") && head.contains(path.to_str().unwrap()), "{head}");
    let expected = "  recipe version: 3 in the folder, 4 asked for
  lr: 0.1 in the folder, \"Infinity\" asked for
  widths: [2, 3] in the folder, [2] asked for
  label: unset in the folder, \"x\" asked for
  inner.kind: \"NaN\" in the folder, \"sgd\" asked for";
    assert_eq!(lines, expected);
    reopen(&path).verify().unwrap();
}

#[test]
fn what_is_no_run_is_refused_and_left_alone() {
    let temporary = Temporary::new();
    let path = temporary.run();
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("thesis.tex"), "x").unwrap();
    let error = Folder::open_or_create(&path, &identity()).unwrap_err();
    assert!(error.to_string().contains("thesis.tex"), "{error}");
    assert_eq!(names(&path), ["thesis.tex"]);
    assert!(matches!(Folder::open(&path), Err(StoreError::NoRun { .. })));

    let file = temporary.0.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(Folder::open_or_create(&file, &identity()), Err(StoreError::NotAFolder { .. })));
    // A file where a folder should be made.
    let error = Folder::open_or_create(&file.join("run"), &identity()).unwrap_err().to_string();
    assert!(error.contains("file/run"), "{error}");
    // An empty folder is as good as none.
    let empty = temporary.0.path().join("empty");
    fs::create_dir(&empty).unwrap();
    Folder::open_or_create(&empty, &identity()).unwrap();
}

#[test]
fn one_process_at_a_time() {
    let temporary = Temporary::new();
    let path = temporary.run();
    let barrier = Barrier::new(8);
    let outcomes: Vec<Result<Folder, StoreError>> = std::thread::scope(|scope| {
        let open = || {
            barrier.wait();
            let folder = Folder::open_or_create(&path, &identity());
            // Everybody has tried before anybody lets go.
            barrier.wait();
            folder
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (open, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(open.len(), 1);
    for error in refused {
        assert!(matches!(error, Err(StoreError::Busy { .. })), "{error:?}");
    }
    let text = Folder::open(&path).unwrap_err().to_string();
    assert!(text.contains(&format!("in use by process {}", std::process::id())), "{text}");
    drop(open);
    Folder::open(&path).unwrap();
}

#[test]
fn leftovers_of_killed_writers_are_cleaned_and_nothing_else() {
    let temporary = Temporary::new();
    let path = temporary.run();
    finished(&path);
    fs::write(path.join(".thalweg-tmp-1234-0"), "half a file").unwrap();
    fs::write(path.join("notes.txt"), "mine").unwrap();
    reopen(&path).verify().unwrap();
    assert_eq!(names(&path), [".lock", "a.bin", "b.bin", "manifest.json", "notes.txt", "theta.bin"]);
    // A run that was killed before its first manifest.
    let young = temporary.0.path().join("young");
    fs::create_dir(&young).unwrap();
    fs::write(young.join(".thalweg-tmp-1-0"), "{").unwrap();
    fs::write(young.join(".lock"), "").unwrap();
    Folder::open_or_create(&young, &identity()).unwrap();
    assert_eq!(names(&young), [".lock", "manifest.json"]);
}

#[test]
fn hostile_names_are_refused() {
    let temporary = Temporary::new();
    let path = temporary.run();
    finished(&path);
    let mut folder = reopen(&path);
    let long = "x".repeat(201);
    let hostile = [
        "",
        ".",
        "..",
        "a/b",
        "../a",
        "/etc/passwd",
        "a\\b",
        "C:a",
        ".lock",
        "-rf",
        "a b",
        "a\n",
        "a\0",
        "ü",
        "a*",
        "a.",
        "manifest.json",
        "Manifest.JSON",
        "a.bin.damaged",
        "new.state-a",
        &long,
    ];
    for name in hostile {
        let direct = folder.write_atomic(name, b"x");
        assert!(matches!(direct, Err(StoreError::Name { .. })), "{name:?}: {direct:?}");
        let staged = folder.stage("new", |stage| stage.write(name, b"x"));
        assert!(matches!(staged, Err(StoreError::Name { .. })), "{name:?}");
    }
    for name in ["", "a/b", ".."] {
        assert!(folder.stage::<StoreError>(name, |_| Ok(())).is_err(), "{name:?}");
    }
    let taken = folder.stage("new", |stage| stage.write("a.bin", b"x")).unwrap_err().to_string();
    assert!(taken.contains("a.bin is taken: stage spectrum"), "{taken}");
    assert!(matches!(folder.write_atomic("theta.bin", b"x"), Err(StoreError::Taken { .. })));
    folder.write_atomic("picture.svg", b"<svg/>").unwrap();
    folder.verify().unwrap();
    assert_eq!(names(&path), [".lock", "a.bin", "b.bin", "manifest.json", "picture.svg", "theta.bin"]);
}

#[test]
fn every_flipped_byte_of_the_manifest_is_noticed_or_harmless() {
    let temporary = Temporary::new();
    let path = temporary.run();
    finished(&path);
    let file = path.join("manifest.json");
    let good = fs::read(&file).unwrap();
    let (mut noticed, mut harmless) = (0, 0);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&file, &bad).unwrap();
        match Folder::open_or_create(&path, &identity()) {
            Ok(folder) => {
                // White space, or another spelling of the same number.
                folder.verify().unwrap();
                harmless += 1;
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("manifest.json"), "{text}");
                noticed += 1;
            }
        }
    }
    assert!(noticed > 10 * harmless, "{noticed} noticed, {harmless} harmless");
    for length in 0..good.len() - 1 {
        fs::write(&file, &good[..length]).unwrap();
        let error = Folder::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::ManifestDamaged { .. }), "{length}: {error}");
    }
    fs::write(&file, &good).unwrap();
    reopen(&path).verify().unwrap();
}

#[test]
fn a_later_format_is_refused() {
    let temporary = Temporary::new();
    let path = temporary.run();
    finished(&path);
    let file = path.join("manifest.json");
    let text = fs::read_to_string(&file).unwrap().replace("\"format\": 1", "\"format\": 2");
    fs::write(&file, text).unwrap();
    let text = Folder::open(&path).unwrap_err().to_string();
    assert!(text.ends_with("has format 2, this thalweg reads format 1"), "{text}");
}

#[test]
fn an_existing_run_opens_without_its_identity() {
    let temporary = Temporary::new();
    let path = temporary.run();
    finished(&path);
    let folder = Folder::open(&path).unwrap();
    assert_eq!(folder.id(), identity().id());
    assert_eq!(folder.recipe(), ("survey", 3));
    assert_eq!(folder.config::<Config>().unwrap(), config());
    let text = folder.config::<BTreeMap<String, Option<f64>>>().unwrap_err().to_string();
    let expected = "cannot be read as this recipe's configuration: `inner`: expected f64, found map";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn a_failed_write_leaves_the_previous_file() {
    let folder = tempfile::tempdir().unwrap();
    write_atomic(folder.path(), "a.bin", b"first").unwrap();
    // Renaming over a folder that holds something fails on every system.
    fs::create_dir_all(folder.path().join("b.bin").join("inner")).unwrap();
    let error = write_atomic(folder.path(), "b.bin", b"x").unwrap_err().to_string();
    assert!(error.starts_with("cannot write ") && error.contains("b.bin: "), "{error}");
    assert_eq!(names(folder.path()), ["a.bin", "b.bin"]);
    // A stage whose content fails half way.
    let path = folder.path().join("run");
    let mut run = reopen(&path);
    run.stage("train", |stage| {
        stage.write("theta.bin", b"first")?;
        let failed = stage.write_with("theta.bin", |sink| {
            sink.write_all(&[7; 100_000])?;
            Err(std::io::Error::other("the disk is full"))
        });
        let text = failed.unwrap_err().to_string();
        assert!(text.contains("theta.bin: the disk is full"), "{text}");
        Ok::<_, StoreError>(())
    })
    .unwrap();
    assert_eq!(run.read("theta.bin").unwrap(), b"first");
    assert_eq!(names(&path), [".lock", "manifest.json", "theta.bin"]);
    let missing = write_atomic(&folder.path().join("nowhere"), "a", b"").unwrap_err().to_string();
    assert!(missing.contains("nowhere/a: "), "{missing}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    zeta: f64,
    alpha: Option<f64>,
    losses: Vec<f64>,
    single: f32,
    word: String,
    outcome: Outcome,
    by_layer: BTreeMap<u32, f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Outcome {
    Converged { residual: f64 },
    Diverged { last: f64 },
}

#[test]
fn readings_come_back_to_the_bit() {
    let temporary = Temporary::new();
    let mut folder = reopen(&temporary.run());
    let reading = Reading {
        zeta: 0.1 + 0.2,
        alpha: None,
        losses: vec![5e-324, f64::MAX, -0.0, f64::INFINITY, f64::NEG_INFINITY, 1.0 / 3.0],
        single: 0.1,
        word: "Infinity".to_owned(),
        outcome: Outcome::Diverged { last: f64::INFINITY },
        by_layer: BTreeMap::from([(2, 0.5), (10, 1.5)]),
    };
    let converged = Outcome::Converged { residual: f64::NAN };
    folder
        .stage("read", |stage| {
            stage.write_json("reading.json", &reading)?;
            stage.write_json("outcome.json", &converged)?;
            stage.write_npz("grid.npz", &[("loss", Array::new([2], vec![1.0, f64::NAN]))])
        })
        .unwrap();
    assert_eq!(folder.read_json::<Reading>("reading.json").unwrap(), reading);
    let Outcome::Converged { residual } = folder.read_json("outcome.json").unwrap() else {
        panic!("another variant")
    };
    assert!(residual.is_nan());
    let grid = folder.read_npz("grid.npz").unwrap();
    assert_eq!(grid[0].0, "loss");
    assert_eq!(grid[0].1.as_f64().unwrap()[0], 1.0);

    let expected = r#"{
  "zeta": 0.30000000000000004,
  "alpha": null,
  "losses": [5e-324, 1.7976931348623157e308, -0.0, "Infinity", "-Infinity", 0.3333333333333333],
  "single": 0.1,
  "word": "Infinity",
  "outcome": {
    "kind": "Diverged",
    "last": "Infinity"
  },
  "by_layer": {
    "10": 1.5,
    "2": 0.5
  }
}
"#;
    assert_eq!(String::from_utf8(folder.read("reading.json").unwrap()).unwrap(), expected);
    let text = folder.read_json::<Vec<u8>>("reading.json").unwrap_err().to_string();
    assert!(text.contains("reading.json cannot be read as this reading"), "{text}");
    assert!(matches!(folder.read_npz("reading.json"), Err(StoreError::Content { expected: "npz", .. })));
    assert!(matches!(folder.read_json::<u8>("absent.json"), Err(StoreError::NotRecorded { .. })));
}
