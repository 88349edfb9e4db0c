//! Arrays in NumPy's own format, versions 1 to 3, of numbers in the order of this machine's kind: little-endian.
//!
//! A magic, a header in Python's notation that says type, order and shape, and the elements. The header promises a length; memory is
//! taken as bytes arrive, never for a promise. Pickled objects are not read: to unpickle is to run what the file says.
//!
//! Reference: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".

use std::io::Read;

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Bytes of a header at most; NumPy's own reader has 10,000.
const HEADER_MAX: usize = 1 << 16;
/// Bytes of an array at most.
const BYTES_MAX: usize = 1 << 32;
/// Bytes that are made room for before any has come.
const ROOM: usize = 1 << 20;
/// Characters of a header that are shown.
const SHOWN: usize = 60;

/// What is wrong: what was expected, and what was found.
pub(super) type Wrong = (String, String);

/// The type of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Float(usize),
    Signed(usize),
    Unsigned(usize),
    Bool,
}

/// An array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Npy {
    pub(super) shape: Vec<usize>,
    pub(super) kind: Kind,
    /// The elements, the last axis fastest.
    bytes: Vec<u8>,
}

impl Kind {
    fn of(descr: &str) -> Result<Self, Wrong> {
        let expected = || "numbers of type f4, f8, i1 to i8, u1 to u8 or bool".to_owned();
        let refuse = |found: String| Err((expected(), found));
        match (descr.chars().next(), descr.get(1..)) {
            (Some('|'), Some("O")) => refuse(
                "Python objects, which are not read since that would run them; convert with astype"
                    .to_owned(),
            ),
            (Some('>'), _) => Err((expected() + ", little-endian", format!("{descr}, which is big-endian"))),
            (Some('<' | '|'), Some(kind)) => match kind {
                "f4" => Ok(Self::Float(4)),
                "f8" => Ok(Self::Float(8)),
                "i1" => Ok(Self::Signed(1)),
                "i2" => Ok(Self::Signed(2)),
                "i4" => Ok(Self::Signed(4)),
                "i8" => Ok(Self::Signed(8)),
                "u1" => Ok(Self::Unsigned(1)),
                "u2" => Ok(Self::Unsigned(2)),
                "u4" => Ok(Self::Unsigned(4)),
                "u8" => Ok(Self::Unsigned(8)),
                "b1" => Ok(Self::Bool),
                _ => refuse(shown(descr)),
            },
            _ => refuse(shown(descr)),
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Float(bytes) | Self::Signed(bytes) | Self::Unsigned(bytes) => bytes,
            Self::Bool => 1,
        }
    }

    /// As NumPy calls it.
    pub(super) fn name(self) -> String {
        match self {
            Self::Float(bytes) => format!("f{bytes}"),
            Self::Signed(bytes) => format!("i{bytes}"),
            Self::Unsigned(bytes) => format!("u{bytes}"),
            Self::Bool => "bool".to_owned(),
        }
    }
}

impl Npy {
    /// Reads an array, and nothing behind it.
    pub(super) fn read(mut input: impl Read) -> Result<Self, Wrong> {
        let Header { kind, is_fortran, shape } = Header::read(&mut input)?;
        let length =
            shape.iter().try_fold(kind.bytes(), |product: usize, &extent| product.checked_mul(extent));
        // Elements of a byte become numbers of four.
        let size = |length: usize| length / kind.bytes() * kind.bytes().max(size_of::<f32>());
        let Some(length) = length.filter(|&length| length <= BYTES_MAX && size(length) <= BYTES_MAX) else {
            let found = format!("the shape {shape:?} of {}", kind.name());
            return Err((format!("an array of at most {BYTES_MAX} bytes"), found));
        };
        let mut bytes = Vec::with_capacity(length.min(ROOM));
        // One more than there should be, to see whether there is more, and to let an archive check its sum at the end.
        let read = input.take(length as u64 + 1).read_to_end(&mut bytes);
        let expected =
            || format!("{length} bytes behind the header, for the shape {shape:?} of {}", kind.name());
        match read {
            Err(error) => Err((expected(), format!("{} and then: {error}", bytes.len()))),
            Ok(found) if found < length => Err((expected(), found.to_string())),
            Ok(found) if found > length => Err((expected(), "more".to_owned())),
            Ok(_) => {
                if is_fortran {
                    bytes = row_major(&bytes, &shape, kind.bytes());
                }
                Ok(Self { shape, kind, bytes })
            }
        }
    }

