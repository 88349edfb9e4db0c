//! The examples themselves, so that a loss can be computed again outside.
//!
//! Which examples were held out and how pixels became inputs is decided by code that another program does not have.
//! What it decided is small, and is kept.

use thalweg_learn::data::{
    Cifar, DataConfig, Dataset, DigitsConfig, Folders, Mnist, Published, Scale, Scaling, Split,
    Standardisation, digits, text,
};

use super::{DataSource, DigitsFileConfig, Setup, files, own, sets};
use crate::recipe::RecipeError;
use crate::store::{Array, Folder};

const STAGE: &str = "data";
const NPZ: &str = "data.npz";

/// How a split came from the rows of its source: `input = (raw − mean)/deviation`, of digits with `raw = pixel/16`. Of a text, rows are windows, and inputs
/// are the characters' numbers.
pub(in crate::recipe) struct Source {
    /// Row of the source that each training example is.
    pub(in crate::recipe) train: Vec<i64>,
    /// The same of the examples held out.
    pub(in crate::recipe) test: Vec<i64>,
    pub(in crate::recipe) scale: Scale,
    /// Whether the inputs are kept with the run. Those of a published set are large, and everyone has them; the user's own are
    /// kept unless they are larger still.
    pub(in crate::recipe) has_inputs: bool,
}

/// Loads the data in the scale asked for; fills in the digest of a file.
pub(super) fn load(data: &mut DataSource, folders: &Folders) -> Result<(Split, Source), RecipeError> {
    match data {
        DataSource::Digits(config) => {
            let in_scale = |config| DataConfig::Digits(config).load();
            let unit = DigitsConfig { scaling: Scaling::UnitInterval, enlarge: None, ..config.clone() };
            let split = in_scale(config.clone())?;
            let raw = in_scale(unit.clone())?;
            // The scale is that of all examples, however few are trained on.
            let all = in_scale(DigitsConfig { train_examples: None, ..unit })?;
            let source = source(&digits::whole(), &raw, &all.train, config.scaling)?;
            Ok((split, source))
        }
        DataSource::DigitsFile(file) => {
            // Read once: what is trained on is what the digest is of.
            let contents = files::read(&file.path, ["data.path", "data.blake3"], &mut file.blake3)?;
            let DigitsFileConfig { path, examples, test_examples, scaling, .. } = file;
            let whole = digits::parse(&contents, path, *examples)?;
            let split = digits::split(&whole, *test_examples, *scaling)?;
            let raw = digits::split(&whole, *test_examples, Scaling::UnitInterval)?;
            let source = source(&whole, &raw, &raw.train, *scaling)?;
            Ok((split, source))
        }
        DataSource::TextFile(file) => {
            if file.context == 0 {
                return Err(RecipeError::field("data.context", "at least 1 character", 0));
            }
            let contents = files::read(&file.path, ["data.path", "data.blake3"], &mut file.blake3)?;
            let whole = text::parse(&contents, &file.path, file.context)?;
            let split = text::split(&whole, file.test_examples.unwrap_or((whole.examples() / 10).max(1)))?;
            let first = split.train.examples() as i64;
            let (train, test) = ((0..first).collect(), (first..whole.examples() as i64).collect());
            let scale = Scale::Together(Standardisation::IDENTITY);
            Ok((split, Source { train, test, scale, has_inputs: true }))
        }
        DataSource::Mnist(images) => sets::images(Published::Mnist(Mnist::Digits), images, folders),
        DataSource::FashionMnist(images) => sets::images(Published::Mnist(Mnist::Fashion), images, folders),
        DataSource::Cifar10(images) => sets::images(Published::Cifar(Cifar::Ten), images, folders),
        DataSource::Cifar100(images) => sets::images(Published::Cifar(Cifar::Hundred), images, folders),
        DataSource::Cifar100Coarse(images) => {
            sets::images(Published::Cifar(Cifar::HundredCoarse), images, folders)
        }
        DataSource::Synthetic(config) => sets::synthetic(config),
        DataSource::Npz(config) => own::npz(config),
        DataSource::Csv(config) => own::csv(config),
        DataSource::ImageFolder(config) => own::image_folder(config),
    }
}

fn source(whole: &Dataset, raw: &Split, all: &Dataset, scaling: Scaling) -> Result<Source, RecipeError> {
    let scale = Scale::of(all, scaling)?;
    let (train, test) = (rows(whole, &raw.train), rows(whole, &raw.test));
    Ok(Source { train, test, scale, has_inputs: true })
}

