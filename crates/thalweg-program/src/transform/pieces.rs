//! Sums of cotangents, of which some are pieces of one array.
//!
//! Each slice of a value gives back a piece among zeros. Pieces side by side are one array, end to end: adding up arrays of
//! zeros would take as much work for each piece as there are pieces.

use crate::builder::{Builder, Var};
use crate::ir::Op;

/// Elements along one axis of a value, of which all others are 0.
#[derive(Clone, Copy)]
struct Piece<'b> {
    axis: usize,
    start: usize,
    elements: Var<'b>,
}

impl<'b> Piece<'b> {
    fn of(builder: &'b Builder, var: Var<'b>) -> Option<Self> {
        let node = builder.node(var.id());
        match node.op {
            Op::Pad(pad) if pad.between == 0 => {
                Some(Self { axis: pad.axis, start: pad.before, elements: builder.var(node.inputs[0]) })
            }
            _ => None,
        }
    }

    fn end(&self) -> usize {
        self.start + self.elements.shape()[self.axis]
    }
}

/// The sum of what a value receives; `None` is zero.
pub(super) fn total<'b>(builder: &'b Builder, received: &[Var<'b>]) -> Option<Var<'b>> {
    let first = received.first()?;
    let (mut sum, mut pieces) = (Vec::new(), Vec::new());
    for &part in received {
        match Piece::of(builder, part) {
            Some(piece) => pieces.push((piece, part)),
            None => sum.push(part),
        }
    }
    for axis in 0..first.shape().len() {
        let mut own: Vec<(Piece<'b>, Var<'b>)> =
            pieces.iter().filter(|(piece, _)| piece.axis == axis).copied().collect();
        own.sort_by_key(|(piece, _)| piece.start);
        let apart = own.windows(2).all(|pair| pair[0].0.end() <= pair[1].0.start);
        if own.len() > 1 && apart {
            let pieces: Vec<Piece<'b>> = own.iter().map(|&(piece, _)| piece).collect();
            sum.push(end_to_end(builder, &first.shape(), axis, &pieces));
        } else {
            sum.extend(own.iter().map(|&(_, part)| part));
        }
    }
    sum.into_iter().reduce(|sum, part| sum + part)
}

/// Pieces in the order of an axis, with zeros where there are none.
fn end_to_end<'b>(builder: &'b Builder, shape: &[usize], axis: usize, pieces: &[Piece<'b>]) -> Var<'b> {
    let mut parts = Vec::with_capacity(pieces.len());
    let mut at = 0;
    let gap = |parts: &mut Vec<Var<'b>>, from: usize, to: usize| {
        if from < to {
            let mut shape = shape.to_vec();
            shape[axis] = to - from;
            parts.push(builder.zeros(&shape));
        }
    };
    for piece in pieces {
        gap(&mut parts, at, piece.start);
        parts.push(piece.elements);
        at = piece.end();
    }
    gap(&mut parts, at, shape[axis]);
    builder.concatenate(axis, &parts)
}
