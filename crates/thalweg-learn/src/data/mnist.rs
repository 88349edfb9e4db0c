//! MNIST and Fashion-MNIST: 60,000 and 10,000 grey images of 28×28 pixels in ten classes.
//!
//! Sources: LeCun, Cortes & Burges, *The MNIST database of handwritten digits* (1998); Xiao, Rasul & Vollgraf, *Fashion-MNIST*,
//! arXiv 1708.07747 (2017), MIT licence. Debian's package `dataset-fashion-mnist` has the latter.

use std::path::Path;

use rayon::join;

use super::idx::Idx;
use super::{DataError, Dataset, Folders, Split};

const CLASSES: usize = 10;
const SIDE: usize = 28;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mnist {
    /// Handwritten digits.
    Digits,
    /// Pieces of clothing.
    Fashion,
}

impl Mnist {
    /// What its folder, and the set in readings, is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Digits => "mnist",
            Self::Fashion => "fashion-mnist",
        }
    }

    /// The names that each file may have, in the order in which they are looked for: images and labels to train on, then the others.
    pub fn files(self) -> Vec<Vec<String>> {
        ["train", "t10k"]
            .into_iter()
            .flat_map(|prefix| KINDS.map(|kind| names(prefix, kind).to_vec()))
            .collect()
    }

    /// Both parts as published, pixels in [0, 1], shape `[1, 28, 28]`.
    ///
    /// # Errors
    /// Files that are not found, cannot be read or break off, are of another kind, or do not fit each other; labels out of range.
    pub fn load(self, folders: &Folders) -> Result<Split, DataError> {
        let part = |prefix: &str, part: &str, examples| {
            let file = |kind| folders.find(self.name(), &names(prefix, kind).each_ref().map(String::as_str));
            let [images, labels] = KINDS.map(file);
            dataset(&format!("{}/{part}", self.name()), &images?, &labels?, examples)
        };
        let (train, test) = join(|| part("train", "train", 60_000), || part("t10k", "test", 10_000));
        Ok(Split { train: train?, test: test? })
    }
}

/// Kinds of files of each part.
const KINDS: [&str; 2] = ["images-idx3", "labels-idx1"];

/// Names of a file, as it is packed and not.
fn names(prefix: &str, kind: &str) -> [String; 2] {
    let name = format!("{prefix}-{kind}-ubyte");
    [format!("{name}.gz"), name]
}

/// Images and labels of so many examples.
fn dataset(name: &str, images: &Path, labels: &Path, examples: usize) -> Result<Dataset, DataError> {
    let expect = |path: &Path, idx: &Idx, expected: &[usize]| match idx.shape == expected {
        true => Ok(()),
        false => Err(DataError::Extents {
            path: path.to_path_buf(),
            expected: expected.to_vec(),
            found: idx.shape.clone(),
        }),
    };
    let pixels = Idx::read(images, 3)?;
    expect(images, &pixels, &[examples, SIDE, SIDE])?;
    let classes = Idx::read(labels, 1)?;
    expect(labels, &classes, &[examples])?;
    let inputs = pixels.bytes.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    let classes = classes.bytes.into_iter().map(i32::from).collect();
    Dataset::new(name, inputs, SIDE * SIDE, classes, CLASSES)?.with_shape(&[1, SIDE, SIDE])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str, extents: &[u32], elements: &[u8]) -> std::path::PathBuf {
        let mut bytes = vec![0, 0, 8, extents.len() as u8];
        bytes.extend(extents.iter().flat_map(|extent| extent.to_be_bytes()));
        bytes.extend_from_slice(elements);
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn images_and_labels_must_fit() {
        let folder = std::env::temp_dir().join(format!("thalweg-mnist-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let pixels: Vec<u8> = (0..2 * 784).map(|i| (i % 256) as u8).collect();
        let images = file(&folder, "images", &[2, 28, 28], &pixels);
        let labels = file(&folder, "labels", &[2], &[9, 0]);
        let read = |images: &Path, labels: &Path, examples| {
            let result = dataset("set/part", images, labels, examples);
            result.map_err(|error| error.to_string().replace(&format!("{}/", folder.display()), ""))
        };
        let data = read(&images, &labels, 2).unwrap();
        assert_eq!((data.shape(), data.labels(), data.classes()), (&[1, 28, 28][..], &[9, 0][..], 10));
        assert_eq!((data.input(0)[255], data.input(1)[0]), (1.0, (784 % 256) as f32 / 255.0));
        let narrow = file(&folder, "narrow", &[2, 28, 27], &pixels[..2 * 28 * 27]);
        let many = file(&folder, "many", &[3], &[0, 1, 2]);
        let wild = file(&folder, "wild", &[2], &[0, 10]);
        assert_eq!(
            read(&narrow, &labels, 2).unwrap_err(),
            "narrow: expected the extents [2, 28, 28], found [2, 28, 27]"
        );
        assert_eq!(read(&images, &many, 2).unwrap_err(), "many: expected the extents [2], found [3]");
        assert_eq!(
            read(&images, &labels, 3).unwrap_err(),
            "images: expected the extents [3, 28, 28], found [2, 28, 28]"
        );
        assert_eq!(
            read(&images, &wild, 2).unwrap_err(),
            "set/part, example 1: expected a label from 0 to 9, found 10"
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_is_not_there_is_said_with_where_was_looked() {
        let folders = Folders::new(Some(Path::new("/nowhere")));
        let error = Mnist::Digits.load(&folders).unwrap_err().to_string();
        let begin = "mnist: expected train-images-idx3-ubyte.gz or train-images-idx3-ubyte in one of the folders /nowhere, ";
        assert!(error.starts_with(begin), "{error}");
        assert!(error.ends_with(", itself or under mnist, found it in none"), "{error}");
    }
}
