//! Tables of the user's own: CSV files of numbers, plain or gzipped, with a class in one column.

use std::fmt;
use std::io::BufRead;
use std::path::Path;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::lines::Lines;
use super::own::{class_indices, number_of_classes};
use super::own_error::unfit;
use super::{DataError, Dataset, OwnError, Place};

/// The longest line that is read, in bytes.
const LINE_MAX: usize = 1 << 22;
/// Bytes of a table at most, unzipped; a few thousand bytes unfold to as many as one likes.
const BYTES_MAX: usize = 1 << 32;
/// Characters of a wrong field that are shown.
const SHOWN: usize = 32;

/// How a table is to be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The column of the labels; the last unless given.
    pub label: Option<Column>,
    /// Whether the first line has the names of the columns; unless given, it does if not all of it are numbers.
    pub header: Option<bool>,
    /// Shape of an example; all its numbers in a row unless given.
    pub shape: Option<Vec<usize>>,
    /// The number of classes; the largest label and one more unless given.
    pub number_of_classes: Option<usize>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By its name in the header.
    Name(String),
    /// By its number, from 1.
    Number(usize),
}

impl Table {
    /// Reads the contents of the file that `path` names, which become the data set's name. Lines without a field are passed over.
    ///
    /// # Errors
    /// A file that breaks off or is no table; a row of another number of fields than the first; a field that is no finite number; a
    /// label that is no whole number from 0 on, or none of `number_of_classes`; a column that is not there, or a shape that does not
    /// fit.
    pub fn read(&self, contents: &[u8], path: &Path) -> Result<Dataset, DataError> {
        self.parse(contents, path)
    }

    fn parse(&self, contents: impl BufRead, path: &Path) -> Result<Dataset, DataError> {
        let mut rows = Rows::default();
        let mut lines = Lines::new(contents, path, LINE_MAX)?;
        let mut label = None;
        let mut bytes = 0_usize;
        while let Some(line) = lines.next()? {
            bytes = bytes.saturating_add(line.len());
            if bytes > BYTES_MAX {
                return Err(unfit(path, None, format!("a table of at most {BYTES_MAX} bytes"), "more"));
            }
            let text = String::from_utf8_lossy(line);
            let text = if rows.columns == 0 { text.trim_start_matches('\u{feff}') } else { &text };
            if text.trim().is_empty() {
                continue;
            }
            let fields = fields(text);
            let Some(label) = label else {
                rows.columns = fields.len();
                let is_header = self.header.unwrap_or_else(|| !fields.iter().all(|field| is_number(field)));
                let at = self.column(&fields, is_header, path)?;
                label = Some(at);
                if !is_header {
                    rows.push(&fields, at, &lines.place())?;
                }
                continue;
            };
            rows.push(&fields, label, &lines.place())?;
        }
        self.dataset(rows, path)
    }

    /// Index of the column with the labels.
    fn column(&self, first: &[String], is_header: bool, path: &Path) -> Result<usize, DataError> {
        let among = || if is_header { first.to_vec() } else { Vec::new() };
        match &self.label {
            None => Ok(first.len() - 1),
            Some(Column::Number(number)) if (1..=first.len()).contains(number) => Ok(number - 1),
            Some(Column::Number(number)) => {
                let expected =
                    format!("at least {} columns, the last of them that of the labels", (*number).max(1));
                Err(unfit(path, None, expected, first.len().to_string()))
            }
            Some(Column::Name(name)) => {
                let places: Vec<usize> =
                    among().iter().enumerate().filter(|(_, own)| *own == name).map(|(at, _)| at).collect();
                match places[..] {
                    [at] => Ok(at),
                    [] => {
                        let (path, name) = (path.to_path_buf(), name.clone());
                        Err(OwnError::Name { path, what: "a column", name, among: among() }.into())
                    }
                    _ => Err(unfit(path, None, format!("one column {name:?}"), places.len().to_string())),
                }
            }
        }
    }

    fn dataset(&self, rows: Rows, path: &Path) -> Result<Dataset, DataError> {
        let name = path.display().to_string();
        let Rows { inputs, labels, lines, columns } = rows;
        if labels.is_empty() {
            return Err(DataError::Empty { data: name, what: "examples" });
        }
        let classes = number_of_classes(self.number_of_classes, labels.iter().copied(), &name)?;
        let labels = class_indices(&labels, classes, |row| Place::line(path, lines[row]))?;
        let data = Dataset::new(name, inputs, columns - 1, labels, classes)?;
        match &self.shape {
            Some(shape) if shape.is_empty() => Err(unfit(path, None, "a shape of at least one axis", "none")),
            Some(shape) => data.with_shape(shape),
            None => Ok(data),
        }
    }
}

#[derive(Default)]
struct Rows {
    inputs: Vec<f32>,
    labels: Vec<i64>,
    /// The line that each row stands in.
    lines: Vec<usize>,
    columns: usize,
}

impl Rows {
    fn push(&mut self, fields: &[String], label: usize, place: &Place) -> Result<(), DataError> {
        if fields.len() != self.columns {
            let (expected, found) = (self.columns, fields.len());
            return Err(DataError::Fields { place: place.clone(), expected, found });
        }
        for (at, field) in fields.iter().enumerate() {
            let refuse = |expected| {
                let (place, found) = (place.clone(), field.chars().take(SHOWN).collect());
                DataError::from(OwnError::Number { place, field: at + 1, expected, found })
            };
            if at == label {
                self.labels.push(whole(field).ok_or_else(|| refuse("whole number, the label"))?);
            } else {
                let number = field.parse::<f32>().ok().filter(|number| number.is_finite());
                self.inputs.push(number.ok_or_else(|| refuse("finite number"))?);
            }
        }
        if let Place::Line { line, .. } = place {
            self.lines.push(*line);
        }
        Ok(())
    }
}

/// `nan` and `inf` are numbers to this: a row with one is a row that is refused, not a header.
fn is_number(field: &str) -> bool {
    field.parse::<f64>().is_ok()
}

/// Also 3.0, as tables of floating-point numbers write their labels.
fn whole(field: &str) -> Option<i64> {
    field.parse().ok().or_else(|| {
        let number = field.parse::<f64>().ok()?;
        // Beyond 2⁵³ a number does not say which whole one was meant.
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    })
}

/// Fields between commas, without the spaces around; quotes may enclose one, and stand twice for themselves.
fn fields(line: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let start = rest.trim_start();
        let (field, after) = match start.strip_prefix('"').and_then(quoted) {
            Some((field, after)) => (field, after),
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return fields,
        }
    }
}

/// What is enclosed, and what follows the quotes: a comma, or nothing.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        if let Some(more) = rest.strip_prefix('"') {
            field.push('"');
            rest = more;
            continue;
        }
        let after = rest.trim_start();
        return (after.is_empty() || after.starts_with(',')).then_some((field, after));
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => serializer.serialize_str(name),
            Self::Number(number) => serializer.serialize_u64(*number as u64),
        }
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = Column;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a column, or its number from 1")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Column, E> {
                match usize::try_from(number) {
                    Ok(number) if number > 0 => Ok(Column::Number(number)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
                }
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Column, E> {
                let unsigned = u64::try_from(number);
                unsigned
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
                    .and_then(|number| self.visit_u64(number))
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Column, E> {
                Ok(Column::Name(name.to_owned()))
            }
        }
        deserializer.deserialize_any(Words)
    }
}

#[cfg(test)]
mod tests;
