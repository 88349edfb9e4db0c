//! Layers one after another, and beside a shortcut.

use std::fmt;

use thalweg_program::builder::Var;

use super::plan::{Flow, Plan};
use super::{Kind, Layer, LayerError, Params, Place, Pool, PoolOf};
use crate::arch::Activation;

/// Layers one after another, each with the name that its leaves begin with.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Sequence {
    layers: Vec<(String, Layer)>,
}

/// body(x) + shortcut(x); leaves are `body.…` and `shortcut.…` unless the ways have other names.
#[derive(Clone, Debug, PartialEq)]
pub struct Residual {
    /// The layers of the one way.
    pub body: Sequence,
    /// Those of the other; none for the identity.
    pub shortcut: Sequence,
    /// What leaves of the body and of the shortcut begin with; an empty name adds nothing.
    pub names: [&'static str; 2],
}

impl Residual {
    /// With the ways' usual names.
    pub fn new(body: Sequence, shortcut: Sequence) -> Self {
        Self { body, shortcut, names: ["body", "shortcut"] }
    }
}

impl Sequence {
    /// Named by their positions, as those of a `Sequential` of PyTorch: `0`, `1`, …
    pub fn numbered(layers: impl IntoIterator<Item = Layer>) -> Self {
        let numbered = layers.into_iter().enumerate();
        Self { layers: numbered.map(|(position, layer)| (position.to_string(), layer)).collect() }
    }

    /// With names of their own. Names of layers without leaves appear in errors only; an
    /// empty name adds nothing to those of its leaves.
    pub fn named<N: Into<String>>(layers: impl IntoIterator<Item = (N, Layer)>) -> Self {
        Self { layers: layers.into_iter().map(|(name, layer)| (name.into(), layer)).collect() }
    }

    /// Whether a layer is a ReLU and the next a pool of the largest, which come to the same the other way round, derivatives
    /// included: no gradient flows where the largest is not above 0. There are fewer numbers behind the pool.
    fn commute(&self, position: usize) -> bool {
        let [(_, first), (_, second)] = &self.layers[position..position + 2] else { return false };
        let is_relu = matches!(first, Layer::Activation(Activation::Relu));
        is_relu && matches!(second, Layer::Pool(Pool { of: PoolOf::Max, .. }))
    }

    /// Name and layer of each.
    pub fn layers(&self) -> &[(String, Layer)] {
        &self.layers
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.layers.iter().map(|(_, layer)| layer.to_string()).collect();
        f.write_str(&texts.join(", "))
    }
}

impl Kind for Sequence {
    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        self.layers.iter().try_fold(x, |x, (name, layer)| plan.within(name, |plan| layer.declare(plan, x)))
    }

    fn write<'b>(&self, params: &mut Params<'_, 'b>, x: Var<'b>, place: Place) -> Var<'b> {
        let last = self.layers.len().saturating_sub(1);
        let mut order: Vec<usize> = (0..self.layers.len()).collect();
        for position in 0..last {
            if self.commute(position) {
                order.swap(position, position + 1);
            }
        }
        order.into_iter().fold(x, |x, position| {
            let (_, layer) = &self.layers[position];
            layer.write(params, x, if position == last { place } else { Place::Inner })
        })
    }
}

impl fmt::Display for Residual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "residual [{}]", self.body)?;
        if self.shortcut.layers.is_empty() { Ok(()) } else { write!(f, " shortcut [{}]", self.shortcut) }
    }
}

impl Kind for Residual {
    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        let [name, shortcut_name] = self.names;
        let body = plan.within(name, |plan| self.body.declare(plan, x))?;
        let shortcut = plan.within(shortcut_name, |plan| self.shortcut.declare(plan, x))?;
        if body.shape != shortcut.shape {
            let expected = format!("a shortcut to {}, which the body comes to", body.shape);
            return Err(plan.misfit(self, expected, shortcut.shape));
        }
        plan.units.tie(body.units, shortcut.units);
        Ok(body)
    }

    fn write<'b>(&self, params: &mut Params<'_, 'b>, x: Var<'b>, _place: Place) -> Var<'b> {
        let body = self.body.write(params, x, Place::Inner);
        body + self.shortcut.write(params, x, Place::Inner)
    }
}
