//! Downloads from a server on this machine: what comes, what is refused, and what is kept of it.

use std::collections::BTreeMap;
use std::fs;

use thalweg_lab::data::{Fetched, Folders, Gives, Origin, Publication, verify};
use thalweg_lab::progress::Progress;

use crate::server::{Reply, Request, Server};
use crate::support::{bring, contents, files, published, set, toy, whole, zipped};

fn asked(path: &str, from: usize) -> Request {
    Request { path: path.to_owned(), from }
}

/// Gives whole files and parts of them.
pub(crate) fn serving(files: BTreeMap<String, Vec<u8>>) -> Server {
    Server::new(move |request, _| match files.get(request.path.trim_start_matches('/')) {
        Some(file) => Reply::ranged(file, request.from),
        None => Reply::new(404, b"not here"),
    })
}

fn mirror(server: &Server) -> Origin {
    Origin::Mirror(server.address())
}

#[test]
fn what_is_whole_and_right_comes_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = serving(published());
    let fetched = bring(&toy(), folder.path(), &mirror(&server)).unwrap();
    let place = |name: &str| folder.path().join("toy").join(name);
    assert_eq!(
        fetched,
        Fetched::Brought { files: vec![place("images.gz"), place("labels.gz")], aside: vec![] }
    );
    assert_eq!(files(folder.path()), whole());
    assert_eq!(server.requests(), [asked("/images.gz", 0), asked("/labels.gz", 0)]);
    assert_eq!(bring(&toy(), folder.path(), &mirror(&server)), Ok(Fetched::WasHere));
    fs::remove_file(place("labels.gz")).unwrap();
    bring(&toy(), folder.path(), &mirror(&server)).unwrap();
    assert_eq!(server.requests()[2..], [asked("/labels.gz", 0)], "what is right is not asked for again");
    let verified = verify(&toy(), &Folders::only(folder.path()), &Progress::new(true)).unwrap();
    assert!(verified.is_right() && verified.files.len() == 2, "{verified:?}");
}

#[test]
fn the_address_of_the_set_is_asked_unless_a_mirror_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = serving(published());
    let mut set = toy();
    set.publication.as_mut().unwrap().address = format!("{}/", server.address());
    bring(&set, folder.path(), &Origin::Published).unwrap();
    assert_eq!(files(folder.path()), whole());
}

#[test]
fn redirects_are_followed_with_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let files_of = published();
    let server = Server::new(move |request, _| match request.path.strip_prefix("/old/") {
        Some(name) => {
            let mut reply = Reply::new(302, b"");
            reply.head.push(format!("Location: /new/{name}"));
            reply
        }
        None => Reply::ranged(&files_of[request.path.trim_start_matches("/new/")], request.from),
    });
    let part = folder.path().join("toy").join("images.gz.part");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    fs::write(&part, &published()["images.gz"][..777]).unwrap();
    bring(&toy(), folder.path(), &Origin::Mirror(format!("{}/old/", server.address()))).unwrap();
    assert_eq!(files(folder.path()), whole());
    assert_eq!(server.requests()[..2], [asked("/old/images.gz", 777), asked("/new/images.gz", 777)]);
}

/// The message of a fetch that is refused, after which nothing is left.
fn refused(server: &Server) -> String {
    let folder = tempfile::tempdir().unwrap();
    let message = bring(&toy(), folder.path(), &mirror(server)).unwrap_err();
    assert_eq!(files(folder.path()), Default::default(), "{message}");
    message.replace(&server.address(), "SERVER")
}

