//! From a fault in a merged tree to an error that names the place and the nearest right name.

use std::path::Path;

use strsim::damerau_levenshtein;

use super::error::{ConfigError, Place};
use super::merge::TAG;
use crate::tree::{Fault, Mismatch, Origin, Tree, Value};

/// All that an explanation needs to see.
pub(super) struct Context<'a> {
    pub(super) base: Option<&'a Path>,
    pub(super) overrides: &'a [String],
    pub(super) defaults: &'a Tree,
    pub(super) merged: &'a Tree,
}

impl Context<'_> {
    /// The error of `fault`. `read` reads a changed tree and returns its fault: inside a tagged enum, where the fault
    /// has only the enum's path, the culprit is the entry without which the fault would be another.
    pub(super) fn explain(&self, fault: Fault, read: impl Fn(&Tree) -> Option<Fault>) -> ConfigError {
        let path = fault.path.clone();
        match fault.mismatch {
            Mismatch::UnknownField(name, known) => {
                let path = self.find_below(&path, |steps, _| steps.last() == Some(&name)).unwrap_or(path);
                self.unknown_field(&path, known)
            }
            Mismatch::UnknownVariant(found, allowed) => {
                let is_it = |steps: &[String], tree: &Tree| {
                    tree.value == Value::Text(found.clone()) && steps.last().is_some_and(|step| step == TAG)
                };
                let path = match self.tree_at(&path).map(|tree| &tree.value) {
                    // A tag, or, inside a tagged enum, a field whose own variants are names.
                    Some(Value::Table(_)) => self
                        .find_below(&path, is_it)
                        .or_else(|| {
                            self.find_below(&path, |_, tree| tree.value == Value::Text(found.clone()))
                        })
                        .unwrap_or(path),
                    _ => path,
                };
                let nearest = nearest(&found, allowed.iter().map(String::as_str)).map(str::to_owned);
                let allowed = allowed.into();
                ConfigError::UnknownVariant {
                    field: path.join("."),
                    place: self.place(&path),
                    found,
                    allowed,
                    nearest,
                }
            }
            Mismatch::MissingField(ref name) => {
                let path = self.lacking(&fault, name, read).unwrap_or(path);
                let place = self.place(&path);
                let variant =
                    self.tree_at(&path).and_then(|table| table.entry(TAG)).map(|tag| match &tag.value {
                        Value::Text(variant) => (path.join("."), variant.clone()),
                        _ => (path.join("."), String::new()),
                    });
                let name = name.clone();
                let field = [path, vec![name]].concat().join(".");
                ConfigError::MissingField { field, place, variant }
            }
            Mismatch::Unexpected(ref expected, ref found) => {
                let path = self.culprit(&fault, &read).unwrap_or(path);
                // A wrong number of elements is the array's.
                let is_arrays = found.ends_with(" elements");
                let path = if is_arrays { path } else { self.culprit_element(&fault, path, read) };
                let found = self.tree_at(&path).map_or_else(|| found.clone(), Tree::describe);
                let expected = plain_expected(expected);
                ConfigError::WrongType { field: path.join("."), place: self.place(&path), expected, found }
            }
            Mismatch::Other(reason) => {
                ConfigError::Refused { field: path.join("."), place: self.place(&path), reason }
            }
        }
    }

    /// Refuses anything else where the defaults have a table.
    pub(super) fn check_tables(&self) -> Result<(), ConfigError> {
        for (path, default) in self.defaults.entries() {
            let Some(tree) = self.tree_at(&path) else { continue };
            if matches!(default.value, Value::Table(_)) && matches!(tree.value, Value::Array(_)) {
                return Err(ConfigError::WrongType {
                    field: path.join("."),
                    place: self.place(&path),
                    expected: "a table".to_owned(),
                    found: tree.describe(),
                });
            }
        }
        Ok(())
    }

    /// Refuses any entry the user wrote that did not come out again in `understood`.
    pub(super) fn check_all_understood(&self, understood: &Tree) -> Result<(), ConfigError> {
        for (path, tree) in self.merged.entries() {
            if tree.origin == Origin::Program || understood.at(path.iter().map(String::as_str)).is_some() {
                continue;
            }
            let parent = &path[..path.len() - 1];
            let known = match understood.at(parent.iter().map(String::as_str)).map(|tree| &tree.value) {
                Some(Value::Table(entries)) => entries.iter().map(|(name, _)| name.clone()).collect(),
                _ => Vec::new(),
            };
            return Err(self.unknown_field(&path, known));
        }
        Ok(())
    }

    fn unknown_field(&self, path: &[String], mut known: Vec<String>) -> ConfigError {
        known.retain(|name| name != TAG);
        let (name, parent) = path.split_last().expect("a field has a name");
        // The tag is a word of the table itself, and no field of the variant.
        let tag = self.tree_at(parent).and_then(|table| table.entry(TAG)).map(|_| TAG);
        let sibling = nearest(name, known.iter().map(String::as_str).chain(tag));
        let nearest = match sibling {
            Some(sibling) => Some([parent, &[sibling.to_owned()]].concat().join(".")),
            // The right name at the wrong level is the other usual slip.
            None => {
                let mut all = self.defaults.entries();
                all.retain(|(steps, _)| steps != path);
                let last = |steps: &Vec<String>| steps.last().cloned().unwrap_or_default();
                let names: Vec<String> = all.iter().map(|(steps, _)| last(steps)).collect();
                nearest(name, names.iter().map(String::as_str))
                    .and_then(|best| all.iter().find(|(steps, _)| last(steps) == best))
                    .map(|(steps, _)| steps.join("."))
            }
        };
        ConfigError::UnknownField { field: path.join("."), place: self.place(path), nearest, known }
    }

    fn tree_at(&self, path: &[String]) -> Option<&Tree> {
        self.merged.at(path.iter().map(String::as_str))
    }

    /// Where the value at `path` was written; if it has no place of its own, the nearest table around it that has.
    fn place(&self, path: &[String]) -> Place {
        let origins = (0..=path.len()).rev().filter_map(|n| self.tree_at(&path[..n])).map(|tree| tree.origin);
        match (origins.into_iter().find(|&origin| origin != Origin::Program), self.base) {
            (Some(Origin::Override(index)), _) => Place::Override(self.overrides[index].clone()),
            (Some(Origin::File(line)), Some(path)) => Place::File { path: path.to_owned(), line },
            _ => Place::Defaults,
        }
    }

    /// The path of the entry at or below `path` that satisfies `is_it`; what the user wrote goes before defaults.
    fn find_below(&self, path: &[String], is_it: impl Fn(&[String], &Tree) -> bool) -> Option<Vec<String>> {
        let entries = self.tree_at(path)?.entries();
        let matching = || entries.iter().filter(|(steps, tree)| is_it(steps, tree));
        let written = matching().find(|(_, tree)| tree.origin != Origin::Program);
        written.or_else(|| matching().next()).map(|(steps, _)| [path, steps].concat())
    }

    /// The tagged table at or below the fault's that lacks the field: the innermost that, given one of that name, is at
    /// fault no more, or for another reason than that it has no use for it.
    fn lacking(
        &self,
        fault: &Fault,
        name: &str,
        read: impl Fn(&Tree) -> Option<Fault>,
    ) -> Option<Vec<String>> {
        let entries = self.tree_at(&fault.path)?.entries();
        let tables = entries.iter().rev().filter(|(_, tree)| tree.entry(TAG).is_some());
        tables.map(|(steps, _)| [&fault.path, steps.as_slice()].concat()).find(|path| {
            let mut with = self.merged.clone();
            let one = Tree { value: Value::Float(1.0), origin: Origin::Program };
            with.insert(&[path.as_slice(), &[name.to_owned()]].concat(), one);
            let is_useless = |mismatch: &Mismatch| matches!(mismatch, Mismatch::UnknownField(unknown, _) if unknown == name);
            read(&with).is_none_or(|other| other != *fault && !is_useless(&other.mismatch))
        })
    }

    /// The innermost entry below the fault's table without which the fault would be another.
    fn culprit(&self, fault: &Fault, read: &impl Fn(&Tree) -> Option<Fault>) -> Option<Vec<String>> {
        let entries = self.tree_at(&fault.path)?.entries();
        // Children come after their parents, so the last match is the innermost.
        entries.iter().rev().map(|(steps, _)| [&fault.path, steps.as_slice()].concat()).find(|path| {
            let mut without = self.merged.clone();
            without.remove(path);
            read(&without).as_ref() != Some(fault)
        })
    }
}

