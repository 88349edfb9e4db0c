//! How a dense array's elements lie in a buffer.

/// Offset, shape and strides (in elements) of an array inside a buffer.
///
/// A stride of 0 repeats one element along an axis: a broadcast costs nothing. Strides are never negative. The
/// last axis of a contiguous layout has stride 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Position of the first element.
    pub offset: usize,
    /// Extent of each axis; an array without axes is a scalar.
    pub shape: Vec<usize>,
    /// Elements between neighbours along each axis.
    pub strides: Vec<usize>,
}

impl Layout {
    /// The dense row-major layout of `shape`, from position `offset`.
    pub fn contiguous(offset: usize, shape: &[usize]) -> Self {
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis].max(1);
        }
        Self { offset, shape: shape.to_vec(), strides }
    }

    /// Number of elements that the layout addresses, repeats counted.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no element at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the elements are the dense row-major run of `len()` elements from `offset`. Axes of extent 1 may
    /// have any stride; an empty array is contiguous.
    pub fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (&extent, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if extent == 0 {
                return true;
            }
            if extent != 1 && stride != expected {
                return false;
            }
            expected *= extent;
        }
        true
    }

    /// Axes reordered: axis `i` of the result is axis `axes[i]` of this layout.
    pub fn permuted(&self, axes: &[usize]) -> Self {
        Self {
            offset: self.offset,
            shape: axes.iter().map(|&a| self.shape[a]).collect(),
            strides: axes.iter().map(|&a| self.strides[a]).collect(),
        }
    }

    /// Spread to `shape`: axis `i` of this layout becomes axis `axes[i]`, all others repeat. An axis of extent 1
    /// may become any extent.
    pub fn broadcast(&self, shape: &[usize], axes: &[usize]) -> Self {
        let mut strides = vec![0; shape.len()];
        for (from, &to) in axes.iter().enumerate() {
            if self.shape[from] == shape[to] {
                strides[to] = self.strides[from];
            }
        }
        Self { offset: self.offset, shape: shape.to_vec(), strides }
    }

    /// The elements `start, start + step, …` (`extent` of them) of one axis.
    pub fn sliced(&self, axis: usize, start: usize, extent: usize, step: usize) -> Self {
        let mut sliced = self.clone();
        sliced.offset += start * self.strides[axis];
        sliced.shape[axis] = extent;
        sliced.strides[axis] *= step;
        sliced
    }

    /// The same elements under another shape, where no copy is needed for it.
    pub fn reshaped(&self, shape: &[usize]) -> Option<Self> {
        debug_assert_eq!(self.len(), shape.iter().product::<usize>());
        if self.is_contiguous() {
            return Some(Self::contiguous(self.offset, shape));
        }
        // Axes of extent 1 come and go freely; any other change of a strided layout needs a copy.
        let kept = |s: &[usize]| s.iter().copied().filter(|&e| e != 1).collect::<Vec<_>>();
        if kept(&self.shape) != kept(shape) {
            return None;
        }
        let mut old = self.shape.iter().zip(&self.strides).filter(|&(&e, _)| e != 1).map(|(_, &s)| s);
        let strides = shape.iter().map(|&e| if e == 1 { 0 } else { old.next().unwrap_or(0) }).collect();
        Some(Self { offset: self.offset, shape: shape.to_vec(), strides })
    }

    /// One past the last position that the layout touches; `offset` if it is empty.
    pub fn end(&self) -> usize {
        if self.is_empty() {
            return self.offset;
        }
        let reach: usize = self.shape.iter().zip(&self.strides).map(|(&e, &s)| (e - 1) * s).sum();
        self.offset + reach + 1
    }
}
