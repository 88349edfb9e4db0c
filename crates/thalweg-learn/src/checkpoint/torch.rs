//! State dicts as PyTorch's `torch.save` writes them, read without running any of their code.
//!
//! Such a file is a zip archive: `…/data.pkl`, a pickle in which tensors are calls of a few known functions, and `…/data/<key>`
//! with the numbers of each storage. [`Pickle`] calls nothing, and what is understood here are those functions and no others.

use std::collections::HashMap;
use std::io::{Cursor, Read as _};
use std::path::Path;

use thalweg_kernel::Real;
use zip::{CompressionMethod, ZipArchive};

use super::{CheckpointError, Leaf};
use crate::pickle::{Id, Pickle};

/// What every zip archive begins with.
const MAGIC: &[u8] = b"PK\x03\x04";
/// Numbers that tensors may have in all for each byte of the file.
const SHARED_MAX: u64 = 4;
/// Keys under which training scripts keep the state dict beside other things.
const NESTED: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// Whether the bytes are those of such a file, or of another zip archive.
pub fn is_torch(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The floating-point tensors of a state dict, in its order, in `T`: as they are, or rounded from f64, or widened. The counts of
/// batches that batch norms keep (`….num_batches_tracked`) are passed over. A dict that has the state dict under `state_dict`,
/// `model_state_dict` or `model` is one, too.
///
/// # Errors
/// No such archive; a pickle that calls what no state dict needs; a tensor of whole or complex numbers, or one that lies outside of
/// its storage.
pub fn read_torch<T: Real>(bytes: &[u8], origin: &Path) -> Result<Vec<Leaf<T>>, CheckpointError> {
    let mut file = File::open(bytes, origin)?;
    let pickle = Pickle::read(&file.entry("data.pkl")?)
        .map_err(|error| file.fail(format!("{} at byte {} of its data.pkl", error.found, error.at)))?;
    let mut root = pickle.root();
    let dict = |id: Id| {
        pickle.pairs(id).ok_or_else(|| file.fail(format!("{} in place of a state dict", pickle.describe(id))))
    };
    let pairs = dict(root)?;
    let nested = pairs.iter().find(|[key, value]| {
        pickle.text(*key).is_some_and(|key| NESTED.contains(&key)) && pickle.pairs(*value).is_some()
    });
    if let Some([_, value]) = nested {
        root = *value;
    }
    let mut leaves = Vec::new();
    for &[key, value] in dict(root)? {
        let Some(name) = pickle.text(key) else {
            return Err(file.fail(format!("{} in place of a name", pickle.describe(key))));
        };
        if name.ends_with(".num_batches_tracked") {
            continue;
        }
        let tensor =
            Tensor::understand(&pickle, value).map_err(|found| file.fail(format!("{found} at {name}")))?;
        leaves.push(file.leaf(name, &tensor)?);
    }
    Ok(leaves)
}

/// How the numbers of a storage are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Half,
    BFloat16,
    Float,
    Double,
}

impl Kind {
    fn of(storage: &str) -> Option<Self> {
        Some(match storage {
            "HalfStorage" => Self::Half,
            "BFloat16Storage" => Self::BFloat16,
            "FloatStorage" => Self::Float,
            "DoubleStorage" => Self::Double,
            _ => return None,
        })
    }

    fn bytes(self) -> usize {
        match self {
            Self::Half | Self::BFloat16 => 2,
            Self::Float => 4,
            Self::Double => 8,
        }
    }

    /// A number of so many bytes, the lowest first.
    fn read(self, bytes: &[u8]) -> f64 {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let bits = u64::from_le_bytes(wide);
        match self {
            Self::Half => half(bits as u16),
            Self::BFloat16 => f32::from_bits((bits as u32) << 16).into(),
            Self::Float => f32::from_bits(bits as u32).into(),
            Self::Double => f64::from_bits(bits),
        }
    }
}

/// A number of IEEE's binary16.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        0 => fraction * 2f64.powi(-24),
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// A tensor as the pickle describes it.
struct Tensor {
    kind: Kind,
    key: String,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl Tensor {
    /// What is no tensor of floating-point numbers comes back in words.
    fn understand(pickle: &Pickle, id: Id) -> Result<Self, String> {
        let unknown = || format!("{} in place of a tensor", pickle.describe(id));
        let (function, arguments) = pickle.call(id).ok_or_else(unknown)?;
        match (function, arguments) {
            (("torch._utils", "_rebuild_parameter"), [data, ..]) => match pickle.call(*data) {
                // One level: a parameter of a parameter could be one of itself.
                Some((("torch._utils", "_rebuild_tensor_v2"), _)) => Self::understand(pickle, *data),
                _ => Err(unknown()),
            },
            (("torch._utils", "_rebuild_tensor_v2"), [storage, offset, shape, strides, ..]) => {
                let (kind, key) = storage_of(pickle, *storage)?;
                let sizes = |id: Id| -> Option<Vec<usize>> {
                    let elements = pickle.elements(id)?.iter();
                    elements.map(|&size| usize::try_from(pickle.int(size)?).ok()).collect()
                };
                let offset = pickle.int(*offset).and_then(|offset| usize::try_from(offset).ok());
                match (offset, sizes(*shape), sizes(*strides)) {
                    (Some(offset), Some(shape), Some(strides)) if shape.len() == strides.len() => {
                        Ok(Self { kind, key, offset, shape, strides })
                    }
                    _ => Err("a tensor without a shape".to_owned()),
                }
            }
            _ => Err(unknown()),
        }
    }

    /// Elements, and the place in the storage after the last of them; none if there are more than can be counted.
    fn extent(&self) -> Option<[usize; 2]> {
        let count = self.shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size))?;
        if count == 0 {
            return Some([0, 0]);
        }
        let axes = self.shape.iter().zip(&self.strides);
        let last = axes.into_iter().try_fold(self.offset, |last, (&size, &stride)| {
            last.checked_add((size - 1).checked_mul(stride)?)
        })?;
        Some([count, last.checked_add(1)?])
    }
}

