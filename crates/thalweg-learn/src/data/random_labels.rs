//! Labels that say nothing of their inputs.

use thalweg_kernel::Key;

use super::{DataError, Dataset};

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
    use crate::data::Synthetic;

    const EXAMPLES: usize = 3000;

    #[test]
    fn a_share_of_labels_is_drawn_anew() {
        let data = Synthetic::GaussianMixture { features: 1, classes: 10, separation: 0.0 };
        let data = data.draw(EXAMPLES, &Key::from_seed(4), "train").unwrap();
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
}
