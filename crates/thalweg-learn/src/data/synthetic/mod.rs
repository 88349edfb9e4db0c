//! Data of known geometry, drawn by key: the same key gives the same examples on any machine.

mod great_circle;
mod mixture;
mod parity;
mod spirals;
mod teacher_student;

use serde::{Deserialize, Serialize};
use thalweg_kernel::Key;

pub use teacher_student::TeacherActivation;

use super::{DataError, Dataset};

/// Examples in a set, and numbers in all, at most.
const NUMBERS_MAX: usize = 1 << 32;

/// What a set is like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Synthetic {
    /// Classes of a normal distribution each, `x = separation·μ_c + z` with `z` standard normal and `μ_c` a direction of its own,
    /// uniform on the unit sphere.
    GaussianMixture {
        /// Numbers of an example.
        features: usize,
        /// Classes, equally many examples of each (the first ones get what is left over).
        classes: usize,
        /// Distance of a class's mean from 0, in standard deviations.
        separation: f64,
    },
    /// Arms in the plane that wind around each other: with `t = 8.796·√u` and `u` uniform on [0, 1), the point at radius `t/4` and
    /// angle `t + 2πk/arms`, and normal noise on both coordinates. 8.796 is 2.8 half turns.
    Spirals {
        /// Arms, one a class.
        arms: usize,
        /// Standard deviation of the noise.
        noise: f64,
    },
    /// Signs ±1 with equal chance; the label is 1 if the product of the first `of` is −1 (Barak et al. 2022, sparse parity).
    Parity {
        /// Numbers of an example.
        features: usize,
        /// Those that count.
        of: usize,
    },
    /// √features·(u cos φ + v sin φ) with equally spaced angles φ and orthonormal u, v: the curve that Poole et al. (2016) send
    /// through networks, of squared norm `features` everywhere. The label is the sector of the angle, of `classes` equal ones.
    GreatCircle {
        /// Numbers of an example.
        features: usize,
        /// Sectors.
        classes: usize,
    },
    /// Standard normal inputs; the label is the greatest output of a network with one hidden layer, without biases, whose weights are
    /// normal with the variance 1/fan_in (Gardner & Derrida 1989; Saad & Solla 1995). Classes come as often as the teacher has it.
    TeacherStudent {
        /// Numbers of an example.
        features: usize,
        /// The teacher's hidden units.
        hidden: usize,
        /// Its outputs.
        classes: usize,
        /// What follows its hidden layer.
        activation: TeacherActivation,
    },
}

