//! Training on all of Fashion-MNIST, with kills: minutes, and the files of the set must be there (Debian's package
//! `dataset-fashion-mnist`, or `--data-dir`'s other places).
//!
//! `cargo test --release -p thalweg --test cli fashion -- --ignored --test-threads 1`

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{assert_same, results};

fn train(out: &Path, settings: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command.args(["train", "--quiet", "--out", out.to_str().unwrap()]);
    for setting in [&["data.kind='fashion_mnist'"], settings].concat() {
        command.args(["--set", setting]);
    }
    command
}

/// Trains undisturbed, and killed every few seconds; the error of the test set, which is the same in both, as all bytes are.
fn error_with_and_without_kills(settings: &[&str], kills: u64) -> f64 {
    let temporary = tempfile::tempdir().unwrap();
    let [whole, killed] = ["whole", "killed"].map(|name| temporary.path().join(name));
    assert!(train(&whole, settings).status().unwrap().success());
    let mut cut = 0;
    for kill in 0..kills {
        let mut child = train(&killed, settings)
            .args(["--save-every", "1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(2000 + 700 * (kill * 5 % kills)));
        cut += u64::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(cut > kills / 2, "only {cut} of {kills} were still at work");
    assert!(train(&killed, settings).status().unwrap().success());
    assert_same(&results(&whole), &results(&killed));
    let result: serde_json::Value =
        serde_json::from_slice(&fs::read(whole.join("result.json")).unwrap()).unwrap();
    result["error_test"].as_f64().unwrap()
}

#[test]
#[ignore = "a minute, and needs Fashion-MNIST"]
fn lenet5_is_right_about_89_percent() {
    let error = error_with_and_without_kills(&["model.kind='lenet5'", "train.lr=0.02", "train.epochs=8"], 6);
    assert!(error < 0.11, "{error}");
}

#[test]
#[ignore = "minutes, and needs Fashion-MNIST"]
fn resnet20_with_batch_norms_trains() {
    let settings = ["model.kind='resnet20'", "train.batch_size=128", "train.epochs=2", "train.lr=0.1"];
    let error = error_with_and_without_kills(&settings, 10);
    assert!(error < 0.15, "{error}");
}
