//! The generalised Gauss–Newton matrix of a site at a point.

use super::LinearOperator;
use crate::site::{Convention, Point, Site, SiteError, Work};

/// JᵀH_L J at θ.
///
/// *Measures*: nothing by itself; it is what a spectrum is taken of.
///
/// *Definition*: G = (1/N) Σᵢ Jᵢᵀ ∇²ℓᵢ Jᵢ, where Jᵢ is the Jacobian of example i's outputs in θ and ∇²ℓᵢ the Hessian of
/// its loss in them; of cross-entropy, that has the elements p_c(δ_cd − p_d). The reduction is the site's.
///
/// *Shapes and units*: n × n, positive semi-definite for a convex ℓ; loss per squared parameter.
///
/// *Cost*: one Gauss–Newton-vector product each.
///
/// *When it misleads*: H = G + Σℓ′∇²f; far from a fit the second term is not small, and only it has negative
/// eigenvalues.
///
/// *Reference*: Schraudolph 2002.
///
/// *Example*:
/// ```
/// use thalweg_geometry::{operator::{Ggn, LinearOperator}, testbed::DeepLinear};
/// // x ↦ w₂w₁x on the one example (1, 1): J = (w₂, w₁).
/// let site = DeepLinear::new([1, 1, 1], vec![1.0], vec![1.0]);
/// assert_eq!(Ggn::at(&site, &[2.0, 3.0]).apply(&[1.0, 0.0])?, [9.0, 6.0]);
/// # Ok::<(), thalweg_geometry::site::SiteError>(())
/// ```
pub struct Ggn<'a> {
    point: Box<dyn Point + 'a>,
}

impl<'a> Ggn<'a> {
    /// The Gauss–Newton matrix at θ.
    ///
    /// # Panics
    /// If θ has not the site's dimension.
    pub fn at(site: &'a (impl Site + ?Sized), theta: &[f64]) -> Self {
        assert_eq!(theta.len(), site.dimension(), "theta's length");
        Self { point: site.at(theta) }
    }
}

impl LinearOperator for Ggn<'_> {
    fn dimension(&self) -> usize {
        self.point.theta().len()
    }

    fn name(&self) -> String {
        "ggn".into()
    }

    fn convention(&self) -> Convention {
        self.point.convention().clone()
    }

    fn work_per_product(&self) -> Work {
        Work { ggn_products: 1, ..Work::default() }
    }

    fn apply_many(&self, vectors: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.point.ggn_products(vectors, out)
    }

    fn exact(&self) -> Option<Box<dyn LinearOperator + '_>> {
        let point = self.point.exact()?;
        Some(Box::new(Ggn { point }))
    }
}