impl Synthetic {
    /// What it is called in readings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::GaussianMixture { .. } => "gaussian_mixture",
            Self::Spirals { .. } => "spirals",
            Self::Parity { .. } => "parity",
            Self::GreatCircle { .. } => "great_circle",
            Self::TeacherStudent { .. } => "teacher_student",
        }
    }

    /// So many examples. What the whole set shares, such as means of classes, follows from the key's part `shape`, the examples from
    /// `part`: two parts of one set have the same key and other names.
    ///
    /// # Errors
    /// No example, feature or class; more classes or arms than examples; a parity of none or of more numbers than there are; a
    /// distance or noise that is negative or not finite; more numbers than memory holds; a teacher
    /// without hidden units, or with fewer classes than two.
    pub fn draw(&self, examples: usize, key: &Key, part: &str) -> Result<Dataset, DataError> {
        let (features, classes) = self.check(examples)?;
        let (shape, own) = (key.named("shape"), key.named(part));
        let mut inputs = vec![0.0; examples * features];
        let mut labels: Vec<usize> = (0..examples).map(|example| example % classes).collect();
        match *self {
            Self::GaussianMixture { separation, .. } => {
                mixture::draw(&mut inputs, &labels, [features, classes], separation, [&shape, &own]);
            }
            Self::Spirals { arms, noise } => spirals::draw(&mut inputs, &labels, arms, noise, &own),
            Self::Parity { of, .. } => parity::draw(&mut inputs, &mut labels, features, of, &own),
            Self::GreatCircle { .. } => {
                great_circle::draw(&mut inputs, &mut labels, [features, classes], &shape);
            }
            Self::TeacherStudent { hidden, activation, .. } => {
                let sizes = [features, hidden, classes];
                teacher_student::draw(&mut inputs, &mut labels, sizes, activation, [&shape, &own]);
            }
        }
        let inputs = inputs.into_iter().map(|x| x as f32).collect();
        let labels = labels.into_iter().map(|label| label as i32).collect();
        Dataset::new(format!("{}/{part}", self.name()), inputs, features, labels, classes)
    }

    /// Features and classes, if such a set can be.
    fn check(&self, examples: usize) -> Result<(usize, usize), DataError> {
        let refuse = |field, expected: String, found: String| {
            Err(DataError::Synthetic { set: self.name(), field, expected, found })
        };
        let (features, classes, number) = match *self {
            Self::GaussianMixture { features, classes, separation } => {
                (features, classes, Some(("separation", separation)))
            }
            Self::Spirals { arms, noise } => (2, arms, Some(("noise", noise))),
            Self::Parity { features, of } => {
                if !(1..=features).contains(&of) {
                    return refuse(
                        "of",
                        format!("from 1 to the {features} numbers of an example"),
                        of.to_string(),
                    );
                }
                (features, 2, None)
            }
            Self::GreatCircle { features, classes } => (features, classes, None),
            Self::TeacherStudent { features, hidden, classes, .. } => {
                for (field, found, least) in [("hidden", hidden, 1), ("classes", classes, 2)] {
                    if found < least {
                        return refuse(field, format!("at least {least}"), found.to_string());
                    }
                }
                let weights = features.checked_add(classes).and_then(|ends| ends.checked_mul(hidden));
                if weights.is_none_or(|weights| weights > NUMBERS_MAX) {
                    let expected = format!("so many that the teacher has at most {NUMBERS_MAX} weights");
                    return refuse("hidden", expected, hidden.to_string());
                }
                (features, classes, None)
            }
        };
        if let Some((field, found)) = number.filter(|(_, found)| !(found.is_finite() && *found >= 0.0)) {
            return refuse(field, "a finite number of at least 0".to_owned(), found.to_string());
        }
        let least = if matches!(self, Self::GreatCircle { .. }) { 2 } else { 1 };
        if features < least {
            return refuse("features", format!("at least {least}"), features.to_string());
        }
        if classes == 0 {
            let field = if matches!(self, Self::Spirals { .. }) { "arms" } else { "classes" };
            return refuse(field, "at least 1".to_owned(), "0".to_owned());
        }
        if examples < classes {
            return refuse(
                "examples",
                format!("at least one of each of {classes} classes"),
                examples.to_string(),
            );
        }
        match examples.checked_mul(features) {
            Some(numbers) if numbers <= NUMBERS_MAX => Ok((features, classes)),
            _ => refuse(
                "examples",
                format!("at most {NUMBERS_MAX} numbers in all"),
                format!("{examples} examples of {features}"),
            ),
        }
    }
}

/// Uniform on the unit sphere.
fn direction(features: usize, key: &Key) -> Vec<f64> {
    let mut direction = vec![0.0; features];
    key.normals(&mut direction);
    normalise(&mut direction);
    direction
}

fn normalise(vector: &mut [f64]) {
    let norm = libm::sqrt(vector.iter().map(|x| x * x).sum());
    vector.iter_mut().for_each(|x| *x /= norm);
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const EXAMPLES: usize = 3000;

    pub(super) fn draw(set: &Synthetic, part: &str) -> Dataset {
        set.draw(EXAMPLES, &Key::from_seed(4), part).unwrap()
    }

    pub(super) fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
        values.clone().sum::<f64>() / values.count() as f64
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |set: Synthetic, examples| {
            set.draw(examples, &Key::from_seed(0), "train").unwrap_err().to_string()
        };
        let mixture =
            |features, classes, separation| Synthetic::GaussianMixture { features, classes, separation };
        assert_eq!(
            refused(mixture(0, 2, 1.0), 10),
            "gaussian_mixture: expected features to be at least 1, found 0"
        );
        assert_eq!(
            refused(mixture(2, 0, 1.0), 10),
            "gaussian_mixture: expected classes to be at least 1, found 0"
        );
        assert_eq!(
            refused(mixture(2, 3, 1.0), 2),
            "gaussian_mixture: expected examples to be at least one of each of 3 classes, found 2"
        );
        assert_eq!(
            refused(mixture(2, 3, f64::NAN), 9),
            "gaussian_mixture: expected separation to be a finite number of at least 0, found NaN"
        );
        assert_eq!(
            refused(Synthetic::Spirals { arms: 0, noise: 0.0 }, 9),
            "spirals: expected arms to be at least 1, found 0"
        );
        for of in [0, 4] {
            let expected = "parity: expected of to be from 1 to the 3 numbers of an example, found ";
            assert_eq!(refused(Synthetic::Parity { features: 3, of }, 9), format!("{expected}{of}"));
        }
        assert_eq!(
            refused(Synthetic::GreatCircle { features: 1, classes: 1 }, 9),
            "great_circle: expected features to be at least 2, found 1"
        );
        let many = refused(mixture(usize::MAX, 2, 1.0), 3);
        assert!(
            many.starts_with("gaussian_mixture: expected examples to be at most 4294967296 numbers in all"),
            "{many}"
        );
    }
}
