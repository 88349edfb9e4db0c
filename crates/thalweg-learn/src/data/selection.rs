//! Which examples: two parts of a set, some of its classes, fewer of its examples.

use thalweg_kernel::Key;

use super::{DataError, Dataset, Split};

/// A part of both halves of a published set, drawn once for ever: it depends on nothing but these fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The classes that are kept; the one that stands first becomes class 0, and so on. All, as they are, unless given.
    pub classes: Option<Vec<usize>>,
    /// So many examples to train on, each class in proportion. All unless given.
    pub train_examples: Option<usize>,
    /// So many that are held out, in the same way.
    pub test_examples: Option<usize>,
    /// Other seeds draw other examples.
    pub seed: u64,
}

/// What was selected.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// The examples, in the order of the whole set.
    pub split: Split,
    /// Which example of the whole each one to train on is.
    pub train: Vec<usize>,
    /// The same of those held out.
    pub test: Vec<usize>,
}

impl Selection {
    /// Selects.
    ///
    /// # Errors
    /// Classes that the set has not, or one twice; no example, or more than there are.
    pub fn of(&self, whole: Split) -> Result<Selected, DataError> {
        let key = Key::from_seed(self.seed).named("fewer examples");
        let (train_key, test_key) = (key.named("train"), key.named("test"));
        let (train, train_rows) = self.part(whole.train, self.train_examples, &train_key)?;
        let (test, test_rows) = self.part(whole.test, self.test_examples, &test_key)?;
        Ok(Selected { split: Split { train, test }, train: train_rows, test: test_rows })
    }

    fn part(
        &self,
        whole: Dataset,
        count: Option<usize>,
        key: &Key,
    ) -> Result<(Dataset, Vec<usize>), DataError> {
        let (mut data, mut rows) = match &self.classes {
            None => {
                let rows = (0..whole.examples()).collect();
                (whole, rows)
            }
            Some(classes) => whole.of_classes(classes)?,
        };
        if let Some(count) = count {
            let examples = data.examples();
            if count == 0 || count > examples {
                return Err(DataError::Examples { data: data.name, examples, found: count });
            }
            if count < examples {
                let drawn = data.drawn(count, key);
                data = data.subset(format!("{}/{count}", data.name), &drawn)?;
                rows = drawn.into_iter().map(|at| rows[at]).collect();
            }
        }
        Ok((data, rows))
    }
}

impl Dataset {
    /// The examples of those classes, which are numbered anew as they stand there, and which examples of the whole they are.
    fn of_classes(&self, classes: &[usize]) -> Result<(Self, Vec<usize>), DataError> {
        let mut number = vec![None; self.classes];
        let is_new = |(new, &class): (usize, &usize)| match number.get_mut(class) {
            Some(free @ None) => free.replace(new as i32).is_none(),
            _ => false,
        };
        if classes.is_empty() || !classes.iter().enumerate().all(is_new) {
            let (data, found) = (self.name.clone(), classes.to_vec());
            return Err(DataError::Classes { data, classes: self.classes, found });
        }
        let own = |example: usize| &self.labels[example * self.positions..(example + 1) * self.positions];
        let is_kept = |&example: &usize| own(example).iter().all(|&label| number[label as usize].is_some());
        let rows: Vec<usize> = (0..self.examples()).filter(is_kept).collect();
        let written: Vec<String> = classes.iter().map(usize::to_string).collect();
        let mut data = self.subset(format!("{}/classes {}", self.name, written.join(",")), &rows)?;
        data.labels.iter_mut().for_each(|label| *label = number[*label as usize].unwrap_or_default());
        data.classes = classes.len();
        Ok((data, rows))
    }

    /// Two parts by drawing `held_out` examples, each class in proportion; both parts keep the order of the whole.
    ///
    /// A class of n_c among n gives ⌊n_c·held_out/n⌋ examples; what is left to give goes to the largest remainders, the
    /// lower class first. Within a class the draw is uniform, from `key.fold_in(class)`. Of several labels an example has,
    /// the first counts.
    ///
    /// # Errors
    /// If one part would be empty.
    pub fn split(&self, held_out: usize, key: Key) -> Result<Split, DataError> {
        self.parts(&self.split_rows(held_out, &key)?)
    }

    /// Which examples [`split`](Self::split) takes to train on, and which it holds out, both ascending.
    pub(super) fn split_rows(&self, held_out: usize, key: &Key) -> Result<[Vec<usize>; 2], DataError> {
        let examples = self.examples();
        if held_out == 0 || held_out >= examples {
            return Err(DataError::HeldOut { data: self.name.clone(), examples, found: held_out });
        }
        let test = self.drawn(held_out, key);
        let mut is_held_out = vec![false; examples];
        test.iter().for_each(|&example| is_held_out[example] = true);
        let train: Vec<usize> = (0..examples).filter(|&example| !is_held_out[example]).collect();
        Ok([train, test])
    }

    /// Two parts of those examples.
    pub(super) fn parts(&self, [train, test]: &[Vec<usize>; 2]) -> Result<Split, DataError> {
        Ok(Split {
            train: self.subset(format!("{}/train", self.name), train)?,
            test: self.subset(format!("{}/test", self.name), test)?,
        })
    }

