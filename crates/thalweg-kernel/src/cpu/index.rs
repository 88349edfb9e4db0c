//! Rows by index: gather, scatter-add, one-hot.
#![expect(
    unsafe_code,
    reason = "views were checked when the plan was made, indices are checked at every use"
)]

use super::axes::{MAX_AXES, advance, axes, merged, position};
use super::memory::{Memory, Place};
use crate::Real;
use crate::math::Float;

/// Gather or scatter-add, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// Buffer and offset of the table (gather's source, scatter's destination), the index and the rows.
    table: (usize, usize),
    index: (usize, usize),
    rows: (usize, usize),
    /// The loops over `[n…, i…]` with the strides of the three; the last is `along`.
    extents: Vec<usize>,
    table_strides: Vec<usize>,
    index_strides: Vec<usize>,
    row_strides: Vec<usize>,
    along: Along,
    /// How many rows the table has, and their distance.
    height: usize,
    height_stride: usize,
    /// A row's axes with their strides in the table and among the rows; the last is `run`.
    inner_extents: Vec<usize>,
    inner_table: Vec<usize>,
    inner_rows: Vec<usize>,
    run: (usize, usize, usize),
}

/// The innermost loop over rows: how many, and the strides of table, index and rows.
#[derive(Clone, Copy, Debug)]
struct Along {
    extent: usize,
    table: usize,
    index: usize,
    rows: usize,
}

impl Rows {
    /// Plans `rows[n…, i…, r…] ↔ table[n…, index[n…, i…], r…]`; `None` where there are no rows.
    pub(crate) fn new(table: &Place, index: &Place, rows: &Place, batch: usize) -> Option<Self> {
        let (t, i, r) = (&table.layout, &index.layout, &rows.layout);
        assert!(
            t.shape.len() > batch && i.shape.len() >= batch,
            "an index with {batch} shared axes: {t:?}, {i:?}"
        );
        let expected = [&i.shape[..], &t.shape[batch + 1..]].concat();
        assert_eq!(r.shape, expected, "rows by index have the index's axes, then a row's");
        assert_eq!(t.shape[..batch], i.shape[..batch], "table and index share their first {batch} axes");
        if r.is_empty() {
            return None;
        }
        let outer = i.shape.len();
        let mut table_outer = t.strides[..batch].to_vec();
        table_outer.resize(outer, 0);
        let mut walk = merged(axes(&i.shape, &[&table_outer, &i.strides, &r.strides[..outer]]));
        let along = walk.pop().map_or(Along { extent: 1, table: 0, index: 0, rows: 0 }, |axis| {
            let [table, index, rows] = [0, 1, 2].map(|s| axis.strides[s]);
            Along { extent: axis.extent, table, index, rows }
        });
        let mut inside = merged(axes(&t.shape[batch + 1..], &[&t.strides[batch + 1..], &r.strides[outer..]]));
        let run = inside.pop().map_or((1, 1, 1), |axis| (axis.extent, axis.strides[0], axis.strides[1]));
        let column = |walk: &[super::axes::Axis], s: usize| walk.iter().map(|axis| axis.strides[s]).collect();
        Some(Self {
            table: (table.buffer, t.offset),
            index: (index.buffer, i.offset),
            rows: (rows.buffer, r.offset),
            extents: walk.iter().map(|axis| axis.extent).collect(),
            table_strides: column(&walk, 0),
            index_strides: column(&walk, 1),
            row_strides: column(&walk, 2),
            along,
            height: t.shape[batch],
            height_stride: t.strides[batch],
            inner_extents: inside.iter().map(|axis| axis.extent).collect(),
            inner_table: column(&inside, 0),
            inner_rows: column(&inside, 1),
            run,
        })
    }

    /// Calls `each(position in the table if the index is in range, position among the rows)` for each run of a row.
    #[inline(always)]
    fn walk<T: Real>(&self, memory: &Memory<'_, T>, mut each: impl FnMut(Option<usize>, usize)) {
        let mut counter = [0; MAX_AXES];
        let counter = &mut counter[..self.extents.len()];
        let mut inner = [0; MAX_AXES];
        let inner = &mut inner[..self.inner_extents.len()];
        let Along { extent, table, index, rows } = self.along;
        loop {
            let table_from = self.table.1 + position(counter, &self.table_strides);
            let index_from = self.index.1 + position(counter, &self.index_strides);
            let rows_from = self.rows.1 + position(counter, &self.row_strides);
            for i in 0..extent {
                // SAFETY: the index's view was checked.
                let named = unsafe { *memory.at(self.index.0, index_from + i * index) };
                let row =
                    row_of(named, self.height).map(|row| table_from + i * table + row * self.height_stride);
                let to = rows_from + i * rows;
                if inner.is_empty() {
                    each(row, to);
                    continue;
                }
                loop {
                    let row = row.map(|row| row + position(inner, &self.inner_table));
                    each(row, to + position(inner, &self.inner_rows));
                    if !advance(inner, &self.inner_extents) {
                        break;
                    }
                }
            }
            if !advance(counter, &self.extents) {
                break;
            }
        }
    }

