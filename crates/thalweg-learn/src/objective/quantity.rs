//! The programs of an objective: what each quantity is made of, for a shard of examples.

use thalweg_kernel::{Key, Layout};
use thalweg_program::compile::{Binding, Signature};
use thalweg_program::evaluate::Role;
use thalweg_program::ir::Program;
use thalweg_program::params::{Leaf, ParamSpace};
use thalweg_program::transform::{jacobian_product, jacobian_transpose_product};

use super::kept::Order;
use super::writer::Writer;
use super::{Matrix, Mode};
use crate::arch::BatchNorm;

/// What an objective can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quantity {
    /// Loss and error.
    Value,
    /// Loss, error and gradient.
    Gradient,
    /// Loss, error, gradient and the batch norms' statistics.
    GradientAndStatistics,
    /// The batch norms' statistics.
    Statistics,
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

impl Quantity {
    /// What each result slot is.
    pub(super) fn roles(self, writer: &Writer<'_>) -> Vec<Role> {
        match self {
            Self::Value | Self::SectionValue(_) => vec![Role::Scalar, Role::Scalar],
            Self::Gradient => vec![Role::Scalar, Role::Scalar, Role::Sum],
            Self::GradientAndStatistics => vec![Role::Scalar, Role::Scalar, Role::Sum, Role::Replicated],
            Self::Statistics => vec![Role::Replicated],
            Self::Product(_) | Self::LinearProduct(..) | Self::JacobianTransposeProduct => vec![Role::Sum],
            Self::Residuals(matrix, _) => writer.residuals(matrix).1.roles(),
            Self::SectionLinear => writer.section().1.roles(),
            Self::SectionFixed => writer.section().2.roles(),
            Self::Outputs | Self::JacobianProduct => vec![Role::Rows(writer.architecture.outputs())],
        }
    }

    /// Whether the labels are among the arguments: not of what the outputs alone decide.
    pub(super) fn takes_labels(self) -> bool {
        match self {
            Self::Value | Self::Gradient | Self::GradientAndStatistics => true,
            Self::SectionLinear | Self::SectionFixed | Self::SectionValue(_) => true,
            Self::Product(_) | Self::Residuals(..) | Self::LinearProduct(..) => true,
            Self::Outputs | Self::Statistics | Self::JacobianProduct | Self::JacobianTransposeProduct => {
                false
            }
        }
    }

    /// Where the inputs are among the real slots: after θ, and after what else all examples share.
    fn inputs_slot(self) -> usize {
        match self {
            Self::Product(_) | Self::LinearProduct(..) | Self::SectionValue(_) | Self::JacobianProduct => 2,
            Self::Value | Self::Gradient | Self::GradientAndStatistics | Self::Statistics => 1,
            Self::Residuals(..) | Self::SectionLinear | Self::SectionFixed => 1,
            Self::Outputs | Self::JacobianTransposeProduct => 1,
        }
    }

