//! Rows of digits: small whole numbers with a label at the end, plain or gzipped.
//!
//! The reader of tables (`table.rs`) accepts quoted fields, headers and floats that have no meaning here, and would say less
//! about a wrong one. Memory stays in proportion to the rows that are good.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::lines::Lines;
use super::{DataError, Place};

/// The longest line that is read, in bytes; a row of 64 two-digit pixels has 194.
const LINE_MAX: usize = 4096;

/// What a row must look like: `pixels` numbers from 0 to `pixel_max`, then a label below `classes`.
pub(super) struct Format {
    pub(super) pixels: usize,
    pub(super) pixel_max: u8,
    pub(super) classes: usize,
}

/// What was read: pixels row after row, and the labels.
pub(super) struct Rows {
    pub(super) pixels: Vec<u8>,
    pub(super) labels: Vec<i32>,
}

/// Reads a file, unzipping it if it begins like a gzip stream.
pub(super) fn read_path(path: &Path, format: &Format, rows: Option<usize>) -> Result<Rows, DataError> {
    let unreadable = |source| DataError::Read { place: Place::line(path, 1), source };
    read(BufReader::new(File::open(path).map_err(unreadable)?), path, format, rows)
}

/// Reads the contents of the file that `path` names, unzipping them if they begin like a gzip stream.
pub(super) fn read(
    input: impl BufRead,
    path: &Path,
    format: &Format,
    expected: Option<usize>,
) -> Result<Rows, DataError> {
    let mut rows = Rows { pixels: Vec::new(), labels: Vec::new() };
    let mut lines = Lines::new(input, path, LINE_MAX)?;
    while let Some(line) = lines.next()? {
        let found = rows.labels.len();
        if let Some(expected) = expected.filter(|&expected| found == expected) {
            return Err(DataError::Rows { path: path.to_path_buf(), expected, found: found + 1, more: true });
        }
        parse(line, format, &|| Place::line(path, found + 1), &mut rows)?;
    }
    let found = rows.labels.len();
    match expected {
        Some(expected) if expected != found => {
            Err(DataError::Rows { path: path.to_path_buf(), expected, found, more: false })
        }
        _ => Ok(rows),
    }
}

fn parse(line: &[u8], format: &Format, at: &dyn Fn() -> Place, rows: &mut Rows) -> Result<(), DataError> {
    let text = String::from_utf8_lossy(line);
    let fields: Vec<&str> = text.split(',').collect();
    if fields.len() != format.pixels + 1 {
        return Err(DataError::Fields { place: at(), expected: format.pixels + 1, found: fields.len() });
    }
    for (i, field) in fields.iter().enumerate() {
        let Ok(found) = field.trim().parse::<i64>() else {
            let found = field.chars().take(32).collect();
            return Err(DataError::NotANumber { place: at(), field: i + 1, found });
        };
        if i == format.pixels {
            let label = i32::try_from(found).ok().filter(|&l| l >= 0 && (l as usize) < format.classes);
            let error = || DataError::Label { place: at(), classes: format.classes, found };
            rows.labels.push(label.ok_or_else(error)?);
        } else {
            let pixel = u8::try_from(found).ok().filter(|&p| p <= format.pixel_max);
            let most = i64::from(format.pixel_max);
            rows.pixels.push(pixel.ok_or_else(|| DataError::Pixel {
                place: at(),
                field: i + 1,
                most,
                found,
            })?);
        }
    }
    Ok(())
}
