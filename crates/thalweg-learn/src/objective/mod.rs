//! A network, a loss and a data set as one function of θ: its value and all of its derivatives.
//!
//! The loss is the mean over the examples. Each quantity is a program of its own, written for a shard of examples,
//! compiled when it is first asked for and kept.

mod curvature;
mod kept;
mod quantity;
mod section;
#[cfg(test)]
mod tests;
mod writer;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use thalweg_kernel::{Key, Real};
use thalweg_program::evaluate::{Cut, Data, Point, Sharded};

use crate::arch::{Architecture, statistics_len};
use crate::data::Dataset;
use crate::loss::Loss;
pub use curvature::{Curvature, Matrix};
use quantity::Quantity;
pub use section::Section;
use writer::Writer;

/// What layers do that are not the same in training and afterwards. Networks without batch norms and dropout are the same in
/// all modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As in a step of training. Batch norms take the statistics of all examples of the objective together, so that they
    /// move with θ, and derivatives go through them. Dropout draws from the [keys](Examples::set_keys) of the examples: with
    /// the same keys the same is dropped, and the objective is a function like any other.
    Training,
    /// As instruments measure: batch norms as in training, and nothing is dropped.
    ReEstimated,
    /// Batch norms take given statistics: a point is θ followed by the [statistics](crate::arch::Statistics), and
    /// derivatives are those in θ. Nothing is dropped.
    Evaluation,
}

impl Mode {
    /// Whether examples bring keys to that network.
    fn takes_keys(self, architecture: &dyn Architecture) -> bool {
        self == Self::Training && architecture.draws()
    }
}

/// Loss and error at one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// Mean loss over the examples.
    pub loss: f64,
    /// Mean expected error over the examples, in [0, 1]: see [`crate::loss::write_error`]. NaN of a loss that
    /// [has no classes](Loss::has_classes).
    pub error: f64,
}

impl Value {
    /// From the two numbers that a program computes.
    fn of(loss: Loss, numbers: &[f64]) -> Self {
        Self { loss: numbers[0], error: if loss.has_classes() { numbers[1] } else { f64::NAN } }
    }
}

/// Examples in the precision of a program.
#[derive(Clone, Debug)]
pub struct Examples<T> {
    /// Row-major `[examples, inputs]`.
    pub inputs: Vec<T>,
    /// `[examples]`, or `[examples, positions]` where an example has several.
    pub labels: Vec<i32>,
    /// `[examples, 11]`: see [`set_keys`](Self::set_keys). Empty without.
    keys: Vec<T>,
}

impl<T: Real> Examples<T> {
    /// Those, without keys.
    pub fn new(inputs: Vec<T>, labels: Vec<i32>) -> Self {
        Self { inputs, labels, keys: Vec::new() }
    }

    /// All examples of a data set.
    pub fn of(data: &Dataset) -> Self {
        let inputs = data.inputs().iter().map(|&x| T::from_f64(f64::from(x))).collect();
        Self::new(inputs, data.labels().to_vec())
    }

    /// Gives each example a key, from which dropout draws in [training mode](Mode::Training). What is dropped of an example
    /// depends on its key alone: not on the examples beside it, nor on the precision.
    pub fn set_keys(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.keys.clear();
        let words = keys.into_iter().flat_map(|key| key.words());
        self.keys.extend(words.map(|word| T::from_f64(f64::from(word))));
    }
}

/// Compiled programs by quantity and size of the shards.
type Programs<T> = BTreeMap<(Quantity, usize), Arc<Sharded<T>>>;

/// The mean loss of a network over a fixed number of examples, as a function of θ.
///
/// Programs do not hold the examples, so one objective serves all batches of a size. Every method panics where a
/// slice has not the length that the network and the number of examples give it, or a label is no output's number.
pub struct Objective<T: Real> {
    architecture: Arc<dyn Architecture>,
    loss: Loss,
    mode: Mode,
    cut: Cut,
    programs: Mutex<Programs<T>>,
}

impl<T: Real> Objective<T> {
    /// Of a network over `examples` examples, as instruments measure it.
    pub fn new(architecture: Arc<dyn Architecture>, loss: Loss, examples: usize) -> Self {
        Self::in_mode(Mode::ReEstimated, architecture, loss, examples)
    }

