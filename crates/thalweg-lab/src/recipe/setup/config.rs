//! What every training run is told of its start, its data and its checkpoints.

use std::path::PathBuf;

use super::{CsvConfig, ImageFolderConfig, NpzConfig};
use serde::{Deserialize, Serialize};
use thalweg_learn::data::{DigitsConfig, Scaling, Synthetic};

/// Initial weights from a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InitialConfig {
    /// A checkpoint of ours, or any safetensors file or file of `torch.save` with the network's leaves under their PyTorch names.
    pub path: Option<PathBuf>,
    /// The file's BLAKE3 digest; filled in from the file if it is not given.
    pub blake3: Option<String>,
}

/// Which data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DataSource {
    /// The embedded handwritten digits.
    Digits(DigitsConfig),
    /// A file like them.
    DigitsFile(DigitsFileConfig),
    /// A text, for a language model.
    TextFile(TextFileConfig),
    /// MNIST.
    Mnist(ImagesConfig),
    /// Fashion-MNIST.
    FashionMnist(ImagesConfig),
    /// CIFAR-10.
    Cifar10(ImagesConfig),
    /// CIFAR-100.
    Cifar100(ImagesConfig),
    /// CIFAR-100 in its twenty classes of five.
    Cifar100Coarse(ImagesConfig),
    /// Examples of known geometry.
    Synthetic(SyntheticConfig),
    /// The user's own, in an archive of NumPy's.
    Npz(NpzConfig),
    /// The user's own, in a table.
    Csv(CsvConfig),
    /// The user's own, in images.
    ImageFolder(ImageFolderConfig),
}

/// A published set of images, or a part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImagesConfig {
    /// How pixels become inputs; the scale is that of the whole training part, whatever is selected.
    pub scaling: Scaling,
    /// Which classes, in the order of their new numbers.
    pub classes: Option<Vec<usize>>,
    /// How many examples to train on.
    pub train_examples: Option<usize>,
    /// How many are held out.
    pub test_examples: Option<usize>,
    /// Which ones, and which labels are random: another seed selects others. Not the run's seed, so that runs share their data.
    pub seed: u64,
    /// Share of the labels to train on that are drawn at random.
    pub random_labels: f64,
    /// The BLAKE3 digest of the whole set's pixels and labels; filled in from them if it is not given.
    pub blake3: Option<String>,
}

/// Examples of known geometry, drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyntheticConfig {
    /// What they are like.
    pub set: Synthetic,
    /// How many to train on.
    #[serde(default = "drawn_examples")]
    pub train_examples: usize,
    /// How many are held out.
    #[serde(default = "drawn_examples")]
    pub test_examples: usize,
    /// What they are drawn from. Not the run's seed, so that runs share their data.
    #[serde(default)]
    pub seed: u64,
    /// Share of the labels to train on that are drawn at random.
    #[serde(default)]
    pub random_labels: f64,
}

/// A CSV file, plain or gzipped, of rows with 64 pixels from 0 to 16 and a label from 0 to 9.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigitsFileConfig {
    /// The file.
    pub path: PathBuf,
    /// The number of rows that it must have; without it, a file cut off at the end of a row passes for a whole one.
    #[serde(default)]
    pub examples: Option<usize>,
    /// How many of them are held out.
    #[serde(default = "test_examples")]
    pub test_examples: usize,
    /// How pixels become inputs.
    #[serde(default = "standardised")]
    pub scaling: Scaling,
    /// The file's BLAKE3 digest; filled in from the file if it is not given.
    #[serde(default)]
    pub blake3: Option<String>,
}

/// A text file in UTF-8, cut into windows: see [`text`](thalweg_learn::data::text).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextFileConfig {
    /// The file.
    pub path: PathBuf,
    /// Characters in a window.
    #[serde(default = "context")]
    pub context: usize,
    /// How many windows are held out, the last ones; a tenth of them unless given.
    #[serde(default)]
    pub test_examples: Option<usize>,
    /// The file's BLAKE3 digest; filled in from the file if it is not given.
    #[serde(default)]
    pub blake3: Option<String>,
}

impl Default for ImagesConfig {
    fn default() -> Self {
        Self {
            scaling: Scaling::Standardised,
            classes: None,
            train_examples: None,
            test_examples: None,
            seed: 0,
            random_labels: 0.0,
            blake3: None,
        }
    }
}

fn test_examples() -> usize {
    thalweg_learn::data::digits::TEST_EXAMPLES
}

fn drawn_examples() -> usize {
    1000
}

fn context() -> usize {
    32
}

fn standardised() -> Scaling {
    Scaling::Standardised
}
