//! Examples of the user's own in an archive of NumPy's, as `numpy.savez` and `numpy.savez_compressed` write them.

use std::io::Cursor;
use std::path::Path;

use zip::ZipArchive;

use super::npy::{Kind, Npy};
use super::own::{class_indices, number_of_classes};
use super::own_error::unfit;
use super::{DataError, Dataset, Own, OwnError, Place, Split};

/// Which arrays of an archive are the examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpzNames {
    /// Inputs to train on.
    pub inputs_train: String,
    /// Their labels.
    pub labels_train: String,
    /// Inputs held out: `x_test` if there is such an array, unless given.
    pub inputs_test: Option<String>,
    /// Their labels: `y_test` if there is such an array, unless given.
    pub labels_test: Option<String>,
}

impl Default for NpzNames {
    fn default() -> Self {
        Self {
            inputs_train: "x_train".to_owned(),
            labels_train: "y_train".to_owned(),
            inputs_test: None,
            labels_test: None,
        }
    }
}

impl NpzNames {
    /// The examples in the contents of the file that `path` names.
    ///
    /// Inputs are `[examples, …]`, what follows is the shape of an example; labels are whole numbers `[examples]` or `[examples,
    /// positions]`. Inputs of bytes are pixels and come out in [0, 1] if `are_pixels`, else as they are. The number of classes is the
    /// largest label of both parts and one more unless given.
    ///
    /// # Errors
    /// No such archive, no array of a name, an array of something else than numbers, one that breaks off or has more than its header
    /// says; counts that do not fit; labels out of range; inputs that are not finite in single precision.
    pub fn read(
        &self,
        contents: &[u8],
        path: &Path,
        are_pixels: bool,
        classes: Option<usize>,
    ) -> Result<Own, DataError> {
        let mut file = File::open(contents, path)?;
        let held_out = file.held_out(self)?;
        let train = file.part(&self.inputs_train, &self.labels_train)?;
        let test = held_out.map(|[inputs, labels]| file.part(&inputs, &labels)).transpose()?;
        let labels = train.labels.iter().chain(test.iter().flat_map(|test| &test.labels)).copied();
        let classes = number_of_classes(classes, labels, &path.display().to_string())?;
        if let Some(test) = &test {
            let (expected, found) = (&train.inputs.shape[1..], &test.inputs.shape[1..]);
            if expected != found {
                let expected = format!("examples of the shape {expected:?}, as in {}", self.inputs_train);
                return Err(unfit(path, Some(&test.name), expected, format!("{found:?}")));
            }
            // Only bytes are pixels: the scales of the two parts would differ.
            let is_bytes = |part: &Part| part.inputs.kind == Kind::Unsigned(1);
            if are_pixels && is_bytes(&train) != is_bytes(test) {
                let expected =
                    format!("elements of type {}, as in {}", train.inputs.kind.name(), self.inputs_train);
                return Err(unfit(path, Some(&test.name), expected, test.inputs.kind.name()));
            }
        }
        Ok(match test {
            None => Own::Whole(train.dataset(path, are_pixels, classes)?),
            Some(test) => Own::Parts(Split {
                train: train.dataset(path, are_pixels, classes)?,
                test: test.dataset(path, are_pixels, classes)?,
            }),
        })
    }
}

/// Inputs and labels of so many examples.
struct Part {
    /// That of the inputs.
    name: String,
    inputs: Npy,
    labels: Vec<i64>,
    labels_name: String,
    positions: usize,
}

