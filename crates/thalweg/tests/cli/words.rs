//! What the terminal and the page say is what happened.

use std::fs;
use std::path::Path;

use crate::support::{miniature, run};

fn page(folder: &Path) -> String {
    fs::read_to_string(folder.join("report.html")).unwrap()
}

/// A miniature with these fields in place of its own: its exit code, what it told, and its page.
fn surveyed(folder: &Path, fields: &[&str]) -> (Option<i32>, String, String) {
    let more: Vec<&str> = fields.iter().flat_map(|field| ["--set", field]).collect();
    let said = run(&mut miniature(folder, &more));
    (said.code, said.stdout, page(folder))
}

#[test]
fn a_batch_of_more_than_all_is_all() {
    let temporary = tempfile::tempdir().unwrap();
    let fields = ["train.batch_size=99999", "train.loss=half_mean_square", "train.schedule.kind=constant"];
    let (code, _, page) = surveyed(temporary.path(), &fields);
    assert_eq!(code, Some(0));
    assert!(page.contains("with the whole training set in every step"));
    assert!(!page.contains("batches of 99999") && !page.contains("small batches"));
}

#[test]
fn the_highest_learning_rate_is_that_of_the_run() {
    let temporary = tempfile::tempdir().unwrap();
    let fields = ["train.lr=0.001", "train.schedule={kind=\"steps\", milestones=[0.5], factor=20.0}"];
    let (code, told, page) = surveyed(temporary.path(), &fields);
    assert_eq!(code, Some(0));
    assert!(page.contains("a learning rate of at most 0.02."), "{told}");
    assert!(told.contains("(η = 0.02, β = 0.9)"), "{told}");
}

#[test]
fn a_run_that_does_not_move_has_not_come_to_another_place() {
    let temporary = tempfile::tempdir().unwrap();
    let (code, told, page) = surveyed(temporary.path(), &["train.lr=1e-320"]);
    assert_eq!(code, Some(0));
    assert!(
        page.contains("θ* is θ₀ to the last bit") && page.contains("did not change as far as can be told")
    );
    assert!(told.contains("(η = 1e-320, β = 0.9)"), "{told}");
}

#[test]
fn a_solution_that_is_worse_than_the_start_is_called_that() {
    let temporary = tempfile::tempdir().unwrap();
    let first = temporary.path().join("first");
    assert_eq!(surveyed(&first, &["train.steps=200"]).0, Some(0));
    let initial = format!("initial.path={}", first.join("checkpoint-00000200.safetensors").display());
    let fields = [&initial[..], "train.lr=0.3", "train.steps=4", "train.schedule.kind=constant"];
    let (code, told, page) = surveyed(&temporary.path().join("second"), &fields);
    assert_eq!(code, Some(0));
    assert!(told.contains("worse than the start") && told.contains("loss +"), "{told}");
    assert!(page.contains("The training loss ends above where it began"));
    assert!(!told.contains("no better than a guess"), "{told}");
}

#[test]
fn a_diverged_run_is_told_with_the_steps_that_it_took() {
    let temporary = tempfile::tempdir().unwrap();
    let (code, told, page) = surveyed(temporary.path(), &["train.lr=1e36"]);
    assert_eq!(code, Some(3));
    let divergence: serde_json::Value =
        serde_json::from_slice(&fs::read(temporary.path().join("divergence.json")).unwrap()).unwrap();
    let step = divergence["step"].as_u64().unwrap();
    assert!(page.contains(&format!("(60 examples) for {step} of 24 steps, and diverged")));
    // Outputs that are no numbers are neither right nor wrong.
    assert!(told.contains("loss, train") && told.contains("not a number"), "{told}");
    assert!(!told.contains("error, train"), "{told}");
}
