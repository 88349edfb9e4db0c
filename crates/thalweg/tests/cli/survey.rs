//! The survey end to end, by real processes.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{assert_same, contents, miniature, results, run, survey};
use serde_json::Value;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_survey_writes_all_that_it_promises_and_is_made_once() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let said = run(&mut miniature(&out, &[]));
    assert_eq!(said.code, Some(0), "{said:?}");
    for finding in ["loss, train", "λ_max at the solution", "trajectory off its plane", "Gauss length"] {
        assert!(said.stdout.contains(finding), "{}", said.stdout);
    }
    let report = out.join("report.html");
    assert!(said.stdout.ends_with(&format!("report: {}\n", report.display())), "{}", said.stdout);
    assert!(said.stderr.contains("training: 24 steps in"), "{}", said.stderr);

    let files = contents(&out);
    for name in ["manifest.json", "findings.json", "timings.json", "report.html"] {
        assert!(files.contains_key(name), "{name} is missing");
    }
    for reading in ["training", "line", "plane", "trajectory", "spectrum.initialisation", "spectrum.solution"]
    {
        assert!(files.contains_key(&format!("{reading}.json")), "{reading}.json is missing");
        assert!(files[&format!("{reading}.npz")].starts_with(b"PK"), "{reading}.npz is no archive");
    }
    assert!(files["data.npz"].starts_with(b"PK"));
    findings_are_numbers(&json(&out.join("findings.json")));
    manifest_is_right(&out);
    pictures_are_well_formed(&out);
    page_is_whole(&report);

    // Nothing is done again: not one byte, not one time stamp.
    let stamps = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let mut stamps: Vec<_> =
            entries.map(|entry| (entry.file_name(), entry.metadata().unwrap().modified().unwrap())).collect();
        stamps.retain(|(name, _)| !name.to_string_lossy().contains("lock"));
        stamps.sort();
        stamps
    };
    let before = stamps(&out);
    let again = run(&mut miniature(&out, &[]));
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(
        again.stdout,
        format!("nothing to do: this survey is complete\nreport: {}\n", report.display())
    );
    assert_eq!(again.stderr, "");
    assert_same(&contents(&out), &files);
    assert_eq!(stamps(&out), before);
}

/// For programs a number, for people a text, and of what was searched for a bound and how the search ended.
fn findings_are_numbers(findings: &Value) {
    let named =
        |name: &str| findings.as_array().unwrap().iter().find(|finding| finding["name"] == name).unwrap();
    let loss = named("loss, train");
    assert!(loss["value"].as_f64().is_some_and(|loss| loss > 0.0) && loss["bound"].is_null());
    assert_eq!((&loss["unit"], &loss["outcome"]), (&"nats".into(), &Value::Null));
    let top = named("λ_max at the solution");
    let (value, bound) = (top["value"].as_f64().unwrap(), top["bound"].as_f64().unwrap());
    assert!(0.0 < bound && bound < 0.02 * value);
    assert_eq!(top["outcome"], "converged");
    assert!(top["text"].as_str().is_some_and(|text| !text.is_empty()));
}

/// Every file is on record with its length and digest, but for what cannot be.
fn manifest_is_right(out: &Path) {
    let manifest = json(&out.join("manifest.json"));
    let mut files = contents(out);
    for name in ["manifest.json", "timings.json"] {
        files.remove(name);
    }
    for file in manifest["stages"].as_array().unwrap().iter().flat_map(|s| s["files"].as_array().unwrap()) {
        let name = file["name"].as_str().unwrap();
        let bytes = files.remove(name).unwrap_or_else(|| panic!("{name} is on record and not there"));
        assert_eq!(file["bytes"], bytes.len(), "{name}");
        assert_eq!(file["blake3"], blake3::hash(&bytes).to_hex().to_string(), "{name}");
    }
    assert!(files.is_empty(), "not on record: {:?}", files.keys());
    assert_eq!(manifest["config"]["model"]["widths"], serde_json::json!([4]));
}

fn pictures_are_well_formed(out: &Path) {
    let files = contents(out);
    let with = |ending: &str| files.iter().filter(|(name, _)| name.ends_with(ending)).collect::<Vec<_>>();
    let (svgs, pngs) = (with(".svg"), with(".png"));
    assert_eq!((svgs.len(), pngs.len()), (13, 13));
    for (name, bytes) in svgs {
        let text = std::str::from_utf8(bytes).unwrap();
        let document = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(document.root_element().tag_name().name(), "svg", "{name}");
    }
    for (name, bytes) in pngs {
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.ends_with(b"IEND\xaeB\x60\x82"), "{name}");
    }
}

fn page_is_whole(report: &Path) {
    let html = fs::read_to_string(report).unwrap();
    for heading in [
        "Training",
        "The straight line",
        "A random plane",
        "The plane of the trajectory",
        "Curvature",
        "References",
        "Conventions",
        "Provenance",
    ] {
        assert!(html.contains(&format!(">{heading}</h2>")), "no section {heading}");
    }
    assert_eq!(html.matches("<figcaption").count(), 13);
    for number in ["NaN", "not a number", "∞"] {
        assert!(!html.split("<main").nth(1).unwrap().split("<figure").next().unwrap().contains(number));
    }
}

