//! The programs of an objective: what each quantity is made of, for a shard of examples.

use thalweg_kernel::Layout;
use thalweg_program::builder::{Builder, Var};
use thalweg_program::compile::{Binding, Signature};
use thalweg_program::evaluate::Role;
use thalweg_program::ir::Program;
use thalweg_program::params::{Leaf, ParamSpace};
use thalweg_program::transform::{
    Hoisted, Linearized, ggn, gradient, hoist, hvp, jacobian_product, jacobian_transpose_product,
    split_linear,
};

use super::Matrix;
use super::kept::{Kept, Order};
use crate::arch::Architecture;
use crate::loss::{Loss, write_error};

/// What an objective can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quantity {
    /// Loss and error.
    Value,
    /// Loss, error and gradient.
    Gradient,
    /// A product of a curvature matrix with a tangent.
    Product(Matrix),
    /// What such products have in common at one point.
    Residuals(Matrix, Order),
    /// Such a product, given that.
    LinearProduct(Matrix, Order),
    /// What is linear in θ of the values on a line or a plane.
    SectionLinear,
    /// What does not depend on θ of them.
    SectionFixed,
    /// Loss and error at a combination of so many vectors, given that for each of them.
    SectionValue(usize),
    /// Outputs.
    Outputs,
    /// A product of the outputs' Jacobian with a tangent.
    JacobianProduct,
    /// A product of its transpose with cotangents.
    JacobianTransposeProduct,
}

/// The program's arguments are the leaves, then the inputs, then the labels, then what a transform adds.
struct Writer<'a> {
    architecture: &'a dyn Architecture,
    loss: Loss,
    /// Examples in the shard.
    examples: usize,
    /// Examples that the mean is over.
    total: usize,
}

impl Quantity {
    /// What each result slot is.
    pub(super) fn roles(self, architecture: &dyn Architecture, loss: Loss, total: usize) -> Vec<Role> {
        // How much an example needs does not depend on how many there are.
        let writer = Writer { architecture, loss, examples: 1, total };
        match self {
            Self::Value | Self::SectionValue(_) => vec![Role::Scalar, Role::Scalar],
            Self::Gradient => vec![Role::Scalar, Role::Scalar, Role::Sum],
            Self::Product(_) | Self::LinearProduct(..) | Self::JacobianTransposeProduct => vec![Role::Sum],
            Self::Residuals(matrix, _) => writer.residuals(matrix).1.roles(),
            Self::SectionLinear => writer.section().1.roles(),
            Self::SectionFixed => writer.section().2.roles(),
            Self::Outputs | Self::JacobianProduct => vec![Role::Rows(architecture.outputs())],
        }
    }

    /// Whether the labels are among the arguments: not of what the outputs alone decide.
    pub(super) fn takes_labels(self) -> bool {
        match self {
            Self::Value | Self::Gradient => true,
            Self::SectionLinear | Self::SectionFixed | Self::SectionValue(_) => true,
            Self::Product(_) | Self::Residuals(..) | Self::LinearProduct(..) => true,
            Self::Outputs | Self::JacobianProduct | Self::JacobianTransposeProduct => false,
        }
    }

