//! The works: what is timed, one file a kind.
//!
//! Each goes through the same public calls that training and the instruments make, on operands that stay where they
//! are. Whatever a call computes is computed anew in each repetition; only compiled programs and buffers are kept.

mod derivative;
mod line;
mod step;

use std::sync::Arc;

use crate::arrays::{Array, Elements};
use crate::problem::{Problem, Source, TANGENTS};
use derivative::{Gradient, Matrix, Products};
use line::Line;
use step::Step;

/// Which work, on what.
#[derive(Debug, PartialEq)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    kind: Kind,
    inputs: usize,
    widths: &'static [usize],
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Step,
    Gradient,
    HessianProducts(usize),
    GgnProduct,
    Line,
}

/// All works.
pub(crate) const WORKS: [Work; 7] = [
    on_784("step_784", Kind::Step),
    Work { name: "step_64", kind: Kind::Step, inputs: 64, widths: &[32, 32], source: Source::Drawn(32) },
    on_784("gradient_784", Kind::Gradient),
    on_784("hvp_784", Kind::HessianProducts(1)),
    on_784("hvp8_784", Kind::HessianProducts(8)),
    on_784("ggn_784", Kind::GgnProduct),
    Work { name: "line_51", kind: Kind::Line, inputs: 64, widths: &[64, 64], source: Source::Digits },
];

const fn on_784(name: &'static str, kind: Kind) -> Work {
    Work { name, kind, inputs: 784, widths: &[512, 512], source: Source::Drawn(128) }
}

/// Something that can be done again and again.
pub(crate) trait Task {
    /// Does it once.
    fn run(&mut self);
    /// What it computes from the operands, however often it was run before, as named vectors.
    fn results(&mut self) -> Vec<(&'static str, Vec<f32>)>;
}

/// A work with its operands and buffers in place.
pub(crate) struct Prepared {
    problem: Arc<Problem>,
    /// The work.
    pub(crate) task: Box<dyn Task>,
}

impl Work {
    /// Sets up operands and buffers.
    pub(crate) fn prepare(&self) -> Prepared {
        let problem = Arc::new(Problem::new(self.inputs, self.widths, self.source));
        let own = Arc::clone(&problem);
        let task: Box<dyn Task> = match self.kind {
            Kind::Step => Box::new(Step::new(own, step::LR_TIMED)),
            Kind::Gradient => Box::new(Gradient::new(own)),
            Kind::HessianProducts(count) => Box::new(Products::new(own, Matrix::Hessian, count)),
            Kind::GgnProduct => Box::new(Products::new(own, Matrix::Ggn, 1)),
            Kind::Line => Box::new(Line::new(own)),
        };
        Prepared { problem, task }
    }
}

impl Prepared {
    /// Hands `write` the operands, with `sizes` for the widths of the layers, and the results.
    pub(crate) fn with_arrays<R>(&mut self, write: impl FnOnce(&[Array<'_>]) -> R) -> R {
        let Problem { sizes, examples, theta, theta_end, tangents, .. } = &*self.problem;
        let sizes: Vec<i32> = sizes.iter().map(|&size| size as i32).collect();
        let count = examples.labels.len();
        let results = self.task.results();
        let mut arrays = vec![
            Array { name: "sizes", shape: vec![sizes.len()], elements: Elements::Index(&sizes) },
            Array { name: "labels", shape: vec![count], elements: Elements::Index(&examples.labels) },
            real("inputs", vec![count, self.problem.architecture.inputs()], &examples.inputs),
            real("theta", vec![theta.len()], theta),
            real("theta_end", vec![theta.len()], theta_end),
            real("tangents", vec![TANGENTS, theta.len()], tangents),
        ];
        arrays.extend(results.iter().map(|(name, values)| real(name, vec![values.len()], values)));
        write(&arrays)
    }
}

fn real<'a>(name: &'static str, shape: Vec<usize>, elements: &'a [f32]) -> Array<'a> {
    Array { name, shape, elements: Elements::Real(elements) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timed_run_does_not_change_the_results() {
        for work in WORKS.iter().filter(|work| work.inputs == 64) {
            let mut task = work.prepare().task;
            let before = task.results();
            task.run();
            assert_eq!(before, task.results(), "{}", work.name);
        }
    }

    #[test]
    fn arrays_have_the_shapes_of_the_work() {
        let find = |name| WORKS.iter().find(|work| work.name == name).unwrap();
        let shapes = find("line_51").prepare().with_arrays(|arrays| {
            arrays.iter().map(|array| (array.name, array.shape.clone())).collect::<Vec<_>>()
        });
        let n = 64 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10;
        let expected = [
            ("sizes", vec![4]),
            ("labels", vec![1437]),
            ("inputs", vec![1437, 64]),
            ("theta", vec![n]),
            ("theta_end", vec![n]),
            ("tangents", vec![8, n]),
            ("losses", vec![51]),
        ];
        assert_eq!(shapes, expected);
    }
}
