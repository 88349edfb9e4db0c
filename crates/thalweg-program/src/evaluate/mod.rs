//! Compiled programs at work: one evaluation, and many over the examples of a data set.

mod cut;
mod executable;
mod grain;
mod lane;
mod sharded;
mod together;

pub use cut::Cut;
pub use executable::Executable;
pub use sharded::{Data, Point, Role, Sharded};
