//! Copies between layouts, fills, counting, and indices as reals.
#![expect(unsafe_code, reason = "views were checked against their buffers when the plan was made")]

use super::axes::{Axis, MAX_AXES, advance, axes, merged, position};
use super::memory::{Memory, Place};
use crate::Real;

/// Edge of the squares that a transposing copy goes through, so that both sides keep their cache lines.
const SQUARE: usize = 16;

/// A copy, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    from: (usize, usize),
    to: (usize, usize),
    /// Loops around the innermost two axes.
    extents: Vec<usize>,
    from_strides: Vec<usize>,
    to_strides: Vec<usize>,
    /// The innermost two axes: extent, stride in the source, stride in the destination. The last is the one that
    /// the destination is densest along, the other the one of the rest that the source is densest along.
    inner: [(usize, usize, usize); 2],
}

impl Copy {
    /// `None` where there is nothing to copy.
    pub(crate) fn new(from: &Place, to: &Place) -> Option<Self> {
        assert_eq!(from.layout.shape, to.layout.shape, "a copy between views of two shapes");
        if to.layout.is_empty() {
            return None;
        }
        let mut walk = axes(&to.layout.shape, &[&from.layout.strides, &to.layout.strides]);
        walk.retain(|axis| axis.extent != 1);
        walk.sort_by_key(|axis| std::cmp::Reverse(axis.strides[1]));
        let mut walk = merged(walk);
        let triple = |axis: Option<Axis>| axis.map_or((1, 0, 0), |a| (a.extent, a.strides[0], a.strides[1]));
        let last = triple(walk.pop());
        let densest = walk.iter().enumerate().min_by_key(|(_, axis)| axis.strides[0]).map(|(i, _)| i);
        let other = triple(densest.map(|i| walk.remove(i)));
        Some(Self {
            from: (from.buffer, from.layout.offset),
            to: (to.buffer, to.layout.offset),
            extents: walk.iter().map(|a| a.extent).collect(),
            from_strides: walk.iter().map(|a| a.strides[0]).collect(),
            to_strides: walk.iter().map(|a| a.strides[1]).collect(),
            inner: [other, last],
        })
    }

    pub(crate) fn run<T: Real>(&self, memory: &Memory<'_, T>) {
        let [(rows, from_row, to_row), (length, from_step, to_step)] = self.inner;
        let mut counter = [0; MAX_AXES];
        let counter = &mut counter[..self.extents.len()];
        loop {
            // SAFETY: positions are the views'; both were checked.
            unsafe {
                let from =
                    memory.at(self.from.0, self.from.1 + position(counter, &self.from_strides)).cast_const();
                let to = memory.at(self.to.0, self.to.1 + position(counter, &self.to_strides));
                if from_step == 1 && to_step == 1 {
                    for row in 0..rows {
                        std::ptr::copy(from.add(row * from_row), to.add(row * to_row), length);
                    }
                } else {
                    for top in (0..rows).step_by(SQUARE) {
                        for left in (0..length).step_by(SQUARE) {
                            for row in top..rows.min(top + SQUARE) {
                                for i in left..length.min(left + SQUARE) {
                                    *to.add(row * to_row + i * to_step) =
                                        *from.add(row * from_row + i * from_step);
                                }
                            }
                        }
                    }
                }
            }
            if !advance(counter, &self.extents) {
                break;
            }
        }
    }
}

/// One number everywhere, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Fill {
    value: f64,
    to: (usize, usize),
    extents: Vec<usize>,
    strides: Vec<usize>,
    length: usize,
    step: usize,
}

impl Fill {
    /// `None` where there is nothing to fill.
    pub(crate) fn new(bits: u64, to: &Place) -> Option<Self> {
        if to.layout.is_empty() {
            return None;
        }
        let mut walk = axes(&to.layout.shape, &[&to.layout.strides]);
        walk.retain(|axis| axis.extent != 1);
        walk.sort_by_key(|axis| std::cmp::Reverse(axis.strides[0]));
        let mut walk = merged(walk);
        let (length, step) = walk.pop().map_or((1, 1), |axis| (axis.extent, axis.strides[0]));
        Some(Self {
            value: f64::from_bits(bits),
            to: (to.buffer, to.layout.offset),
            extents: walk.iter().map(|a| a.extent).collect(),
            strides: walk.iter().map(|a| a.strides[0]).collect(),
            length,
            step,
        })
    }

    pub(crate) fn run<T: Real>(&self, memory: &Memory<'_, T>) {
        let value = T::from_f64(self.value);
        let mut counter = [0; MAX_AXES];
        let counter = &mut counter[..self.extents.len()];
        loop {
            // SAFETY: positions are the view's, which was checked.
            unsafe {
                let to = memory.at(self.to.0, self.to.1 + position(counter, &self.strides));
                if self.step == 1 {
                    for i in 0..self.length {
                        *to.add(i) = value;
                    }
                } else {
                    for i in 0..self.length {
                        *to.add(i * self.step) = value;
                    }
                }
            }
            if !advance(counter, &self.extents) {
                break;
            }
        }
    }
}

/// 0, 1, 2, … along one axis, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Iota {
    to: (usize, usize),
    length: usize,
    step: usize,
}

impl Iota {
    /// `None` where there is nothing to count.
    pub(crate) fn new(to: &Place) -> Option<Self> {
        let [length] = to.layout.shape[..] else { panic!("counting along one axis: {to:?}") };
        let step = to.layout.strides[0];
        (length > 0).then_some(Self { to: (to.buffer, to.layout.offset), length, step })
    }

    pub(crate) fn run<T: Real>(&self, memory: &Memory<'_, T>) {
        for i in 0..self.length {
            // SAFETY: positions are the view's, which was checked.
            unsafe { *memory.at(self.to.0, self.to.1 + i * self.step) = T::from_f64(i as f64) };
        }
    }
}

/// An index input as reals, prepared.
#[derive(Clone, Debug)]
pub(crate) struct LoadIndex {
    slot: usize,
    to: (usize, usize),
    length: usize,
}

impl LoadIndex {
    pub(crate) fn new(slot: usize, sizes: &[usize], to: &Place) -> Self {
        let Some(&size) = sizes.get(slot) else { panic!("index slot {slot} of {}", sizes.len()) };
        let length = to.layout.len();
        assert!(to.layout.is_contiguous(), "an index is loaded into a contiguous view: {to:?}");
        assert_eq!(length, size, "an index is loaded whole");
        Self { slot, to: (to.buffer, to.layout.offset), length }
    }

    pub(crate) fn run<T: Real>(&self, memory: &Memory<'_, T>) {
        for (i, &index) in memory.indices[self.slot].iter().enumerate().take(self.length) {
            // SAFETY: the view was checked to hold `length` elements.
            unsafe { *memory.at(self.to.0, self.to.1).add(i) = T::from_f64(f64::from(index)) };
        }
    }
}