#[test]
fn readings_carry_convention_work_and_outcome() {
    let temporary = tempfile::tempdir().unwrap();
    let said = run(&mut miniature(temporary.path(), &["--quiet", "--set", "dtype=f64"]));
    assert_eq!((said.code, &said.stdout[..], &said.stderr[..]), (Some(0), "", ""));
    let read = |name: &str| json(&temporary.path().join(name));
    let spectrum = read("spectrum.solution.json");
    assert_eq!(spectrum["outcome"], "converged");
    assert_eq!(spectrum["convention"]["dtype"], "f64");
    assert_eq!(read("line.json")["uncertainty"], serde_json::json!({"kind": "rounding", "dtype": "f64"}));
    assert_eq!(spectrum["convention"]["data"], serde_json::json!({"name": "digits/train/60", "count": 60}));
    assert!(spectrum["work"]["hvps"].as_u64().unwrap() >= 4);
    let plane = read("plane.json");
    assert_eq!(plane["test"]["value"]["shape"], serde_json::json!([4, 5]));
    assert_eq!(plane["test"]["convention"]["normalisation"], "filter-wise");
    assert_eq!(plane["test"]["convention"]["data"]["name"], "digits/test");
    assert_eq!(plane["train"]["work"]["forwards"], 20);

    // The instruments agree where they look at the same point.
    let training = read("training.json");
    let last = |list: &Value| list.as_array().unwrap().last().unwrap().as_f64().unwrap();
    let loss = last(&training["value"]["loss_train"]);
    let line = &read("line.json")["value"]["curves"][0];
    assert_eq!(last(&line["loss"]), loss);
    assert_eq!(last(&read("trajectory.json")["loss_projected"]), loss);
    let start = &training["value"]["loss_test"][0];
    assert_eq!(&read("line.json")["value"]["curves"][1]["loss"][0], start);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let temporary = tempfile::tempdir().unwrap();
    let folders = ["1", "2", "5"].map(|threads| {
        let out = temporary.path().join(threads);
        let said = run(&mut miniature(&out, &["--quiet", "--threads", threads]));
        assert_eq!(said.code, Some(0), "{said:?}");
        out
    });
    assert_same(&results(&folders[0]), &results(&folders[1]));
    assert_same(&results(&folders[0]), &results(&folders[2]));
    let by_variable = temporary.path().join("variable");
    let said = run(miniature(&by_variable, &["--quiet"]).env("RAYON_NUM_THREADS", "1"));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_same(&results(&folders[1]), &results(&by_variable));
}

/// Where a multiply-add is one instruction. Without AVX-512 the second run repeats the first.
#[test]
#[cfg(target_arch = "x86_64")]
fn the_width_of_vectors_changes_no_bit() {
    if !is_x86_feature_detected!("fma") {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let folders = ["avx2", "avx512"].map(|level| {
        let out = temporary.path().join(level);
        let said = run(miniature(&out, &["--quiet"]).env("THALWEG_SIMD", level));
        assert_eq!(said.code, Some(0), "{said:?}");
        out
    });
    assert_same(&results(&folders[0]), &results(&folders[1]));
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bits() {
    let temporary = tempfile::tempdir().unwrap();
    let (killed, undisturbed) = (temporary.path().join("killed"), temporary.path().join("undisturbed"));
    let began = Instant::now();
    assert_eq!(run(&mut miniature(&undisturbed, &["--quiet"])).code, Some(0));
    let whole = began.elapsed();

    let mut noise = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    let mut kills = 0;
    for _ in 0..12 {
        let mut child = miniature(&killed, &["--quiet"]).spawn().unwrap();
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        thread::sleep(whole.mul_f64(0.3 * (noise % 1000) as f64 / 1000.0) + Duration::from_millis(2));
        // SIGKILL: no handler runs.
        child.kill().unwrap();
        match child.wait().unwrap().code() {
            None => kills += 1,
            code => {
                assert_eq!(code, Some(0));
                break;
            }
        }
    }
    assert!(kills > 0, "no process was killed");
    let said = run(&mut miniature(&killed, &["--quiet"]));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_same(&results(&killed), &results(&undisturbed));
}

#[cfg(unix)]
#[test]
fn an_interrupt_is_answered_and_the_run_goes_on_later() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let temporary = tempfile::tempdir().unwrap();
    let interrupted = |name: &str, set: &str, stage: &str| {
        let out = temporary.path().join(name);
        let mut child = miniature(&out, &["--set", set]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.starts_with(stage)));
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let rest: Vec<String> = lines.collect();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(
            rest.last().unwrap(),
            "error: interrupted; what was finished is kept, the same command goes on from there"
        );
        out
    };
    // In the middle of what an instrument asks for.
    let out = interrupted("plane", "plane.points=[3000, 3000]", "random plane: 18000000 evaluations");
    assert!(out.join("line.json").exists() && !out.join("plane.json").exists());
    // In the middle of training.
    let out = interrupted("training", "train.steps=2000000", "training: 2000000 steps");
    assert!(out.join("checkpoint-00000000.safetensors").exists());
    let states = contents(&out).into_keys().filter(|name| name.contains(".state-")).count();
    assert_eq!(states, 1, "the stretch under way was saved");
}

