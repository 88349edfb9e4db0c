//! The calls as naive loops in double precision.

use super::Bench;

use crate::call::{Binary, Call, Instruction, Labels, ReductionKind, Space, Unary, View};
use crate::{Key, Layout, Window};

struct Store<'a> {
    bench: &'a Bench,
    outputs: Vec<Vec<f64>>,
    arena: Vec<f64>,
    scratch: Vec<f64>,
    largest: f64,
}

/// The outputs, and the largest magnitude of any number on the way (Σ|x| for sums).
pub(crate) fn run(bench: &Bench) -> (Vec<Vec<f64>>, f64) {
    let list = &bench.list;
    let mut store = Store {
        bench,
        outputs: list.outputs.iter().map(|&n| vec![-7.0; n]).collect(),
        arena: vec![0.0; list.arena],
        scratch: vec![0.0; list.scratch],
        largest: 0.0,
    };
    for call in &list.calls {
        store.call(call);
    }
    (store.outputs, store.largest)
}

/// All positions of a shape in order.
pub(crate) fn positions(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for &extent in shape {
        all = all
            .into_iter()
            .flat_map(|p: Vec<usize>| (0..extent).map(move |i| [&p[..], &[i]].concat()))
            .collect();
    }
    all
}

fn address(layout: &Layout, position: &[usize]) -> usize {
    layout.offset + position.iter().zip(&layout.strides).map(|(i, s)| i * s).sum::<usize>()
}

