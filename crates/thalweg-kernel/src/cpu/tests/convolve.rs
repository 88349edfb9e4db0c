//! Convolutions in all their arrangements against sums over everything.

use super::{Bench, Cases};
use crate::call::{Call, Labels};
use crate::simd::Level;
use crate::{Layout, Window};

/// A random convolution of up to three windows, any of its arrays the result, over views of any strides.
fn random(number: u64) -> Bench {
    let mut cases = Cases::new("convolutions", number);
    let mut bench = Bench::default();
    // Arrays of inputs, taps and outputs, each with labels and extents.
    let mut arrays: [Vec<(u8, usize)>; 3] = Default::default();
    let mut windows = Vec::new();
    let mut name = b'a';
    let count = cases.pick(&[1, 1, 2, 2, 3]);
    for _ in 0..count {
        let input = if count == 3 { cases.pick(&[1, 2, 4]) } else { cases.pick(&[1, 2, 4, 5, 7, 9, 14]) };
        let taps = cases.pick(&[1, 2, 3, 3, 5]);
        let (stride, dilation) = (cases.pick(&[1, 1, 1, 2, 3]), cases.pick(&[1, 1, 1, 2, 3]));
        let padding = [cases.pick(&[0, 0, 1, 2, 4]), cases.pick(&[0, 0, 1, 3])];
        let window = Window::new(input, taps, stride, dilation, padding);
        let extents = [window.input, window.taps, window.output];
        for (array, extent) in arrays.iter_mut().zip(extents) {
            array.push((name, extent));
            name += 1;
        }
        windows.push(([name - 3, name - 2, name - 1], window));
    }
    let many = windows.len() > 1;
    for members in [[true, false, true], [true, true, false], [false, true, true], [true, true, true]] {
        if cases.chance(if members == [true; 3] { 25 } else { 75 }) {
            let extent = if many { cases.pick(&[1, 2, 3]) } else { cases.pick(&[1, 2, 3, 5, 16, 19]) };
            for (array, member) in arrays.iter_mut().zip(members) {
                if member {
                    array.push((name, extent));
                }
            }
            name += 1;
        }
    }
    for list in &mut arrays {
        for i in (1..list.len()).rev() {
            list.swap(i, cases.below(i + 1));
        }
    }
    let turn = cases.below(3);
    arrays.rotate_left(turn);
    if cases.chance(50) {
        arrays.swap(0, 1);
    }
    let [a, b, out] = arrays;
    let shape = |list: &[(u8, usize)]| list.iter().map(|l| l.1).collect::<Vec<_>>();
    let names = |list: &[(u8, usize)]| list.iter().map(|l| l.0).collect::<Vec<_>>();
    let labels = Labels { a: names(&a), b: names(&b), out: names(&out) };
    let layout = cases.layout(&shape(&a), false);
    let a = bench.input(layout, || cases.whole());
    let layout = cases.layout(&shape(&b), false);
    let b = bench.input(layout, || cases.whole());
    let out = bench.output(cases.layout(&shape(&out), false));
    for term in 0..cases.pick(&[1, 1, 2]) {
        let (a, b, out, labels) = (a.clone(), b.clone(), out.clone(), labels.clone());
        bench.call(Call::Convolve { a, b, out, labels, windows: windows.clone(), adds: term > 0 });
    }
    bench
}

#[test]
fn random_convolutions_on_integers_are_exact() {
    for n in 0..700 {
        assert!(random(n).exact(&format!("case {n}")), "case {n} is too large");
    }
}

/// First layers to the weights, whose taps share rows: with and without borders, strided, dilated, and taps that see
/// little of the image.
#[test]
fn taps_that_share_rows_are_exact() {
    for (size, channels, taps, stride, dilation, padding) in [
        (12, 1, 5, 1, 1, [2, 2]),
        (9, 3, 3, 1, 1, [1, 1]),
        (9, 3, 3, 1, 1, [0, 0]),
        (13, 2, 3, 2, 1, [1, 1]),
        (14, 1, 3, 2, 2, [2, 3]),
        (6, 1, 4, 1, 2, [3, 3]),
        (5, 1, 5, 1, 1, [4, 4]),
    ] {
        for lanes in [1, 6, 16] {
            let mut cases = Cases::new("first layers", (size * 100 + taps * 20 + lanes) as u64);
            let mut bench = Bench::default();
            let window = Window::new(size, taps, stride, dilation, padding);
            let places = window.output;
            let x = bench.input(Layout::contiguous(0, &[3, size, size, channels]), || cases.whole());
            let dy = bench.input(Layout::contiguous(0, &[3, places, places, lanes]), || cases.whole());
            // As PyTorch's weights lie in memory, and with the lanes side by side, where products go in place.
            for order in [[0, 1, 2, 3], [3, 2, 0, 1]] {
                let extents = [lanes, channels, taps, taps];
                let mut strides = [0; 4];
                let mut next = 1;
                for axis in (0..4).rev().map(|i| order.iter().position(|&o| o == i).expect("an order")) {
                    (strides[axis], next) = (next, next * extents[axis]);
                }
                let out = Layout { offset: 0, shape: extents.to_vec(), strides: strides.to_vec() };
                let out = bench.output(out);
                for adds in [false, true] {
                    let labels = Labels { a: b"nhwc".to_vec(), b: b"npqo".to_vec(), out: b"ocij".to_vec() };
                    let windows = vec![([b'h', b'i', b'p'], window), ([b'w', b'j', b'q'], window)];
                    let (a, b, out) = (x.clone(), dy.clone(), out.clone());
                    bench.call(Call::Convolve { a, b, out, labels, windows, adds });
                }
            }
            assert!(
                bench.exact(&format!("{size} {channels} {taps} {stride} {dilation} {padding:?} {lanes}"))
            );
        }
    }
}