    /// The program for a shard, and how it is called: θ, and the statistics that batch norms are given, in real slot 0, a
    /// tangent or coefficients in slot 1 if there are any, then the inputs, then the keys if it draws, then cotangents of the
    /// outputs or residuals if there are any; the labels in index slot 0, if it [takes](Self::takes_labels) them.
    pub(super) fn write(self, writer: &Writer<'_>) -> (Program, Signature) {
        let Writer { architecture, examples, .. } = *writer;
        let space = architecture.space();
        let leaves = writer.leaves();
        let mut theta = leaf_bindings(space, 0);
        let at = self.inputs_slot();
        let mut rest = at + 1;
        if writer.mode == Mode::Evaluation {
            theta.extend(statistics_bindings(architecture.norms(), 0, space.dimension()));
        }
        if writer.takes_keys() {
            theta.push(dense(rest, &[examples, Key::WORDS]));
            rest += 1;
        }
        let x = dense(at, &[examples, architecture.inputs()]);
        let y = dense(0, &writer.label_shape());
        let rows = dense(0, &[examples, architecture.outputs()]);
        let with =
            |parts: &[&[Binding]], outputs: Vec<Binding>| Signature { inputs: parts.concat(), outputs };
        match self {
            Self::Value => {
                let outputs = vec![dense(0, &[]), dense(1, &[])];
                (writer.value(), with(&[&theta, &[x, y]], outputs))
            }
            Self::Gradient => {
                let outputs = [vec![dense(0, &[]), dense(1, &[])], leaf_bindings(space, 2)].concat();
                (writer.gradient(&leaves), with(&[&theta, &[x, y]], outputs))
            }
            Self::GradientAndStatistics => {
                let program = writer.gradient_and_statistics(&leaves);
                let of_norms = statistics_bindings(architecture.norms(), 3, 0);
                let outputs =
                    [vec![dense(0, &[]), dense(1, &[])], leaf_bindings(space, 2), of_norms].concat();
                (program, with(&[&theta, &[x, y]], outputs))
            }
            Self::Statistics => {
                let outputs = statistics_bindings(architecture.norms(), 0, 0);
                (writer.statistics(), with(&[&theta, &[x]], outputs))
            }
            Self::Product(matrix) => {
                let program = writer.product(matrix, &leaves);
                (program, with(&[&theta, &[x, y], &leaf_bindings(space, 1)], leaf_bindings(space, 0)))
            }
            Self::Residuals(matrix, order) => {
                let (parts, kept) = writer.residuals(matrix);
                (kept.writer(&parts.primal), with(&[&theta, &[x, y]], kept.bindings(order, 0)))
            }
            Self::LinearProduct(matrix, order) => {
                let (parts, kept) = writer.residuals(matrix);
                let inputs = [&theta, &[x, y][..], &kept.bindings(order, rest), &leaf_bindings(space, 1)];
                (writer.linear_product(&parts, &kept), with(&inputs, leaf_bindings(space, 0)))
            }
            Self::SectionLinear | Self::SectionFixed => {
                let (parts, linear, fixed) = writer.section();
                let kept = if self == Self::SectionLinear { linear } else { fixed };
                (kept.writer(&parts.head), with(&[&theta, &[x, y]], kept.bindings(Order::Shards, 0)))
            }
            Self::SectionValue(vectors) => {
                let parts = writer.section();
                let (_, linear, fixed) = &parts;
                let mut kept = Vec::new();
                for _ in 0..vectors {
                    kept.extend(linear.bindings(Order::Shards, rest + kept.len()));
                }
                kept.extend(fixed.bindings(Order::Shards, rest + kept.len()));
                let c = dense(1, &[vectors]);
                let inputs = [&theta, &[x, y, c][..], &kept];
                (Writer::section_value(vectors, &parts), with(&inputs, vec![dense(0, &[]), dense(1, &[])]))
            }
            Self::Outputs => (writer.outputs(), with(&[&theta, &[x]], vec![rows])),
            Self::JacobianProduct => {
                let program = jacobian_product(&writer.outputs(), &leaves);
                (program, with(&[&theta, &[x], &leaf_bindings(space, 1)], vec![rows]))
            }
            Self::JacobianTransposeProduct => {
                let program = jacobian_transpose_product(&writer.outputs(), &leaves);
                let u = dense(rest, &[examples, architecture.outputs()]);
                (program, with(&[&theta, &[x, u]], leaf_bindings(space, 0)))
            }
        }
    }
}

/// Each leaf at its place in θ.
fn leaf_bindings(space: &ParamSpace, slot: usize) -> Vec<Binding> {
    let at = |leaf: &Leaf| Layout::contiguous(leaf.offset, &leaf.shape);
    space.leaves().iter().map(|leaf| Binding { slot, layout: at(leaf) }).collect()
}

/// Each norm's means and variances at their places in the statistics, which begin at `offset`.
fn statistics_bindings(norms: &[BatchNorm], slot: usize, offset: usize) -> Vec<Binding> {
    let mut end = offset;
    let mut next = |channels| {
        end += channels;
        Binding { slot, layout: Layout::contiguous(end - channels, &[channels]) }
    };
    norms.iter().flat_map(|norm| [next(norm.channels), next(norm.channels)]).collect()
}

fn dense(slot: usize, shape: &[usize]) -> Binding {
    Binding { slot, layout: Layout::contiguous(0, shape) }
}
