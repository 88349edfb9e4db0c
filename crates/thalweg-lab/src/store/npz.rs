//! Arrays as npz, the format of `numpy.savez`: a zip of npy files, uncompressed.
//!
//! Only what readings need: `f8`, `f4` and `i8`, little-endian, row-major. The container is the `zip` crate's; the
//! header of an npy file is one line of text, written and read here. Timestamps are fixed, so that equal arrays
//! give equal bytes and digests can be compared between runs.
//!
//! Reference: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".

use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::atomic::check_name;
use super::error::StoreError;

const MAGIC: &[u8] = b"\x93NUMPY";

/// A dense array, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Vec<usize>,
    data: Data,
}

/// An array's elements.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Double precision.
    F64(Vec<f64>),
    /// Single precision.
    F32(Vec<f32>),
    /// Integers.
    I64(Vec<i64>),
}

impl From<Vec<f64>> for Data {
    fn from(elements: Vec<f64>) -> Self {
        Self::F64(elements)
    }
}

impl From<Vec<f32>> for Data {
    fn from(elements: Vec<f32>) -> Self {
        Self::F32(elements)
    }
}

impl From<Vec<i64>> for Data {
    fn from(elements: Vec<i64>) -> Self {
        Self::I64(elements)
    }
}

impl Data {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F64(elements) => elements.len(),
            Self::F32(elements) => elements.len(),
            Self::I64(elements) => elements.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn descr(&self) -> &'static str {
        match self {
            Self::F64(_) => "<f8",
            Self::F32(_) => "<f4",
            Self::I64(_) => "<i8",
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::F64(elements) => elements.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::F32(elements) => elements.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::I64(elements) => elements.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    }

    fn from_bytes(descr: &str, bytes: &[u8]) -> Option<Self> {
        let eight = || bytes.as_chunks::<8>().0.iter();
        match descr {
            "<f8" => Some(Self::F64(eight().map(|&x| f64::from_le_bytes(x)).collect())),
            "<f4" => {
                Some(Self::F32(bytes.as_chunks::<4>().0.iter().map(|&x| f32::from_le_bytes(x)).collect()))
            }
            "<i8" => Some(Self::I64(eight().map(|&x| i64::from_le_bytes(x)).collect())),
            _ => None,
        }
    }
}

impl Array {
    /// An array of `shape` (no axes: a scalar) from its elements in row-major order.
    ///
    /// # Panics
    /// If the number of elements is not the product of the shape.
    pub fn new(shape: impl Into<Vec<usize>>, data: impl Into<Data>) -> Self {
        let (shape, data) = (shape.into(), data.into());
        let expected: usize = shape.iter().product();
        assert_eq!(expected, data.len(), "an array of shape {shape:?} has {expected} elements");
        Self { shape, data }
    }

    /// The extent of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in row-major order.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The elements, if they are in double precision.
    pub fn as_f64(&self) -> Option<&[f64]> {
        match &self.data {
            Data::F64(elements) => Some(elements),
            _ => None,
        }
    }
}

/// The npz of `arrays`, to be written as `name`.
pub(super) fn npz_bytes(name: &str, arrays: &[(&str, Array)]) -> Result<Vec<u8>, StoreError> {
    let refuse = |reason: String| StoreError::Arrays { name: name.to_owned(), reason };
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (i, (key, array)) in arrays.iter().enumerate() {
        check_name(key)?;
        if arrays[..i].iter().any(|(earlier, _)| earlier == key) {
            return Err(refuse(format!("there are two arrays {key:?}")));
        }
        let bytes = npy_bytes(array);
        // Sizes beyond 32 bits need another header, which must be asked for.
        let options = options.large_file(u32::try_from(bytes.len()).is_err());
        archive.start_file(format!("{key}.npy"), options).map_err(|error| refuse(error.to_string()))?;
        archive.write_all(&bytes).map_err(|error| refuse(error.to_string()))?;
    }
    let finished = archive.finish().map_err(|error| refuse(error.to_string()))?;
    Ok(finished.into_inner())
}

/// Magic, version 1.0, header length, header padded to 64 bytes with a newline last, elements.
pub(super) fn npy_bytes(array: &Array) -> Vec<u8> {
    let extents: String = array.shape.iter().map(|extent| format!("{extent}, ")).collect();
    // A tuple of one needs its comma; longer ones may not have one in NumPy's own writing.
    let extents = if array.shape.len() == 1 { extents.trim_end() } else { extents.trim_end_matches(", ") };
    let descr = array.data.descr();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({extents}), }}");
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');

    let length = u16::try_from(header.len()).expect("a shape has few axes");
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend(length.to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(array.data.to_bytes());
    bytes
}

/// The arrays of an npz file, in its order.
pub(super) fn arrays_of_npz(path: &Path, bytes: &[u8]) -> Result<Vec<(String, Array)>, StoreError> {
    let refuse = |reason: String| StoreError::Content { path: path.to_owned(), expected: "npz", reason };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| refuse(error.to_string()))?;
    let mut arrays = Vec::with_capacity(archive.len());
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).map_err(|error| refuse(error.to_string()))?;
        let name = entry.name().map_err(|error| refuse(error.to_string()))?.into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(|error| refuse(format!("{name}: {error}")))?;
        let array = array_of_npy(&content).map_err(|reason| refuse(format!("{name}: {reason}")))?;
        arrays.push((name.strip_suffix(".npy").unwrap_or(&name).to_owned(), array));
    }
    Ok(arrays)
}

pub(super) fn array_of_npy(bytes: &[u8]) -> Result<Array, String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin as an npy file does")?;
    let (length, rest) = match *rest {
        [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([a, b])), &rest[4..]),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, &rest[6..]),
        _ => return Err("its version is none of 1, 2, 3".to_owned()),
    };
    let (header, content) = rest.split_at_checked(length).ok_or("it ends within its header")?;
    let header = std::str::from_utf8(header).map_err(|error| format!("its header is not text: {error}"))?;

    let after = |key: &str| {
        let found = header.split_once(&format!("'{key}':")).map(|(_, after)| after.trim_start());
        found.ok_or_else(|| format!("its header has no {key}"))
    };
    if !after("fortran_order")?.starts_with("False") {
        return Err("expected row-major order, found column-major".to_owned());
    }
    let descr = after("descr")?.split('\'').nth(1).unwrap_or_default();
    let extents = after("shape")?.strip_prefix('(').and_then(|text| text.split_once(')'));
    let (extents, _) = extents.ok_or("its shape is no tuple")?;
    let extents = extents.split(',').map(str::trim).filter(|text| !text.is_empty());
    let shape: Vec<usize> = extents
        .map(|text| text.parse().map_err(|_| format!("its shape has the extent {text:?}")))
        .collect::<Result<_, String>>()?;

    let width = if descr == "<f4" { 4 } else { 8 };
    let expected = shape.iter().try_fold(width, |product: usize, &extent| product.checked_mul(extent));
    let data = Data::from_bytes(descr, content)
        .ok_or_else(|| format!("expected elements <f8, <f4 or <i8, found {descr:?}"))?;
    if expected != Some(content.len()) {
        return Err(format!("a shape of {shape:?} and {} bytes of {descr} do not fit", content.len()));
    }
    Ok(Array { shape, data })
}