impl Part {
    fn dataset(self, path: &Path, are_pixels: bool, classes: usize) -> Result<Dataset, DataError> {
        let Self { name, inputs, labels, labels_name, positions } = self;
        let of = |name: &str| format!("{}, {name}", path.display());
        let place = |at: usize| Place::Example { data: of(&labels_name), example: at / positions };
        let labels = class_indices(&labels, classes, place)?;
        let mut values = inputs.floats();
        if are_pixels && inputs.kind == Kind::Unsigned(1) {
            values.iter_mut().for_each(|pixel| *pixel /= 255.0);
        }
        let shape = if inputs.shape.len() == 1 { &[1] } else { &inputs.shape[1..] };
        let features = shape.iter().product();
        Dataset::with_positions(of(&name), values, features, labels, positions, classes)?.with_shape(shape)
    }
}

struct File<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    path: &'a Path,
}

impl<'a> File<'a> {
    fn open(contents: &'a [u8], path: &'a Path) -> Result<Self, DataError> {
        let archive = ZipArchive::new(Cursor::new(contents)).map_err(|error| {
            let found = match contents {
                [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => "one array alone".to_owned(),
                _ => error.to_string(),
            };
            unfit(path, None, "an archive of numpy.savez", found)
        })?;
        Ok(Self { archive, path })
    }

    fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(&format!("{name}.npy")).is_some()
    }

    /// Names of the arrays of the part held out, if there is one.
    fn held_out(&self, names: &NpzNames) -> Result<Option<[String; 2]>, DataError> {
        let all = [(&names.inputs_test, "x_test"), (&names.labels_test, "y_test")];
        let is_there = |(asked, usual): (&Option<String>, &str)| asked.is_some() || self.has(usual);
        if !all.into_iter().any(is_there) {
            return Ok(None);
        }
        Ok(Some(all.map(|(asked, usual)| asked.clone().unwrap_or_else(|| usual.to_owned()))))
    }

    fn part(&mut self, inputs_name: &str, labels_name: &str) -> Result<Part, DataError> {
        let path = self.path;
        let [inputs, labels] = [self.array(inputs_name)?, self.array(labels_name)?];
        let Some(&examples) = inputs.shape.first() else {
            return Err(unfit(path, Some(inputs_name), "an array [examples, …]", "a lone number"));
        };
        let kind = labels.kind.name();
        let Some(integers) = labels.integers() else {
            return Err(unfit(path, Some(labels_name), "labels of type i1 to i8, u1 to u8 or bool", kind));
        };
        let positions = match labels.shape[..] {
            [found] if found == examples => 1,
            [found, positions] if found == examples => positions,
            _ => {
                let expected = format!(
                    "the shape [{examples}] or [{examples}, positions], as {inputs_name} has {examples} examples"
                );
                return Err(unfit(path, Some(labels_name), expected, format!("{:?}", labels.shape)));
            }
        };
        let (name, labels_name) = (inputs_name.to_owned(), labels_name.to_owned());
        Ok(Part { name, inputs, labels: integers, labels_name, positions })
    }