/// The kind and the key of a storage: `("storage", torch.FloatStorage, key, location, count)`.
fn storage_of(pickle: &Pickle, id: Id) -> Result<(Kind, String), String> {
    let unknown = || format!("{} in place of a storage", pickle.describe(id));
    let crate::pickle::Node::Persistent(tuple) = pickle.node(id) else { return Err(unknown()) };
    match pickle.elements(*tuple) {
        Some([word, class, key, ..]) if pickle.text(*word) == Some("storage") => {
            let (module, name) = pickle.global(*class).ok_or_else(unknown)?;
            let kind = Kind::of(name).filter(|_| module == "torch");
            let kind = kind.ok_or_else(|| {
                format!("a tensor in a {module}.{name}, which is not of floating-point numbers")
            })?;
            Ok((kind, pickle.text(*key).ok_or_else(unknown)?.to_owned()))
        }
        _ => Err(unknown()),
    }
}

/// An archive.
struct File<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// The folder that everything is in, with its slash.
    folder: String,
    length: u64,
    /// The storages that were read; tensors may share one.
    storages: HashMap<String, Vec<u8>>,
    /// Numbers in all tensors so far.
    given: u64,
    origin: &'a Path,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8], origin: &'a Path) -> Result<Self, CheckpointError> {
        let fail = |reason: String| CheckpointError::Torch { origin: origin.to_path_buf(), reason };
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| fail(error.to_string()))?;
        let names: Vec<String> =
            archive.file_names().filter_map(Result::ok).map(std::borrow::Cow::into_owned).collect();
        let folder = names.iter().find_map(|name| name.strip_suffix("data.pkl")).map(str::to_owned);
        let folder = folder.ok_or_else(|| fail("an archive without a data.pkl".to_owned()))?;
        let length = bytes.len() as u64;
        let mut file = Self { archive, folder, length, storages: HashMap::new(), given: 0, origin };
        if names.contains(&format!("{}byteorder", file.folder)) {
            let order = file.entry("byteorder")?;
            if order != b"little" {
                return Err(file.fail(format!("the byte order {}", String::from_utf8_lossy(&order))));
            }
        }
        Ok(file)
    }

    fn fail(&self, reason: String) -> CheckpointError {
        CheckpointError::Torch { origin: self.origin.to_path_buf(), reason }
    }

    /// The content of an entry, which is stored as it is: it cannot be longer than the archive.
    fn entry(&mut self, name: &str) -> Result<Vec<u8>, CheckpointError> {
        let (length, origin) = (self.length, self.origin.to_path_buf());
        let fail = |reason: String| CheckpointError::Torch { origin, reason };
        let full = format!("{}{name}", self.folder);
        match self.archive.by_name(&full) {
            // Such an entry could hold any number of bytes.
            Ok(entry) if entry.compression() != CompressionMethod::Stored => {
                Err(fail(format!("{full} compressed, not stored as it is")))
            }
            Ok(entry) => {
                let mut content = Vec::new();
                match entry.take(length).read_to_end(&mut content) {
                    Ok(_) => Ok(content),
                    Err(error) => Err(fail(format!("{full} unreadable: {error}"))),
                }
            }
            Err(error) => Err(fail(format!("no {full}: {error}"))),
        }
    }

    fn leaf<T: Real>(&mut self, name: &str, tensor: &Tensor) -> Result<Leaf<T>, CheckpointError> {
        let Tensor { kind, key, offset, shape, strides } = tensor;
        let bytes = match self.storages.remove(key) {
            Some(bytes) => bytes,
            None => self.entry(&format!("data/{key}"))?,
        };
        let held = bytes.len() / kind.bytes();
        // An element that is shown several times could be shown any number of times.
        let fits = tensor.extent().filter(|&[count, end]| count <= held && end <= held);
        let Some([count, _]) = fits else {
            return Err(self.fail(format!("{name} of shape {shape:?} in a storage of {held} numbers")));
        };
        // Weights that are tied share their numbers; a few bytes could share them any number of times.
        self.given += count as u64;
        if self.given > SHARED_MAX * self.length {
            return Err(self.fail(format!("tensors of more than {SHARED_MAX} numbers for each of its bytes")));
        }
        let at =
            |place: usize| T::from_f64(kind.read(&bytes[place * kind.bytes()..(place + 1) * kind.bytes()]));
        let mut values = Vec::with_capacity(count);
        let mut index = vec![0; shape.len()];
        for _ in 0..count {
            values.push(at(offset + index.iter().zip(strides).map(|(i, stride)| i * stride).sum::<usize>()));
            for (i, &size) in index.iter_mut().zip(shape).rev() {
                *i += 1;
                if *i < size {
                    break;
                }
                *i = 0;
            }
        }
        self.storages.insert(key.clone(), bytes);
        Ok(Leaf { name: name.to_owned(), shape: shape.clone(), values })
    }
}

#[cfg(test)]
mod tests;
