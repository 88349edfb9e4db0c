//! The command line as its users have it: real processes, their words, their exit codes, their files.

mod bad_input;
mod data;
mod data_kinds;
#[cfg(feature = "fetch")]
mod downloads;
mod early_stop;
mod fashion;
mod folders;
mod initial;
mod limits;
#[cfg(feature = "fetch")]
#[path = "../../../thalweg-lab/tests/data/server.rs"]
mod server;
mod signals;
mod support;
mod survey;
mod train;
mod weights;
mod words;
