//! Both ends of the Hessian's spectrum, at initialisation and at the solution.

use thalweg_geometry::operator::Hessian;
use thalweg_geometry::spectrum::{Eigenpair, LanczosOptions, lanczos};
use thalweg_learn::checkpoint::Stored;
use thalweg_learn::optim::Optimiser;

use super::Ground;
use super::inputs::Inputs;
use crate::recipe::RecipeError;
use crate::recipe::training::theta_at;
use crate::store::{Array, Folder};
use crate::watched::Watched;

/// Where a spectrum is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Initialisation,
    Solution,
}

impl At {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Initialisation => "initialisation",
            Self::Solution => "solution",
        }
    }

    pub(super) fn stage(self) -> String {
        format!("spectrum.{}", self.name())
    }

    pub(super) fn json(self) -> String {
        format!("spectrum.{}.json", self.name())
    }
}

/// Searches for the eigenvalues. Cost: at most `products_max` Hessian-vector products and one in f64 for each pair.
pub(super) fn measure<T: Stored>(
    ground: &Ground<'_, T>,
    folder: &mut Folder,
    at: At,
) -> Result<(), RecipeError> {
    folder.stage(&at.stage(), |stage| {
        let config = &ground.inputs.config.spectrum;
        let step = if at == At::Solution { ground.inputs.setup.plan.steps } else { 0 };
        let theta = theta_at::<T>(stage.folder(), step)?;
        let options = LanczosOptions {
            largest: config.largest,
            smallest: config.smallest,
            tolerance: config.tolerance,
            products_max: config.products_max,
            // Without a restart; and there are no more orthogonal vectors than dimensions.
            basis_max: config.products_max.min(theta.len()),
            block: config.block,
        };
        let pairs = config.largest + config.smallest;
        let place = if at == At::Solution { "the solution" } else { "initialisation" };
        let unit = format!("products, the last {pairs} to verify");
        let total = (config.products_max + pairs) as u64;
        let bar = ground.progress.stage(&format!("spectrum at {place}"), total, &unit);
        let site = Watched::new(ground.train, &bar);
        let key = ground.key.named("lanczos").named(at.name());
        let mut reading = lanczos(&Hessian::at(&site, &theta), &options, &key, &mut |progress| {
            bar.message(match progress.search {
                1 => format!("{} of {} pairs", progress.converged, progress.wanted),
                search => format!("{} pairs, search {search} for copies", progress.wanted),
            });
        })?;
        bar.finish();
        reading.convention.seed = Some(ground.inputs.config.seed);
        let values = |pairs: &[Eigenpair]| {
            Array::new([pairs.len()], pairs.iter().map(|pair| pair.value).collect::<Vec<f64>>())
        };
        let residuals = |pairs: &[Eigenpair]| {
            Array::new([pairs.len()], pairs.iter().map(|pair| pair.residual).collect::<Vec<f64>>())
        };
        let found = &reading.value;
        stage.write_npz(
            &format!("{}.npz", at.stage()),
            &[
                ("largest", values(&found.largest)),
                ("largest_residual", residuals(&found.largest)),
                ("smallest", values(&found.smallest)),
                ("smallest_residual", residuals(&found.smallest)),
            ],
        )?;
        Ok::<(), RecipeError>(stage.write_json(&at.json(), &reading)?)
    })?;
    Ok(())
}

/// The sharpness up to which steps of the run's highest learning rate are stable on a quadratic.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Threshold {
    /// The sharpness.
    pub(super) sharpness: f64,
    /// How it reads: `2/η`.
    pub(super) formula: String,
    /// η, the learning rate that it is for.
    pub(super) lr: f64,
    /// β.
    pub(super) momentum: f64,
    /// Whether each step saw all examples, so that the threshold applies as it stands.
    pub(super) is_full_batch: bool,
}

/// A number as it would be typed: with an exponent rather than with hundreds of zeros.
pub(super) fn short(x: f64) -> String {
    if x == 0.0 || (1e-6..1e9).contains(&x.abs()) { x.to_string() } else { format!("{x:e}") }
}

/// The same of a number that was computed: to six digits.
pub(super) fn short_rounded(x: f64) -> String {
    short(format!("{x:.5e}").parse().unwrap_or(x))
}

impl Threshold {
    /// What stands for what in the formula: `η = 0.1, β = 0.9`.
    pub(super) fn given(&self) -> String {
        match self.momentum {
            0.0 => format!("η = {}", short_rounded(self.lr)),
            momentum => format!("η = {}, β = {momentum}", short_rounded(self.lr)),
        }
    }
}

/// 2/η for gradient descent and (2+2β)/η with Polyak's momentum (Cohen et al. 2021), η being the highest learning
/// rate of the run; none for other optimisers.
pub(super) fn threshold(inputs: &Inputs) -> Option<Threshold> {
    let Optimiser::Sgd(sgd) = inputs.setup.plan.recipe.optimiser else {
        return None;
    };
    if sgd.nesterov {
        return None;
    }
    let lr = inputs.setup.lr_max();
    let formula = if sgd.momentum == 0.0 { "2/η" } else { "(2+2β)/η" };
    Some(Threshold {
        sharpness: (2.0 + 2.0 * sgd.momentum) / lr,
        formula: formula.to_owned(),
        lr,
        momentum: sgd.momentum,
        is_full_batch: inputs.setup.batch_size().is_none(),
    })
}
