//! A straight line through the loss, both ends included.

use std::sync::Arc;

use thalweg_learn::objective::Objective;

use super::Task;
use crate::problem::Problem;

/// Points on the line.
const POINTS: usize = 51;

/// The mean loss at evenly spaced points θ(α) = (1 − α)θ₀ + αθ₁. What the points share is part of the work.
pub(super) struct Line {
    problem: Arc<Problem>,
    objective: Objective<f32>,
    losses: Vec<f64>,
}

impl Line {
    pub(super) fn new(problem: Arc<Problem>) -> Self {
        Self { objective: problem.objective(), problem, losses: Vec::new() }
    }
}

impl Task for Line {
    fn run(&mut self) {
        let Problem { theta, theta_end, examples, .. } = &*self.problem;
        let coefficients = |number| {
            let alpha = number as f32 / (POINTS - 1) as f32;
            [1.0 - alpha, alpha]
        };
        let points: Vec<[f32; 2]> = (0..POINTS).map(coefficients).collect();
        let points: Vec<&[f32]> = points.iter().map(|point| &point[..]).collect();
        let values = self.objective.section(&[theta, theta_end], examples).values(&points);
        self.losses = values.into_iter().map(|value| value.loss).collect();
    }

    fn results(&mut self) -> Vec<(&'static str, Vec<f32>)> {
        self.run();
        vec![("losses", self.losses.iter().map(|&loss| loss as f32).collect())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::MLP_64;
    use crate::problem::Source;

    #[test]
    fn the_ends_of_the_line_are_the_two_points() {
        let problem = Problem::new(MLP_64, Source::Drawn(20), 0);
        let losses = Line::new(Arc::new(problem.clone())).results().remove(0).1;
        let ends = [&problem.theta[..], &problem.theta_end];
        let values = problem.objective().values(&ends, &problem.examples);
        assert_eq!((losses.len(), losses[0], losses[50]), (51, values[0].loss as f32, values[1].loss as f32));
        assert!(losses[25] != losses[0] && losses[25] != losses[50]);
    }
}