    fn array(&mut self, name: &str) -> Result<Npy, DataError> {
        let path = self.path;
        if !self.has(name) {
            let names = self.archive.file_names().filter_map(Result::ok);
            let among = names.map(|own| own.strip_suffix(".npy").unwrap_or(&own).to_owned()).collect();
            let (path, name) = (path.to_path_buf(), name.to_owned());
            return Err(OwnError::Name { path, what: "an array", name, among }.into());
        }
        let entry = self.archive.by_name(&format!("{name}.npy"));
        let entry = entry
            .map_err(|error| unfit(path, Some(name), "an array that can be unpacked", error.to_string()))?;
        Npy::read(entry).map_err(|(expected, found)| unfit(path, Some(name), expected, found))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;
    use crate::data::npy::tests::file as npy;

    fn archive(arrays: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in arrays {
            let options = SimpleFileOptions::default().compression_method(method);
            archive.start_file(format!("{name}.npy"), options).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn stored(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
        archive(arrays, CompressionMethod::Stored)
    }

    fn floats(shape: &str, values: &[f32]) -> Vec<u8> {
        let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        npy("'<f4'", "False", shape, &bytes)
    }

    fn bytes(shape: &str, values: &[u8]) -> Vec<u8> {
        npy("'|u1'", "False", shape, values)
    }

    fn read(contents: &[u8]) -> Result<Own, String> {
        let own = NpzNames::default().read(contents, Path::new("a.npz"), true, None);
        own.map_err(|error| error.to_string())
    }

    fn images() -> Vec<(&'static str, Vec<u8>)> {
        let pixels: Vec<u8> = (0..24).map(|i| i * 10).collect();
        vec![("x_train", bytes("(2, 3, 2, 2)", &pixels)), ("y_train", bytes("(2,)", &[1, 0]))]
    }

    #[test]
    fn parts_have_the_shapes_of_their_arrays() {
        let mut arrays = images();
        let Own::Whole(whole) = read(&stored(&arrays)).unwrap() else { panic!("in one part") };
        assert_eq!((whole.shape(), whole.labels(), whole.classes()), (&[3, 2, 2][..], &[1, 0][..], 2));
        assert_eq!((whole.name(), whole.input(1)[11]), ("a.npz, x_train", 230.0 / 255.0));
        let raw = NpzNames::default().read(&stored(&arrays), Path::new("a.npz"), false, Some(5)).unwrap();
        let Own::Whole(raw) = raw else { panic!("in one part") };
        assert_eq!((raw.input(1)[11], raw.classes()), (230.0, 5));
        arrays.push(("x_test", bytes("(1, 3, 2, 2)", &[255; 12])));
        arrays.push(("y_test", npy("'<i8'", "False", "(1,)", &4_i64.to_le_bytes())));
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let Own::Parts(split) = read(&archive(&arrays, method)).unwrap() else { panic!("in two parts") };
            assert_eq!(split.train.inputs(), whole.inputs());
            assert_eq!((split.test.inputs(), split.test.labels()), (&[1.0; 12][..], &[4][..]));
            assert_eq!((split.train.classes(), split.test.classes()), (5, 5));
        }
        let names = NpzNames {
            inputs_train: "x_test".to_owned(),
            labels_train: "y_test".to_owned(),
            ..NpzNames::default()
        };
        assert!(names.read(&stored(&arrays[2..]), Path::new("a.npz"), true, None).is_ok());
        let lone = [("x_train", floats("(3,)", &[1.0, 2.0, 3.0])), ("y_train", bytes("(3, 1)", &[0, 0, 1]))];
        let Own::Whole(lone) = read(&stored(&lone)).unwrap() else { panic!("in one part") };
        assert_eq!((lone.shape(), lone.positions()), (&[1][..], 1));
        let text =
            [("x_train", floats("(1, 3)", &[1.0, 2.0, 0.0])), ("y_train", bytes("(1, 3)", &[2, 0, 1]))];
        let Own::Whole(text) = read(&stored(&text)).unwrap() else { panic!("in one part") };
        assert_eq!((text.positions(), text.labels()), (3, &[2, 0, 1][..]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let with = |at: usize, name: &'static str, array: Vec<u8>| {
            let mut arrays = images();
            arrays[at] = (name, array);
            read(&stored(&arrays)).unwrap_err()
        };
        assert_eq!(
            with(1, "labels", bytes("(2,)", &[1, 0])),
            "a.npz: expected an array \"y_train\", found x_train, labels"
        );
        assert_eq!(
            with(1, "y_train", bytes("(3,)", &[1, 0, 0])),
            "a.npz, y_train: expected the shape [2] or [2, positions], as x_train has 2 examples, found [3]"
        );
        assert_eq!(
            with(1, "y_train", floats("(2,)", &[1.0, 0.0])),
            "a.npz, y_train: expected labels of type i1 to i8, u1 to u8 or bool, found f4"
        );
        assert_eq!(
            with(1, "y_train", npy("'|i1'", "False", "(2,)", &[1, 255])),
            "a.npz, y_train, example 1: expected a label from 0 to 1, found -1"
        );
        assert_eq!(
            with(1, "y_train", npy("'<i8'", "False", "(2,)", &[[255; 8], [127; 8]].concat())),
            "a.npz: expected from 1 to 16384 classes, found the label 9187201950435737471"
        );
        assert_eq!(
            with(0, "x_train", floats("(2, 2)", &[0.0, 1.0, f32::NAN, 1.0])),
            "a.npz, x_train, example 1: expected finite inputs, found NaN at feature 0"
        );
        assert_eq!(
            with(0, "x_train", floats("()", &[0.0])),
            "a.npz, x_train: expected an array [examples, …], found a lone number"
        );
        assert!(
            with(0, "x_train", floats("(2, 0)", &[]))
                .ends_with("expected at least one of features, found none")
        );
        assert!(
            with(0, "x_train", floats("(4, 2)", &[0.0; 7]))
                .starts_with("a.npz, x_train: expected 32 bytes behind")
        );
        let objects = npy("'|O'", "False", "(2,)", b"\x80\x02cos\nsystem\n.");
        assert!(with(0, "x_train", objects).starts_with("a.npz, x_train: expected numbers of type"));
        let mut arrays = images();
        arrays.push(("x_test", bytes("(1, 3, 2, 2)", &[0; 12])));
        let refused = read(&stored(&arrays)).unwrap_err();
        assert_eq!(refused, "a.npz: expected an array \"y_test\", found x_train, y_train, x_test");
        arrays[2] = ("x_test", bytes("(1, 3, 4)", &[0; 12]));
        arrays.push(("y_test", bytes("(1,)", &[0])));
        assert_eq!(
            read(&stored(&arrays)).unwrap_err(),
            "a.npz, x_test: expected examples of the shape [3, 2, 2], as in x_train, found [3, 4]"
        );
        arrays[2] = ("x_test", floats("(1, 3, 2, 2)", &[0.0; 12]));
        assert_eq!(
            read(&stored(&arrays)).unwrap_err(),
            "a.npz, x_test: expected elements of type u1, as in x_train, found f4"
        );
        let names = NpzNames { labels_test: Some("held".to_owned()), ..NpzNames::default() };
        let refused = names.read(&stored(&images()), Path::new("a.npz"), true, None).unwrap_err().to_string();
        assert_eq!(refused, "a.npz: expected an array \"x_test\", found x_train, y_train");
    }

    #[test]
    fn what_is_no_archive_or_a_broken_one_is_refused() {
        assert_eq!(
            read(&floats("(2,)", &[0.0; 2])).unwrap_err(),
            "a.npz: expected an archive of numpy.savez, found one array alone"
        );
        assert!(read(b"").unwrap_err().starts_with("a.npz: expected an archive of numpy.savez, found "));
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let whole = archive(&images(), method);
            for cut in [10, whole.len() / 2, whole.len() - 5] {
                assert!(read(&whole[..cut]).unwrap_err().starts_with("a.npz"), "{cut}");
            }
            // A byte of the elements, which are the last 24 in front of the second entry: their sum tells.
            let second = whole.windows(4).skip(1).position(|bytes| bytes == b"PK\x03\x04").unwrap();
            let mut spoilt = whole.clone();
            spoilt[second - 4] ^= 0x10;
            assert!(read(&spoilt).is_err(), "{method:?}");
        }
        // Sixteen megabytes of zeros in a few kilobytes, behind a header that promises eight.
        let long = archive(
            &[("x_train", bytes("(8, 1)", &vec![0; 1 << 24])), ("y_train", bytes("(8,)", &[0; 8]))],
            CompressionMethod::Deflated,
        );
        assert!(long.len() < 1 << 15);
        let expected =
            "a.npz, x_train: expected 8 bytes behind the header, for the shape [8, 1] of u1, found more";
        assert_eq!(read(&long).unwrap_err(), expected);
    }
}
