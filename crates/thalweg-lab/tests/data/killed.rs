//! A process that is killed while it downloads. It is this test's own program, told by variables what to do.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use thalweg_lab::data::Origin;

use crate::server::{Reply, Server};
use crate::support::{bring, files, published, toy, whole};

const FOLDER: &str = "THALWEG_TEST_FOLDER";
const ADDRESS: &str = "THALWEG_TEST_ADDRESS";
const BOUND: Duration = Duration::from_secs(60);

/// What the child does.
#[test]
#[ignore = "the child of another test"]
fn child() {
    if let (Some(folder), Ok(address)) = (env::var_os(FOLDER), env::var(ADDRESS)) {
        drop(bring(&toy(), &PathBuf::from(folder), &Origin::Mirror(address)));
    }
}

#[test]
fn a_killed_download_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let files_of = published();
    // The first answer stops half-way and says no more.
    let server = Server::new(move |request, before| {
        let reply = Reply::ranged(&files_of[request.path.trim_start_matches('/')], request.from);
        if before == 0 { reply.cut(150_000).holding() } else { reply }
    });
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--ignored", "--test-threads=1"])
        .env(FOLDER, folder.path())
        .env(ADDRESS, server.address())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let part = folder.path().join("toy").join("images.gz.part");
    let length = || fs::metadata(&part).map_or(0, |file| file.len());
    let begun = Instant::now();
    while length() < 150_000 && begun.elapsed() < BOUND {
        thread::sleep(Duration::from_millis(5));
    }
    // The folder is the child's as long as it lives.
    let busy = bring(&toy(), folder.path(), &Origin::Mirror(server.address())).unwrap_err();
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "it was killed, and did not end");
    assert_eq!(busy, "FOLDER/toy is being written to by another process; wait for it to end");
    assert_eq!(length(), 150_000);
    bring(&toy(), folder.path(), &Origin::Mirror(server.address())).unwrap();
    let froms: Vec<usize> = server.requests().iter().map(|request| request.from).collect();
    assert_eq!(froms, [0, 150_000, 0]);
    assert_eq!(files(folder.path()), whole());
}
