use super::{Bench, Cases};
use crate::Layout;
use crate::call::{Binary, Call, Fused, Instruction, Reduction, ReductionKind, Store, Unary};
use crate::simd::Level;

/// Operations that are exact on small integers.
fn exact_instruction(cases: &mut Cases, values: usize) -> Instruction {
    let a = cases.below(values);
    let b = cases.below(values);
    match cases.below(10) {
        0..4 => {
            let f =
                [Unary::Neg, Unary::Relu, Unary::Step, Unary::Abs, Unary::PowerInt(2), Unary::PowerInt(1)];
            Instruction::Unary(cases.pick(&f), a)
        }
        4..9 => {
            let f = [
                Binary::Add,
                Binary::Sub,
                Binary::Mul,
                Binary::Maximum,
                Binary::Minimum,
                Binary::Greater,
                Binary::Equal,
            ];
            Instruction::Binary(cases.pick(&f), a, b)
        }
        _ => Instruction::Select(a, b, cases.below(values)),
    }
}

/// A random fused call; `smooth` ones have real numbers and elementary functions.
fn random(name: &str, number: u64, smooth: bool) -> Bench {
    let mut cases = Cases::new(name, number);
    let mut bench = Bench::default();
    let shape = cases.shape(6000);
    let loads = (0..cases.below(4) + 1)
        .map(|_| {
            let layout = cases.layout(&shape, true);
            bench.input(layout, || if smooth { cases.real() } else { cases.whole() })
        })
        .collect::<Vec<_>>();
    let constants: Vec<u64> = (0..cases.below(3)).map(|_| cases.whole().to_bits()).collect();
    let mut values = loads.len() + constants.len();
    let mut tape = Vec::new();
    for _ in 0..cases.below(7) {
        tape.push(if smooth && cases.chance(50) {
            let f = [Unary::Tanh, Unary::Logistic, Unary::Erf, Unary::Sin, Unary::Cos];
            Instruction::Unary(cases.pick(&f), cases.below(values))
        } else {
            exact_instruction(&mut cases, values)
        });
        values += 1;
    }
    let stores = (0..cases.below(3))
        .map(|_| {
            let layout = cases.layout(&shape, false);
            let to = match cases.below(10) {
                0 | 1 => bench.arena(layout),
                2 | 3 => bench.scratch(layout),
                _ => bench.output(layout),
            };
            Store { value: if cases.chance(60) { values - 1 } else { cases.below(values) }, to }
        })
        .collect();
    let reductions = (0..cases.below(3))
        .map(|_| {
            let reduced: Vec<bool> = shape.iter().map(|_| cases.chance(50)).collect();
            let kept: Vec<usize> = shape.iter().zip(&reduced).map(|(&e, &r)| if r { 1 } else { e }).collect();
            let mut layout = cases.layout(&kept, false);
            for (axis, &reduced) in reduced.iter().enumerate() {
                if reduced {
                    layout.strides[axis] = 0;
                    layout.shape[axis] = shape[axis];
                }
            }
            let end = layout.offset
                + layout
                    .shape
                    .iter()
                    .zip(&layout.strides)
                    .map(|(&e, &s)| e.saturating_sub(1) * s)
                    .sum::<usize>();
            let mut to = bench.output(Layout { offset: 0, shape: vec![end + 1], strides: vec![1] });
            to.layout = layout;
            let kind = cases.pick(&[ReductionKind::Sum, ReductionKind::Max]);
            Reduction { value: cases.below(values), kind, reduced, to }
        })
        .collect();
    bench.call(Call::Fused(Fused { shape, loads, constants, tape, stores, reductions }));
    bench
}

#[test]
fn random_tapes_on_integers_are_exact() {
    let exact = (0..1500).filter(|&n| random("exact tapes", n, false).exact(&format!("case {n}"))).count();
    assert!(exact > 1200, "only {exact} cases were small enough to be exact");
}

#[test]
fn levels_with_fused_multiply_add_agree_to_the_bit() {
    for n in 0..300 {
        let bench = random("smooth tapes", n, true);
        let mut levels = Level::available().into_iter().filter(|&level| level != Level::Portable);
        let Some(first) = levels.next() else { return };
        let bits =
            |level| -> Vec<u64> { bench.run::<f32>(level).concat().iter().map(|x| x.to_bits()).collect() };
        let expected = bits(first);
        for level in levels {
            assert_eq!(bits(level), expected, "case {n}: {level:?} and {first:?}");
        }
    }
}

