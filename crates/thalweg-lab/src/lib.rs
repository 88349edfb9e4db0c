//! Run identity, store, resume, and the recipes that join training, geometry and report.
//!
//! - [`config`]: a configuration from defaults, a TOML file and `--set`, with errors that name the line and the
//!   nearest right name.
//! - [`identity`]: a configuration *is* the identity of a run.
//! - [`store`]: a run's folder: every write whole or not at all, every file's digest on record, nothing that is
//!   finished done again.
//! - [`data`]: published data sets: which there are, where they lie, and how they come here.
//! - [`site`]: a network, a loss and a data set as the instruments see them.
//! - [`recipe`]: the studies.
//! - [`inspect`]: what is in a file of weights or in a run's folder.
//! - [`progress`] and [`interrupt`]: what a person at a terminal sees, and how they stop it; [`watched`] brings both
//!   to an instrument that knows of neither.

pub mod config;
pub mod data;
pub mod identity;
pub mod inspect;
pub mod interrupt;
pub mod progress;
pub mod recipe;
pub mod site;
pub mod store;
mod tree;
pub mod watched;

pub use tree::NotPlainData;

/// The README's code, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
