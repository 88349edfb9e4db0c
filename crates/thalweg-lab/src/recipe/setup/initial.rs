//! What is there before the first step: drawn, or from a file.

use std::path::Path;

use thalweg_geometry::site::Site as _;
use thalweg_kernel::Real;
use thalweg_learn::arch::{initial_parameters, statistics_arrays};
use thalweg_learn::checkpoint::{self, Checkpoint, CheckpointError, Leaf, Stored};

use super::{INITIAL, Setup};
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

fn check_finite<T: Real>(array: &Leaf<T>, path: &Path) -> Result<(), RecipeError> {
    let Some(at) = array.values.iter().position(|x| !x.to_f64().is_finite()) else { return Ok(()) };
    let expected = format!("finite numbers in {}", T::NAME);
    let (name, found) = (&array.name, array.values[at]);
    let found = format!("{found} at place {at} of {name} in {}", path.display());
    Err(RecipeError::field(FIELD, expected, found))
}

/// The arrays of a file that is no checkpoint of ours, if they are called as the network's leaves are; and apart from
/// them those that are called as the running statistics, if there are any.
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
