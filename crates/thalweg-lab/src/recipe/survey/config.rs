//! What a survey can be told, with the defaults.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thalweg_geometry::section::Normalisation;
use thalweg_geometry::site::Dtype;
use thalweg_learn::arch::ModelConfig;
use thalweg_learn::data::{DigitsConfig, Scaling, Synthetic};
use thalweg_learn::train::TrainConfig;

/// Everything that decides a survey's numbers. Each field is part of the run's identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SurveyConfig {
    /// From it come the initial weights, the order of examples, random directions and start vectors.
    pub seed: u64,
    /// The precision that networks are trained and measured in.
    pub dtype: Dtype,
    /// The network and its initial weights.
    pub model: ModelConfig,
    /// Initial weights from a file in place of drawn ones.
    pub initial: InitialConfig,
    /// The data.
    pub data: SurveyData,
    /// How to train.
    pub train: TrainConfig,
    /// When to keep θ.
    pub checkpoints: CheckpointsConfig,
    /// The line from initialisation to solution.
    pub line: LineConfig,
    /// The plane of two random directions.
    pub plane: PlaneConfig,
    /// The plane of the trajectory.
    pub trajectory: TrajectoryConfig,
    /// Both ends of the Hessian's spectrum.
    pub spectrum: SpectrumConfig,
}

/// Initial weights from a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InitialConfig {
    /// A safetensors file: a checkpoint of ours, or any file with the network's leaves under their PyTorch names.
    pub path: Option<PathBuf>,
    /// The file's BLAKE3 digest; filled in from the file if it is not given.
    pub blake3: Option<String>,
}

/// Which data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SurveyData {
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

/// When θ is kept: before the first step, after the last, and in between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointsConfig {
    /// Checkpoints for each factor of ten in steps, equally spaced in its logarithm; 0 for none.
    pub per_decade: u32,
    /// Epochs between two others; 0 for none.
    pub every_epochs: u64,
}

/// The line θ(α) = (1−α)θ₀ + αθ*.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LineConfig {
    /// The first α.
    pub from: f64,
    /// The last.
    pub to: f64,
    /// How many, both ends included.
    pub points: usize,
    /// A loss that never rises by more than this is monotonic.
    pub rise_tolerance: f64,
}

/// The plane through the solution of two random directions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlaneConfig {
    /// Both ends along the first direction.
    pub x: [f64; 2],
    /// Both ends along the second.
    pub y: [f64; 2],
    /// Points along each, both ends included.
    pub points: [usize; 2],
    /// How the directions are scaled.
    pub normalisation: Normalisation,
}

/// The plane of the trajectory's first two principal components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrajectoryConfig {
    /// How far the window reaches beyond the checkpoints, as a share of their extent.
    pub margin: f64,
    /// Points along each component, both ends included.
    pub points: [usize; 2],
}

/// Lanczos at initialisation and at the solution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpectrumConfig {
    /// How many of the largest eigenvalues.
    pub largest: usize,
    /// How many of the smallest.
    pub smallest: usize,
    /// A pair has converged when ‖Hv − λv‖ is at most this share of the spectral norm.
    pub tolerance: f64,
    /// Hessian-vector products that may be spent at each place; one for each eigenvalue comes on top, to verify it.
    pub products_max: usize,
    /// Start vectors of each search: as many copies of a repeated eigenvalue are found at once.
    pub block: usize,
}

impl Default for SurveyConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            dtype: Dtype::F32,
            model: ModelConfig::default(),
            initial: InitialConfig::default(),
            data: SurveyData::Digits(DigitsConfig::default()),
            train: TrainConfig::default(),
            checkpoints: CheckpointsConfig::default(),
            line: LineConfig::default(),
            plane: PlaneConfig::default(),
            trajectory: TrajectoryConfig::default(),
            spectrum: SpectrumConfig::default(),
        }
    }
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

impl Default for CheckpointsConfig {
    fn default() -> Self {
        Self { per_decade: 8, every_epochs: 1 }
    }
}

impl Default for LineConfig {
    fn default() -> Self {
        // Single precision leaves about seven digits of a loss near 2: a rise below 10⁻⁶ is rounding.
        Self { from: 0.0, to: 1.0, points: 51, rise_tolerance: 1e-6 }
    }
}

impl Default for PlaneConfig {
    fn default() -> Self {
        Self { x: [-1.0, 1.0], y: [-1.0, 1.0], points: [51, 51], normalisation: Normalisation::FilterWise }
    }
}

impl Default for TrajectoryConfig {
    fn default() -> Self {
        Self { margin: 0.2, points: [51, 51] }
    }
}

impl Default for SpectrumConfig {
    fn default() -> Self {
        Self { largest: 20, smallest: 20, tolerance: 1e-4, products_max: 1500, block: 1 }
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
