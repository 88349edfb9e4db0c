//! Random directions and their scale.

use super::SectionError;
use super::gauss_length::angle;
use crate::site::number;
use crate::vector::norm;
use serde::{Deserialize, Serialize};
use thalweg_kernel::Key;
use thalweg_program::params::Leaf;

/// How a direction d is scaled against the point θ that it leaves from.
///
/// *Measures*: nothing; it decides what a unit step means.
///
/// *Definition*: each part of d becomes d·‖w‖/‖d‖ with w the same part of θ, and 0 where
/// either is 0. The parts are what the names say.
///
/// *When it misleads*: a network that is invariant to the scale of its filters looks flat in unscaled directions
/// merely because its weights are large; filter-wise directions of two networks may be compared.
///
/// *Reference*: Li et al. 2018.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// By slice along the filter axis of every leaf with more than one axis (axis 0 where it names none: rows);
    /// leaves of one axis (biases, norms) become 0.
    FilterWise,
    /// By leaf; leaves of one axis become 0.
    LayerWise,
    /// All of d against all of θ; nothing becomes 0.
    WholeModel,
    /// d as it is.
    None,
}

impl Normalisation {
    /// As readings name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::FilterWise => "filter-wise",
            Self::LayerWise => "layer-wise",
            Self::WholeModel => "whole-model",
            Self::None => "none",
        }
    }

    /// Whether leaves of one axis become 0.
    pub fn ignores_one_axis(self) -> bool {
        matches!(self, Self::FilterWise | Self::LayerWise)
    }
}

/// How two directions lie to each other: what a picture's axes are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// ‖u‖.
    #[serde(with = "number")]
    pub norm_u: f64,
    /// ‖v‖.
    #[serde(with = "number")]
    pub norm_v: f64,
    /// Angle between them in [0, π]; `None` if one is 0.
    #[serde(with = "number")]
    pub angle_rad: Option<f64>,
}

impl Frame {
    /// Of these two.
    pub fn of(u: &[f64], v: &[f64]) -> Self {
        let (norm_u, norm_v) = (norm(u), norm(v));
        let unit = |d: &[f64], length: f64| -> Vec<f64> { d.iter().map(|x| x / length).collect() };
        let angle_rad = (norm_u != 0.0 && norm_v != 0.0).then(|| angle(&unit(u, norm_u), &unit(v, norm_v)));
        Self { norm_u, norm_v, angle_rad }
    }
}

/// Scales a direction in place; `leaves` are those of the parameter space, and matter for the two first kinds only.
///
/// # Errors
/// If `theta` has another length than the direction, the leaves do not tile it, or the norm of a part that the scale
/// is taken of, of the direction or of `theta`, is not finite. The direction may then be scaled in part.
pub fn normalise(
    direction: &mut [f64],
    theta: &[f64],
    leaves: &[Leaf],
    normalisation: Normalisation,
) -> Result<(), SectionError> {
    super::check_dimension("the direction", theta.len(), direction)?;
    match normalisation {
        Normalisation::None => return Ok(()),
        Normalisation::WholeModel => {
            return rescale(direction, theta, 0..theta.len());
        }
        Normalisation::FilterWise | Normalisation::LayerWise => {}
    }
    check_tiling(leaves, theta.len())?;
    for leaf in leaves {
        let (part, weights) = (&mut direction[leaf.range()], &theta[leaf.range()]);
        if leaf.shape.len() < 2 {
            part.fill(0.0);
        } else if normalisation == Normalisation::LayerWise {
            rescale(part, weights, 0..weights.len())?;
        } else {
            let axis = leaf.filter_axis.unwrap_or(0);
            let inner: usize = leaf.shape[axis + 1..].iter().product();
            let filters = leaf.shape[axis];
            for filter in 0..filters {
                // The slice is one run of `inner` elements for each index of the axes before it.
                let run = filters * inner;
                let places = (0..weights.len())
                    .step_by(run.max(1))
                    .flat_map(move |start| start + filter * inner..start + (filter + 1) * inner);
                rescale(part, weights, places)?;
            }
        }
    }
    Ok(())
}

