//! Reductions of one tile: sums and maxima over any of its axes, in an order that the shape alone decides.
//!
//! A long row is added in 64 lanes and folded as a tree; columns are added four rows at a time, narrow ones with
//! several rows side by side in one period of whole vectors. The number of lanes is the same for every instruction
//! set, so each gives the same bits. Within a tile no chain of single-precision additions is longer than a few
//! dozen; across tiles the fused kernel adds in double precision.
#![expect(unsafe_code, reason = "walks raw blocks; lengths are the tile's")]

use super::axes::{MAX_AXES, advance, position};
use super::tape::maximum;
use crate::Real;
use crate::call::ReductionKind;
use crate::math::Float;

/// A run of neighbouring axes of the tile that are all reduced or all kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Extent without the chunked axis.
    pub(crate) extent: usize,
    /// Whether the chunked axis, of varying extent, is its first.
    pub(crate) rows: bool,
    /// Kept or reduced. Flags alternate.
    pub(crate) kept: bool,
}

impl Group {
    #[inline(always)]
    fn len(self, rows: usize) -> usize {
        self.extent * if self.rows { rows } else { 1 }
    }
}

/// What a reduction does with two numbers.
pub(crate) trait Combine {
    fn identity<T: Real>() -> T;
    fn combine<T: Real>(a: T, b: T) -> T;
}

pub(crate) struct Sum;
impl Combine for Sum {
    #[inline(always)]
    fn identity<T: Real>() -> T {
        T::ZERO
    }
    #[inline(always)]
    fn combine<T: Real>(a: T, b: T) -> T {
        a + b
    }
}

pub(crate) struct Max;
impl Combine for Max {
    #[inline(always)]
    fn identity<T: Real>() -> T {
        <T as Float>::NEG_INFINITY
    }
    #[inline(always)]
    fn combine<T: Real>(a: T, b: T) -> T {
        maximum(a, b)
    }
}

/// Reduces a tile of `rows` rows into the dense array of its kept positions.
///
/// # Safety
/// `values` holds the tile and `partial` has room for the kept positions; they do not overlap.
#[inline(always)]
pub(crate) unsafe fn reduce_tile<T: Real>(
    kind: ReductionKind,
    groups: &[Group],
    values: *const T,
    partial: *mut T,
    rows: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        match kind {
            ReductionKind::Sum => reduce_groups::<T, Sum>(groups, values, partial, rows),
            ReductionKind::Max => reduce_groups::<T, Max>(groups, values, partial, rows),
        }
    }
}

#[inline(always)]
unsafe fn reduce_groups<T: Real, C: Combine>(
    groups: &[Group],
    values: *const T,
    partial: *mut T,
    rows: usize,
) {
    let (outer, tail) = groups.split_at(groups.len().saturating_sub(2));
    let (mut extents, mut kept_strides, mut kept) = ([0; MAX_AXES], [0; MAX_AXES], 1);
    for group in tail.iter().filter(|g| g.kept) {
        kept *= group.len(rows);
    }
    for (i, group) in outer.iter().enumerate().rev() {
        extents[i] = group.len(rows);
        if group.kept {
            kept_strides[i] = kept;
            kept *= extents[i];
        }
    }
    // SAFETY (all blocks): block positions advance by the sizes of the groups, which multiply to the tile's.
    for i in 0..kept {
        unsafe { *partial.add(i) = C::identity() };
    }
    let step: usize = tail.iter().map(|g| g.len(rows)).product();
    let (mut counter, mut from) = ([0; MAX_AXES], values);
    loop {
        unsafe {
            let to = partial.add(position(&counter[..outer.len()], &kept_strides[..outer.len()]));
            match *tail {
                [first, second] if first.kept => rows_of::<T, C>(from, first.len(rows), second.len(rows), to),
                [first, second] => columns_of::<T, C>(from, first.len(rows), second.len(rows), to),
                [only] if !only.kept => rows_of::<T, C>(from, 1, only.len(rows), to),
                [only] => columns_of::<T, C>(from, 1, only.len(rows), to),
                _ => rows_of::<T, C>(from, 1, 1, to),
            }
            from = from.add(step);
        }
        if !advance(&mut counter[..outer.len()], &extents[..outer.len()]) {
            break;
        }
    }
}

