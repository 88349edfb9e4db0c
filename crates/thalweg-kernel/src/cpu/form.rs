//! The trilinear form of a contraction or a convolution, as axes in memory.
//!
//! out = Σ a·b. A label that all three arrays have is a batch axis, one that the result lacks is summed, one that a factor
//! shares with the result is free. A window ties three labels to one another, one in each array; where it does no more
//! than to say that two positions are the same, it becomes a label like the others.

use super::axes::{Axis, merged};
use crate::Window;
use crate::call::{Labels, View};

pub(super) const A: usize = 0;
pub(super) const B: usize = 1;
pub(super) const OUT: usize = 2;

/// Axes by the arrays that have them, and windows.
pub(super) struct Form {
    /// One axis a label, with its strides in the three arrays; the tag says which of them have it, one bit each.
    pub(super) axes: Vec<Axis>,
    /// The same in groups, neighbours that lie in memory as one merged: in all arrays, in either factor and the result,
    /// and in both factors.
    pub(super) batch: Vec<Axis>,
    pub(super) free: [Vec<Axis>; 2],
    pub(super) summed: Vec<Axis>,
    pub(super) windows: Vec<Sliding>,
}

/// What the positions along a window's axis are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Input,
    Tap,
    Output,
}

/// A window with its axis in each of the arrays.
pub(super) struct Sliding {
    pub(super) window: Window,
    pub(super) kinds: [Kind; 3],
    pub(super) extents: [usize; 3],
    pub(super) strides: [usize; 3],
}

impl Form {
    pub(super) fn new(views: [&View; 3], labels: &Labels, windows: &[([u8; 3], Window)]) -> Self {
        let mut named = labelled(views, labels);
        let mut sliding = Vec::new();
        for (names, window) in windows {
            let window = Sliding::new(*window, names.map(|name| taken(&mut named, name)));
            match window.plain() {
                Some(axis) => named.push((names[0], axis)),
                None => sliding.push(window),
            }
        }
        for (label, axis) in &named {
            assert!(matches!(axis.tag, 3 | 5 | 6 | 7), "label {label} stands in one operand alone");
        }
        let axes: Vec<Axis> = named.into_iter().map(|(_, axis)| axis).collect();
        let group = |tag: u64, by: usize| {
            let mut group: Vec<Axis> =
                axes.iter().filter(|axis| axis.tag == tag && axis.extent != 1).cloned().collect();
            group.sort_by_key(|axis| std::cmp::Reverse(axis.strides[by]));
            merged(group)
        };
        let (batch, free, summed) = (group(7, OUT), [group(5, OUT), group(6, OUT)], group(3, A));
        Self { axes, batch, free, summed, windows: sliding }
    }
}

/// One axis a label.
fn labelled(views: [&View; 3], labels: &Labels) -> Vec<(u8, Axis)> {
    let mut axes: Vec<(u8, Axis)> = Vec::new();
    for (of, (view, labels)) in views.iter().zip([&labels.a, &labels.b, &labels.out]).enumerate() {
        let layout = &view.layout;
        assert_eq!(layout.shape.len(), labels.len(), "expected one label an axis: {labels:?}, {layout:?}");
        for (i, &label) in labels.iter().enumerate() {
            let found = axes.iter().position(|&(l, _)| l == label).unwrap_or_else(|| {
                axes.push((label, Axis { extent: layout.shape[i], strides: vec![0; 3], tag: 0 }));
                axes.len() - 1
            });
            let axis = &mut axes[found].1;
            assert_eq!(axis.extent, layout.shape[i], "label {label} has two extents");
            assert_eq!(axis.tag >> of & 1, 0, "label {label} stands twice in one operand");
            axis.tag |= 1 << of;
            axis.strides[of] = layout.strides[i];
        }
    }
    axes
}

fn taken(axes: &mut Vec<(u8, Axis)>, label: u8) -> Axis {
    let found = axes.iter().position(|&(l, _)| l == label);
    let Some(found) = found else { panic!("no array has a window's label {label}") };
    axes.remove(found).1
}

impl Sliding {
    /// From its axes of inputs, taps and outputs.
    fn new(window: Window, axes: [Axis; 3]) -> Self {
        let (mut kinds, mut extents, mut strides) = ([None; 3], [0; 3], [0; 3]);
        for (axis, (kind, extent)) in axes.into_iter().zip([
            (Kind::Input, window.input),
            (Kind::Tap, window.taps),
            (Kind::Output, window.output),
        ]) {
            assert_eq!(axis.extent, extent, "a window's axis has another extent: {window:?}");
            assert!(axis.tag.is_power_of_two(), "a window's axis stands in one array: {window:?}");
            let of = axis.tag.trailing_zeros() as usize;
            (kinds[of], extents[of], strides[of]) = (Some(kind), extent, axis.strides[of]);
        }
        let kinds = kinds.map(|kind| kind.expect("a window has an axis in each array"));
        Self { window, kinds, extents, strides }
    }

    /// The array of these positions.
    fn array(&self, kind: Kind) -> usize {
        self.kinds.iter().position(|&k| k == kind).expect("a window has an axis of each kind")
    }

    /// The axis that two arrays share, if that is all that the window says: it has one tap, or one output position, and
    /// each position of the other kind has its input. Of the inputs there may be more, but not in the result, where they
    /// would be zeros.
    fn plain(&self) -> Option<Axis> {
        let Window { taps, output, stride, dilation, before, .. } = self.window;
        let input = self.array(Kind::Input);
        let of = |single: usize, shared: Kind, extent: usize, step: usize| {
            let reach = step * extent.checked_sub(1)?;
            let all = step == 1 && extent == self.extents[input];
            let fits = single == 1 && before == 0 && reach < self.extents[input];
            if !fits || (input == OUT && !all) {
                return None;
            }
            let shared = self.array(shared);
            let mut strides = vec![0; 3];
            (strides[input], strides[shared]) = (self.strides[input] * step, self.strides[shared]);
            Some(Axis { extent, strides, tag: 1 << input | 1 << shared })
        };
        of(taps, Kind::Output, output, stride).or_else(|| of(output, Kind::Tap, taps, dilation))
    }

    /// The position of the third kind that belongs to positions of two others, if there is one.
    pub(super) fn third(&self, known: [(Kind, usize); 2]) -> Option<usize> {
        let of = |kind: Kind| known.iter().find(|(k, _)| *k == kind).map(|&(_, position)| position);
        let Window { taps, output, stride, dilation, before, .. } = self.window;
        // input + before = stride·output + dilation·tap
        match (of(Kind::Input), of(Kind::Tap), of(Kind::Output)) {
            (None, Some(tap), Some(at)) => self.window.place(at, tap),
            (Some(i), None, Some(at)) => {
                let reach = (i + before).checked_sub(stride * at)?;
                (reach % dilation == 0).then_some(reach / dilation).filter(|&tap| tap < taps)
            }
            (Some(i), Some(tap), None) => {
                let reach = (i + before).checked_sub(dilation * tap)?;
                (reach % stride == 0).then_some(reach / stride).filter(|&at| at < output)
            }
            _ => None,
        }
    }
}
