//! A panel: some lanes, packed step after step, and their products.
#![expect(unsafe_code, reason = "walks factors by pointers and strides; the caller checked the views")]

use super::axes::{MAX_AXES, advance, position};
use super::product::{Chunk, Factor, Product};
use super::tiles::Tiles;
use crate::Real;

/// Some of the lanes.
#[derive(Clone, Copy)]
pub(super) struct Panel<T> {
    /// The first lane's place in the result.
    pub(super) out: *mut T,
    /// Where the products gather if they are not written where they belong, one row's lanes after another's.
    pub(super) products: *mut T,
    /// The first lane, and how many there are.
    pub(super) first: usize,
    pub(super) count: usize,
    /// How many with padding.
    pub(super) width: usize,
    /// Whether the products go where they belong.
    pub(super) direct: bool,
}

impl<T> Panel<T> {
    pub(super) const NOTHING: Self = Self {
        out: std::ptr::null_mut(),
        products: std::ptr::null_mut(),
        first: 0,
        count: 0,
        width: 0,
        direct: false,
    };
}

/// Packs a panel at the steps of a chunk.
///
/// # Safety
/// The lanes must be there, and room for the packed panel.
pub(super) unsafe fn pack<S: Tiles>(
    tiles: S,
    panel: Panel<S::Element>,
    factor: &Factor,
    lanes: *const S::Element,
    chunk: &Chunk,
    packed: *mut S::Element,
) {
    // Beyond the lanes stands what stood there before: the products of the padding go nowhere.
    let Panel { count, width, .. } = panel;
    let mut at = 0;
    for piece in &chunk.pieces {
        // SAFETY (both blocks): by contract.
        let (from, to) = unsafe { (lanes.add(piece.lanes), packed.add(at * width)) };
        unsafe { pack_piece(tiles, [count, piece.steps], factor, from, to, width) };
        at += piece.steps;
    }
}

/// # Safety
/// As [`pack`].
unsafe fn pack_piece<S: Tiles>(
    tiles: S,
    [count, steps]: [usize; 2],
    factor: &Factor,
    from: *const S::Element,
    to: *mut S::Element,
    width: usize,
) {
    let &Factor { along, step, .. } = factor;
    // SAFETY (all blocks): by contract.
    if along == 1 {
        let vectors = count / S::LANES;
        unsafe { tiles.strip(from, step, to, width, steps, vectors) };
        for k in 0..steps {
            for i in vectors * S::LANES..count {
                unsafe { *to.add(k * width + i) = *from.add(k * step + i) };
            }
        }
        return;
    }
    if step == 1 {
        unsafe { transpose(tiles, [count, steps], from, along, to, width) };
        return;
    }
    // What lies close together is read together.
    if along < step {
        for k in 0..steps {
            for i in 0..count {
                unsafe { *to.add(k * width + i) = *from.add(i * along + k * step) };
            }
        }
        return;
    }
    for i in 0..count {
        for k in 0..steps {
            unsafe { *to.add(k * width + i) = *from.add(i * along + k * step) };
        }
    }
}

/// Rows of so many elements side by side, `along` apart, as columns of a destination whose rows are `width` apart.
///
/// # Safety
/// All elements must be there, and room for them.
pub(super) unsafe fn transpose<S: Tiles>(
    tiles: S,
    [rows, elements]: [usize; 2],
    from: *const S::Element,
    along: usize,
    to: *mut S::Element,
    width: usize,
) {
    // SAFETY (both blocks): by contract.
    if rows < S::LANES || elements < S::LANES {
        for i in 0..rows {
            for k in 0..elements {
                unsafe { *to.add(k * width + i) = *from.add(i * along + k) };
            }
        }
        return;
    }
    for i in blocks(rows, S::LANES) {
        for k in blocks(elements, S::LANES) {
            unsafe { tiles.block(from.add(i * along + k), along, to.add(k * width + i), width) };
        }
    }
}

