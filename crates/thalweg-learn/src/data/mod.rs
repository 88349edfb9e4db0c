//! Labelled examples, checked when they come in.
//!
//! A [`Dataset`] is dense, in memory and immutable but for its scale: once one exists, no later stage has to ask
//! whether its inputs are finite or its labels in range. Order is part of it: an example is its index.

mod cifar;
mod cifar_python;
mod config;
pub mod digits;
mod digits_csv;
mod error;
mod folders;
mod idx;
mod image_folder;
mod lines;
mod mnist;
mod npy;
mod npz;
mod own;
mod own_error;
mod place;
mod published;
mod random_labels;
mod scaling;
mod selection;
mod synthetic;
mod table;
pub mod text;

pub use cifar::Cifar;
pub use config::{DataConfig, DigitsConfig};
pub use error::DataError;
pub use folders::{Folders, VARIABLE};
pub use idx::Idx;
pub use image_folder::ImageFolder;
pub use mnist::Mnist;
pub use npz::NpzNames;
pub use own::Own;
pub use own_error::OwnError;
pub use place::Place;
pub use published::Published;
pub use scaling::{Scale, Scaling, Standardisation};
pub use selection::{Selected, Selection};
pub use synthetic::{Synthetic, TeacherActivation};
pub use table::{Column, Table};

/// Times that a pixel is repeated at most.
const ENLARGED_MAX: usize = 64;

/// Examples with class labels: one each, or one for each of several positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    name: String,
    inputs: Vec<f32>,
    features: usize,
    shape: Vec<usize>,
    labels: Vec<i32>,
    positions: usize,
    classes: usize,
}

/// A data set in two parts without a common example.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The part to train on.
    pub train: Dataset,
    /// The part held out.
    pub test: Dataset,
}

impl Dataset {
    /// A data set of `labels.len()` examples.
    ///
    /// `inputs` is row-major `[examples, features]`; labels are class indices `0..classes`.
    ///
    /// # Errors
    /// A count that does not fit, a label out of range, an input that is not finite, or nothing at all.
    pub fn new(
        name: impl Into<String>,
        inputs: Vec<f32>,
        features: usize,
        labels: Vec<i32>,
        classes: usize,
    ) -> Result<Self, DataError> {
        Self::with_positions(name, inputs, features, labels, 1, classes)
    }

    /// The same with labels row-major `[examples, positions]`.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if the labels are no whole number of examples.
    pub fn with_positions(
        name: impl Into<String>,
        inputs: Vec<f32>,
        features: usize,
        labels: Vec<i32>,
        positions: usize,
        classes: usize,
    ) -> Result<Self, DataError> {
        let name = name.into();
        let counts =
            [(labels.len(), "examples"), (features, "features"), (positions, "labels"), (classes, "classes")];
        for (count, what) in counts {
            if count == 0 {
                return Err(DataError::Empty { data: name, what });
            }
        }
        if !labels.len().is_multiple_of(positions) {
            return Err(DataError::LabelCount { data: name, positions, found: labels.len() });
        }
        let examples = labels.len() / positions;
        // Saturating: a product that does not fit in memory cannot be the length of a vector either.
        let expected = examples.saturating_mul(features);
        if inputs.len() != expected {
            let found = inputs.len();
            return Err(DataError::InputCount { data: name, examples, features, expected, found });
        }
        let place = |example| Place::Example { data: name.clone(), example };
        if let Some(at) = inputs.iter().position(|x| !x.is_finite()) {
            let (place, feature, found) = (place(at / features), at % features, inputs[at]);
            return Err(DataError::NotFinite { place, feature, found });
        }
        let in_range = |&label: &i32| usize::try_from(label).is_ok_and(|label| label < classes);
        if let Some(at) = labels.iter().position(|label| !in_range(label)) {
            return Err(DataError::Label {
                place: place(at / positions),
                classes,
                found: i64::from(labels[at]),
            });
        }
        Ok(Self { name, inputs, features, shape: vec![features], labels, positions, classes })
    }

    /// The same examples, each seen as an array of that shape, channels first as in PyTorch: `[channels, height, width]`.
    ///
    /// # Errors
    /// If the axes do not multiply to the number of features.
    pub fn with_shape(mut self, shape: &[usize]) -> Result<Self, DataError> {
        let found = shape.iter().fold(1usize, |product, &axis| product.saturating_mul(axis));
        if found != self.features {
            let (data, shape, features) = (self.name, shape.to_vec(), self.features);
            return Err(DataError::Shape { data, shape, features, found });
        }
        self.shape = shape.to_vec();
        Ok(self)
    }