/// The rows of `whole` that `part` consists of, given that it keeps their order. Of equal rows the first that fits.
fn rows(whole: &Dataset, part: &Dataset) -> Vec<i64> {
    let mut row = 0;
    let find = |example: usize| {
        while (whole.input(row), whole.labels()[row]) != (part.input(example), part.labels()[example]) {
            row += 1;
        }
        row += 1;
        row as i64 - 1
    };
    (0..part.examples()).map(find).collect()
}

/// Writes the examples, as they are trained on and measured on.
pub(in crate::recipe) fn write(setup: &Setup, folder: &mut Folder) -> Result<(), RecipeError> {
    folder.stage(STAGE, |stage| {
        let Source { train, test, scale, has_inputs } = &*setup.source;
        let inputs_of = |data: &Dataset| {
            has_inputs.then(|| Array::new([data.examples(), data.features()], data.inputs().to_vec()))
        };
        let labels_of = |data: &Dataset| {
            let labels: Vec<i64> = data.labels().iter().map(|&label| i64::from(label)).collect();
            match data.positions() {
                1 => Array::new([data.examples()], labels),
                positions => Array::new([data.examples(), positions], labels),
            }
        };
        let of_scale = |number: fn(&Standardisation) -> f64| match scale {
            Scale::Together(map) => Array::new([], vec![number(map)]),
            Scale::ByChannel(maps) => Array::new([maps.len()], maps.iter().map(number).collect::<Vec<f64>>()),
        };
        let Split { train: train_data, test: test_data } = &*setup.data;
        let arrays = [
            ("input_train", inputs_of(train_data)),
            ("label_train", Some(labels_of(train_data))),
            ("row_train", Some(Array::new([train.len()], train.clone()))),
            ("input_test", inputs_of(test_data)),
            ("label_test", Some(labels_of(test_data))),
            ("row_test", Some(Array::new([test.len()], test.clone()))),
            ("mean", Some(of_scale(|map| map.mean))),
            ("deviation", Some(of_scale(|map| map.deviation))),
        ];
        let arrays: Vec<_> = arrays.into_iter().filter_map(|(name, array)| Some((name, array?))).collect();
        Ok::<(), RecipeError>(stage.write_npz(NPZ, &arrays)?)
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_the_source(mut data: DataSource, whole: &Dataset) {
        let (split, source) = load(&mut data, &Folders::new(None)).unwrap();
        for (part, rows) in [(&split.train, &source.train), (&split.test, &source.test)] {
            assert_eq!(rows.len(), part.examples());
            assert!(rows.is_sorted_by(|a, b| a < b));
            for (example, &row) in rows.iter().enumerate() {
                let row = usize::try_from(row).unwrap();
                let scaled = |(at, &x): (usize, &f32)| source.scale.at(x, at, whole.features());
                assert!(
                    whole.input(row).iter().enumerate().map(scaled).eq(part.input(example).iter().copied())
                );
                assert_eq!(whole.labels()[row], part.labels()[example]);
            }
        }
        let mut all = [source.train, source.test].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), split.train.examples() + split.test.examples(), "no row is in both parts");
    }

    #[test]
    fn every_example_is_its_row_in_the_scale_on_record() {
        let whole = digits::whole();
        for scaling in
            [Scaling::Standardised, Scaling::StandardisedByChannel, Scaling::UnitInterval, Scaling::AsGiven]
        {
            for train_examples in [None, Some(60)] {
                is_the_source(
                    DataSource::Digits(DigitsConfig { scaling, train_examples, enlarge: None }),
                    &whole,
                );
            }
        }
    }

    #[test]
    fn a_file_with_repeated_rows_is_told_apart_where_it_matters() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digits.csv");
        let row = |i: usize| format!("{}{}\n", format!("{},5,", i % 3).repeat(32), i % 2);
        std::fs::write(&path, (0..30).map(row).collect::<String>()).unwrap();
        let whole = digits::read(&path, None).unwrap();
        let file = DigitsFileConfig {
            path,
            examples: None,
            test_examples: 7,
            scaling: Scaling::Standardised,
            blake3: None,
        };
        let mut data = DataSource::DigitsFile(file);
        let (split, source) = load(&mut data, &Folders::new(None)).unwrap();
        assert_eq!((source.train.len(), source.test.len()), (23, 7));
        let label = |&row: &i64| whole.labels()[usize::try_from(row).unwrap()];
        assert!(source.test.iter().map(label).eq(split.test.labels().iter().copied()));
    }
}
