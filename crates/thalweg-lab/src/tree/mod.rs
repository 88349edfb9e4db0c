//! Configurations and readings as trees of plain values, between serde and the file formats.
//!
//! TOML cannot say "unset" and JSON cannot say NaN; `toml::Value` and `serde_json::Value` inherit that. A tree
//! here holds both, keeps fields in their declared order, and remembers where each value was written, so that an
//! error can name the file and the line. Both formats meet in it: one merge, one comparison, one hash.

mod canonical;
mod de;
mod json;
mod ser;

pub(crate) use canonical::{canonical, write_text};
pub(crate) use de::{Fault, Mismatch, from_tree};
pub(crate) use json::{from_json, to_json_line, to_json_pretty};
pub(crate) use ser::to_tree;

/// Where a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// In the program: a default, or a value being written out.
    Program,
    /// On this line of the configuration file, counted from 1.
    File(usize),
    /// In the override of this index.
    Override(usize),
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// One value. Tables keep their order: declared order for structs, sorted keys for maps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    /// A float that JSON can only carry as text: it reads back as a number or as that text, whichever is asked for.
    NonFinite(f64),
    Array(Vec<Tree>),
    Table(Vec<(String, Tree)>),
}

/// What a type cannot be written as: only our own types are written, so this names a field to be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct NotPlainData {
    pub(crate) what: String,
}

impl From<Value> for Tree {
    fn from(value: Value) -> Self {
        Self { value, origin: Origin::Program }
    }
}

impl Tree {
    /// The entry `key` of a table.
    pub(crate) fn entry(&self, key: &str) -> Option<&Tree> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, tree)| tree),
            _ => None,
        }
    }

    /// The value at the end of `path`; array positions are written as decimal numbers.
    pub(crate) fn at<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Tree> {
        let mut here = self;
        for step in path {
            here = match &here.value {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
                _ => here.entry(step)?,
            };
        }
        Some(here)
    }

    /// Every table entry at any depth, parents first, each with its path; below an array, the position is a step.
    pub(crate) fn entries(&self) -> Vec<(Vec<String>, &Tree)> {
        let mut found = Vec::new();
        self.collect_entries(&mut Vec::new(), &mut found);
        found
    }

    fn collect_entries<'t>(&'t self, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, &'t Tree)>) {
        match &self.value {
            Value::Table(entries) => {
                for (name, tree) in entries {
                    path.push(name.clone());
                    found.push((path.clone(), tree));
                    tree.collect_entries(path, found);
                    path.pop();
                }
            }
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    path.push(i.to_string());
                    item.collect_entries(path, found);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// Takes out the table entry at the end of `path`, if it is there.
    pub(crate) fn remove(&mut self, path: &[String]) {
        match (&mut self.value, path) {
            (Value::Table(entries), [last]) => entries.retain(|(name, _)| name != last),
            (Value::Table(entries), [step, rest @ ..]) => {
                if let Some((_, tree)) = entries.iter_mut().find(|(name, _)| name == step) {
                    tree.remove(rest);
                }
            }
            (Value::Array(items), [step, rest @ ..]) => {
                if let Some(tree) = step.parse::<usize>().ok().and_then(|i| items.get_mut(i)) {
                    tree.remove(rest);
                }
            }
            _ => {}
        }
    }

    /// Puts an entry into the table at the end of `path` but for its last step, if that table is there.
    pub(crate) fn insert(&mut self, path: &[String], tree: Tree) {
        match (&mut self.value, path) {
            (Value::Table(entries), [last]) => entries.push((last.clone(), tree)),
            (Value::Table(entries), [step, rest @ ..]) => {
                if let Some((_, below)) = entries.iter_mut().find(|(name, _)| name == step) {
                    below.insert(rest, tree);
                }
            }
            (Value::Array(items), [step, rest @ ..]) => {
                if let Some(below) = step.parse::<usize>().ok().and_then(|i| items.get_mut(i)) {
                    below.insert(rest, tree);
                }
            }
            _ => {}
        }
    }

    /// What this is, for an error message: `the string "tanh"`, `an array`.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => format!("the boolean {value}"),
            Value::Integer(value) => format!("the integer {value}"),
            Value::Float(value) | Value::NonFinite(value) => format!("the number {value:?}"),
            Value::Text(text) => format!("the string {text:?}"),
            Value::Array(items) if items.is_empty() => "an empty array".to_owned(),
            Value::Array(items) => format!("an array of {}", items.len()),
            Value::Table(_) => "a table".to_owned(),
        }
    }

    /// Leaves at which two trees differ: dotted path, value here, value there, as compact JSON or `unset`.
    pub(crate) fn differences(&self, other: &Tree) -> Vec<(String, String, String)> {
        let mut found = Vec::new();
        collect_differences("", Some(self), Some(other), &mut found);
        found
    }
}

fn collect_differences(
    path: &str,
    here: Option<&Tree>,
    there: Option<&Tree>,
    found: &mut Vec<(String, String, String)>,
) {
    let entries = |tree: Option<&Tree>| match tree.map(|tree| &tree.value) {
        Some(Value::Table(entries)) => Some(entries.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()),
        _ => None,
    };
    if let (Some(mut names), Some(names_there)) = (entries(here), entries(there)) {
        names.extend(names_there.into_iter().filter(|name| here.and_then(|tree| tree.entry(name)).is_none()));
        for name in names {
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let entry = |tree: Option<&'_ Tree>| tree.and_then(|tree| tree.entry(&name)).cloned();
            collect_differences(&below, entry(here).as_ref(), entry(there).as_ref(), found);
        }
        return;
    }
    let text = |tree: Option<&Tree>| match tree {
        None | Some(Tree { value: Value::Null, .. }) => "unset".to_owned(),
        Some(tree) => to_json_line(tree),
    };
    if text(here) != text(there) {
        found.push((path.to_owned(), text(here), text(there)));
    }
}
