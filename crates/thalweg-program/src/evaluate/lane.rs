//! What one task evaluates: a point over some neighbouring shards.

use std::ops::Range;

use rayon::prelude::*;
use thalweg_kernel::Real;

/// Elements of a sum that one task adds up.
const CHUNK: usize = 1 << 14;

/// A point and a lane of its shards.
pub(super) struct Task<'t, T> {
    pub(super) shared: &'t [&'t [T]],
    pub(super) shards: Range<usize>,
    pub(super) rows: Vec<&'t mut [T]>,
    /// The numbers of each shard, one shard's after another's.
    pub(super) scalars: Vec<f64>,
    pub(super) sums: Vec<Sum<'t, T>>,
}

/// Where a lane adds up: the first lane of a point in the caller's memory, the others in buffers of their own.
pub(super) enum Sum<'t, T> {
    Lent(&'t mut [T]),
    Own(Vec<T>),
}

impl<T> Sum<'_, T> {
    pub(super) fn slice(&self) -> &[T] {
        match self {
            Self::Lent(slice) => slice,
            Self::Own(buffer) => buffer,
        }
    }

    pub(super) fn slice_mut(&mut self) -> &mut [T] {
        match self {
            Self::Lent(slice) => slice,
            Self::Own(buffer) => buffer,
        }
    }

    pub(super) fn into_own(self) -> Option<Vec<T>> {
        match self {
            Self::Lent(_) => None,
            Self::Own(buffer) => Some(buffer),
        }
    }
}

/// The first elements of a slice, which is left with the rest.
pub(super) fn cut_off<'s, T>(rest: &mut &'s mut [T], count: usize) -> &'s mut [T] {
    rest.split_off_mut(..count).expect("a destination of rows holds all examples")
}

/// Adds the parts to `sum` in order. Elements are independent, so it does not matter who adds which.
pub(super) fn add_in_order<T: Real>(sum: &mut [T], parts: &[&[T]]) {
    let add = |(chunk, sum): (usize, &mut [T])| {
        let range = chunk * CHUNK..chunk * CHUNK + sum.len();
        for part in parts {
            sum.iter_mut().zip(&part[range.clone()]).for_each(|(sum, part)| *sum += *part);
        }
    };
    if parts.is_empty() || sum.len() <= 2 * CHUNK {
        sum.chunks_mut(CHUNK).enumerate().for_each(add);
    } else {
        sum.par_chunks_mut(CHUNK).enumerate().for_each(add);
    }
}
