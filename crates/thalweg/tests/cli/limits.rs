//! What is too much, and what is only much.

use std::path::Path;

use crate::support::{Said, miniature, run};

fn refused(out: &Path, more: &[&str]) -> String {
    let Said { code, stdout, stderr } = run(&mut miniature(out, more));
    assert_eq!((code, &stdout[..]), (Some(1), ""), "{stderr}");
    assert!(!out.exists(), "a folder was made for a run that cannot be");
    stderr
}

#[test]
fn what_no_machine_can_do_is_refused_before_anything_is_made() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let forever = i64::MAX.to_string();
    for (set, expected) in [
        (
            "line.to=1e14",
            "`line.from and line.to`: expected two numbers from -1000000 to 1000000, found [0, 1e14]",
        ),
        (
            "line.from=-1e30",
            "`line.from and line.to`: expected two numbers from -1000000 to 1000000, found [-1e30, 1]",
        ),
        (
            "plane.y=[-1e308, 1.7e308]",
            "`plane.y`: expected two numbers from -1000000 to 1000000, found [-1e308, 1.7e308]",
        ),
        (
            &format!("train.steps={forever}"),
            &format!("`train.steps`: expected at most 1000000000000000 steps, found {forever}"),
        ),
        (
            "checkpoints.per_decade=4294967295",
            "`checkpoints.per_decade`: expected at most 1000, found 4294967295",
        ),
        (
            "model.widths=[900000000]",
            "`model.widths`: expected a network of at most 1000000000 parameters, found [900000000]: 67500000010 with 64 inputs \
             and 10 outputs",
        ),
        (
            "train.optimiser={kind=\"sgd\", momentum=0.0, nesterov=true}",
            "`train.optimiser.nesterov`: expected a momentum above 0 beside it, found true with momentum 0",
        ),
    ] {
        let help = "help: `thalweg survey --print-config` shows every field with its default\n";
        assert_eq!(refused(&out, &["--set", set]), format!("error: {expected}\n{help}"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_network_that_does_not_fit_is_refused_with_what_it_needs() {
    let temporary = tempfile::tempdir().unwrap();
    let more = ["--set", "model.widths=[31000, 31000]", "--set", "spectrum.products_max=100000"];
    let said = refused(&temporary.path().join("run"), &more);
    let expected = "error: not enough memory: the search for eigenvalues needs 770700.2 GB at least for 963356010 parameters, this \
                    machine has ";
    assert!(said.starts_with(expected), "{said}");
    let end = " GB; a lower `spectrum.products_max` would need less: each product keeps a vector\n";
    assert!(said.ends_with(end), "{said}");
}

#[test]
fn a_block_of_more_vectors_than_dimensions_is_one_of_all_dimensions() {
    let temporary = tempfile::tempdir().unwrap();
    let more = [
        "--set",
        "spectrum.block=1000000000",
        "--set",
        "spectrum.products_max=4000000000",
        "--set",
        "model.widths=[2]",
    ];
    let said = run(&mut miniature(&temporary.path().join("run"), &more));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("λ_max at the solution"), "{said:?}");
}

#[test]
fn a_long_line_has_both_ends() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let more = ["--set", "line.from=-1e6", "--set", "line.to=1e6", "--set", "line.points=4"];
    let said = run(&mut miniature(&out, &more));
    assert_eq!(said.code, Some(0), "{said:?}");
    let line: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("line.json")).unwrap()).unwrap();
    let alphas: Vec<f64> =
        line["value"]["alpha"].as_array().unwrap().iter().map(|alpha| alpha.as_f64().unwrap()).collect();
    assert_eq!(alphas.len(), 6);
    assert!(alphas.contains(&0.0) && alphas.contains(&1.0), "{alphas:?}");
}
