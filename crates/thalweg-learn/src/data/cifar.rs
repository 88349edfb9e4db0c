//! CIFAR-10 and CIFAR-100: 50,000 and 10,000 colour images of 32×32 pixels, in 10 or 100 classes.
//!
//! Source: A. Krizhevsky, *Learning multiple layers of features from tiny images* (2009), the binary version and the
//! Python version (`cifar_python.rs`). A record of the binary one is the label (of CIFAR-100 the coarse one of 20, then the fine
//! one of 100) and 3,072 pixels: red row by row, then green, then blue.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rayon::prelude::*;

use super::{DataError, Dataset, Folders, Place, Split, cifar_python};

const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = 3 * 32 * 32;

/// One of the two, and of CIFAR-100 which labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cifar {
    /// Ten classes.
    Ten,
    /// A hundred classes.
    Hundred,
    /// CIFAR-100 in its twenty classes of five.
    HundredCoarse,
}

impl Cifar {
    /// What its folder, and the set in readings, is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ten => "cifar-10",
            Self::Hundred | Self::HundredCoarse => "cifar-100",
        }
    }

    /// Number of classes.
    pub fn classes(self) -> usize {
        match self {
            Self::Ten => 10,
            Self::Hundred => 100,
            Self::HundredCoarse => 20,
        }
    }

    /// Labels before the pixels of a record, each with the number of its classes.
    fn labels(self) -> &'static [usize] {
        match self {
            Self::Ten => &[10],
            Self::Hundred | Self::HundredCoarse => &[20, 100],
        }
    }

    /// Which of them is the label of an example.
    fn label(self) -> usize {
        usize::from(self == Self::Hundred)
    }

    /// Files of the part to train on and of the other, with the images in each.
    fn parts(self) -> [Vec<(String, usize)>; 2] {
        match self {
            Self::Ten => {
                let batches = (1..=5).map(|number| (format!("data_batch_{number}.bin"), 10_000));
                [batches.collect(), vec![("test_batch.bin".to_owned(), 10_000)]]
            }
            Self::Hundred | Self::HundredCoarse => {
                [vec![("train.bin".to_owned(), 50_000)], vec![("test.bin".to_owned(), 10_000)]]
            }
        }
    }

    /// Lists of labels in the Python version that are in the binary one, too, each with the number of its classes.
    fn lists(self) -> &'static [(&'static str, usize)] {
        match self {
            Self::Ten => &[("labels", 10)],
            Self::Hundred | Self::HundredCoarse => &[("coarse_labels", 20), ("fine_labels", 100)],
        }
    }

    /// Names of a file: of the binary version by itself and in its archive's folder, and of the Python version.
    fn names(self, file: &str) -> [String; 3] {
        let [unpacked, python] = match self {
            Self::Ten => ["cifar-10-batches-bin", "cifar-10-batches-py"],
            Self::Hundred | Self::HundredCoarse => ["cifar-100-binary", "cifar-100-python"],
        };
        let pickled = file.trim_end_matches(".bin");
        [file.to_owned(), format!("{unpacked}/{file}"), format!("{python}/{pickled}")]
    }

    /// The names that each file may have, in the order in which they are looked for: files to train on, then the others.
    pub fn files(self) -> Vec<Vec<String>> {
        self.parts().iter().flatten().map(|(file, _)| self.names(file).to_vec()).collect()
    }

    /// Both parts as published, pixels in [0, 1], shape `[3, 32, 32]`. The files of the binary version may lie in the folder that its
    /// archive makes, those of the Python version must: elsewhere their names could be anyone's. Of both the binary is read.
    ///
    /// # Errors
    /// Files that are not found or cannot be read, that are shorter or longer than they should be; labels out of range.
    pub fn load(self, folders: &Folders) -> Result<Split, DataError> {
        let part = |name: &str, files: &[(String, usize)]| {
            let read = |(file, images): &(String, usize)| {
                let path = folders.find(self.name(), &self.names(file).each_ref().map(String::as_str))?;
                let unreadable = |source| DataError::Read { place: Place::byte(&path, 0), source };
                let content = File::open(&path).map_err(unreadable)?;
                match path.extension() {
                    Some(_) => self.records(content, &path, *images),
                    None => self.pickled(content, &path, *images),
                }
            };
            // Of several errors the first file's, whichever thread is first.
            let read: Vec<Result<Records, DataError>> = files.par_iter().map(read).collect();
            let read: Vec<Records> = read.into_iter().collect::<Result<_, _>>()?;
            let (pixels, labels): (Vec<_>, Vec<_>) =
                read.into_iter().map(|records| (records.pixels, records.labels)).unzip();
            let name = format!("{}/{name}", self.name());
            Dataset::new(name, pixels.concat(), PIXELS, labels.concat(), self.classes())?.with_shape(&SHAPE)
        };
        let [train, test] = self.parts();
        Ok(Split { train: part("train", &train)?, test: part("test", &test)? })
    }

    /// So many images of the Python version.
    fn pickled(self, input: impl Read, path: &Path, images: usize) -> Result<Records, DataError> {
        let mut bytes = Vec::new();
        // Beside its pixels an image has two labels and the name of its file.
        let longest = images * (PIXELS + 1024);
        let read = input.take(longest as u64).read_to_end(&mut bytes);
        read.map_err(|source| DataError::Read { place: Place::byte(path, bytes.len()), source })?;
        let (pixels, mut labels) = cifar_python::read(&bytes, path, images, self.lists())?;
        let pixels = pixels.into_iter().map(|pixel| f32::from(pixel) / 255.0).collect();
        Ok(Records { pixels, labels: labels.swap_remove(self.label()) })
    }

    /// So many records, and nothing behind them.
    fn records(self, input: impl Read, path: &Path, images: usize) -> Result<Records, DataError> {
        let labels = self.labels();
        let record = labels.len() + PIXELS;
        let expected = images * record;
        let mut bytes = Vec::new();
        // One more than there should be, to see whether there is more.
        let read = input.take(expected as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|source| DataError::Read { place: Place::byte(path, bytes.len()), source })?;
        if bytes.len() != expected {
            let (found, more) = (bytes.len(), bytes.len() > expected);
            return Err(DataError::Records {
                path: path.to_path_buf(),
                images,
                record,
                expected,
                found,
                more,
            });
        }
        let mut records =
            Records { pixels: Vec::with_capacity(images * PIXELS), labels: Vec::with_capacity(images) };
        for (number, bytes) in bytes.chunks(record).enumerate() {
            let (own, pixels) = bytes.split_at(labels.len());
            for (at, (&label, &classes)) in own.iter().zip(labels).enumerate() {
                if usize::from(label) >= classes {
                    let place = Place::byte(path, number * record + at);
                    return Err(DataError::Label { place, classes, found: i64::from(label) });
                }
            }
            records.labels.push(i32::from(own[self.label()]));
            records.pixels.extend(pixels.iter().map(|&pixel| f32::from(pixel) / 255.0));
        }
        Ok(records)
    }
}

