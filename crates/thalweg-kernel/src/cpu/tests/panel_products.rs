//! Products in panels against sums of products, whichever way their strides run.
#![expect(unsafe_code, reason = "the products take pointers, here into vectors of the right length")]

use crate::call::{Call, CallList, Labels, Space, View};
use crate::cpu::Machine;
use crate::cpu::panel_products::{Factor, Product, multiply, workspace};
use crate::cpu::product_choice::{Side, lanes_of};
use crate::simd::Level;
use crate::{Key, Layout};

/// Small whole numbers: every order of summation gives the exact result.
fn whole(size: usize, name: &str) -> Vec<f32> {
    let mut values = vec![0.0; size];
    Key::from_seed(5).named(name).uniforms(&mut values);
    values.iter().map(|u| (u * 9.0).floor() as f32 - 4.0).collect()
}

/// L `[m, k]` and R `[n, k]`, either with k or its own axis innermost, with gaps between the rows.
fn check(level: Level, [m, n, k]: [usize; 3], lanes_inner: bool, out_lanes_inner: bool, adds: bool) {
    let (along, step) = if lanes_inner { (1, m + 3) } else { (k + 3, 1) };
    let (to_lanes, to_rows) = if out_lanes_inner { (1, m + 1) } else { (n + 1, 1) };
    let (l, r) = (whole((m + 3) * (k + 3), "l"), whole(n * (k + 1), "r"));
    let begun = whole((m + 1) * (n + 1), "out");
    let mut out = begun.clone();
    let mut space = vec![f32::NAN; workspace(n)];
    let lanes = Factor { start: l.as_ptr(), extent: m, along, step };
    let rows = Factor { start: r.as_ptr(), extent: n, along: k + 1, step: 1 };
    let product = Product { start: out.as_mut_ptr(), lanes: to_lanes, rows: to_rows, adds };
    // SAFETY: the level is there, and all slices were made for these strides.
    unsafe { multiply(level, lanes, rows, k, product, space.as_mut_ptr()) };
    let mut expected = begun.clone();
    for i in 0..m {
        for j in 0..n {
            let at = i * to_lanes + j * to_rows;
            let sum: f32 = (0..k).map(|s| l[i * along + s * step] * r[j * (k + 1) + s]).sum();
            expected[at] = if adds { begun[at] + sum } else { sum };
        }
    }
    assert!(out == expected, "{level:?} m {m} n {n} k {k} {lanes_inner} {out_lanes_inner} {adds}");
}

#[test]
fn products_are_sums_of_products() {
    for level in Level::available().into_iter().filter(|level| matches!(level, Level::Avx2 | Level::Avx512)) {
        for (m, n) in [(1, 1), (4, 7), (15, 31), (16, 5), (64, 12), (65, 20), (130, 9), (191, 40), (400, 3)] {
            for k in [1, 32, 33, 128, 129, 300] {
                for flags in 0..8 {
                    check(level, [m, n, k], flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
                }
            }
        }
    }
}

#[test]
fn calls_take_the_factor_that_suits() {
    for level in Level::available() {
        for transposed in [false, true] {
            for [m, n, k] in [[70, 600, 40], [600, 70, 40], [384, 10, 64], [10, 384, 64]] {
                let view = |space, shape: [usize; 2]| View { space, layout: Layout::contiguous(0, &shape) };
                let (out, labels) = if transposed { ([n, m], vec![1, 0]) } else { ([m, n], vec![0, 1]) };
                let list = CallList {
                    inputs: vec![m * k, n * k],
                    outputs: vec![m * n],
                    calls: vec![Call::Contract {
                        a: view(Space::Input(0), [m, k]),
                        b: view(Space::Input(1), [n, k]),
                        out: view(Space::Output(0), out),
                        labels: Labels { a: vec![0, 2], b: vec![1, 2], out: labels },
                        adds: false,
                    }],
                    ..CallList::default()
                };
                let machine = Machine::<f32>::with_level(&list, level);
                let (x, w) = (whole(m * k, "x"), whole(n * k, "w"));
                let mut result = vec![f32::NAN; m * n];
                machine.run(&mut machine.scratch(), &[&x, &w], &[], &mut [&mut result]);
                for i in 0..m {
                    for j in 0..n {
                        let expected: f32 = (0..k).map(|s| x[i * k + s] * w[j * k + s]).sum();
                        let found = result[if transposed { j * m + i } else { i * n + j }];
                        assert_eq!(found, expected, "{level:?} {transposed} m {m} n {n} k {k} at {i}, {j}");
                    }
                }
            }
        }
    }
}

#[test]
fn no_product_goes_where_no_vectors_are() {
    let side = |extent, along, step| Side { extent, along, step, out: 1 };
    let sides = [side(128, 784, 1), side(512, 784, 1)];
    assert_eq!(lanes_of(Level::Portable, sides, 784), None);
    assert_eq!(lanes_of(Level::Avx512, sides, 784), Some(0));
    // Neither factor's rows run along k.
    assert_eq!(lanes_of(Level::Avx512, [side(512, 1, 512), side(784, 1, 784)], 128), None);
}