/// Arrays with labels and extents, dense in memory: two factors and the result; and then the same added once more.
fn dense(
    arrays: &[Vec<(u8, usize)>; 3],
    windows: &[([u8; 3], Window)],
    mut value: impl FnMut() -> f64,
) -> Bench {
    let mut bench = Bench::default();
    let shape = |of: usize| arrays[of].iter().map(|l| l.1).collect::<Vec<_>>();
    let names = |of: usize| arrays[of].iter().map(|l| l.0).collect::<Vec<_>>();
    let a = bench.input(Layout::contiguous(0, &shape(0)), &mut value);
    let b = bench.input(Layout::contiguous(0, &shape(1)), &mut value);
    let out = bench.output(Layout::contiguous(0, &shape(2)));
    let labels = Labels { a: names(0), b: names(1), out: names(2) };
    for adds in [false, true] {
        let (a, b, out, labels) = (a.clone(), b.clone(), out.clone(), labels.clone());
        bench.call(Call::Convolve { a, b, out, labels, windows: windows.to_vec(), adds });
    }
    bench
}

/// `[n, positions, positions, c]` with weights `[o, c, taps, taps]`, turned so that any of the arrays is the result.
fn network([n, size, c, o, taps, stride]: [usize; 6], turn: usize, value: impl FnMut() -> f64) -> Bench {
    let window = Window::new(size, taps, stride, 1, [taps / 2, taps / 2]);
    let mut arrays = [
        vec![(b'n', n), (b'h', size), (b'w', size), (b'c', c)],
        vec![(b'o', o), (b'c', c), (b'i', taps), (b'j', taps)],
        vec![(b'n', n), (b'p', window.output), (b'q', window.output), (b'o', o)],
    ];
    arrays.rotate_left(turn);
    dense(&arrays, &[([b'h', b'i', b'p'], window), ([b'w', b'j', b'q'], window)], value)
}

/// The same of images whose examples lie inside: `[positions, positions, c, n]`.
fn examples_inside(
    [n, size, c, o, taps, stride, padding]: [usize; 7],
    turn: usize,
    value: impl FnMut() -> f64,
) -> Bench {
    let window = Window::new(size, taps, stride, 1, [padding, padding]);
    let mut arrays = [
        vec![(b'h', size), (b'w', size), (b'c', c), (b'n', n)],
        vec![(b'o', o), (b'c', c), (b'i', taps), (b'j', taps)],
        vec![(b'p', window.output), (b'q', window.output), (b'o', o), (b'n', n)],
    ];
    arrays.rotate_left(turn % 3);
    if turn >= 3 {
        arrays.swap(0, 1);
    }
    dense(&arrays, &[([b'h', b'i', b'p'], window), ([b'w', b'j', b'q'], window)], value)
}

/// Channels with weights of their own, `filters` for each.
fn depthwise(
    [channels, filters, taps, stride]: [usize; 4],
    turn: usize,
    value: impl FnMut() -> f64,
) -> Bench {
    let size = 7;
    let window = Window::new(size, taps, stride, 1, [taps / 2, taps / 2]);
    let mut arrays = [
        vec![(b'n', 2), (b'h', size), (b'w', size), (b'c', channels)],
        vec![(b'c', channels), (b'm', filters), (b'i', taps), (b'j', taps)],
        vec![(b'n', 2), (b'p', window.output), (b'q', window.output), (b'm', filters), (b'c', channels)],
    ];
    arrays.rotate_left(turn % 3);
    if turn >= 3 {
        arrays.swap(0, 1);
    }
    dense(&arrays, &[([b'h', b'i', b'p'], window), ([b'w', b'j', b'q'], window)], value)
}

/// Shapes of networks, large enough for chunks, long sums and several panels.
#[test]
fn convolutions_of_networks_are_exact() {
    for shape in [
        [2, 9, 16, 16, 3, 1],
        [1, 8, 40, 70, 3, 1],
        [3, 7, 3, 20, 5, 1],
        [2, 8, 17, 33, 3, 2],
        [2, 6, 20, 65, 1, 1],
        [2, 3, 70, 130, 3, 1],
        [2, 4, 130, 70, 3, 2],
    ] {
        for turn in 0..3 {
            let mut cases = Cases::new("networks", (shape[2] * 3 + turn) as u64);
            let bench = network(shape, turn, || cases.whole());
            assert!(bench.exact(&format!("{shape:?}, turned by {turn}")));
        }
    }
}

