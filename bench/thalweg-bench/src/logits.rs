//! What a network answers in evaluation mode: with running statistics, and nothing dropped.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use thalweg_kernel::Real as _;
use thalweg_learn::arch::layer::Shape;
use thalweg_learn::arch::{ModelConfig, ModelError, statistics_arrays};
use thalweg_learn::checkpoint::{Checkpoint, CheckpointError, Stored, arrange, describe};
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{Examples, Objective};

/// The network, the weights and the examples.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// The network as a configuration writes it.
    model: ModelConfig,
    /// Shape of an example: features, or channels, height and width.
    input: Vec<usize>,
    /// Outputs, or tokens.
    outputs: usize,
    /// Its weights, a checkpoint; in its precision the network is computed.
    checkpoint: PathBuf,
    /// Examples one after another, row-major little-endian numbers of that precision and nothing else.
    inputs: PathBuf,
    /// The file to write: the outputs in the same way.
    results: PathBuf,
}

/// A question without an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogitsError {
    /// A file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: io::Error,
    },
    /// No such network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// No checkpoint, or one of another network.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Bytes that are no examples.
    #[error("{}: expected 1 or more examples of {bytes} bytes, found {found} bytes", path.display())]
    Examples {
        /// The file.
        path: PathBuf,
        /// Bytes of one.
        bytes: usize,
        /// Bytes in the file.
        found: usize,
    },
    /// More outputs than the weights could be for.
    #[error("outputs: expected between 1 and {most}, the bytes of {}, found {found}", checkpoint.display())]
    Outputs {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// Its bytes.
        most: usize,
        /// The outputs asked for.
        found: usize,
    },
}

impl Question {
    /// Writes the outputs, and says their precision, their shape `[examples, outputs]` (of a language model `[examples,
    /// positions × tokens]`), and how many parameters and running statistics the network has.
    ///
    /// # Errors
    /// A network that cannot be, a checkpoint of another one, or examples of another size.
    pub(crate) fn answer(&self) -> Result<Value, LogitsError> {
        let bytes = read(&self.checkpoint)?;
        match &describe(&bytes, &self.checkpoint)?.dtype[..] {
            f64::NAME => self.answer_in::<f64>(&bytes),
            _ => self.answer_in::<f32>(&bytes),
        }
    }

