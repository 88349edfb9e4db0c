//! The works: what is timed, one file a kind.
//!
//! Each goes through the same public calls that training and the instruments make, on operands that stay where they
//! are. Whatever a call computes is computed anew in each repetition; only compiled programs and buffers are kept.

mod bare;
mod derivative;
mod line;
mod list;
mod step;

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::arrays::{self, Operands, real};
use crate::network::Network;
use crate::problem::{Problem, Source};
use bare::{Application, Bare, BareOperands};
use derivative::{Gradient, Matrix, Products};
use line::Line;
pub(crate) use list::WORKS;
use step::Step;

/// Which work, on what.
#[derive(Debug, PartialEq)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    subject: Subject,
}

#[derive(Debug, PartialEq)]
enum Subject {
    /// A network and its loss over examples.
    Loss(Network, Source, Kind),
    /// One linear map.
    Bare(Bare),
}

/// What is done with a loss.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Step,
    Gradient,
    HessianProducts(usize),
    GgnProduct,
    Line,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Gradient => "gradient",
            Self::HessianProducts(1) => "hessian_product",
            Self::HessianProducts(_) => "hessian_products",
            Self::GgnProduct => "ggn_product",
            Self::Line => "line",
        }
    }

    fn tangents(self) -> usize {
        match self {
            Self::HessianProducts(count) => count,
            Self::GgnProduct => 1,
            Self::Step | Self::Gradient | Self::Line => 0,
        }
    }
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
    operands: Arc<dyn Operands>,
    /// The work.
    pub(crate) task: Box<dyn Task>,
}

impl Work {
    /// Name, kind, and where it is one linear map the number of its operations.
    pub(crate) fn describe(&self) -> Value {
        match self.subject {
            Subject::Loss(_, _, kind) => json!({"name": self.name, "kind": kind.name()}),
            Subject::Bare(bare) => json!({"name": self.name, "kind": bare.kind(), "flops": bare.flops()}),
        }
    }

    /// Sets up operands and buffers.
    pub(crate) fn prepare(&self) -> Prepared {
        match self.subject {
            Subject::Loss(network, source, kind) => {
                let problem = Arc::new(Problem::new(network, source, kind.tangents()));
                let own = Arc::clone(&problem);
                let task: Box<dyn Task> = match kind {
                    Kind::Step => Box::new(Step::new(own, step::LR_TIMED)),
                    Kind::Gradient => Box::new(Gradient::new(own)),
                    Kind::HessianProducts(_) => Box::new(Products::new(own, Matrix::Hessian)),
                    Kind::GgnProduct => Box::new(Products::new(own, Matrix::Ggn)),
                    Kind::Line => Box::new(Line::new(own)),
                };
                Prepared { operands: problem, task }
            }
            Subject::Bare(bare) => {
                let operands = Arc::new(BareOperands::new(bare));
                Prepared { task: Box::new(Application::new(Arc::clone(&operands))), operands }
            }
        }
    }
}

impl Prepared {
    /// Writes operands and results into a file. Says what the operands are and, under `arrays`, where each array lies.
    pub(crate) fn write(&mut self, path: &Path) -> io::Result<Value> {
        let results = self.task.results();
        let mut arrays = self.operands.arrays();
        arrays.extend(results.iter().map(|(name, values)| real(name, vec![values.len()], values)));
        let mut described = self.operands.describe();
        described["arrays"] = arrays::write(path, &arrays)?;
        Ok(described)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str) -> &'static Work {
        WORKS.iter().find(|work| work.name == name).unwrap()
    }

    #[test]
    fn a_timed_run_does_not_change_the_results() {
        for name in ["step_64", "line_51", "hvp_lenet5", "conv_64_weight_adjoint"] {
            let mut task = find(name).prepare().task;
            let before = task.results();
            task.run();
            assert_eq!(before, task.results(), "{name}");
        }
    }

    #[test]
    fn arrays_have_the_shapes_of_the_work() {
        let path = std::env::temp_dir().join(format!("thalweg-bench-work-{}", std::process::id()));
        let described = find("hvp_lenet5").prepare().write(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let shapes: Vec<(&str, &Value)> = described["arrays"]
            .as_array()
            .unwrap()
            .iter()
            .map(|array| (array["name"].as_str().unwrap(), &array["shape"]))
            .collect();
        let n = 6 * 26 + 16 * (6 * 25 + 1) + 120 * 401 + 84 * 121 + 10 * 85;
        let expected = [
            ("labels", &json!([128])),
            ("inputs", &json!([128, 784])),
            ("theta", &json!([n])),
            ("theta_end", &json!([n])),
            ("tangents", &json!([1, n])),
            ("products", &json!([n])),
        ];
        assert_eq!(shapes, expected);
        assert_eq!(described["model"], json!({"kind": "lenet5"}));
    }
}
