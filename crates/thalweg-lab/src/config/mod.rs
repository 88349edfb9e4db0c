//! Configurations: defaults, the user's file over them, and `--set` over that.
//!
//! A configuration is any type with [`Default`], [`serde::Serialize`] and [`serde::Deserialize`]. What such a type
//! must keep to:
//! - every field that it reads it also writes, under the same name (a field that is not written would not be part
//!   of a run's identity, and is refused as unknown). One that came later and is optional may be left out while it is
//!   unset, so that runs from before it keep their names;
//! - a choice between variants with fields is an internally tagged enum, `#[serde(tag = "kind")]`, whose fields have
//!   serde defaults. Tables merge field by field, but a table that names another `kind` replaces the whole table:
//!   a step size that was chosen for one optimiser does not leak into another;
//! - an optional field defaults to `None`: TOML cannot say "unset", so a file could not take a `Some` away.
//!
//! The design that lost: `serde_ignored` with `serde_path_to_error`. Neither sees into internally tagged enums, and
//! what they report is a sentence without the names that would have been right.

mod error;
mod explain;
mod merge;
mod print;
mod source;
mod vary;

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::tree::{Tree, from_tree, to_tree};
pub use error::{ConfigError, Place};
pub use print::{print, print_documented};
pub use vary::variants;

/// Reads a configuration: `C::default()`, then the TOML file `base`, then each of `overrides`, which read
/// `path.to.field=value`.
///
/// Tables merge; arrays and plain values replace. The value of an override is TOML, or, if it is one bare word that
/// is not TOML, a string: `model.activation=tanh`. The order of overrides matters only between two of one path,
/// where the last wins.
///
/// # Errors
/// The file cannot be read or is no TOML; a field or variant is unknown or missing; a value has the wrong type or
/// is out of range. Each names the file and line or the override, the dotted path, and what was expected.
pub fn load<C: DeserializeOwned + Serialize + Default>(
    base: Option<&Path>,
    overrides: &[String],
) -> Result<C, ConfigError> {
    let defaults = plain(&C::default())?;
    let mut merged = defaults.clone();
    if let Some(path) = base {
        merge::merge(&mut merged, source::from_file(path)?);
    }
    merge::merge(&mut merged, source::from_overrides(overrides)?);

    let context = explain::Context { base, overrides, defaults: &defaults, merged: &merged };
    // serde takes an array for a tagged enum: first the tag, then the fields in their order.
    context.check_tables()?;
    let config: C =
        from_tree(&merged).map_err(|fault| context.explain(fault, |tree| from_tree::<C>(tree).err()))?;
    // serde drops unknown fields inside tagged enums without a word; what was understood comes out again.
    context.check_all_understood(&plain(&config)?)?;
    Ok(config)
}

fn plain<C: Serialize>(config: &C) -> Result<Tree, ConfigError> {
    to_tree(config).map_err(|cause| ConfigError::NotPlainData { cause })
}

#[cfg(test)]
mod tests;
