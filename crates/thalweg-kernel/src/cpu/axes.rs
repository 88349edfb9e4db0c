//! Axes that several arrays are walked along together.

/// No plan has more axes than this after merging; loops keep their counters on the stack.
pub(crate) const MAX_AXES: usize = 16;

/// One axis of a common space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    /// Number of positions.
    pub(crate) extent: usize,
    /// Elements between neighbours, one for each array.
    pub(crate) strides: Vec<usize>,
    /// Which reductions run along it, one bit each. Axes of different tags never merge.
    pub(crate) tag: u64,
}

/// The axes of `shape`, walked by arrays of these strides.
pub(crate) fn axes(shape: &[usize], strides: &[&[usize]]) -> Vec<Axis> {
    let axis = |(i, &extent): (usize, &usize)| Axis {
        extent,
        strides: strides.iter().map(|s| s[i]).collect(),
        tag: 0,
    };
    shape.iter().enumerate().map(axis).collect()
}

/// The same walk with as few axes as possible: extents of 1 vanish, and an axis that continues its right neighbour
/// in every array joins it. Order is kept.
pub(crate) fn merged(axes: impl IntoIterator<Item = Axis>) -> Vec<Axis> {
    let mut result: Vec<Axis> = Vec::new();
    for axis in axes {
        if axis.extent == 1 {
            continue;
        }
        if let Some(last) = result.last_mut() {
            let continues = last.strides.iter().zip(&axis.strides).all(|(&l, &a)| l == a * axis.extent);
            if continues && last.tag == axis.tag {
                last.extent *= axis.extent;
                last.strides = axis.strides;
                continue;
            }
        }
        result.push(axis);
    }
    assert!(result.len() <= MAX_AXES, "{} axes remain after merging, at most {MAX_AXES} can", result.len());
    result
}

/// An axis inside should not be shorter.
const SHORT: usize = 6;

/// The axes by falling strides, save that the last is not very short if another is long.
pub(crate) fn inner_last(axes: &[Axis], stride: impl Fn(&Axis) -> usize) -> Vec<Axis> {
    let mut axes = axes.to_vec();
    axes.sort_by_key(|axis| std::cmp::Reverse(stride(axis)));
    let longest = (0..axes.len()).max_by_key(|&i| axes[i].extent).unwrap_or(0);
    if axes.last().is_some_and(|last| last.extent < SHORT && axes[longest].extent > last.extent) {
        let axis = axes.remove(longest);
        axes.push(axis);
    }
    axes
}

/// Moves a counter on, last axis fastest. False once it has come round to zeros.
#[inline(always)]
pub(crate) fn advance(counter: &mut [usize], extents: &[usize]) -> bool {
    for (c, &extent) in counter.iter_mut().zip(extents).rev() {
        *c += 1;
        if *c < extent {
            return true;
        }
        *c = 0;
    }
    false
}

/// Σ counter·stride
#[inline(always)]
pub(crate) fn position(counter: &[usize], strides: &[usize]) -> usize {
    counter.iter().zip(strides).map(|(&c, &s)| c * s).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_merge_where_every_array_allows_it() {
        let (a, b) = ([60, 20, 5, 1], [12, 4, 1, 0]);
        let walk = merged(axes(&[2, 3, 4, 5], &[&a, &b]));
        assert_eq!(walk.iter().map(|a| a.extent).collect::<Vec<_>>(), [24, 5]);
        assert_eq!(walk[0].strides, [5, 1]);
        assert_eq!(merged(axes(&[1, 1], &[&[7, 9]])), []);
        let transposed = merged(axes(&[3, 4], &[&[1, 3]]));
        assert_eq!(transposed.len(), 2);
    }

    #[test]
    fn counters_come_round() {
        let (mut counter, extents) = ([0, 0], [2, 3]);
        let mut steps = 1;
        while advance(&mut counter, &extents) {
            steps += 1;
        }
        assert_eq!((steps, counter), (6, [0, 0]));
        assert!(!advance(&mut [], &[]));
    }
}
