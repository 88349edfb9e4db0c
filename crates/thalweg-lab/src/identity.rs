//! A configuration is the identity of a run.
//!
//! The hash covers the recipe's name, its version, and every field of the configuration, defaults written out. A
//! hash that leaves defaults out gives an old run's results to a new question on the day a default changes.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::tree::{NotPlainData, Tree, Value, canonical, to_tree};

/// The name of a run: the BLAKE3 hash of recipe, version and canonical configuration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId([u8; 32]);

impl RunId {
    /// The first 12 hexadecimal digits, for the names of folders: among a million runs, two share them with a
    /// probability of 0.2 %, and the manifest's full name tells them apart.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({self})")
    }
}

/// Text that is not 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run's name is 64 hexadecimal digits, found {found:?}")]
pub struct NotARunId {
    found: String,
}

impl FromStr for RunId {
    type Err = NotARunId;

    fn from_str(text: &str) -> Result<Self, NotARunId> {
        blake3::Hash::from_hex(text)
            .map(|hash| Self(*hash.as_bytes()))
            .map_err(|_| NotARunId { found: text.to_owned() })
    }
}

/// What makes a run this run and no other.
#[derive(Clone, Debug)]
pub struct Identity {
    recipe: String,
    version: u32,
    config: Tree,
    id: RunId,
}

impl Identity {
    /// The identity of `recipe` in its `version` under `config`. A recipe's version goes up whenever the same
    /// configuration would give other numbers.
    ///
    /// # Errors
    /// The configuration cannot be written as plain data.
    pub fn new<C: Serialize>(recipe: &str, version: u32, config: &C) -> Result<Self, NotPlainData> {
        let config = to_tree(config)?;
        let whole = Tree::from(Value::Table(vec![
            ("config".to_owned(), config.clone()),
            ("recipe".to_owned(), Value::Text(recipe.to_owned()).into()),
            ("version".to_owned(), Value::Integer(version.into()).into()),
        ]));
        let id = RunId(*blake3::hash(canonical(&whole).as_bytes()).as_bytes());
        Ok(Self { recipe: recipe.to_owned(), version, config, id })
    }

    /// The run's name.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// The recipe.
    pub fn recipe(&self) -> &str {
        &self.recipe
    }

    /// The recipe's version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// A name for the run's folder: `survey-3f9c2a71d04b`.
    pub fn folder_name(&self) -> String {
        format!("{}-{}", self.recipe, self.id.short())
    }

    pub(crate) fn config(&self) -> &Tree {
        &self.config
    }
}

#[cfg(test)]
mod tests;
