//! In which order the axes of a value lie in memory.
//!
//! As the program lists them, save for images of few channels, `[examples, positions…, channels]`: there the examples lie
//! inside. A vector is filled by examples where it is not by channels, windows then slide over whole vectors, and a pool
//! compares vectors. A convolution that makes such images decides; what is made of them, element by element, lies alike.

use thalweg_kernel::Layout;

use super::place::Place;
use crate::ir::{Op, Program};
use crate::prim::Convolve;

/// Channels up to which examples do better: as many as fill a vector, of which multipliers would want several.
const CHANNELS: usize = 16;
/// Examples that fill a vector.
const EXAMPLES: usize = 16;
/// Positions beyond which there would be too many to plan each for itself.
const POSITIONS: usize = 1 << 10;

/// The first axis inside, the others in their order.
pub(super) fn examples_inside(shape: &[usize]) -> Layout {
    let Some((&examples, rest)) = shape.split_first() else { return Layout::contiguous(0, shape) };
    let mut layout = Layout::contiguous(0, &[rest, &[examples]].concat());
    layout.shape.rotate_right(1);
    layout.strides.rotate_right(1);
    layout
}

/// Whether a convolution makes images of few channels.
pub(super) fn makes_short_images(convolve: &Convolve, shape: &[usize]) -> bool {
    let [examples, positions @ .., channels] = shape else { return false };
    let of_taps = |label: &u8| convolve.windows().iter().any(|([_, tap, _], _)| tap == label);
    let slides = |label: &u8| {
        convolve.windows().iter().any(|([input, _, output], _)| [input, output].contains(&label))
    };
    let out = &convolve.labels().out;
    let ends = [out.first(), out.last()].into_iter().flatten();
    *examples >= EXAMPLES
        && *channels <= CHANNELS
        && positions.iter().product::<usize>() <= POSITIONS
        && !out.iter().any(of_taps)
        && ends.into_iter().all(|label| !slides(label))
        && out[1..out.len() - 1].iter().all(slides)
}

/// For each node whether it is an argument's view that such a convolution reads as its images: it is worth a copy with the
/// examples inside.
pub(super) fn read_as_images(program: &Program, live: &[bool]) -> Vec<bool> {
    let mut read = vec![false; program.nodes.len()];
    for (node, _) in program.nodes.iter().zip(live).filter(|&(_, &live)| live) {
        let Op::Convolve(convolve) = &node.op else { continue };
        if !makes_short_images(convolve, &node.ty.shape) {
            continue;
        }
        let of_taps = |labels: &[u8]| convolve.windows().iter().any(|([_, tap, _], _)| labels.contains(tap));
        let images = usize::from(of_taps(&convolve.labels().a));
        read[node.inputs[images].position()] = true;
    }
    read
}

/// Whether a view has the examples inside as its source has.
pub(super) fn stays_inside(source: &Place, layout: &Layout) -> bool {
    source.inside && layout.shape.first() == source.layout.shape.first() && layout.strides.first() == Some(&1)
}
