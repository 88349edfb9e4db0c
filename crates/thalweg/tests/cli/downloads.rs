//! Downloads by real processes, from a server on this machine that has nothing right: nobody may carry the files themselves in a
//! test. What comes of right ones is tested beside the code, on sets that are small.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::data::data;
use crate::server::{Reply, Server};
use crate::support::run;

/// The first file of MNIST, and its length.
const FIRST: (&str, usize) = ("train-images-idx3-ubyte.gz", 9_912_422);
const BOUND: Duration = Duration::from_secs(60);

fn fetch(server: &Server, home: &Path) -> Command {
    data(&["fetch", "mnist", "--url", &server.address()], home)
}

fn own(home: &Path) -> PathBuf {
    home.join(".local/share/thalweg/mnist")
}

/// Starts a download whose answer stops after so many bytes, and waits until they are here.
fn stopped(server: &Server, home: &Path, bytes: u64) -> Child {
    let child = fetch(server, home).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let part = own(home).join(format!("{}.part", FIRST.0));
    let begun = Instant::now();
    while fs::metadata(&part).map_or(0, |file| file.len()) < bytes && begun.elapsed() < BOUND {
        thread::sleep(Duration::from_millis(5));
    }
    child
}

/// A server of zeros, whose first answer stops after so many bytes and says no more.
fn stopping(bytes: usize) -> Server {
    Server::new(move |request, before| {
        let reply = Reply::ranged(&vec![0; FIRST.1], request.from);
        if before == 0 { reply.cut(bytes).holding() } else { reply }
    })
}

fn froms(server: &Server) -> Vec<usize> {
    server.requests().iter().map(|request| request.from).collect()
}

#[test]
fn a_killed_process_leaves_what_came_and_the_next_asks_for_the_rest() {
    let home = tempfile::tempdir().unwrap();
    let server = stopping(1_000_000);
    let mut child = stopped(&server, home.path(), 1_000_000);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
    let said = run(&mut fetch(&server, home.path()));
    // Zeros are not MNIST: found out at the end, asked for once more from the beginning, and not kept.
    assert_eq!(froms(&server), [0, 1_000_000, 0]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let begin =
        "train-images-idx3-ubyte.gz: what an earlier download left is of another file; beginning anew\n";
    assert!(said.stderr.contains(begin), "{}", said.stderr);
    let expected = format!(
        "error: {}/{}: expected {} bytes with MD5 f68b3c2dcbeaaa9fbdd348bbdeb94873, found MD5 ",
        server.address(),
        FIRST.0,
        FIRST.1
    );
    assert!(said.stderr.contains(&expected), "{}", said.stderr);
    assert_eq!(fs::read_dir(own(home.path())).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn an_interrupt_is_answered_though_the_server_is_not() {
    let home = tempfile::tempdir().unwrap();
    let server = stopping(500_000);
    let child = stopped(&server, home.path(), 500_000);
    // Not SIGINT: who runs this test may have it ignored.
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    assert!(
        stderr.ends_with(
            "error: interrupted; what was finished is kept, the same command goes on from there\n"
        ),
        "{stderr}"
    );
    assert!(stderr.contains("train-images-idx3-ubyte.gz: stopped after 500 kB in "), "{stderr}");
    assert_eq!(fs::metadata(own(home.path()).join(format!("{}.part", FIRST.0))).unwrap().len(), 500_000);
}

/// A limit on the length of files stands for a disk that is full.
#[cfg(unix)]
#[test]
fn a_full_disk_keeps_what_came() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::new(|request, _| Reply::ranged(&vec![0; FIRST.1], request.from));
    let plain = fetch(&server, home.path());
    let mut command = Command::new("sh");
    // In blocks of 512 bytes, or of 1024.
    command.args(["-c", "trap '' XFSZ; ulimit -f 1000; exec \"$0\" \"$@\""]);
    command.arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let said = run(&mut command);
    assert_eq!(said.code, Some(1), "{said:?}");
    let part = own(home.path()).join(format!("{}.part", FIRST.0));
    let message = format!("error: cannot write {} of {} bytes: ", part.display(), FIRST.1);
    assert!(said.stderr.contains(&message), "{}", said.stderr);
    assert!(said.stderr.contains("\nhelp: what came so far is kept; make room and run"), "{}", said.stderr);
    let kept = fs::metadata(&part).unwrap().len();
    assert!([512_000, 1_024_000].contains(&kept), "{kept}");
}

#[test]
fn refusals_have_a_message_and_a_help() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::new(|_, _| Reply::new(404, b""));
    let said = run(&mut fetch(&server, home.path()));
    assert_eq!(
        (said.code, said.stderr),
        (
            Some(1),
            format!(
                "error: {}/{}: expected the file, found the answer 404 (not found)\n\
                 help: a proxy is taken from HTTPS_PROXY and HTTP_PROXY; take a mirror with --url, or the files from a folder with --from\n",
                server.address(),
                FIRST.0
            )
        )
    );
    let address = server.address();
    drop(server);
    let said = run(&mut data(&["fetch", "mnist", "--url", &address], home.path()));
    assert_eq!(said.code, Some(1));
    assert!(
        said.stderr.starts_with(&format!("error: cannot reach {address}/{}: ", FIRST.0)),
        "{}",
        said.stderr
    );
}
