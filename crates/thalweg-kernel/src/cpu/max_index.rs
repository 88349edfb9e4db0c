//! Where each window has its largest element.
//!
//! The largest elements so far and their positions are kept in registers for some *lanes* while the taps of a window pass by:
//! both are choices between two numbers, which LLVM vectorises. The lanes are what lies side by side in memory, channels or
//! examples. What part of a window lies in the padding depends on the output position alone and is known when the call is
//! planned, as is where its taps lie.
#![expect(
    unsafe_code,
    reason = "views were checked when the plan was made; taps outside of the input were left out"
)]

use std::hint::select_unpredictable;

use super::axes::{Axis, MAX_AXES, advance, axes, merged, position};
use super::memory::{Memory, Place};
use crate::simd::{Isa, Kernel};
use crate::{Real, Window};

/// Lanes whose running maxima are kept at once.
const LANES: usize = 16;
/// Taps of a window that are listed at most.
const LISTED: usize = 1 << 12;

/// The largest element of each window, prepared.
#[derive(Clone, Debug)]
pub(crate) struct MaxIndex {
    from: (usize, usize),
    out: (usize, usize),
    /// The loops over the leading axes `n…`, and the channels if those are not the lanes: what neighbours are further in
    /// memory, and in the number of the element.
    extents: Vec<usize>,
    from_strides: Vec<usize>,
    out_strides: Vec<usize>,
    numbers: Vec<usize>,
    /// The axes along which the window slides: output positions, and the output's stride.
    outputs: Vec<usize>,
    output_strides: Vec<usize>,
    /// For each axis and output position the taps inside of the input.
    inside: Vec<Vec<Inside>>,
    /// For each axis what a tap is further than its neighbour.
    steps: Vec<Tap>,
    /// The taps of a window that lies wholly inside, in their order.
    whole: Vec<Tap>,
    lanes: Lanes,
}

/// What is done at once: how many, their strides in the input and in the output, and what neighbours are further in the
/// number of the element.
#[derive(Clone, Copy, Debug)]
struct Lanes {
    count: usize,
    from: usize,
    out: usize,
    number: usize,
}

/// The taps of a window that lie inside of the input, along one axis.
#[derive(Clone, Copy, Debug)]
struct Inside {
    /// The first of them: its place in memory and its part in the number of the element, from the axis's start.
    offset: usize,
    number: usize,
    count: usize,
}

/// How much further a tap is than another, in memory and in the number of the element.
#[derive(Clone, Copy, Debug)]
struct Tap {
    offset: usize,
    number: usize,
}

impl MaxIndex {
    /// Plans `out[n…, y…, c]` = number of the largest element of `from[n…, p…, c]` in each window; `None` where there
    /// is nothing to write.
    pub(crate) fn new(from: &Place, out: &Place, windows: &[Window]) -> Option<Self> {
        let (f, o) = (&from.layout, &out.layout);
        let rank = f.shape.len();
        assert!(
            rank == o.shape.len() && rank > windows.len(),
            "windows over {} axes of {f:?}, into {o:?}",
            windows.len()
        );
        let (first, last) = (rank - 1 - windows.len(), rank - 1);
        assert!(
            f.shape[..first] == o.shape[..first] && f.shape[last] == o.shape[last],
            "windows leave the other axes as they are: {f:?}, {o:?}"
        );
        for (window, axis) in windows.iter().zip(first..) {
            assert_eq!(
                [window.input, window.output],
                [f.shape[axis], o.shape[axis]],
                "a window's axis has another extent: {window:?}"
            );
        }
        assert!(windows.len() <= MAX_AXES, "windows over more than {MAX_AXES} axes");
        if o.is_empty() {
            return None;
        }
        let numbers = vec![0; first];
        let leading = axes(&f.shape[..first], &[&f.strides[..first], &o.strides[..first], &numbers]);
        let mut loops = merged(leading);
        loops.push(Axis {
            extent: f.shape[last],
            strides: vec![f.strides[last], o.strides[last], 1],
            tag: 0,
        });
        // Side by side in both arrays, and of those the longest; else the channels.
        let side_by_side = |axis: &Axis| axis.strides[0] == 1 && axis.strides[1] == 1;
        let lanes = (0..loops.len()).filter(|&i| side_by_side(&loops[i])).max_by_key(|&i| loops[i].extent);
        let lanes = loops.remove(lanes.unwrap_or(loops.len() - 1));
        let [from_stride, out_stride, number] = [0, 1, 2].map(|of| lanes.strides[of]);
        let lanes = Lanes { count: lanes.extent, from: from_stride, out: out_stride, number };
        let strides = |of: usize| loops.iter().map(|axis| axis.strides[of]).collect();
        let number_of = |axis: usize| f.shape[axis + 1..].iter().product::<usize>();
        let inside = windows.iter().zip(first..).map(|(window, axis)| {
            (0..window.output).map(|y| inside(window, y, f.strides[axis], number_of(axis))).collect()
        });
        let step = |(window, axis): (&Window, usize)| Tap {
            offset: window.dilation * f.strides[axis],
            number: window.dilation * number_of(axis),
        };
        let steps: Vec<Tap> = windows.iter().zip(first..).map(step).collect();
        let counts: Vec<usize> = windows.iter().map(|window| window.taps).collect();
        let whole = if counts.iter().product::<usize>() > LISTED {
            Vec::new()
        } else {
            walk(&counts, &steps).collect()
        };
        Some(Self {
            from: (from.buffer, f.offset),
            out: (out.buffer, o.offset),
            extents: loops.iter().map(|axis| axis.extent).collect(),
            from_strides: strides(0),
            out_strides: strides(1),
            numbers: strides(2),
            outputs: o.shape[first..last].to_vec(),
            output_strides: o.strides[first..last].to_vec(),
            inside: inside.collect(),
            steps,
            whole,
            lanes,
        })
    }

