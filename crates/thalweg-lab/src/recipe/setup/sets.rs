//! Published sets of images, and synthetic ones.

use std::path::Path;

use blake3::Hasher;
use thalweg_kernel::Key;
use thalweg_learn::data::{Dataset, Folders, Published, Scale, Selected, Selection, Split, Standardisation};

use super::data::Source;
use super::files::pin;
use super::{ImagesConfig, SyntheticConfig};
use crate::recipe::RecipeError;

/// The examples of a published set that are asked for; fills in or checks the digest of the whole.
pub(super) fn images(
    set: Published,
    config: &mut ImagesConfig,
    folders: &Folders,
) -> Result<(Split, Source), RecipeError> {
    let mut whole = set.load(folders)?;
    let found = digest(Hasher::new(), [&whole.train, &whole.test]);
    pin(&mut config.blake3, found, "data.blake3", Path::new(set.name()))?;
    let scale = whole.scale(config.scaling)?;
    let ImagesConfig { classes, train_examples, test_examples, seed, random_labels, .. } = config;
    let selection = Selection {
        classes: classes.clone(),
        train_examples: *train_examples,
        test_examples: *test_examples,
        seed: *seed,
    };
    let Selected { mut split, train, test } = selection.of(whole)?;
    split.train = with_random_labels(split.train, *random_labels, *seed)?;
    let rows = |rows: Vec<usize>| rows.into_iter().map(|row| row as i64).collect();
    let source = Source { train: rows(train), test: rows(test), scale, has_inputs: false };
    Ok((split, source))
}

/// The examples of a synthetic set.
pub(super) fn synthetic(config: &SyntheticConfig) -> Result<(Split, Source), RecipeError> {
    let SyntheticConfig { set, train_examples, test_examples, seed, random_labels } = config;
    let key = Key::from_seed(*seed).named(set.name());
    let train = with_random_labels(set.draw(*train_examples, &key, "train")?, *random_labels, *seed)?;
    let split = Split { train, test: set.draw(*test_examples, &key, "test")? };
    let rows = |data: &Dataset| (0..data.examples() as i64).collect();
    let (train, test) = (rows(&split.train), rows(&split.test));
    let scale = Scale::Together(Standardisation::IDENTITY);
    Ok((split, Source { train, test, scale, has_inputs: true }))
}

/// Labels of the examples held out stay what they are: what a network that learned noise says of them is the question.
pub(super) fn with_random_labels(train: Dataset, share: f64, seed: u64) -> Result<Dataset, RecipeError> {
    Ok(train.with_random_labels(share, &Key::from_seed(seed).named("random labels"))?)
}

/// Of the numbers, not of files: a set is the same packed and unpacked. `hasher` may have seen what else it is of.
pub(super) fn digest<'a>(mut hasher: Hasher, parts: impl IntoIterator<Item = &'a Dataset>) -> String {
    for data in parts {
        for inputs in data.inputs().chunks(1 << 16) {
            let bytes: Vec<u8> = inputs.iter().flat_map(|x| x.to_le_bytes()).collect();
            hasher.update(&bytes);
        }
        for labels in data.labels().chunks(1 << 16) {
            let bytes: Vec<u8> = labels.iter().flat_map(|x| x.to_le_bytes()).collect();
            hasher.update(&bytes);
        }
    }
    hasher.finalize().to_hex().to_string()
}
