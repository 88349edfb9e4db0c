//! θ before the first step: drawn, or from a file.

use std::path::Path;

use thalweg_geometry::site::Site as _;
use thalweg_kernel::{Key, Real};
use thalweg_learn::arch::initial_parameters;
use thalweg_learn::checkpoint::{self, Checkpoint, CheckpointError, Leaf, Stored};

use super::SurveyError;
use super::inputs::Inputs;
use crate::site::NetworkSite;

const FIELD: &str = "initial.path";

/// A leaf's name and shape.
type Expected = (String, Vec<usize>);

impl Inputs {
    /// θ before the first step.
    pub(super) fn initial_theta<T: Stored>(&self, key: Key) -> Result<Vec<T>, SurveyError> {
        let space = self.architecture.space();
        let (Some(bytes), Some(path)) = (&self.initial, &self.config.initial.path) else {
            return Ok(initial_parameters(space, self.config.model.init(), key));
        };
        let expected: Vec<Expected> =
            space.leaves().iter().map(|leaf| (leaf.name.clone(), leaf.shape.clone())).collect();
        let leaves: Vec<Leaf<T>> = match checkpoint::describe(bytes, path) {
            Ok(description) if description.dtype == f64::NAME => {
                cast(&Checkpoint::<f64>::from_bytes(bytes, path)?.leaves)
            }
            Ok(_) => cast(&Checkpoint::<f32>::from_bytes(bytes, path)?.leaves),
            Err(CheckpointError::Description { .. }) => state_dict(bytes, path, &expected)?,
            Err(error) => return Err(error.into()),
        };
        let leaves = checkpoint::arrange(leaves, &expected, path)?;
        for leaf in &leaves {
            if let Some(at) = leaf.values.iter().position(|x| !x.to_f64().is_finite()) {
                let expected = format!("finite numbers in {}", T::NAME);
                let (name, found) = (&leaf.name, leaf.values[at]);
                let found = format!("{found} at place {at} of {name} in {}", path.display());
                return Err(SurveyError::field(FIELD, expected, found));
            }
        }
        Ok(leaves.into_iter().flat_map(|leaf| leaf.values).collect())
    }

    /// Refuses initial weights at which there is no loss: no learning rate is to blame for them.
    pub(super) fn check_initial_loss<T: Stored>(&self, key: Key) -> Result<(), SurveyError> {
        let theta: Vec<f64> = self.initial_theta::<T>(key)?.into_iter().map(Real::to_f64).collect();
        let site = NetworkSite::<T>::new(self.architecture.clone(), self.plan.recipe.loss, &self.data.train);
        let loss = site.values(&[&theta])?[0].loss;
        if loss.is_finite() {
            return Ok(());
        }
        let field = if self.initial.is_some() { FIELD } else { "model.init" };
        let expected = format!("initial weights with a finite loss in {}", T::NAME);
        Err(SurveyError::field(field, expected, format!("{loss} over the training set")))
    }
}

/// The arrays of a file that is no checkpoint of ours, if they are called as the network's leaves are.
fn state_dict<T: Stored>(
    bytes: &[u8],
    path: &Path,
    expected: &[Expected],
) -> Result<Vec<Leaf<T>>, SurveyError> {
    let leaves =
        match (checkpoint::read_arrays::<f32>(bytes, path), checkpoint::read_arrays::<f64>(bytes, path)) {
            (Ok(leaves), _) => cast(&leaves),
            (_, Ok(leaves)) => cast(&leaves),
            (
                Err(CheckpointError::Dtype { leaf: one, found: first, .. }),
                Err(CheckpointError::Dtype { leaf: other, found: second, .. }),
            ) => {
                let also = if one == other { String::new() } else { format!(" and {one} in {first}") };
                let found = format!("{other} in {second}{also} in {}", path.display());
                return Err(SurveyError::field(FIELD, "arrays that are all in F32 or all in F64", found));
            }
            (Err(error), _) => return Err(error.into()),
        };
    let mut found: Vec<&str> = leaves.iter().map(|leaf: &Leaf<T>| leaf.name.as_str()).collect();
    let mut names: Vec<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    found.sort_unstable();
    names.sort_unstable();
    if found != names {
        let names: Vec<String> = expected.iter().map(|(name, shape)| format!("{name} {shape:?}")).collect();
        let found = format!("{} in {}", found.join(", "), path.display());
        return Err(SurveyError::field(FIELD, format!("the arrays {}", names.join(", ")), found));
    }
    Ok(leaves)
}

fn cast<T: Stored, U: Real>(leaves: &[Leaf<T>]) -> Vec<Leaf<U>> {
    leaves.iter().map(Leaf::cast).collect()
}
