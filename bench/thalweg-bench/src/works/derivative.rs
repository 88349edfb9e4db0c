//! Derivatives of the mean loss at one point.

use std::sync::Arc;

use thalweg_learn::objective::Objective;

use super::Task;
use crate::problem::Problem;

/// Loss and gradient.
pub(super) struct Gradient {
    problem: Arc<Problem>,
    objective: Objective<f32>,
    loss: f64,
    gradient: Vec<f32>,
}

impl Gradient {
    pub(super) fn new(problem: Arc<Problem>) -> Self {
        let gradient = vec![0.0; problem.dimension()];
        Self { objective: problem.objective(), problem, loss: f64::NAN, gradient }
    }
}

impl Task for Gradient {
    fn run(&mut self) {
        let Problem { theta, examples, .. } = &*self.problem;
        self.loss = self.objective.gradient(theta, examples, &mut self.gradient).loss;
    }

    fn results(&mut self) -> Vec<(&'static str, Vec<f32>)> {
        self.run();
        vec![("loss", vec![self.loss as f32]), ("gradient", self.gradient.clone())]
    }
}

/// A matrix that is known by its products.
#[derive(Clone, Copy)]
pub(super) enum Matrix {
    /// Second derivatives.
    Hessian,
    /// Gauss–Newton.
    Ggn,
}

/// Products of a matrix at θ with all tangents, in one call.
pub(super) struct Products {
    problem: Arc<Problem>,
    objective: Objective<f32>,
    matrix: Matrix,
    products: Vec<f32>,
}

impl Products {
    pub(super) fn new(problem: Arc<Problem>, matrix: Matrix) -> Self {
        let products = vec![0.0; problem.tangents.len()];
        Self { objective: problem.objective(), problem, matrix, products }
    }
}

impl Task for Products {
    fn run(&mut self) {
        let Problem { theta, examples, tangents, .. } = &*self.problem;
        match self.matrix {
            Matrix::Hessian => {
                self.objective.hessian_products(theta, tangents, examples, &mut self.products);
            }
            Matrix::Ggn => self.objective.ggn_products(theta, tangents, examples, &mut self.products),
        }
    }

    fn results(&mut self) -> Vec<(&'static str, Vec<f32>)> {
        self.run();
        vec![("products", self.products.clone())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::MLP_64;
    use crate::problem::Source;

    fn products(problem: &Problem, matrix: Matrix) -> Vec<f32> {
        Products::new(Arc::new(problem.clone()), matrix).results().remove(0).1
    }

    #[test]
    fn eight_products_in_one_call_are_eight_products() {
        let problem = Problem::new(MLP_64, Source::Drawn(20), 8);
        let n = problem.dimension();
        let together = products(&problem, Matrix::Hessian);
        let scale = together.iter().fold(0.0f32, |scale, x| scale.max(x.abs()));
        for (tangent, row) in problem.tangents.chunks(n).zip(together.chunks(n)) {
            let mut alone = problem.clone();
            alone.tangents = tangent.to_vec();
            for (one, of_eight) in products(&alone, Matrix::Hessian).iter().zip(row) {
                assert!((one - of_eight).abs() < 1e-5 * scale, "{one} and {of_eight}");
            }
        }
    }

    #[test]
    fn the_gauss_newton_matrix_is_semidefinite_and_the_hessian_is_another() {
        let problem = Problem::new(MLP_64, Source::Drawn(20), 1);
        let ggn = products(&problem, Matrix::Ggn);
        let along: f32 = ggn.iter().zip(&problem.tangents).map(|(gv, v)| gv * v).sum();
        assert!(along > 0.0, "{along}");
        assert_ne!(ggn, products(&problem, Matrix::Hessian));
    }
}
