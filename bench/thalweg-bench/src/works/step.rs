//! A step of training on a batch that stays where it is.

use std::sync::Arc;

use thalweg_learn::arch::statistics_len;
use thalweg_learn::objective::{Objective, Value};
use thalweg_learn::optim::{Optimiser, OptimiserState, Sgd};

use super::Task;
use crate::problem::Problem;

/// While timing: so small that the batch is not learnt by heart over 10⁵ steps, which could drive probabilities to
/// numbers that are slow to compute with.
pub(super) const LR_TIMED: f64 = 1e-5;
/// For the results: so large that a step is far above the rounding of θ, so small that no network leaps.
const LR_RESULTS: f64 = 0.01;
/// Steps to the results: enough that momentum counts.
const STEPS_RESULTS: u8 = 3;

/// Loss, gradient and, of batch norms, statistics on the batch, then SGD with momentum 0.9.
pub(super) struct Step {
    problem: Arc<Problem>,
    objective: Objective<f32>,
    theta: Vec<f32>,
    gradient: Vec<f32>,
    statistics: Vec<f32>,
    state: OptimiserState<f32>,
    lr: f64,
}

impl Step {
    pub(super) fn new(problem: Arc<Problem>, lr: f64) -> Self {
        let sgd = Optimiser::Sgd(Sgd { momentum: 0.9, ..Sgd::default() });
        let state = OptimiserState::new(sgd, problem.dimension()).expect("0.9 is a momentum");
        let objective = problem.objective();
        let statistics = vec![0.0; statistics_len(objective.architecture().norms())];
        let gradient = vec![0.0; problem.dimension()];
        Self { objective, theta: problem.theta.clone(), problem, gradient, statistics, state, lr }
    }

    fn step(&mut self) -> Value {
        let (gradient, statistics) = (&mut self.gradient, &mut self.statistics);
        let examples = &self.problem.examples;
        let value = self.objective.gradient_and_statistics(&self.theta, examples, gradient, statistics);
        self.state.step(&mut self.theta, &self.gradient, self.lr);
        value
    }
}

impl Task for Step {
    fn run(&mut self) {
        self.step();
    }

    /// `theta_after` so many `steps` with a learning rate `lr` from θ, and the `loss` before the last one.
    fn results(&mut self) -> Vec<(&'static str, Vec<f32>)> {
        let mut fresh = Self::new(Arc::clone(&self.problem), LR_RESULTS);
        let losses: Vec<f64> = (0..STEPS_RESULTS).map(|_| fresh.step().loss).collect();
        vec![
            ("lr", vec![LR_RESULTS as f32]),
            ("steps", vec![f32::from(STEPS_RESULTS)]),
            ("theta_after", fresh.theta),
            ("loss", losses.last().map(|&loss| loss as f32).into_iter().collect()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::MLP_64;
    use crate::problem::Source;

    #[test]
    fn steps_descend() {
        let problem = Arc::new(Problem::new(MLP_64, Source::Drawn(20), 0));
        let mut step = Step::new(Arc::clone(&problem), 0.1);
        let losses: Vec<f64> = (0..50).map(|_| step.step().loss).collect();
        assert!(losses[49] < 0.8 * losses[0], "{losses:?}");
        let results = step.results();
        assert_eq!(results[2].1.len(), problem.dimension());
        assert!(results[2].1 != problem.theta && results[2].1 != step.theta);
    }
}
