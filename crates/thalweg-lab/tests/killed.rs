//! Real processes, really killed. A child is this test's own program, told by a variable what to do; each child ends
//! by itself after a bounded amount of work.
#![cfg(unix)]

use std::env;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use thalweg_lab::identity::Identity;
use thalweg_lab::interrupt;
use thalweg_lab::store::{Folder, Stage, StoreError, write_atomic};

const STAGES: u64 = 12;
const KILLS: u32 = 16;
const STEPS: u64 = 3;
const FOLDER: &str = "THALWEG_TEST_FOLDER";
const BOUND: Duration = Duration::from_secs(20);

fn child(entry: &str, folder: &Path, shell: Option<&str>) -> Child {
    let program = env::current_exe().unwrap();
    let arguments = ["--exact", entry, "--ignored", "--nocapture", "--test-threads=1"];
    let mut command = match shell {
        Some(before) => {
            let mut command = Command::new("sh");
            command.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\"")).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(arguments).env(FOLDER, folder).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// The folder that a parent gave; `None` when the entry was not started by its parent.
fn given_folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

/// Reads the child's lines up to `line`.
fn wait_for(out: &mut impl io::BufRead, line: &str) -> bool {
    out.lines().map_while(Result::ok).any(|said| said.ends_with(line))
}

fn open(path: &Path) -> Folder {
    Folder::open_or_create(path, &Identity::new("killed", 1, &STAGES).unwrap()).unwrap()
}

fn noise(key: u64, length: usize) -> Vec<u8> {
    let mut state = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn names(path: &Path) -> Vec<String> {
    fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// One stage: a sum over steps, its state saved after each; two files at the end.
fn work(index: u64, stage: &mut Stage<'_>) -> Result<(), StoreError> {
    let (mut step, mut sum) = match stage.state()? {
        Some(state) => {
            let word = |at: usize| u64::from_le_bytes(state[at..at + 8].try_into().expect("eight bytes"));
            (word(0), word(8))
        }
        None => (0, index),
    };
    while step < STEPS {
        sum = sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step);
        step += 1;
        let padding = noise(sum, 30_000);
        stage.save_state(&[&step.to_le_bytes()[..], &sum.to_le_bytes(), &padding].concat())?;
    }
    stage.write(&format!("{index}.bin"), &noise(sum, 100_000))?;
    stage.write_json(&format!("{index}.json"), &sum)
}

fn work_all(path: &Path, before_stage: impl Fn(u64)) {
    let mut folder = open(path);
    for index in 0..STAGES {
        before_stage(index);
        folder.stage(&format!("s{index}"), |stage| work(index, stage)).unwrap();
    }
}

#[test]
#[ignore = "the child of another test"]
fn child_works() {
    if let Some(path) = given_folder() {
        work_all(&path, |index| say(&format!("stage {index}")));
    }
}

#[test]
fn a_run_killed_at_any_instant_goes_on_to_the_same_bits() {
    let temporary = tempfile::tempdir().unwrap();
    let (path, undisturbed) = (temporary.path().join("killed"), temporary.path().join("undisturbed"));
    let began = Instant::now();
    work_all(&undisturbed, |_| {});
    let a_stage = began.elapsed() / STAGES as u32;
    let (mut finished, mut midway) = (0, 0);
    for kill in 0..KILLS {
        if finished as u64 >= STAGES - 1 {
            break;
        }
        let mut running = child("child_works", &path, None);
        let mut out = BufReader::new(running.stdout.take().unwrap());
        assert!(wait_for(&mut out, &format!("stage {finished}")), "the child begins the next stage");
        // From the first write of a stage to somewhere in the next one.
        thread::sleep(a_stage * (kill * 7 % KILLS) * 3 / (2 * KILLS));
        running.kill().unwrap();
        running.wait().unwrap();

        let half_done = |name: &String| name.contains(".state-") || name.contains("tmp");
        midway += usize::from(names(&path).iter().any(half_done));
        let folder = open(&path);
        folder.verify().unwrap();
        assert!(folder.stages().len() >= finished, "nothing finished is lost");
        finished = folder.stages().len();
        assert!(!names(&path).iter().any(|name| name.contains("tmp")), "temporary files are cleaned");
    }
    assert!(midway > 0, "the child was never caught at work");
    work_all(&path, |_| {});
    let (killed, undisturbed) = (open(&path), open(&undisturbed));
    killed.verify().unwrap();
    assert_eq!(killed.stages(), undisturbed.stages());
}

#[test]
#[ignore = "the child of another test"]
fn child_holds_the_lock() {
    if let Some(path) = given_folder() {
        let _folder = open(&path);
        say("open");
        thread::sleep(BOUND);
    }
}

#[test]
fn another_process_is_refused_until_the_first_is_dead() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("run");
    let mut holder = child("child_holds_the_lock", &path, None);
    assert!(wait_for(&mut BufReader::new(holder.stdout.take().unwrap()), "open"));
    let refused = Folder::open(&path).unwrap_err();
    let StoreError::Busy { process, .. } = refused else { panic!("{refused}") };
    assert_eq!(process, Some(holder.id()));
    holder.kill().unwrap();
    holder.wait().unwrap();
    Folder::open(&path).expect("the lock of a dead process does not block");
}

#[test]
#[ignore = "the child of another test"]
fn child_meets_the_limit() {
    if let Some(path) = given_folder() {
        let error = write_atomic(&path, "theta.bin", &noise(1, 4_000_000)).unwrap_err();
        say(&format!("said: {error}"));
    }
}

/// A limit on the size of files fails inside `write`, as a full disk does.
#[test]
fn a_full_disk_leaves_the_previous_file() {
    let temporary = tempfile::tempdir().unwrap();
    write_atomic(temporary.path(), "theta.bin", b"previous").unwrap();
    let mut limited = child("child_meets_the_limit", temporary.path(), Some("ulimit -f 64; trap '' XFSZ"));
    let mut said = String::new();
    limited.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(limited.wait().unwrap().success(), "{said}");
    let line = said.lines().find_map(|line| line.split_once("said: ")).expect("the child speaks").1;
    assert!(line.starts_with("cannot write ") && line.contains("theta.bin: File too large"), "{line}");
    assert_eq!(fs::read(temporary.path().join("theta.bin")).unwrap(), b"previous");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1, "the temporary file is gone");
}

#[test]
#[ignore = "the child of another test"]
fn child_is_interrupted() {
    let Some(mode) = given_folder() else { return };
    interrupt::listen().unwrap();
    interrupt::listen().unwrap();
    assert!(interrupt::check().is_ok());
    say("ready");
    let began = Instant::now();
    while began.elapsed() < BOUND {
        if interrupt::requested() {
            say("seen");
            if mode == Path::new("polite") {
                assert!(interrupt::check().is_err());
                std::process::exit(3);
            }
            thread::sleep(BOUND);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn send(signal: &str, to: &Child) {
    let status = Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", to.id())).status().unwrap();
    assert!(status.success());
}

#[test]
fn the_first_interrupt_asks_and_the_second_ends() {
    for signal in ["INT", "TERM"] {
        for (mode, code) in [("polite", 3), ("stubborn", interrupt::EXIT_CODE)] {
            let mut running = child("child_is_interrupted", Path::new(mode), None);
            let mut out = BufReader::new(running.stdout.take().unwrap());
            assert!(wait_for(&mut out, "ready"));
            send(signal, &running);
            assert!(wait_for(&mut out, "seen"), "the flag is set");
            if mode == "stubborn" {
                send(signal, &running);
            }
            assert_eq!(running.wait().unwrap().code(), Some(code), "{signal} {mode}");
        }
    }
}