/// Numbers of examples that fill vectors and that do not, of one group of panels and of two.
#[test]
fn convolutions_with_examples_inside_are_exact() {
    for shape in [
        [16, 7, 1, 6, 5, 1, 2],
        [64, 6, 6, 5, 3, 1, 0],
        [37, 6, 3, 4, 3, 2, 1],
        [80, 5, 2, 1, 2, 1, 0],
        [400, 3, 2, 3, 3, 1, 1],
        [16, 4, 300, 2, 2, 2, 0],
    ] {
        for turn in 0..6 {
            let mut cases = Cases::new("examples inside", (shape[0] * 6 + turn) as u64);
            let bench = examples_inside(shape, turn, || cases.whole());
            assert!(bench.exact(&format!("{shape:?}, turned by {turn}")));
        }
    }
}

/// Numbers of channels that fill vectors and that do not.
#[test]
fn depthwise_convolutions_are_exact() {
    for shape in [[8, 1, 3, 1], [16, 1, 3, 2], [19, 2, 3, 1], [40, 1, 5, 1], [70, 3, 2, 1]] {
        for turn in 0..6 {
            let mut cases = Cases::new("depthwise", (shape[0] * 6 + turn) as u64);
            let bench = depthwise(shape, turn, || cases.whole());
            assert!(bench.exact(&format!("{shape:?}, turned by {turn}")));
        }
    }
}

/// The order of a sum is that of the plan, whatever the width of a vector.
#[test]
fn levels_with_fused_multiply_add_agree_to_the_bit() {
    let levels: Vec<Level> =
        Level::available().into_iter().filter(|&level| level != Level::Portable).collect();
    let mut cases = Cases::new("levels", 0);
    let mut benches = Vec::new();
    for turn in 0..3 {
        benches.push(network([2, 9, 16, 24, 3, 1], turn, || cases.real()));
        benches.push(network([3, 9, 3, 7, 3, 1], turn, || cases.real()));
        benches.push(network([2, 6, 70, 33, 3, 2], turn, || cases.real()));
        benches.push(depthwise([19, 2, 3, 1], turn, || cases.real()));
        benches.push(examples_inside([464, 6, 3, 5, 3, 1, 1], turn, || cases.real()));
    }
    for (number, bench) in benches.iter().enumerate() {
        for pair in levels.windows(2) {
            assert_eq!(bench.run::<f32>(pair[0]), bench.run::<f32>(pair[1]), "{pair:?}, {number}");
            assert_eq!(bench.run::<f64>(pair[0]), bench.run::<f64>(pair[1]), "{pair:?}, {number}");
        }
    }
}

/// A window of one tap, or of one output position, is a label: its products are those of a contraction, bit for bit.
#[test]
fn windows_of_one_tap_or_output_are_labels() {
    let (n, size, c, o) = (3, 6, 20, 33);
    for (taps, stride) in [(1, 1), (1, 2), (size, 1)] {
        let mut cases = Cases::new("one tap", (taps * 3 + stride) as u64);
        let mut bench = Bench::default();
        let window = Window::new(size, taps, stride, 1, [0, 0]);
        let places = window.output;
        let x = bench.input(Layout::contiguous(0, &[n, size, size, c]), || cases.real());
        let w = bench.input(Layout::contiguous(0, &[o, c, taps, taps]), || cases.real());
        let out: Vec<_> =
            (0..2).map(|_| bench.output(Layout::contiguous(0, &[n, places, places, o]))).collect();
        let labels = Labels { a: b"nhwc".to_vec(), b: b"ocij".to_vec(), out: b"npqo".to_vec() };
        let windows = vec![([b'h', b'i', b'p'], window), ([b'w', b'j', b'q'], window)];
        let (a, b) = (x.clone(), w.clone());
        bench.call(Call::Convolve { a, b, out: out[0].clone(), labels, windows, adds: false });
        let (mut a, mut b, mut product) = (x, w, out[1].clone());
        let labels = if taps == 1 {
            a.layout = a.layout.sliced(1, 0, places, stride).sliced(2, 0, places, stride);
            b.layout = Layout { offset: 0, shape: vec![o, c], strides: vec![c, 1] };
            Labels { a: b"nhwc".to_vec(), b: b"oc".to_vec(), out: b"nhwo".to_vec() }
        } else {
            product.layout = Layout::contiguous(0, &[n, o]);
            Labels { a: b"nhwc".to_vec(), b: b"ochw".to_vec(), out: b"no".to_vec() }
        };
        bench.call(Call::Contract { a, b, out: product, labels, adds: false });
        for level in Level::available() {
            let found = bench.run::<f32>(level);
            assert_eq!(found[0], found[1], "{taps} taps, stride {stride}, {level:?}");
        }
    }
}
