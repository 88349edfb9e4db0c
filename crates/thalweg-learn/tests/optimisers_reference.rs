//! Twenty steps of every optimiser with every option, against those that PyTorch took (`reference/optimisers.py`; around its
//! SGD: `reference/sam.py`).

use serde::Deserialize;
use std::collections::BTreeMap;
use thalweg_learn::optim::{Optimiser, OptimiserState};

#[derive(Deserialize)]
struct Table {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    optimiser: Optimiser,
    lr: f64,
    theta: Vec<[f64; 3]>,
    slots: BTreeMap<String, [f64; 3]>,
}

/// The gradient of `reference/optimisers.py`, operation by operation.
fn gradient(x: &[f64; 3]) -> [f64; 3] {
    let s = (x[0] + 2.0 * x[1]).sin();
    [x[0] - s, 4.0 * x[1] - 2.0 * s + 0.25 * x[2], 0.25 * x[2] + 0.25 * x[1]]
}

/// max |found − truth| / max |truth|, of the whole vector: entries of θ pass through 0 (down to 3e-5), where the last bit of
/// a step is many last bits of the entry.
fn relative_error(found: &[f64], truth: &[f64]) -> f64 {
    assert_eq!(found.len(), truth.len());
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, |most: f64, x| most.max(x.abs()));
    most(&mut found.iter().zip(truth).map(|(x, y)| x - y)) / most(&mut truth.iter().copied())
}

#[test]
fn steps_are_those_of_pytorch() {
    check(include_str!("reference/optimisers.json"), 17);
    check(include_str!("reference/sam.json"), 6);
}

fn check(table: &str, cases: usize) {
    let table: Table = serde_json::from_str(table).unwrap();
    assert_eq!(table.cases.len(), cases);
    for case in table.cases {
        let mut theta = [1.0, -0.75, 2.0];
        let mut state = OptimiserState::new(case.optimiser, 3).unwrap();
        for (t, truth) in case.theta.iter().enumerate() {
            let mut gradient = gradient(&theta);
            if let Optimiser::Sam(sam) = case.optimiser {
                let ascended = sam.ascended(&theta, &gradient);
                gradient = self::gradient(&ascended.try_into().unwrap());
            }
            state.step(&mut theta, &gradient, case.lr / (1.0 + t as f64 / 10.0));
            let error = relative_error(&theta, truth);
            assert!(error <= 1e-13, "{:?}, step {t}: relative error {error:e}", case.optimiser);
        }
        assert_eq!(case.theta.len(), 20);
        assert_eq!(case.slots.len(), state.slots().len());
        for slot in state.slots() {
            let error = relative_error(&slot.values, &case.slots[&slot.name]);
            assert!(error <= 1e-13, "{:?}, {}: relative error {error:e}", case.optimiser, slot.name);
        }
    }
}
