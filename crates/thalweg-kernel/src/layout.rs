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

    /// Elements in memory: what repeats along an axis counts once.
    pub fn stored(&self) -> usize {
        let axes = self.shape.iter().zip(&self.strides);
        axes.filter(|&(&extent, &stride)| extent == 0 || stride != 0).map(|(&extent, _)| extent).product()
    }

    /// Whether an element is addressed more than once along an axis.
    pub fn repeats(&self) -> bool {
        self.stored() < self.len()
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
        // Axes come in groups of as many elements before and after. Those of a group must lie in memory as one.
        let mut strides = vec![0; shape.len()];
        let (mut old, mut new) = (0, 0);
        while old < self.shape.len() && new < shape.len() {
            let (first, mut extent) = (new, shape[new]);
            let (mut before, mut stride) = (self.shape[old], self.strides[old]);
            (old, new) = (old + 1, new + 1);
            while before != extent {
                if extent < before {
                    extent *= shape[new];
                    new += 1;
                    continue;
                }
                let [next, step] = [self.shape[old], self.strides[old]];
                if before != 1 && next != 1 && stride != step * next {
                    return None;
                }
                (before, stride) = (before * next, if next == 1 { stride } else { step });
                old += 1;
            }
            for axis in (first..new).rev() {
                strides[axis] = if shape[axis] == 1 { 0 } else { stride };
                stride *= shape[axis];
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reshaped(shape: &[usize], strides: &[usize], to: &[usize]) -> Option<Vec<usize>> {
        let layout = Layout { offset: 3, shape: shape.to_vec(), strides: strides.to_vec() };
        let reshaped = layout.reshaped(to)?;
        // Element by element the same places.
        let places = |layout: &Layout| -> Vec<usize> {
            let place = |mut number: usize| {
                let mut at = layout.offset;
                for (&extent, &stride) in layout.shape.iter().zip(&layout.strides).rev() {
                    (number, at) = (number / extent, at + number % extent * stride);
                }
                at
            };
            (0..layout.len()).map(place).collect()
        };
        assert_eq!(places(&layout), places(&reshaped), "{shape:?} by {strides:?} to {to:?}");
        Some(reshaped.strides)
    }

    #[test]
    fn axes_split_and_join_where_memory_allows_it() {
        // An axis splits, whatever its stride.
        assert_eq!(reshaped(&[4, 6], &[1, 4], &[2, 2, 3, 2]), Some(vec![2, 1, 8, 4]));
        // Neighbours join only if they lie in memory as one.
        assert_eq!(reshaped(&[5, 2, 3], &[1, 15, 5], &[5, 6]), Some(vec![1, 5]));
        assert_eq!(reshaped(&[5, 2, 3], &[6, 1, 2], &[5, 6]), None);
        assert_eq!(reshaped(&[2, 3], &[1, 2], &[3, 2]), None);
        // What repeats goes on to repeat.
        assert_eq!(reshaped(&[2, 3, 4], &[0, 0, 1], &[6, 2, 2]), Some(vec![0, 2, 1]));
        assert_eq!(reshaped(&[2, 3], &[3, 0], &[6]), None);
        // Axes of one element come and go.
        assert_eq!(reshaped(&[1, 4, 1, 3], &[9, 1, 7, 4], &[4, 3, 1]), Some(vec![1, 4, 0]));
        assert_eq!(reshaped(&[4, 1, 3], &[1, 7, 4], &[1, 2, 2, 1, 1, 3]), Some(vec![0, 2, 1, 0, 0, 4]));
        assert_eq!(reshaped(&[1, 1], &[5, 5], &[]), Some(vec![]));
    }
}
