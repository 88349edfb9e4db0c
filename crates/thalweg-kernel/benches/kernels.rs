//! Time of single calls at the shapes of small networks, and of a whole training step's worth of calls.
//!
//! GFLOP/s and GB/s are divan's items and bytes a second: an item is one floating-point operation of a matrix
//! product or one element of a fused call, bytes are those that the call must read and write.

use divan::counter::{BytesCount, ItemsCount};
use thalweg_kernel::{
    Binary, Call, CallList, Fused, Instruction, Labels, Layout, Machine, Reduction, ReductionKind, Space,
    Store, Unary, View,
};

fn main() {
    divan::main();
}

fn input(slot: usize, layout: Layout) -> View {
    View { space: Space::Input(slot), layout }
}

fn output(slot: usize, layout: Layout) -> View {
    View { space: Space::Output(slot), layout }
}

/// Runs the list on inputs without meaning; the outputs are kept from being optimised away.
fn measure(bencher: divan::Bencher<'_, '_>, list: &CallList, items: usize, bytes: usize) {
    let machine = Machine::<f32>::new(list);
    let (mut arena, mut scratch) = (machine.arena(), machine.scratch());
    let inputs: Vec<Vec<f32>> =
        list.inputs.iter().map(|&n| (0..n).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect()).collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let mut outputs: Vec<Vec<f32>> = list.outputs.iter().map(|&n| vec![0.0; n]).collect();
    let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    bencher.counter(ItemsCount::new(items)).counter(BytesCount::new(bytes)).bench_local(|| {
        machine.run(&mut arena, &mut scratch, &inputs, &[], divan::black_box(&mut outputs));
    });
}

#[divan::bench(args = [(64, 512), (1437, 64)])]
fn bias_relu(bencher: divan::Bencher<'_, '_>, (rows, columns): (usize, usize)) {
    let shape = [rows, columns];
    let list = CallList {
        inputs: vec![rows * columns, columns],
        outputs: vec![rows * columns],
        calls: vec![bias(&shape, input(0, Layout::contiguous(0, &shape)), 1, Unary::Relu)],
        ..CallList::default()
    };
    measure(bencher, &list, rows * columns, (2 * rows * columns + columns) * 4);
}

#[divan::bench(args = [(64, 512), (1437, 64)])]
fn bias_tanh(bencher: divan::Bencher<'_, '_>, (rows, columns): (usize, usize)) {
    let shape = [rows, columns];
    let list = CallList {
        inputs: vec![rows * columns, columns],
        outputs: vec![rows * columns],
        calls: vec![bias(&shape, input(0, Layout::contiguous(0, &shape)), 1, Unary::Tanh)],
        ..CallList::default()
    };
    measure(bencher, &list, rows * columns, (2 * rows * columns + columns) * 4);
}

fn bias(shape: &[usize; 2], x: View, slot: usize, activation: Unary) -> Call {
    let bias = input(slot, Layout::contiguous(0, &shape[1..]).broadcast(shape, &[1]));
    Call::Fused(Fused {
        shape: shape.to_vec(),
        loads: vec![x, bias],
        constants: vec![],
        tape: vec![Instruction::Binary(Binary::Add, 0, 1), Instruction::Unary(activation, 2)],
        stores: vec![Store { value: 3, to: output(0, Layout::contiguous(0, shape)) }],
        reductions: vec![],
    })
}

/// exp(x − row maximum) and its row sums, the middle of a softmax.
#[divan::bench(args = [(64, 10), (1437, 10), (64, 1000)])]
fn softmax_middle(bencher: divan::Bencher<'_, '_>, (rows, columns): (usize, usize)) {
    let shape = [rows, columns];
    let list = CallList {
        inputs: vec![rows * columns, rows],
        outputs: vec![rows * columns, rows],
        calls: vec![Call::Fused(Fused {
            shape: shape.to_vec(),
            loads: vec![
                input(0, Layout::contiguous(0, &shape)),
                input(1, Layout::contiguous(0, &[rows]).broadcast(&shape, &[0])),
            ],
            constants: vec![],
            tape: vec![Instruction::Binary(Binary::Sub, 0, 1), Instruction::Unary(Unary::Exp, 2)],
            stores: vec![Store { value: 3, to: output(0, Layout::contiguous(0, &shape)) }],
            reductions: vec![Reduction {
                value: 3,
                kind: ReductionKind::Sum,
                reduced: vec![false, true],
                to: output(1, Layout::contiguous(0, &[rows]).broadcast(&shape, &[0])),
            }],
        })],
        ..CallList::default()
    };
    measure(bencher, &list, rows * columns, (2 * rows * columns + 2 * rows) * 4);
}

