//! One file from the network, in as many goes as it takes.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::catalogue::Download;
use super::http::{Answer, get};
use super::part::discard;
use super::{Digest, FetchError};
use crate::progress::{Progress, Stage};

/// Answers that may break off, each after something came, before the user is told.
const BREAKS_MAX: usize = 4;

/// Brings what is at `url` to the file `part`, going on from what is there of it, and checks length and digest. What was wrong is
/// removed; what came before an answer broke off stays.
pub(super) fn download(
    url: &str,
    download: &Download,
    part: &Path,
    progress: &Progress,
) -> Result<(), FetchError> {
    let expected = download.digest();
    let mut breaks = 0;
    loop {
        let mut have = fs::metadata(part).map_or(0, |file| file.len());
        if have > download.bytes {
            discard(part)?;
            have = 0;
        }
        // Another file's beginning is found out at its end only, and is not the server's fault.
        let is_resumed = have > 0;
        if have < download.bytes {
            let came = go_on(url, download, part, have, progress)?;
            if let Came::Broken { reason, here } = came {
                breaks += 1;
                if here > have && breaks < BREAKS_MAX {
                    progress.note(&format!("{}: the answer broke off ({reason}); going on", download.name));
                    continue;
                }
                return Err(FetchError::BrokenOff {
                    url: url.to_owned(),
                    expected: download.bytes,
                    found: here,
                    reason,
                });
            }
            if let Came::Anew = came {
                discard(part)?;
                continue;
            }
        }
        let found = Digest::of_file(part, download.bytes)?;
        if expected.is_that_of(&found) {
            return Ok(());
        }
        discard(part)?;
        if !is_resumed {
            let (expected, found) = (expected.to_string(), expected.instead(&found));
            return Err(FetchError::Content { what: url.to_owned(), expected, found });
        }
        progress.note(&format!(
            "{}: what an earlier download left is of another file; beginning anew",
            download.name
        ));
    }
}

/// How an answer ended.
enum Came {
    /// With the last byte of the file.
    Whole,
    /// Before it.
    Broken {
        /// Why.
        reason: String,
        /// Bytes that are here now.
        here: u64,
    },
    /// The server has no such part: what is here is of no use.
    Anew,
}

/// Asks for what is missing, and writes it behind the first `have` bytes.
fn go_on(
    url: &str,
    download: &Download,
    part: &Path,
    have: u64,
    progress: &Progress,
) -> Result<Came, FetchError> {
    let answer = get(url, have)?;
    let from = match (answer.head.status, answer.head.from) {
        (200, _) => 0,
        (206, Some(from)) if have > 0 && from == have => have,
        (206 | 416, _) if have > 0 => return Ok(Came::Anew),
        (status, _) => return Err(FetchError::Status { url: url.to_owned(), status }),
    };
    // Before the first byte is written: a page that asks for a login is not the file, nor its beginning.
    if let Some(length) = answer.head.length
        && from.saturating_add(length) != download.bytes
    {
        let (expected, found) = (download.bytes, from.saturating_add(length));
        return Err(FetchError::Length { url: url.to_owned(), expected, found, more: false });
    }
    let refuse = |error| FetchError::write(part, download.bytes)(error);
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(part).map_err(refuse)?;
    file.set_len(from).map_err(refuse)?;
    file.seek(SeekFrom::Start(from)).map_err(refuse)?;
    let stage = progress.stage(&download.name, download.bytes, "bytes");
    stage.resume_at(from);
    let came = write(&answer, &mut file, from, url, download, part, &stage)?;
    if matches!(came, Came::Whole) {
        stage.finish();
    }
    Ok(came)
}

/// Writes the pieces of an answer as they come.
fn write(
    answer: &Answer,
    file: &mut File,
    from: u64,
    url: &str,
    download: &Download,
    part: &Path,
    stage: &Stage,
) -> Result<Came, FetchError> {
    let mut here = from;
    loop {
        let bytes = match answer.piece()? {
            // Whole is whole, however the answer ends.
            Ok(bytes) if bytes.is_empty() && here == download.bytes => return Ok(Came::Whole),
            Err(_) if here == download.bytes => return Ok(Came::Whole),
            Ok(bytes) if bytes.is_empty() => {
                return Ok(Came::Broken { reason: "it ended".to_owned(), here });
            }
            Ok(bytes) => bytes,
            Err(reason) => return Ok(Came::Broken { reason, here }),
        };
        if bytes.len() as u64 > download.bytes - here {
            discard(part)?;
            let (expected, found) = (download.bytes, here + bytes.len() as u64);
            return Err(FetchError::Length { url: url.to_owned(), expected, found, more: true });
        }
        file.write_all(&bytes).map_err(FetchError::write(part, download.bytes))?;
        here += bytes.len() as u64;
        stage.inc(bytes.len() as u64);
    }
}