impl Store<'_> {
    fn read(&self, view: &View, position: &[usize]) -> f64 {
        let at = address(&view.layout, position);
        match view.space {
            Space::Input(i) => self.bench.inputs[i][at],
            Space::Output(i) => self.outputs[i][at],
            Space::Arena => self.arena[at],
            Space::Scratch => self.scratch[at],
        }
    }

    fn write(&mut self, view: &View, position: &[usize], value: f64) {
        let at = address(&view.layout, position);
        if value.is_finite() {
            self.largest = self.largest.max(value.abs());
        }
        match view.space {
            Space::Input(_) => panic!("write to an input"),
            Space::Output(i) => self.outputs[i][at] = value,
            Space::Arena => self.arena[at] = value,
            Space::Scratch => self.scratch[at] = value,
        }
    }

    /// Products over all labels, of positions that belong together along each window.
    fn products(
        &mut self,
        [a, b, out]: [&View; 3],
        labels: &Labels,
        windows: &[([u8; 3], Window)],
        adds: bool,
    ) {
        let mut extents = std::collections::BTreeMap::new();
        for (view, labels) in [(a, &labels.a), (b, &labels.b), (out, &labels.out)] {
            extents.extend(labels.iter().zip(&view.layout.shape).map(|(&l, &e)| (l, e)));
        }
        // Input positions follow from the others.
        for ([input, ..], _) in windows {
            extents.remove(input);
        }
        let names: Vec<u8> = extents.keys().copied().collect();
        let shape: Vec<usize> = extents.values().copied().collect();
        for position in positions(&out.layout.shape).into_iter().filter(|_| !adds) {
            self.write(out, &position, 0.0);
        }
        let mut sizes = vec![0.0; out.layout.end()];
        for position in positions(&shape) {
            let free = |label: &u8| position[names.iter().position(|n| n == label).expect("a known label")];
            let input_of = |&([_, tap, output], w): &([u8; 3], Window)| {
                let at = (w.stride * free(&output) + w.dilation * free(&tap)).checked_sub(w.before);
                at.filter(|&at| at < w.input)
            };
            if windows.iter().any(|window| input_of(window).is_none()) {
                continue;
            }
            let of = |label: &u8| match windows.iter().find(|([input, ..], _)| input == label) {
                Some(window) => input_of(window).expect("checked"),
                None => free(label),
            };
            let at = |labels: &[u8]| -> Vec<usize> { labels.iter().map(of).collect() };
            let term = self.read(a, &at(&labels.a)) * self.read(b, &at(&labels.b));
            let to = at(&labels.out);
            let sum = self.read(out, &to) + term;
            sizes[address(&out.layout, &to)] += term.abs();
            self.write(out, &to, sum);
        }
        self.largest = sizes.iter().fold(self.largest, |m, &x| m.max(x));
    }

    fn call(&mut self, call: &Call) {
        match call {
            Call::Contract { a, b, out, labels, adds } => self.products([a, b, out], labels, &[], *adds),
            Call::Convolve { a, b, out, labels, windows, adds } => {
                self.products([a, b, out], labels, windows, *adds);
            }
            Call::Fused(fused) => {
                let mut updates = Vec::new();
                for reduction in &fused.reductions {
                    for position in positions(
                        &fused
                            .shape
                            .iter()
                            .zip(&reduction.reduced)
                            .map(|(&e, &r)| if r { 1 } else { e })
                            .collect::<Vec<_>>(),
                    ) {
                        let nothing =
                            if reduction.kind == ReductionKind::Sum { 0.0 } else { f64::NEG_INFINITY };
                        self.write(&reduction.to, &position, nothing);
                    }
                }
                let mut sizes = vec![std::collections::BTreeMap::new(); fused.reductions.len()];
                for position in positions(&fused.shape) {
                    let mut values: Vec<f64> =
                        fused.loads.iter().map(|load| self.read(load, &position)).collect();
                    values.extend(fused.constants.iter().map(|&c| f64::from_bits(c)));
                    for instruction in &fused.tape {
                        let value = evaluate(instruction, &values);
                        if value.is_finite() {
                            self.largest = self.largest.max(value.abs());
                        }
                        values.push(value);
                    }
                    // A store may be in place of a load: write when all is read.
                    updates.extend(
                        fused.stores.iter().map(|s| (s.to.clone(), position.clone(), values[s.value])),
                    );
                    for (r, reduction) in fused.reductions.iter().enumerate() {
                        let kept: Vec<usize> = position
                            .iter()
                            .zip(&reduction.reduced)
                            .map(|(&p, &r)| if r { 0 } else { p })
                            .collect();
                        let (old, value) = (self.read(&reduction.to, &kept), values[reduction.value]);
                        let new = match reduction.kind {
                            ReductionKind::Sum => old + value,
                            ReductionKind::Max if old.is_nan() || value.is_nan() => f64::NAN,
                            ReductionKind::Max => old.max(value),
                        };
                        let size: &mut f64 = sizes[r].entry(kept.clone()).or_insert(0.0);
                        *size += value.abs();
                        self.largest = self.largest.max(*size);
                        self.write(&reduction.to, &kept, new);
                    }
                }
                for (to, position, value) in updates {
                    self.write(&to, &position, value);
                }
            }
            Call::Copy { from, to } => {
                for position in positions(&to.layout.shape) {
                    let value = self.read(from, &position);
                    self.write(to, &position, value);
                }
            }
            // Evaluated alone.
            Call::AllReduce { from, to } => self.call(&Call::Copy { from: from.clone(), to: to.clone() }),
            Call::Fill { value, to } => {
                for position in positions(&to.layout.shape) {
                    self.write(to, &position, f64::from_bits(*value));
                }
            }
            Call::Iota { to } => {
                for position in positions(&to.layout.shape) {
                    self.write(to, &position, position[0] as f64);
                }
            }
            Call::Uniform { keys, out, stream } => {
                let leading = keys.layout.shape.len() - 1;
                let (shape, inner) = out.layout.shape.split_at(leading);
                let mut numbers = vec![0.0; inner.iter().product()];
                for key in positions(shape) {
                    let word = |i: usize| self.read(keys, &[&key[..], &[i]].concat()) as u32;
                    let words = std::array::from_fn(word);
                    Key::from_words(words).fold_in(*stream).short_uniforms(&mut numbers);
                    for (member, &x) in positions(inner).iter().zip(&numbers) {
                        self.write(out, &[&key[..], member].concat(), f64::from(x));
                    }
                }
            }
            Call::LoadIndex { slot, to } => {
                for (position, &index) in positions(&to.layout.shape).iter().zip(&self.bench.indices[*slot]) {
                    self.write(to, position, f64::from(index));
                }
            }
            Call::Gather { table, index, out, batch } => {
                let shared = index.layout.shape.len();
                for position in positions(&out.layout.shape) {
                    let (value, row) = self.row(table, index, &position, shared, *batch);
                    self.write(out, &position, if value { self.read(table, &row) } else { f64::NAN });
                }
            }
            Call::ScatterAdd { rows, index, out, batch } => {
                let shared = index.layout.shape.len();
                for position in positions(&out.layout.shape) {
                    self.write(out, &position, 0.0);
                }
                for position in positions(&rows.layout.shape) {
                    if let (true, row) = self.row(out, index, &position, shared, *batch) {
                        let sum = self.read(out, &row) + self.read(rows, &position);
                        self.write(out, &row, sum);
                    }
                }
            }
            Call::OneHot { index, out } => {
                for position in positions(&out.layout.shape) {
                    let (&class, rest) = position.split_last().expect("a class axis");
                    let hit = self.read(index, rest) == class as f64;
                    self.write(out, &position, f64::from(u8::from(hit)));
                }
            }
            Call::MaxIndex { from, out, windows } => {
                let shape = &from.layout.shape;
                let first = shape.len() - 1 - windows.len();
                let counts: Vec<usize> = windows.iter().map(|window| window.taps).collect();
                for position in positions(&out.layout.shape) {
                    let mut best: Option<(f64, usize)> = None;
                    for tap in positions(&counts) {
                        let mut place = position.clone();
                        for (axis, (window, tap)) in windows.iter().zip(&tap).enumerate() {
                            let at = window.stride * position[first + axis] + window.dilation * tap;
                            place[first + axis] = at.wrapping_sub(window.before);
                        }
                        if place.iter().zip(shape).any(|(p, extent)| p >= extent) {
                            continue;
                        }
                        let x = self.read(from, &place);
                        let number =
                            place[first..].iter().zip(&shape[first..]).fold(0, |n, (p, e)| n * e + p);
                        if best.is_none_or(|(largest, _)| x > largest || x.is_nan()) {
                            best = Some((x, number));
                        }
                    }
                    let (_, number) = best.expect("a window with an element");
                    self.write(out, &position, number as f64);
                }
            }
        }
    }

    /// The table position of a row's element and whether it exists.
    fn row(
        &self,
        table: &View,
        index: &View,
        position: &[usize],
        shared: usize,
        batch: usize,
    ) -> (bool, Vec<usize>) {
        let row = self.read(index, &position[..shared]);
        let exists = row >= 0.0 && row < table.layout.shape[batch] as f64;
        (exists, [&position[..batch], &[row.max(0.0) as usize], &position[shared..]].concat())
    }
}

