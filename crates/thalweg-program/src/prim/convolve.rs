//! A sum of products over shared axes and over windows: convolutions of any number of axes.

use thalweg_kernel::{Call, Labels, Layout, View};

use super::contract::{Missing, adjoint, extents, over_batch, renamed};
use super::{Batched, Evaluation, Operand, Primitive, expect_operands, expect_real, product_rule};
use crate::builder::{Builder, Var};
use crate::ir::{ShapeError, Type};

/// One axis along which a window slides: input position = stride·(output position) + dilation·tap − before. Positions
/// outside of the input count as zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Input positions.
    pub input: usize,
    /// Taps: positions in the window.
    pub taps: usize,
    /// Output positions.
    pub output: usize,
    /// Input positions from one output position to the next; at least 1.
    pub stride: usize,
    /// Input positions from one tap to the next; at least 1.
    pub dilation: usize,
    /// Zeros before the first input position.
    pub before: usize,
}

impl Window {
    /// A window with as many output positions as fit between `before` zeros in front and `after` behind, as PyTorch
    /// counts them: ⌊(input + before + after − dilation·(taps − 1) − 1)/stride⌋ + 1; none if the window does not fit.
    pub fn new(
        input: usize,
        taps: usize,
        stride: usize,
        dilation: usize,
        [before, after]: [usize; 2],
    ) -> Self {
        let reach = dilation.saturating_mul(taps.saturating_sub(1)).saturating_add(1);
        let room = input.saturating_add(before).saturating_add(after).checked_sub(reach);
        let output = room.map_or(0, |room| room / stride.max(1) + 1);
        Self { input, taps, output, stride, dilation, before }
    }

    /// Whether each output position has a tap inside the input.
    pub(super) fn sees_everywhere(&self) -> bool {
        // Later taps see earlier output positions: the ranges begin in order, from the last tap to the first.
        let mut seen = 0;
        for outputs in (0..self.taps).rev().map(|tap| self.inside(tap).0) {
            if outputs.start <= seen {
                seen = seen.max(outputs.end);
            }
        }
        seen == self.output
    }

    /// The output positions whose tap `tap` lies inside the input, and the first one's input position.
    fn inside(&self, tap: usize) -> (std::ops::Range<usize>, usize) {
        let shift = self.dilation.saturating_mul(tap);
        let first = self.before.saturating_sub(shift).div_ceil(self.stride);
        // stride·y + shift − before < input
        let end = self.input.saturating_add(self.before).saturating_sub(shift).div_ceil(self.stride);
        let end = end.min(self.output);
        let first = first.min(end);
        (first..end, (self.stride * first + shift).saturating_sub(self.before))
    }
}

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

    /// The contractions of one tap of each window; `None` if no output position sees it.
    fn tap(&self, taps: &[usize], inputs: &[View], out: &View) -> Option<Call> {
        let mut views = [inputs[0].clone(), inputs[1].clone(), out.clone()];
        let mut labels = [self.labels.a.clone(), self.labels.b.clone(), self.labels.out.clone()];
        for (Sliding { input, tap, output, window }, &at) in self.windows.iter().zip(taps) {
            let (outputs, first) = window.inside(at);
            if outputs.is_empty() {
                return None;
            }
            for (view, labels) in views.iter_mut().zip(&mut labels) {
                let axis = |label: &u8| labels.iter().position(|l| l == label);
                let layout = &view.layout;
                if let Some(axis) = axis(input) {
                    view.layout = layout.sliced(axis, first, outputs.len(), window.stride);
                    // Input and output positions are one axis now.
                    labels[axis] = *output;
                } else if let Some(axis) = axis(tap) {
                    view.layout = without(&layout.sliced(axis, at, 1, 1), axis);
                    labels.remove(axis);
                } else if let Some(axis) = axis(output) {
                    view.layout = layout.sliced(axis, outputs.start, outputs.len(), 1);
                }
            }
        }
        let ([a, b, out], [la, lb, lout]) = (views, labels);
        Some(Call::Contract { a, b, out, labels: Labels { a: la, b: lb, out: lout }, adds: true })
    }
}

/// A layout without an axis of one element.
fn without(layout: &Layout, axis: usize) -> Layout {
    let mut layout = layout.clone();
    layout.shape.remove(axis);
    layout.strides.remove(axis);
    layout
}

/// All places of a grid, the last axis fastest.
fn places(extents: &[usize]) -> Vec<Vec<usize>> {
    extents.iter().fold(vec![Vec::new()], |places, &extent| {
        places.iter().flat_map(|place| (0..extent).map(|i| [&place[..], &[i]].concat())).collect()
    })
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

    /// A contraction for each tap, of every so-many-th element of the arrays: they need no array of patches.
    fn evaluate(&self) -> Evaluation<'_> {
        Evaluation::Calls(Box::new(|inputs, out| {
            let taps: Vec<usize> = self.windows.iter().map(|sliding| sliding.window.taps).collect();
            let products = places(&taps);
            let products = products.iter().filter_map(|taps| self.tap(taps, inputs, &out));
            let zeros = Call::Fill { value: 0f64.to_bits(), to: out.clone() };
            std::iter::once(zeros).chain(products).collect()
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

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn windows_know_which_positions_lie_inside() {
        for input in 0..7 {
            for taps in 1..5 {
                for (stride, dilation) in [(1, 1), (2, 1), (1, 2), (3, 2)] {
                    for (before, after) in [(0, 0), (1, 1), (2, 0), (0, 5), (7, 1)] {
                        let window = Window::new(input, taps, stride, dilation, [before, after]);
                        let last = |output: usize| stride * (output - 1) + dilation * (taps - 1);
                        let room = input + before + after;
                        assert!(window.output == 0 || last(window.output) < room);
                        assert!(last(window.output + 1) >= room);
                        for tap in 0..taps {
                            let (found, first) = window.inside(tap);
                            let place = |y: usize| (stride * y + dilation * tap).checked_sub(before);
                            let inside = |&y: &usize| place(y).is_some_and(|x| x < input);
                            let truth: Vec<usize> = (0..window.output).filter(inside).collect();
                            assert_eq!(found.clone().collect::<Vec<_>>(), truth, "{window:?}, tap {tap}");
                            assert!(truth.first().is_none_or(|&y| place(y) == Some(first)));
                        }
                        let sees = |y| (0..taps).any(|tap| window.inside(tap).0.contains(&y));
                        assert_eq!(window.sees_everywhere(), (0..window.output).all(sees), "{window:?}");
                    }
                }
            }
        }
    }
}
