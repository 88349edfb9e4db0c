//! Curvature matrices at one point, to be multiplied with many tangents.

use std::sync::Arc;

use thalweg_kernel::Real;
use thalweg_program::evaluate::{Cut, Data, Point, Sharded};

use super::quantity::Quantity;
use super::{Examples, Objective};

/// Which curvature matrix of the mean loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matrix {
    /// The Hessian: the matrix of second derivatives.
    Hessian,
    /// The Gauss–Newton matrix Jᵀ H_loss J: J is the Jacobian of the outputs, H_loss the loss's Hessian in them.
    Ggn,
}

/// From how many tangents in a call on it is they that threads share out, and not the examples.
const MANY: usize = 4;
/// Examples in a shard then: longer products, fewer sums.
const LONG_SHARD: usize = 256;
/// Memory that residuals may take, in bytes.
pub(super) const BUDGET: usize = 1 << 30;

/// A curvature matrix at a point θ.
///
/// At a fixed θ a product is a linear program whose coefficients, the residuals of everything that depends on θ
/// alone, do not change: they are computed once and kept. Cost of a product with the Hessian after that: about 1.5
/// gradients; memory: a few times the activations of all examples, at most 1 GiB (beyond that nothing is kept).
pub struct Curvature<'o, T: Real> {
    objective: &'o Objective<T>,
    examples: &'o Examples<T>,
    matrix: Matrix,
    theta: Vec<T>,
    linear: Option<Arc<Sharded<T>>>,
    kept: Vec<Vec<T>>,
}

impl<'o, T: Real> Curvature<'o, T> {
    pub(super) fn new(
        objective: &'o Objective<T>,
        matrix: Matrix,
        theta: &[T],
        examples: &'o Examples<T>,
        together: usize,
    ) -> Self {
        objective.check(examples);
        assert_eq!(theta.len(), objective.dimension(), "theta's length");
        let examples_in_all = objective.examples();
        let cut =
            if together >= MANY { Cut::by(examples_in_all, LONG_SHARD) } else { Cut::new(examples_in_all) };
        let residuals = objective.program(Quantity::Residuals(matrix), cut);
        let affordable = residuals.kept_size() * size_of::<T>() <= BUDGET;
        let (linear, kept) = if affordable {
            let linear = objective.program(Quantity::LinearProduct(matrix), cut);
            (Some(linear), with_data(objective, examples, &[], |data| residuals.kept(&[theta], data)))
        } else {
            (None, Vec::new())
        };
        Self { objective, examples, matrix, theta: theta.to_vec(), linear, kept }
    }

    /// The point.
    pub fn theta(&self) -> &[T] {
        &self.theta
    }

    /// M v for each tangent: `tangents` and `products` are `[k, n]` row-major.
    ///
    /// # Panics
    /// If their lengths are not equal, or no multiple of θ's.
    pub fn products(&self, tangents: &[T], products: &mut [T]) {
        let n = self.theta.len();
        assert_eq!(tangents.len(), products.len(), "one product a tangent");
        assert_eq!(tangents.len() % n, 0, "tangents of {n} elements");
        let pairs = tangents.chunks(n).zip(products.chunks_mut(n));
        let point = |(v, product)| Point { sums: vec![product], ..Point::scalars(vec![&self.theta[..], v]) };
        let mut points: Vec<Point<'_, T>> = pairs.map(point).collect();
        match &self.linear {
            Some(linear) => {
                with_data(self.objective, self.examples, &self.kept, |data| {
                    linear.evaluate(&mut points, data);
                });
            }
            None => self.objective.evaluate(Quantity::Product(self.matrix), &mut points, self.examples, None),
        }
    }
}

/// Calls with the examples and what was kept of them.
pub(super) fn with_data<T: Real, R>(
    objective: &Objective<T>,
    examples: &Examples<T>,
    kept: &[Vec<T>],
    with: impl FnOnce(Data<'_, T>) -> R,
) -> R {
    let rows = [(&examples.inputs[..], objective.architecture.inputs())];
    with(Data { rows: &rows, indices: &[(&examples.labels[..], 1)], kept })
}
