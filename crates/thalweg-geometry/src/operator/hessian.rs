//! The Hessian of a site at a point.

use super::LinearOperator;
use crate::site::{Convention, Point, Site, SiteError, Work};

/// ∇²L(θ).
///
/// *Measures*: nothing by itself; it is what a spectrum is taken of.
///
/// *Definition*: Hᵢⱼ = ∂²L/∂θᵢ∂θⱼ with the loss and reduction of the site's convention.
///
/// *Shapes and units*: n × n; loss per squared parameter.
///
/// *Cost*: one Hessian-vector product each; memory as the site's [`Point`] keeps.
///
/// *When it misleads*: piecewise linear activations have no curvature at their kinks, so H describes the smooth
/// piece that θ lies on; and H changes under rescalings of θ that leave the function alone.
///
/// *Reference*: Pearlmutter 1994 for the products.
///
/// *Example*:
/// ```
/// use thalweg_geometry::{operator::{Hessian, LinearOperator}, testbed::Rosenbrock};
/// let site = Rosenbrock::new(2);
/// let hessian = Hessian::at(&site, &[1.0, 1.0]);
/// assert_eq!(hessian.apply(&[1.0, 0.0])?, [802.0, -400.0]);
/// # Ok::<(), thalweg_geometry::site::SiteError>(())
/// ```
pub struct Hessian<'a> {
    point: Box<dyn Point + 'a>,
}

impl<'a> Hessian<'a> {
    /// The Hessian at θ.
    ///
    /// # Panics
    /// If θ has not the site's dimension.
    pub fn at(site: &'a (impl Site + ?Sized), theta: &[f64]) -> Self {
        assert_eq!(theta.len(), site.dimension(), "theta's length");
        Self { point: site.at(theta) }
    }
}

impl LinearOperator for Hessian<'_> {
    fn dimension(&self) -> usize {
        self.point.theta().len()
    }

    fn name(&self) -> String {
        "hessian".into()
    }

    fn convention(&self) -> Convention {
        self.point.convention().clone()
    }

    fn work_per_product(&self) -> Work {
        Work { hvps: 1, ..Work::default() }
    }

    fn apply_many(&self, vectors: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.point.hvps(vectors, out)
    }

    fn exact(&self) -> Option<Box<dyn LinearOperator + '_>> {
        let point = self.point.exact()?;
        Some(Box::new(Hessian { point }))
    }
}
