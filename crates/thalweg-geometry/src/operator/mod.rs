//! Symmetric linear operators on ℝⁿ that are known by their products alone.
//!
//! Which matrix (Hessian, Gauss–Newton, a layer's block of either) is said here; which statistic of it is said in
//! [`spectrum`](crate::spectrum). Every statistic takes every operator.

mod dense;
mod diagonal;
mod ggn;
mod hessian;
mod restricted;

pub use dense::Dense;
pub use diagonal::Diagonal;
pub use ggn::Ggn;
pub use hessian::Hessian;
pub use restricted::{Restricted, RestrictionError};

use crate::site::{Convention, SiteError, Work};

/// A symmetric n × n matrix, by its products with vectors.
///
/// Symmetry is a promise that nothing checks. Vectors have n elements, results overwrite `out`, and lengths are
/// checked by the caller: an implementation may panic on a wrong one. Products may be non-finite.
pub trait LinearOperator: Sync {
    /// n.
    fn dimension(&self) -> usize;

    /// Which matrix it is, such as `hessian`: part of what a reading says it measured.
    fn name(&self) -> String;

    /// The convention that its readings carry.
    fn convention(&self) -> Convention;

    /// What one product costs.
    fn work_per_product(&self) -> Work;

    /// Writes A·v for each v. Vectors come together so that an operator can share them out.
    ///
    /// # Errors
    /// Those of the site behind it.
    fn apply_many(&self, vectors: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError>;

    /// A·v.
    ///
    /// # Errors
    /// Those of the site behind it.
    fn apply(&self, vector: &[f64]) -> Result<Vec<f64>, SiteError> {
        let mut out = [vec![0.0; self.dimension()]];
        self.apply_many(&[vector], &mut out)?;
        let [product] = out;
        Ok(product)
    }

    /// The same matrix with more exact products, to verify with what was found by these. `None` if these are the most
    /// exact there are.
    fn exact(&self) -> Option<Box<dyn LinearOperator + '_>> {
        None
    }
}
