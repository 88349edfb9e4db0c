//! Handwritten digits, 8×8 pixels: 1,797 real images that are always there, and a reader for files like them.
//!
//! Source: E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository
//! (1998), doi 10.24432/C50P49, test part; licence CC BY 4.0. Each pixel counts the dark ones among 4×4 pixels of a
//! 32×32 bitmap, hence 0 to 16. Small enough to train in seconds and to hold a whole Hessian of a small network, yet
//! not a toy distribution.
//!
//! The split into 1,437 for training and 360 for testing is fixed for ever: it does not depend on the seed of a run.

use std::path::Path;

use thalweg_kernel::Key;

use super::digits_csv::{self as csv, Format, Rows};
use super::{DataError, Dataset, Scaling, Split};

/// Number of embedded examples.
pub const EXAMPLES: usize = 1797;
/// Number of examples held out by [`load`].
pub const TEST_EXAMPLES: usize = 360;

const ZIPPED: &[u8] = include_bytes!("../../assets/digits.csv.gz");
const FORMAT: Format = Format { pixels: 64, pixel_max: 16, classes: 10 };

/// The embedded digits in their fixed stratified split (1,437 and 360), in the given scale.
pub fn load(scaling: Scaling) -> Split {
    split(&whole(), TEST_EXAMPLES, scaling).expect("the embedded digits can be split")
}

/// All embedded digits in the order of the source, pixels in [0, 1], shape `[1, 8, 8]`.
pub fn whole() -> Dataset {
    let rows = csv::read(ZIPPED, Path::new("digits.csv.gz"), &FORMAT, Some(EXAMPLES));
    dataset("digits", rows.expect("the embedded digits are whole")).expect("the embedded digits are in range")
}

/// Digits of the same format from a file, plain or gzipped: a line has 64 pixels 0–16 and a label 0–9.
///
/// Pixels come out in [0, 1], and the data set has the file's name. Give the number of `examples` if it is known:
/// nothing else betrays a plain file that was cut off at the end of a line.
///
/// # Errors
/// A file that cannot be read or breaks off; a row with another number of fields; a field that is no whole number or
/// out of range; another number of rows.
pub fn read(path: &Path, examples: Option<usize>) -> Result<Dataset, DataError> {
    let rows = csv::read_path(path, &FORMAT, examples)?;
    dataset(&path.display().to_string(), rows)
}

/// Digits as [`read`] reads them, from the contents of the file that `path` names.
///
/// # Errors
/// As [`read`].
pub fn parse(contents: &[u8], path: &Path, examples: Option<usize>) -> Result<Dataset, DataError> {
    let rows = csv::read(contents, path, &FORMAT, examples)?;
    dataset(&path.display().to_string(), rows)
}

/// Holds out `test_examples` of unit-interval digits by the fixed key of [`load`], and scales.
///
/// # Errors
/// If one part would be empty, or all inputs to be standardised are the same.
pub fn split(digits: &Dataset, test_examples: usize, scaling: Scaling) -> Result<Split, DataError> {
    let mut split = digits.split(test_examples, Key::from_seed(0).named("digits: train and test"))?;
    split.scale(scaling)?;
    Ok(split)
}