/// d ← d·‖w‖/‖d‖ over these places; 0 where either norm is.
fn rescale(
    direction: &mut [f64],
    weights: &[f64],
    places: impl Iterator<Item = usize> + Clone,
) -> Result<(), SectionError> {
    let norm_at = |what, v: &[f64]| {
        let found = norm(&places.clone().map(|i| v[i]).collect::<Vec<f64>>());
        if found.is_finite() { Ok(found) } else { Err(SectionError::Norm { what, found }) }
    };
    let wanted = norm_at("the point that a direction is scaled against", weights)?;
    let found = norm_at("the direction", direction)?;
    let factor = if found == 0.0 { 0.0 } else { wanted / found };
    if factor.is_finite() {
        places.for_each(|i| direction[i] *= factor);
    } else {
        // ‖d‖ is so small that the factor overflows; what it does to d is within range.
        places.for_each(|i| direction[i] = direction[i] / found * wanted);
    }
    Ok(())
}

fn check_tiling(leaves: &[Leaf], expected: usize) -> Result<(), SectionError> {
    let mut found = 0;
    for leaf in leaves {
        let range = leaf.range();
        if range.start != found || range.end > expected {
            return Err(SectionError::Leaves { expected, found });
        }
        found = range.end;
    }
    if found == expected { Ok(()) } else { Err(SectionError::Leaves { expected, found }) }
}

