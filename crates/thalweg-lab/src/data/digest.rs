//! What bytes a file has, by their number and MD5.
//!
//! MD5 is what the publishers give. Two files with one digest can be made, but none that has the digest of a file that is there
//! already, so a digest that is written down here cannot be met by another file.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use md5::{Digest as _, Md5};

use super::FetchError;
use crate::interrupt;

/// More bytes than any file of a set has.
const BYTES_MAX: u64 = 1 << 32;

/// Number and MD5 of the bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// How many, if that is known.
    pub bytes: Option<u64>,
    /// Their MD5, 32 hexadecimal digits in lower case.
    pub md5: String,
}

impl Digest {
    /// Of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: Some(bytes.len() as u64), md5: hexadecimal(&Md5::digest(bytes)) }
    }

    /// Of all that `input` has, but of no more than `most` bytes and one: what is longer differs by its length already.
    pub(super) fn read(input: impl Read, most: u64) -> Result<Self, Unread> {
        let mut input = input.take(most.saturating_add(1));
        let mut running = Running::default();
        let mut buffer = vec![0; 1 << 16];
        loop {
            interrupt::check().map_err(|_| Unread::Interrupted)?;
            match input.read(&mut buffer) {
                Ok(0) => return Ok(running.end()),
                Ok(count) => running.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Unread::Io(error)),
            }
        }
    }

    /// Of a file, of no more than `most` bytes and one.
    pub(super) fn of_file(path: &Path, most: u64) -> Result<Self, FetchError> {
        let file = File::open(path).map_err(FetchError::read(path))?;
        Self::read(file, most).map_err(|error| error.at(path))
    }

    /// Of what a gzip file holds, of no more than `most` bytes and one; in words what is wrong if it cannot be unzipped.
    pub(super) fn of_zipped(path: &Path, most: u64) -> Result<Result<Self, String>, FetchError> {
        let file = File::open(path).map_err(FetchError::read(path))?;
        match Self::read(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file)), most) {
            Ok(digest) => Ok(Ok(digest)),
            Err(Unread::Interrupted) => Err(interrupt::Interrupted.into()),
            Err(Unread::Io(error)) => Ok(Err(format!("a gzip stream that cannot be read ({error})"))),
        }
    }

    /// Whether `found` is what `self` says, as far as it says it.
    pub(super) fn is_that_of(&self, found: &Self) -> bool {
        self.md5 == found.md5 && self.bytes.is_none_or(|bytes| found.bytes == Some(bytes))
    }

    /// How many bytes it makes sense to read before a file is known to be another.
    pub(super) fn most(&self) -> u64 {
        self.bytes.unwrap_or(BYTES_MAX)
    }

    /// What was found in place of `self`, shortly: a length if it differs, else a digest.
    pub(super) fn instead(&self, found: &Self) -> String {
        match (self.bytes, found.bytes) {
            (Some(expected), Some(bytes)) if bytes > expected => format!("more than {expected} bytes"),
            (Some(expected), Some(bytes)) if bytes < expected => format!("{bytes} bytes"),
            _ => format!("MD5 {}", found.md5),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bytes {
            Some(bytes) => write!(f, "{bytes} bytes with MD5 {}", self.md5),
            None => write!(f, "bytes with MD5 {}", self.md5),
        }
    }
}

/// The digest of bytes as they come.
#[derive(Default)]
pub(super) struct Running {
    hasher: Md5,
    bytes: u64,
}

impl Running {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub(super) fn end(self) -> Digest {
        Digest { bytes: Some(self.bytes), md5: hexadecimal(&self.hasher.finalize()) }
    }
}

/// Why a digest could not be taken.
pub(super) enum Unread {
    Interrupted,
    Io(io::Error),
}

impl Unread {
    pub(super) fn at(self, path: &Path) -> FetchError {
        match self {
            Self::Interrupted => interrupt::Interrupted.into(),
            Self::Io(error) => FetchError::read(path)(error),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standard() {
        // RFC 1321, A.5.
        let of = |text: &str| Digest::of(text.as_bytes());
        assert_eq!(of("").md5, "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(of("message digest").to_string(), "14 bytes with MD5 f96b697d7cb7938d525a2f31aaf161d0");
    }

    #[test]
    fn no_more_is_read_than_one_byte_too_many() {
        let endless = io::repeat(7);
        let Ok(found) = Digest::read(endless, 100_000) else { panic!("nothing can fail") };
        assert_eq!(found.bytes, Some(100_001));
        assert_eq!(Digest::of(&[7; 100_000]).instead(&found), "more than 100000 bytes");
    }
}
