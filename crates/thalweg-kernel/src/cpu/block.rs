//! Rows of a product that see the same part of the sum.

use super::axes::{Axis, merged};

/// Rows that see the same part of the sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The axes that the rows run along, with the distances between neighbours among the rows' factor, among the numbers
    /// of rows, and in the result; tiles are taken of the last, of which there is always one.
    pub(super) extents: Vec<usize>,
    pub(super) rows: Vec<usize>,
    pub(super) numbers: Vec<usize>,
    pub(super) out: Vec<usize>,
    /// The first row's number and its place in the result.
    pub(super) number: usize,
    pub(super) first: usize,
    /// The axes in the order of the rows' numbers. None where the rows are some of the first block's, to which more is
    /// added.
    pub(super) strips: Option<Strips>,
}

/// Axes with the distances between neighbours in the result; there is always one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Strips {
    pub(super) extents: Vec<usize>,
    pub(super) out: Vec<usize>,
}

/// An axis of a block, with the distances between neighbours.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowAxis {
    pub(super) extent: usize,
    pub(super) rows: usize,
    pub(super) number: usize,
    pub(super) out: usize,
}

impl Block {
    /// Rows along these axes; `direct` where products may be written where they belong.
    pub(super) fn new(axes: &[RowAxis], [number, first]: [usize; 2], again: bool, direct: bool) -> Self {
        // Tiles may run on into the next axis wherever the factor does.
        let strides = |axis: &RowAxis| vec![axis.rows, axis.number, if direct { axis.out } else { 0 }];
        let mut walk =
            merged(axes.iter().map(|axis| Axis { extent: axis.extent, strides: strides(axis), tag: 0 }));
        if walk.is_empty() {
            walk.push(Axis { extent: 1, strides: vec![0; 3], tag: 0 });
        }
        let of = |i: usize| walk.iter().map(|axis| axis.strides[i]).collect();
        let or_one = |axes: Vec<usize>, one: usize| if axes.is_empty() { vec![one] } else { axes };
        let strips = (!again).then(|| Strips {
            extents: or_one(axes.iter().map(|axis| axis.extent).collect(), 1),
            out: or_one(axes.iter().map(|axis| axis.out).collect(), 0),
        });
        Self {
            extents: walk.iter().map(|axis| axis.extent).collect(),
            rows: of(0),
            numbers: of(1),
            out: of(2),
            number,
            first,
            strips,
        }
    }

    /// Whether its rows are some of the first block's.
    pub(super) fn again(&self) -> bool {
        self.strips.is_none()
    }

    /// Rows that no other block before has.
    pub(super) fn count(&self) -> usize {
        if self.again() { 0 } else { self.extents.iter().product() }
    }
}

/// Rows along the axes numbered in order, the last axis fastest.
pub(super) fn numbered(axes: &mut [RowAxis]) {
    let mut number = 1;
    for axis in axes.iter_mut().rev() {
        axis.number = number;
        number *= axis.extent;
    }
}
