//! What is there before the first step: drawn, or from a file.

use std::path::Path;

use thalweg_geometry::site::{Dtype, Site as _};
use thalweg_kernel::Real;
use thalweg_learn::arch::{initial_parameters, statistics_arrays};
use thalweg_learn::checkpoint::{self, Checkpoint, CheckpointError, Leaf, Stored};
use thalweg_learn::data::Folders;
use thalweg_learn::train::Trainer;

use super::{INITIAL, RunConfig, Setup, available, check_memory};
use crate::recipe::RecipeError;
use crate::site::NetworkSite;

const FIELD: &str = "initial.path";

/// A leaf's name and shape.
type Expected = (String, Vec<usize>);

/// What training begins with.
pub(in crate::recipe) struct Initial<T> {
    pub(in crate::recipe) theta: Vec<T>,
    /// Running statistics of batch norms, if the file has any.
    pub(in crate::recipe) statistics: Option<Vec<T>>,
}

impl Setup {
    /// What is there before the first step.
    pub(in crate::recipe) fn initial<T: Stored>(&self) -> Result<Initial<T>, RecipeError> {
        let space = self.architecture.space();
        let (Some(bytes), Some(path)) = (&self.initial, &self.config.initial.path) else {
            let theta = initial_parameters(space, self.config.model.init(), self.key().named(INITIAL));
            return Ok(Initial { theta, statistics: None });
        };
        let expected: Vec<Expected> =
            space.leaves().iter().map(|leaf| (leaf.name.clone(), leaf.shape.clone())).collect();
        let of_norms = statistics_arrays(self.architecture.norms());
        let [leaves, statistics] = match checkpoint::describe(bytes, path) {
            _ if checkpoint::is_torch(bytes) => {
                named(checkpoint::read_torch(bytes, path)?, path, &expected, &of_norms)?
            }
            Ok(description) if description.dtype == f64::NAME => {
                let checkpoint = Checkpoint::<f64>::from_bytes(bytes, path)?;
                [cast(&checkpoint.leaves), cast(&checkpoint.buffers)]
            }
            Ok(_) => {
                let checkpoint = Checkpoint::<f32>::from_bytes(bytes, path)?;
                [cast(&checkpoint.leaves), cast(&checkpoint.buffers)]
            }
            Err(CheckpointError::Description { .. }) => state_dict(bytes, path, &expected, &of_norms)?,
            Err(error) => return Err(error.into()),
        };
        let flat = |arrays: Vec<Leaf<T>>, expected: &[Expected]| -> Result<Vec<T>, RecipeError> {
            let arrays = checkpoint::arrange(arrays, expected, path)?;
            arrays.iter().try_for_each(|array| check_finite(array, path))?;
            Ok(arrays.into_iter().flat_map(|array| array.values).collect())
        };
        let has_statistics = !statistics.is_empty();
        let theta = flat(leaves, &expected)?;
        let statistics = has_statistics.then(|| flat(statistics, &of_norms)).transpose()?;
        Ok(Initial { theta, statistics })
    }

    fn without_step<T: Stored>(&self) -> Result<Vec<u8>, RecipeError> {
        let Initial { theta, statistics } = self.initial::<T>()?;
        let (data, recipe) = (&self.data.train, self.plan.recipe.clone());
        let mut trainer = Trainer::new(&self.architecture, data, recipe, theta, self.noise_key())?;
        if let Some(statistics) = statistics {
            trainer.set_statistics(statistics);
        }
        let checkpoint = Checkpoint { optimiser: None, ..trainer.checkpoint(self.config.seed) };
        Ok(checkpoint.to_bytes()?)
    }

    /// Refuses initial weights at which there is no loss: no learning rate is to blame for them.
    pub(in crate::recipe) fn check_initial_loss<T: Stored>(&self) -> Result<(), RecipeError> {
        let theta: Vec<f64> = self.initial::<T>()?.theta.into_iter().map(Real::to_f64).collect();
        let site = NetworkSite::<T>::new(self.architecture.clone(), self.plan.recipe.loss, &self.data.train);
        let loss = site.values(&[&theta])?[0].loss;
        if loss.is_finite() {
            return Ok(());
        }
        let field = if self.initial.is_some() { FIELD } else { "model.init" };
        let expected = format!("initial weights with a finite loss in {}", T::NAME);
        Err(RecipeError::field(field, expected, format!("{loss} over the training set")))
    }
}

