//! Weights in and out.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Said, run};

const MODEL: &str = "model={kind='layers', layers=['flatten', 'linear 6', 'batchnorm', 'relu', 'linear 10']}";

fn thalweg(arguments: &[&str]) -> Said {
    run(Command::new(env!("CARGO_BIN_EXE_thalweg")).args(arguments))
}

/// A checkpoint after ten steps.
fn checkpoint(folder: &Path) -> String {
    let out = folder.join("run");
    let said = thalweg(&["train", "--out", out.to_str().unwrap(), "--set", MODEL, "--set", "train.steps=10"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    out.join("checkpoint-00000010.safetensors").to_str().unwrap().to_owned()
}

/// Names and digests of the arrays that `inspect` finds, sorted.
fn arrays(path: &str) -> Vec<(String, String)> {
    let said = thalweg(&["inspect", path]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let rows = said.stdout.lines().filter(|line| line.contains('[')).map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let digest = words.iter().find(|word| word.len() == 12).expect("a digest");
        (words[0].to_owned(), (*digest).to_owned())
    });
    let mut rows: Vec<_> = rows.filter(|(name, _)| !["network", "layers"].contains(&&name[..])).collect();
    rows.sort();
    rows
}

#[test]
fn a_network_goes_out_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (original, state_dict, back) =
        (checkpoint(folder.path()), path("dict.safetensors"), path("back.safetensors"));
    let said = thalweg(&["export", &original, &state_dict]);
    assert_eq!((said.code, said.stdout.trim()), (Some(0), &state_dict[..]), "{}", said.stderr);
    // What PyTorch's strict loading asks for, and nothing of ours.
    let bytes = String::from_utf8_lossy(&fs::read(&state_dict).unwrap()).into_owned();
    assert!(
        bytes.contains("2.num_batches_tracked") && !bytes.contains("optimiser") && !bytes.contains("thalweg")
    );
    let said = thalweg(&["import", &state_dict, &back, "--set", MODEL]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(arrays(&original).len(), 8);
    assert_eq!(arrays(&state_dict), arrays(&original));
    assert_eq!(arrays(&back), arrays(&original));
    // A run goes on from it.
    let initial = format!("initial.path={back}");
    let out = path("again");
    let said =
        thalweg(&["train", "--out", &out, "--set", MODEL, "--set", "train.steps=5", "--set", &initial]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(arrays(&format!("{out}/checkpoint-00000000.safetensors")), arrays(&original));
}

#[test]
fn what_is_there_is_not_replaced_and_what_does_not_fit_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (original, taken) = (checkpoint(folder.path()), path("taken"));
    fs::write(&taken, "mine").unwrap();
    let evil = path("evil.pt");
    fs::write(&evil, b"PK\x03\x04 and nothing more").unwrap();
    let fresh = path("fresh");
    let cases: [(&[&str], &str); 7] = [
        (&["export", &original, &taken], "nothing there was changed"),
        (&["import", &original, &taken, "--set", MODEL], "nothing there was changed"),
        (&["export", &taken, &fresh], "expected"),
        (&["export", &path("none"), &fresh], "cannot read"),
        (&["import", &evil, &fresh, "--set", MODEL], "expected a state dict as torch.save writes it"),
        (&["import", &original, &fresh, "--set", "model.widths=[6]"], "leaf layers.0.weight"),
        (&["inspect", &evil], "expected a state dict as torch.save writes it"),
    ];
    for (arguments, expected) in cases {
        let said = thalweg(arguments);
        assert_eq!(said.code, Some(1), "{arguments:?} {said:?}");
        assert!(said.stderr.contains(expected), "{arguments:?} {said:?}");
    }
    assert_eq!(fs::read(&taken).unwrap(), b"mine");
    assert!(!Path::new(&fresh).exists());
}

#[test]
fn a_run_is_told_with_its_damage() {
    let folder = tempfile::tempdir().unwrap();
    checkpoint(folder.path());
    let out = folder.path().join("run");
    let inspect = || thalweg(&["inspect", out.to_str().unwrap()]);
    let said = inspect();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("train, version ") && said.stdout.contains("all as they were written"));
    fs::write(out.join("metrics.csv"), "step\n").unwrap();
    let said = inspect();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("damaged") && said.stderr.contains("metrics.csv"), "{said:?}");
}
