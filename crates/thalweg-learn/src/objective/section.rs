//! Values on lines and planes.

use thalweg_kernel::Real;
use thalweg_program::evaluate::{Cut, Point};

use super::curvature::{BUDGET, with_data};
use super::quantity::{ALIGNMENT, Quantity};
use super::{Examples, Objective, Value};

/// The points Σ cᵢ·θᵢ of a few vectors θᵢ: θ₀ and θ₁ span a line with (1 − α, α), a centre and two directions a plane
/// with (1, a, b).
///
/// A network's first layer is linear in its parameters, so its values at the θᵢ are computed once and kept, and each
/// point combines them. Memory: the first layer's outputs over all examples for each vector, at most 1 GiB; beyond
/// that nothing is kept.
pub struct Section<'o, T: Real> {
    objective: &'o Objective<T>,
    examples: &'o Examples<T>,
    vectors: Vec<Vec<T>>,
    kept: Option<Vec<Vec<T>>>,
}

/// Examples in a shard: many points give threads enough to do, so shards may be long, and calls few.
const LONG_SHARD: usize = 384;
/// Points that are written out together, in elements.
const POINTS: usize = 1 << 24;

impl<'o, T: Real> Section<'o, T> {
    pub(super) fn new(objective: &'o Objective<T>, vectors: &[&[T]], examples: &'o Examples<T>) -> Self {
        objective.check(examples);
        for vector in vectors {
            assert_eq!(vector.len(), objective.dimension(), "a vector's length");
        }
        let head = objective.program(Quantity::SectionHead, Cut::by(objective.examples(), LONG_SHARD));
        let affordable = vectors.len() * head.kept_size() * size_of::<T>() <= BUDGET;
        let kept = affordable.then(|| {
            let mut kept: Vec<Vec<T>> = Vec::new();
            for vector in vectors {
                let more = with_data(objective, examples, &[], |data| head.kept(&[vector], data));
                kept.resize_with(more.len(), Vec::new);
                for (kept, more) in kept.iter_mut().zip(more) {
                    // Each begins where the program looks for it.
                    kept.resize(kept.len().next_multiple_of(ALIGNMENT), T::ZERO);
                    kept.extend(more);
                }
            }
            kept
        });
        Self { objective, examples, vectors: vectors.iter().map(|vector| vector.to_vec()).collect(), kept }
    }

    /// Loss and error at each of the points: one coefficient a vector for each. Every point and every group of
    /// examples is a task of its own. Cost: one forward pass without its first layer a point.
    ///
    /// # Panics
    /// If a point has not one coefficient a vector.
    pub fn values(&self, points: &[&[T]]) -> Vec<Value> {
        let mut values = Vec::with_capacity(points.len());
        for points in points.chunks((POINTS / self.objective.dimension().max(1)).max(1)) {
            let thetas: Vec<Vec<T>> = points.iter().map(|coefficients| self.at(coefficients)).collect();
            let Some(kept) = &self.kept else {
                let thetas: Vec<&[T]> = thetas.iter().map(Vec::as_slice).collect();
                values.extend(self.objective.values(&thetas, self.examples));
                continue;
            };
            let both = thetas.iter().zip(points);
            let mut points: Vec<Point<'_, T>> = both.map(|(t, c)| Point::scalars(vec![t, c])).collect();
            let quantity = Quantity::SectionValue(self.vectors.len());
            let program = self.objective.program(quantity, Cut::by(self.objective.examples(), LONG_SHARD));
            with_data(self.objective, self.examples, kept, |data| program.evaluate(&mut points, data));
            values
                .extend(points.iter().map(|point| Value { loss: point.scalars[0], error: point.scalars[1] }));
        }
        values
    }

    /// Σ cᵢ·θᵢ
    fn at(&self, coefficients: &[T]) -> Vec<T> {
        assert_eq!(coefficients.len(), self.vectors.len(), "one coefficient a vector");
        let mut theta = vec![T::ZERO; self.objective.dimension()];
        for (vector, &c) in self.vectors.iter().zip(coefficients) {
            theta.iter_mut().zip(vector).for_each(|(theta, &x)| *theta += c * x);
        }
        theta
    }
}
