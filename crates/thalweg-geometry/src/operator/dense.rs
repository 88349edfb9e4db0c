//! An explicit matrix.

use super::LinearOperator;
use crate::site::{Convention, SiteError, Work};
use crate::vector::dot;

/// A symmetric matrix with all its elements: what the products of other operators are checked against.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    dimension: usize,
    elements: Vec<f64>,
}

impl Dense {
    /// The matrix with these elements, row by row.
    ///
    /// # Panics
    /// If there are not n² of them, or two across the diagonal differ in any bit that matters to `==`.
    pub fn symmetric(dimension: usize, elements: Vec<f64>) -> Self {
        assert_eq!(elements.len(), dimension * dimension, "elements of a {dimension} × {dimension} matrix");
        for i in 0..dimension {
            for j in 0..i {
                let (lower, upper) = (elements[i * dimension + j], elements[j * dimension + i]);
                assert!(lower == upper, "element ({i}, {j}) is {lower} but ({j}, {i}) is {upper}");
            }
        }
        Self { dimension, elements }
    }

    /// Another operator, written out: n products. Averaged with its transpose, since products round.
    ///
    /// # Errors
    /// Those of the operator's products.
    pub fn materialised(operator: &(impl LinearOperator + ?Sized)) -> Result<Self, SiteError> {
        let n = operator.dimension();
        let basis: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(i == j)).collect()).collect();
        let vectors: Vec<&[f64]> = basis.iter().map(Vec::as_slice).collect();
        let mut columns = vec![vec![0.0; n]; n];
        operator.apply_many(&vectors, &mut columns)?;
        let elements = (0..n * n).map(|k| 0.5 * (columns[k % n][k / n] + columns[k / n][k % n])).collect();
        Ok(Self { dimension: n, elements })
    }

    /// One element.
    pub fn element(&self, row: usize, column: usize) -> f64 {
        self.elements[row * self.dimension + column]
    }

    /// All eigenvalues, ascending; `None` if an element is not finite.
    pub fn eigenvalues(&self) -> Option<Vec<f64>> {
        crate::dense::symmetric_eigen(self.dimension, |i, j| self.element(i, j)).map(|eigen| eigen.values)
    }
}

impl LinearOperator for Dense {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn name(&self) -> String {
        "dense".into()
    }

    fn convention(&self) -> Convention {
        Convention::analytic("none")
    }

    fn work_per_product(&self) -> Work {
        Work { matvecs: 1, ..Work::default() }
    }

    fn apply_many(&self, vectors: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        for (v, out) in vectors.iter().zip(out) {
            for (row, out) in self.elements.chunks(self.dimension.max(1)).zip(out) {
                *out = dot(row, v);
            }
        }
        Ok(())
    }
}
