//! Curvature matrices at one point, to be multiplied with many tangents.

use std::borrow::Cow;
use std::sync::Arc;

use thalweg_kernel::Real;
use thalweg_program::evaluate::{Cut, Point, Sharded};

use super::kept::{BUDGET, Order, kept_at, with_data};
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

/// A curvature matrix at a point θ.
///
/// At a fixed θ a product is a linear program whose coefficients, the residuals of everything that depends on θ
/// alone, do not change: they are computed once and kept (of examples that do not meet in batch norms). Cost of a product with the Hessian after that: about 1.5
/// gradients; memory: a few times the activations of all examples, at most 1 GiB (beyond that nothing is kept).
pub struct Curvature<'o, T: Real> {
    objective: &'o Objective<T>,
    examples: &'o Examples<T>,
    matrix: Matrix,
    theta: Cow<'o, [T]>,
    linear: Option<Linear<T>>,
}

/// What makes a product cheap.
struct Linear<T: Real> {
    program: Arc<Sharded<T>>,
    /// The residuals of all examples, with their elements an example.
    residuals: Vec<(Vec<T>, usize)>,
}

impl<'o, T: Real> Curvature<'o, T> {
    pub(super) fn new(
        objective: &'o Objective<T>,
        matrix: Matrix,
        theta: Cow<'o, [T]>,
        examples: &'o Examples<T>,
        together: usize,
    ) -> Self {
        objective.check(examples);
        assert_eq!(theta.len(), objective.point_len(), "the point's length");
        if objective.is_coupled() {
            // Whoever reads what was kept would need what the examples came to together.
            return Self { objective, examples, matrix, theta, linear: None };
        }
        // Residuals are computed in shards as usual, so that all threads find some.
        let short = objective.cut;
        let long = if together >= MANY { Cut::by(short.examples, LONG_SHARD) } else { short };
        let order = if long == short { Order::Shards } else { Order::Examples };
        let primal = objective.program(Quantity::Residuals(matrix, order), short);
        let affordable = primal.widths().sum::<usize>() * short.examples * size_of::<T>() <= BUDGET;
        let linear = affordable.then(|| {
            let residuals = kept_at(objective, &primal, &[&theta], examples);
            Linear { program: objective.program(Quantity::LinearProduct(matrix, order), long), residuals }
        });
        Self { objective, examples, matrix, theta, linear }
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
        let n = self.objective.dimension();
        assert_eq!(tangents.len(), products.len(), "one product a tangent");
        assert_eq!(tangents.len() % n, 0, "tangents of {n} elements");
        let pairs = tangents.chunks(n).zip(products.chunks_mut(n));
        let point = |(v, product)| Point { sums: vec![product], ..Point::scalars(vec![&self.theta[..], v]) };
        let mut points: Vec<Point<'_, T>> = pairs.map(point).collect();
        match &self.linear {
            Some(Linear { program, residuals }) => {
                let residuals: Vec<(&[T], usize)> =
                    residuals.iter().map(|(r, width)| (&r[..], *width)).collect();
                with_data(self.objective, self.examples, &residuals, |data| {
                    program.evaluate(&mut points, data);
                });
            }
            None => self.objective.evaluate(Quantity::Product(self.matrix), &mut points, self.examples, None),
        }
    }
}
