//! Values on lines and planes.

use rayon::prelude::*;
use thalweg_kernel::Real;
use thalweg_program::evaluate::{Cut, Point};

use super::kept::{BUDGET, kept_at, with_data};
use super::quantity::Quantity;
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
    /// All arrays that a point needs, with their elements an example; nothing if there would be too much.
    kept: Option<Vec<(Vec<T>, usize)>>,
}

/// Examples in a shard: many points give threads enough to do, so shards may be long, and calls few.
const LONG_SHARD: usize = 384;
/// Points that are written out together, in elements.
const POINTS: usize = 1 << 24;

impl<'o, T: Real> Section<'o, T> {
    pub(super) fn new(objective: &'o Objective<T>, vectors: &[&[T]], examples: &'o Examples<T>) -> Self {
        objective.check(examples);
        for vector in vectors {
            assert_eq!(vector.len(), objective.point_len(), "a vector's length");
        }
        let written = vectors.iter().map(|vector| vector.to_vec()).collect();
        if objective.is_coupled() {
            return Self { objective, examples, vectors: written, kept: None };
        }
        let cut = Cut::by(objective.examples(), LONG_SHARD);
        let linear = objective.program(Quantity::SectionLinear, cut);
        let fixed = objective.program(Quantity::SectionFixed, cut);
        let width = vectors.len() * linear.widths().sum::<usize>() + fixed.widths().sum::<usize>();
        let affordable = width * cut.examples * size_of::<T>() <= BUDGET;
        let kept = affordable.then(|| {
            let mut kept = kept_at(objective, &linear, vectors, examples);
            kept.extend(kept_at(objective, &fixed, &vectors[..vectors.len().min(1)], examples));
            kept
        });
        Self { objective, examples, vectors: written, kept }
    }

    /// Loss and error at each of the points: one coefficient a vector for each. Every point and every group of
    /// examples is a task of its own. Cost: one forward pass without its first layer a point.
    ///
    /// # Panics
    /// If a point has not one coefficient a vector.
    pub fn values(&self, points: &[&[T]]) -> Vec<Value> {
        let dimension = self.objective.point_len();
        let mut values = Vec::with_capacity(points.len());
        let mut thetas: Vec<T> = Vec::new();
        for points in points.chunks((POINTS / dimension.max(1)).max(1)) {
            thetas.resize(points.len() * dimension, T::ZERO);
            if dimension > 0 {
                thetas.par_chunks_mut(dimension).zip(points).for_each(|(theta, c)| self.write(c, theta));
            }
            let thetas = (0..points.len()).map(|i| &thetas[i * dimension..(i + 1) * dimension]);
            let Some(kept) = &self.kept else {
                values.extend(self.objective.values(&thetas.collect::<Vec<_>>(), self.examples));
                continue;
            };
            let kept: Vec<(&[T], usize)> = kept.iter().map(|(array, width)| (&array[..], *width)).collect();
            let mut points: Vec<Point<'_, T>> =
                thetas.zip(points).map(|(theta, c)| Point::scalars(vec![theta, c])).collect();
            let quantity = Quantity::SectionValue(self.vectors.len());
            let program = self.objective.program(quantity, Cut::by(self.objective.examples(), LONG_SHARD));
            with_data(self.objective, self.examples, &kept, |data| program.evaluate(&mut points, data));
            values.extend(points.iter().map(|point| Value::of(self.objective.loss, &point.scalars)));
        }
        values
    }

    /// Σ cᵢ·θᵢ
    fn write(&self, coefficients: &[T], theta: &mut [T]) {
        assert_eq!(coefficients.len(), self.vectors.len(), "one coefficient a vector");
        let mut terms = self.vectors.iter().zip(coefficients);
        match terms.next() {
            Some((vector, &c)) => theta.iter_mut().zip(vector).for_each(|(theta, &x)| *theta = c * x),
            None => theta.fill(T::ZERO),
        }
        for (vector, &c) in terms {
            theta.iter_mut().zip(vector).for_each(|(theta, &x)| *theta += c * x);
        }
    }
}
