//! Bad input: each case has its message, its exit code, and nothing that existed is lost.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Said, assert_same, contents, copy, miniature, results, run, survey};
use tempfile::TempDir;

/// A finished miniature in a folder of its own.
fn finished() -> (TempDir, PathBuf) {
    use std::sync::OnceLock;
    static MADE: OnceLock<TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let made = tempfile::tempdir().unwrap();
        assert_eq!(run(&mut miniature(&made.path().join("run"), &["--quiet"])).code, Some(0));
        made
    });
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    copy(&made.path().join("run"), &out);
    (temporary, out)
}

fn refused(said: &Said, message: &str) {
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.stdout, "");
    let found = said.stderr.split("\nhelp: ").next().unwrap().trim_end();
    assert_eq!(found, format!("error: {message}"));
}

#[test]
fn a_misspelt_field_is_named_with_its_nearest() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let file = temporary.path().join("survey.toml");
    fs::write(&file, "seed = 1\n\n[model]\nwidth = [8]\n").unwrap();
    let said = run(&mut miniature(&out, &["--config", file.to_str().unwrap()]));
    let place = file.display();
    refused(&said, &format!("unknown field `model.width` in {place} line 4; did you mean `model.widths`?"));
    assert!(said.stderr.contains("help: `thalweg survey --print-config` shows every field"), "{said:?}");
    assert!(!out.exists(), "a folder was made for a run that cannot be");

    // In an existing run's folder too, nothing changes.
    let (_temporary, out) = finished();
    let before = contents(&out);
    let said = run(&mut miniature(&out, &["--set", "spectrum.bigest=3"]));
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("unknown field `spectrum.bigest` in `--set spectrum.bigest=3`"), "{said:?}");
    assert_same(&contents(&out), &before);
}

#[test]
fn values_of_the_wrong_kind_are_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    for (set, message) in [
        (
            "train.batch_size=0",
            "`train.batch_size` in `--set train.batch_size=0`: expected a number of examples, at least 1, or \"full\", found the integer 0",
        ),
        ("seed=-1", "`seed` in `--set seed=-1`: expected an integer, 0 or more, found the integer -1"),
        ("seed", "`--set seed`: there is no `=`; expected path.to.field=value"),
        (
            "model.activation=rellu",
            "unknown value \"rellu\" for `model.activation` in `--set model.activation=rellu`: expected one of relu, tanh, \
             erf, sigmoid, gelu, silu, linear; did you mean `relu`?",
        ),
    ] {
        let said = run(&mut miniature(&out, &["--set", set]));
        assert_eq!(said.code, Some(1), "{set}: {said:?}");
        assert!(said.stderr.starts_with("error: "), "{set}: {said:?}");
        let key = set.split('=').next().unwrap();
        assert!(said.stderr.contains(key), "{set}: {said:?}");
        let (found, wanted) = (said.stderr.lines().next().unwrap(), message);
        assert_eq!(found, format!("error: {wanted}"));
        assert!(!out.exists());
    }
}

#[test]
fn impossible_shapes_are_refused_before_anything_is_made() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let said = run(&mut miniature(&out, &["--set", "model.widths=[8, 0]"]));
    refused(&said, "`model.widths`: expected at least 1 unit in every layer, found [8, 0]");
    let said = run(&mut miniature(&out, &["--set", "plane.points=[0, 5]"]));
    refused(
        &said,
        "`plane.points`: expected [x, y] with at least 2 points along each and at most 10000000 in all, found [0, 5]",
    );
    let said = run(&mut miniature(&out, &["--set", "line.points=0"]));
    refused(&said, "`line.points`: expected from 2 to 10000000 points, found 0");
    assert!(!out.exists());
}

fn digits_rows(count: usize) -> String {
    (0..count)
        .map(|i| {
            let pixels: Vec<String> = (0..64).map(|j| ((i * 7 + j * 3) % 17).to_string()).collect();
            format!("{},{}\n", pixels.join(","), i % 10)
        })
        .collect()
}

