//! Text, character by character, for language models.

use std::collections::BTreeSet;
use std::path::Path;

use super::{DataError, Dataset, Split};

/// Different characters of a text at most: as many outputs as networks have for each position.
const CHARACTERS_MAX: usize = 1 << 14;

/// A text as a data set: windows of `context` characters one after another, each character a whole number, its place among
/// the text's characters in the order of Unicode. The label of a position is the character that follows it. What is left at
/// the end and fills no window is dropped.
///
/// # Errors
/// A file that is no text, one too short for a window and the character behind it, or one of more different characters than
/// a network could tell apart.
pub fn parse(contents: &[u8], path: &Path, context: usize) -> Result<Dataset, DataError> {
    let text = std::str::from_utf8(contents)
        .map_err(|error| DataError::NotText { path: path.to_path_buf(), at: error.valid_up_to() })?;
    let vocabulary: Vec<char> = text.chars().collect::<BTreeSet<char>>().into_iter().collect();
    if vocabulary.len() > CHARACTERS_MAX {
        let (path, found) = (path.to_path_buf(), vocabulary.len());
        return Err(DataError::Vocabulary { path, most: CHARACTERS_MAX, found });
    }
    let token = |c: char| vocabulary.binary_search(&c).map_or(0, |place| place as i32);
    let tokens: Vec<i32> = text.chars().map(token).collect();
    let data = path.display().to_string();
    if context == 0 {
        return Err(DataError::Empty { data, what: "positions" });
    }
    if tokens.len() <= context {
        return Err(DataError::ShortText { path: path.to_path_buf(), context, found: tokens.len() });
    }
    let length = tokens.len().saturating_sub(1) / context * context;
    let inputs = tokens[..length].iter().map(|&token| token as f32).collect();
    let labels = tokens.iter().skip(1).take(length).copied().collect();
    Dataset::with_positions(data, inputs, context, labels, context, vocabulary.len())
}

/// Holds out the last `test_examples` windows, so that no text lies on both sides.
///
/// # Errors
/// If one part would be empty.
pub fn split(text: &Dataset, test_examples: usize) -> Result<Split, DataError> {
    let examples = text.examples();
    if test_examples == 0 || test_examples >= examples {
        return Err(DataError::HeldOut { data: text.name().to_owned(), examples, found: test_examples });
    }
    let part = |what: &str, range: std::ops::Range<usize>| {
        text.subset(format!("{}/{what}", text.name()), &range.collect::<Vec<_>>())
    };
    let first = examples - test_examples;
    Ok(Split { train: part("train", 0..first)?, test: part("test", first..examples)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_the_characters_that_follow() {
        let text = parse("abcé abcé a".as_bytes(), Path::new("t"), 3).unwrap();
        // " abcé" is the vocabulary; the eleventh character follows the last of three windows' nine.
        assert_eq!((text.examples(), text.positions(), text.features(), text.classes()), (3, 3, 3, 5));
        assert_eq!(text.inputs(), [1.0, 2.0, 3.0, 4.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(text.labels(), [2, 3, 4, 0, 1, 2, 3, 4, 0]);
        let Split { train, test } = split(&text, 1).unwrap();
        assert_eq!((train.name(), train.examples(), train.labels()), ("t/train", 2, &text.labels()[..6]));
        assert_eq!((test.name(), test.inputs()), ("t/test", &text.inputs()[6..]));
        assert!(split(&text, 3).is_err() && split(&text, 0).is_err());
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let message = |bytes: &[u8], context| parse(bytes, Path::new("t"), context).unwrap_err().to_string();
        assert_eq!(message(b"ab\xffc", 1), "t: expected text in UTF-8, found another byte at 2");
        let short = "t: expected more than 3 characters, a window and the one behind it, found ";
        assert_eq!(message(b"abc", 3), format!("{short}3"));
        assert_eq!(message(b"", 3), format!("{short}0"));
        let all: String = ('\u{4e00}'..).take(CHARACTERS_MAX + 1).collect();
        let many = "t: expected at most 16384 different characters, found 16385";
        assert_eq!(message(all.as_bytes(), 3), many);
        assert_eq!(message(b"abc", 0), "t: expected at least one of positions, found none");
    }
}
