//! IDX files: arrays of bytes, as MNIST and its successors come in (LeCun, Cortes & Burges 1998), plain or gzipped.
//!
//! Two bytes 0, a byte for the type of the elements (8: unsigned bytes), one for the number of axes, the extent of each axis in
//! four bytes, the highest first, and the elements, the last axis fastest. The header promises a length; memory is taken as bytes
//! arrive, never for a promise.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::{DataError, Place};

/// The type that is read.
const UNSIGNED_BYTES: u8 = 8;
/// Bytes of an array at most: larger ones are promised by files that are none of these.
const BYTES_MAX: usize = 1 << 32;
/// Bytes that are made room for before any has come.
const ROOM: usize = 1 << 20;

/// An array of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// Extent of each axis.
    pub shape: Vec<usize>,
    /// The elements, the last axis fastest.
    pub bytes: Vec<u8>,
}

impl Idx {
    /// Reads a file of so many axes, unzipping it if it begins like a gzip stream.
    ///
    /// # Errors
    /// A file that cannot be read or breaks off, is of another kind, or has bytes behind its last element.
    pub fn read(path: &Path, axes: usize) -> Result<Self, DataError> {
        let unreadable = |source| DataError::Read { place: Place::byte(path, 0), source };
        let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
        let is_zipped = file.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
        if is_zipped {
            Self::parse(MultiGzDecoder::new(file), path, axes)
        } else {
            Self::parse(file, path, axes)
        }
    }

    /// Reads the contents, unzipped, of the file that `path` names.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(mut input: impl Read, path: &Path, axes: usize) -> Result<Self, DataError> {
        let mut at = 0;
        let mut word = |input: &mut dyn Read| -> Result<[u8; 4], DataError> {
            let mut word = [0; 4];
            input
                .read_exact(&mut word)
                .map_err(|source| DataError::Read { place: Place::byte(path, at), source })?;
            at += 4;
            Ok(word)
        };
        let expected = [0, 0, UNSIGNED_BYTES, axes as u8];
        let found = word(&mut input)?;
        if found != expected {
            return Err(DataError::Magic { path: path.to_path_buf(), expected, found });
        }
        let mut shape = Vec::with_capacity(axes);
        for _ in 0..axes {
            shape.push(u32::from_be_bytes(word(&mut input)?) as usize);
        }
        let length = shape.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent));
        let Some(length) = length.filter(|&length| length <= BYTES_MAX) else {
            return Err(DataError::Large { path: path.to_path_buf(), most: BYTES_MAX, shape });
        };
        let mut bytes = Vec::with_capacity(length.min(ROOM));
        // One more than there should be, to see whether there is more.
        let read = input.take(length as u64 + 1).read_to_end(&mut bytes);
        if let Err(source) = read {
            // A stream that was cut off says so; how much of it was there says more.
            if source.kind() != io::ErrorKind::UnexpectedEof {
                return Err(DataError::Read { place: Place::byte(path, at + bytes.len()), source });
            }
        }
        if bytes.len() != length {
            let (found, more) = (bytes.len(), bytes.len() > length);
            return Err(DataError::Length { path: path.to_path_buf(), shape, expected: length, found, more });
        }
        Ok(Self { shape, bytes })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn header(extents: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, extents.len() as u8];
        bytes.extend(extents.iter().flat_map(|extent| extent.to_be_bytes()));
        bytes
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Reads those bytes from a file of their own, as an array of three axes.
    fn read(test: &str, bytes: &[u8]) -> Result<Idx, String> {
        let path = std::env::temp_dir().join(format!("thalweg-idx-{}-{test}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let result = Idx::read(&path, 3);
        std::fs::remove_file(&path).unwrap();
        result.map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
    }

    #[test]
    fn plain_and_zipped_read_alike() {
        let file = [header(&[2, 1, 3]), vec![1, 2, 3, 4, 5, 255]].concat();
        let array = Idx { shape: vec![2, 1, 3], bytes: vec![1, 2, 3, 4, 5, 255] };
        assert_eq!(read("plain", &file), Ok(array.clone()));
        assert_eq!(read("zipped", &zipped(&file)), Ok(array));
        assert_eq!(read("none", &header(&[0, 5, 5])), Ok(Idx { shape: vec![0, 5, 5], bytes: vec![] }));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refused = |test: &str, bytes: &[u8]| read(test, bytes).unwrap_err();
        let file = [header(&[2, 1, 3]), vec![0; 6]].concat();
        assert_eq!(refused("empty", b""), "FILE, byte 0: failed to fill whole buffer");
        assert_eq!(refused("header", &file[..13]), "FILE, byte 12: failed to fill whole buffer");
        assert_eq!(
            refused("labels", &[header(&[6]), vec![0; 9]].concat()),
            "FILE: expected a file that begins with the bytes [00, 00, 08, 03], found [00, 00, 08, 01]"
        );
        let behind = "FILE: expected 6 bytes behind the header, for the extents [2, 1, 3], found ";
        assert_eq!(refused("short", &file[..20]), format!("{behind}4"));
        assert_eq!(refused("long", &[&file[..], &[0; 9]].concat()), format!("{behind}at least 7"));
        for cut in [11, 18, 25] {
            let error = refused("cut", &zipped(&file)[..cut]);
            assert!(error.starts_with("FILE"), "{cut}: {error}");
        }
        let mut spoilt =
            zipped(&[header(&[40, 5, 5]), (0..1000u32).map(|i| (i * i) as u8).collect()].concat());
        let middle = spoilt.len() / 2;
        spoilt[middle] ^= 0x10;
        assert!(refused("spoilt", &spoilt).starts_with("FILE"));
    }

    /// Not a byte of memory for a promise.
    #[test]
    fn hostile_extents_are_refused() {
        let most = "FILE: expected an array of at most 4294967296 bytes, found the extents ";
        let promise = [u32::MAX; 3];
        assert_eq!(
            read("hostile", &header(&promise)).unwrap_err(),
            format!("{most}[4294967295, 4294967295, 4294967295]")
        );
        let large = header(&[1 << 20, 1 << 6, 1 << 6]);
        assert_eq!(
            read("large", &large).unwrap_err(),
            "FILE: expected 4294967296 bytes behind the header, for the extents [1048576, 64, 64], found 0"
        );
    }
}
