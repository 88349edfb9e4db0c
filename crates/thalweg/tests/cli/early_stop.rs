//! Runs that end before their last step.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{assert_same, results, run};

/// A run over changed images that stops somewhere between two checkpoints.
fn train(out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command.args(["train", "--out", out.to_str().unwrap()]);
    for field in [
        "model.widths=[48]",
        "train.steps=100000",
        "train.lr=0.01",
        "train.batch_size=16",
        "train.augment={crop=1, shift=1}",
        "evaluate=25it",
        "checkpoints.at=['100it']",
        "stop={metric='loss_test', patience=15}",
    ] {
        command.args(["--set", field]);
    }
    command.args(more);
    command
}

#[test]
fn a_killed_run_stops_where_it_would_have() {
    let temporary = tempfile::tempdir().unwrap();
    let [whole, killed] = ["whole", "killed"].map(|name| temporary.path().join(name));
    let said = run(&mut train(&whole, &[]));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.stdout.contains("loss_test is ") && said.stdout.contains("no better for 15 looks"),
        "{said:?}"
    );
    let stopped: serde_json::Value =
        serde_json::from_slice(&fs::read(whole.join("stopped.json")).unwrap()).unwrap();
    let step = stopped["step"].as_u64().unwrap();
    assert!((400..100_000).contains(&step) && step.is_multiple_of(25), "{stopped}");
    assert!(whole.join(format!("checkpoint-{step:08}.safetensors")).exists());
    let result: serde_json::Value =
        serde_json::from_slice(&fs::read(whole.join("result.json")).unwrap()).unwrap();
    assert_eq!((&result["steps"], &result["stopped"]), (&stopped["step"], &stopped));
    let rows = fs::read_to_string(whole.join("metrics.csv")).unwrap();
    assert!(rows.lines().last().unwrap().starts_with(&format!("{step},")), "{rows}");
    for kill in 0..12 {
        let mut child = train(&killed, &["--save-every", "0", "--quiet"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(20 + 23 * (kill * 5 % 12)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let said = run(&mut train(&killed, &[]));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_same(&results(&whole), &results(&killed));
    let said = run(&mut train(&killed, &[]));
    assert!(said.stdout.starts_with("nothing to do: this run is complete"), "{said:?}");
}

#[test]
fn events_are_beside_the_results_and_none_of_them() {
    let temporary = tempfile::tempdir().unwrap();
    let [plain, watched] = ["plain", "watched"].map(|name| temporary.path().join(name));
    let short = ["--set", "train.steps=100"];
    assert_eq!(run(&mut train(&plain, &short)).code, Some(0));
    assert_eq!(run(train(&watched, &short).arg("--tensorboard")).code, Some(0));
    let events = watched.join("events.out.tfevents.0.thalweg");
    let bytes = fs::read(&events).unwrap();
    assert!(bytes.windows(9).any(|window| window == b"loss/test"));
    fs::remove_file(events).unwrap();
    assert_same(&results(&plain), &results(&watched));
    // Of a run that is there already, too.
    assert_eq!(run(train(&plain, &short).arg("--tensorboard")).code, Some(0));
    assert_eq!(fs::read(plain.join("events.out.tfevents.0.thalweg")).unwrap().len(), bytes.len());
}

#[test]
fn what_cannot_be_kept_to_is_refused_before_there_is_a_folder() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    for (set, words) in [
        ("stop={metric='loss_test'}", "`stop`: expected `below` or `patience`, found neither"),
        ("stop={metric='accuracy', below=1.0}", "accuracy"),
        (
            "stop={metric='loss_test', below=-1.0}",
            "`stop.below`: expected a finite number, at least 0, found -1",
        ),
        (
            "train.augment={crop=8}",
            "`train.augment.crop`: expected from 0 to 7, for images of 8×8 pixels, found 8",
        ),
        ("train.augment={mirror=true}", "mirror"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
        let said = run(command.args(["train", "--out", out.to_str().unwrap(), "--set", set]));
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.stderr.contains(words), "{said:?}");
        assert!(!out.exists());
    }
}
