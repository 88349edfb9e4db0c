//! Writes the programs of quantities, for a shard of examples.

use thalweg_kernel::Key;
use thalweg_program::builder::{Builder, Var};
use thalweg_program::ir::Program;
use thalweg_program::transform::{Hoisted, Linearized, ggn, gradient, hoist, hvp, split_linear};

use super::kept::Kept;
use super::{Matrix, Mode};
use crate::arch::{Architecture, BatchNorm, Pass, Statistics};
use crate::loss::{Loss, write_error};

/// Writes programs of quantities. Their arguments are the leaves, then the statistics that batch norms are given or the keys
/// that dropout draws from, then the inputs, then the labels, then what a transform adds.
pub(super) struct Writer<'a> {
    pub(super) architecture: &'a dyn Architecture,
    pub(super) loss: Loss,
    pub(super) mode: Mode,
    /// Examples in the shard.
    pub(super) examples: usize,
    /// Examples that the mean is over.
    pub(super) total: usize,
}

impl Writer<'_> {
    /// The product of a curvature matrix with tangents of the leaves, which are the last arguments.
    pub(super) fn product(&self, matrix: Matrix, leaves: &[usize]) -> Program {
        match matrix {
            Matrix::Hessian => {
                let mut program = hvp(&self.mean_loss(), leaves);
                program.outputs.drain(..leaves.len());
                program
            }
            Matrix::Ggn => {
                let of_both = ggn(&self.outputs(), &self.mean_loss_of_outputs(), leaves);
                // A loss may be about the inputs too: the network and the loss take the same ones.
                let builder = Builder::new();
                let (point, x) = (self.point(&builder), self.input(&builder));
                let labels = builder.index(&self.label_shape());
                let arguments = [&point[..], &[x, labels, x], &self.params(&builder)].concat();
                Self::finished(&builder, &builder.call(&of_both, &arguments))
            }
        }
    }

    /// The leaves' numbers among the arguments.
    pub(super) fn leaves(&self) -> Vec<usize> {
        (0..self.architecture.space().leaves().len()).collect()
    }

    /// The same for a shard of one example more.
    fn longer(&self) -> Self {
        Writer { examples: self.examples + 1, ..*self }
    }

    /// A product split into what depends on θ alone and the rest, and what is kept of the first.
    pub(super) fn residuals(&self, matrix: Matrix) -> (Linearized, Kept) {
        let split = |writer: &Self| {
            let leaves = writer.leaves();
            split_linear(&writer.product(matrix, &leaves), leaves.len())
        };
        let parts = split(self);
        let kept = Kept::of(&parts.primal, &split(&self.longer()).primal, self.examples);
        (parts, kept)
    }

    /// The product of a curvature matrix with tangents, given what is kept: the arguments are the leaves, the inputs,
    /// the labels, what is kept, the tangents.
    pub(super) fn linear_product(&self, parts: &Linearized, kept: &Kept) -> Program {
        let builder = Builder::new();
        let x: Vec<Var<'_>> =
            parts.primal.input_types().into_iter().map(|ty| builder.input(ty.clone())).collect();
        let residuals = kept.results(&builder, &parts.primal, &x);
        let tangents = self.params(&builder);
        let results = builder.call(&parts.linear, &[x, residuals, tangents].concat());
        Self::finished(&builder, &results)
    }

    /// Loss and error split into what is linear in θ or does not depend on it and the rest; and what is kept of either.
    pub(super) fn section(&self) -> (Hoisted, Kept, Kept) {
        let split = |writer: &Self| hoist(&writer.value(), &writer.leaves());
        let (parts, longer) = (split(self), split(&self.longer()));
        let of =
            |range: std::ops::Range<usize>| Kept::of(&parts.head, &longer.head, self.examples).within(range);
        let (linear, fixed) = (of(0..parts.linear), of(parts.linear..parts.head.outputs.len()));
        (parts, linear, fixed)
    }

    /// New arguments for the leaves.
    fn params<'b>(&self, builder: &'b Builder) -> Vec<Var<'b>> {
        self.architecture.space().leaves().iter().map(|leaf| builder.real(&leaf.shape)).collect()
    }

    /// Whether examples bring keys.
    pub(super) fn takes_keys(&self) -> bool {
        self.mode.takes_keys(self.architecture)
    }

    /// New arguments for a point: the leaves, then the statistics that batch norms are given, or the keys of the examples.
    fn point<'b>(&self, builder: &'b Builder) -> Vec<Var<'b>> {
        let mut point = self.params(builder);
        if self.mode == Mode::Evaluation {
            let arrays = |norm: &BatchNorm| [builder.real(&[norm.channels]), builder.real(&[norm.channels])];
            point.extend(self.architecture.norms().iter().flat_map(arrays));
        }
        if self.takes_keys() {
            point.push(builder.real(&[self.examples, Key::WORDS]));
        }
        point
    }

    /// The network at a point: its outputs, and what its norms saw.
    fn network<'b>(&self, point: &[Var<'b>], x: Var<'b>) -> (Var<'b>, Statistics<'b>) {
        let (params, given) = point.split_at(self.architecture.space().leaves().len());
        let mut pass = match self.mode {
            Mode::Training => Pass::new(Statistics::of_examples(), given.first().copied()),
            Mode::ReEstimated => Pass::new(Statistics::of_examples(), None),
            Mode::Evaluation => {
                let pairs: Vec<[Var<'b>; 2]> = given.as_chunks().0.to_vec();
                Pass::new(Statistics::Given(pairs.into_iter()), None)
            }
        };
        let z = self.architecture.write(params, &mut pass, x);
        (z, pass.into_statistics())
    }

    /// The statistics of the batch norms, norm by norm.
    pub(super) fn statistics(&self) -> Program {
        let builder = Builder::new();
        let point = self.point(&builder);
        let x = self.input(&builder);
        let (_, statistics) = self.network(&point, x);
        let Statistics::OfExamples(moments) = statistics else {
            unreachable!("an objective asks for statistics where they are those of the examples")
        };
        let results: Vec<Var<'_>> = moments.iter().flat_map(|m| [m.mean, m.variance]).collect();
        Self::finished(&builder, &results)
    }

    fn input<'b>(&self, builder: &'b Builder) -> Var<'b> {
        builder.real(&[self.examples, self.architecture.inputs()])
    }

    fn finished(builder: &Builder, results: &[Var<'_>]) -> Program {
        builder
            .finish(results)
            .unwrap_or_else(|error| panic!("an architecture wrote a faulty program: {error}"))
    }

    /// The shape of the labels: `[examples]`, or `[examples, positions]`.
    pub(super) fn label_shape(&self) -> Vec<usize> {
        match self.architecture.positions() {
            1 => vec![self.examples],
            positions => vec![self.examples, positions],
        }
    }

    /// Outputs with classes along an axis of their own.
    fn at_positions<'b>(&self, z: Var<'b>) -> Var<'b> {
        let classes = self.architecture.outputs() / self.architecture.positions();
        z.reshape(&[&self.label_shape()[..], &[classes]].concat())
    }

    /// The shard's part of a mean over all examples, and over their positions.
    fn mean<'b>(&self, each: Var<'b>) -> Var<'b> {
        let axes: Vec<usize> = (0..each.shape().len()).collect();
        each.sum(&axes) * (1.0 / (self.total * self.architecture.positions()) as f64)
    }

    pub(super) fn outputs(&self) -> Program {
        let builder = Builder::new();
        let point = self.point(&builder);
        let x = self.input(&builder);
        let (z, _) = self.network(&point, x);
        Self::finished(&builder, &[z])
    }

    fn mean_loss_of_outputs(&self) -> Program {
        let builder = Builder::new();
        let z = builder.real(&[self.examples, self.architecture.outputs()]);
        let labels = builder.index(&self.label_shape());
        let x = self.input(&builder);
        let loss = self.mean(self.loss.write(self.at_positions(z), labels, x));
        Self::finished(&builder, &[loss])
    }

    /// Loss and error at Σ cᵢ·θᵢ: the arguments are the leaves there, the inputs, the labels, the cᵢ, what is kept at each
    /// θᵢ, and what is kept of all.
    pub(super) fn section_value(vectors: usize, (parts, linear, fixed): &(Hoisted, Kept, Kept)) -> Program {
        let Hoisted { head, tail, .. } = parts;
        let builder = Builder::new();
        let x: Vec<Var<'_>> = head.input_types().into_iter().map(|ty| builder.input(ty.clone())).collect();
        let c = builder.real(&[vectors]);
        // What is not kept has the value that it has at the point itself, as what is linear in θ does too.
        let mut border = builder.call(head, &x);
        for j in 0..vectors {
            let c = c.slice(0, j, 1).reshape(&[]);
            for (result, at) in linear.arguments(&builder) {
                border[result] = if j == 0 { at * c } else { border[result] + at * c };
            }
        }
        for (result, value) in fixed.arguments(&builder) {
            border[result] = value;
        }
        let results = builder.call(tail, &[x, border].concat());
        Self::finished(&builder, &results)
    }

    fn mean_loss(&self) -> Program {
        let mut program = self.value();
        program.outputs.truncate(1);
        program
    }

    pub(super) fn value(&self) -> Program {
        let builder = Builder::new();
        let point = self.point(&builder);
        let x = self.input(&builder);
        let labels = builder.index(&self.label_shape());
        let (z, _) = self.network(&point, x);
        let z = self.at_positions(z);
        // Without classes nothing reads the second number.
        let error = match self.loss.has_classes() {
            true => write_error(z, labels),
            false => builder.zeros(&[self.examples]),
        };
        let results = [self.mean(self.loss.write(z, labels, x)), self.mean(error)];
        Self::finished(&builder, &results)
    }

    /// Loss, error and gradient: the error's program shares the forward pass.
    pub(super) fn gradient(&self, leaves: &[usize]) -> Program {
        let builder = Builder::new();
        let point = self.point(&builder);
        let x = self.input(&builder);
        let results = self.gradient_at(&builder, &point, x, leaves);
        Self::finished(&builder, &results)
    }

    /// The same, and the statistics of the batch norms.
    pub(super) fn gradient_and_statistics(&self, leaves: &[usize]) -> Program {
        let builder = Builder::new();
        let point = self.point(&builder);
        let x = self.input(&builder);
        let mut results = self.gradient_at(&builder, &point, x, leaves);
        results.extend(builder.call(&self.statistics(), &[&point[..], &[x]].concat()));
        Self::finished(&builder, &results)
    }

    fn gradient_at<'b>(
        &self,
        builder: &'b Builder,
        point: &[Var<'b>],
        x: Var<'b>,
        leaves: &[usize],
    ) -> Vec<Var<'b>> {
        let labels = builder.index(&self.label_shape());
        let arguments = [point, &[x, labels]].concat();
        let with_gradient = builder.call(&gradient(&self.mean_loss(), leaves), &arguments);
        let value = builder.call(&self.value(), &arguments);
        [&with_gradient[..1], &value[1..], &with_gradient[1..]].concat()
    }
}
