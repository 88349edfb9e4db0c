//! Examples of the user's own, and how they are parted, scaled and selected from, whatever the file that they came in.

use thalweg_kernel::Key;

use super::{DataError, Dataset, OwnError, Place, Scale, Scaling, Selected, Selection, Split};

/// Classes at most: as many outputs as a network has.
pub(super) const CLASSES_MAX: usize = 1 << 14;

/// Examples as their files have them.
#[derive(Clone, Debug, PartialEq)]
pub enum Own {
    /// In one part.
    Whole(Dataset),
    /// In two.
    Parts(Split),
}

impl Own {
    /// Examples in two parts, scaled, and those of them that are asked for.
    ///
    /// Where the files say nothing of a part held out, `test_examples` are drawn, each class in proportion, a tenth unless given; then
    /// the other fields of the selection choose among both parts. The scale is that of the whole part to train on.
    ///
    /// Rows are those of the files: of each part by itself where the files have two, else of the whole.
    ///
    /// # Errors
    /// As [`Split::scale`] and [`Selection::of`], and if one part would be empty.
    pub fn select(self, scaling: Scaling, selection: &Selection) -> Result<(Selected, Scale), DataError> {
        let mut selection = selection.clone();
        let (mut split, rows) = match self {
            Self::Parts(split) => (split, None),
            Self::Whole(whole) => {
                let tenth = || (whole.examples() / 10).max(1);
                let held_out = selection.test_examples.take().unwrap_or_else(tenth);
                let key = Key::from_seed(selection.seed).named("held out");
                let rows = whole.split_rows(held_out, &key)?;
                (whole.parts(&rows)?, Some(rows))
            }
        };
        let scale = split.scale(scaling)?;
        let mut selected = selection.of(split)?;
        if let Some([train, test]) = rows {
            selected.train.iter_mut().for_each(|row| *row = train[*row]);
            selected.test.iter_mut().for_each(|row| *row = test[*row]);
        }
        Ok((selected, scale))
    }
}

/// The number of classes: the one asked for, or the largest label and one more.
pub(super) fn number_of_classes(
    asked: Option<usize>,
    labels: impl Iterator<Item = i64>,
    data: &str,
) -> Result<usize, DataError> {
    // A negative label is refused where the others are, with its place.
    let largest = labels.max().unwrap_or(0).max(0);
    let classes = asked.or_else(|| usize::try_from(largest).ok()?.checked_add(1));
    match classes {
        Some(classes) if (1..=CLASSES_MAX).contains(&classes) => Ok(classes),
        _ => {
            let found = asked.map_or_else(|| format!("the label {largest}"), |asked| asked.to_string());
            Err(OwnError::ClassCount { data: data.to_owned(), most: CLASSES_MAX, found }.into())
        }
    }
}

/// Labels as class indices.
pub(super) fn class_indices(
    labels: &[i64],
    classes: usize,
    place: impl Fn(usize) -> Place,
) -> Result<Vec<i32>, DataError> {
    let index = |(at, &found): (usize, &i64)| match i32::try_from(found) {
        Ok(label) if (0..classes as i64).contains(&found) => Ok(label),
        _ => Err(DataError::Label { place: place(at), classes, found }),
    };
    labels.iter().enumerate().map(index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Dataset {
        let labels = (0..60).map(|i| i % 3).collect();
        Dataset::new("own", (0..60).map(|i| i as f32).collect(), 1, labels, 3).unwrap()
    }

    #[test]
    fn rows_are_those_of_the_file() {
        let selection = Selection {
            classes: Some(vec![2, 0]),
            train_examples: Some(20),
            test_examples: Some(12),
            seed: 3,
        };
        let (Selected { split, train, test }, scale) =
            Own::Whole(whole()).select(Scaling::Standardised, &selection).unwrap();
        // Twelve are held out of all three classes in proportion, so that eight are of two.
        assert_eq!((split.train.class_counts(), split.test.class_counts()), (vec![10, 10], vec![4, 4]));
        for (data, rows) in [(&split.train, &train), (&split.test, &test)] {
            for (example, &row) in rows.iter().enumerate() {
                assert_eq!(data.input(example), [scale.at(row as f32, 0, 1)]);
                assert_eq!(data.labels()[example], i32::from(row % 3 == 0));
            }
        }
        assert!(train.iter().all(|row| !test.contains(row)));
        // The scale is that of all 48 that may be trained on, whatever is selected.
        let all = Selection { test_examples: Some(12), seed: 3, ..Selection::default() };
        let (everything, same) = Own::Whole(whole()).select(Scaling::Standardised, &all).unwrap();
        assert_eq!((everything.train.len(), same), (48, scale));
        let other = Own::Whole(whole()).select(Scaling::AsGiven, &Selection { seed: 4, ..all }).unwrap();
        assert_ne!(other.0.test, everything.test);
    }

    #[test]
    fn a_tenth_is_held_out_unless_the_files_have_a_part_for_that() {
        let (selected, scale) = Own::Whole(whole()).select(Scaling::AsGiven, &Selection::default()).unwrap();
        assert_eq!((selected.train.len(), selected.test.len()), (54, 6));
        assert_eq!(scale.at(7.0, 0, 1), 7.0);
        let parts = Own::Parts(Split { train: whole(), test: whole() });
        let selection = Selection { test_examples: Some(9), ..Selection::default() };
        let (selected, _) = parts.select(Scaling::AsGiven, &selection).unwrap();
        assert_eq!((selected.train.len(), selected.test.len()), (60, 9));
        let all = Selection { test_examples: Some(60), ..Selection::default() };
        let refused = Own::Whole(whole()).select(Scaling::AsGiven, &all).unwrap_err().to_string();
        assert_eq!(refused, "own: expected to hold out between 1 and 59 examples, found 60");
    }

    #[test]
    fn labels_that_are_no_classes_are_refused() {
        let count = |asked, labels: &[i64]| {
            number_of_classes(asked, labels.iter().copied(), "own").map_err(|error| error.to_string())
        };
        assert_eq!((count(None, &[0, 4, 2]), count(Some(9), &[0])), (Ok(5), Ok(9)));
        let begin = "own: expected from 1 to 16384 classes, found ";
        assert_eq!(count(Some(0), &[]), Err(format!("{begin}0")));
        assert_eq!(count(Some(usize::MAX), &[]), Err(format!("{begin}{}", usize::MAX)));
        // No table of as many classes is made first.
        assert_eq!(count(None, &[3, i64::MAX]), Err(format!("{begin}the label {}", i64::MAX)));
        let place = |example| Place::Example { data: "own".to_owned(), example };
        let refused = class_indices(&[0, 1 << 40], 2, place).unwrap_err().to_string();
        assert_eq!(refused, "own, example 1: expected a label from 0 to 1, found 1099511627776");
        assert!(class_indices(&[-1], 2, place).is_err());
        assert_eq!(class_indices(&[1, 0], 2, place).unwrap(), [1, 0]);
    }
}
