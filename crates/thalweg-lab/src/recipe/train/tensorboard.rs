//! Metrics as TensorBoard reads them: a file of events, one scalar each.
//!
//! A record is its length, a checksum of that, a message and a checksum of it (TensorFlow's `TFRecord`); a message is
//! `tensorflow.Event` in the wire format of protocol buffers, of which scalars need four fields.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Row;

/// TensorBoard takes files with `tfevents` in their names. One name, so that a run that goes on replaces what it had.
const NAME: &str = "events.out.tfevents.0.thalweg";

/// A run's file of events. It is for those who look: it is not among the results, and times in it are those of the clock.
#[derive(Debug)]
pub(super) struct Events {
    path: PathBuf,
    file: Option<File>,
}

impl Events {
    /// In that folder.
    pub(super) fn new(folder: &std::path::Path) -> Self {
        Self { path: folder.join(NAME), file: None }
    }

    /// Writes the last of the rows; those before it, too, if this process has not written any yet.
    pub(super) fn write(&mut self, rows: &[Row]) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let mut bytes = Vec::new();
        match &mut self.file {
            Some(file) => {
                rows.last().into_iter().for_each(|row| record(&mut bytes, &of_row(now, row)));
                file.write_all(&bytes)
            }
            None => {
                record(&mut bytes, &version(now));
                rows.iter().for_each(|row| record(&mut bytes, &of_row(now, row)));
                // A pipe would wait for its reader.
                if fs::symlink_metadata(&self.path).is_ok_and(|old| !old.is_file()) {
                    return Err(io::Error::other("expected a file or nothing"));
                }
                let mut file = File::create(&self.path)?;
                file.write_all(&bytes)?;
                self.file = Some(file);
                Ok(())
            }
        }
    }
}

/// The scalars of a row by their names in TensorBoard, which groups by what comes before the slash.
fn scalars(row: &Row) -> impl Iterator<Item = (&'static str, f64)> {
    let all = [
        ("loss/batches", row.loss_batches),
        ("loss/test", row.loss_test),
        ("error/batches", row.error_batches),
        ("error/test", row.error_test),
        ("lr", row.lr),
    ];
    all.into_iter().filter(|(_, value)| !value.is_nan())
}

/// The first event of a file.
fn version(time: f64) -> Vec<u8> {
    let mut event = Vec::new();
    double(&mut event, 1, time);
    bytes(&mut event, 3, b"brain.Event:2");
    event
}

/// `Event { wall_time = 1, step = 2, summary = 5 }`, `Summary { value = 1 }`, `Value { tag = 1, simple_value = 2 }`.
fn of_row(time: f64, row: &Row) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, scalar) in scalars(row) {
        let mut value = Vec::new();
        bytes(&mut value, 1, tag.as_bytes());
        key(&mut value, 2, 5);
        value.extend((scalar as f32).to_le_bytes());
        bytes(&mut summary, 1, &value);
    }
    let mut event = Vec::new();
    double(&mut event, 1, time);
    key(&mut event, 2, 0);
    varint(&mut event, row.step);
    bytes(&mut event, 5, &summary);
    event
}

/// A field's number with the kind of what follows: 0 a varint, 1 eight bytes, 2 a length and so many bytes, 5 four bytes.
fn key(to: &mut Vec<u8>, field: u64, kind: u64) {
    varint(to, field << 3 | kind);
}

fn varint(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn double(to: &mut Vec<u8>, field: u64, value: f64) {
    key(to, field, 1);
    to.extend(value.to_le_bytes());
}

fn bytes(to: &mut Vec<u8>, field: u64, value: &[u8]) {
    key(to, field, 2);
    varint(to, value.len() as u64);
    to.extend(value);
}

fn record(to: &mut Vec<u8>, message: &[u8]) {
    let length = (message.len() as u64).to_le_bytes();
    to.extend(length);
    to.extend(masked(&length).to_le_bytes());
    to.extend(message);
    to.extend(masked(message).to_le_bytes());
}

/// CRC-32C, turned about: a checksum of bytes that hold checksums is no good otherwise.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: u64) -> Row {
        Row {
            step,
            epoch: 1.0,
            lr: if step == 0 { f64::NAN } else { 0.5 },
            loss_batches: f64::NAN,
            error_batches: f64::NAN,
            loss_test: 2.0,
            error_test: 0.25,
        }
    }

    /// The messages of a file, of which every checksum is right.
    fn messages(mut file: &[u8]) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while !file.is_empty() {
            let (head, rest) = file.split_at(12);
            let length = u64::from_le_bytes(head[..8].try_into().unwrap()) as usize;
            assert_eq!(head[8..], masked(&head[..8]).to_le_bytes());
            let (message, rest) = rest.split_at(length);
            assert_eq!(rest[..4], masked(message).to_le_bytes());
            messages.push(message.to_vec());
            file = &rest[4..];
        }
        messages
    }

    #[test]
    fn a_row_is_an_event_of_its_scalars() {
        // As the Python package `tensorboard` 2.21 serialises it.
        let tag = |name: &str, value: [u8; 4]| {
            let value = [&[0x0a, name.len() as u8], name.as_bytes(), &[0x15], &value].concat();
            [&[0x0a, value.len() as u8][..], &value].concat()
        };
        let summary = [
            tag("loss/test", [0, 0, 0, 0x40]),
            tag("error/test", [0, 0, 0x80, 0x3e]),
            tag("lr", [0, 0, 0, 0x3f]),
        ];
        let summary = summary.concat();
        let head =
            [&[0x09][..], &1.5f64.to_le_bytes(), &[0x10, 0xac, 0x02, 0x2a, summary.len() as u8]].concat();
        assert_eq!(of_row(1.5, &row(300)), [head, summary].concat());
    }

    #[test]
    fn checksums_are_those_of_tensorflow() {
        // The first record of any file that TensorFlow writes: 24 bytes long.
        assert_eq!(masked(&24u64.to_le_bytes()), u32::from_le_bytes([0xa3, 0x7f, 0x4b, 0x22]));
        assert_eq!(version(0.0).len(), 24);
    }

    #[test]
    fn a_run_that_goes_on_writes_all_rows_again() {
        let folder = tempfile::tempdir().unwrap();
        let rows: Vec<Row> = (0..4).map(row).collect();
        let read = || messages(&std::fs::read(folder.path().join(NAME)).unwrap());
        let mut first = Events::new(folder.path());
        first.write(&rows[..1]).unwrap();
        first.write(&rows[..2]).unwrap();
        assert_eq!(read().len(), 3);
        let mut second = Events::new(folder.path());
        second.write(&rows[..3]).unwrap();
        second.write(&rows[..4]).unwrap();
        let messages = read();
        assert_eq!(messages.len(), 5);
        assert!(messages[0].ends_with(b"brain.Event:2"));
        assert!(
            messages.iter().skip(1).zip(&rows).all(|(message, row)| message[9..] == of_row(0.0, row)[9..])
        );
    }
}
