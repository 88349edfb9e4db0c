//! Data sets as configurations write them.

use serde::{Deserialize, Serialize};
use thalweg_kernel::Key;

use super::{DataError, Scaling, Split, digits};

/// Which data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DataConfig {
    /// The embedded handwritten digits.
    Digits(DigitsConfig),
}

/// The embedded handwritten digits: see [`digits`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DigitsConfig {
    /// How pixels become inputs; standardised unless given.
    pub scaling: Scaling,
    /// Train on so many examples only, drawn once for ever with each class in proportion; all 1,437 unless given.
    /// The scale stays that of all of them, so that a smaller set is a subset in every respect.
    pub train_examples: Option<usize>,
    /// Repeat each pixel so many times in both directions: 4 makes the images of 32×32 that larger networks ask for. 1 unless
    /// given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enlarge: Option<usize>,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self::Digits(DigitsConfig::default())
    }
}

impl Default for DigitsConfig {
    fn default() -> Self {
        Self { scaling: Scaling::Standardised, train_examples: None, enlarge: None }
    }
}

impl DataConfig {
    /// The data in their two parts.
    ///
    /// # Errors
    /// If there are not as many examples as are asked for, or none are, or if images are to be enlarged to nothing or beyond all
    /// measure.
    pub fn load(&self) -> Result<Split, DataError> {
        let Self::Digits(DigitsConfig { scaling, train_examples, enlarge }) = self;
        let mut split = digits::load(*scaling);
        let examples = split.train.examples();
        match *train_examples {
            None => {}
            Some(found) if found == 0 || found > examples => {
                return Err(DataError::Examples { data: split.train.name, examples, found });
            }
            Some(all) if all == examples => {}
            Some(some) => {
                let name = format!("{}/{some}", split.train.name);
                split.train =
                    split.train.split(some, Key::from_seed(0).named("digits: fewer to train on"))?.test;
                split.train.name = name;
            }
        }
        if let Some(times) = *enlarge {
            // Behind the scale, which is that of the digits themselves.
            split = Split { train: split.train.enlarged(times)?, test: split.test.enlarged(times)? };
        }
        Ok(split)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Split, DataError> {
        serde_json::from_str::<DataConfig>(text).unwrap().load()
    }

    #[test]
    fn fewer_examples_are_a_subset() {
        let whole = load(r#"{"kind": "digits"}"#).unwrap();
        assert_eq!(whole, digits::load(Scaling::Standardised));
        assert_eq!(whole, load(r#"{"kind": "digits", "train_examples": 1437}"#).unwrap());
        let fewer = load(r#"{"kind": "digits", "train_examples": 100}"#).unwrap();
        assert_eq!((fewer.train.name(), fewer.train.examples()), ("digits/train/100", 100));
        assert_eq!(fewer.test, whole.test);
        assert!(fewer.train.class_counts().iter().all(|&count| (9..=11).contains(&count)));
        // In the order of the whole: each example is found behind the one before it.
        let mut rest = 0..whole.train.examples();
        for i in 0..100 {
            let same = |&j: &usize| {
                whole.train.input(j) == fewer.train.input(i)
                    && whole.train.labels()[j] == fewer.train.labels()[i]
            };
            assert!(rest.any(|j| same(&j)), "example {i} is no example of the whole set");
        }
    }

    #[test]
    fn pixels_are_repeated_in_both_directions() {
        let small = load(r#"{"kind": "digits", "train_examples": 50}"#).unwrap();
        let large = load(r#"{"kind": "digits", "train_examples": 50, "enlarge": 4}"#).unwrap();
        assert_eq!((large.train.shape(), large.train.labels()), (&[1, 32, 32][..], small.train.labels()));
        for (small, large) in [(&small.train, &large.train), (&small.test, &large.test)] {
            assert_eq!(small.name(), large.name());
            for (pixel, &x) in large.input(7).iter().enumerate() {
                assert_eq!(x, small.input(7)[pixel / 32 / 4 * 8 + pixel % 32 / 4]);
            }
        }
        assert_eq!(load(r#"{"kind": "digits", "enlarge": 1}"#).unwrap(), digits::load(Scaling::Standardised));
    }

    #[test]
    fn nonsense_is_refused() {
        for found in [0, 65] {
            let error =
                load(&format!(r#"{{"kind": "digits", "enlarge": {found}}}"#)).unwrap_err().to_string();
            let expected = "digits/train: expected images to be enlarged 1 to 64 times, found ";
            assert_eq!(error, format!("{expected}{found}"));
        }
        for (text, found) in [("0", 0), ("1438", 1438)] {
            let error = load(&format!(r#"{{"kind": "digits", "train_examples": {text}}}"#)).unwrap_err();
            let expected = format!("digits/train: expected between 1 and 1437 examples, found {found}");
            assert_eq!(error.to_string(), expected);
        }
        let error = serde_json::from_str::<DataConfig>(r#"{"kind": "digits", "scale": 1}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `scale`"), "{error}");
    }
}
