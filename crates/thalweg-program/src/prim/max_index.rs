//! Where each window has its largest element.

use thalweg_kernel::Call;

use super::one_hot::INDEX_LIMIT;
use super::{Batched, Evaluation, Primitive, Window, expect_operands, expect_real};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// From `[n…, p…, c]` to `[n…, y…, c]`: for each window and channel the number of the largest element in it, in
/// row-major order over `[p…, c]`, from 0. Among equals it is the first; NaN counts as larger than any number, and among
/// several the last one stands, as in PyTorch's max pooling. Padding does not take part. Piecewise constant: its
/// derivative is zero.
///
/// Numbers rather than positions, because they name the elements of an example in the order in which they lie in memory:
/// the elements that they name ([`Gather`](super::Gather)) come out channels last, too. They are real, for
/// [`AsIndex`](super::AsIndex) to turn into indices: what linear programs keep is real.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MaxIndex {
    /// How the window slides along each of the axes `p…`, the last axes but one. The padding behind is what the output
    /// positions make of it.
    pub windows: Vec<Window>,
}

impl MaxIndex {
    fn problem(&self, input: &Type) -> Option<String> {
        let positions = self.windows.iter().map(|window| window.input);
        let axes = self.windows.len();
        let Some(first) = input.shape.len().checked_sub(axes + 1) else {
            return Some(format!("expected {axes} axes of positions and one of channels, found {input}"));
        };
        if !positions.clone().eq(input.shape[first..first + axes].iter().copied()) {
            let positions: Vec<usize> = positions.collect();
            return Some(format!("expected positions {positions:?} before the channels, found {input}"));
        }
        let numbers =
            input.shape[first..].iter().try_fold(1usize, |count, &extent| count.checked_mul(extent));
        if numbers.is_none_or(|count| count > INDEX_LIMIT) {
            return Some(format!("expected at most {INDEX_LIMIT} elements an example, found {input}"));
        }
        self.windows.iter().find_map(|window| match window {
            Window { stride: 0, .. } | Window { dilation: 0, .. } => {
                Some(format!("a window needs a stride and a dilation of at least 1: {window:?}"))
            }
            _ => (!window.sees_everywhere()).then(|| {
                format!(
                    "expected some input position in each window, found one wholly in the padding: {window:?}"
                )
            }),
        })
    }
}

impl Primitive for MaxIndex {
    fn name(&self) -> &'static str {
        "max_index"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 1)?;
        expect_real(self.name(), inputs)?;
        if let Some(problem) = self.problem(inputs[0]) {
            return Err(ShapeError::new(self.name(), problem));
        }
        let mut shape = inputs[0].shape.clone();
        let first = shape.len() - 1 - self.windows.len();
        for (extent, window) in shape[first..].iter_mut().zip(&self.windows) {
            *extent = window.output;
        }
        Ok(Type::real(&shape))
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|inputs, out| {
            vec![Call::MaxIndex { from: inputs[0].clone(), out, windows: self.windows.clone() }]
        }))
    }

    without_derivative!();

    /// One more leading axis.
    fn batch<'b>(&self, builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        builder.apply(self.clone(), &[inputs[0].value])
    }
}