    /// The elements as numbers of single precision, rounded where they have more digits.
    pub(super) fn floats(&self) -> Vec<f32> {
        match self.kind {
            Kind::Float(4) => self.elements(|bits| f32::from_bits(bits as u32)),
            Kind::Float(_) => self.elements(|bits| f64::from_bits(bits) as f32),
            Kind::Signed(_) => self.elements(|bits| self.signed(bits) as f32),
            Kind::Unsigned(_) => self.elements(|bits| bits as f32),
            Kind::Bool => self.elements(|bits| f32::from(u8::from(bits != 0))),
        }
    }

    /// The elements as whole numbers, if their type is one of these. What `i64` has no room for is its greatest.
    pub(super) fn integers(&self) -> Option<Vec<i64>> {
        match self.kind {
            Kind::Float(_) => None,
            Kind::Signed(_) => Some(self.elements(|bits| self.signed(bits))),
            Kind::Unsigned(_) => Some(self.elements(|bits| i64::try_from(bits).unwrap_or(i64::MAX))),
            Kind::Bool => Some(self.elements(|bits| i64::from(bits != 0))),
        }
    }

    fn elements<T>(&self, of: impl Fn(u64) -> T) -> Vec<T> {
        let bits = |element: &[u8]| {
            let mut wide = [0; 8];
            wide[..element.len()].copy_from_slice(element);
            u64::from_le_bytes(wide)
        };
        self.bytes.chunks_exact(self.kind.bytes()).map(|element| of(bits(element))).collect()
    }

    /// With the highest bit of the element carried on.
    fn signed(&self, bits: u64) -> i64 {
        let unused = 64 - 8 * self.kind.bytes() as u32;
        (bits << unused) as i64 >> unused
    }
}

struct Header {
    kind: Kind,
    is_fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    fn read(input: &mut impl Read) -> Result<Self, Wrong> {
        let mut begin = [0; 8];
        let mut exactly = |bytes: &mut [u8], what: &str| {
            input.read_exact(bytes).map_err(|error| (what.to_owned(), format!("its end: {error}")))
        };
        exactly(&mut begin, "an array in NumPy's format")?;
        if begin[..6] != MAGIC[..] {
            let found = format!("the first bytes {:02x?}", &begin[..6]);
            return Err(("an array in NumPy's format".to_owned(), found));
        }
        let length = match begin[6] {
            1 => {
                let mut length = [0; 2];
                exactly(&mut length, "the length of a header")?;
                usize::from(u16::from_le_bytes(length))
            }
            2 | 3 => {
                let mut length = [0; 4];
                exactly(&mut length, "the length of a header")?;
                u32::from_le_bytes(length) as usize
            }
            version => return Err(("version 1, 2 or 3 of NumPy's format".to_owned(), version.to_string())),
        };
        if length > HEADER_MAX {
            return Err((format!("a header of at most {HEADER_MAX} bytes"), length.to_string()));
        }
        let mut header = vec![0; length];
        exactly(&mut header, &format!("a header of {length} bytes"))?;
        Self::parse(&String::from_utf8_lossy(&header))
    }

    /// A dictionary with the keys `descr`, `fortran_order` and `shape`, in any order.
    fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = |what: &str| (format!("a header with {what}"), shown(text));
        let after = |key: &str| {
            let quoted = [format!("'{key}'"), format!("\"{key}\"")];
            let found = quoted.iter().find_map(|key| text.split_once(&key[..]));
            let value = found.and_then(|(_, rest)| rest.trim_start().strip_prefix(':'));
            value.map(str::trim_start).ok_or_else(|| wrong(&format!("a {key}")))
        };
        let descr = after("descr")?;
        if descr.starts_with('[') {
            let expected = "numbers of one type".to_owned();
            return Err((expected, format!("records of several fields, {}", shown(descr))));
        }
        let quote = descr.chars().next().filter(|quote| ['\'', '"'].contains(quote));
        let descr = quote.and_then(|quote| descr[1..].split_once(quote));
        let (descr, _) = descr.ok_or_else(|| wrong("a type as its descr"))?;
        let order = after("fortran_order")?;
        let is_fortran = order.starts_with("True");
        if !is_fortran && !order.starts_with("False") {
            return Err(wrong("True or False as its fortran_order"));
        }
        let extents = after("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let (extents, _) = extents.ok_or_else(|| wrong("a tuple as its shape"))?;
        let extents = extents.split(',').map(str::trim).filter(|extent| !extent.is_empty());
        let shape = extents.map(str::parse).collect::<Result<_, _>>();
        let shape = shape.map_err(|_| wrong("whole numbers in its shape"))?;
        Ok(Self { kind: Kind::of(descr)?, is_fortran, shape })
    }
}