struct Records {
    pixels: Vec<f32>,
    labels: Vec<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of two images, with those labels, pixels counting up.
    fn file(labels: [&[u8]; 2]) -> Vec<u8> {
        let pixels = |image: usize| (0..PIXELS).map(move |i| ((i + image) % 251) as u8);
        (0..2)
            .flat_map(|image| labels[image].iter().copied().chain(pixels(image)).collect::<Vec<u8>>())
            .collect()
    }

    fn read(set: Cifar, bytes: &[u8]) -> Result<Records, String> {
        set.records(bytes, Path::new("x.bin"), 2).map_err(|error| error.to_string())
    }

    #[test]
    fn records_are_labels_and_pixels() {
        let ten = read(Cifar::Ten, &file([&[9], &[0]])).unwrap();
        assert_eq!((&ten.labels[..], ten.pixels.len()), (&[9, 0][..], 2 * PIXELS));
        assert_eq!((ten.pixels[0], ten.pixels[PIXELS]), (0.0, 1.0 / 255.0));
        let hundred = file([&[19, 99], &[0, 7]]);
        assert_eq!(read(Cifar::Hundred, &hundred).unwrap().labels, [99, 7]);
        assert_eq!(read(Cifar::HundredCoarse, &hundred).unwrap().labels, [19, 0]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refused = |set, bytes: &[u8]| read(set, bytes).err().unwrap();
        let good = file([&[9], &[0]]);
        let expected = "x.bin: expected 6146 bytes, 2 images of 3073, found ";
        assert_eq!(refused(Cifar::Ten, &good[..6145]), format!("{expected}6145"));
        assert_eq!(refused(Cifar::Ten, &[&good[..], &[0; 5]].concat()), format!("{expected}at least 6147"));
        assert_eq!(
            refused(Cifar::Ten, &file([&[9], &[10]])),
            "x.bin, byte 3073: expected a label from 0 to 9, found 10"
        );
        assert_eq!(
            refused(Cifar::HundredCoarse, &file([&[19, 99], &[3, 100]])),
            "x.bin, byte 3075: expected a label from 0 to 99, found 100"
        );
    }

    #[test]
    fn whole_sets_in_their_exact_format_are_read() {
        let folder = std::env::temp_dir().join(format!("thalweg-cifar-{}", std::process::id()));
        let unpacked = folder.join("cifar-10-batches-bin");
        std::fs::create_dir_all(&unpacked).unwrap();
        let mut record = vec![0; 1 + PIXELS];
        for (batch, name) in
            ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]
                .into_iter()
                .enumerate()
        {
            let mut bytes = Vec::new();
            for image in 0..10_000 {
                record[0] = (image % 10) as u8;
                record[1] = batch as u8;
                bytes.extend_from_slice(&record);
            }
            std::fs::write(unpacked.join(format!("{name}.bin")), bytes).unwrap();
        }
        let split = Cifar::Ten.load(&Folders::new(Some(&folder))).unwrap();
        assert_eq!((split.train.examples(), split.test.examples()), (50_000, 10_000));
        assert_eq!((split.train.shape(), split.train.class_counts()), (&SHAPE[..], vec![5_000; 10]));
        // In the order of the files.
        let first = |data: &Dataset, example: usize| data.input(example)[0] * 255.0;
        assert_eq!(
            [0, 9_999, 10_000, 49_999].map(|example| first(&split.train, example)),
            [0.0, 0.0, 1.0, 4.0]
        );
        assert_eq!((first(&split.test, 0), split.train.name()), (5.0, "cifar-10/train"));
        std::fs::remove_file(unpacked.join("data_batch_3.bin")).unwrap();
        // The same images from the Python version.
        let python = folder.join("cifar-10-batches-py");
        std::fs::create_dir_all(&python).unwrap();
        let mut pixels = vec![0; 10_000 * PIXELS];
        pixels.iter_mut().step_by(PIXELS).for_each(|first| *first = 2);
        let labels: Vec<i32> = (0..10_000).map(|image| image % 10).collect();
        let pickle = cifar_python::tests::file([10_000, 3072], &pixels, &[("labels", &labels)]);
        std::fs::write(python.join("data_batch_3"), pickle).unwrap();
        assert_eq!(Cifar::Ten.load(&Folders::new(Some(&folder))).unwrap(), split);
        std::fs::remove_file(python.join("data_batch_3")).unwrap();
        let error = Cifar::Ten.load(&Folders::new(Some(&folder))).unwrap_err().to_string();
        assert!(
            error.starts_with(
                "cifar-10: expected data_batch_3.bin or cifar-10-batches-bin/data_batch_3.bin or cifar-10-batches-py/data_batch_3 in"
            ),
            "{error}"
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