    /// The program for a shard of `examples` of the `total`, and how it is called: θ in real slot 0, a tangent
    /// in slot 1 if there is one, then the inputs, then cotangents of the outputs or residuals if there are any; the
    /// labels in index slot 0, if it [takes](Self::takes_labels) them.
    pub(super) fn write(
        self,
        architecture: &dyn Architecture,
        loss: Loss,
        examples: usize,
        total: usize,
    ) -> (Program, Signature) {
        let writer = Writer { architecture, loss, examples, total };
        let space = architecture.space();
        let leaves: Vec<usize> = (0..space.leaves().len()).collect();
        let theta = leaf_bindings(space, 0);
        let x = |slot| dense(slot, &[examples, architecture.inputs()]);
        let y = dense(0, &[examples]);
        let rows = dense(0, &[examples, architecture.outputs()]);
        let with =
            |parts: &[&[Binding]], outputs: Vec<Binding>| Signature { inputs: parts.concat(), outputs };
        match self {
            Self::Value => {
                let outputs = vec![dense(0, &[]), dense(1, &[])];
                (writer.value(), with(&[&theta, &[x(1), y]], outputs))
            }
            Self::Gradient => {
                let outputs = [vec![dense(0, &[]), dense(1, &[])], leaf_bindings(space, 2)].concat();
                (writer.gradient(&leaves), with(&[&theta, &[x(1), y]], outputs))
            }
            Self::Product(matrix) => {
                let program = writer.product(matrix, &leaves);
                (program, with(&[&theta, &[x(2), y], &leaf_bindings(space, 1)], leaf_bindings(space, 0)))
            }
            Self::Residuals(matrix, order) => {
                let (parts, kept) = writer.residuals(matrix);
                (kept.writer(&parts.primal), with(&[&theta, &[x(1), y]], kept.bindings(order, 0)))
            }
            Self::LinearProduct(matrix, order) => {
                let (parts, kept) = writer.residuals(matrix);
                let inputs = [&theta, &[x(2), y][..], &kept.bindings(order, 3), &leaf_bindings(space, 1)];
                (writer.linear_product(&parts, &kept), with(&inputs, leaf_bindings(space, 0)))
            }
            Self::SectionLinear | Self::SectionFixed => {
                let (parts, linear, fixed) = writer.section();
                let kept = if self == Self::SectionLinear { linear } else { fixed };
                (kept.writer(&parts.head), with(&[&theta, &[x(1), y]], kept.bindings(Order::Shards, 0)))
            }
            Self::SectionValue(vectors) => {
                let parts = writer.section();
                let (_, linear, fixed) = &parts;
                let mut kept = Vec::new();
                for _ in 0..vectors {
                    kept.extend(linear.bindings(Order::Shards, 3 + kept.len()));
                }
                kept.extend(fixed.bindings(Order::Shards, 3 + kept.len()));
                let c = dense(1, &[vectors]);
                let inputs = [&theta, &[x(2), y, c][..], &kept];
                (Writer::section_value(vectors, &parts), with(&inputs, vec![dense(0, &[]), dense(1, &[])]))
            }
            Self::Outputs => (writer.outputs(), with(&[&theta, &[x(1)]], vec![rows])),
            Self::JacobianProduct => {
                let program = jacobian_product(&writer.outputs(), &leaves);
                (program, with(&[&theta, &[x(2)], &leaf_bindings(space, 1)], vec![rows]))
            }
            Self::JacobianTransposeProduct => {
                let program = jacobian_transpose_product(&writer.outputs(), &leaves);
                let u = dense(2, &[examples, architecture.outputs()]);
                (program, with(&[&theta, &[x(1), u]], leaf_bindings(space, 0)))
            }
        }
    }
}

/// Each leaf at its place in θ.
fn leaf_bindings(space: &ParamSpace, slot: usize) -> Vec<Binding> {
    let at = |leaf: &Leaf| Layout::contiguous(leaf.offset, &leaf.shape);
    space.leaves().iter().map(|leaf| Binding { slot, layout: at(leaf) }).collect()
}

fn dense(slot: usize, shape: &[usize]) -> Binding {
    Binding { slot, layout: Layout::contiguous(0, shape) }
}

