//! Images of the user's own: a folder a class, as torchvision's `ImageFolder` has them, in one part or in two.
//!
//! `train/CLASS/…` and `test/CLASS/…`, or `CLASS/…` alone. Classes are numbered in the order of their names, examples come class by
//! class in the order of the files' names, by bytes: neither depends on the system or on how many threads decode.

mod decode;
mod listing;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rayon::prelude::*;

use decode::{Bounds, Image};
use listing::Listing;

use super::own::CLASSES_MAX;
use super::own_error::unfit;
use super::{DataError, Dataset, Own, OwnError, Place, Split};

/// Bytes of an image's file at most.
const FILE_MAX: u64 = 1 << 28;
/// Numbers in all images at most.
const NUMBERS_MAX: usize = 1 << 32;

/// Images that a folder holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFolder {
    /// Names of the classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// The images, pixels in [0, 1], of shape `[channels, height, width]`.
    pub images: Own,
}

impl ImageFolder {
    /// Reads PNG and JPEG files of 8 bits a channel, all of one size.
    ///
    /// With `channels` 1 or 3 given, colour images become grey (luma of ITU-R BT.601, as Pillow's `convert("L")`) or grey ones get
    /// three equal channels; unless given, all images must have as many as the first. An alpha channel is passed over where it is
    /// opaque everywhere, and refused elsewhere: there is no background to lay the image on. JPEGs are taken as they are stored,
    /// whatever their Exif says of turning.
    ///
    /// # Errors
    /// A folder or file that cannot be read; no class, no image in one, or a class to test on that is not trained on; a file of
    /// another kind; an image of another size or number of channels than the first.
    pub fn read(folder: &Path, channels: Option<usize>) -> Result<Self, DataError> {
        if let Some(found) = channels.filter(|channels| ![1, 3].contains(channels)) {
            return Err(unfit(folder, None, "images of 1 or 3 channels", found.to_string()));
        }
        let Listing { classes, train, test } = Listing::of(folder)?;
        if classes.len() > CLASSES_MAX {
            let (data, found) = (folder.display().to_string(), classes.len().to_string());
            return Err(OwnError::ClassCount { data, most: CLASSES_MAX, found }.into());
        }
        let files: Vec<&listing::File> = train.iter().chain(test.iter().flatten()).collect();
        let pixels = Pixels::decode(folder, &files, channels)?;
        let dataset = |name: String, from: usize, files: &[listing::File]| {
            let planes = &pixels.bytes[from..from + files.len()];
            let inputs = planes.iter().flatten().map(|&pixel| f32::from(pixel) / 255.0).collect();
            let labels = files.iter().map(|file| file.class as i32).collect();
            let features = pixels.shape.iter().product();
            Dataset::new(name, inputs, features, labels, classes.len())?.with_shape(&pixels.shape)
        };
        let name = folder.display().to_string();
        let images = match &test {
            None => Own::Whole(dataset(name, 0, &train)?),
            Some(test) => Own::Parts(Split {
                train: dataset(format!("{name}/train"), 0, &train)?,
                test: dataset(format!("{name}/test"), train.len(), test)?,
            }),
        };
        Ok(Self { classes, images })
    }
}

/// All images, decoded.
struct Pixels {
    shape: [usize; 3],
    /// Of each image the channels one after the other.
    bytes: Vec<Vec<u8>>,
}

impl Pixels {
    fn decode(folder: &Path, files: &[&listing::File], channels: Option<usize>) -> Result<Self, DataError> {
        let Some(first) = files.first() else {
            return Err(DataError::Empty { data: folder.display().to_string(), what: "images" });
        };
        let image = read(&first.path, &Bounds::Any)?;
        let [height, width] = image.size;
        let shape = [channels.unwrap_or(image.channels), height, width];
        let features: usize = shape.iter().product();
        if files.len().checked_mul(features).is_none_or(|numbers| numbers > NUMBERS_MAX) {
            let found = format!("{} of the shape {shape:?}", files.len());
            return Err(unfit(
                folder,
                None,
                format!("images of at most {NUMBERS_MAX} numbers in all"),
                found,
            ));
        }
        let bounds = Bounds::Like { size: image.size, first: &first.path };
        let decoded = |file: &&listing::File| {
            let image = read(&file.path, &bounds)?;
            if channels.is_none() && image.channels != shape[0] {
                let expected = format!(
                    "{} as in {} (`data.channels` makes all alike)",
                    in_words(shape[0]),
                    first.path.display()
                );
                return Err(unfit(&file.path, None, expected, in_words(image.channels)));
            }
            Ok(image.planes(shape[0]))
        };
        // Of several errors the first file's, whichever thread is first.
        let decoded: Vec<Result<Vec<u8>, DataError>> = files.par_iter().map(decoded).collect();
        Ok(Self { shape, bytes: decoded.into_iter().collect::<Result<_, _>>()? })
    }
}

fn in_words(channels: usize) -> String {
    match channels {
        1 => "1 channel".to_owned(),
        _ => format!("{channels} channels"),
    }
}

fn read(path: &Path, bounds: &Bounds<'_>) -> Result<Image, DataError> {
    let unreadable = |source| DataError::Read { place: Place::byte(path, 0), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(unreadable)?.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(unfit(path, None, format!("a file of at most {FILE_MAX} bytes"), "more"));
    }
    Image::decode(&bytes, path, bounds)
}

#[cfg(test)]
mod tests;