/// Each of `rows` rows of `length` into its number.
#[inline(always)]
unsafe fn rows_of<T: Real, C: Combine>(values: *const T, rows: usize, length: usize, to: *mut T) {
    for row in 0..rows {
        // SAFETY: rows·length elements, and `rows` results.
        unsafe { *to.add(row) = C::combine(*to.add(row), fold::<T, C>(values.add(row * length), length)) };
    }
}

/// One run into one number.
#[inline(always)]
unsafe fn fold<T: Real, C: Combine>(values: *const T, n: usize) -> T {
    // SAFETY (all blocks): positions stay below n.
    let mut done = 0;
    let mut total = C::identity();
    if n >= 16 {
        let mut lanes = [C::identity::<T>(); 16];
        if n >= 64 {
            let mut wide = [C::identity::<T>(); 64];
            while done + 64 <= n {
                for (j, lane) in wide.iter_mut().enumerate() {
                    *lane = C::combine(*lane, unsafe { *values.add(done + j) });
                }
                done += 64;
            }
            for (j, lane) in lanes.iter_mut().enumerate() {
                *lane = C::combine(C::combine(wide[j], wide[j + 16]), C::combine(wide[j + 32], wide[j + 48]));
            }
        }
        while done + 16 <= n {
            for (j, lane) in lanes.iter_mut().enumerate() {
                *lane = C::combine(*lane, unsafe { *values.add(done + j) });
            }
            done += 16;
        }
        for j in 0..8 {
            lanes[j] = C::combine(lanes[j], lanes[j + 8]);
        }
        for j in 0..4 {
            lanes[j] = C::combine(lanes[j], lanes[j + 4]);
        }
        total = C::combine(C::combine(lanes[0], lanes[2]), C::combine(lanes[1], lanes[3]));
    }
    let mut tail = C::identity();
    while done < n {
        tail = C::combine(tail, unsafe { *values.add(done) });
        done += 1;
    }
    total = C::combine(total, tail);
    total
}

/// Elements of the widest period.
const PERIOD: usize = 256;

/// `rows` rows of `length` into one row.
#[inline(always)]
unsafe fn columns_of<T: Real, C: Combine>(values: *const T, rows: usize, length: usize, to: *mut T) {
    // SAFETY (all blocks): rows·length elements, and `length` results.
    let mut done = 0;
    if length < 64 && rows * length >= 2 * PERIOD {
        // Several rows side by side: a multiple of the length that is whole vectors, if a short one exists.
        let mut side = 16 >> (length.trailing_zeros().min(4));
        side *= (64 / (side * length)).max(1);
        if side * length > PERIOD {
            side = 64_usize.div_ceil(length);
        }
        let period = side * length;
        let mut sums = [C::identity::<T>(); PERIOD];
        let sums = sums.as_mut_ptr();
        while done + side <= rows {
            unsafe { add_row::<T, C>(values.add(done * length), period, sums) };
            done += side;
        }
        for group in 0..side {
            unsafe { add_row::<T, C>(sums.add(group * length), length, to) };
        }
    }
    while done + 4 <= rows {
        unsafe {
            let from = values.add(done * length);
            for j in 0..length {
                let low = C::combine(*from.add(j), *from.add(length + j));
                let high = C::combine(*from.add(2 * length + j), *from.add(3 * length + j));
                *to.add(j) = C::combine(*to.add(j), C::combine(low, high));
            }
        }
        done += 4;
    }
    while done < rows {
        unsafe { add_row::<T, C>(values.add(done * length), length, to) };
        done += 1;
    }
}

#[inline(always)]
unsafe fn add_row<T: Real, C: Combine>(from: *const T, length: usize, to: *mut T) {
    for j in 0..length {
        // SAFETY: `length` elements each.
        unsafe { *to.add(j) = C::combine(*to.add(j), *from.add(j)) };
    }
}