/// Elements whose first axis was fastest.
fn row_major(bytes: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let mut strides = vec![size; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut ordered = Vec::with_capacity(bytes.len());
    let mut index = vec![0; shape.len()];
    for _ in 0..bytes.len() / size {
        let at: usize = index.iter().zip(&strides).map(|(i, stride)| i * stride).sum();
        ordered.extend_from_slice(&bytes[at..at + size]);
        for (i, &extent) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < extent {
                break;
            }
            *i = 0;
        }
    }
    ordered
}

fn shown(text: &str) -> String {
    let start: String = text.trim_end().chars().take(SHOWN).collect();
    format!("{start:?}")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An array as NumPy writes it.
    pub(in crate::data) fn file(descr: &str, order: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
        let mut header = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}");
        let unpadded = 10 + header.len() + 1;
        header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
        header.push('\n');
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [MAGIC, &[1, 0][..], &length, header.as_bytes(), elements].concat()
    }

    fn read(bytes: &[u8]) -> Result<Npy, String> {
        Npy::read(bytes).map_err(|(expected, found)| format!("expected {expected}, found {found}"))
    }

    #[test]
    fn every_type_is_read() {
        let of = |descr: &str, elements: &[u8], count: usize| {
            read(&file(&format!("'{descr}'"), "False", &format!("({count},)"), elements)).unwrap()
        };
        let minus = |bytes: usize| [vec![254; 1], vec![255; bytes - 1], vec![7], vec![0; bytes - 1]].concat();
        for bytes in [1, 2, 4, 8] {
            let prefix = if bytes == 1 { "|" } else { "<" };
            let signed = of(&format!("{prefix}i{bytes}"), &minus(bytes), 2);
            assert_eq!((signed.integers(), signed.floats()), (Some(vec![-2, 7]), vec![-2.0, 7.0]));
            let unsigned = of(&format!("{prefix}u{bytes}"), &minus(bytes), 2);
            let most = (u64::MAX >> (64 - 8 * bytes)) - 1;
            assert_eq!(unsigned.integers(), Some(vec![i64::try_from(most).unwrap_or(i64::MAX), 7]));
            assert_eq!(unsigned.floats(), [most as f32, 7.0]);
        }
        let single = of("<f4", &[0.1_f32.to_le_bytes(), f32::NAN.to_le_bytes()].concat(), 2);
        assert!(single.floats()[0] == 0.1 && single.floats()[1].is_nan() && single.integers().is_none());
        assert_eq!(of("<f8", &0.1_f64.to_le_bytes(), 1).floats(), [0.1]);
        let truth = of("|b1", &[1, 0, 1], 3);
        assert_eq!((truth.integers(), truth.floats()), (Some(vec![1, 0, 1]), vec![1.0, 0.0, 1.0]));
    }

    #[test]
    fn columns_first_become_rows_first() {
        // Element [i, j, k] is 100i + 10j + k.
        let elements: Vec<u8> = (0..3)
            .flat_map(|k| (0..4).flat_map(move |j| (0..2).map(move |i| 100 * i + 10 * j + k)))
            .collect();
        let fortran = read(&file("'|u1'", "True", "(2, 4, 3)", &elements)).unwrap();
        let expected: Vec<i64> = (0..2)
            .flat_map(|i| (0..4).flat_map(move |j| (0..3).map(move |k| 100 * i + 10 * j + k)))
            .collect();
        assert_eq!((fortran.integers().unwrap(), &fortran.shape[..]), (expected, &[2, 4, 3][..]));
        let wide: Vec<u8> = [1_i16, 3, 2, 4].iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(read(&file("'<i2'", "True", "(2, 2)", &wide)).unwrap().integers().unwrap(), [1, 2, 3, 4]);
        assert_eq!(read(&file("'<i2'", "True", "(0, 2)", &[])).unwrap().integers(), Some(vec![]));
    }

    #[test]
    fn later_versions_are_read_and_scalars_have_no_axis() {
        let header = b"{\"shape\": (), 'fortran_order': False, 'descr': '<i2'}\n";
        for version in [2, 3] {
            let length = u32::try_from(header.len()).unwrap().to_le_bytes();
            let bytes = [MAGIC, &[version, 0][..], &length, header, &[5, 1]].concat();
            let scalar = read(&bytes).unwrap();
            assert_eq!((scalar.integers().unwrap(), scalar.shape.len()), (vec![261], 0));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = file("'<f4'", "False", "(2, 3)", &[0; 24]);
        assert!(read(&good).is_ok());
        let refused = |bytes: &[u8]| read(bytes).unwrap_err();
        let behind = "expected 24 bytes behind the header, for the shape [2, 3] of f4, found ";
        assert_eq!(refused(&good[..good.len() - 1]), format!("{behind}23"));
        assert_eq!(refused(&[&good[..], &[0; 9]].concat()), format!("{behind}more"));
        for cut in [0, 5, 7, 9, 40] {
            assert!(refused(&good[..cut]).contains("found its end"), "{cut}");
        }
        assert_eq!(
            refused(b"PK\x03\x04\x00\x00\x00\x00"),
            "expected an array in NumPy's format, found the first bytes [50, 4b, 03, 04, 00, 00]"
        );
        let version = [&good[..6], &[4], &good[7..]].concat();
        assert_eq!(refused(&version), "expected version 1, 2 or 3 of NumPy's format, found 4");
        let of = |descr: &str, order: &str, shape: &str| refused(&file(descr, order, shape, &[0; 24]));
        assert!(of("'|O'", "False", "(6,)").contains("found Python objects, which are not read"));
        assert!(of("'>f4'", "False", "(6,)").ends_with("little-endian, found >f4, which is big-endian"));
        assert!(of("[('a', '<f4')]", "False", "(6,)").contains("found records of several fields"));
        for unknown in ["<f2", "<c8", "<U4", "<M8[ns]", "", "é4", "<é", "<f44"] {
            let error = of(&format!("'{unknown}'"), "False", "(6,)");
            assert_eq!(
                error,
                format!("expected numbers of type f4, f8, i1 to i8, u1 to u8 or bool, found {unknown:?}")
            );
        }
        assert!(of("'<f4'", "Maybe", "(6,)").contains("a header with True or False"));
        assert!(of("'<f4'", "False", "(6").contains("a header with a tuple"));
        assert!(of("'<f4'", "False", "(-6,)").contains("a header with whole numbers"));
        assert!(of("'<f4", "False", "(6,)").starts_with("expected "));
        assert!(of("<f4", "False", "(6,)").contains("a header with a type"));
    }

    /// Not a byte of memory for a promise.
    #[test]
    fn hostile_sizes_are_refused() {
        let refused = |shape: &str| read(&file("'<f8'", "False", shape, &[0; 8])).unwrap_err();
        let most = "expected an array of at most 4294967296 bytes, found the shape ";
        assert_eq!(refused("(4294967295, 65535)"), format!("{most}[4294967295, 65535] of f8"));
        let overflow = format!("({0}, {0}, {0})", u64::MAX);
        assert!(refused(&overflow).starts_with(most));
        assert!(refused("(99999999999999999999999,)").contains("whole numbers in its shape"));
        let promised = refused("(536870912,)");
        assert_eq!(
            promised,
            "expected 4294967296 bytes behind the header, for the shape [536870912] of f8, found 8"
        );
        let header = [MAGIC, &[2, 0][..], &u32::MAX.to_le_bytes()].concat();
        assert_eq!(read(&header).unwrap_err(), "expected a header of at most 65536 bytes, found 4294967295");
        // No time for axes without elements, either.
        assert_eq!(read(&file("'<f8'", "True", "(0, 4294967295)", &[])).unwrap().floats(), Vec::<f32>::new());
    }
}