#[test]
fn answers_that_are_not_the_file_are_refused() {
    for (status, why) in
        [(404, " (not found)"), (403, " (not allowed)"), (503, " (the server's fault)"), (206, ""), (204, "")]
    {
        let server = Server::new(move |_, _| Reply::new(status, b""));
        let expected = format!("SERVER/images.gz: expected the file, found the answer {status}{why}");
        assert_eq!(refused(&server), expected);
        assert_eq!(server.requests().len(), 1);
    }
    let bytes = published()["images.gz"].len();
    let login = Server::new(|_, _| Reply::new(200, b"<html>Log in</html>"));
    assert_eq!(refused(&login), format!("SERVER/images.gz: expected {bytes} bytes, found an answer of 19"));
    let endless = Server::new(move |_, _| Reply { head: vec![], ..Reply::new(200, &vec![7; 1 << 20]) });
    let message = refused(&endless);
    let begin = format!("SERVER/images.gz: expected {bytes} bytes, found an answer of at least ");
    assert!(message.starts_with(&begin), "{message}");
}

#[test]
fn a_file_with_another_digest_is_not_kept() {
    let mut wrong = published();
    wrong.get_mut("images.gz").unwrap()[200_000] ^= 1;
    let server = serving(wrong);
    let message = refused(&server);
    let begin = format!(
        "SERVER/images.gz: expected {} bytes with MD5 {}, found MD5 ",
        published()["images.gz"].len(),
        toy().publication.unwrap().downloads[0].md5
    );
    assert!(message.starts_with(&begin) && message.ends_with("; nothing of it was kept"), "{message}");
    assert_eq!(server.requests().len(), 1, "a whole answer that is wrong is not asked for again");
}

#[test]
fn nobody_there_is_said() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::Mirror(format!("http://127.0.0.1:{free}"));
    let message = bring(&toy(), folder.path(), &origin).unwrap_err();
    let begin = format!("cannot reach http://127.0.0.1:{free}/images.gz: ");
    assert!(message.starts_with(&begin), "{message}");
    for address in ["ftp://127.0.0.1", "nonsense", "http:"] {
        let message = bring(&toy(), folder.path(), &Origin::Mirror(address.to_owned())).unwrap_err();
        assert!(message.starts_with(&format!("cannot reach {address}")), "{message}");
    }
    assert_eq!(files(folder.path()), Default::default());
}

#[test]
fn wrong_files_make_way_and_are_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("toy");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("images.gz"), "mine").unwrap();
    // As another packed it: right, and left alone.
    let [_, labels] = contents();
    let mut otherwise = zipped(&labels);
    otherwise[4] ^= 1;
    fs::write(place.join("labels.gz"), &otherwise).unwrap();
    let server = serving(published());
    let Fetched::Brought { files: brought, aside } = bring(&toy(), folder.path(), &mirror(&server)).unwrap()
    else {
        panic!("a file was missing");
    };
    assert_eq!((brought, aside), (vec![place.join("images.gz")], vec![place.join("images.gz.damaged")]));
    let mut expected = whole();
    expected.insert("toy/images.gz.damaged".to_owned(), b"mine".to_vec());
    expected.insert("toy/labels.gz".to_owned(), otherwise);
    assert_eq!(files(folder.path()), expected);
}

#[test]
fn archives_are_unpacked_and_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (publication, archive): (Publication, Vec<u8>) = crate::archives::publication();
    let set = set(publication);
    let name = set.publication.as_ref().unwrap().downloads[0].name.clone();
    assert!(matches!(set.publication.as_ref().unwrap().downloads[0].gives, Gives::Archive(_)));
    let server = serving([(name.clone(), archive.clone())].into());
    bring(&set, folder.path(), &mirror(&server)).unwrap();
    assert_eq!(files(folder.path()), crate::archives::whole());
    assert_eq!(bring(&set, folder.path(), &mirror(&server)), Ok(Fetched::WasHere));
    assert_eq!(server.requests(), [asked(&format!("/{name}"), 0)]);

    // One that was downloaded by hand is enough, and stays.
    fs::remove_file(folder.path().join("toy/one.bin")).unwrap();
    fs::write(folder.path().join(&name), &archive).unwrap();
    bring(&set, folder.path(), &mirror(&server)).unwrap();
    let mut expected = crate::archives::whole();
    expected.insert(name, archive);
    assert_eq!(files(folder.path()), expected);
    assert_eq!(server.requests().len(), 1);
}