pub(super) fn evaluate(instruction: &Instruction, values: &[f64]) -> f64 {
    let truth = |b: bool| f64::from(u8::from(b));
    match *instruction {
        Instruction::Unary(f, a) => {
            let x = values[a];
            match f {
                Unary::Neg => -x,
                Unary::Exp => libm::exp(x),
                Unary::Log => libm::log(x),
                Unary::Log1p => libm::log1p(x),
                Unary::Tanh => libm::tanh(x),
                Unary::Erf => libm::erf(x),
                Unary::Logistic => 1.0 / (1.0 + libm::exp(-x)),
                Unary::Sqrt => x.sqrt(),
                Unary::Reciprocal => 1.0 / x,
                Unary::Sin => libm::sin(x),
                Unary::Cos => libm::cos(x),
                Unary::Relu if x.is_nan() => x,
                Unary::Relu => x.max(0.0),
                Unary::Step => truth(x > 0.0),
                Unary::Abs => x.abs(),
                Unary::PowerInt(n) => libm::pow(x, f64::from(n)),
            }
        }
        Instruction::Binary(f, a, b) => {
            let (x, y) = (values[a], values[b]);
            match f {
                Binary::Add => x + y,
                Binary::Sub => x - y,
                Binary::Mul => x * y,
                Binary::Div => x / y,
                Binary::Maximum | Binary::Minimum if x.is_nan() || y.is_nan() => f64::NAN,
                Binary::Maximum => x.max(y),
                Binary::Minimum => x.min(y),
                Binary::Power => libm::pow(x, y),
                Binary::Greater => truth(x > y),
                Binary::Equal => truth(x == y),
            }
        }
        Instruction::Select(c, a, b) => values[if values[c] != 0.0 { a } else { b }],
    }
}
