use super::{Bench, Cases};
use crate::call::{
    Binary, Call, CallList, Fused, Instruction, Labels, Reduction, ReductionKind, Space, Store, Unary, View,
};
use crate::{Arena, Layout, Machine, Scratch};

fn view(space: Space, layout: Layout) -> View {
    View { space, layout }
}

/// Hidden layer with bias and tanh, then its mean square.
fn layer(rows: usize, from: usize, to: usize) -> CallList {
    let hidden = view(Space::Scratch, Layout::contiguous(0, &[rows, to]));
    let everywhere = [rows, to];
    CallList {
        inputs: vec![rows * from, from * to, to],
        indices: vec![],
        outputs: vec![rows * to, 1],
        arena: 0,
        scratch: rows * to,
        calls: vec![
            Call::Contract {
                a: view(Space::Input(0), Layout::contiguous(0, &[rows, from])),
                b: view(Space::Input(1), Layout::contiguous(0, &[from, to])),
                out: hidden.clone(),
                labels: Labels { a: vec![0, 1], b: vec![1, 2], out: vec![0, 2] },
                adds: false,
            },
            Call::Fused(Fused {
                shape: everywhere.to_vec(),
                loads: vec![
                    hidden,
                    view(Space::Input(2), Layout::contiguous(0, &[to]).broadcast(&everywhere, &[1])),
                ],
                constants: vec![],
                tape: vec![
                    Instruction::Binary(Binary::Add, 0, 1),
                    Instruction::Unary(Unary::Tanh, 2),
                    Instruction::Unary(Unary::PowerInt(2), 3),
                ],
                stores: vec![Store {
                    value: 3,
                    to: view(Space::Output(0), Layout::contiguous(0, &everywhere)),
                }],
                reductions: vec![Reduction {
                    value: 4,
                    kind: ReductionKind::Sum,
                    reduced: vec![true, true],
                    to: view(
                        Space::Output(1),
                        Layout { offset: 0, shape: everywhere.to_vec(), strides: vec![0, 0] },
                    ),
                }],
            }),
        ],
    }
}

#[test]
fn bits_depend_neither_on_alignment_nor_on_thread_nor_on_what_was_before() {
    for (rows, from, to) in [(32, 64, 32), (33, 65, 31), (200, 784, 300)] {
        let list = layer(rows, from, to);
        let machine = Machine::<f32>::new(&list);
        let mut cases = Cases::new("alignment", 0);
        let inputs: Vec<Vec<f32>> =
            list.inputs.iter().map(|&n| (0..n).map(|_| cases.real() as f32).collect()).collect();
        let run = |shift: usize, arena: &mut Arena<f32>, scratch: &mut Scratch<f32>| -> Vec<u32> {
            let shifted: Vec<Vec<f32>> = inputs.iter().map(|x| [&vec![0.0; shift][..], x].concat()).collect();
            let slices: Vec<&[f32]> = shifted.iter().map(|x| &x[shift..]).collect();
            let mut outputs: Vec<Vec<f32>> =
                list.outputs.iter().map(|&n| vec![f32::NAN; n + shift]).collect();
            let mut ends: Vec<&mut [f32]> = outputs.iter_mut().map(|x| &mut x[shift..]).collect();
            machine.run(arena, scratch, &slices, &[], &mut ends);
            outputs.iter().flat_map(|x| &x[shift..]).map(|x| x.to_bits()).collect()
        };
        let (mut arena, mut scratch) = (machine.arena(), machine.scratch());
        let expected = run(0, &mut arena, &mut scratch);
        for shift in [1, 2, 3, 7] {
            assert_eq!(run(shift, &mut arena, &mut scratch), expected);
        }
        std::thread::scope(|scope| {
            for shift in 0..4 {
                let (run, machine, expected) = (&run, &machine, &expected);
                scope.spawn(move || {
                    assert_eq!(run(shift, &mut machine.arena(), &mut machine.scratch()), *expected);
                });
            }
        });
    }
}

#[test]
#[should_panic(expected = "leaves its buffer")]
fn a_view_outside_of_its_buffer_is_refused() {
    let list = CallList {
        outputs: vec![4],
        calls: vec![Call::Fill { value: 0, to: view(Space::Output(0), Layout::contiguous(1, &[4])) }],
        ..CallList::default()
    };
    Machine::<f32>::new(&list);
}

#[test]
#[should_panic(expected = "writes to an input")]
fn a_write_to_an_input_is_refused() {
    let list = CallList {
        inputs: vec![4],
        calls: vec![Call::Fill { value: 0, to: view(Space::Input(0), Layout::contiguous(0, &[4])) }],
        ..CallList::default()
    };
    Machine::<f32>::new(&list);
}

#[test]
#[should_panic(expected = "length of input slice 1")]
fn a_slice_of_another_length_is_refused() {
    let machine = Machine::<f32>::new(&layer(2, 3, 4));
    let (x, w, b) = ([0.0; 6], [0.0; 11], [0.0; 4]);
    let (mut y, mut s) = ([0.0; 8], [0.0; 1]);
    machine.run(&mut machine.arena(), &mut machine.scratch(), &[&x, &w, &b], &[], &mut [&mut y, &mut s]);
}

#[test]
#[should_panic(expected = "another machine")]
fn a_scratch_of_another_machine_is_refused() {
    let (one, other) = (Machine::<f32>::new(&CallList::default()), Machine::<f32>::new(&CallList::default()));
    one.run(&mut one.arena(), &mut other.scratch(), &[], &[], &mut []);
}

#[test]
fn strides_that_would_wrap_are_refused() {
    let layout = Layout { offset: 0, shape: vec![3, 3], strides: vec![usize::MAX / 2, usize::MAX / 2] };
    let list = CallList {
        outputs: vec![4],
        calls: vec![Call::Fill { value: 0, to: view(Space::Output(0), layout) }],
        ..CallList::default()
    };
    assert!(std::panic::catch_unwind(|| Machine::<f32>::new(&list)).is_err());
}

#[test]
fn nothing_to_do_is_fine() {
    let bench = Bench::default();
    assert!(bench.exact("an empty list"));
}
