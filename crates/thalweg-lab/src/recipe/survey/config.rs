//! What a survey can be told, with the defaults.

use serde::{Deserialize, Serialize};
use thalweg_geometry::section::Normalisation;
use thalweg_geometry::site::Dtype;
use thalweg_learn::arch::ModelConfig;
use thalweg_learn::data::DigitsConfig;
use thalweg_learn::train::TrainConfig;

use crate::recipe::setup::{CheckpointsConfig, DataSource, InitialConfig};

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
    pub data: DataSource,
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
            data: DataSource::Digits(DigitsConfig::default()),
            train: TrainConfig::default(),
            checkpoints: CheckpointsConfig::default(),
            line: LineConfig::default(),
            plane: PlaneConfig::default(),
            trajectory: TrajectoryConfig::default(),
            spectrum: SpectrumConfig::default(),
        }
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
