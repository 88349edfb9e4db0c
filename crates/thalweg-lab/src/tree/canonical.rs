//! The one text of a tree that its identity hashes.

use std::fmt::Write as _;

use super::{Tree, Value};

/// The canonical text: JSON with sorted keys and no spaces, every field written out, `null` for unset. A float is
/// its shortest round-trip digits with an exponent (`1e-3`, `2.5e0`), so an integer and a float never look alike,
/// and NaN and infinities are bare words, so they never look like text.
///
/// The writer is our own because this text must not change with the version of a formatting library: every
/// stored run would lose its name.
pub(crate) fn canonical(tree: &Tree) -> String {
    let mut text = String::new();
    write(tree, &mut text);
    text
}

fn write(tree: &Tree, text: &mut String) {
    match &tree.value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Integer(value) => write!(text, "{value}").expect("writing to a string cannot fail"),
        Value::Float(value) | Value::NonFinite(value) => {
            write!(text, "{value:e}").expect("writing to a string cannot fail");
        }
        Value::Text(value) => write_text(value, text),
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Table(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            text.push('{');
            for (i, (name, entry)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write_text(name, text);
                text.push(':');
                write(entry, text);
            }
            text.push('}');
        }
    }
}

/// A quoted string that is good JSON and good TOML: only what either demands is escaped.
pub(crate) fn write_text(value: &str, text: &mut String) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            control if control.is_ascii_control() => {
                write!(text, "\\u{:04x}", u32::from(control)).expect("writing to a string cannot fail");
            }
            other => text.push(other),
        }
    }
    text.push('"');
}
