//! Folders with things of others in them: nothing of theirs is touched.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::support::{Said, assert_same, contents, miniature, results, run};

/// Everything in a folder, the lock included; links by where they lead.
fn everything(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = entry.path();
            let content = match fs::read_link(&path) {
                Ok(target) => target.into_os_string().into_encoded_bytes(),
                Err(_) if path.is_dir() => b"a folder".to_vec(),
                Err(_) => fs::read(&path).unwrap(),
            };
            (name, content)
        })
        .collect();
    all.sort();
    all
}

/// Refused with exactly this message and help, and the folder as it was.
fn refused_untouched(folder: &Path, message: &str, help: &str) {
    let before = everything(folder);
    let Said { code, stdout, stderr } = run(&mut miniature(folder, &[]));
    assert_eq!((code, &stdout[..]), (Some(1), ""), "{stderr}");
    let help = if help.is_empty() { String::new() } else { format!("help: {help}\n") };
    assert_eq!(stderr, format!("error: {message}\n{help}"));
    assert_eq!(everything(folder), before);
}

const ELSEWHERE: &str = "nothing there was changed; name another folder with --out";

#[test]
fn another_programs_files_are_left_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = |name: &str, files: &[(&str, &str)]| {
        let folder = temporary.path().join(name);
        fs::create_dir(&folder).unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
        folder
    };
    let place = |folder: &Path, name: &str| folder.join(name).display().to_string();

    let app = folder("app", &[("manifest.json", "{\"name\": \"app\"}"), (".lock", "PRECIOUS")]);
    let message = "is not the manifest of a run but something else's; choose another folder";
    refused_untouched(&app, &format!("{} {message}", place(&app, "manifest.json")), ELSEWHERE);
    let app = folder("no-lock", &[("manifest.json", "[1, 2]")]);
    refused_untouched(&app, &format!("{} {message}", place(&app, "manifest.json")), ELSEWHERE);

    let message = "is not the lock of a run but something else's; choose another folder";
    for (name, text) in [("words", "PRECIOUS"), ("numbers", "12 monkeys"), ("long", &"7".repeat(30)[..])] {
        let locked = folder(name, &[(".lock", text)]);
        refused_untouched(&locked, &format!("{} {message}", place(&locked, ".lock")), ELSEWHERE);
    }

    let temporaries = folder("temporaries", &[(".thalweg-tmp-mine", "mine")]);
    let message = format!(
        "{} is not a run's folder: it has no manifest.json but holds \".thalweg-tmp-mine\"; choose another folder",
        temporaries.display()
    );
    refused_untouched(&temporaries, &message, ELSEWHERE);
}

#[test]
fn in_a_runs_folder_too_only_what_is_ours_goes() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    assert_eq!(run(&mut miniature(&out, &["--quiet"])).code, Some(0));
    let before = contents(&out);
    fs::write(out.join(".thalweg-tmp-1234-0"), "half a file").unwrap();
    fs::write(out.join(".thalweg-tmp-mine"), "mine").unwrap();
    assert!(run(&mut miniature(&out, &[])).stdout.starts_with("nothing to do"));
    let mut after = contents(&out);
    assert_eq!(after.remove(".thalweg-tmp-mine").unwrap(), b"mine");
    assert_same(&after, &before);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_to_what_is_not_ours() {
    use std::os::unix::fs::symlink;

    let temporary = tempfile::tempdir().unwrap();
    let precious = temporary.path().join("precious.txt");
    let out = temporary.path().join("run");
    fs::create_dir(&out).unwrap();
    symlink("../precious.txt", out.join(".lock")).unwrap();
    let place = out.join(".lock");
    let message =
        format!("{} is not the lock of a run but something else's; choose another folder", place.display());
    for content in [None, Some(""), Some("1234\n"), Some("p\n")] {
        let _ = fs::remove_file(&precious);
        if let Some(content) = content {
            fs::write(&precious, content).unwrap();
        }
        refused_untouched(&out, &message, ELSEWHERE);
        assert_eq!(fs::read_to_string(&precious).ok().as_deref(), content);
    }

    // A manifest on a disk that is not there now.
    fs::remove_file(out.join(".lock")).unwrap();
    symlink("../away/manifest.json", out.join("manifest.json")).unwrap();
    let message = format!(
        "cannot read {}: No such file or directory (os error 2)",
        out.join("manifest.json").display()
    );
    refused_untouched(&out, &message, "");
}

#[test]
fn a_folder_in_the_place_of_a_file_is_damage_that_can_be_repaired() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("run");
    assert_eq!(run(&mut miniature(&out, &["--quiet"])).code, Some(0));
    let whole = results(&out);
    fs::remove_file(out.join("line.json")).unwrap();
    fs::create_dir(out.join("line.json")).unwrap();
    fs::write(out.join("line.json").join("mine.txt"), "mine").unwrap();
    fs::write(out.join("plane.npz"), "cut").unwrap();
    let said = run(&mut miniature(&out, &[]));
    assert_eq!(said.code, Some(1), "{said:?}");
    for part in ["line.json (stage line): a folder is in its place", "plane.npz (stage plane): expected "] {
        assert!(said.stderr.contains(part), "{part}: {said:?}");
    }
    assert!(said.stderr.contains("help: run the same command with --repair"), "{said:?}");
    assert_eq!(fs::read_to_string(out.join("line.json").join("mine.txt")).unwrap(), "mine");

    let said = run(&mut miniature(&out, &["--repair"]));
    assert_eq!(said.code, Some(0), "{said:?}");
    let aside = out.join("line.json.damaged");
    assert_eq!(fs::read_to_string(aside.join("mine.txt")).unwrap(), "mine");
    fs::remove_dir_all(aside).unwrap();
    let mut repaired = results(&out);
    assert_eq!(repaired.remove("plane.npz.damaged").unwrap(), b"cut");
    assert_same(&repaired, &whole);
}

#[test]
fn what_is_put_where_a_stage_writes_is_kept_aside() {
    let temporary = tempfile::tempdir().unwrap();
    let [out, undisturbed] = ["run", "undisturbed"].map(|name| temporary.path().join(name));
    let more = ["--set", "plane.points=[60, 60]"];
    let mut child = miniature(&out, &more).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("training: ")));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
    assert!(!out.join("spectrum.svg").exists() && !out.join("plane.json").exists());
    fs::write(out.join("spectrum.svg"), "my own drawing").unwrap();
    fs::write(out.join("plane.json"), "my notes").unwrap();
    fs::write(out.join("timings.json"), "my times").unwrap();

    let said = run(&mut miniature(&out, &more));
    assert_eq!(said.code, Some(0), "{said:?}");
    for name in ["spectrum.svg", "plane.json", "timings.json"] {
        let note = format!("{name} was there with another content, which is now in {name}.found");
        assert!(said.stderr.contains(&note), "{said:?}");
    }
    let mut found = results(&out);
    assert_eq!(found.remove("spectrum.svg.found").unwrap(), b"my own drawing");
    assert_eq!(found.remove("plane.json.found").unwrap(), b"my notes");
    assert_eq!(found.remove("timings.json.found").unwrap(), b"my times");
    assert_eq!(run(&mut miniature(&undisturbed, &more)).code, Some(0));
    assert_same(&found, &results(&undisturbed));
    let again = run(&mut miniature(&out, &more));
    assert_eq!((again.code, &again.stderr[..]), (Some(0), ""));
}
