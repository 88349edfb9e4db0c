//! What is said of data of the user's own. Where a field is one of published sets, it is the same.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thalweg_learn::data::{Column, Scaling};

/// Arrays in an archive of NumPy's: see [`NpzNames`](thalweg_learn::data::NpzNames).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NpzConfig {
    /// The file.
    pub path: PathBuf,
    /// The array of inputs to train on.
    #[serde(default = "x_train")]
    pub inputs_train: String,
    /// That of their labels.
    #[serde(default = "y_train")]
    pub labels_train: String,
    /// The array of inputs held out: `x_test`, if there is one, unless given.
    #[serde(default)]
    pub inputs_test: Option<String>,
    /// That of their labels: `y_test`, if there is one, unless given.
    #[serde(default)]
    pub labels_test: Option<String>,
    /// The largest label and one more unless given.
    #[serde(default)]
    pub number_of_classes: Option<usize>,
    /// How numbers become inputs.
    #[serde(default = "standardised")]
    pub scaling: Scaling,
    /// Which classes, in the order of their new numbers.
    #[serde(default)]
    pub classes: Option<Vec<usize>>,
    /// How many examples to train on.
    #[serde(default)]
    pub train_examples: Option<usize>,
    /// How many are held out; where the file has no such part, a tenth unless given.
    #[serde(default)]
    pub test_examples: Option<usize>,
    /// Which ones, and which labels are random.
    #[serde(default)]
    pub seed: u64,
    /// Share of the labels to train on that are drawn at random.
    #[serde(default)]
    pub random_labels: f64,
    /// The file's BLAKE3 digest; filled in from the file if it is not given.
    #[serde(default)]
    pub blake3: Option<String>,
}

/// A table of numbers: see [`Table`](thalweg_learn::data::Table).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvConfig {
    /// The file.
    pub path: PathBuf,
    /// The column of the labels; the last unless given.
    #[serde(default)]
    pub label: Option<Column>,
    /// Whether the first line has names; unless given, it does if not all of it are numbers.
    #[serde(default)]
    pub header: Option<bool>,
    /// Shape of an example; all its numbers in a row unless given.
    #[serde(default)]
    pub shape: Option<Vec<usize>>,
    /// The largest label and one more unless given.
    #[serde(default)]
    pub number_of_classes: Option<usize>,
    /// How numbers become inputs.
    #[serde(default = "standardised")]
    pub scaling: Scaling,
    /// Which classes, in the order of their new numbers.
    #[serde(default)]
    pub classes: Option<Vec<usize>>,
    /// How many examples to train on.
    #[serde(default)]
    pub train_examples: Option<usize>,
    /// How many are held out; a tenth unless given.
    #[serde(default)]
    pub test_examples: Option<usize>,
    /// Which ones, and which labels are random.
    #[serde(default)]
    pub seed: u64,
    /// Share of the labels to train on that are drawn at random.
    #[serde(default)]
    pub random_labels: f64,
    /// The file's BLAKE3 digest; filled in from the file if it is not given.
    #[serde(default)]
    pub blake3: Option<String>,
}

/// A folder of images: see [`ImageFolder`](thalweg_learn::data::ImageFolder).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFolderConfig {
    /// The folder.
    pub path: PathBuf,
    /// 1 or 3, whatever the images have; as many as they all have unless given.
    #[serde(default)]
    pub channels: Option<usize>,
    /// How pixels become inputs.
    #[serde(default = "standardised")]
    pub scaling: Scaling,
    /// Which classes, in the order of their new numbers.
    #[serde(default)]
    pub classes: Option<Vec<usize>>,
    /// How many examples to train on.
    #[serde(default)]
    pub train_examples: Option<usize>,
    /// How many are held out; where the folder has no such part, a tenth unless given.
    #[serde(default)]
    pub test_examples: Option<usize>,
    /// Which ones, and which labels are random.
    #[serde(default)]
    pub seed: u64,
    /// Share of the labels to train on that are drawn at random.
    #[serde(default)]
    pub random_labels: f64,
    /// The BLAKE3 digest of the images' shape, classes, pixels and labels; filled in from them if it is not given.
    #[serde(default)]
    pub blake3: Option<String>,
}

fn x_train() -> String {
    "x_train".to_owned()
}

fn y_train() -> String {
    "y_train".to_owned()
}

fn standardised() -> Scaling {
    Scaling::Standardised
}
