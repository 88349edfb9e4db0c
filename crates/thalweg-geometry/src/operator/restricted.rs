//! The principal submatrix on some of the coordinates.

use super::LinearOperator;
use crate::site::{Convention, SiteError, Work};
use std::ops::Range;
use thiserror::Error;

/// PᵀAP, where P keeps some coordinates: a layer's block, or the curvature inside a pruning mask.
///
/// *Measures*: curvature of the loss when only those coordinates may move.
///
/// *Definition*: (PᵀAP)ᵢⱼ = A(kᵢ, kⱼ) for kept coordinates k₁ < k₂ < …
///
/// *Shapes and units*: m × m for m kept coordinates; A's unit.
///
/// *Cost*: one product with A each, and two vectors of n elements.
///
/// *When it misleads*: eigenvalues of a block interlace those of A (Cauchy), so a layer's sharpness never exceeds
/// the whole's, and the blocks' largest may all be far below it.
///
/// *Example*:
/// ```
/// use thalweg_geometry::operator::{Diagonal, LinearOperator, Restricted};
/// let whole = Diagonal::new(vec![1.0, 2.0, 3.0, 4.0]);
/// let block = Restricted::to_range(&whole, 1..3, "layer 1")?;
/// assert_eq!(block.apply(&[1.0, 1.0]).unwrap(), [2.0, 3.0]);
/// # Ok::<(), thalweg_geometry::operator::RestrictionError>(())
/// ```
pub struct Restricted<'a> {
    operator: Whole<'a>,
    kept: Vec<usize>,
    label: String,
}

/// The operator whose block is taken: the caller's, or the more exact one that belongs to it.
enum Whole<'a> {
    Callers(&'a dyn LinearOperator),
    Own(Box<dyn LinearOperator + 'a>),
}

impl<'a> std::ops::Deref for Whole<'a> {
    type Target = dyn LinearOperator + 'a;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Callers(operator) => *operator,
            Self::Own(operator) => &**operator,
        }
    }
}

/// Coordinates that an operator does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RestrictionError {
    /// The range ends beyond the operator's dimension.
    #[error("coordinates {range:?} of an operator on {dimension}")]
    Range {
        /// The range asked for.
        range: Range<usize>,
        /// The operator's dimension.
        dimension: usize,
    },
    /// The mask is for another dimension.
    #[error("a mask of {found} coordinates for an operator on {expected}")]
    Mask {
        /// The operator's dimension.
        expected: usize,
        /// The mask's length.
        found: usize,
    },
}

impl<'a> Restricted<'a> {
    /// Keeps a range of coordinates; `label` names it in the operator's name.
    ///
    /// # Errors
    /// If the range is not within the operator's dimension.
    pub fn to_range(
        operator: &'a dyn LinearOperator,
        range: Range<usize>,
        label: &str,
    ) -> Result<Self, RestrictionError> {
        let dimension = operator.dimension();
        if range.start > range.end || range.end > dimension {
            return Err(RestrictionError::Range { range, dimension });
        }
        Ok(Self { operator: Whole::Callers(operator), kept: range.collect(), label: label.into() })
    }

    /// Keeps the coordinates whose place in the mask is true; `label` names it in the operator's name.
    ///
    /// # Errors
    /// If the mask has not the operator's dimension.
    pub fn to_mask(
        operator: &'a dyn LinearOperator,
        mask: &[bool],
        label: &str,
    ) -> Result<Self, RestrictionError> {
        let expected = operator.dimension();
        if mask.len() != expected {
            return Err(RestrictionError::Mask { expected, found: mask.len() });
        }
        let kept = (0..expected).filter(|&i| mask[i]).collect();
        Ok(Self { operator: Whole::Callers(operator), kept, label: label.into() })
    }
}

impl LinearOperator for Restricted<'_> {
    fn dimension(&self) -> usize {
        self.kept.len()
    }

    fn name(&self) -> String {
        format!("{} on {}", self.operator.name(), self.label)
    }

    fn convention(&self) -> Convention {
        self.operator.convention()
    }

    fn work_per_product(&self) -> Work {
        self.operator.work_per_product()
    }

    fn apply_many(&self, vectors: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        let n = self.operator.dimension();
        let mut whole = vec![vec![0.0; n]; vectors.len()];
        for (whole, v) in whole.iter_mut().zip(vectors) {
            for (&k, x) in self.kept.iter().zip(*v) {
                whole[k] = *x;
            }
        }
        let tangents: Vec<&[f64]> = whole.iter().map(Vec::as_slice).collect();
        let mut products = vec![vec![0.0; n]; vectors.len()];
        self.operator.apply_many(&tangents, &mut products)?;
        for (out, product) in out.iter_mut().zip(&products) {
            for (out, &k) in out.iter_mut().zip(&self.kept) {
                *out = product[k];
            }
        }
        Ok(())
    }

    fn exact(&self) -> Option<Box<dyn LinearOperator + '_>> {
        let operator = Whole::Own(self.operator.exact()?);
        Some(Box::new(Restricted { operator, kept: self.kept.clone(), label: self.label.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dense, Diagonal};
    use super::*;

    #[test]
    fn a_mask_keeps_the_principal_submatrix() {
        let whole = Dense::symmetric(3, vec![1.0, 2.0, 3.0, 2.0, 4.0, 5.0, 3.0, 5.0, 6.0]);
        let kept = Restricted::to_mask(&whole, &[true, false, true], "mask").unwrap();
        let small = Dense::materialised(&kept).unwrap();
        assert_eq!([small.element(0, 0), small.element(0, 1), small.element(1, 1)], [1.0, 3.0, 6.0]);
        assert_eq!(kept.name(), "dense on mask");
    }

    #[test]
    fn coordinates_that_are_not_there_are_refused() {
        let whole = Diagonal::new(vec![1.0, 2.0, 3.0]);
        assert!(Restricted::to_range(&whole, 2..4, "x").is_err());
        assert!(Restricted::to_mask(&whole, &[true], "x").is_err());
        assert_eq!(Restricted::to_range(&whole, 3..3, "x").unwrap().dimension(), 0);
    }
}
