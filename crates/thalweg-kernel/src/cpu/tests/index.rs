use super::{Bench, Cases};
use crate::call::Call;
use crate::simd::Level;
use crate::{Layout, Window};

fn concat(a: &[usize], b: &[usize]) -> Vec<usize> {
    [a, b].concat()
}

/// A short shape.
fn short(cases: &mut Cases, most: usize) -> Vec<usize> {
    (0..cases.below(most + 1)).map(|_| cases.pick(&[1, 2, 3, 4, 9])).collect()
}

#[test]
fn copies_and_fills() {
    for n in 0..400 {
        let mut cases = Cases::new("copies", n);
        let mut bench = Bench::default();
        let shape = cases.shape(5000);
        let from = cases.layout(&shape, true);
        let from = bench.input(from, || cases.whole());
        let to = cases.layout(&shape, false);
        let to = bench.output(to);
        bench.call(Call::Copy { from, to });
        let to = cases.layout(&shape, false);
        let to = bench.output(to);
        bench.call(Call::Fill { value: 5.0f64.to_bits(), to });
        assert!(bench.exact(&format!("case {n}")));
    }
}

#[test]
fn rows_by_index() {
    for n in 0..500 {
        let mut cases = Cases::new("rows", n);
        let mut bench = Bench::default();
        let (batch, index, row) = (short(&mut cases, 2), short(&mut cases, 2), short(&mut cases, 2));
        let height = cases.pick(&[1, 2, 5, 11]);
        let index_shape = concat(&batch, &index);
        let table_shape = concat(&concat(&batch, &[height]), &row);
        let rows_shape = concat(&index_shape, &row);
        // Some indices are out of range on either side.
        let count: usize = index_shape.iter().product();
        let drawn: Vec<i32> = (0..count).map(|_| cases.below(height + 3) as i32 - 1).collect();
        bench.list.indices.push(drawn.len());
        bench.indices.push(drawn);
        let view = bench.arena(Layout::contiguous(0, &index_shape));
        bench.call(Call::LoadIndex { slot: 0, to: view.clone() });

        let table = cases.layout(&table_shape, true);
        let table = bench.input(table, || cases.whole());
        let out = cases.layout(&rows_shape, false);
        let out = bench.output(out);
        bench.call(Call::Gather { table, index: view.clone(), out, batch: batch.len() });

        let rows = cases.layout(&rows_shape, true);
        let rows = bench.input(rows, || cases.whole());
        let out = cases.layout(&table_shape, false);
        let out = bench.output(out);
        bench.call(Call::ScatterAdd { rows, index: view.clone(), out, batch: batch.len() });

        let out = cases.layout(&concat(&index_shape, &[height]), false);
        let out = bench.output(out);
        bench.call(Call::OneHot { index: view, out });
        assert!(bench.exact(&format!("case {n}")));
    }
}

/// A window that is never wholly in the padding.
fn window(cases: &mut Cases) -> Window {
    loop {
        let input = cases.pick(&[1, 2, 3, 5, 8]);
        let (taps, stride, dilation) = (1 + cases.below(4), 1 + cases.below(3), 1 + cases.below(2));
        let before = cases.below(4);
        let sees =
            |y: usize| (0..taps).any(|t| (before..before + input).contains(&(stride * y + dilation * t)));
        let output = (0..).take_while(|&y| sees(y)).count();
        if output > 0 {
            return Window { input, taps, output: 1 + cases.below(output), stride, dilation, before };
        }
    }
}

#[test]
fn largest_in_windows() {
    for n in 0..500 {
        let mut cases = Cases::new("windows", n);
        let mut bench = Bench::default();
        let leading = short(&mut cases, 2);
        let windows: Vec<Window> = (0..cases.below(4)).map(|_| window(&mut cases)).collect();
        let channels = cases.pick(&[0, 1, 2, 3, 7, 16, 63, 64, 65, 130]);
        let of = |extent: fn(&Window) -> usize| -> Vec<usize> {
            windows.iter().map(extent).chain([channels]).collect()
        };
        let from_shape = concat(&leading, &of(|w| w.input));
        let out_shape = concat(&leading, &of(|w| w.output));
        // Few different numbers, so that many are equal; some that no comparison orders, some below all others.
        let odd = cases.pick(&[0, 0, 5, 40]);
        let from = cases.layout(&from_shape, true);
        let from = bench.input(from, || match cases.below(100) {
            x if x < odd / 2 => f64::NAN,
            x if x < odd => f64::NEG_INFINITY,
            _ => cases.whole(),
        });
        let out = cases.layout(&out_shape, false);
        let out = bench.output(out);
        bench.call(Call::MaxIndex { from, out, windows });
        assert!(bench.exact(&format!("case {n}")));
    }
}

#[test]
#[should_panic(expected = "a window lies wholly in the padding")]
fn a_window_that_sees_nothing_is_refused() {
    let mut bench = Bench::default();
    let from = bench.input(Layout::contiguous(0, &[2, 1]), || 0.0);
    let out = bench.output(Layout::contiguous(0, &[2, 1]));
    let windows = vec![Window { input: 2, taps: 2, output: 2, stride: 3, dilation: 1, before: 0 }];
    bench.call(Call::MaxIndex { from, out, windows });
    bench.run::<f64>(Level::Portable);
}