/// A Gaussian direction from θ, scaled.
///
/// *Example*:
/// ```
/// use thalweg_geometry::section::{Normalisation, random_direction};
/// use thalweg_kernel::Key;
/// use thalweg_program::params::{Leaf, ParamSpace, Role};
/// let mut space = ParamSpace::new();
/// space.push(Leaf::new("weight", &[2, 2], Role::Weight));
/// space.push(Leaf::new("bias", &[2], Role::Bias));
/// let theta = [3.0, 4.0, 0.0, 0.0, 1.0, 1.0];
/// let d = random_direction(&theta, space.leaves(), Normalisation::FilterWise, &Key::from_seed(1))?;
/// assert!((d[0].hypot(d[1]) - 5.0).abs() < 1e-12);
/// assert_eq!(d[2..], [0.0; 4]);
/// # Ok::<(), thalweg_geometry::section::SectionError>(())
/// ```
///
/// # Errors
/// As [`normalise`].
pub fn random_direction(
    theta: &[f64],
    leaves: &[Leaf],
    normalisation: Normalisation,
    key: &Key,
) -> Result<Vec<f64>, SectionError> {
    let mut direction = vec![0.0; theta.len()];
    key.normals(&mut direction);
    normalise(&mut direction, theta, leaves, normalisation)?;
    Ok(direction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_program::params::{ParamSpace, Role};

    fn space() -> ParamSpace {
        let mut space = ParamSpace::new();
        space.push(Leaf::new("conv", &[3, 2, 2, 2], Role::Weight));
        space.push(Leaf::new("bias", &[3], Role::Bias));
        let mut last = Leaf::new("last", &[2, 3], Role::Weight);
        last.filter_axis = Some(1);
        space.push(last);
        space
    }

    fn normals(n: usize, seed: u64) -> Vec<f64> {
        let mut v = vec![0.0; n];
        Key::from_seed(seed).normals(&mut v);
        v
    }

    #[test]
    fn every_filter_gets_the_norm_of_its_weights() {
        let space = space();
        let theta = normals(33, 1);
        let raw = random_direction(&theta, &[], Normalisation::None, &Key::from_seed(2)).unwrap();
        assert_eq!(raw, normals(33, 2));
        let d =
            random_direction(&theta, space.leaves(), Normalisation::FilterWise, &Key::from_seed(2)).unwrap();
        for filter in 0..3 {
            let part = 8 * filter..8 * filter + 8;
            assert!((norm(&d[part.clone()]) - norm(&theta[part.clone()])).abs() < 1e-12);
            // The direction inside a filter is kept.
            let ratio = d[part.start] / raw[part.start];
            assert!(part.clone().all(|i| (d[i] - ratio * raw[i]).abs() < 1e-12) && ratio > 0.0);
        }
        assert_eq!(d[24..27], [0.0; 3]);
        for column in 0..3 {
            let (a, b) = (27 + column, 30 + column);
            assert!((d[a].hypot(d[b]) - theta[a].hypot(theta[b])).abs() < 1e-12);
        }
    }

    #[test]
    fn layers_and_the_whole() {
        let space = space();
        let theta = normals(33, 1);
        let scaled = |kind| random_direction(&theta, space.leaves(), kind, &Key::from_seed(2)).unwrap();
        let d = scaled(Normalisation::LayerWise);
        assert!((norm(&d[..24]) - norm(&theta[..24])).abs() < 1e-12);
        assert!((norm(&d[27..]) - norm(&theta[27..])).abs() < 1e-12);
        assert_eq!(d[24..27], [0.0; 3]);
        let d = scaled(Normalisation::WholeModel);
        assert!((norm(&d) - norm(&theta)).abs() < 1e-12 && d[24] != 0.0);
    }

    #[test]
    fn filters_of_zero_weights_and_leaves_with_gaps() {
        let space = space();
        let mut theta = normals(33, 1);
        theta[8..16].fill(0.0);
        let mut d = normals(33, 2);
        d[16..24].fill(0.0);
        normalise(&mut d, &theta, space.leaves(), Normalisation::FilterWise).unwrap();
        assert_eq!(d[8..24], [0.0; 16]);
        let gap = normalise(&mut d, &theta, &space.leaves()[1..], Normalisation::LayerWise).unwrap_err();
        assert_eq!(
            gap.to_string(),
            "leaves cover 0 elements of the parameter vector, expected all 33 of them once, in order"
        );
    }

    #[test]
    fn a_frame_tells_norms_and_angle() {
        let frame = Frame::of(&[2.0, 0.0], &[1.0, 1.0]);
        assert_eq!(frame.norm_u, 2.0);
        assert!((frame.angle_rad.unwrap() - std::f64::consts::FRAC_PI_4).abs() < 1e-15);
        assert_eq!(Frame::of(&[0.0], &[1.0]).angle_rad, None);
    }

    #[test]
    fn what_has_no_finite_scale_is_refused_and_what_has_one_is_scaled() {
        let one_leaf = |shape: &[usize]| {
            let mut space = ParamSpace::new();
            space.push(Leaf::new("weight", shape, Role::Weight));
            space
        };
        let space = one_leaf(&[1, 2]);
        let scaled = |d: [f64; 2], theta: [f64; 2], kind| {
            let mut d = d;
            normalise(&mut d, &theta, space.leaves(), kind).map(|()| d)
        };
        for kind in [Normalisation::FilterWise, Normalisation::LayerWise, Normalisation::WholeModel] {
            assert_eq!(scaled([1e-320, 0.0], [3.0, 4.0], kind).unwrap(), [5.0, 0.0]);
            assert_eq!(scaled([0.0, 1e-300], [0.0, 1e300], kind).unwrap(), [0.0, 1e300]);
            let inf = f64::INFINITY;
            for (theta, norm) in [([inf, 0.0], "inf"), ([f64::NAN, 0.0], "NaN"), ([1.5e308, 1.5e308], "inf")]
            {
                let error = scaled([1.0, 0.0], theta, kind).unwrap_err().to_string();
                let expected = format!(
                    "the point that a direction is scaled against has a part with the norm {norm}, expected a finite number"
                );
                assert_eq!(error, expected);
            }
            assert!(scaled([1.0, inf], [1.0, 1.0], kind).is_err());
        }
        assert_eq!(scaled([1e-320, 0.0], [f64::NAN, 0.0], Normalisation::None).unwrap(), [1e-320, 0.0]);
    }
}
