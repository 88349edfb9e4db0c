//! Data of known geometry, drawn by key: the same key gives the same examples on any machine.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};
use thalweg_kernel::Key;

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
}

impl Synthetic {
    /// What it is called in readings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::GaussianMixture { .. } => "gaussian_mixture",
            Self::Spirals { .. } => "spirals",
            Self::Parity { .. } => "parity",
            Self::GreatCircle { .. } => "great_circle",
        }
    }

    /// So many examples. What the whole set shares, such as means of classes, follows from the key's part `shape`, the examples from
    /// `part`: two parts of one set have the same key and other names.
    ///
    /// # Errors
    /// No example, feature or class; more classes or arms than examples; a parity of none or of more numbers than there are; a
    /// distance or noise that is negative or not finite; more numbers than memory holds.
    pub fn draw(&self, examples: usize, key: &Key, part: &str) -> Result<Dataset, DataError> {
        let (features, classes) = self.check(examples)?;
        let (shape, own) = (key.named("shape"), key.named(part));
        let mut inputs = vec![0.0; examples * features];
        let mut labels: Vec<usize> = (0..examples).map(|example| example % classes).collect();
        match *self {
            Self::GaussianMixture { separation, .. } => {
                own.named("noise").normals(&mut inputs);
                let means: Vec<Vec<f64>> =
                    (0..classes).map(|class| direction(features, &shape.fold_in(class as u64))).collect();
                for (x, &label) in inputs.chunks_mut(features).zip(&labels) {
                    x.iter_mut().zip(&means[label]).for_each(|(x, mean)| *x += separation * mean);
                }
            }
            Self::Spirals { arms, noise } => {
                let (mut along, mut beside) = (vec![0.0; examples], vec![0.0; inputs.len()]);
                own.named("along").uniforms(&mut along);
                own.named("noise").normals(&mut beside);
                for (example, x) in inputs.chunks_mut(2).enumerate() {
                    let t = libm::sqrt(along[example]) * SPIRAL_END;
                    let (sin, cos) = libm::sincos(t + TAU * labels[example] as f64 / arms as f64);
                    x[0] = t / 4.0 * cos + noise * beside[2 * example];
                    x[1] = t / 4.0 * sin + noise * beside[2 * example + 1];
                }
            }
            Self::Parity { of, .. } => {
                own.named("signs").uniforms(&mut inputs);
                inputs.iter_mut().for_each(|x| *x = if *x < 0.5 { -1.0 } else { 1.0 });
                for (label, x) in labels.iter_mut().zip(inputs.chunks(features)) {
                    *label = usize::from(x[..of].iter().product::<f64>() < 0.0);
                }
            }
            Self::GreatCircle { .. } => {
                let u = direction(features, &shape.fold_in(0));
                let mut v = direction(features, &shape.fold_in(1));
                // Orthogonal to u, twice for the last digits.
                for _ in 0..2 {
                    let along: f64 = u.iter().zip(&v).map(|(u, v)| u * v).sum();
                    v.iter_mut().zip(&u).for_each(|(v, u)| *v -= along * u);
                    normalise(&mut v);
                }
                let radius = libm::sqrt(features as f64);
                for (example, x) in inputs.chunks_mut(features).enumerate() {
                    let (sin, cos) = libm::sincos(TAU * example as f64 / examples as f64);
                    x.iter_mut()
                        .zip(u.iter().zip(&v))
                        .for_each(|(x, (u, v))| *x = radius * (u * cos + v * sin));
                    labels[example] = example * classes / examples;
                }
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

/// The largest t of a spiral.
const SPIRAL_END: f64 = 8.796;

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

impl Dataset {
    /// The same with a share of the labels, rounded to a whole number of examples, drawn anew, each uniform over all classes: by
    /// chance one in `classes` of them is right still (Zhang et al. 2017). Of examples with several labels all are drawn.
    ///
    /// # Errors
    /// A share outside [0, 1].
    pub fn with_random_labels(mut self, share: f64, key: &Key) -> Result<Self, DataError> {
        if !(0.0..=1.0).contains(&share) {
            return Err(DataError::Share { data: self.name, found: share });
        }
        let examples = self.examples();
        let count = libm::round(share * examples as f64) as usize;
        let mut uniforms = vec![0.0; self.labels.len()];
        key.named("labels").uniforms(&mut uniforms);
        for &example in &key.named("examples").permutation(examples)[..count] {
            let own = example * self.positions..(example + 1) * self.positions;
            for (label, uniform) in self.labels[own.clone()].iter_mut().zip(&uniforms[own]) {
                // Below `classes`: a uniform number is below 1 by 2⁻⁵³ at least.
                *label = (uniform * self.classes as f64) as i32;
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLES: usize = 3000;

    fn draw(set: &Synthetic, part: &str) -> Dataset {
        set.draw(EXAMPLES, &Key::from_seed(4), part).unwrap()
    }

    fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
        values.clone().sum::<f64>() / values.count() as f64
    }

    #[test]
    fn classes_of_a_mixture_lie_where_both_parts_say() {
        let set = Synthetic::GaussianMixture { features: 5, classes: 3, separation: 4.0 };
        let (train, test) = (draw(&set, "train"), draw(&set, "test"));
        assert_eq!((train.class_counts(), train.name()), (vec![1000; 3], "gaussian_mixture/train"));
        assert_ne!(train.inputs(), test.inputs());
        let centre = |data: &Dataset, class: i32, feature: usize| {
            let own = (0..EXAMPLES).filter(|&i| data.labels()[i] == class);
            mean(own.map(|i| f64::from(data.input(i)[feature])))
        };
        for class in 0..3 {
            let [own, other] =
                [&train, &test].map(|data| -> Vec<f64> { (0..5).map(|f| centre(data, class, f)).collect() });
            let norm = libm::sqrt(own.iter().map(|x| x * x).sum());
            // Four standard errors of a mean of 1000, in five directions.
            assert!((norm - 4.0).abs() < 4.0 * libm::sqrt(5.0 / 1000.0), "{norm}");
            own.iter().zip(other).for_each(|(a, b)| assert!((a - b).abs() < 4.0 * libm::sqrt(2.0 / 1000.0)));
        }
    }

    #[test]
    fn arms_of_a_spiral_are_turned_by_a_third() {
        let set = Synthetic::Spirals { arms: 3, noise: 0.0 };
        let data = draw(&set, "train");
        for example in 0..EXAMPLES {
            let [x, y] = [0, 1].map(|axis| f64::from(data.input(example)[axis]));
            let t = 4.0 * libm::hypot(x, y);
            assert!(t < SPIRAL_END);
            let angle = t + TAU * f64::from(data.labels()[example]) / 3.0;
            assert!(
                (x - t / 4.0 * libm::cos(angle)).abs() < 1e-5
                    && (y - t / 4.0 * libm::sin(angle)).abs() < 1e-5
            );
        }
        let noisy = draw(&Synthetic::Spirals { arms: 3, noise: 0.03 }, "train");
        let apart = data.inputs().iter().zip(noisy.inputs()).map(|(a, b)| f64::from((a - b) * (a - b)));
        assert!((libm::sqrt(mean(apart)) / 0.03 - 1.0).abs() < 0.05);
    }

    #[test]
    fn parity_is_of_the_first_signs() {
        let data = draw(&Synthetic::Parity { features: 6, of: 3 }, "train");
        for example in 0..EXAMPLES {
            let x = data.input(example);
            assert!(x.iter().all(|x| x.abs() == 1.0));
            assert_eq!(data.labels()[example] == 1, x[0] * x[1] * x[2] < 0.0);
        }
        // Four standard errors.
        assert!(
            (mean(data.labels().iter().map(|&l| f64::from(l))) - 0.5).abs()
                < 2.0 / libm::sqrt(EXAMPLES as f64)
        );
    }

    #[test]
    fn a_great_circle_has_one_norm_and_equal_steps() {
        let data = draw(&Synthetic::GreatCircle { features: 20, classes: 2 }, "train");
        assert_eq!(data.class_counts(), [1500; 2]);
        let dot = |a: usize, b: usize| -> f64 {
            data.input(a).iter().zip(data.input(b)).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        for example in [0, 1, 777, 2999] {
            assert!((dot(example, example) - 20.0).abs() < 1e-4);
            let step = dot(example, (example + 1) % EXAMPLES) / 20.0;
            assert!((step - libm::cos(TAU / EXAMPLES as f64)).abs() < 1e-6);
        }
        assert!(dot(0, EXAMPLES / 4).abs() < 1e-4);
    }

    #[test]
    fn a_share_of_labels_is_drawn_anew() {
        let data = draw(&Synthetic::GaussianMixture { features: 1, classes: 10, separation: 0.0 }, "train");
        let key = Key::from_seed(1);
        let changed = |share: f64| {
            let other = data.clone().with_random_labels(share, &key).unwrap();
            assert_eq!(other.inputs(), data.inputs());
            data.labels().iter().zip(other.labels()).filter(|(a, b)| a != b).count() as f64 / EXAMPLES as f64
        };
        assert_eq!(changed(0.0), 0.0);
        for share in [0.4, 1.0] {
            // One in ten is right by chance.
            let error = 4.0 * libm::sqrt(share * 0.09 / EXAMPLES as f64);
            assert!((changed(share) - 0.9 * share).abs() < error, "{}", changed(share));
        }
        let refused = data.clone().with_random_labels(1.5, &key).unwrap_err().to_string();
        assert_eq!(refused, "gaussian_mixture/train: expected a share of labels from 0 to 1, found 1.5");
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
