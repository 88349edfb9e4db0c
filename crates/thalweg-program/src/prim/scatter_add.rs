//! The adjoint of gather.

use thalweg_kernel::Call;

use super::gather::{batch_by_index, expect_shared};
use super::one_hot::{INDEX_LIMIT, expect_index};
use super::{Batched, Evaluation, Gather, Operand, Primitive, expect_operands, expect_real};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// From zeros, `out[n…, index[n…, i…], r…] += values[n…, i…, r…]` in the order of the index. An index out of range
/// adds nothing. Linear in the values; the adjoint is [`Gather`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScatterAdd {
    /// How many leading axes `n…` the values and the index share.
    pub batch: usize,
    /// Rows of the result: its extent after the shared axes.
    pub rows: usize,
}

impl Primitive for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 2)?;
        expect_real(self.name(), &inputs[..1])?;
        expect_index(self.name(), inputs[1])?;
        expect_shared(self.name(), inputs[0], inputs[1], self.batch)?;
        let (values, index) = (&inputs[0].shape, &inputs[1].shape);
        if values.get(..index.len()) != Some(&index[..]) || self.rows > INDEX_LIMIT {
            let message = format!(
                "expected values whose leading axes are the index's, and at most {INDEX_LIMIT} rows; found {}, {} and {} rows",
                inputs[0], inputs[1], self.rows
            );
            return Err(ShapeError::new(self.name(), message));
        }
        Ok(Type::real(&[&index[..self.batch], &[self.rows], &values[index.len()..]].concat()))
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|inputs, out| {
            vec![Call::ScatterAdd {
                rows: inputs[0].clone(),
                index: inputs[1].clone(),
                out,
                batch: self.batch,
            }]
        }))
    }

    fn jvp<'b>(
        &self,
        builder: &'b Builder,
        primals: &[Var<'b>],
        _result: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>> {
        tangents[0].map(|t| builder.apply(self.clone(), &[t, primals[1]]))
    }

    fn transpose<'b>(&self, ct: Var<'b>, operands: &[Operand<'b>], _types: &[&Type]) -> Vec<Option<Var<'b>>> {
        let Operand::Known(index) = operands[1] else { unreachable!("indices carry no tangent") };
        // A value whose index is out of range adds nothing, so nothing flows back to it: gather would give NaN.
        let builder = ct.builder();
        let gathered = builder.apply(Gather { batch: self.batch }, &[ct, index]);
        let within = builder.constant(1.0, &[self.rows]).gather(index).equal(1.0);
        let shape = gathered.shape();
        let leading: Vec<usize> = (0..within.shape().len()).collect();
        let zero = builder.zeros(&shape);
        vec![Some(within.broadcast(&shape, &leading).select(gathered, zero)), None]
    }

    fn batch<'b>(&self, builder: &'b Builder, size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        let with_batch = |more: bool| Self { batch: self.batch + usize::from(more), rows: self.rows }.into();
        batch_by_index(builder, size, inputs, false, with_batch)
    }
}