/// Where blocks of a length begin that cover so many elements, at least one block: the last one may cover some for a second time.
fn blocks(elements: usize, length: usize) -> impl Iterator<Item = usize> {
    (0..elements).step_by(length).map(move |start| start.min(elements - length))
}

/// Rows that lie one stride apart in the result, and their number among all rows.
struct Strip {
    number: usize,
    out: usize,
    count: usize,
    stride: usize,
}

fn strips(product: &Product, mut visit: impl FnMut(&Strip)) {
    for block in &product.blocks {
        let Some(strips) = &block.strips else { continue };
        let last = strips.extents.len() - 1;
        let (count, stride) = (strips.extents[last], strips.out[last]);
        let mut counter = [0; MAX_AXES];
        let counter = &mut counter[..last];
        let mut number = block.number;
        loop {
            let out = block.first + position(counter, &strips.out);
            visit(&Strip { number, out, count, stride });
            number += count;
            if !advance(counter, &strips.extents[..last]) {
                break;
            }
        }
    }
}

/// Gets what the products of a panel are added to: they then begin with it, as those do that are written in place, and
/// the bits do not depend on the width of a vector.
///
/// # Safety
/// The product's elements must be there.
pub(super) unsafe fn get<T: Real>(panel: Panel<T>, product: &Product) {
    let Panel { count, width, .. } = panel;
    strips(product, |&Strip { number, out, count: rows, stride }| {
        // SAFETY (both blocks): by contract.
        let (from, to) = unsafe { (panel.out.add(out), panel.products.add(number * width)) };
        for block in (0..rows).step_by(16) {
            for i in 0..count {
                for j in block..rows.min(block + 16) {
                    unsafe { *to.add(j * width + i) = *from.add(i * product.lanes_out + j * stride) };
                }
            }
        }
    });
}

/// Puts the products of a panel where they belong.
///
/// # Safety
/// The product's elements must be there.
pub(super) unsafe fn put<S: Tiles>(tiles: S, panel: Panel<S::Element>, product: &Product) {
    let (Panel { count, width, .. }, lane) = (panel, product.lanes_out);
    strips(product, |&Strip { number, out, count: rows, stride }| {
        // SAFETY (all blocks): by contract.
        let (from, to) = unsafe { (panel.products.add(number * width), panel.out.add(out)) };
        if stride == 1 {
            return unsafe { transpose(tiles, [rows, count], from, width, to, lane) };
        }
        // Sixteen rows at a time stay within the first-level cache.
        for block in (0..rows).step_by(16) {
            for i in 0..count {
                for j in block..rows.min(block + 16) {
                    unsafe { *to.add(i * lane + j * stride) = *from.add(j * width + i) };
                }
            }
        }
    });
}

/// Numbers that lanes are added up to, before these are.
const PARTS: usize = 16;

/// Puts the sums of the lanes of a group of panels where they belong. Their order is that of the lanes, whatever the panels'
/// width.
///
/// # Safety
/// The product's elements must be there.
pub(super) unsafe fn add_up<T: Real>(panels: &[Panel<T>], product: &Product, adds: bool) {
    strips(product, |&Strip { number, out, count: rows, stride }| {
        for row in 0..rows {
            let mut parts = [T::ZERO; PARTS];
            for &Panel { products, first, count, width, .. } in panels {
                // SAFETY: by contract.
                let lanes =
                    unsafe { std::slice::from_raw_parts(products.add((number + row) * width), count) };
                // Panels begin at multiples of four lanes.
                for (i, four) in lanes.chunks(4).enumerate() {
                    let parts = &mut parts[(first + 4 * i) % PARTS..];
                    parts.iter_mut().zip(four).for_each(|(part, &lane)| *part += lane);
                }
            }
            let mut length = PARTS;
            while length > 1 {
                length /= 2;
                for i in 0..length {
                    parts[i] += parts[i + length];
                }
            }
            // SAFETY: by contract.
            unsafe {
                let to = panels[0].out.add(out + row * stride);
                *to = if adds { *to + parts[0] } else { parts[0] };
            }
        }
    });
}