    /// The same images with each pixel repeated `times` times in both directions, `[channels, times·height, times·width]`.
    ///
    /// # Errors
    /// 0 times or more than 64, or examples that are no images.
    pub fn enlarged(&self, times: usize) -> Result<Self, DataError> {
        let &[channels, height, width] = &self.shape[..] else {
            return Err(DataError::NoImages { data: self.name.clone(), shape: self.shape.clone() });
        };
        if !(1..=ENLARGED_MAX).contains(&times) {
            return Err(DataError::Enlarged { data: self.name.clone(), most: ENLARGED_MAX, found: times });
        }
        let repeat = |row: &[f32]| -> Vec<f32> {
            let row: Vec<f32> = row.iter().flat_map(|&x| std::iter::repeat_n(x, times)).collect();
            row.repeat(times)
        };
        Ok(Self {
            inputs: self.inputs.chunks(width.max(1)).flat_map(repeat).collect(),
            features: self.features * times * times,
            shape: vec![channels, height * times, width * times],
            ..self.clone()
        })
    }

    /// What it is called in readings and errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.labels.len() / self.positions
    }

    /// Numbers an example has.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Shape of one example; its product is [`Self::features`].
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Labels an example has.
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// All inputs, row-major `[examples, features]`.
    pub fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// The inputs of one example. Panics if there is no such example.
    pub fn input(&self, example: usize) -> &[f32] {
        &self.inputs[example * self.features..][..self.features]
    }

    /// Class indices, row-major `[examples, positions]`.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Number of labels of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for &label in &self.labels {
            counts[label as usize] += 1;
        }
        counts
    }

    /// The examples at those indices, in that order, under a name of their own. An index may come more than once.
    ///
    /// # Errors
    /// An index out of range, or no index.
    pub fn subset(&self, name: impl Into<String>, indices: &[usize]) -> Result<Self, DataError> {
        let name = name.into();
        if indices.is_empty() {
            return Err(DataError::Empty { data: name, what: "examples" });
        }
        if let Some(&found) = indices.iter().find(|&&i| i >= self.examples()) {
            return Err(DataError::Index { data: self.name.clone(), examples: self.examples(), found });
        }
        let mut inputs = Vec::with_capacity(indices.len() * self.features);
        for &i in indices {
            inputs.extend_from_slice(self.input(i));
        }
        let labels =
            indices.iter().flat_map(|&i| self.labels[i * self.positions..].iter().take(self.positions));
        Ok(Self {
            labels: labels.copied().collect(),
            name,
            inputs,
            features: self.features,
            shape: self.shape.clone(),
            positions: self.positions,
            classes: self.classes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Dataset {
        Dataset::new("small", (0..12).map(|i| i as f32).collect(), 2, vec![0, 1, 1, 2, 2, 2], 3).unwrap()
    }

    fn message(result: Result<Dataset, DataError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn bad_parts_are_named() {
        let build = |inputs: Vec<f32>, labels: Vec<i32>| message(Dataset::new("toy", inputs, 2, labels, 3));
        assert_eq!(build(vec![0.0; 4], vec![0, 3]), "toy, example 1: expected a label from 0 to 2, found 3");
        assert_eq!(
            build(vec![0.0; 4], vec![-1, 0]),
            "toy, example 0: expected a label from 0 to 2, found -1"
        );
        assert_eq!(
            build(vec![0.0, 0.0, 0.0, f32::NAN], vec![0, 0]),
            "toy, example 1: expected finite inputs, found NaN at feature 1"
        );
        assert_eq!(
            build(vec![0.0, 0.0, f32::NEG_INFINITY, 0.0], vec![0, 0]),
            "toy, example 1: expected finite inputs, found -inf at feature 0"
        );
        assert_eq!(
            build(vec![0.0; 5], vec![0, 0]),
            "toy: expected 4 inputs (2 labels × 2 features), found 5"
        );
        assert_eq!(build(vec![], vec![]), "toy: expected at least one of examples, found none");
        assert!(matches!(
            Dataset::new("x", vec![], usize::MAX, vec![0; 3], 1),
            Err(DataError::InputCount { found: 0, .. })
        ));
        assert!(matches!(
            Dataset::new("x", vec![1.0], 1, vec![0], 0),
            Err(DataError::Empty { what: "classes", .. })
        ));
    }

    #[test]
    fn shapes_must_fit() {
        assert_eq!(small().shape(), [2]);
        assert_eq!(small().with_shape(&[1, 2, 1]).unwrap().shape(), [1, 2, 1]);
        assert_eq!(
            message(small().with_shape(&[3, 1])),
            "small: shape [3, 1] has 3 entries, expected one for each of 2 features"
        );
        assert!(small().with_shape(&[usize::MAX, 2]).is_err());
    }

    #[test]
    fn subsets_keep_rows_together() {
        let part = small().subset("part", &[5, 0, 5]).unwrap();
        assert_eq!(part.inputs(), [10.0, 11.0, 0.0, 1.0, 10.0, 11.0]);
        assert_eq!(part.labels(), [2, 0, 2]);
        assert_eq!((part.name(), part.classes(), part.examples()), ("part", 3, 3));
        assert_eq!(
            message(small().subset("part", &[0, 6])),
            "small: expected indices of examples below 6, found 6"
        );
        assert!(small().subset("part", &[]).is_err());
    }
}
