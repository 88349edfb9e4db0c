//! The programs of an objective: what each quantity is made of, for a shard of examples.

use thalweg_kernel::Layout;
use thalweg_program::builder::{Builder, Var};
use thalweg_program::compile::{Binding, Signature};
use thalweg_program::evaluate::Role;
use thalweg_program::ir::{Program, Type};
use thalweg_program::params::{Leaf, ParamSpace};
use thalweg_program::transform::{
    Hoisted, Linearized, ggn, gradient, hoist, hvp, jacobian_product, jacobian_transpose_product,
    split_linear,
};

use super::Matrix;
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
    Residuals(Matrix),
    /// Such a product, given that.
    LinearProduct(Matrix),
    /// What the values on a line or a plane have in common.
    SectionHead,
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
    pub(super) fn roles(self, outputs: usize) -> Vec<Role> {
        match self {
            Self::Value | Self::SectionValue(_) => vec![Role::Scalar, Role::Scalar],
            Self::Gradient => vec![Role::Scalar, Role::Scalar, Role::Sum],
            Self::Product(_) | Self::LinearProduct(_) | Self::JacobianTransposeProduct => vec![Role::Sum],
            Self::Residuals(_) | Self::SectionHead => vec![Role::Kept],
            Self::Outputs | Self::JacobianProduct => vec![Role::Rows(outputs)],
        }
    }

    /// Whether the labels are among the arguments: not of what the outputs alone decide.
    pub(super) fn takes_labels(self) -> bool {
        match self {
            Self::Value | Self::Gradient | Self::SectionHead | Self::SectionValue(_) => true,
            Self::Product(_) | Self::Residuals(_) | Self::LinearProduct(_) => true,
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
            Self::Residuals(matrix) => {
                let program = writer.split(matrix, &leaves).primal;
                let residuals = packed(&program.output_types(), 0);
                (program, with(&[&theta, &[x(1), y]], residuals))
            }
            Self::LinearProduct(matrix) => {
                let parts = writer.split(matrix, &leaves);
                let residuals = packed(&parts.primal.output_types(), 3);
                let inputs = [&theta, &[x(2), y][..], &residuals, &leaf_bindings(space, 1)];
                (parts.linear, with(&inputs, leaf_bindings(space, 0)))
            }
            Self::SectionHead => {
                let program = hoist(&writer.value(), &leaves).head;
                let kept = packed(&program.output_types(), 0);
                (program, with(&[&theta, &[x(1), y]], kept))
            }
            Self::SectionValue(vectors) => {
                let (program, kept) = writer.section_value(vectors, &leaves);
                let c = dense(1, &[vectors]);
                (program, with(&[&theta, &[x(2), y, c], &kept], vec![dense(0, &[]), dense(1, &[])]))
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

/// Arrays that are kept together each start on a cache line of `f32`, as vector loads would have it.
pub(super) const ALIGNMENT: usize = 16;

/// Arrays one after another in one slot.
fn packed(types: &[&Type], slot: usize) -> Vec<Binding> {
    let mut offset = 0;
    let mut next = |ty: &&Type| {
        let layout = Layout::contiguous(offset, &ty.shape);
        offset += ty.len().next_multiple_of(ALIGNMENT);
        Binding { slot, layout }
    };
    types.iter().map(&mut next).collect()
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

    fn split(&self, matrix: Matrix, leaves: &[usize]) -> Linearized {
        split_linear(&self.product(matrix, leaves), leaves.len())
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

    /// Loss and error at Σ cᵢ·θᵢ: the arguments are the leaves there, inputs, labels, the cᵢ, and what the head of the
    /// program gave at each θᵢ, which lies one after another in a slot.
    fn section_value(&self, vectors: usize, leaves: &[usize]) -> (Program, Vec<Binding>) {
        let Hoisted { head, linear, tail } = hoist(&self.value(), leaves);
        let builder = Builder::new();
        let x: Vec<Var<'_>> = head.input_types().into_iter().map(|ty| builder.input(ty.clone())).collect();
        let c = builder.real(&[vectors]);
        let types = vec![head.output_types(); vectors].concat();
        let kept: Vec<Var<'_>> = types.iter().map(|&ty| builder.input(ty.clone())).collect();
        let each = head.outputs.len();
        let combined = (0..each).map(|i| {
            let term = |j: usize| kept[j * each + i] * c.slice(0, j, 1).reshape(&[]);
            // What does not depend on θ is the same for all of them.
            if i < linear { (1..vectors).fold(term(0), |sum, j| sum + term(j)) } else { kept[i] }
        });
        let combined: Vec<Var<'_>> = combined.collect();
        let results = builder.call(&tail, &[x, combined].concat());
        (Self::finished(&builder, &results), packed(&types, 3))
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