/// The checkpoint of a run of `config` that has taken no step: the network of the file in `initial.path`, or the one that the
/// run would draw. θ and running statistics alone, without an optimiser's state; the bytes of a file that `initial.path` takes.
///
/// # Errors
/// A configuration or a file that cannot be used.
pub fn import(config: &RunConfig, data_dir: Option<&Path>) -> Result<Vec<u8>, RecipeError> {
    let setup = Setup::resolve(config.clone(), &Folders::new(data_dir), &mut Vec::new(), |parameters, _| {
        check_memory(parameters, config.dtype, 0, [], available())
    })?;
    match config.dtype {
        Dtype::F32 => setup.without_step::<f32>(),
        Dtype::F64 => setup.without_step::<f64>(),
    }
}

fn check_finite<T: Real>(array: &Leaf<T>, path: &Path) -> Result<(), RecipeError> {
    let Some(at) = array.values.iter().position(|x| !x.to_f64().is_finite()) else { return Ok(()) };
    let expected = format!("finite numbers in {}", T::NAME);
    let (name, found) = (&array.name, array.values[at]);
    let found = format!("{found} at place {at} of {name} in {}", path.display());
    Err(RecipeError::field(FIELD, expected, found))
}

/// The arrays of a safetensors file that is no checkpoint of ours.
fn state_dict<T: Stored>(
    bytes: &[u8],
    path: &Path,
    expected: &[Expected],
    of_norms: &[Expected],
) -> Result<[Vec<Leaf<T>>; 2], RecipeError> {
    let arrays: Vec<Leaf<T>> =
        match (checkpoint::read_arrays::<f32>(bytes, path), checkpoint::read_arrays::<f64>(bytes, path)) {
            (Ok(leaves), _) => cast(&leaves),
            (_, Ok(leaves)) => cast(&leaves),
            (
                Err(CheckpointError::Dtype { leaf: one, found: first, .. }),
                Err(CheckpointError::Dtype { leaf: other, found: second, .. }),
            ) => {
                let also = if one == other { String::new() } else { format!(" and {one} in {first}") };
                let found = format!("{other} in {second}{also} in {}", path.display());
                return Err(RecipeError::field(FIELD, "arrays that are all in F32 or all in F64", found));
            }
            (Err(error), _) => return Err(error.into()),
        };
    named(arrays, path, expected, of_norms)
}

/// Those that are called as the network's leaves are, and those that are called as the running statistics.
fn named<T: Stored>(
    arrays: Vec<Leaf<T>>,
    path: &Path,
    expected: &[Expected],
    of_norms: &[Expected],
) -> Result<[Vec<Leaf<T>>; 2], RecipeError> {
    let is_statistic = |array: &Leaf<T>| of_norms.iter().any(|(name, _)| *name == array.name);
    let (statistics, leaves): (Vec<Leaf<T>>, Vec<Leaf<T>>) = arrays.into_iter().partition(is_statistic);
    let mut found: Vec<&str> = leaves.iter().map(|leaf| leaf.name.as_str()).collect();
    let mut names: Vec<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    found.sort_unstable();
    names.sort_unstable();
    if found != names {
        let names: Vec<String> = expected.iter().map(|(name, shape)| format!("{name} {shape:?}")).collect();
        let found = format!("{} in {}", found.join(", "), path.display());
        return Err(RecipeError::field(FIELD, format!("the arrays {}", names.join(", ")), found));
    }
    Ok([leaves, statistics])
}

fn cast<T: Stored, U: Real>(leaves: &[Leaf<T>]) -> Vec<Leaf<U>> {
    leaves.iter().map(Leaf::cast).collect()
}