#[test]
fn the_whole_default_is_printed_and_can_be_given_back() {
    let temporary = tempfile::tempdir().unwrap();
    let printed = run(&mut survey(&["--print-config"]));
    assert_eq!(printed.code, Some(0));
    for line in ["seed = 0", "[model]", "widths = [64, 64]", "[train.schedule]", "[spectrum]"] {
        assert!(printed.stdout.lines().any(|found| found == line), "no line {line}");
    }
    let file = temporary.path().join("survey.toml");
    fs::write(&file, &printed.stdout).unwrap();
    let again = run(&mut survey(&["--config", file.to_str().unwrap(), "--print-config"]));
    assert_eq!(again.stdout, printed.stdout);
    let set = run(&mut survey(&["--set", "model.widths=[7]", "--print-config"]));
    assert_eq!(set.stdout, printed.stdout.replace("widths = [64, 64]", "widths = [7]"));
}

#[test]
fn without_a_folder_the_run_names_its_own() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = survey(&[]);
    crate::support::MINIATURE.iter().for_each(|field| {
        command.args(["--set", field]);
    });
    let said = run(command.current_dir(temporary.path()));
    assert_eq!(said.code, Some(0), "{said:?}");
    let folders: Vec<String> = fs::read_dir(temporary.path().join("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let [name] = &folders[..] else { panic!("{folders:?}") };
    assert_eq!((name.len(), &name[..7]), ("survey-".len() + 12, "survey-"));
    assert!(said.stdout.contains(&format!("report: runs/{name}/report.html")), "{}", said.stdout);
}

#[test]
fn training_can_start_from_a_checkpoint() {
    let temporary = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| temporary.path().join(name));
    assert_eq!(run(&mut miniature(&first, &["--quiet"])).code, Some(0));
    let initial = format!("initial.path={}", first.join("checkpoint-00000024.safetensors").display());
    let said = run(&mut miniature(&second, &["--quiet", "--set", &initial]));
    assert_eq!(said.code, Some(0), "{said:?}");
    let losses = |folder: &Path| json(&folder.join("training.json"))["value"]["loss_train"].clone();
    let (before, after) = (losses(&first), losses(&second));
    assert_eq!(after[0], *before.as_array().unwrap().last().unwrap());
}

#[test]
fn an_autoencoder_is_surveyed_to_the_end_and_has_no_error() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let mut command = survey(&["--out", out.to_str().unwrap(), "--set", "model.kind=autoencoder"]);
    let rest = crate::support::MINIATURE.iter().filter(|field| !field.starts_with("model."));
    for field in rest.chain(&["model.widths=[6,3]", "train.loss=reconstruction", "train.lr=0.01"]) {
        command.args(["--set", field]);
    }
    let said = run(&mut command);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(!said.stdout.contains("error, train"), "{said:?}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("nothing is misclassified") && !page.contains("Error during training"));
    for name in ["training-error", "line-error", "plane-error-test", "trajectory-error-test"] {
        assert!(!out.join(format!("{name}.svg")).exists(), "{name}");
    }
    let losses = json(&out.join("training.json"))["value"]["loss_train"].as_array().unwrap().clone();
    assert!(losses.last().unwrap().as_f64() < losses[0].as_f64(), "{losses:?}");
}

#[test]
fn networks_of_ones_own_are_surveyed_to_the_end() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    let layers = "model.layers=['conv 4 3x3 pad=1', 'groupnorm 2', 'relu', 'maxpool 2', {residual = ['conv 4 3x3 pad=same', \
                  'tanh']}, 'avgpool 2', 'flatten', 'linear 10']";
    // Instead of the perceptron's widths.
    let mut command =
        survey(&["--out", out.to_str().unwrap(), "--set", "model.kind=layers", "--set", layers]);
    let rest = crate::support::MINIATURE.iter().filter(|field| !field.starts_with("model."));
    rest.for_each(|field| {
        command.args(["--set", field]);
    });
    let said = run(&mut command);
    assert_eq!(said.code, Some(0), "{said:?}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(
        page.contains("layers 1×8×8-10 conv 4 3x3 pad=1, groupnorm 2, relu, maxpool 2"),
        "no network on the page"
    );
    let checkpoint = fs::read(out.join("checkpoint-00000024.safetensors")).unwrap();
    let header = String::from_utf8_lossy(&checkpoint[8..4096]).into_owned();
    for name in ["0.weight", "1.bias", "4.body.0.weight", "7.weight"] {
        assert!(header.contains(&format!("\"{name}\"")), "{header}");
    }
    // All is there: nothing is done again.
    let before = contents(&out);
    assert_eq!(run(&mut command).code, Some(0));
    assert_same(&contents(&out), &before);
}
