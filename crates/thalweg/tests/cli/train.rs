//! Training runs: real processes, also killed ones.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{assert_same, contents, results, run};

/// A run of about a second, with batch norms, dropout's keys and checkpoints in the middle of epochs.
const RUN: [&str; 7] = [
    "model={kind='layers', layers=['flatten', 'linear 48', 'batchnorm', 'relu', 'dropout 0.1', 'linear 10']}",
    "data.train_examples=500",
    "train.steps=4000",
    "train.batch_size=32",
    "evaluate=40it",
    "checkpoints.at=['777it', '100ep', '2001it']",
    "train.optimiser={kind='adam'}",
];

/// `thalweg train` with these settings over [`RUN`]'s.
fn train(out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command.args(["train", "--out", out.to_str().unwrap()]);
    RUN.iter().chain(&["train.lr=0.002"]).for_each(|field| {
        command.args(["--set", field]);
    });
    command.args(more);
    command
}

fn undisturbed(out: &Path, more: &[&str]) {
    let said = run(&mut train(out, more));
    assert_eq!(said.code, Some(0), "{said:?}");
}

/// Kills a run with these settings so many times, and lets it come to its end.
fn comes_to_the_same_bytes(more: &[&str], kills: u64, last: &str) {
    let temporary = tempfile::tempdir().unwrap();
    let [whole, killed] = ["whole", "killed"].map(|name| temporary.path().join(name));
    undisturbed(&whole, more);
    let mut cut = 0;
    for kill in 0..kills {
        // State is saved at every step, so that kills fall into its writing, and every process gets somewhere.
        let mut child = train(&killed, &[&["--save-every", "0", "--quiet"], more].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(30 + 37 * (kill * 11 % kills) / 10));
        cut += u64::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(cut >= kills / 2, "only {cut} of {kills} were still at work");
    undisturbed(&killed, more);
    assert_same(&results(&whole), &results(&killed));
    // What a killed process leaves as it finishes a stage.
    let left = killed.join(format!("{last}.state-a"));
    fs::write(&left, "left").unwrap();
    run(&mut train(&killed, more));
    assert!(!left.exists());
}

#[test]
fn a_run_killed_dozens_of_times_comes_to_the_same_bytes() {
    comes_to_the_same_bytes(&[], 30, "train.00004000");
}

#[test]
fn a_killed_run_of_a_full_batch_optimiser_comes_to_the_same_bytes() {
    for optimiser in ["lbfgs", "gradient_flow"] {
        let kind = format!("train.optimiser.kind={optimiser}");
        let settings = [
            &kind[..],
            "model={kind='layers', layers=['flatten', 'linear 24', 'batchnorm', 'relu', 'linear 10']}",
            "train.batch_size=full",
            "train.label_smoothing=0.1",
            "train.lr=0.1",
            "train.steps=500",
            "checkpoints.at=['77it', '300ep']",
        ];
        let settings: Vec<&str> = settings.into_iter().flat_map(|setting| ["--set", setting]).collect();
        comes_to_the_same_bytes(&settings, 12, "train.00000500");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on_to_the_same_bytes() {
    let temporary = tempfile::tempdir().unwrap();
    let [whole, stopped] = ["whole", "stopped"].map(|name| temporary.path().join(name));
    undisturbed(&whole, &[]);
    let mut codes = Vec::new();
    for wait in [150, 250] {
        // A signal that was inherited as ignored would stay ignored; this one hardly ever is.
        let child = train(&stopped, &["--quiet"]).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(wait));
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        codes.push(child.wait_with_output().unwrap().status.code());
    }
    assert!(codes.contains(&Some(130)), "{codes:?}");
    undisturbed(&stopped, &[]);
    assert_same(&results(&whole), &results(&stopped));
    let said = run(&mut train(&stopped, &[]));
    assert!(said.stdout.starts_with("nothing to do: this run is complete"), "{said:?}");
}

#[test]
fn runs_side_by_side_are_those_of_one_after_the_other() {
    let temporary = tempfile::tempdir().unwrap();
    let together = temporary.path().join("together");
    let said = run(&mut train(
        &together,
        &[
            "--seeds",
            "3..5",
            "--vary",
            "train.steps=[300, 400]",
            "--set",
            "checkpoints.at=[]",
            "--threads",
            "3",
        ],
    ));
    assert_eq!(said.code, Some(0), "{said:?}");
    for name in ["steps-300_seed-3", "steps-300_seed-4", "steps-400_seed-3", "steps-400_seed-4"] {
        assert!(said.stdout.contains(name), "{said:?}");
        let (steps, seed) = (&name[6..9], &name[15..]);
        let alone = temporary.path().join(name);
        let settings = [format!("train.steps={steps}"), format!("seed={seed}")];
        undisturbed(
            &alone,
            &["--set", &settings[0], "--set", &settings[1], "--set", "checkpoints.at=[]", "--threads", "1"],
        );
        assert_same(&results(&together.join(name)), &results(&alone));
    }
    let again = run(&mut train(
        &together,
        &["--seeds", "3..5", "--vary", "train.steps=[300, 400]", "--set", "checkpoints.at=[]"],
    ));
    assert_eq!((again.code, again.stdout), (Some(0), said.stdout), "nothing is left to do");
}

#[test]
fn runs_that_share_a_seed_and_not_their_noise_begin_alike() {
    let temporary = tempfile::tempdir().unwrap();
    let said = run(&mut train(
        temporary.path(),
        &["--vary", "noise_seed=[1, 2]", "--set", "train.steps=50", "--set", "checkpoints.at=[]"],
    ));
    assert_eq!(said.code, Some(0), "{said:?}");
    let read = |run: &str, step: &str| {
        fs::read(temporary.path().join(run).join(format!("checkpoint-000000{step}.safetensors"))).unwrap()
    };
    assert_eq!(read("noise_seed-1", "00"), read("noise_seed-2", "00"));
    assert_ne!(read("noise_seed-1", "50"), read("noise_seed-2", "50"));
}

#[test]
fn a_run_that_diverges_ends_with_what_it_had() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let wild = [
        "--set",
        "train.lr=1e30",
        "--set",
        "train.optimiser={kind='sgd'}",
        "--set",
        "checkpoints.at=['1it']",
    ];
    let said = run(&mut train(&out, &wild));
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("training diverged: "), "{said:?}");
    let files = contents(&out);
    assert!(files.contains_key("divergence.json") && files.contains_key("metrics.csv"), "{:?}", files.keys());
    let result = String::from_utf8_lossy(&files["result.json"]).into_owned();
    assert!(result.contains("\"divergence\": {"), "{result}");
    assert_eq!(run(&mut train(&out, &wild)).code, Some(3), "again");
}