/// Sums over the rows: the adjoint of a bias.
#[divan::bench(args = [(64, 512), (1437, 64), (1437, 10)])]
fn column_sums(bencher: divan::Bencher<'_, '_>, (rows, columns): (usize, usize)) {
    let list = sums([rows, columns], 1);
    measure(bencher, &list, rows * columns, (rows + 1) * columns * 4);
}

/// Sums within each row.
#[divan::bench(args = [(64, 512), (1437, 64), (1437, 10)])]
fn row_sums(bencher: divan::Bencher<'_, '_>, (rows, columns): (usize, usize)) {
    let list = sums([rows, columns], 0);
    measure(bencher, &list, rows * columns, rows * (columns + 1) * 4);
}

fn sums(shape: [usize; 2], kept: usize) -> CallList {
    let to = Layout::contiguous(0, &[shape[kept]]).broadcast(&shape, &[kept]);
    CallList {
        inputs: vec![shape[0] * shape[1]],
        outputs: vec![shape[kept]],
        calls: vec![Call::Fused(Fused {
            shape: shape.to_vec(),
            loads: vec![input(0, Layout::contiguous(0, &shape))],
            constants: vec![],
            tape: vec![],
            stores: vec![],
            reductions: vec![Reduction {
                value: 0,
                kind: ReductionKind::Sum,
                reduced: vec![kept != 0, kept != 1],
                to: output(0, to),
            }],
        })],
        ..CallList::default()
    }
}

/// m × k times k × n.
#[divan::bench(args = [(64, 784, 512), (128, 512, 512), (32, 64, 32), (32, 32, 10), (1437, 64, 32)])]
fn forward(bencher: divan::Bencher<'_, '_>, (m, k, n): (usize, usize, usize)) {
    product(bencher, (m, k, n), Layout::contiguous(0, &[m, k]), Layout::contiguous(0, &[k, n]));
}

/// m × k, stored transposed, times k × n: the adjoint of a weight of shape m × n.
#[divan::bench(args = [(784, 64, 512), (64, 32, 32), (32, 32, 10), (64, 1437, 32)])]
fn weight_adjoint(bencher: divan::Bencher<'_, '_>, (m, k, n): (usize, usize, usize)) {
    product(
        bencher,
        (m, k, n),
        Layout::contiguous(0, &[k, m]).permuted(&[1, 0]),
        Layout::contiguous(0, &[k, n]),
    );
}

/// m × k times k × n, stored transposed: the adjoint of an input.
#[divan::bench(args = [(128, 512, 512), (32, 32, 64), (32, 10, 32), (1437, 32, 64)])]
fn input_adjoint(bencher: divan::Bencher<'_, '_>, (m, k, n): (usize, usize, usize)) {
    product(
        bencher,
        (m, k, n),
        Layout::contiguous(0, &[m, k]),
        Layout::contiguous(0, &[n, k]).permuted(&[1, 0]),
    );
}

fn product(bencher: divan::Bencher<'_, '_>, (m, k, n): (usize, usize, usize), a: Layout, b: Layout) {
    let list = CallList {
        inputs: vec![m * k, k * n],
        outputs: vec![m * n],
        calls: vec![Call::Contract {
            a: input(0, a),
            b: input(1, b),
            out: output(0, Layout::contiguous(0, &[m, n])),
            labels: Labels { a: vec![0, 1], b: vec![1, 2], out: vec![0, 2] },
            adds: false,
        }],
        ..CallList::default()
    };
    measure(bencher, &list, 2 * m * k * n, (m * k + k * n + m * n) * 4);
}

/// Matrix times vector.
#[divan::bench(args = [(1437, 64), (512, 784)])]
fn matrix_vector(bencher: divan::Bencher<'_, '_>, (m, k): (usize, usize)) {
    product(bencher, (m, k, 1), Layout::contiguous(0, &[m, k]), Layout::contiguous(0, &[k, 1]));
}

/// Outer products of a batch: per-example gradients of a layer.
#[divan::bench]
fn outer_products(bencher: divan::Bencher<'_, '_>) {
    let (batch, m, n) = (32, 64, 32);
    let list = CallList {
        inputs: vec![batch * m, batch * n],
        outputs: vec![batch * m * n],
        calls: vec![Call::Contract {
            a: input(0, Layout::contiguous(0, &[batch, m])),
            b: input(1, Layout::contiguous(0, &[batch, n])),
            out: output(0, Layout::contiguous(0, &[batch, m, n])),
            labels: Labels { a: vec![0, 1], b: vec![0, 2], out: vec![0, 1, 2] },
            adds: false,
        }],
        ..CallList::default()
    };
    measure(bencher, &list, batch * m * n, (batch * m * n + batch * (m + n)) * 4);
}

