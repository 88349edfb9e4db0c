//! Arrays without owners: layouts, the flat list of kernel calls, and the machine that runs it.
//!
//! This crate is the only one that touches raw memory. A compiled program reaches it as a [`CallList`]: a flat
//! list of [`Call`]s whose operands are [`View`]s of an input slot, an output slot or the arena. Nothing above
//! this crate knows where the arena lives, which is the seam at which another device can take over.
//!
//! Beside it stand the counter-based random [`Key`]s, because what a seed means must not depend on who asks.

mod call;
mod cpu;
mod layout;
mod math;
mod random;
mod real;
mod simd;

pub use call::{
    Binary, Call, CallList, Fused, Instruction, Labels, Reduction, ReductionKind, Space, Store, Unary, View,
};
pub use cpu::{Machine, Scratch};
pub use layout::Layout;
pub use random::Key;
pub use real::Real;
pub use simd::instruction_set;
