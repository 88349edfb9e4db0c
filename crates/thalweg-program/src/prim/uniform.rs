//! Uniform numbers from keys that are arguments.

use thalweg_kernel::{Call, Key};

use super::{Batched, Evaluation, Primitive, expect_operands, expect_real};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// From keys `[k…, 11]`, each by its [words](Key::words), to uniform numbers `[k…, m…]` in [0, 1): multiples of 2⁻²⁴, in
/// row-major order over `m…`. The derivative is zero.
///
/// The numbers of a key depend on that key and the stream alone: not on the other keys beside it, nor on the precision.
/// With a key for each example they do not depend on how examples are cut into shards; and as keys are arguments, one
/// compiled program serves every step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Uniform {
    /// Which child of each key is drawn from ([`Key::fold_in`]): what needs numbers of its own has a stream of its own.
    pub stream: u64,
    /// Numbers for each key: the shape `m…`.
    pub shape: Vec<usize>,
}

impl Primitive for Uniform {
    fn name(&self) -> &'static str {
        "uniform"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        expect_real(self.name(), inputs)?;
        match inputs[0].shape.split_last() {
            Some((&Key::WORDS, keys)) => Ok(Type::real(&[keys, &self.shape].concat())),
            _ => {
                let message = format!("expected keys of {} words, found {}", Key::WORDS, inputs[0]);
                Err(ShapeError::new(self.name(), message))
            }
        }
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|inputs, out| {
            vec![Call::Uniform { keys: inputs[0].clone(), out, stream: self.stream }]
        }))
    }

    without_derivative!();

    /// One more leading axis.
    fn batch<'b>(&self, builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        builder.apply(self.clone(), &[inputs[0].value])
    }
}
