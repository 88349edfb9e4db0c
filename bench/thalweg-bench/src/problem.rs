//! A network, examples and points: the operands of a work.
//!
//! They are drawn by key, so every process has the same ones, and are written out for other engines to work on.

use std::sync::Arc;

use thalweg_kernel::Key;
use thalweg_learn::arch::{Activation, Architecture, Mlp, initial_parameters};
use thalweg_learn::data::{Scaling, digits};
use thalweg_learn::init::Init;
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{Examples, Objective};

/// Tangents that a problem has.
pub(crate) const TANGENTS: usize = 8;
const CLASSES: usize = 10;

/// Where examples come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Source {
    /// So many examples with standard normal inputs and uniform labels.
    Drawn(usize),
    /// The training part of the digits, 1,437 examples of 64 pixels, standardised.
    Digits,
}

/// A ReLU perceptron with 10 outputs and biases, the mean cross-entropy over examples, and points to evaluate it at.
#[derive(Clone)]
pub(crate) struct Problem {
    pub(crate) architecture: Arc<dyn Architecture>,
    /// Widths from the inputs to the outputs.
    pub(crate) sizes: Vec<usize>,
    pub(crate) examples: Examples<f32>,
    /// Where derivatives are taken, and a line begins: PyTorch's default initial weights.
    pub(crate) theta: Vec<f32>,
    /// Where a line ends: initial weights under another key.
    pub(crate) theta_end: Vec<f32>,
    /// Standard normal `[TANGENTS, n]`.
    pub(crate) tangents: Vec<f32>,
}

impl Problem {
    /// With so many inputs and so many units in each hidden layer.
    pub(crate) fn new(inputs: usize, widths: &[usize], source: Source) -> Self {
        let sizes = [&[inputs], widths, &[CLASSES]].concat();
        let mlp = Mlp::new(inputs, widths, CLASSES, Activation::Relu, true, false);
        let architecture: Arc<dyn Architecture> = Arc::new(mlp.expect("no layer is empty"));
        let key = Key::from_seed(0).named("bench");
        let space = architecture.space();
        let initial = |name| initial_parameters(space, &Init::Torch, key.named(name));
        let examples = match source {
            Source::Drawn(count) => Examples {
                inputs: normals(count * inputs, key.named("inputs")),
                labels: labels(count, key.named("labels")),
            },
            Source::Digits => Examples::of(&digits::load(Scaling::Standardised).train),
        };
        Self {
            theta: initial("theta"),
            theta_end: initial("theta_end"),
            tangents: normals(TANGENTS * space.dimension(), key.named("tangents")),
            architecture,
            sizes,
            examples,
        }
    }

    /// Number of parameters.
    pub(crate) fn dimension(&self) -> usize {
        self.theta.len()
    }

    /// The mean loss as a function of θ, with nothing compiled yet.
    pub(crate) fn objective(&self) -> Objective<f32> {
        Objective::new(Arc::clone(&self.architecture), Loss::CrossEntropy, self.examples.labels.len())
    }
}

fn normals(count: usize, key: Key) -> Vec<f32> {
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

    #[test]
    fn sizes_are_those_of_the_networks() {
        let problem = Problem::new(64, &[32, 32], Source::Drawn(32));
        assert_eq!(problem.sizes, [64, 32, 32, 10]);
        assert_eq!(problem.dimension(), 64 * 32 + 32 + 32 * 32 + 32 + 32 * 10 + 10);
        assert_eq!(problem.tangents.len(), TANGENTS * problem.dimension());
        assert_eq!((problem.examples.inputs.len(), problem.examples.labels.len()), (32 * 64, 32));
        assert!(problem.examples.labels.iter().all(|label| (0..10).contains(label)));
        assert_eq!(Problem::new(64, &[8], Source::Digits).examples.labels.len(), 1437);
    }
}
