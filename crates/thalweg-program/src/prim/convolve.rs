//! A sum of products over shared axes and over windows: convolutions of any number of axes.

use thalweg_kernel::{Call, Labels, Window};

use super::contract::{Missing, adjoint, extents, over_batch, renamed};
use super::{Batched, Evaluation, Operand, Primitive, expect_operands, expect_real, product_rule};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// How a window slides along an axis: PyTorch's `stride`, `dilation` and `padding`, the latter in front and behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slide {
    /// Input positions from one output position to the next; at least 1.
    pub stride: usize,
    /// Input positions from one tap to the next; at least 1.
    pub dilation: usize,
    /// Zeros before the first input position and after the last.
    pub padding: [usize; 2],
}

impl Default for Slide {
    fn default() -> Self {
        Self { stride: 1, dilation: 1, padding: [0, 0] }
    }
}

/// A window with the labels of its three axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sliding {
    input: u8,
    tap: u8,
    output: u8,
    window: Window,
}

/// out = Σ a·b over the labels that the result lacks and over all input positions, taps and output positions that
/// belong together.
///
/// It stands for the trilinear form T(a, b, c) = Σ a·b·c over all labels, where each window ties three labels to one
/// another, one in each of the three arrays. Which array holds the inputs, which the taps and which the outputs is not
/// fixed: the forward pass, its adjoint in the input and that in the weights are one primitive, and so is every
/// derivative of any order. Groups are a label that all three arrays share, and so is a batch of weights.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Convolve {
    labels: Labels,
    windows: Vec<Sliding>,
}

impl Convolve {
    /// From one label an axis, and for each window its labels (input, tap, output). Labels are renamed in order of
    /// appearance, so that equal convolutions compare equal.
    pub fn new(a: &[u8], b: &[u8], out: &[u8], windows: &[([u8; 3], Window)]) -> Self {
        let (labels, name) = renamed(a, b, out);
        let mut windows: Vec<Sliding> = windows
            .iter()
            .map(|&([input, tap, output], window)| {
                let [input, tap, output] = [input, tap, output].map(&name);
                Sliding { input, tap, output, window }
            })
            .collect();
        windows.sort_by_key(|sliding| sliding.input);
        Self { labels, windows }
    }

    /// One label an axis.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The windows with their labels (input, tap, output).
    pub fn windows(&self) -> Vec<([u8; 3], Window)> {
        self.windows.iter().map(|s| ([s.input, s.tap, s.output], s.window)).collect()
    }

    /// Extent of each label.
    fn extents(&self, inputs: &[&Type]) -> Result<Vec<usize>, String> {
        let Labels { a, b, out } = &self.labels;
        let mut known: Vec<(u8, usize)> = Vec::new();
        for Sliding { input, tap, output, window } in &self.windows {
            if window.stride == 0 || window.dilation == 0 {
                return Err(format!("a window needs a stride and a dilation of at least 1: {window:?}"));
            }
            let of = [(*input, window.input), (*tap, window.taps), (*output, window.output)];
            let mut holders: Vec<usize> = Vec::new();
            for (label, _) in of {
                let places = [a, b, out].map(|labels| labels.contains(&label));
                match places.iter().filter(|&&place| place).count() {
                    1 => holders.extend(places.iter().position(|&place| place)),
                    count => return Err(format!("a window's axis stands in {count} arrays, not in one")),
                }
            }
            holders.sort_unstable();
            if holders != [0, 1, 2] {
                return Err("inputs, taps and outputs of a window stand in three different arrays".to_owned());
            }
            known.extend(of);
        }
        extents(&self.labels, inputs, Missing::Known(&known))
    }
}

impl Primitive for Convolve {
    fn name(&self) -> &'static str {
        "convolve"
    }

    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError> {
        expect_operands(self.name(), inputs, 2)?;
        expect_real(self.name(), inputs)?;
        let extents = self.extents(inputs).map_err(|message| ShapeError::new(self.name(), message))?;
        let out = &self.labels.out;
        Ok(Type::real(&out.iter().map(|&label| extents[usize::from(label)]).collect::<Vec<_>>()))
    }

    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|inputs, out| {
            vec![Call::Convolve {
                a: inputs[0].clone(),
                b: inputs[1].clone(),
                out,
                labels: self.labels.clone(),
                windows: self.windows(),
                adds: false,
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
        product_rule(builder, self, primals, tangents)
    }

    fn transpose<'b>(&self, ct: Var<'b>, operands: &[Operand<'b>], _types: &[&Type]) -> Vec<Option<Var<'b>>> {
        let windows = self.windows();
        adjoint(&self.labels, ct, operands, |a, b, out| Self::new(a, b, out, &windows))
    }

    fn batch<'b>(&self, builder: &'b Builder, _size: usize, inputs: &[Batched<'b>]) -> Var<'b> {
        let windows = self.windows();
        over_batch(&self.labels, builder, inputs, |a, b, out| Self::new(a, b, out, &windows))
    }

    fn flops(&self, inputs: &[&Type]) -> usize {
        let Ok(extents) = self.extents(inputs) else { return 0 };
        let of_window = |label: u8| self.windows.iter().any(|s| [s.input, s.tap, s.output].contains(&label));
        let free = (0..extents.len()).filter(|&label| !of_window(label as u8));
        let pairs = |window: &Window| (0..window.taps).map(|tap| window.inside(tap).0.len()).sum::<usize>();
        2 * free.map(|label| extents[label]).product::<usize>()
            * self.windows.iter().map(|sliding| pairs(&sliding.window)).product::<usize>()
    }
}
