//! Arrays without owners: layouts, the flat list of kernel calls, and the machine that runs it.
//!
//! This crate is the only one that touches raw memory. A compiled program reaches it as a [`CallList`]: a flat
//! list of [`Call`]s whose operands are [`View`]s of an input slot, an output slot, the arena or scratch memory. Nothing above
//! this crate knows where these live, which is the seam at which another device can take over.
//!
//! A [`Machine`] is a list prepared for one precision. It plans everything once and is then shared by threads, each
//! with a [`Scratch`] of its own, and with an [`Arena`] for each evaluation:
//!
//! ```
//! use thalweg_kernel::{Binary, Call, CallList, Fused, Instruction, Layout, Machine, Space, Store, View};
//!
//! // out[i, j] = x[i, j] + bias[j]
//! let shape = [2, 3];
//! let list = CallList {
//!     inputs: vec![6, 3],
//!     outputs: vec![6],
//!     calls: vec![Call::Fused(Fused {
//!         shape: shape.to_vec(),
//!         loads: vec![
//!             View { space: Space::Input(0), layout: Layout::contiguous(0, &shape) },
//!             View { space: Space::Input(1), layout: Layout::contiguous(0, &[3]).broadcast(&shape, &[1]) },
//!         ],
//!         constants: vec![],
//!         tape: vec![Instruction::Binary(Binary::Add, 0, 1)],
//!         stores: vec![Store { value: 2, to: View { space: Space::Output(0), layout: Layout::contiguous(0, &shape) } }],
//!         reductions: vec![],
//!     })],
//!     ..CallList::default()
//! };
//! let machine = Machine::<f32>::new(&list);
//! let mut out = [0.0; 6];
//! let (mut arena, mut scratch) = (machine.arena(), machine.scratch());
//! machine.run(&mut arena, &mut scratch, &[&[1., 2., 3., 4., 5., 6.], &[10., 20., 30.]], &[], &mut [&mut out]);
//! assert_eq!(out, [11., 22., 33., 14., 25., 36.]);
//! ```
//!
//! # Why it is built like this
//!
//! **Two kinds of kernel do the work.** Matrix products and convolutions are bound by arithmetic; they multiply panels
//! of one factor with rows of the other, in registers. Everything else is bound by memory and is a fused tape: loads with
//! their broadcasts, a chain of instructions, stores and reductions in one pass. Contractions without a matrix product in
//! them (outer, matrix–vector, dot, elementwise) are tapes too. A library's matrix products lost: on the short wide
//! products of a shard they were slower, they take memory by the call, and the order of their sums follows the
//! machine's caches.
//!
//! **An interpreter over blocks, no compiler.** Tapes are walked a tile of about 4 KiB a value at a time, each
//! instruction one vectorised loop, so dispatch costs a few nanoseconds per thousand elements. Compiling tapes to
//! machine code would keep intermediate values in registers instead of the first-level cache; it would also need a
//! back end for each processor, time for each new program (and this project writes many programs that run a few
//! hundred times), and executable memory. Whole-array loops, the other simple design, go through main memory once
//! an instruction.
//!
//! **Bits are part of the contract.** The order of every sum of ours follows from the shapes; vector width, thread
//! and alignment have no say, and no function of the system's mathematical library is called. So the levels with a
//! fused multiply-add ([`instruction_set`]: `"avx2"`, `"avx512"`, `"neon"`) give the same results to the last bit,
//! matrix products included; the portable level rounds products and sums separately.
//!
//! **Views are checked once.** [`Machine::new`] holds every view against its buffer and panics if one leaves it;
//! [`Machine::run`] holds every slice against its slot. What is between is pointer arithmetic without checks.
//!
//! Beside it stand the counter-based random [`Key`]s, because what a seed means must not depend on who asks.

mod call;
mod cpu;
mod layout;
mod math;
mod random;
mod real;
mod simd;
pub mod threads;
mod window;

pub use call::{
    Binary, Call, CallList, Fused, Instruction, Labels, Reduction, ReductionKind, Space, Store, Unary, View,
};
pub use cpu::{Arena, Machine, Scratch};
pub use layout::Layout;
pub use random::Key;
pub use real::Real;
pub use simd::{Loops, instruction_set, prefetch, vectorised};
pub use window::Window;