impl Context<'_> {
    /// The element of the array at `path` that is at fault by itself; `path` if there is none, or no array.
    fn culprit_element(
        &self,
        fault: &Fault,
        path: Vec<String>,
        read: impl Fn(&Tree) -> Option<Fault>,
    ) -> Vec<String> {
        let Some(Tree { value: Value::Array(items), origin }) = self.tree_at(&path) else { return path };
        let is_at_fault = |item: &Tree| {
            let mut with = self.merged.clone();
            with.remove(&path);
            let alone = Tree { value: Value::Array(vec![item.clone()]), origin: *origin };
            with.insert(&path, alone);
            read(&with).as_ref() == Some(fault)
        };
        // An array that is wrong as such is so without its elements too.
        let mut empty = self.merged.clone();
        empty.remove(&path);
        empty.insert(&path, Tree { value: Value::Array(Vec::new()), origin: *origin });
        if read(&empty).as_ref() == Some(fault) {
            return path;
        }
        match items.iter().position(is_at_fault) {
            Some(index) => [path, vec![index.to_string()]].concat(),
            None => path,
        }
    }
}

/// The candidate that `name` most likely meant: at most a third of its letters wrong, letter case and `-` for `_`
/// not counted.
fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = |text: &str| text.to_lowercase().replace('-', "_");
    candidates
        .map(|candidate| (damerau_levenshtein(&folded(name), &folded(candidate)), candidate))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, candidate)| 3 * distance <= name.chars().count().max(candidate.chars().count()))
        .map(|(_, candidate)| candidate)
}

/// serde's word for a type, in a user's words.
fn plain_expected(expected: &str) -> String {
    match expected {
        "f32" | "f64" => "a number".to_owned(),
        "usize" | "u64" | "u128" => "an integer, 0 or more".to_owned(),
        "u8" => format!("an integer from 0 to {}", u8::MAX),
        "u16" => format!("an integer from 0 to {}", u16::MAX),
        "u32" => format!("an integer from 0 to {}", u32::MAX),
        "isize" | "i64" | "i128" => "an integer".to_owned(),
        "i8" => format!("an integer from {} to {}", i8::MIN, i8::MAX),
        "i16" => format!("an integer from {} to {}", i16::MIN, i16::MAX),
        "i32" => format!("an integer from {} to {}", i32::MIN, i32::MAX),
        "bool" | "a boolean" => "true or false".to_owned(),
        "variant identifier" => "the name of a variant".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a map" => "a table".to_owned(),
        other if other.starts_with("internally tagged enum") => format!("a table with `{TAG}`"),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other if other.starts_with("string or map") => "a name".to_owned(),
        other => other.to_owned(),
    }
}
