//! Signals: what was inherited as ignored stays ignored, and all else is answered.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{MINIATURE, contents};

/// A miniature that is started with `ignored` ignored and sent `sent` once it trains: its exit code, and the last line
/// that it wrote to stderr.
fn signalled(out: &Path, ignored: &str, sent: &str, more: &[&str]) -> (Option<i32>, String) {
    // A shell cannot undo what it inherited, and this test may itself run behind a script's `&`.
    let mut command = if cfg!(target_os = "linux") {
        let mut command = Command::new("env");
        command.args(["--default-signal=INT,HUP,TERM", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    let script = format!("trap '' {ignored}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_thalweg"), "survey", "--out", out.to_str().unwrap()]);
    MINIATURE.iter().chain(more).for_each(|field| {
        command.args(["--set", field]);
    });
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut last = lines.next().unwrap_or_default();
    if last.starts_with("training: ") {
        let kill =
            Command::new("kill").args([&format!("-{sent}"), &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        last = lines.last().unwrap_or(last);
    }
    (child.wait().unwrap().code(), last)
}

#[test]
fn a_signal_that_was_inherited_as_ignored_stays_ignored() {
    let temporary = tempfile::tempdir().unwrap();
    // A script's `&` ignores SIGINT, `nohup` SIGHUP.
    for ignored in ["INT", "HUP", "TERM"] {
        let out = temporary.path().join(ignored);
        let (code, last) = signalled(&out, ignored, ignored, &["plane.points=[60, 60]"]);
        assert_eq!(code, Some(0), "{ignored}: {last}");
        assert!(contents(&out).contains_key("report.html"));
    }
}

#[test]
fn the_others_are_still_answered() {
    let temporary = tempfile::tempdir().unwrap();
    for (ignored, sent) in [("HUP", "INT"), ("INT", "TERM"), ("INT", "HUP")] {
        let out = temporary.path().join(sent);
        let (code, last) = signalled(&out, ignored, sent, &["train.steps=2000000"]);
        assert_eq!(code, Some(130), "{sent}: {last}");
        assert_eq!(
            last,
            "error: interrupted; what was finished is kept, the same command goes on from there"
        );
        assert!(contents(&out).contains_key("checkpoint-00000000.safetensors"));
    }
}
