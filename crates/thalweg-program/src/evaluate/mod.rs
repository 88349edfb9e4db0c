//! Compiled programs at work: one evaluation, and many over the examples of a data set.

mod executable;
mod sharded;

pub use executable::Executable;
pub use sharded::{Cut, Data, Point, Role, Sharded};
