use super::{Bench, Cases};
use crate::Layout;
use crate::call::Call;

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