#[test]
fn a_data_file_cut_short_is_named_with_the_line() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let file = temporary.path().join("digits.csv");
    let text = digits_rows(50);
    let data = format!("data={{kind = \"digits_file\", path = {file:?}, test_examples = 10, examples = 50}}");
    let with_data = |out: &Path| {
        let mut command = survey(&["--out", out.to_str().unwrap(), "--set", &data]);
        let rest = crate::support::MINIATURE.iter().filter(|field| !field.starts_with("data."));
        rest.for_each(|field| {
            command.args(["--set", field]);
        });
        command
    };
    fs::write(&file, &text[..text.len() - 40]).unwrap();
    let said = run(&mut with_data(&out));
    assert_eq!(said.code, Some(1), "{said:?}");
    let begin = format!("error: data: {}, line 50: expected 65 fields, found ", file.display());
    assert!(said.stderr.starts_with(&begin), "{said:?}");
    assert!(!out.exists());

    // Cut at the end of a row, only the announced number can tell.
    let rows: Vec<&str> = text.lines().take(49).collect();
    fs::write(&file, rows.join("\n")).unwrap();
    refused(&run(&mut with_data(&out)), &format!("data: {}: expected 50 rows, found 49", file.display()));

    // Whole, it trains; and when the file is cut afterwards, the finished survey stays as it is.
    fs::write(&file, &text).unwrap();
    let said = run(&mut with_data(&out));
    assert_eq!(said.code, Some(0), "{said:?}");
    let before = contents(&out);
    fs::write(&file, &text[..text.len() - 40]).unwrap();
    assert_eq!(run(&mut with_data(&out)).code, Some(1));
    assert_same(&contents(&out), &before);
    fs::remove_file(&file).unwrap();
    let said = run(&mut with_data(&out));
    assert!(
        said.stderr.starts_with(&format!("error: `data.path`: cannot read {}", file.display())),
        "{said:?}"
    );
}

/// A pipe nobody writes to would be waited for without end.
#[cfg(unix)]
#[test]
fn data_that_are_no_file_are_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    for (kind, model) in [("text_file", "gpt"), ("digits_file", "mlp")] {
        let data = format!("data={{kind = \"{kind}\", path = \"/dev/zero\"}}");
        let model = format!("model.kind={model}");
        let said = run(&mut survey(&["--out", out.to_str().unwrap(), "--set", &data, "--set", &model]));
        refused(&said, "`data.path`: expected a file, found /dev/zero, which is none");
        assert!(!out.exists());
    }
}

#[test]
fn a_checkpoint_of_another_network_is_refused() {
    let (temporary, out) = finished();
    let before = contents(&out);
    let checkpoint = out.join("checkpoint-00000024.safetensors");
    let initial = format!("initial.path={}", checkpoint.display());
    let other = temporary.path().join("other");
    let said = run(&mut miniature(&other, &["--set", &initial, "--set", "model.widths=[5]"]));
    refused(
        &said,
        &format!(
            "checkpoint {} is of another network: leaf layers.0.weight has shape [4, 64], expected [5, 64]",
            checkpoint.display()
        ),
    );
    let said = run(&mut miniature(&other, &["--set", &initial, "--set", "model.widths=[4, 4]"]));
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("is of another network"), "{said:?}");

    let bytes = fs::read(&checkpoint).unwrap();
    let cut = temporary.path().join("cut.safetensors");
    fs::write(&cut, &bytes[..bytes.len() - 100]).unwrap();
    let said = run(&mut miniature(&other, &["--set", &format!("initial.path={}", cut.display())]));
    refused(
        &said,
        &format!(
            "checkpoint {}: expected {} bytes, found {}: the file was cut off or is none",
            cut.display(),
            bytes.len(),
            bytes.len() - 100
        ),
    );
    assert!(!other.exists());
    assert_same(&contents(&out), &before);
}

#[test]
fn a_damaged_file_is_named_and_repair_makes_it_again() {
    let (_temporary, out) = finished();
    let whole = contents(&out);
    let spoilt = ["line.npz", "checkpoint-00000010.safetensors"];
    for name in spoilt {
        let mut bytes = whole[name].clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        fs::write(out.join(name), bytes).unwrap();
    }
    fs::remove_file(out.join("plane.json")).unwrap();
    let damaged = contents(&out);
    let said = run(&mut miniature(&out, &[]));
    assert_eq!((said.code, &said.stdout[..]), (Some(1), ""));
    let (first, rest) = said.stderr.split_once('\n').unwrap();
    let expected = format!("error: {} has damaged files; --repair keeps them as *.damaged", out.display());
    assert!(first.starts_with(&expected), "{first}");
    for part in [
        "line.npz (stage line): expected digest",
        "checkpoint-00000010.safetensors (stage train.00000010)",
        "plane.json (stage plane): missing",
    ] {
        assert!(rest.contains(part), "{part}: {rest}");
    }
    assert_same(&contents(&out), &damaged);

    let said = run(&mut miniature(&out, &["--repair"]));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("stage line had damaged files and is done again"), "{said:?}");
    let mut repaired = results(&out);
    for name in spoilt {
        let aside = repaired.remove(&format!("{name}.damaged")).expect("the damaged file is kept");
        assert_eq!(aside, damaged[name]);
    }
    let mut expected = whole;
    expected.retain(|name, _| repaired.contains_key(name));
    assert_same(&repaired, &expected);
    assert!(run(&mut miniature(&out, &[])).stdout.starts_with("nothing to do"));
}

