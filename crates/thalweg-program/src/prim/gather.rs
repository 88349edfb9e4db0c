//! Rows of a table by index.

use thalweg_kernel::Call;

use super::one_hot::{INDEX_LIMIT, expect_index};
use super::{Batched, Evaluation, Operand, Primitive, ScatterAdd, expect_operands, expect_real};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// `out[n…, i…, r…] = table[n…, index[n…, i…], r…]`: for each member of the leading `batch` axes `n…`, rows by
/// index. An index out of range gives NaN. Linear in the table; the adjoint is [`ScatterAdd`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gather {
    /// How many leading axes the table `[n…, v, r…]` and the index `[n…, i…]` share.
    pub batch: usize,
}

/// Where table-like and index-like operands share their leading axes.
pub(super) fn expect_shared(name: &'static str, a: &Type, b: &Type, batch: usize) -> Result<(), ShapeError> {
    let shared = a.shape.get(..batch).is_some() && a.shape.get(..batch) == b.shape.get(..batch);
    if shared {
        return Ok(());
    }
    Err(ShapeError::new(name, format!("expected {batch} equal leading axes, found {a} and {b}")))
}

/// The batch rule of gather and scatter alike: an index that alone is batched needs no repeated operand where
/// there is no batch axis yet (`natural`); in all other cases both operands get one.
pub(super) fn batch_by_index<'b>(
    builder: &'b Builder,
    size: usize,
    inputs: &[Batched<'b>],
    natural: bool,
    with_batch: impl Fn(bool) -> crate::ir::Op,
) -> Var<'b> {
    if natural && !inputs[0].batched {
        return builder.apply(with_batch(false), &[inputs[0].value, inputs[1].value]);
    }
    builder.apply(with_batch(true), &[inputs[0].spread(size), inputs[1].spread(size)])
}

impl Primitive for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 2)?;
        expect_real(self.name(), &inputs[..1])?;
        expect_index(self.name(), inputs[1])?;
        expect_shared(self.name(), inputs[0], inputs[1], self.batch)?;
        let table = &inputs[0].shape;
        match table.get(self.batch) {
            Some(&rows) if rows <= INDEX_LIMIT => {
                Ok(Type::real(&[&inputs[1].shape, &table[self.batch + 1..]].concat()))
            }
            _ => {
                let message =
                    format!("expected a table with at most {INDEX_LIMIT} rows, found {}", inputs[0]);
                Err(ShapeError::new(self.name(), message))
            }
        }
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|inputs, out| {
            vec![Call::Gather { table: inputs[0].clone(), index: inputs[1].clone(), out, batch: self.batch }]
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

    fn transpose<'b>(&self, ct: Var<'b>, operands: &[Operand<'b>], types: &[&Type]) -> Vec<Option<Var<'b>>> {
        let Operand::Known(index) = operands[1] else { unreachable!("indices carry no tangent") };
        let adjoint = ScatterAdd { batch: self.batch, rows: types[0].shape[self.batch] };
        vec![Some(ct.builder().apply(adjoint, &[ct, index])), None]
    }

    fn batch<'b>(&self, builder: &'b Builder, size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        let with_batch = |more: bool| Self { batch: self.batch + usize::from(more) }.into();
        batch_by_index(builder, size, inputs, self.batch == 0, with_batch)
    }
}
