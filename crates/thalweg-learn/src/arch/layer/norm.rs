//! Norms: of each example by itself, and of a batch.

use std::fmt;

use thalweg_program::builder::Var;

use super::plan::{Flow, Plan};
use super::window::image;
use super::{Kind, LayerError, Params, Place, Shape, take};
use crate::arch::statistics::Centred;

/// Added to the variance, as PyTorch does.
pub(in crate::arch) const EPS: f64 = 1e-5;

/// What is taken to mean 0 and variance 1 (the biased one, plus ε = 10⁻⁵), and then, if affine, multiplied by `weight` and
/// shifted by `bias`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Norm {
    /// Over what.
    pub over: NormOver,
    /// Whether there are `weight` and `bias`.
    pub affine: bool,
}

/// What shares a mean and a variance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NormOver {
    /// All examples and positions of each channel (Ioffe & Szegedy 2015): in training mode those of the batch, in
    /// evaluation mode given ones. Leaves `[channels]`.
    Batch,
    /// All positions of so many groups of channels (Wu & He 2018). Leaves `[channels]`.
    Groups(usize),
    /// All channels and positions (Ba et al. 2016). Leaves of the whole shape, as PyTorch's `LayerNorm` of that shape.
    Layer,
    /// All positions of each channel (Ulyanov et al. 2016). Leaves `[channels]`.
    Instance,
}

impl fmt::Display for Norm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.over, self.affine) {
            (NormOver::Batch, true) => f.write_str("batchnorm"),
            (NormOver::Batch, false) => f.write_str("batchnorm noaffine"),
            (NormOver::Groups(groups), true) => write!(f, "groupnorm {groups}"),
            (NormOver::Groups(groups), false) => write!(f, "groupnorm {groups} noaffine"),
            (NormOver::Layer, true) => f.write_str("layernorm"),
            (NormOver::Layer, false) => f.write_str("layernorm noaffine"),
            // PyTorch's own default is without.
            (NormOver::Instance, true) => f.write_str("instancenorm affine"),
            (NormOver::Instance, false) => f.write_str("instancenorm"),
        }
    }
}

impl Kind for Norm {
    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        let channels = x.shape.units();
        let mut leaf = vec![channels];
        match (&self.over, x.shape) {
            (NormOver::Batch, shape) => {
                plan.batch_norm(channels, shape.elements() / channels.max(1), x.units);
            }
            (NormOver::Groups(groups), _) => {
                if *groups == 0 || !channels.is_multiple_of(*groups) {
                    let expected = format!("a number of groups that divides {channels} channels");
                    return Err(plan.misfit(self, expected, groups));
                }
                // Channels could change places within their groups, and groups as a whole: none of it is declared.
                if *groups != 1 && *groups != channels {
                    plan.units.fix(x.units);
                }
            }
            (NormOver::Layer, Shape::Image { height, width, .. }) => leaf.extend([height, width]),
            (NormOver::Layer, Shape::Features(_)) => {}
            (NormOver::Instance, shape) => {
                image(plan, self, shape)?;
            }
        }
        // Of one number by itself nothing is left; of a batch norm the batch decides.
        let together = match self.over {
            NormOver::Batch => usize::MAX,
            NormOver::Groups(groups) => x.shape.elements() / groups,
            NormOver::Layer => x.shape.elements(),
            NormOver::Instance => x.shape.elements() / channels.max(1),
        };
        if together == 1 {
            let expected = "more than 1 number in what is normed together, or all is normed to 0";
            return Err(plan.misfit(self, expected, x.shape));
        }
        if self.affine {
            plan.scale_and_shift(self, &leaf, x.units)?;
        }
        Ok(x)
    }

    fn write<'b>(&self, params: &mut Params<'_, 'b>, x: Var<'b>, _place: Place) -> Var<'b> {
        let shape = x.shape();
        let last = shape.len() - 1;
        let positions: Vec<usize> = (1..last).collect();
        let y = match self.over {
            NormOver::Batch => {
                let Centred { rest, offset, variance } = params.pass.statistics.next(x);
                let factor = (variance + EPS).sqrt().reciprocal();
                // What is one number a channel comes together once, for all positions.
                let factor = if self.affine { factor * take(params) } else { factor };
                let shift = offset * factor;
                return rest * factor + if self.affine { shift + take(params) } else { shift };
            }
            NormOver::Groups(groups) => {
                let split = [&shape[..last], &[groups, shape[last] / groups]].concat();
                x.reshape(&split).standardised(&[&positions[..], &[last + 1]].concat(), EPS).reshape(&shape)
            }
            NormOver::Layer => x.standardised(&[&positions[..], &[last]].concat(), EPS),
            NormOver::Instance => x.standardised(&positions, EPS),
        };
        if !self.affine {
            return y;
        }
        // A leaf of a whole image is channels first.
        let mut placed = || match take(params) {
            leaf if leaf.shape().len() == 3 => leaf.permute(&[1, 2, 0]),
            leaf => leaf,
        };
        y * placed() + placed()
    }
}
