//! A network that labels: what a student learns is then within its reach.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thalweg_kernel::Key;

/// Examples that one thread labels at a time.
const CHUNK: usize = 64;

/// The function of a teacher's hidden units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeacherActivation {
    /// max(x, 0)
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// Error function.
    Erf,
}

impl TeacherActivation {
    fn of(self, x: f64) -> f64 {
        match self {
            Self::Relu => x.max(0.0),
            Self::Tanh => libm::tanh(x),
            Self::Erf => libm::erf(x),
        }
    }
}

/// A network of one hidden layer without biases, its weights normal with the variance 1/fan_in.
struct Teacher {
    /// `[hidden, features]`
    first: Vec<f64>,
    /// `[classes, hidden]`
    second: Vec<f64>,
    activation: TeacherActivation,
}

impl Teacher {
    fn new([features, hidden, classes]: [usize; 3], activation: TeacherActivation, shape: &Key) -> Self {
        let layer = |name: &str, fan_in: usize, units: usize| {
            let mut weights = vec![0.0; fan_in * units];
            shape.named(name).normals(&mut weights);
            let deviation = 1.0 / libm::sqrt(fan_in as f64);
            weights.iter_mut().for_each(|weight| *weight *= deviation);
            weights
        };
        let (first, second) = (layer("first", features, hidden), layer("second", hidden, classes));
        Self { first, second, activation }
    }

    /// The first of the classes with the greatest output.
    fn label(&self, x: &[f64]) -> usize {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let hidden: Vec<f64> =
            self.first.chunks(x.len()).map(|row| self.activation.of(dot(row, x))).collect();
        let mut greatest = (0, f64::NEG_INFINITY);
        for (class, row) in self.second.chunks(hidden.len()).enumerate() {
            let output = dot(row, &hidden);
            if output > greatest.1 {
                greatest = (class, output);
            }
        }
        greatest.0
    }
}

/// Standard normal inputs, and what the teacher says of each as it will be read, rounded to f32.
pub(super) fn draw(
    inputs: &mut [f64],
    labels: &mut [usize],
    sizes: [usize; 3],
    activation: TeacherActivation,
    [shape, own]: [&Key; 2],
) {
    let features = sizes[0];
    own.named("inputs").normals(inputs);
    inputs.iter_mut().for_each(|x| *x = f64::from(*x as f32));
    let teacher = Teacher::new(sizes, activation, &shape.named("teacher"));
    let label = |(inputs, labels): (&[f64], &mut [usize])| {
        inputs.chunks(features).zip(labels).for_each(|(x, label)| *label = teacher.label(x));
    };
    inputs.par_chunks(CHUNK * features).zip(labels.par_chunks_mut(CHUNK)).for_each(label);
}

#[cfg(test)]
mod tests {
    use super::super::Synthetic;
    use super::super::tests::{EXAMPLES, draw, mean};
    use super::*;

    const SIZES: [usize; 3] = [7, 40, 3];

    type Function = (TeacherActivation, fn(f64) -> f64);

    fn set(activation: TeacherActivation) -> Synthetic {
        let [features, hidden, classes] = SIZES;
        Synthetic::TeacherStudent { features, hidden, classes, activation }
    }

    /// The teacher's definition once more, over the inputs as a student sees them.
    #[test]
    fn labels_are_the_teachers_of_both_parts() {
        let functions: [Function; 3] = [
            (TeacherActivation::Relu, |x| if x > 0.0 { x } else { 0.0 }),
            (TeacherActivation::Tanh, |x| 1.0 - 2.0 / (libm::exp(2.0 * x) + 1.0)),
            (TeacherActivation::Erf, |x| 1.0 - libm::erfc(x)),
        ];
        let shape = Key::from_seed(4).named("shape").named("teacher");
        let normals = |name: &str, count: usize| {
            let mut normals = vec![0.0; count];
            shape.named(name).normals(&mut normals);
            normals
        };
        let (first, second) = (normals("first", 40 * 7), normals("second", 3 * 40));
        for (activation, function) in functions {
            for part in ["train", "test"] {
                let data = draw(&set(activation), part);
                for example in 0..EXAMPLES {
                    let x = data.input(example);
                    let unit = |row: &[f64]| {
                        let sum: f64 = row.iter().zip(x).map(|(w, &x)| w * f64::from(x)).sum();
                        function(sum / libm::sqrt(7.0))
                    };
                    let hidden: Vec<f64> = first.chunks(7).map(unit).collect();
                    let output = |row: &[f64]| row.iter().zip(&hidden).map(|(w, h)| w * h).sum::<f64>();
                    let outputs: Vec<f64> = second.chunks(40).map(output).collect();
                    let own = outputs[data.labels()[example] as usize];
                    assert!(outputs.iter().all(|&other| other <= own + 1e-12), "{activation:?} {example}");
                }
            }
        }
    }

    #[test]
    fn inputs_are_standard_normal_and_parts_share_the_teacher_alone() {
        let (train, test) =
            (draw(&set(TeacherActivation::Tanh), "train"), draw(&set(TeacherActivation::Tanh), "test"));
        assert_ne!(train.inputs(), test.inputs());
        let values = || train.inputs().iter().map(|&x| f64::from(x));
        let error = 1.0 / libm::sqrt((EXAMPLES * 7) as f64);
        assert!(mean(values()).abs() < 4.0 * error);
        assert!((mean(values().map(|x| x * x)) - 1.0).abs() < 4.0 * libm::sqrt(2.0) * error);
        assert!(
            train.class_counts().iter().all(|&count| count > EXAMPLES / 20),
            "{:?}",
            train.class_counts()
        );
        assert_eq!((train.name(), train.classes()), ("teacher_student/train", 3));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |features, hidden, classes, examples| {
            let activation = TeacherActivation::Relu;
            let set = Synthetic::TeacherStudent { features, hidden, classes, activation };
            set.draw(examples, &Key::from_seed(0), "train").unwrap_err().to_string()
        };
        let begin = "teacher_student: expected ";
        assert_eq!(refused(0, 4, 2, 9), format!("{begin}features to be at least 1, found 0"));
        assert_eq!(refused(3, 0, 2, 9), format!("{begin}hidden to be at least 1, found 0"));
        assert_eq!(refused(3, 4, 1, 9), format!("{begin}classes to be at least 2, found 1"));
        assert_eq!(
            refused(1 << 20, 1 << 20, 2, 9),
            format!(
                "{begin}hidden to be so many that the teacher has at most 4294967296 weights, found 1048576"
            )
        );
        assert!(refused(2, usize::MAX, usize::MAX, usize::MAX).starts_with(begin));
        let unknown =
            r#"{"kind": "teacher_student", "features": 1, "hidden": 1, "classes": 2, "activation": "gelu"}"#;
        let unknown = serde_json::from_str::<Synthetic>(unknown).unwrap_err().to_string();
        assert!(
            unknown.contains("unknown variant `gelu`, expected one of `relu`, `tanh`, `erf`"),
            "{unknown}"
        );
    }
}
