//! What it takes to train a network: [architectures](arch), data, initial weights, optimisers, schedules, the order of examples, checkpoints.
//!
//! Nothing here keeps hidden state. A batch is a function of (key, epoch), a learning rate of the step, initial weights
//! of a key, so any instant of a run can be reached again without replaying what came before; all that must be carried
//! from one step to the next is θ and the [`optim::OptimiserState`], and both go into a [`checkpoint::Checkpoint`].
//!
//! This crate knows nothing of geometry.

pub mod arch;
pub mod augment;
pub mod batches;
pub mod checkpoint;
pub mod data;
pub mod init;
pub mod loss;
pub mod objective;
pub mod optim;
pub mod pickle;
pub mod schedule;
pub mod train;
