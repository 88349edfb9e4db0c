use super::{Bench, reference};
use crate::Layout;
use crate::call::{Binary, Call, Fused, Instruction, Store, Unary};
use crate::simd::Level;

const ALL: [Unary; 22] = [
    Unary::Neg,
    Unary::Exp,
    Unary::Log,
    Unary::Log1p,
    Unary::Tanh,
    Unary::Erf,
    Unary::Logistic,
    Unary::Sqrt,
    Unary::Reciprocal,
    Unary::Sin,
    Unary::Cos,
    Unary::Relu,
    Unary::Step,
    Unary::Abs,
    Unary::PowerInt(0),
    Unary::PowerInt(1),
    Unary::PowerInt(-1),
    Unary::PowerInt(3),
    Unary::PowerInt(4),
    Unary::PowerInt(-2),
    Unary::PowerInt(7),
    Unary::PowerInt(-5),
];

const BINARY: [Binary; 9] = [
    Binary::Add,
    Binary::Sub,
    Binary::Mul,
    Binary::Div,
    Binary::Maximum,
    Binary::Minimum,
    Binary::Power,
    Binary::Greater,
    Binary::Equal,
];

/// Ordinary and special numbers, `length` of them.
fn numbers(length: usize, shift: usize) -> impl FnMut() -> f64 {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        2.0,
        -3.0,
        1e-3,
        -2.5,
        88.0,
        -88.0,
        1e6,
        -3e6,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        200_000.0,
    ];
    let mut i = shift;
    move || {
        i += 1;
        if i.is_multiple_of(3) {
            special[(i / 3) % special.len()]
        } else {
            ((i * 37 % length) as f64 - 20.0) / 16.0
        }
    }
}

fn check(instruction: Instruction, operands: usize, length: usize) {
    let mut bench = Bench::default();
    let loads = (0..operands)
        .map(|i| bench.input(Layout::contiguous(0, &[length]), numbers(61, 7 * i)))
        .collect::<Vec<_>>();
    let to = bench.output(Layout::contiguous(0, &[length]));
    let stores = vec![Store { value: operands, to }];
    bench.call(Call::Fused(Fused {
        shape: vec![length],
        loads,
        constants: vec![],
        tape: vec![instruction],
        stores,
        reductions: vec![],
    }));
    let single: Vec<Vec<f64>> =
        bench.inputs.iter().map(|x| x.iter().map(|&x| f64::from(x as f32)).collect()).collect();
    for level in Level::available() {
        for (eps, inputs, found) in
            [(1e-6, &single, bench.run::<f32>(level)), (1e-14, &bench.inputs, bench.run::<f64>(level))]
        {
            for i in 0..length {
                let values: Vec<f64> = inputs.iter().map(|x| x[i]).collect();
                let exact = reference::evaluate(&instruction, &values);
                let expected = if eps == 1e-6 { f64::from(exact as f32) } else { exact };
                let found = found[0][i];
                let close = found == expected
                    || (found.is_nan() && expected.is_nan())
                    || (found - expected).abs()
                        <= eps * expected.abs() + if eps == 1e-6 { 1e-44 } else { 0.0 };
                assert!(close, "{instruction:?} of {values:?}, {level:?}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn every_function_at_every_level_and_length() {
    for length in [1, 15, 16, 17, 63, 64, 65, 1024, 1025, 2500] {
        for f in ALL {
            check(Instruction::Unary(f, 0), 1, length);
        }
        for f in BINARY {
            check(Instruction::Binary(f, 0, 1), 2, length);
        }
        check(Instruction::Select(0, 1, 2), 3, length);
    }
}
