//! The places that configurations are written in, as trees that remember lines.

use std::fs;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeInteger, DeString, DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::merge::merge;
use crate::tree::{Origin, Tree, Value};

/// The tree of a TOML file; each value's origin is the line of its key.
pub(super) fn from_file(path: &Path) -> Result<Tree, ConfigError> {
    let read = |cause| ConfigError::Read { path: path.to_owned(), cause };
    let text = fs::read_to_string(path).map_err(read)?;
    let line_at = |position: usize| text[..position].matches('\n').count() + 1;
    let parsed = DeTable::parse(&text).map_err(|error| {
        let line = line_at(error.span().map_or(0, |span| span.start).min(text.len()));
        let place = Place::File { path: path.to_owned(), line };
        ConfigError::Syntax { place, reason: error.message().to_owned() }
    })?;
    let origin = |position| Origin::File(line_at(position));
    Ok(Tree { value: table(parsed.get_ref(), &origin), origin: Origin::File(1) })
}

/// The tree of all overrides together, so that the order of `optimiser.kind=adam` and `optimiser.lr=0.1` does not
/// matter.
pub(super) fn from_overrides(arguments: &[String]) -> Result<Tree, ConfigError> {
    let mut all = Tree::from(Value::Table(Vec::new()));
    for (index, argument) in arguments.iter().enumerate() {
        let refuse = |reason: String| ConfigError::Override { argument: argument.clone(), reason };
        let Some((path, text)) = argument.split_once('=') else {
            return Err(refuse("there is no `=`".to_owned()));
        };
        let steps: Vec<&str> = path.split('.').map(str::trim).collect();
        if steps.iter().any(|step| step.is_empty()) {
            return Err(refuse("the path has an empty part".to_owned()));
        }
        let origin = Origin::Override(index);
        let value = override_value(text.trim(), origin).map_err(refuse)?;
        let leaf = Tree { value, origin };
        let nested = steps
            .into_iter()
            .rev()
            .fold(leaf, |tree, step| Tree { value: Value::Table(vec![(step.to_owned(), tree)]), origin });
        merge(&mut all, nested);
    }
    Ok(all)
}

/// An override's value. Shells eat quotes, so what is not TOML and does not begin like a string, an array or a
/// table is a string, or a number as other languages write it (`.5`).
fn override_value(text: &str, origin: Origin) -> Result<Value, String> {
    if text.is_empty() {
        return Err("there is no value (for empty text write '\"\"')".to_owned());
    }
    match DeValue::parse(text) {
        Ok(parsed) => Ok(value(parsed.get_ref(), &|_| origin)),
        Err(error) if text.starts_with(['[', '{', '"', '\'']) => {
            Err(format!("the value is not valid TOML: {}", error.message()))
        }
        Err(_) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => Ok(Value::Text(text.to_owned())),
        },
    }
}

fn table(entries: &DeTable<'_>, origin: &impl Fn(usize) -> Origin) -> Value {
    let mut entries: Vec<_> = entries.iter().collect();
    // The order of the file, which is the order in which faults are reported.
    entries.sort_by_key(|(key, _)| key.span().start);
    let entry = |(key, inner): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
        (
            key.get_ref().to_string(),
            Tree { value: value(inner.get_ref(), origin), origin: origin(key.span().start) },
        )
    };
    Value::Table(entries.into_iter().map(entry).collect())
}

fn value(parsed: &DeValue<'_>, origin: &impl Fn(usize) -> Origin) -> Value {
    match parsed {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(digits) => integer(digits),
        DeValue::Float(digits) => Value::Float(digits.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Bool(*value),
        // No configuration has dates; as text, one gives an error that says where it stands.
        DeValue::Datetime(date) => Value::Text(date.to_string()),
        DeValue::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| Tree { value: value(item.get_ref(), origin), origin: origin(item.span().start) })
                .collect(),
        ),
        DeValue::Table(entries) => table(entries, origin),
    }
}

fn integer(digits: &DeInteger<'_>) -> Value {
    match i128::from_str_radix(digits.as_str(), digits.radix()) {
        Ok(value) => Value::Integer(value),
        // Too long for any field: as text, it fails with the field's own name and line.
        Err(_) => Value::Text(digits.to_string()),
    }
}
