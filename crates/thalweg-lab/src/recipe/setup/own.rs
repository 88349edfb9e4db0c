//! Data of the user's own: read, pinned by a digest, parted and scaled.

use blake3::Hasher;
use thalweg_learn::data::{Dataset, ImageFolder, NpzNames, Own, Scaling, Selected, Selection, Split, Table};

use super::data::Source;
use super::{CsvConfig, ImageFolderConfig, NpzConfig, files, sets};
use crate::recipe::RecipeError;

/// Numbers that are kept with a run at most, 64 MiB of them.
const KEPT_MAX: usize = 1 << 24;

const FIELDS: [&str; 2] = ["data.path", "data.blake3"];

/// Arrays of NumPy's.
pub(super) fn npz(config: &mut NpzConfig) -> Result<(Split, Source), RecipeError> {
    let contents = files::read(&config.path, FIELDS, &mut config.blake3)?;
    let names = NpzNames {
        inputs_train: config.inputs_train.clone(),
        labels_train: config.labels_train.clone(),
        inputs_test: config.inputs_test.clone(),
        labels_test: config.labels_test.clone(),
    };
    let are_pixels = config.scaling != Scaling::AsGiven;
    let own = names.read(&contents, &config.path, are_pixels, config.number_of_classes)?;
    let NpzConfig { classes, train_examples, test_examples, seed, .. } = config.clone();
    let selection = Selection { classes, train_examples, test_examples, seed };
    select(own, config.scaling, &selection, config.random_labels)
}

/// A table.
pub(super) fn csv(config: &mut CsvConfig) -> Result<(Split, Source), RecipeError> {
    let contents = files::read(&config.path, FIELDS, &mut config.blake3)?;
    let CsvConfig { label, header, shape, number_of_classes, .. } = config.clone();
    let whole = Table { label, header, shape, number_of_classes }.read(&contents, &config.path)?;
    let CsvConfig { classes, train_examples, test_examples, seed, .. } = config.clone();
    let selection = Selection { classes, train_examples, test_examples, seed };
    select(Own::Whole(whole), config.scaling, &selection, config.random_labels)
}

/// Images.
pub(super) fn image_folder(config: &mut ImageFolderConfig) -> Result<(Split, Source), RecipeError> {
    let path = &config.path;
    if !path.is_dir() {
        return Err(RecipeError::field(FIELDS[0], "a folder", format!("{}, which is none", path.display())));
    }
    let ImageFolder { classes, images } = ImageFolder::read(path, config.channels)?;
    let parts: Vec<&Dataset> = match &images {
        Own::Whole(whole) => vec![whole],
        Own::Parts(Split { train, test }) => vec![train, test],
    };
    // The same pixels in another shape, or under other names, are other data.
    let mut hasher = Hasher::new();
    hasher.update(format!("{} {:?} {classes:?}", parts.len(), parts[0].shape()).as_bytes());
    files::pin(&mut config.blake3, sets::digest(hasher, parts), FIELDS[1], path)?;
    let ImageFolderConfig { classes, train_examples, test_examples, seed, .. } = config.clone();
    let selection = Selection { classes, train_examples, test_examples, seed };
    select(images, config.scaling, &selection, config.random_labels)
}

fn select(
    own: Own,
    scaling: Scaling,
    selection: &Selection,
    random_labels: f64,
) -> Result<(Split, Source), RecipeError> {
    let (Selected { mut split, train, test }, scale) = own.select(scaling, selection)?;
    split.train = sets::with_random_labels(split.train, random_labels, selection.seed)?;
    let rows = |rows: Vec<usize>| rows.into_iter().map(|row| row as i64).collect();
    let has_inputs = split.train.inputs().len() + split.test.inputs().len() <= KEPT_MAX;
    Ok((split, Source { train: rows(train), test: rows(test), scale, has_inputs }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn table(path: &Path) -> CsvConfig {
        let text = format!("{{\"path\": {path:?}, \"test_examples\": 9, \"train_examples\": 20}}");
        serde_json::from_str(&text).unwrap()
    }

    /// As `docs/readings.md` says it.
    #[test]
    fn every_example_is_its_row_in_the_scale_on_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.csv");
        let raw = |row: usize| [row as f32, (row * row % 13) as f32 - 100.0];
        let line = |row: usize| format!("{},{},{}\n", raw(row)[0], raw(row)[1], row % 3);
        fs::write(&path, format!("a,b,class\n\n{}", (0..60).map(line).collect::<String>())).unwrap();
        for scaling in [Scaling::Standardised, Scaling::StandardisedByChannel, Scaling::AsGiven] {
            let mut config = CsvConfig { scaling, classes: Some(vec![2, 0]), ..table(&path) };
            let (split, source) = csv(&mut config).unwrap();
            assert_eq!((split.train.examples(), split.test.examples()), (20, 6));
            assert!(source.has_inputs && config.blake3.is_some());
            for (part, rows) in [(&split.train, &source.train), (&split.test, &source.test)] {
                for (example, &row) in rows.iter().enumerate() {
                    let row = usize::try_from(row).unwrap();
                    let scaled = [0, 1].map(|at| source.scale.at(raw(row)[at], at, 2));
                    assert_eq!(part.input(example), scaled);
                    assert_eq!(part.labels()[example], i32::from(row % 3 == 0));
                }
            }
        }
    }

    #[test]
    fn labels_of_the_part_held_out_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.csv");
        fs::write(&path, (0..60).map(|row| format!("{row},{}\n", row % 3)).collect::<String>()).unwrap();
        let load = |random_labels| csv(&mut CsvConfig { random_labels, ..table(&path) }).unwrap().0;
        let (plain, noisy) = (load(0.0), load(1.0));
        assert_eq!(noisy.train.inputs(), plain.train.inputs());
        assert_ne!(noisy.train.labels(), plain.train.labels());
        assert_eq!(noisy.test, plain.test);
    }
}