    /// So many examples, ascending, as [`split`](Self::split) draws them.
    fn drawn(&self, count: usize, key: &Key) -> Vec<usize> {
        let mut members = vec![Vec::new(); self.classes];
        for example in 0..self.examples() {
            members[self.labels[example * self.positions] as usize].push(example);
        }
        let counts: Vec<usize> = members.iter().map(Vec::len).collect();
        let mut drawn = Vec::with_capacity(count);
        for (class, share) in shares(&counts, count).into_iter().enumerate() {
            let order = key.fold_in(class as u64).permutation(counts[class]);
            drawn.extend(order[..share].iter().map(|&at| members[class][at]));
        }
        drawn.sort_unstable();
        drawn
    }
}

/// `total` in proportion to `counts` by largest remainder. Needs `total ≤ Σ counts`.
fn shares(counts: &[usize], total: usize) -> Vec<usize> {
    let all: usize = counts.iter().sum();
    let mut shares: Vec<usize> = counts.iter().map(|c| c * total / all).collect();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_by_key(|&c| std::cmp::Reverse(counts[c] * total % all));
    let left = total - shares.iter().sum::<usize>();
    for &class in &by_remainder[..left] {
        shares[class] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Dataset {
        Dataset::new("small", (0..12).map(|i| i as f32).collect(), 2, vec![0, 1, 1, 2, 2, 2], 3).unwrap()
    }

    #[test]
    fn shares_are_proportional_and_exact() {
        assert_eq!(shares(&[10, 20, 30], 6), [1, 2, 3]);
        // Remainders 1/3 each: the lower class first.
        assert_eq!(shares(&[1, 1, 1], 1), [1, 0, 0]);
        assert_eq!(shares(&[0, 5, 7], 12), [0, 5, 7]);
        // Exact quotas .45, 4.05, 4.5.
        assert_eq!(shares(&[1, 9, 10], 9), [0, 4, 5]);
    }

    #[test]
    fn a_split_is_a_partition_in_order() {
        let whole = small();
        let Split { train, test } = whole.split(3, Key::from_seed(0)).unwrap();
        assert_eq!((train.examples(), test.examples()), (3, 3));
        // Quotas ½, 1, 1½: the tie goes to class 0.
        assert_eq!(test.class_counts(), [1, 1, 1]);
        let mut firsts: Vec<f32> = train.inputs().iter().chain(test.inputs()).copied().collect();
        assert!(train.inputs().is_sorted() && test.inputs().is_sorted());
        firsts.sort_by(f32::total_cmp);
        assert_eq!(firsts, whole.inputs());
        assert_eq!((train.name(), test.name()), ("small/train", "small/test"));
        for held_out in [0, 6, 7] {
            assert!(matches!(whole.split(held_out, Key::from_seed(0)), Err(DataError::HeldOut { .. })));
        }
    }

    fn halves() -> Split {
        let labels: Vec<i32> = (0..60).map(|i| i % 4).collect();
        let inputs = (0..60).map(|i| i as f32).collect();
        let train = Dataset::new("set/train", inputs, 1, labels, 4).unwrap();
        let test = train.subset("set/test", &[3, 2, 1, 0, 5]).unwrap();
        Split { train, test }
    }

    #[test]
    fn nothing_asked_for_is_everything() {
        let whole = halves();
        let all = Selection::default().of(whole.clone()).unwrap();
        assert_eq!(all.split, whole);
        assert_eq!((all.train, all.test), ((0..60).collect(), (0..5).collect()));
        let counted = Selection { train_examples: Some(60), ..Selection::default() };
        assert_eq!(counted.of(whole.clone()).unwrap().split, whole);
    }

    #[test]
    fn classes_are_numbered_as_they_stand_and_rows_are_those_of_the_whole() {
        let selection =
            Selection { classes: Some(vec![3, 1]), train_examples: Some(10), ..Selection::default() };
        let Selected { split, train, test } = selection.of(halves()).unwrap();
        assert_eq!(
            (split.train.name(), split.train.classes(), split.train.class_counts()),
            ("set/train/classes 3,1/10", 2, vec![5, 5])
        );
        assert!(train.is_sorted());
        for (at, &row) in train.iter().enumerate() {
            assert_eq!(split.train.input(at), [row as f32]);
            assert_eq!(split.train.labels()[at], i32::from(row % 4 == 1));
        }
        assert_eq!((test, split.test.labels()), (vec![0, 2, 4], &[0, 1, 1][..]));
    }

    #[test]
    fn seeds_draw_other_examples_and_the_same_again() {
        let rows = |seed| {
            let selection = Selection { train_examples: Some(20), seed, ..Selection::default() };
            selection.of(halves()).unwrap().train
        };
        assert_eq!(rows(1), rows(1));
        assert_ne!(rows(1), rows(2));
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let message = |selection: Selection| selection.of(halves()).unwrap_err().to_string();
        let classes =
            |classes: &[usize]| Selection { classes: Some(classes.to_vec()), ..Selection::default() };
        let expected = "set/train: expected classes from 0 to 3, each once, found ";
        assert_eq!(message(classes(&[0, 4])), format!("{expected}[0, 4]"));
        assert_eq!(message(classes(&[2, 2])), format!("{expected}[2, 2]"));
        assert_eq!(message(classes(&[])), format!("{expected}[]"));
        for found in [0, 61] {
            let selection = Selection { train_examples: Some(found), ..Selection::default() };
            let expected = "set/train: expected between 1 and 60 examples, found ";
            assert_eq!(message(selection), format!("{expected}{found}"));
        }
        let selection = Selection { test_examples: Some(6), ..Selection::default() };
        assert_eq!(message(selection), "set/test: expected between 1 and 5 examples, found 6");
    }
}
