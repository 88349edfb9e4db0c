//! Lines of a file, plain or gzipped, none of which is longer than it may be: a compressed file that unfolds without end is refused
//! at its first long line, before it fills the memory.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::{DataError, Place};

/// Lines that come one after the other.
pub(super) struct Lines<'a> {
    input: Box<dyn BufRead + 'a>,
    path: &'a Path,
    most: usize,
    line: Vec<u8>,
    number: usize,
}

impl<'a> Lines<'a> {
    /// Those of the file that `path` names, unzipped if it begins like a gzip stream, each of at most so many bytes.
    pub(super) fn new(mut input: impl BufRead + 'a, path: &'a Path, most: usize) -> Result<Self, DataError> {
        let begin =
            input.fill_buf().map_err(|source| DataError::Read { place: Place::line(path, 1), source })?;
        let input: Box<dyn BufRead + 'a> = match begin.starts_with(&[0x1f, 0x8b]) {
            true => Box::new(BufReader::new(MultiGzDecoder::new(input))),
            false => Box::new(input),
        };
        Ok(Self { input, path, most, line: Vec::new(), number: 0 })
    }

    /// The place of the line that came last.
    pub(super) fn place(&self) -> Place {
        Place::line(self.path, self.number.max(1))
    }

    /// The next line without its end; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, DataError> {
        self.number += 1;
        match self.read() {
            Err(source) => Err(DataError::Read { place: self.place(), source }),
            Ok(_) if self.line.len() > self.most => {
                Err(DataError::LongLine { place: self.place(), most: self.most })
            }
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(&self.line)),
        }
    }

    /// Cut off after one byte more than a line may have.
    fn read(&mut self) -> io::Result<usize> {
        self.line.clear();
        let read = self.input.by_ref().take(self.most as u64 + 1).read_until(b'\n', &mut self.line)?;
        for end in [b'\n', b'\r'] {
            if self.line.last() == Some(&end) {
                self.line.pop();
            }
        }
        Ok(read)
    }
}