#[test]
fn a_loss_that_is_not_finite_is_a_result() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let said = run(&mut miniature(&out, &["--set", "train.lr=1e36"]));
    assert_eq!(said.code, Some(3), "{said:?}");
    let error = said.stderr.lines().find(|line| line.starts_with("error: ")).unwrap();
    let expected = "error: training diverged: a loss that is not finite at step ";
    assert!(error.starts_with(expected), "{error}");
    assert!(said.stderr.contains("help: what was measured before is in"), "{said:?}");
    assert!(said.stdout.contains("training diverged"), "{said:?}");

    let divergence: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("divergence.json")).unwrap()).unwrap();
    let step = divergence["step"].as_u64().unwrap();
    assert!(error.contains(&format!("at step {step} (loss ")), "{error}");
    let files = contents(&out);
    assert!(files.contains_key("checkpoint-00000000.safetensors") && files.contains_key("training.npz"));
    assert!(files.contains_key("spectrum.initialisation.json"));
    for skipped in ["line.json", "plane.json", "trajectory.json", "spectrum.solution.json"] {
        assert!(!files.contains_key(skipped), "{skipped} needs a solution");
    }
    let html = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(
        html.contains("Not measured: the line needs a solution, and training diverged"),
        "the page says so"
    );

    let again = run(&mut miniature(&out, &["--set", "train.lr=1e36"]));
    assert_eq!(again.code, Some(3));
    assert!(again.stdout.starts_with("nothing to do"), "{again:?}");
    assert_same(&contents(&out), &files);
}

#[test]
fn what_did_not_go_well_is_said_in_the_table() {
    let temporary = tempfile::tempdir().unwrap();
    // A budget that does not reach.
    let said = run(&mut miniature(
        &temporary.path().join("short"),
        &["--set", "spectrum.products_max=6", "--quiet"],
    ));
    assert_eq!((said.code, &said.stdout[..]), (Some(0), ""));
    let said = run(&mut miniature(&temporary.path().join("spent"), &["--set", "spectrum.products_max=6"]));
    let line = said.stdout.lines().find(|line| line.contains("λ_max at the solution ")).unwrap();
    assert!(line.ends_with("(not every pair converged: the budget was spent)"), "{line}");
    // A network that goes nowhere.
    let lost = ["--set", "train.lr=50", "--set", "train.schedule.kind=constant"];
    let said = run(&mut miniature(&temporary.path().join("lost"), &lost));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("no better than a guess"), "{}", said.stdout);
}

#[test]
fn another_run_or_another_thing_in_the_folder_is_left_alone() {
    let (temporary, out) = finished();
    let before = contents(&out);
    let said = run(&mut miniature(&out, &["--set", "seed=7"]));
    assert_eq!(said.code, Some(1));
    assert!(
        said.stderr.contains("holds another run")
            && said.stderr.contains("seed: 0 in the folder, 7 asked for"),
        "{said:?}"
    );
    assert!(
        said.stderr.contains("help: nothing there was changed; name another folder with --out"),
        "{said:?}"
    );
    assert_same(&contents(&out), &before);

    let foreign = temporary.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("thesis.tex"), "years of work").unwrap();
    let said = run(&mut miniature(&foreign, &[]));
    let place = foreign.display();
    refused(
        &said,
        &format!(
            "{place} is not a run's folder: it has no manifest.json but holds \"thesis.tex\"; choose another folder"
        ),
    );
    assert_eq!(contents(&foreign).into_keys().collect::<Vec<_>>(), ["thesis.tex"]);
    let file = foreign.join("thesis.tex");
    refused(&run(&mut miniature(&file, &[])), &format!("{} is not a folder", file.display()));
    assert_eq!(fs::read_to_string(&file).unwrap(), "years of work");
}

#[test]
fn a_wrong_command_line_has_an_exit_code_of_its_own() {
    for arguments in [&["--colour", "blue"][..], &["--threads", "0"], &["extra"]] {
        let said = run(&mut survey(arguments));
        assert_eq!(said.code, Some(2), "{arguments:?}: {said:?}");
        assert!(said.stderr.starts_with("error: "), "{arguments:?}: {said:?}");
    }
}