impl Writer<'_> {
    /// The product of a curvature matrix with tangents of the leaves, which are the last arguments.
    fn product(&self, matrix: Matrix, leaves: &[usize]) -> Program {
        match matrix {
            Matrix::Hessian => {
                let mut program = hvp(&self.mean_loss(), leaves);
                program.outputs.drain(..leaves.len());
                program
            }
            Matrix::Ggn => ggn(&self.outputs(), &self.mean_loss_of_outputs(), leaves),
        }
    }

    /// The leaves' numbers among the arguments.
    fn leaves(&self) -> Vec<usize> {
        (0..self.architecture.space().leaves().len()).collect()
    }

    /// The same for a shard of one example more.
    fn longer(&self) -> Self {
        Writer { examples: self.examples + 1, ..*self }
    }

    /// A product split into what depends on θ alone and the rest, and what is kept of the first.
    fn residuals(&self, matrix: Matrix) -> (Linearized, Kept) {
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
    fn linear_product(&self, parts: &Linearized, kept: &Kept) -> Program {
        let builder = Builder::new();
        let x: Vec<Var<'_>> =
            parts.primal.input_types().into_iter().map(|ty| builder.input(ty.clone())).collect();
        let residuals = kept.results(&builder, &parts.primal, &x);
        let tangents = self.params(&builder);
        let results = builder.call(&parts.linear, &[x, residuals, tangents].concat());
        Self::finished(&builder, &results)
    }

    /// Loss and error split into what is linear in θ or does not depend on it and the rest; and what is kept of either.
    fn section(&self) -> (Hoisted, Kept, Kept) {
        let split = |writer: &Self| hoist(&writer.value(), &writer.leaves());
        let (parts, longer) = (split(self), split(&self.longer()));
        let of =
            |range: std::ops::Range<usize>| Kept::of(&parts.head, &longer.head, self.examples).within(range);
        let (linear, fixed) = (of(0..parts.linear), of(parts.linear..parts.head.outputs.len()));
        (parts, linear, fixed)
    }

    fn params<'b>(&self, builder: &'b Builder) -> Vec<Var<'b>> {
        self.architecture.space().leaves().iter().map(|leaf| builder.real(&leaf.shape)).collect()
    }

    fn input<'b>(&self, builder: &'b Builder) -> Var<'b> {
        builder.real(&[self.examples, self.architecture.inputs()])
    }

    fn finished(builder: &Builder, results: &[Var<'_>]) -> Program {
        builder
            .finish(results)
            .unwrap_or_else(|error| panic!("an architecture wrote a faulty program: {error}"))
    }

    /// The shard's part of a mean over all examples.
    fn mean<'b>(&self, each: Var<'b>) -> Var<'b> {
        each.sum(&[0]) * (1.0 / self.total as f64)
    }

    fn outputs(&self) -> Program {
        let builder = Builder::new();
        let params = self.params(&builder);
        let x = self.input(&builder);
        let z = self.architecture.write(&params, x);
        Self::finished(&builder, &[z])
    }

    fn mean_loss_of_outputs(&self) -> Program {
        let builder = Builder::new();
        let z = builder.real(&[self.examples, self.architecture.outputs()]);
        let labels = builder.index(&[self.examples]);
        let loss = self.mean(self.loss.write(z, labels));
        Self::finished(&builder, &[loss])
    }

    /// Loss and error at Σ cᵢ·θᵢ: the arguments are the leaves there, the inputs, the labels, the cᵢ, what is kept at each
    /// θᵢ, and what is kept of all.
    fn section_value(vectors: usize, (parts, linear, fixed): &(Hoisted, Kept, Kept)) -> Program {
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

    fn value(&self) -> Program {
        let builder = Builder::new();
        let params = self.params(&builder);
        let x = self.input(&builder);
        let labels = builder.index(&[self.examples]);
        let z = self.architecture.write(&params, x);
        let results = [self.mean(self.loss.write(z, labels)), self.mean(write_error(z, labels))];
        Self::finished(&builder, &results)
    }

    /// Loss, error and gradient: the error's program shares the forward pass.
    fn gradient(&self, leaves: &[usize]) -> Program {
        let builder = Builder::new();
        let params = self.params(&builder);
        let x = self.input(&builder);
        let labels = builder.index(&[self.examples]);
        let arguments = [&params[..], &[x, labels]].concat();
        let with_gradient = builder.call(&gradient(&self.mean_loss(), leaves), &arguments);
        let value = builder.call(&self.value(), &arguments);
        let results = [&with_gradient[..1], &value[1..], &with_gradient[1..]].concat();
        Self::finished(&builder, &results)
    }
}
