//! A configuration as commented TOML.

use serde::Serialize;

use super::{ConfigError, plain};
use crate::tree::{Tree, Value, write_text};

/// The whole configuration as TOML. Loaded over the defaults, it gives the same configuration back, provided that
/// optional fields default to unset; those stand as comments.
///
/// # Errors
/// The type cannot be written as plain data.
pub fn print<C: Serialize>(config: &C) -> Result<String, ConfigError> {
    print_documented(config, |_| None)
}

/// The same with a comment above each field for which `doc`, asked with the dotted path, has one.
///
/// # Errors
/// The type cannot be written as plain data.
pub fn print_documented<C: Serialize>(
    config: &C,
    doc: impl Fn(&str) -> Option<&'static str>,
) -> Result<String, ConfigError> {
    let mut text = String::new();
    write_table(&plain(config)?, "", &doc, &mut text);
    Ok(text)
}

fn write_table(tree: &Tree, path: &str, doc: &impl Fn(&str) -> Option<&'static str>, text: &mut String) {
    let Value::Table(entries) = &tree.value else {
        return;
    };
    let is_table = |tree: &Tree| matches!(tree.value, Value::Table(_));
    // TOML gives everything after a table's header to that table: plain values come first.
    for (name, entry) in entries.iter().filter(|(_, entry)| !is_table(entry)) {
        write_doc(doc(&joined(path, name)), text);
        match &entry.value {
            Value::Null => text.push_str(&format!("# {} is not set\n", key(name))),
            _ => text.push_str(&format!("{} = {}\n", key(name), inline(entry))),
        }
    }
    for (name, entry) in entries.iter().filter(|(_, entry)| is_table(entry)) {
        let below = joined(path, &key(name));
        if !text.is_empty() {
            text.push('\n');
        }
        write_doc(doc(&joined(path, name)), text);
        text.push_str(&format!("[{below}]\n"));
        write_table(entry, &below, doc, text);
    }
}

fn write_doc(doc: Option<&str>, text: &mut String) {
    for line in doc.unwrap_or_default().lines() {
        text.push_str(format!("# {}", line.trim()).trim_end());
        text.push('\n');
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn key(name: &str) -> String {
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return name.to_owned();
    }
    quoted(name)
}

fn quoted(value: &str) -> String {
    let mut text = String::new();
    write_text(value, &mut text);
    text
}

fn inline(tree: &Tree) -> String {
    match &tree.value {
        Value::Null => unreachable!("unset entries are left out and TOML arrays hold none"),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float(value) | Value::NonFinite(value) if value.is_nan() => "nan".to_owned(),
        Value::Float(value) | Value::NonFinite(value) => format!("{value:?}"),
        Value::Text(value) => quoted(value),
        Value::Array(items) => {
            let items: Vec<String> =
                items.iter().filter(|item| item.value != Value::Null).map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(entries) => {
            let set = entries.iter().filter(|(_, entry)| entry.value != Value::Null);
            let fields: Vec<String> =
                set.map(|(name, entry)| format!("{} = {}", key(name), inline(entry))).collect();
            if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
        }
    }
}