/// The calls of a training step of a 64-32-32-10 perceptron at batch 32: three layers forward, softmax, the
/// adjoints of three layers.
#[divan::bench]
fn perceptron_step(bencher: divan::Bencher<'_, '_>) {
    let widths = [64, 32, 32, 10];
    let batch = 32;
    let mut list = CallList { inputs: vec![batch * 64], ..CallList::default() };
    let mut scratch = |shape: &[usize]| {
        let view = View { space: Space::Scratch, layout: Layout::contiguous(list.scratch, shape) };
        list.scratch += shape.iter().product::<usize>();
        view
    };
    let mut flops = 0;
    let mut calls = Vec::new();
    let mut x = input(0, Layout::contiguous(0, &[batch, 64]));
    let mut weights = Vec::new();
    for (layer, w) in widths.windows(2).enumerate() {
        let shape = [batch, w[1]];
        list.inputs.extend([w[0] * w[1], w[1]]);
        let weight = input(1 + 2 * layer, Layout::contiguous(0, &[w[0], w[1]]));
        let (z, y) = (scratch(&shape), scratch(&shape));
        let labels = Labels { a: vec![0, 1], b: vec![1, 2], out: vec![0, 2] };
        calls.push(Call::Contract { a: x.clone(), b: weight.clone(), out: z.clone(), labels, adds: false });
        let Call::Fused(mut fused) = bias(&shape, z.clone(), 2 + 2 * layer, Unary::Relu) else { return };
        fused.stores[0].to = y.clone();
        calls.push(Call::Fused(fused));
        weights.push((x, weight, z));
        x = y;
        flops += 6 * batch * w[0] * w[1];
    }
    // Softmax in two passes and the adjoint of the logits in a third.
    let shape = [batch, 10];
    let (largest, exponentials, total) = (scratch(&[batch]), scratch(&shape), scratch(&[batch]));
    let mut adjoint = scratch(&shape);
    let across = |view: &View| View { space: view.space, layout: view.layout.broadcast(&shape, &[0]) };
    let reduce =
        |value, kind, to: &View| Reduction { value, kind, reduced: vec![false, true], to: across(to) };
    let pass = |loads: Vec<View>, tape: Vec<Instruction>, stores: Vec<Store>, reductions: Vec<Reduction>| {
        Call::Fused(Fused { shape: shape.to_vec(), loads, constants: vec![], tape, stores, reductions })
    };
    calls.push(pass(vec![x.clone()], vec![], vec![], vec![reduce(0, ReductionKind::Max, &largest)]));
    calls.push(pass(
        vec![x, across(&largest)],
        vec![Instruction::Binary(Binary::Sub, 0, 1), Instruction::Unary(Unary::Exp, 2)],
        vec![Store { value: 3, to: exponentials.clone() }],
        vec![reduce(3, ReductionKind::Sum, &total)],
    ));
    calls.push(pass(
        vec![exponentials, across(&total)],
        vec![Instruction::Binary(Binary::Div, 0, 1)],
        vec![Store { value: 2, to: adjoint.clone() }],
        vec![],
    ));
    for (layer, (x, weight, z)) in weights.into_iter().enumerate().rev() {
        let [from, to] = [widths[layer], widths[layer + 1]];
        let shape = [batch, to];
        list.outputs.extend([to, from * to]);
        let slot = list.outputs.len() - 2;
        let through = scratch(&shape);
        let reduction = Reduction {
            value: 3,
            kind: ReductionKind::Sum,
            reduced: vec![true, false],
            to: output(slot, Layout::contiguous(0, &[to]).broadcast(&shape, &[1])),
        };
        calls.push(Call::Fused(Fused {
            shape: shape.to_vec(),
            loads: vec![adjoint, z],
            constants: vec![],
            tape: vec![Instruction::Unary(Unary::Step, 1), Instruction::Binary(Binary::Mul, 0, 2)],
            stores: vec![Store { value: 3, to: through.clone() }],
            reductions: vec![reduction],
        }));
        let out = output(slot + 1, Layout::contiguous(0, &[from, to]));
        let labels = Labels { a: vec![0, 1], b: vec![0, 2], out: vec![1, 2] };
        calls.push(Call::Contract { a: x, b: through.clone(), out, labels, adds: false });
        adjoint = scratch(&[batch, from]);
        if layer > 0 {
            let labels = Labels { a: vec![0, 2], b: vec![1, 2], out: vec![0, 1] };
            calls.push(Call::Contract { a: through, b: weight, out: adjoint.clone(), labels, adds: false });
        }
    }
    list.calls = calls;
    let bytes = 4 * list.scratch;
    measure(bencher, &list, flops, bytes);
}
