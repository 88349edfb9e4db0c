//! Archives of a set: tar.gz, of which the expected files are taken and nothing else.
//!
//! Names in an archive are compared, never followed: what is written goes to paths that the caller gives. An entry must have the
//! length that it is known to have before a byte of it is written, and no more of the stream is unzipped than an archive of those
//! files has.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use super::digest::Running;
use super::{Digest, FetchError};
use crate::interrupt;
use crate::progress::Stage;

/// Bytes beside the expected files that are unzipped at most: headers, names of classes, a page.
const REST_MAX: u64 = 1 << 24;

/// A file to take out.
pub(super) struct Member {
    /// Its name in the archive.
    pub(super) name: String,
    /// What it must be.
    pub(super) digest: Digest,
    /// Where it goes, replacing what is there.
    pub(super) to: PathBuf,
}

/// Takes all `members` out of the archive at `path`, whose expected files, those that are not taken included, have `bytes` bytes. If
/// one of `members` is not there or is wrong, none is left.
pub(super) fn unpack(path: &Path, bytes: u64, members: &[Member], stage: &Stage) -> Result<(), FetchError> {
    let unpacked = unpack_each(path, bytes, members, stage);
    if unpacked.is_err() {
        for member in members {
            // What cannot be removed is a part, and passes for nothing else.
            let _ = fs::remove_file(&member.to);
        }
    }
    unpacked
}

fn unpack_each(path: &Path, bytes: u64, members: &[Member], stage: &Stage) -> Result<(), FetchError> {
    let file = BufReader::with_capacity(1 << 16, File::open(path).map_err(FetchError::read(path))?);
    let mut archive = Archive::new(MultiGzDecoder::new(file).take(bytes.saturating_add(REST_MAX)));
    let unreadable = |error: io::Error| FetchError::Archive {
        path: path.to_owned(),
        expected: "a tar archive in a gzip stream".to_owned(),
        found: format!("one that cannot be read ({error})"),
    };
    let mut missing: Vec<&Member> = members.iter().collect();
    // Raw: extended headers can carry names and lengths of any size, and no expected file has one.
    for entry in archive.entries().map_err(unreadable)?.raw(true) {
        interrupt::check()?;
        let mut entry = entry.map_err(unreadable)?;
        let name = entry.path_bytes();
        let name = name.strip_prefix(b"./").unwrap_or(&name);
        let Some(member) = members.iter().find(|member| member.name.as_bytes() == name) else { continue };
        let wrong = |expected: String, found: String| FetchError::Archive {
            path: path.to_owned(),
            expected: format!("{} of {expected}", member.name),
            found,
        };
        let kind = entry.header().entry_type();
        if !matches!(kind, EntryType::Regular | EntryType::Continuous) {
            return Err(wrong("a plain file".to_owned(), format!("an entry of type {kind:?}")));
        }
        if member.digest.bytes.is_some_and(|bytes| bytes != entry.size()) {
            return Err(wrong(member.digest.to_string(), format!("{} bytes", entry.size())));
        }
        let Some(index) = missing.iter().position(|other| other.name == member.name) else {
            return Err(wrong("one entry".to_owned(), "a second".to_owned()));
        };
        missing.swap_remove(index);
        let found = take(&mut entry, member, unreadable, stage)?;
        if !member.digest.is_that_of(&found) {
            return Err(wrong(member.digest.to_string(), member.digest.instead(&found)));
        }
    }
    match missing.first() {
        None => Ok(()),
        Some(member) => Err(FetchError::Archive {
            path: path.to_owned(),
            expected: format!("an entry {}", member.name),
            found: "none".to_owned(),
        }),
    }
}

/// Writes one entry; its digest.
fn take(
    entry: &mut Entry<'_, impl Read>,
    member: &Member,
    unreadable: impl Fn(io::Error) -> FetchError,
    stage: &Stage,
) -> Result<Digest, FetchError> {
    let refuse = |error| FetchError::write(&member.to, member.digest.bytes.unwrap_or(0))(error);
    let mut file = File::create(&member.to).map_err(refuse)?;
    let mut running = Running::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        interrupt::check()?;
        let count = entry.read(&mut buffer).map_err(&unreadable)?;
        if count == 0 {
            return Ok(running.end());
        }
        running.update(&buffer[..count]);
        file.write_all(&buffer[..count]).map_err(refuse)?;
        stage.inc(count as u64);
    }
}