    fn answer_in<T: Stored>(&self, bytes: &[u8]) -> Result<Value, LogitsError> {
        let origin = &self.checkpoint;
        let checkpoint = Checkpoint::<T>::from_bytes(bytes, origin)?;
        let inputs = read(&self.inputs)?;
        let shape = Shape::from(&self.input[..]);
        // Before a network is built that no file could be for.
        let row = shape.elements().saturating_mul(size_of::<T>());
        if row == 0 || inputs.is_empty() || !inputs.len().is_multiple_of(row) {
            let (path, found) = (self.inputs.clone(), inputs.len());
            return Err(LogitsError::Examples { path, bytes: row, found });
        }
        if self.outputs == 0 || self.outputs > bytes.len() {
            let (checkpoint, most, found) = (origin.clone(), bytes.len(), self.outputs);
            return Err(LogitsError::Outputs { checkpoint, most, found });
        }
        let examples = inputs.len() / row;
        let network = self.model.build(shape, self.outputs)?;
        let leaves: Vec<(String, Vec<usize>)> =
            network.space().leaves().iter().map(|leaf| (leaf.name.clone(), leaf.shape.clone())).collect();
        checkpoint.check_against(&leaves, origin)?;
        let mut point = checkpoint.theta();
        let statistics = arrange(checkpoint.buffers, &statistics_arrays(network.norms()), origin)?;
        point.extend(statistics.into_iter().flat_map(|array| array.values));
        let (outputs, parameters) = (network.outputs(), network.space().dimension());
        let buffers = point.len() - parameters;
        // The outputs depend on no label and on no loss.
        let labels = vec![0; examples * network.positions()];
        let given = Examples::new(T::values_from(&inputs), labels);
        let objective = Objective::<T>::evaluation(network, Loss::CrossEntropy, examples);
        let values = objective.outputs(&[&point], &given).concat();
        write(&self.results, &T::bytes_from(&values))?;
        Ok(json!({
            "dtype": T::NAME,
            "shape": [examples, outputs],
            "parameters": parameters,
            "statistics": buffers,
        }))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LogitsError> {
    fs::read(path).map_err(|cause| LogitsError::File { path: path.to_owned(), cause })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), LogitsError> {
    fs::write(path, bytes).map_err(|cause| LogitsError::File { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use thalweg_learn::checkpoint::Leaf;

    use super::*;

    const MODEL: &str = r#"{"kind": "layers", "layers": ["linear 2", "batchnorm", "relu", "dropout 0.5", "linear 1 nobias"]}"#;

    /// A folder of files that goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("thalweg-bench-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn question(&self, model: &str, input: &[usize], outputs: usize) -> Question {
            let path = |name: &str| self.0.join(name);
            serde_json::from_value(json!({
                "model": serde_json::from_str::<Value>(model).unwrap(), "input": input, "outputs": outputs,
                "checkpoint": path("checkpoint"), "inputs": path("inputs"), "results": path("results"),
            }))
            .unwrap()
        }

        /// Those values and statistics as a checkpoint of the network above, and two examples.
        fn fill<T: Stored>(&self, mean_name: &str) {
            let leaf = |name: &str, shape: &[usize], values: &[f64]| Leaf {
                name: name.to_owned(),
                shape: shape.to_vec(),
                values: values.iter().map(|&x| T::from_f64(x)).collect(),
            };
            let checkpoint = Checkpoint {
                step: 3,
                epoch: 1,
                seed: 0,
                architecture: "of a test".to_owned(),
                leaves: vec![
                    leaf("0.weight", &[2, 2], &[1.0, 2.0, -1.0, 0.5]),
                    leaf("0.bias", &[2], &[0.5, 0.25]),
                    leaf("1.weight", &[2], &[2.0, 3.0]),
                    leaf("1.bias", &[2], &[1.0, -1.0]),
                    leaf("4.weight", &[1, 2], &[4.0, 0.5]),
                ],
                // In another order than the program takes them.
                buffers: vec![
                    leaf("1.running_var", &[2], &[4.0 - 1e-5, 0.25 - 1e-5]),
                    leaf(mean_name, &[2], &[0.5, -1.0]),
                ],
                optimiser: None,
            };
            fs::write(self.0.join("checkpoint"), checkpoint.to_bytes().unwrap()).unwrap();
            let inputs: Vec<T> = [1.0, 2.0, -4.0, 0.5].map(T::from_f64).to_vec();
            fs::write(self.0.join("inputs"), T::bytes_from(&inputs)).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn outputs<T: Stored>() -> Vec<f64> {
        let folder = Folder::new(&format!("logits-{}", T::NAME));
        folder.fill::<T>("1.running_mean");
        let answer = folder.question(MODEL, &[2], 1).answer().unwrap();
        let expected = json!({"dtype": T::NAME, "shape": [2, 1], "parameters": 12, "statistics": 4});
        assert_eq!(answer, expected);
        let values = T::values_from(&fs::read(folder.0.join("results")).unwrap());
        values.into_iter().map(|x| x.to_f64()).collect()
    }

    #[test]
    fn running_statistics_are_used_and_nothing_is_dropped() {
        // By hand: (1, 2) becomes (5.5, 0.25), normed (2.5, 2.5), scaled and shifted (6, 6.5); (−4, 0.5) becomes (−2.5, 4.5),
        // normed (−1.5, 11), scaled and shifted (−2, 32), of which the first is cut off.
        let expected = [4.0 * 6.0 + 0.5 * 6.5, 0.5 * 32.0];
        for (found, tolerance) in [(outputs::<f64>(), 1e-14), (outputs::<f32>(), 1e-6)] {
            assert_eq!(found.len(), 2);
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() <= tolerance * expected, "{found} and {expected}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let folder = Folder::new("logits-refused");
        folder.fill::<f32>("1.running_mean");
        let refused = |question: Question| question.answer().unwrap_err().to_string();
        let huge = usize::MAX / 2;
        for (error, expected) in [
            (
                refused(folder.question(MODEL, &[3], 1)),
                "inputs: expected 1 or more examples of 12 bytes, found 16 bytes",
            ),
            (refused(folder.question(MODEL, &[huge, huge, huge], 1)), "found 16 bytes"),
            (refused(folder.question(MODEL, &[], 1)), "leaf 0.weight has shape [2, 2], expected [2, 1]"),
            (refused(folder.question(MODEL, &[0], 1)), "expected 1 or more examples of 0 bytes"),
            (refused(folder.question(MODEL, &[2], 0)), "outputs: expected between 1 and "),
            (refused(folder.question(MODEL, &[2], huge)), "outputs: expected between 1 and "),
            (refused(folder.question(MODEL, &[2], 2)), "expected the network to end in 2 features"),
            (refused(folder.question(r#"{"kind": "mlp"}"#, &[2], 1)), "layers.0.weight"),
        ] {
            assert!(error.contains(expected), "{error}");
        }
        folder.fill::<f32>("1.mean");
        assert!(refused(folder.question(MODEL, &[2], 1)).contains("1.running_mean"));
        fs::remove_file(folder.0.join("inputs")).unwrap();
        assert!(refused(folder.question(MODEL, &[2], 1)).contains("inputs: "));
    }
}