fn dataset(name: &str, rows: Rows) -> Result<Dataset, DataError> {
    let inputs = rows.pixels.iter().map(|&p| f32::from(p) / f32::from(FORMAT.pixel_max)).collect();
    Dataset::new(name, inputs, FORMAT.pixels, rows.labels, FORMAT.classes)?.with_shape(&[1, 8, 8])
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use flate2::read::GzDecoder;

    use super::*;

    fn digest(data: &Dataset) -> u32 {
        let mut crc = flate2::Crc::new();
        for (i, label) in data.labels().iter().enumerate() {
            for x in data.input(i) {
                crc.update(&x.to_bits().to_le_bytes());
            }
            crc.update(&label.to_le_bytes());
        }
        crc.sum()
    }

    #[test]
    fn counts_are_those_of_the_source() {
        let digits = whole();
        assert_eq!(digits.class_counts(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert_eq!((digits.examples(), digits.features(), digits.shape()), (1797, 64, &[1, 8, 8][..]));
        assert!(digits.inputs().iter().all(|x| (0.0..=1.0).contains(x)));
        // First row of the file: a zero, whose top row of pixels is 0 0 5 13 9 1 0 0.
        assert_eq!(
            digits.input(0)[..6].iter().map(|x| x * 16.0).collect::<Vec<_>>(),
            [0.0, 0.0, 5.0, 13.0, 9.0, 1.0]
        );
        assert_eq!(digits.labels()[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    }

    #[test]
    fn the_split_never_moves() {
        let Split { train, test } = load(Scaling::UnitInterval);
        assert_eq!((train.examples(), test.examples()), (1437, 360));
        assert_eq!(test.class_counts().iter().sum::<usize>(), 360);
        for (class, (&held_out, &all)) in test.class_counts().iter().zip(&whole().class_counts()).enumerate()
        {
            let quota = all as f64 * 360.0 / 1797.0;
            assert!((held_out as f64 - quota).abs() < 1.0, "class {class}: {held_out} of {all}");
        }
        let digests = [&train, &test].map(digest);
        assert_eq!(digests, [0x9242_a150, 0xa530_3343], "{digests:#010x?}");
    }

    #[test]
    fn standardised_means_the_training_part() {
        let Split { train, test } = load(Scaling::Standardised);
        let moments = |data: &Dataset| {
            let n = data.inputs().len() as f64;
            let mean = data.inputs().iter().map(|&x| f64::from(x)).sum::<f64>() / n;
            (mean, data.inputs().iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n)
        };
        let (mean, variance) = moments(&train);
        assert!(mean.abs() < 1e-7 && (variance - 1.0).abs() < 1e-6, "{mean} {variance}");
        let (mean, variance) = moments(&test);
        assert!(mean != 0.0 && mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    fn text() -> String {
        let mut text = String::new();
        GzDecoder::new(ZIPPED).read_to_string(&mut text).unwrap();
        text
    }

    /// Reads those bytes from a file of their own.
    fn read_bytes(test: &str, bytes: &[u8], examples: Option<usize>) -> Result<Dataset, String> {
        let path = std::env::temp_dir().join(format!("thalweg-digits-{}-{test}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let result = read(&path, examples);
        std::fs::remove_file(&path).unwrap();
        result.map_err(|e| e.to_string().replace(&path.display().to_string(), "FILE"))
    }

    #[test]
    fn files_read_like_the_embedded_copy() {
        let text = text();
        for (name, bytes) in
            [("gzip", ZIPPED), ("plain", text.as_bytes()), ("crlf", text.replace('\n', "\r\n").as_bytes())]
        {
            let data = read_bytes(name, bytes, Some(1797)).unwrap();
            assert_eq!((data.inputs(), data.labels()), (whole().inputs(), whole().labels()), "{name}");
        }
        assert_eq!(read_bytes("any", ZIPPED, None).unwrap().examples(), 1797);
    }

    #[test]
    fn damaged_files_are_refused_with_their_place() {
        let lines: Vec<String> = text().lines().take(4).map(str::to_owned).collect();
        let with_line_2 = |line: &str| [&lines[0], line, &lines[2], &lines[3]].join("\n");
        let refused = |name: &str, text: &str| read_bytes(name, text.as_bytes(), Some(4)).unwrap_err();
        let fields = |count: usize| vec!["0"; count].join(",");
        assert_eq!(refused("short", &with_line_2(&fields(40))), "FILE, line 2: expected 65 fields, found 40");
        assert_eq!(refused("blank", &with_line_2("")), "FILE, line 2: expected 65 fields, found 1");
        assert_eq!(
            refused("label", &with_line_2(&(fields(64) + ",10"))),
            "FILE, line 2: expected a label from 0 to 9, found 10"
        );
        assert_eq!(
            refused("minus", &with_line_2(&(fields(64) + ",-1"))),
            "FILE, line 2: expected a label from 0 to 9, found -1"
        );
        assert_eq!(
            refused("pixel", &with_line_2(&("0,99,".to_owned() + &fields(63)))),
            "FILE, line 2, field 2: expected a pixel from 0 to 16, found 99"
        );
        assert_eq!(
            refused("letters", &with_line_2(&("0,0,zwölf,".to_owned() + &fields(62)))),
            "FILE, line 2, field 3: expected a whole number, found \"zwölf\""
        );
        assert_eq!(
            refused("long", &with_line_2(&fields(3000))),
            "FILE, line 2: expected a line of at most 4096 bytes, found more"
        );
        assert_eq!(refused("few", &lines[..3].join("\n")), "FILE: expected 4 rows, found 3");
        assert_eq!(refused("many", &text()), "FILE: expected 4 rows, found at least 5");
        assert_eq!(
            read_bytes("empty", b"", None).unwrap_err(),
            "FILE: expected at least one of examples, found none"
        );
    }

    #[test]
    fn broken_streams_are_refused() {
        for cut in [1, 9, 11, 1000, ZIPPED.len() / 2, ZIPPED.len() - 9, ZIPPED.len() - 1] {
            let error = read_bytes("cut", &ZIPPED[..cut], None).unwrap_err();
            assert!(error.starts_with("FILE, line "), "{cut}: {error}");
        }
        let mut spoilt = ZIPPED.to_vec();
        spoilt[ZIPPED.len() / 2] ^= 0x10;
        assert!(read_bytes("spoilt", &spoilt, None).is_err());
        let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        bomb.write_all(&vec![b'0'; 1 << 22]).unwrap();
        let error = read_bytes("bomb", &bomb.finish().unwrap(), None).unwrap_err();
        assert_eq!(error, "FILE, line 1: expected a line of at most 4096 bytes, found more");
        let missing = read(Path::new("/nowhere/digits.csv"), None).unwrap_err().to_string();
        assert!(missing.starts_with("/nowhere/digits.csv, line 1: No such file"), "{missing}");
    }
}