#[test]
fn smooth_tapes_are_close() {
    for n in 0..300 {
        let bench = random("smooth tapes", n, true);
        // Comparisons may fall to the other side of a rounding.
        let jumps = |i: &Instruction| {
            matches!(
                i,
                Instruction::Unary(Unary::Step, _)
                    | Instruction::Binary(Binary::Greater | Binary::Equal, ..)
                    | Instruction::Select(..)
            )
        };
        let Call::Fused(fused) = &bench.list.calls[0] else { panic!("a fused call") };
        let (expected, largest) = super::reference::run(&bench);
        if fused.tape.iter().any(jumps) || largest > 1e4 {
            continue;
        }
        for level in Level::available() {
            for (eps, found) in [(1e-5, bench.run::<f32>(level)), (1e-13, bench.run::<f64>(level))] {
                for (f, e) in found.concat().iter().zip(expected.concat()) {
                    let close = *f == e || (f - e).abs() <= eps * (1.0 + largest);
                    assert!(close, "case {n}, {level:?}: {f}, not {e}");
                }
            }
        }
    }
}

#[test]
fn stores_in_place_of_a_load() {
    for extent in [5, 640, 3000] {
        let mut bench = Bench::default();
        let mut next = 0.0;
        let input = bench.input(Layout::contiguous(1, &[extent, 3]), || {
            next += 1.0;
            next
        });
        let state = bench.arena(Layout::contiguous(0, &[extent, 3]));
        let out = bench.output(Layout::contiguous(0, &[extent, 3]));
        let row = bench.output(Layout::contiguous(0, &[3]));
        let mut total = row.clone();
        total.layout = total.layout.broadcast(&[extent, 3], &[1]);
        bench.call(Call::Copy { from: input, to: state.clone() });
        for to in [state.clone(), out] {
            bench.call(Call::Fused(Fused {
                shape: vec![extent, 3],
                loads: vec![state.clone()],
                constants: vec![2.0f64.to_bits()],
                tape: vec![Instruction::Binary(Binary::Mul, 0, 1), Instruction::Binary(Binary::Sub, 2, 1)],
                stores: vec![Store { value: 3, to }],
                reductions: vec![Reduction {
                    value: 3,
                    kind: ReductionKind::Sum,
                    reduced: vec![true, false],
                    to: total.clone(),
                }],
            }));
        }
        assert!(bench.exact("in place") || extent == 3000);
    }
}

#[test]
fn sums_lose_little() {
    // Uniform numbers in [0, 1): one chain of additions in single precision would lose three digits more.
    for (shape, reduced) in [
        (vec![1_000_000], vec![true]),
        (vec![200_000, 5], vec![true, false]),
        (vec![3000, 300], vec![true, false]),
        (vec![5, 200_000], vec![false, true]),
        (vec![100, 30, 100], vec![true, false, true]),
    ] {
        let mut bench = Bench::default();
        let mut cases = Cases::new("sums", shape.len() as u64);
        let load = bench.input(Layout::contiguous(0, &shape), || cases.real().abs());
        let kept: Vec<usize> = shape.iter().zip(&reduced).filter(|(_, r)| !**r).map(|(&e, _)| e).collect();
        let axes: Vec<usize> = (0..shape.len()).filter(|&axis| !reduced[axis]).collect();
        let mut to = bench.output(Layout::contiguous(0, &kept));
        to.layout = to.layout.broadcast(&shape, &axes);
        bench.call(Call::Fused(Fused {
            shape: shape.clone(),
            loads: vec![load],
            constants: vec![],
            tape: vec![],
            stores: vec![],
            reductions: vec![Reduction { value: 0, kind: ReductionKind::Sum, reduced, to }],
        }));
        let expected = bench.run::<f64>(Level::Portable).concat();
        for level in Level::available() {
            for (f, e) in bench.run::<f32>(level).concat().iter().zip(&expected) {
                assert!((f - e).abs() <= 3e-7 * e.abs(), "{shape:?}, {level:?}: {f}, not {e}");
            }
        }
    }
}
