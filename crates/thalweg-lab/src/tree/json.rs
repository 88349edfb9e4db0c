//! Trees to JSON text and back.
//!
//! A reading may well be NaN or infinite: divergence is a result. JSON has no such numbers, and the two usual ways
//! out lose: `null` forgets which it was, and the bare words that Python writes are refused by every strict
//! parser, browsers among them. They are written as the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, which
//! `float()` in Python, `Number()` in JavaScript and [`f64::from_str`](std::str::FromStr) all accept.

use super::canonical::write_text;
use super::{Tree, Value};

/// Indented JSON, fields in the tree's order, an array of plain values on one line, a newline at the end.
pub(crate) fn to_json_pretty(tree: &Tree) -> String {
    let mut text = String::new();
    write(tree, Some(0), &mut text);
    text.push('\n');
    text
}

/// The same JSON on one line.
pub(crate) fn to_json_line(tree: &Tree) -> String {
    let mut text = String::new();
    write(tree, None, &mut text);
    text
}

fn write(tree: &Tree, indent: Option<usize>, text: &mut String) {
    match &tree.value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Integer(value) => text.push_str(&value.to_string()),
        Value::Float(value) | Value::NonFinite(value) => write_float(*value, text),
        Value::Text(value) => write_text(value, text),
        Value::Array(items) => {
            let flat = !items.iter().any(|item| matches!(item.value, Value::Array(_) | Value::Table(_)));
            let indent = if flat { None } else { indent };
            write_block('[', ']', items.len(), indent, text, |i, inner, text| write(&items[i], inner, text));
        }
        Value::Table(entries) => {
            write_block('{', '}', entries.len(), indent, text, |i, inner, text| {
                write_text(&entries[i].0, text);
                text.push_str(": ");
                write(&entries[i].1, inner, text);
            });
        }
    }
}

fn write_block(
    open: char,
    close: char,
    count: usize,
    indent: Option<usize>,
    text: &mut String,
    mut item: impl FnMut(usize, Option<usize>, &mut String),
) {
    let inner = indent.map(|depth| depth + 1);
    let new_line = |depth: Option<usize>, text: &mut String| {
        if let Some(depth) = depth {
            text.push('\n');
            text.push_str(&"  ".repeat(depth));
        }
    };
    text.push(open);
    for i in 0..count {
        new_line(inner, text);
        item(i, inner, text);
        if i + 1 < count {
            text.push_str(if indent.is_some() { "," } else { ", " });
        }
    }
    if count > 0 {
        new_line(indent, text);
    }
    text.push(close);
}

fn write_float(value: f64, text: &mut String) {
    if value.is_nan() {
        text.push_str("\"NaN\"");
    } else if value.is_infinite() {
        text.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    } else {
        text.push_str(&format!("{value:?}"));
    }
}

/// The tree that JSON text stands for.
pub(crate) fn from_json(text: &[u8]) -> Result<Tree, serde_json::Error> {
    let value: serde_json::Value = serde_json::from_slice(text)?;
    Ok(from_value(value))
}

fn from_value(value: serde_json::Value) -> Tree {
    Tree::from(match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Value::Integer(integer.into()),
            (None, Some(integer)) => Value::Integer(integer.into()),
            // A JSON number that is no 64-bit integer always has a nearest float.
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => match text.as_str() {
            "NaN" => Value::NonFinite(f64::NAN),
            "Infinity" => Value::NonFinite(f64::INFINITY),
            "-Infinity" => Value::NonFinite(f64::NEG_INFINITY),
            _ => Value::Text(text),
        },
        serde_json::Value::Array(items) => Value::Array(items.into_iter().map(from_value).collect()),
        serde_json::Value::Object(entries) => {
            Value::Table(entries.into_iter().map(|(name, entry)| (name, from_value(entry))).collect())
        }
    })
}
