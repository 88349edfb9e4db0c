//! An operator whose products are in single precision.

use thalweg_geometry::operator::LinearOperator;
use thalweg_geometry::site::{Convention, Dtype, SiteError, Work};

/// Rounds vectors and products to f32.
pub(crate) struct Rounded<O> {
    pub(crate) inner: O,
    /// Relative error of every product beside the rounding, which a residual by these products cannot see.
    pub(crate) error: f64,
    /// Whether products without rounding can be had.
    pub(crate) exact: bool,
}

impl<O: LinearOperator + Clone> LinearOperator for Rounded<O> {
    fn dimension(&self) -> usize {
        self.inner.dimension()
    }

    fn name(&self) -> String {
        "rounded".into()
    }

    fn convention(&self) -> Convention {
        Convention { dtype: Dtype::F32, ..self.inner.convention() }
    }

    fn work_per_product(&self) -> Work {
        self.inner.work_per_product()
    }

    fn apply_many(&self, vectors: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        let rounded: Vec<Vec<f64>> =
            vectors.iter().map(|v| v.iter().map(|&x| f64::from(x as f32)).collect()).collect();
        let vectors: Vec<&[f64]> = rounded.iter().map(Vec::as_slice).collect();
        self.inner.apply_many(&vectors, out)?;
        out.iter_mut().flatten().for_each(|x| *x = f64::from((*x * (1.0 + self.error)) as f32));
        Ok(())
    }

    fn exact(&self) -> Option<Box<dyn LinearOperator + '_>> {
        self.exact.then(|| Box::new(self.inner.clone()) as Box<dyn LinearOperator>)
    }
}
