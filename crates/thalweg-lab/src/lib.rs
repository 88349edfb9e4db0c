//! Run identity, store, resume, and the recipes that join training, geometry and report.
//!
//! - [`config`]: a configuration from defaults, a TOML file and `--set`, with errors that name the line and the
//!   nearest right name.

pub mod config;
mod tree;

pub use tree::NotPlainData;
