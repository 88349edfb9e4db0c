//! Small dense symmetric eigenproblems.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, Par};

/// Eigenvalues in ascending order and, as columns, orthonormal eigenvectors.
pub(crate) struct Eigen {
    /// Ascending.
    pub(crate) values: Vec<f64>,
    /// `vectors[j]` belongs to `values[j]`.
    pub(crate) vectors: Vec<Vec<f64>>,
}

/// The eigendecomposition of the symmetric m × m matrix whose lower triangle `entry(row, column)` gives.
///
/// On one thread whatever faer's global setting is, so that the bits do not depend on it. `None` if an entry is not
/// finite or the decomposition fails.
pub(crate) fn symmetric_eigen(m: usize, entry: impl Fn(usize, usize) -> f64) -> Option<Eigen> {
    if m == 0 {
        return Some(Eigen { values: Vec::new(), vectors: Vec::new() });
    }
    let mut matrix = Mat::from_fn(m, m, |i, j| if i >= j { entry(i, j) } else { entry(j, i) });
    let mut scale = 0.0_f64;
    for x in matrix.col_iter().flat_map(|column| column.iter()) {
        if !x.is_finite() {
            return None;
        }
        scale = scale.max(x.abs());
    }
    // Entries near the ends of the exponent range would overflow or underflow inside the decomposition.
    let unit = if scale > 0.0 { scale } else { 1.0 };
    for x in matrix.col_iter_mut().flat_map(|column| column.iter_mut()) {
        *x /= unit;
    }
    let mut values = Diag::<f64>::zeros(m);
    let mut vectors = Mat::<f64>::zeros(m, m);
    let mut memory = MemBuffer::new(self_adjoint_evd_scratch::<f64>(
        m,
        ComputeEigenvectors::Yes,
        Par::Seq,
        Default::default(),
    ));
    self_adjoint_evd(
        matrix.as_ref(),
        values.as_mut(),
        Some(vectors.as_mut()),
        Par::Seq,
        MemStack::new(&mut memory),
        Default::default(),
    )
    .ok()?;
    Some(Eigen {
        values: values.column_vector().iter().map(|x| x * unit).collect(),
        vectors: vectors.col_iter().map(|column| column.iter().copied().collect()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_by_two_at_any_scale() {
        for scale in [1.0, 1e300, 1e-300] {
            let eigen = symmetric_eigen(2, |i, j| if i == j { 2.0 * scale } else { scale }).unwrap();
            assert!((eigen.values[0] / scale - 1.0).abs() < 1e-14);
            assert!((eigen.values[1] / scale - 3.0).abs() < 1e-14);
            assert!((eigen.vectors[1][0] - eigen.vectors[1][1]).abs() < 1e-14);
        }
    }

    #[test]
    fn entries_that_are_not_finite_are_refused() {
        assert!(symmetric_eigen(2, |_, _| f64::NAN).is_none());
    }
}
