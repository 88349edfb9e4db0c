//! Files of the user's own as NumPy and Pillow write them: `reference/own.py` made them, and says what these programs read there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thalweg_learn::data::{Dataset, ImageFolder, NpzNames, Own};

#[derive(Deserialize)]
struct Reference {
    arrays: BTreeMap<String, Vec<f64>>,
    images: BTreeMap<String, Picture>,
}

#[derive(Deserialize)]
struct Picture {
    /// `[channels, 20, 27]`
    pixels: Vec<u8>,
    /// `[20, 27]`
    grey: Vec<u8>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/own.json")).unwrap()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/own").join(name)
}

fn whole(own: Own) -> Dataset {
    let Own::Whole(data) = own else { panic!("in one part") };
    data
}

#[test]
fn arrays_are_those_of_numpy() {
    let truth = reference().arrays;
    for archive in ["stored.npz", "deflated.npz"] {
        let contents = fs::read(file(archive)).unwrap();
        let read = |inputs: &str, labels: &str| {
            let (inputs_train, labels_train) = (inputs.to_owned(), labels.to_owned());
            let names = NpzNames { inputs_train, labels_train, ..NpzNames::default() };
            let own = names.read(&contents, Path::new(archive), false, None);
            own.map(whole).map_err(|error| error.to_string())
        };
        for inputs in ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "bool", "fortran"] {
            let data = read(inputs, "y").unwrap();
            assert_eq!((data.shape(), data.labels(), data.classes()), (&[2, 3][..], &[2, 0, 1, 2][..], 3));
            let expected: Vec<f32> = truth[inputs].iter().map(|&x| x as f32).collect();
            assert_eq!(data.inputs(), expected, "{archive} {inputs}");
        }
        for (array, found) in [("objects", "found Python objects"), ("big", "found >f4, which is big-endian")]
        {
            let error = read(array, "y").unwrap_err();
            assert!(error.starts_with(&format!("{archive}, {array}: ")) && error.contains(found), "{error}");
        }
        let error = read("f4", "f8").unwrap_err();
        assert!(error.contains("f8: expected labels of type i1 to i8"), "{error}");
    }
}

/// The one image `name` in a folder of its own, as pixels from 0 to 255.
fn read(name: &str, channels: Option<usize>) -> Result<Vec<u8>, String> {
    let folder = std::env::temp_dir().join(format!("thalweg-own-{}-{name}-{channels:?}", std::process::id()));
    fs::create_dir_all(folder.join("class")).unwrap();
    fs::copy(file(name), folder.join("class").join(name)).unwrap();
    let result = ImageFolder::read(&folder, channels);
    fs::remove_dir_all(&folder).unwrap();
    let data = whole(result.map_err(|error| error.to_string())?.images);
    assert_eq!(data.shape()[1..], [20, 27]);
    Ok(data.inputs().iter().map(|x| (x * 255.0).round() as u8).collect())
}

#[test]
fn images_are_those_of_pillow() {
    for (name, picture) in reference().images {
        // Of a JPEG decoders agree up to the rounding of a cosine transform; where colours have half the resolution, each fills
        // them in in its own way.
        let most = match &name[..] {
            "halved.jpg" => 16,
            _ if name.ends_with(".png") => 0,
            _ => 3,
        };
        for (channels, truth) in [(None, &picture.pixels), (Some(1), &picture.grey)] {
            let found = read(&name, channels).unwrap();
            assert_eq!(found.len(), truth.len(), "{name}");
            let apart = found.iter().zip(truth).map(|(a, b)| a.abs_diff(*b));
            let (largest, sum) = apart.fold((0, 0), |(most, sum), x| (x.max(most), sum + usize::from(x)));
            assert!(largest <= most, "{name} {channels:?}: {largest}");
            assert!(sum <= truth.len() * usize::from(most) / 4, "{name} {channels:?}: {sum} in all");
        }
    }
    let grey = read("grey.jpg", None).unwrap();
    assert_eq!(read("grey.jpg", Some(3)).unwrap(), grey.repeat(3));
    assert!(read("cmyk.jpg", None).unwrap_err().ends_with("cmyk.jpg: expected 1 or 3 channels, found 4"));
}
