//! Iterations of L-BFGS against those of PyTorch (`reference/lbfgs.py`): the same points, and the same evaluations on the way.

use serde::Deserialize;
use thalweg_learn::optim::{Optimiser, OptimiserState, Probe};

#[derive(Deserialize)]
struct Table {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    objective: String,
    start: Vec<f64>,
    lr: f64,
    optimiser: Optimiser,
    theta: Vec<Vec<f64>>,
    evaluations: Vec<usize>,
}

/// The objectives of `reference/lbfgs.py`, with their gradients.
fn look(objective: &str, x: &[f64]) -> Probe<f64> {
    let (loss, gradient) = if objective == "wavy" {
        let (sine, cosine) = (x[0] + 2.0 * x[1]).sin_cos();
        let squares = 0.5 * x[0] * x[0] + 2.0 * x[1] * x[1] + 0.125 * x[2] * x[2];
        let gradient = vec![x[0] - sine, 4.0 * x[1] - 2.0 * sine + 0.25 * x[2], 0.25 * x[2] + 0.25 * x[1]];
        (squares + cosine + 0.25 * x[1] * x[2], gradient)
    } else {
        let (mut loss, mut gradient) = (0.0, Vec::new());
        for x in x.chunks(2) {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            loss += a * a + 100.0 * b * b;
            gradient.extend([-2.0 * a - 400.0 * x[0] * b, 200.0 * b]);
        }
        (loss, gradient)
    };
    Probe { loss, gradient, beside: () }
}

#[test]
fn iterates_are_those_of_pytorch() {
    let table: Table = serde_json::from_str(include_str!("reference/lbfgs.json")).unwrap();
    assert_eq!(table.cases.len(), 6);
    for case in table.cases {
        let name = format!("{} at {}, {:?}", case.objective, case.lr, case.optimiser);
        let mut theta = case.start.clone();
        let mut state = OptimiserState::new(case.optimiser, theta.len()).unwrap();
        let mut here = look(&case.objective, &theta);
        for (step, (truth, evaluations)) in case.theta.iter().zip(&case.evaluations).enumerate() {
            let mut count = 0;
            let mut probe = |x: &[f64]| {
                count += 1;
                look(&case.objective, x)
            };
            here = state.step_along(&mut theta, here, case.lr, &mut probe).unwrap();
            assert_eq!(count, *evaluations, "{name}, step {step}");
            let error = theta.iter().zip(truth).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
            // Rounding grows along the valley: each step's direction divides by differences of gradients.
            assert!(error <= 1e-7, "{name}, step {step}: {theta:?} instead of {truth:?}");
        }
    }
}
