//! A run allocates nothing.

use allocation_counter::measure;
use thalweg_kernel::{
    Binary, Call, CallList, Fused, Instruction, Labels, Layout, Machine, Reduction, ReductionKind, Space,
    Store, Unary, View, Window,
};

/// Allocations of the second run (the first may set up what a thread keeps).
fn allocations(list: &CallList) -> u64 {
    let machine = Machine::<f32>::new(list);
    let (mut arena, mut scratch) = (machine.arena(), machine.scratch());
    let inputs: Vec<Vec<f32>> = list.inputs.iter().map(|&n| vec![0.5; n]).collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let indices: Vec<Vec<i32>> = list.indices.iter().map(|&n| vec![1; n]).collect();
    let indices: Vec<&[i32]> = indices.iter().map(Vec::as_slice).collect();
    let mut outputs: Vec<Vec<f32>> = list.outputs.iter().map(|&n| vec![0.0; n]).collect();
    let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    machine.run(&mut arena, &mut scratch, &inputs, &indices, &mut outputs);
    measure(|| machine.run(&mut arena, &mut scratch, &inputs, &indices, &mut outputs)).count_total
}

fn view(space: Space, shape: &[usize]) -> View {
    View { space, layout: Layout::contiguous(0, shape) }
}

fn product(m: usize, k: usize, n: usize) -> CallList {
    CallList {
        inputs: vec![m * k, k * n],
        outputs: vec![m * n],
        calls: vec![Call::Contract {
            a: view(Space::Input(0), &[m, k]),
            b: view(Space::Input(1), &[k, n]),
            out: view(Space::Output(0), &[m, n]),
            labels: Labels { a: vec![0, 1], b: vec![1, 2], out: vec![0, 2] },
            adds: false,
        }],
        ..CallList::default()
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1, 2, 3]))).count_total, 1);
}

#[test]
fn kernels_allocate_nothing() {
    let shape = [300, 10];
    let across = |slot, axis: usize| {
        let layout = Layout::contiguous(0, &shape[axis..=axis]).broadcast(&shape, &[axis]);
        View { space: Space::Output(slot), layout }
    };
    let reduction = |slot, axis: usize, kind| Reduction {
        value: 3,
        kind,
        reduced: vec![axis != 0, axis != 1],
        to: across(slot, axis),
    };
    let turned = Layout::contiguous(0, &[10, 300]).permuted(&[1, 0]);
    let list = CallList {
        inputs: vec![3000, 10],
        indices: vec![300],
        outputs: vec![3000, 300, 10, 300, 3000],
        arena: 300,
        scratch: 0,
        calls: vec![
            Call::Fused(Fused {
                shape: shape.to_vec(),
                loads: vec![
                    View { space: Space::Input(0), layout: turned.clone() },
                    View {
                        space: Space::Input(1),
                        layout: Layout::contiguous(0, &[10]).broadcast(&shape, &[1]),
                    },
                ],
                constants: vec![],
                tape: vec![Instruction::Binary(Binary::Add, 0, 1), Instruction::Unary(Unary::Exp, 2)],
                stores: vec![Store { value: 3, to: view(Space::Output(0), &shape) }],
                reductions: vec![reduction(1, 0, ReductionKind::Max), reduction(2, 1, ReductionKind::Sum)],
            }),
            Call::LoadIndex { slot: 0, to: view(Space::Arena, &[300]) },
            Call::OneHot { index: view(Space::Arena, &[300]), out: view(Space::Output(0), &shape) },
            Call::Gather {
                table: view(Space::Input(1), &[10]),
                index: view(Space::Arena, &[300]),
                out: view(Space::Output(3), &[300]),
                batch: 0,
            },
            Call::ScatterAdd {
                rows: view(Space::Output(3), &[300]),
                index: view(Space::Arena, &[300]),
                out: view(Space::Output(2), &[10]),
                batch: 0,
            },
            Call::Copy {
                from: View { space: Space::Input(0), layout: turned },
                to: view(Space::Output(4), &shape),
            },
            Call::Fill { value: 0, to: view(Space::Output(4), &shape) },
        ],
    };
    assert_eq!(allocations(&list), 0);
    // Contractions without a matrix product are fused calls.
    assert_eq!(allocations(&product(300, 20, 1)), 0);
    assert_eq!(allocations(&product(1, 20, 300)), 0);
    assert_eq!(allocations(&product(20, 1, 300)), 0);
}

#[test]
fn matrix_products_allocate_nothing() {
    for (m, k, n) in [(32, 64, 32), (7, 5, 3), (64, 784, 512), (128, 512, 512), (300, 300, 300)] {
        assert_eq!(allocations(&product(m, k, n)), 0, "{m} x {k} x {n}");
    }
}

#[test]
fn convolutions_allocate_nothing() {
    for (size, channels, taps, stride) in [(12, 16, 3, 1), (9, 3, 5, 2), (8, 20, 1, 1)] {
        let window = Window::new(size, taps, stride, 1, [taps / 2; 2]);
        let out = [4, window.output, window.output, 24];
        let arrays = [
            (view(Space::Input(0), &[4, size, size, channels]), vec![0, 1, 2, 3]),
            (view(Space::Input(1), &[24, channels, taps, taps]), vec![4, 3, 5, 6]),
            (view(Space::Output(0), &out), vec![0, 7, 8, 4]),
        ];
        for turn in 0..3 {
            let mut arrays = arrays.clone();
            arrays.rotate_left(turn);
            for (array, space) in arrays.iter_mut().zip([Space::Input(0), Space::Input(1), Space::Output(0)])
            {
                array.0.space = space;
            }
            let [a, b, out] = arrays;
            let list = CallList {
                inputs: vec![a.0.layout.len(), b.0.layout.len()],
                outputs: vec![out.0.layout.len()],
                calls: vec![Call::Convolve {
                    a: a.0,
                    b: b.0,
                    out: out.0,
                    labels: Labels { a: a.1, b: b.1, out: out.1 },
                    windows: vec![([1, 5, 7], window), ([2, 6, 8], window)],
                    adds: false,
                }],
                ..CallList::default()
            };
            assert_eq!(allocations(&list), 0, "{size} {channels} {taps} {stride}, turned by {turn}");
        }
    }
}
