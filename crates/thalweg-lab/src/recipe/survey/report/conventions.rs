//! Under which definitions the numbers hold, and where they come from.

use std::fmt::Write as _;

use thalweg_geometry::section::Normalisation;
use thalweg_learn::data::{DigitsConfig, Scaling};
use thalweg_report::{Convention, Entry, humane};

use super::super::{NAME, VERSION};
use super::Inputs;
use crate::recipe::setup::{CsvConfig, DataSource, DigitsFileConfig, ImageFolderConfig, NpzConfig};
use crate::recipe::timings::Timings;
use crate::store::Folder;

fn scale(scaling: Scaling) -> &'static str {
    match scaling {
        Scaling::Standardised => "standardised: mean 0, variance 1 over the training part",
        Scaling::StandardisedByChannel => {
            "standardised by channel: mean 0, variance 1 over the training part in each"
        }
        Scaling::UnitInterval => "pixels in [0, 1]",
        Scaling::AsGiven => "as the source has them",
    }
}

/// The table of conventions.
pub(super) fn conventions(inputs: &Inputs) -> Vec<Convention> {
    let config = &inputs.config;
    let entry = |name: &str, value: String, meaning: &str| Convention {
        name: name.to_owned(),
        value,
        meaning: meaning.to_owned(),
    };
    let scaling = match &config.data {
        DataSource::Digits(DigitsConfig { scaling, .. })
        | DataSource::DigitsFile(DigitsFileConfig { scaling, .. }) => scale(*scaling),
        DataSource::Mnist(images)
        | DataSource::FashionMnist(images)
        | DataSource::Cifar10(images)
        | DataSource::Cifar100(images)
        | DataSource::Cifar100Coarse(images) => scale(images.scaling),
        DataSource::Npz(NpzConfig { scaling, .. })
        | DataSource::Csv(CsvConfig { scaling, .. })
        | DataSource::ImageFolder(ImageFolderConfig { scaling, .. }) => scale(*scaling),
        DataSource::TextFile(_) => "characters, by number",
        DataSource::Synthetic(_) => "as drawn, on the scale that the set's definition gives",
    };
    let ignored = if config.plane.normalisation.ignores_one_axis() {
        "biases and other parameters of one axis do not move"
    } else {
        "all parameters move"
    };
    let dropout = match inputs.setup.architecture.draws() {
        true => {
            "Nothing is dropped, as after PyTorch's eval(): dropout is of the steps of training alone. No"
        }
        false => "No dropout, no",
    };
    let set = |data: &thalweg_learn::data::Dataset| format!("{}, {} examples", data.name(), data.examples());
    vec![
        entry(
            "loss",
            inputs.setup.plan.recipe.loss.convention(),
            "Without weight decay, even if training had any: that is part of the optimiser.",
        ),
        entry(
            "reduction",
            match inputs.setup.architecture.positions() {
                1 => "mean over examples".to_owned(),
                positions => format!("mean over examples and their {positions} positions"),
            },
            "A sum would multiply losses, gradients and eigenvalues by the number of examples.",
        ),
        entry("training set", set(&inputs.setup.data.train), "All of it, for every number called train."),
        entry("test set", set(&inputs.setup.data.test), "All of it; never trained on."),
        entry("inputs", scaling.to_owned(), "Curvature depends on the scale of the inputs."),
        entry(
            "precision",
            if inputs.config.dtype == thalweg_geometry::site::Dtype::F32 { "f32" } else { "f64" }.to_owned(),
            "Of the network; points of lines and planes are laid out in f64.",
        ),
        match inputs.setup.architecture.norms() {
            [] => entry("mode", "evaluation".to_owned(), &format!("{dropout} augmentation, no batch norm.")),
            _ => entry(
                "batch norm",
                "re-estimated".to_owned(),
                &format!(
                    "At every point, batch norms take the means and variances of the whole training set at that point, for \
                     the test set too; derivatives go through them. {dropout} augmentation."
                ),
            ),
        },
        match inputs.setup.plan.recipe.loss.has_classes() {
            true => entry(
                "error",
                "expected error with ties broken at random".to_owned(),
                "A network whose outputs are all equal is wrong about all classes but one in the mean, not right about class 0.",
            ),
            false => {
                entry("error", "none".to_owned(), "The loss is not about classes: nothing is misclassified.")
            }
        },
        entry(
            "random directions",
            format!("Gaussian, {} normalisation", config.plane.normalisation.name()),
            match config.plane.normalisation {
                Normalisation::FilterWise => {
                    "Each row of a weight is scaled to the norm of the same row of θ* (Li et al. 2018); biases and \
                     other parameters of one axis do not move. The two directions are nearly, not exactly, orthogonal."
                }
                _ => ignored,
            },
        ),
        entry(
            "trajectory plane",
            "principal components of θ_t − θ*".to_owned(),
            "Displacements from the last checkpoint, not from the mean: the plane passes through the solution.",
        ),
        entry(
            "eigenvalues",
            "Lanczos, full reorthogonalisation".to_owned(),
            "A pair has converged when its residual is below the tolerance times the spectral norm. Repeated eigenvalues come \
             as often as they are: what was found is locked and the search begins again beside it. Values and residuals are \
             of a last product in f64, whatever precision the search was in.",
        ),
    ]
}

/// Where the numbers come from.
pub(super) fn provenance(inputs: &Inputs, folder: &Folder, timings: &Timings) -> Vec<Entry> {
    let entry = |name: &str, value: String| Entry { name: name.to_owned(), value };
    let mut entries = vec![
        entry("thalweg", env!("CARGO_PKG_VERSION").to_owned()),
        entry("recipe", format!("{NAME}, version {VERSION}")),
        entry("run", folder.id().to_string()),
        entry("seed", inputs.config.seed.to_string()),
        entry("threads", rayon::current_num_threads().to_string()),
        entry("instruction set", thalweg_kernel::instruction_set().to_owned()),
        entry("configuration", crate::config::print(&inputs.config).unwrap_or_else(|_| folder.config_json())),
    ];
    let mut spelled = String::new();
    for (part, seconds) in timings {
        let _ =
            write!(spelled, "{}{part} {} s", if spelled.is_empty() { "" } else { ", " }, humane(*seconds, 3));
    }
    let total: f64 = timings.values().sum();
    entries.push(entry("wall time", format!("{} s before the report: {spelled}", humane(total, 3))));
    entries
}