    /// The same in training mode.
    pub fn training(architecture: Arc<dyn Architecture>, loss: Loss, examples: usize) -> Self {
        Self::in_mode(Mode::Training, architecture, loss, examples)
    }

    /// The same in evaluation mode.
    pub fn evaluation(architecture: Arc<dyn Architecture>, loss: Loss, examples: usize) -> Self {
        Self::in_mode(Mode::Evaluation, architecture, loss, examples)
    }

    fn in_mode(mode: Mode, architecture: Arc<dyn Architecture>, loss: Loss, examples: usize) -> Self {
        let cut = match (mode, architecture.norms()) {
            (Mode::Evaluation, _) | (_, []) => {
                let architecture = &*architecture;
                let one = Writer { architecture, loss, mode, examples: 1, total: examples };
                Cut::fitting(examples, &one.value(), one.leaves().len())
            }
            _ => Cut::coupled(examples, architecture.space().dimension()),
        };
        Self { architecture, loss, mode, cut, programs: Mutex::new(BTreeMap::new()) }
    }

    /// The network.
    pub fn architecture(&self) -> &Arc<dyn Architecture> {
        &self.architecture
    }

    /// The loss.
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// What batch norms and dropout do.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Length of a point: that of θ, in evaluation mode with that of the statistics.
    pub fn point_len(&self) -> usize {
        match self.mode {
            Mode::Training | Mode::ReEstimated => self.dimension(),
            Mode::Evaluation => self.dimension() + statistics_len(self.architecture.norms()),
        }
    }

    /// Whether the examples meet, as they do in batch norms that take their statistics.
    fn is_coupled(&self) -> bool {
        self.mode != Mode::Evaluation && !self.architecture.norms().is_empty()
    }

    /// Whether examples bring keys.
    pub fn takes_keys(&self) -> bool {
        self.mode.takes_keys(&*self.architecture)
    }

    /// Length of θ.
    pub fn dimension(&self) -> usize {
        self.architecture.space().dimension()
    }

    /// Number of examples that the mean is over.
    pub fn examples(&self) -> usize {
        self.cut.examples
    }

    /// The program of a quantity over shards of the cut.
    fn program(&self, quantity: Quantity, cut: Cut) -> Arc<Sharded<T>> {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        let compile = || {
            let (architecture, loss, mode, total) = (&*self.architecture, self.loss, self.mode, cut.examples);
            let write = |examples| quantity.write(&Writer { architecture, loss, mode, examples, total });
            // How much an example needs does not depend on how many there are.
            let roles = quantity.roles(&Writer { architecture, loss, mode, examples: 1, total });
            Arc::new(Sharded::new(cut, &roles, write))
        };
        Arc::clone(programs.entry((quantity, cut.shard)).or_insert_with(compile))
    }

    /// Panics unless the examples are as many as the mean is over, and as the network takes them.
    fn check(&self, examples: &Examples<T>) {
        let (inputs, outputs) = (self.architecture.inputs(), self.architecture.outputs());
        let positions = self.architecture.positions();
        let classes = outputs / positions;
        assert_eq!(examples.labels.len(), self.examples() * positions, "labels: {positions} an example");
        assert_eq!(examples.inputs.len(), self.examples() * inputs, "inputs: {inputs} an example");
        if self.takes_keys() {
            assert_eq!(
                examples.keys.len(),
                self.examples() * Key::WORDS,
                "keys: one an example, for dropout"
            );
        }
        if !self.loss.has_classes() {
            assert_eq!(inputs, outputs, "a reconstruction has as many outputs as inputs");
            return;
        }
        let in_range = |&label: &i32| usize::try_from(label).is_ok_and(|label| label < classes);
        assert!(examples.labels.iter().all(in_range), "labels: from 0 to {}", classes - 1);
    }

