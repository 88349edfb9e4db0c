//! The kernels of the processor, one file each, and the [`Machine`] that runs a list of calls with them.
//!
//! Every call is planned once, when the machine is made: views become a buffer's number and strides, neighbouring
//! axes that lie in memory as one are merged, loop orders, tiles and block buffers are chosen. A run only follows
//! plans: it allocates nothing and decides nothing that depends on the data.

pub(crate) mod axes;
mod block;
pub(crate) mod chain;
pub(crate) mod contract;
mod copied;
pub(crate) mod copy;
mod form;
pub(crate) mod fused;
pub(crate) mod index;
pub(crate) mod machine;
pub(crate) mod max_index;
pub(crate) mod memory;
mod orientation;
mod panel;
mod parts;
pub(crate) mod plan;
mod product;
mod products;
pub(crate) mod reduce;
pub(crate) mod registers;
mod segments;
mod sums;
pub(crate) mod tape;
pub(crate) mod tile;
mod tiles;
mod tiles_lanewise;
mod tiles_plain;
#[cfg(target_arch = "x86_64")]
mod tiles_x86;
pub(crate) mod tiling;
#[cfg(target_arch = "x86_64")]
mod transpose;
pub(crate) mod uniform;

#[cfg(test)]
mod tests;

pub(crate) use machine::Compiled;
pub use machine::Machine;
pub use memory::{Arena, Scratch};
