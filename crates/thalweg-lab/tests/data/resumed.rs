//! Downloads that break off go on where they were, by requests for the rest.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use thalweg_lab::data::Origin;

use crate::network::serving;
use crate::server::{Reply, Request, Server};
use crate::support::{bring, files, noise, published, toy, whole};

/// A folder in which so much of the first file is there already.
fn begun(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("toy").join("images.gz.part");
    fs::create_dir(part.parent().unwrap()).unwrap();
    fs::write(&part, bytes).unwrap();
    (folder, part)
}

fn mirror(server: &Server) -> Origin {
    Origin::Mirror(server.address())
}

/// First bytes of the requests for the file of images.
fn froms(server: &Server) -> Vec<usize> {
    let is_of_images = |request: &&Request| request.path == "/images.gz";
    server.requests().iter().filter(is_of_images).map(|request| request.from).collect()
}

/// A server whose first answers break off after so many bytes each.
fn breaking(cuts: Vec<usize>) -> Server {
    let files = published();
    Server::new(move |request, before| {
        let reply = Reply::ranged(&files[request.path.trim_start_matches('/')], request.from);
        match cuts.get(before) {
            Some(&bytes) => reply.cut(bytes),
            None => reply,
        }
    })
}

#[test]
fn an_answer_that_breaks_off_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let server = breaking(vec![100_000, 50_000]);
    bring(&toy(), folder.path(), &mirror(&server)).unwrap();
    assert_eq!(files(folder.path()), whole());
    assert_eq!(froms(&server), [0, 100_000, 150_000]);
}

#[test]
fn a_server_that_breaks_off_again_and_again_is_left_with_what_came() {
    let folder = tempfile::tempdir().unwrap();
    let server = breaking(vec![1000; 6]);
    let message = bring(&toy(), folder.path(), &mirror(&server)).unwrap_err();
    let bytes = published()["images.gz"].len();
    let begin = format!(
        "{}/images.gz: expected {bytes} bytes, found 4000 before the answer broke off (",
        server.address()
    );
    assert!(message.starts_with(&begin), "{message}");
    assert!(message.ends_with("); they are kept, the same command goes on from there"), "{message}");
    assert_eq!(files(folder.path())["toy/images.gz.part"], published()["images.gz"][..4000]);
    // It does.
    bring(&toy(), folder.path(), &mirror(&server)).unwrap();
    assert_eq!(froms(&server), [0, 1000, 2000, 3000, 4000, 5000, 6000]);
    assert_eq!(files(folder.path()), whole());
}

#[test]
fn a_server_that_sends_nothing_is_not_asked_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let server = breaking(vec![0; 50]);
    bring(&toy(), folder.path(), &mirror(&server)).unwrap_err();
    assert_eq!(froms(&server), [0]);
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let (folder, _) = begun(&published()["images.gz"][..5000]);
    let files_of = published();
    let server =
        Server::new(move |request, _| Reply::new(200, &files_of[request.path.trim_start_matches('/')]));
    bring(&toy(), folder.path(), &mirror(&server)).unwrap();
    assert_eq!(froms(&server), [5000]);
    assert_eq!(files(folder.path()), whole());
}

#[test]
fn a_beginning_of_another_file_is_found_out() {
    let (folder, _) = begun(&noise(9, 5000));
    let server = serving(published());
    bring(&toy(), folder.path(), &mirror(&server)).unwrap();
    assert_eq!(froms(&server), [5000, 0]);
    assert_eq!(files(folder.path()), whole());
}

#[test]
fn a_part_that_is_too_long_is_begun_anew_and_one_that_is_whole_is_not_asked_for() {
    let images = &published()["images.gz"];
    for (there, expected) in
        [(noise(9, images.len() + 1), vec![0]), (images.clone(), vec![]), (noise(9, images.len()), vec![0])]
    {
        let (folder, _) = begun(&there);
        let server = serving(published());
        bring(&toy(), folder.path(), &mirror(&server)).unwrap();
        assert_eq!(froms(&server), expected);
        assert_eq!(files(folder.path()), whole());
    }
}

#[test]
fn parts_that_were_not_asked_for_are_not_written() {
    let shifted = |mut reply: Reply| {
        reply.head.retain(|line| !line.starts_with("Content-Range"));
        reply.head.push("Content-Range: bytes 10-19/20".to_owned());
        reply
    };
    let none = |_| Reply::new(416, b"");
    let without = |mut reply: Reply| {
        reply.head.retain(|line| !line.starts_with("Content-Range"));
        reply
    };
    let spoils: [fn(Reply) -> Reply; 3] = [shifted, none, without];
    for spoil in spoils {
        let (folder, _) = begun(&published()["images.gz"][..5000]);
        let files_of = published();
        let server = Server::new(move |request, _| {
            let reply = Reply::ranged(&files_of[request.path.trim_start_matches('/')], request.from);
            if request.from == 0 { reply } else { spoil(reply) }
        });
        bring(&toy(), folder.path(), &mirror(&server)).unwrap();
        assert_eq!(froms(&server), [5000, 0]);
        assert_eq!(files(folder.path()), whole());
    }
}
