//! A sum or maximum over axes.

use thalweg_kernel::ReductionKind;

use super::{Batched, Evaluation, Operand, Primitive, expect_axis, expect_operands, expect_real, shift};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// A sum or maximum over axes, which vanish from the shape. Over nothing the sum is 0 and the maximum −∞.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reduce {
    /// Sum or maximum.
    pub kind: ReductionKind,
    /// The reduced axes, increasing.
    pub axes: Vec<usize>,
}

impl Reduce {
    fn kept(&self, rank: usize) -> Vec<usize> {
        (0..rank).filter(|axis| !self.axes.contains(axis)).collect()
    }
}

impl Primitive for Reduce {
    fn name(&self) -> &'static str {
        match self.kind {
            ReductionKind::Sum => "sum",
            ReductionKind::Max => "max",
        }
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        expect_real(self.name(), inputs)?;
        for &axis in &self.axes {
            expect_axis(self.name(), inputs[0], axis)?;
        }
        if !self.axes.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(ShapeError::new(self.name(), format!("axes {:?} do not increase", self.axes)));
        }
        let shape: Vec<usize> =
            self.kept(inputs[0].shape.len()).iter().map(|&axis| inputs[0].shape[axis]).collect();
        Ok(Type::real(&shape))
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Reduction(self.kind, &self.axes)
    }

    fn jvp<'b>(
        &self,
        _builder: &'b Builder,
        primals: &[Var<'b>],
        result: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        let (x, t) = (primals[0], tangents[0]?);
        Some(match self.kind {
            ReductionKind::Sum => t.sum(&self.axes),
            // The maximum of nothing is −∞ wherever one stands.
            ReductionKind::Max if self.axes.iter().any(|&axis| x.shape()[axis] == 0) => return None,
            // Ties are shared equally, as PyTorch's `amax` and JAX have it.
            ReductionKind::Max => {
                let shape = x.shape();
                let largest = x.equal(result.broadcast(&shape, &self.kept(shape.len())));
                (t * largest).sum(&self.axes) / largest.sum(&self.axes)
            }
        })
    }

    fn transpose<'b>(&self, ct: Var<'b>, _operands: &[Operand<'b>], types: &[&Type]) -> Vec<Option<Var<'b>>> {
        match self.kind {
            ReductionKind::Sum => {
                let shape = &types[0].shape;
                vec![Some(ct.broadcast(shape, &self.kept(shape.len())))]
            }
            ReductionKind::Max => super::never_linear(self.name()),
        }
    }

    fn batch<'b>(&self, builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        builder.apply(Self { kind: self.kind, axes: shift(&self.axes) }, &[inputs[0].value])
    }
}
