//! One file a verb: its arguments, and what it does with them.

mod common;
pub(crate) mod data;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod survey;
pub(crate) mod train;
