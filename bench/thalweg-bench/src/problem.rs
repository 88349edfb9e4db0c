//! A network, examples and points: the operands of a work.
//!
//! They are drawn by key, so every process has the same ones, and are written out for other engines to work on.

use std::sync::Arc;

use serde_json::{Value, json};
use thalweg_kernel::Key;
use thalweg_learn::arch::{Architecture, initial_parameters};
use thalweg_learn::data::{Scaling, digits};
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{Examples, Objective};

use crate::arrays::{Array, Elements, Operands, real};
use crate::network::{CLASSES, Network};

/// Where examples come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Source {
    /// So many examples with standard normal inputs and uniform labels.
    Drawn(usize),
    /// So many sequences of uniform tokens, with uniform labels at every position.
    Tokens(usize),
    /// The training part of the digits, 1,437 examples of 64 pixels, standardised.
    Digits,
}

/// A network, the mean cross-entropy over examples, and points to evaluate it at.
#[derive(Clone)]
pub(crate) struct Problem {
    network: Network,
    architecture: Arc<dyn Architecture>,
    pub(crate) examples: Examples<f32>,
    /// Where derivatives are taken, and a line begins: initial weights.
    pub(crate) theta: Vec<f32>,
    /// Where a line ends: initial weights under another key.
    pub(crate) theta_end: Vec<f32>,
    /// Standard normal `[tangents, n]`.
    pub(crate) tangents: Vec<f32>,
}

impl Problem {
    /// With so many tangents.
    pub(crate) fn new(network: Network, source: Source, tangents: usize) -> Self {
        let architecture = network.build();
        let key = Key::from_seed(0).named("bench");
        let space = architecture.space();
        let init = network.init();
        let initial = |name| initial_parameters(space, &init, key.named(name));
        let examples = match source {
            Source::Drawn(count) => Examples::new(
                normals(count * architecture.inputs(), key.named("inputs")),
                labels(count, key.named("labels")),
            ),
            Source::Tokens(count) => Examples::new(
                labels(count * architecture.inputs(), key.named("inputs"))
                    .into_iter()
                    .map(|i| i as f32)
                    .collect(),
                labels(count * architecture.positions(), key.named("labels")),
            ),
            Source::Digits => Examples::of(&digits::load(Scaling::Standardised).train),
        };
        Self {
            theta: initial("theta"),
            theta_end: initial("theta_end"),
            tangents: normals(tangents * space.dimension(), key.named("tangents")),
            network,
            architecture,
            examples,
        }
    }

    /// Number of parameters.
    pub(crate) fn dimension(&self) -> usize {
        self.theta.len()
    }

    /// The mean loss as a function of θ, with nothing compiled yet.
    pub(crate) fn objective(&self) -> Objective<f32> {
        let examples = self.examples.labels.len() / self.architecture.positions();
        Objective::new(Arc::clone(&self.architecture), Loss::CrossEntropy, examples)
    }
}

impl Operands for Problem {
    /// The network, and under `leaves` name and shape of each part of θ, in order.
    fn describe(&self) -> Value {
        let leaves = self.architecture.space().leaves().iter();
        let leaves: Vec<Value> = leaves.map(|leaf| json!({"name": leaf.name, "shape": leaf.shape})).collect();
        let mut described = self.network.describe();
        described["leaves"] = leaves.into();
        described
    }

    fn arrays(&self) -> Vec<Array<'_>> {
        let (n, positions) = (self.dimension(), self.architecture.positions());
        let labels = &self.examples.labels;
        let count = labels.len() / positions;
        let shape = if positions == 1 { vec![count] } else { vec![count, positions] };
        vec![
            Array { name: "labels", shape, elements: Elements::Index(labels) },
            real("inputs", vec![count, self.architecture.inputs()], &self.examples.inputs),
            real("theta", vec![n], &self.theta),
            real("theta_end", vec![n], &self.theta_end),
            real("tangents", vec![self.tangents.len() / n, n], &self.tangents),
        ]
    }
}

/// Standard normal numbers.
pub(crate) fn normals(count: usize, key: Key) -> Vec<f32> {
    let mut values = vec![0.0; count];
    key.normals(&mut values);
    values.into_iter().map(|x| x as f32).collect()
}

fn labels(count: usize, key: Key) -> Vec<i32> {
    let mut uniforms = vec![0.0; count];
    key.uniforms(&mut uniforms);
    uniforms.into_iter().map(|u| (u * CLASSES as f64) as i32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{LENET5, MLP_64};

    #[test]
    fn sizes_are_those_of_the_networks() {
        let problem = Problem::new(MLP_64, Source::Drawn(32), 8);
        assert_eq!(problem.dimension(), 64 * 32 + 32 + 32 * 32 + 32 + 32 * 10 + 10);
        assert_eq!(problem.tangents.len(), 8 * problem.dimension());
        assert_eq!((problem.examples.inputs.len(), problem.examples.labels.len()), (32 * 64, 32));
        assert!(problem.examples.labels.iter().all(|label| (0..10).contains(label)));
        assert_eq!(Problem::new(MLP_64, Source::Digits, 0).examples.labels.len(), 1437);
    }

    #[test]
    fn leaves_fill_theta() {
        let problem = Problem::new(LENET5, Source::Drawn(2), 0);
        let described = problem.describe();
        assert_eq!(
            (&described["model"]["kind"], &described["input"]),
            (&json!("lenet5"), &json!([1, 28, 28]))
        );
        let leaves = described["leaves"].as_array().unwrap();
        assert_eq!(leaves[0], json!({"name": "conv1.weight", "shape": [6, 1, 5, 5]}));
        let elements = |leaf: &Value| -> u64 {
            leaf["shape"].as_array().unwrap().iter().map(|axis| axis.as_u64().unwrap()).product()
        };
        assert_eq!(leaves.iter().map(elements).sum::<u64>(), problem.dimension() as u64);
    }
}