    #[inline(always)]
    fn run<T: Real>(&self, memory: &Memory<'_, T>) {
        let axes = self.outputs.len();
        let (mut member, mut output) = ([0; MAX_AXES], [0; MAX_AXES]);
        let (member, output) = (&mut member[..self.extents.len()], &mut output[..axes]);
        loop {
            let from = self.from.1 + position(member, &self.from_strides);
            let out = self.out.1 + position(member, &self.out_strides);
            let first = position(member, &self.numbers);
            loop {
                let (mut offset, mut number, mut counts, mut taps) = (from, first, [0; MAX_AXES], 1);
                for ((inside, &y), taps_along) in self.inside.iter().zip(&*output).zip(&mut counts) {
                    let Inside { offset: o, number: n, count } = inside[y];
                    (offset, number, *taps_along) = (offset + o, number + n, count);
                    taps *= count;
                }
                // SAFETY: positions are those of the views, which were checked; taps are those inside of the input.
                unsafe {
                    let from = memory.at(self.from.0, offset).cast_const();
                    let out = memory.at(self.out.0, out + position(output, &self.output_strides));
                    if taps == self.whole.len() {
                        self.window(from, number, || self.whole.iter().copied(), out);
                    } else {
                        self.window(from, number, || walk(&counts[..axes], &self.steps), out);
                    }
                }
                if !advance(output, &self.outputs) {
                    break;
                }
            }
            if !advance(member, &self.extents) {
                break;
            }
        }
    }

    /// One window of all lanes.
    ///
    /// # Safety
    /// `from` is the element of the window's first tap inside and `taps` are those inside; `out` is the window's place in
    /// the output.
    #[inline(always)]
    unsafe fn window<T: Real, I: Iterator<Item = Tap>>(
        &self,
        from: *const T,
        number: usize,
        taps: impl Fn() -> I,
        out: *mut T,
    ) {
        let Lanes { count, from: from_stride, out: out_stride, number: step } = self.lanes;
        let whole = if (from_stride, out_stride) == (1, 1) { count / LANES * LANES } else { 0 };
        // SAFETY: the caller's promise.
        unsafe {
            for first in (0..whole).step_by(LANES) {
                let number = number + first * step;
                lanes::<T, LANES>(from.add(first), number, taps(), out.add(first), step);
            }
            for lane in whole..count {
                let (from, out) = (from.add(lane * from_stride), out.add(lane * out_stride));
                lanes::<T, 1>(from, number + lane * step, taps(), out, step);
            }
        }
    }
}

/// One window of so many lanes side by side.
///
/// # Safety
/// As [`MaxIndex::window`].
#[inline(always)]
unsafe fn lanes<T: Real, const N: usize>(
    from: *const T,
    number: usize,
    taps: impl Iterator<Item = Tap>,
    out: *mut T,
    step: usize,
) {
    let real = |number: usize| T::from_f64(number as f64);
    let (mut largest, mut at) = ([T::ZERO; N], [real(number); N]);
    // SAFETY: the caller's promise.
    unsafe {
        for (lane, largest) in largest.iter_mut().enumerate() {
            *largest = *from.add(lane);
        }
        for tap in taps.skip(1) {
            let from = from.add(tap.offset);
            let here = real(number + tap.number);
            for (lane, (largest, at)) in largest.iter_mut().zip(&mut at).enumerate() {
                let (x, l, a) = (*from.add(lane), *largest, *at);
                #[expect(
                    clippy::eq_op,
                    reason = "only NaN differs from itself, and the comparison vectorises"
                )]
                let wins = (x > l) | (x != x);
                // As branches, two stores under one condition would not vectorise.
                *largest = select_unpredictable(wins, x, l);
                *at = select_unpredictable(wins, here, a);
            }
        }
        for (lane, at) in at.iter().enumerate() {
            *out.add(lane) = *at + real(lane * step);
        }
    }
}

/// So many taps along each axis, one after another.
#[inline(always)]
fn walk(counts: &[usize], steps: &[Tap]) -> impl Iterator<Item = Tap> {
    let mut counter = [0; MAX_AXES];
    let mut more = true;
    std::iter::from_fn(move || {
        let here = &mut counter[..counts.len()];
        let along = |of: fn(&Tap) -> usize| here.iter().zip(steps).map(|(&i, step)| i * of(step)).sum();
        let tap = Tap { offset: along(|step| step.offset), number: along(|step| step.number) };
        let some = more.then_some(tap);
        more = more && advance(here, counts);
        some
    })
}

/// The taps of the window at output position `y` that lie inside of its axis, where each position is `stride` further in
/// memory and `number` further in the number of the element.
fn inside(window: &Window, y: usize, stride: usize, number: usize) -> Inside {
    let place = |tap| window.place(y, tap);
    let first = (0..window.taps).find_map(|tap| Some((tap, place(tap)?)));
    let Some((first, p)) = first else {
        panic!("a window lies wholly in the padding: {window:?} at output position {y}")
    };
    let count = (first..window.taps).take_while(|&tap| place(tap).is_some()).count();
    Inside { offset: p * stride, number: p * number, count }
}

/// The call in a form to be compiled for each instruction set.
pub(crate) struct Run<'r, 'm, T> {
    pub(crate) plan: &'r MaxIndex,
    pub(crate) memory: &'r Memory<'m, T>,
}

impl<T: Real> Kernel for Run<'_, '_, T> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.plan.run(self.memory);
    }
}
