//! Which way a matrix product goes: in panels, and which of its factors, or as a general one.

use crate::simd::Level;

/// Shortest sum for which writing the products does not weigh more than packing.
const LEAST_DEPTH: usize = 32;

/// How a factor would do as that of the lanes: its extent, and the distances between neighbours along its own axis,
/// along k, and in the product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) extent: usize,
    pub(super) along: usize,
    pub(super) step: usize,
    pub(super) out: usize,
}

/// Whether a product goes better this way than as a general one, and if so which of the two factors is that of the
/// lanes.
pub(super) fn lanes_of(level: Level, sides: [Side; 2], depth: usize) -> Option<usize> {
    if depth < LEAST_DEPTH || !matches!(level, Level::Avx2 | Level::Avx512) {
        return None;
    }
    let cost = |of: usize| cost(sides[of], sides[1 - of], depth);
    let best = if cost(1) < cost(0) { 1 } else { 0 };
    (cost(best) < general(sides, depth)).then_some(best)
}

/// Estimated cost in cycles: of multiplying, packing, and transposing the product. The weights were fitted to products
/// of 16 to 384 examples with weights of 10 to 784 rows and columns.
fn cost(lanes: Side, rows: Side, depth: usize) -> f64 {
    if rows.step != 1 {
        return f64::INFINITY;
    }
    // One vector with six rows leaves the multipliers waiting for each other.
    let wait = if lanes.extent <= 16 { 1.4 } else { 1.0 };
    let multiply = (lanes.extent.next_multiple_of(16) * rows.extent * depth) as f64 / 32.0;
    let put = if lanes.out == 1 { 0.0 } else { 0.5 * (lanes.extent * rows.extent) as f64 };
    wait * multiply + 0.4 * (lanes.extent * depth) as f64 + put
}

/// That of the general product, which packs what lies across k, and what lies along it if the other factor is long.
fn general([a, b]: [Side; 2], depth: usize) -> f64 {
    let multiply = (a.extent.next_multiple_of(8) * b.extent.next_multiple_of(8) * depth) as f64 / 29.5;
    let pack = |side: Side, other: Side| {
        let each = match side.along {
            1 if other.extent < 48 => 0.0,
            1 => 0.25,
            _ => 0.6,
        };
        each * (side.extent * depth) as f64
    };
    multiply + pack(a, b) + pack(b, a)
}
