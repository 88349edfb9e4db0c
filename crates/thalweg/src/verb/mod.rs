//! One file a verb: its arguments, and what it does with them.

pub(crate) mod survey;