    /// Rows from the table; NaN where the index is out of range.
    pub(crate) fn gather<T: Real>(&self, memory: &Memory<'_, T>) {
        let (extent, from_step, to_step) = self.run;
        if extent == 1 {
            // Rows of single numbers: no loop, no steps.
            return self.walk(memory, |table, row| {
                // SAFETY: as below.
                unsafe {
                    let value = table.map(|table| *memory.at(self.table.0, table));
                    *memory.at(self.rows.0, row) = value.unwrap_or(<T as Float>::NAN);
                }
            });
        }
        self.walk(memory, |table, row| {
            // SAFETY: positions are those of the views; the row number was compared with the table's height.
            unsafe {
                let to = memory.at(self.rows.0, row);
                match table {
                    Some(table) => {
                        let from = memory.at(self.table.0, table);
                        for i in 0..extent {
                            *to.add(i * to_step) = *from.add(i * from_step);
                        }
                    }
                    None => {
                        for i in 0..extent {
                            *to.add(i * to_step) = <T as Float>::NAN;
                        }
                    }
                }
            }
        });
    }

    /// Rows added to the table, in index order.
    pub(crate) fn scatter_add<T: Real>(&self, memory: &Memory<'_, T>) {
        let (extent, to_step, from_step) = self.run;
        if extent == 1 {
            return self.walk(memory, |table, row| {
                let Some(table) = table else { return };
                // SAFETY: as in `gather`.
                unsafe { *memory.at(self.table.0, table) += *memory.at(self.rows.0, row) };
            });
        }
        self.walk(memory, |table, row| {
            let Some(table) = table else { return };
            // SAFETY: as in `gather`.
            unsafe {
                let from = memory.at(self.rows.0, row);
                let to = memory.at(self.table.0, table);
                for i in 0..extent {
                    *to.add(i * to_step) += *from.add(i * from_step);
                }
            }
        });
    }
}

/// The row that an index names, if the table has it.
#[inline(always)]
fn row_of<T: Real>(index: T, height: usize) -> Option<usize> {
    let index = index.to_f64();
    (index >= 0.0 && index < height as f64).then_some(index as usize)
}

/// One-hot rows, prepared.
#[derive(Clone, Debug)]
pub(crate) struct OneHot {
    index: (usize, usize),
    out: (usize, usize),
    extents: Vec<usize>,
    index_strides: Vec<usize>,
    out_strides: Vec<usize>,
    classes: usize,
    class_stride: usize,
}

impl OneHot {
    /// `None` where there is nothing to write.
    pub(crate) fn new(index: &Place, out: &Place) -> Option<Self> {
        let (i, o) = (&index.layout, &out.layout);
        let outer = i.shape.len();
        assert!(
            o.shape.len() == outer + 1 && o.shape[..outer] == i.shape[..],
            "one-hot rows of {i:?} in {o:?}"
        );
        if o.is_empty() {
            return None;
        }
        let walk = merged(axes(&i.shape, &[&i.strides, &o.strides[..outer]]));
        Some(Self {
            index: (index.buffer, i.offset),
            out: (out.buffer, o.offset),
            extents: walk.iter().map(|axis| axis.extent).collect(),
            index_strides: walk.iter().map(|axis| axis.strides[0]).collect(),
            out_strides: walk.iter().map(|axis| axis.strides[1]).collect(),
            classes: o.shape[outer],
            class_stride: o.strides[outer],
        })
    }

    pub(crate) fn run<T: Real>(&self, memory: &Memory<'_, T>) {
        let mut counter = [0; MAX_AXES];
        let counter = &mut counter[..self.extents.len()];
        loop {
            // SAFETY: positions are those of the views, which were checked; the class was compared with their number.
            unsafe {
                let index = *memory.at(self.index.0, self.index.1 + position(counter, &self.index_strides));
                let out = memory.at(self.out.0, self.out.1 + position(counter, &self.out_strides));
                for class in 0..self.classes {
                    *out.add(class * self.class_stride) = T::ZERO;
                }
                if let Some(class) = row_of(index, self.classes) {
                    *out.add(class * self.class_stride) = T::ONE;
                }
            }
            if !advance(counter, &self.extents) {
                break;
            }
        }
    }
}