    /// What programs take of the examples but for the labels: inputs, and keys where any are taken.
    fn rows<'e>(&self, examples: &'e Examples<T>) -> Vec<(&'e [T], usize)> {
        let inputs = (&examples.inputs[..], self.architecture.inputs());
        let keys = self.takes_keys().then_some((&examples.keys[..], Key::WORDS));
        [inputs].into_iter().chain(keys).collect()
    }

    /// `cotangents` of the outputs are a last array of rows, where the quantity takes any.
    fn evaluate(
        &self,
        quantity: Quantity,
        points: &mut [Point<'_, T>],
        examples: &Examples<T>,
        cotangents: Option<&[T]>,
    ) {
        let outputs = self.architecture.outputs();
        self.check(examples);
        for point in points.iter() {
            assert_eq!(point.shared[0].len(), self.point_len(), "a point's length");
        }
        let mut rows = self.rows(examples);
        rows.extend(cotangents.map(|u| (u, outputs)));
        if let Some(u) = cotangents {
            assert_eq!(u.len(), self.examples() * outputs, "cotangents: {outputs} an example");
        }
        let labels = [(&examples.labels[..], self.architecture.positions())];
        let indices = if quantity.takes_labels() { &labels[..] } else { &[] };
        self.program(quantity, self.cut).evaluate(points, Data { rows: &rows, indices });
    }

    /// Loss and error at many points, together: every point and every group of examples is a task of its own.
    /// Cost: one forward pass a point.
    pub fn values(&self, points: &[&[T]], examples: &Examples<T>) -> Vec<Value> {
        let mut points: Vec<Point<'_, T>> = points.iter().map(|theta| Point::scalars(vec![theta])).collect();
        self.evaluate(Quantity::Value, &mut points, examples, None);
        points.iter().map(|point| Value::of(self.loss, &point.scalars)).collect()
    }

    /// The affine set of points Σ cᵢ·θᵢ, to be evaluated at many coefficients: a line has two vectors, a plane three.
    pub fn section<'o>(&'o self, vectors: &[&[T]], examples: &'o Examples<T>) -> Section<'o, T> {
        Section::new(self, vectors, examples)
    }

    /// Gradient of the mean loss into `gradient`; returns loss and error. Cost: about three forward passes.
    pub fn gradient(&self, theta: &[T], examples: &Examples<T>, gradient: &mut [T]) -> Value {
        assert_eq!(gradient.len(), self.dimension(), "the gradient's length");
        let mut point = Point { sums: vec![gradient], ..Point::scalars(vec![theta]) };
        self.evaluate(Quantity::Gradient, std::slice::from_mut(&mut point), examples, None);
        Value::of(self.loss, &point.scalars)
    }

    /// The same, and into `statistics` the means and biased variances that batch norms took: those of the examples.
    ///
    /// # Panics
    /// Also in evaluation mode, where they are given.
    pub fn gradient_and_statistics(
        &self,
        theta: &[T],
        examples: &Examples<T>,
        gradient: &mut [T],
        statistics: &mut [T],
    ) -> Value {
        if statistics.is_empty() {
            return self.gradient(theta, examples, gradient);
        }
        assert!(self.mode != Mode::Evaluation, "in evaluation mode statistics are given");
        assert_eq!(gradient.len(), self.dimension(), "the gradient's length");
        let mut point = Point { sums: vec![gradient, statistics], ..Point::scalars(vec![theta]) };
        let points = std::slice::from_mut(&mut point);
        self.evaluate(Quantity::GradientAndStatistics, points, examples, None);
        Value::of(self.loss, &point.scalars)
    }

    /// The statistics that batch norms take at each of the points: those of the examples, laid out as
    /// [`Statistics`](crate::arch::Statistics) says. Cost: one forward pass a point.
    ///
    /// # Panics
    /// Also in evaluation mode, where they are given.
    pub fn statistics(&self, points: &[&[T]], examples: &Examples<T>) -> Vec<Vec<T>> {
        assert!(self.mode != Mode::Evaluation, "in evaluation mode statistics are given");
        let length = statistics_len(self.architecture.norms());
        let mut statistics = vec![vec![T::ZERO; length]; points.len()];
        if length > 0 {
            let pairs = points.iter().zip(&mut statistics);
            let mut points: Vec<Point<'_, T>> =
                pairs.map(|(theta, out)| Point { sums: vec![out], ..Point::scalars(vec![theta]) }).collect();
            self.evaluate(Quantity::Statistics, &mut points, examples, None);
        }
        statistics
    }

    /// H v for each tangent, H being the Hessian of the mean loss. `tangents` and `products` are `[k, n]` row-major.
    /// Several at once share the work at θ; for several calls at one θ, see [`curvature`](Self::curvature).
    /// Cost: about 2.1 gradients for one, 1.5 each for many.
    pub fn hessian_products(&self, theta: &[T], tangents: &[T], examples: &Examples<T>, products: &mut [T]) {
        self.products(Matrix::Hessian, theta, tangents, examples, products);
    }

    /// G v for each tangent, G = Jᵀ H_loss J being the Gauss–Newton matrix of the mean loss, laid out as in
    /// [`hessian_products`](Self::hessian_products). Cost: about 1.6 gradients for one.
    pub fn ggn_products(&self, theta: &[T], tangents: &[T], examples: &Examples<T>, products: &mut [T]) {
        self.products(Matrix::Ggn, theta, tangents, examples, products);
    }

    fn products(
        &self,
        matrix: Matrix,
        theta: &[T],
        tangents: &[T],
        examples: &Examples<T>,
        products: &mut [T],
    ) {
        assert_eq!(tangents.len(), products.len(), "one product a tangent");
        if tangents.len() == self.dimension() {
            let mut point = Point { sums: vec![products], ..Point::scalars(vec![theta, tangents]) };
            self.evaluate(Quantity::Product(matrix), std::slice::from_mut(&mut point), examples, None);
        } else if !tangents.is_empty() {
            let together = tangents.len() / self.dimension();
            self.curvature(matrix, theta, examples, together).products(tangents, products);
        }
    }

    /// A curvature matrix at θ, to be multiplied with many tangents, `together` of them in each call: what depends on
    /// θ alone is computed now and kept.
    pub fn curvature<'o>(
        &'o self,
        matrix: Matrix,
        theta: impl Into<Cow<'o, [T]>>,
        examples: &'o Examples<T>,
        together: usize,
    ) -> Curvature<'o, T> {
        Curvature::new(self, matrix, theta.into(), examples, together)
    }

    /// Outputs `[examples, outputs]` at many points, together. Cost: one forward pass a point.
    pub fn outputs(&self, points: &[&[T]], examples: &Examples<T>) -> Vec<Vec<T>> {
        let size = self.examples() * self.architecture.outputs();
        let mut outputs: Vec<Vec<T>> = points.iter().map(|_| vec![T::ZERO; size]).collect();
        let mut points: Vec<Point<'_, T>> = points
            .iter()
            .zip(&mut outputs)
            .map(|(theta, out)| Point { rows: vec![out], ..Point::scalars(vec![theta]) })
            .collect();
        self.evaluate(Quantity::Outputs, &mut points, examples, None);
        outputs
    }

    /// J v `[examples, outputs]`, J being the Jacobian of the outputs. Cost: about three forward passes.
    pub fn jacobian_product(&self, theta: &[T], tangent: &[T], examples: &Examples<T>) -> Vec<T> {
        assert_eq!(tangent.len(), self.dimension(), "the tangent's length");
        let mut out = vec![T::ZERO; self.examples() * self.architecture.outputs()];
        let mut point = Point { rows: vec![&mut out], ..Point::scalars(vec![theta, tangent]) };
        self.evaluate(Quantity::JacobianProduct, std::slice::from_mut(&mut point), examples, None);
        out
    }

    /// Jᵀ u summed over examples, for cotangents u `[examples, outputs]`. Cost: about a gradient.
    pub fn jacobian_transpose_product(
        &self,
        theta: &[T],
        cotangents: &[T],
        examples: &Examples<T>,
        out: &mut [T],
    ) {
        assert_eq!(out.len(), self.dimension(), "the product's length");
        let mut point = Point { sums: vec![out], ..Point::scalars(vec![theta]) };
        let points = std::slice::from_mut(&mut point);
        self.evaluate(Quantity::JacobianTransposeProduct, points, examples, Some(cotangents));
    }
}
