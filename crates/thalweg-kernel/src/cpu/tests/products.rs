//! Matrix products of many sizes, whichever way their strides run, and level against level.

use super::{Bench, Cases};
use crate::Layout;
use crate::call::{Call, Labels};
use crate::simd::Level;

const SIZES: [[usize; 2]; 10] =
    [[1, 1], [4, 7], [15, 31], [16, 5], [24, 50], [64, 12], [65, 60], [130, 9], [191, 49], [400, 3]];
const DEPTHS: [usize; 6] = [1, 3, 33, 128, 257, 600];

/// A `[m, k]` and B `[n, k]`, each with k or its own axis innermost, with gaps between the rows; two terms if it adds.
fn product([m, n, k]: [usize; 3], flags: usize, whole: bool) -> Bench {
    let mut cases = Cases::new("products", (m * 1000 + n * 100 + k * 16 + flags) as u64);
    let mut bench = Bench::default();
    let [a_inner, b_inner, out_inner, adds] = [1, 2, 4, 8].map(|flag| flags & flag != 0);
    let layout = |[own, k]: [usize; 2], own_inner: bool, gap: usize| {
        let strides = if own_inner { vec![1, own + gap] } else { vec![k + gap, 1] };
        Layout { offset: gap, shape: vec![own, k], strides }
    };
    let mut number = || if whole { cases.whole() } else { cases.real() };
    let a = bench.input(layout([m, k], a_inner, 3), &mut number);
    let b = bench.input(layout([n, k], b_inner, 1), &mut number);
    let out = bench.output(layout([m, n], out_inner, 2));
    let labels = Labels { a: vec![0, 2], b: vec![1, 2], out: vec![0, 1] };
    for term in 0..=usize::from(adds) {
        let (a, b, out, labels) = (a.clone(), b.clone(), out.clone(), labels.clone());
        bench.call(Call::Contract { a, b, out, labels, adds: term > 0 });
    }
    bench
}

#[test]
fn products_are_sums_of_products() {
    for [m, n] in SIZES {
        for k in DEPTHS {
            for flags in (0..16).step_by(if m * n * k > 50_000 { 5 } else { 1 }) {
                assert!(product([m, n, k], flags, true).exact(&format!("m {m} n {n} k {k} {flags:b}")));
            }
        }
    }
}

/// Rows of which all lines would meet in the same sets of a cache are copied, part by part.
#[test]
fn products_of_rows_a_page_apart() {
    for [m, n, k] in [[9, 80, 40], [17, 65, 300], [300, 70, 33], [530, 100, 17], [600, 20, 9]] {
        for [a_inner, adds] in [[false, false], [false, true], [true, true]] {
            let mut cases = Cases::new("pages", (m + k) as u64);
            let mut bench = Bench::default();
            let strides = if a_inner { vec![1, 1024] } else { vec![1024, 1] };
            let a = Layout { offset: 5, shape: vec![m, k], strides };
            let a = bench.input(a, || cases.whole());
            let b = bench.input(Layout::contiguous(0, &[k, n]), || cases.whole());
            let out = bench.output(Layout { offset: 0, shape: vec![m, n], strides: vec![1024, 1] });
            let labels = Labels { a: vec![0, 2], b: vec![2, 1], out: vec![0, 1] };
            for term in 0..=usize::from(adds) {
                let (a, b, out, labels) = (a.clone(), b.clone(), out.clone(), labels.clone());
                bench.call(Call::Contract { a, b, out, labels, adds: term > 0 });
            }
            assert!(bench.exact(&format!("m {m} n {n} k {k} adds {adds}")));
        }
    }
}

/// Rows are copied for each group of lanes anew, unless one copy holds them all: here in one part, in several, for long sums and
/// for two terms.
#[test]
fn products_of_several_groups_of_lanes() {
    for [m, n, k] in [[40, 400, 40], [270, 400, 12], [34, 400, 150]] {
        for adds in [false, true] {
            let mut cases = Cases::new("groups", (m + k) as u64);
            let mut bench = Bench::default();
            let out = bench.output(Layout::contiguous(0, &[m, n]));
            for term in 0..=usize::from(adds) {
                let a = bench
                    .input(Layout { offset: 0, shape: vec![m, k], strides: vec![1, m] }, || cases.whole());
                let b = bench.input(Layout::contiguous(0, &[k, n]), || cases.whole());
                let labels = Labels { a: vec![0, 2], b: vec![2, 1], out: vec![0, 1] };
                bench.call(Call::Contract { a, b, out: out.clone(), labels, adds: term > 0 });
            }
            assert!(bench.exact(&format!("m {m} n {n} k {k} adds {adds}")));
        }
    }
}

/// The sum goes up in k whatever the width of a vector.
#[test]
fn levels_with_fused_multiply_add_agree_to_the_bit() {
    let levels: Vec<Level> =
        Level::available().into_iter().filter(|&level| level != Level::Portable).collect();
    for [m, n] in SIZES {
        for flags in 0..16 {
            let bench = product([m, n, 200], flags, false);
            for pair in levels.windows(2) {
                assert_eq!(
                    bench.run::<f32>(pair[0]),
                    bench.run::<f32>(pair[1]),
                    "{pair:?} m {m} n {n} {flags:b}"
                );
                assert_eq!(
                    bench.run::<f64>(pair[0]),
                    bench.run::<f64>(pair[1]),
                    "{pair:?} m {m} n {n} {flags:b}"
                );
            }
        }
    }
}