#[test]
fn a_flow_that_is_too_stiff_ends_with_what_it_had() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let stiff = [
        "train.optimiser={kind='gradient_flow', substeps_max=40}",
        "model={kind='linear'}",
        "train.batch_size=full",
        "train.steps=5",
        "train.lr=1000",
        "checkpoints.at=[]",
    ];
    let stiff: Vec<&str> = stiff.into_iter().flat_map(|setting| ["--set", setting]).collect();
    let said = run(&mut train(&out, &stiff));
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        said.stderr.contains("40 substeps were not enough for the gradient flow at step 0")
            && said.stderr.contains("train.optimiser.substeps_max"),
        "{said:?}"
    );
    assert!(String::from_utf8_lossy(&contents(&out)["divergence.json"]).contains("\"substeps\": 40"));
}

#[test]
fn a_damaged_checkpoint_is_named_and_done_again() {
    let temporary = tempfile::tempdir().unwrap();
    let [whole, damaged] = ["whole", "damaged"].map(|name| temporary.path().join(name));
    undisturbed(&whole, &[]);
    undisturbed(&damaged, &[]);
    let name = "checkpoint-00002001.safetensors";
    let path = damaged.join(name);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let said = run(&mut train(&damaged, &[]));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains(name) && said.stderr.contains("--repair"), "{said:?}");
    undisturbed(&damaged, &["--repair"]);
    let mut files = results(&damaged);
    files.retain(|name, _| !name.contains("damaged"));
    assert_same(&results(&whole), &files);
}

#[test]
fn bad_input_is_said_before_anything_is_written() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let cases: [(&[&str], &str); 14] = [
        (
            &["--set", "train.optimiser.kind=lbfgs"],
            "`train.batch_size`: expected \"full\", as lbfgs is for the loss of all examples, found 32",
        ),
        (
            &["--set", "train.optimiser.kind=gradient_flow", "--set", "train.batch_size=full"],
            "`train.optimiser.kind`: expected an optimiser that steps along random gradients, as this network has dropout, found \
             gradient_flow",
        ),
        (
            &["--set", "train.optimiser={kind='lbfgs', history=0}"],
            "`train.optimiser.history`: expected from 1 to 100, found 0",
        ),
        (&["--set", "train.label_smoothing=1.0"], "`train.label_smoothing`: expected in [0, 1), found 1"),
        (
            &["--set", "train.loss=half_mean_square", "--set", "train.label_smoothing=0.1"],
            "`train.label_smoothing`: expected unset, as half_mean_square has no labels to smooth, found 0.1",
        ),
        (&["--vary", "seed=[1, 2]", "--seeds", "0..2"], "`seed` is varied twice"),
        (&["--vary", "train.lr=[0.1]", "--vary", "train.lr=[0.2]"], "`train.lr` is varied twice"),
        (&["--set", "evaluate=0it"], "`evaluate`: expected at least \"1it\", found 0it"),
        (&["--set", "evaluate=daily"], "500it"),
        (&["--set", "checkpoints.at=['9999it']"], "`checkpoints.at`: expected moments within the 4000 steps"),
        (&["--set", "checkpoint.at=['9it']"], "checkpoints"),
        (&["--vary", "train.lr=0.1"], "`--vary train.lr=0.1`: the values are no array"),
        (&["--vary", "train.lr=[0.1, 0.1]"], "two of the runs would be called lr-0.1"),
        (&["--vary", "train.lr=[0.1, -0.1]"], "`train.lr`: expected a finite number above 0, found -0.1"),
    ];
    for (arguments, expected) in cases {
        let said = run(&mut train(&out, arguments));
        assert_eq!(said.code, Some(1), "{arguments:?} {said:?}");
        assert!(said.stderr.contains(expected), "{arguments:?} {said:?}");
        assert!(!out.exists(), "{arguments:?}");
    }
    let said = run(&mut train(&out, &["--seeds", "3..1"]));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("expected FROM..TO with FROM below TO"), "{said:?}");
    // A file where the folder of all runs should be.
    fs::write(&out, "mine").unwrap();
    let said = run(&mut train(&out, &["--seeds", "0..2"]));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("2 of 2 runs failed"), "{said:?}");
    assert_eq!(fs::read(&out).unwrap(), b"mine");
}
