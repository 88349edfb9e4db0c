//! ½θᵀAθ.

use super::losses;
use crate::site::{Convention, Site, SiteError, Value};
use crate::vector::{dot, norm};
use thalweg_kernel::Key;

/// L(θ) = ½ θᵀAθ with a known spectrum, minimum 0 at 0 if that has nothing negative.
///
/// A = QΛQ with a Householder reflection Q = I − 2qqᵀ, which costs O(n) a product and is dense all the same; or
/// Q = I.
#[derive(Clone, Debug)]
pub struct Quadratic {
    eigenvalues: Vec<f64>,
    mirror: Option<Vec<f64>>,
    convention: Convention,
}

impl Quadratic {
    /// A = diag(λ).
    pub fn diagonal(eigenvalues: Vec<f64>) -> Self {
        Self { eigenvalues, mirror: None, convention: Convention::analytic("quadratic") }
    }

    /// A with these eigenvalues and eigenvectors that are no coordinate axes.
    pub fn rotated(eigenvalues: Vec<f64>, key: &Key) -> Self {
        let mut q = vec![0.0; eigenvalues.len()];
        key.normals(&mut q);
        let length = norm(&q);
        q.iter_mut().for_each(|x| *x /= length);
        Self { mirror: Some(q), ..Self::diagonal(eigenvalues) }
    }

    fn reflect(&self, v: &mut [f64]) {
        if let Some(q) = &self.mirror {
            let along = 2.0 * dot(q, v);
            v.iter_mut().zip(q).for_each(|(v, q)| *v -= along * q);
        }
    }

    fn product(&self, v: &[f64]) -> Vec<f64> {
        let mut out = v.to_vec();
        self.reflect(&mut out);
        out.iter_mut().zip(&self.eigenvalues).for_each(|(x, eigenvalue)| *x *= eigenvalue);
        self.reflect(&mut out);
        out
    }
}

impl Site for Quadratic {
    fn dimension(&self) -> usize {
        self.eigenvalues.len()
    }

    fn convention(&self) -> &Convention {
        &self.convention
    }

    fn values(&self, points: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        Ok(losses(points, |theta| 0.5 * dot(theta, &self.product(theta))))
    }

    fn gradient(&self, theta: &[f64], out: &mut [f64]) -> Result<f64, SiteError> {
        out.copy_from_slice(&self.product(theta));
        Ok(0.5 * dot(theta, out))
    }

    fn hvps(&self, _theta: &[f64], tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        for (v, out) in tangents.iter().zip(out) {
            out.copy_from_slice(&self.product(v));
        }
        Ok(())
    }
}
