//! Programs to programs: derivatives of any order, and batches.
//!
//! | transform | what it makes of f |
//! |---|---|
//! | [`jvp`] | (x, ẋ) ↦ (f(x), J ẋ) |
//! | [`linearize`](linearize()) | x ↦ (f(x), residuals) and, apart, (residuals, ẋ) ↦ J ẋ |
//! | [`split_linear`] | the same two parts of a program that is linear in some arguments already |
//! | [`transpose`](transpose()) | of a linear program: y̅ ↦ Jᵀ y̅ |
//! | [`batch`](batch()) | f on each member of a batch |
//! | [`hoist`](hoist()) | what is linear in some arguments, apart from the rest |
//! | [`gradient`], [`hvp`], [`ggn`], [`jacobian_product`], [`jacobian_transpose_product`] | made of these |
//!
//! Reverse mode is `transpose ∘ linearize`, a Hessian-vector product is the jvp of a gradient, and a Gauss–Newton
//! product is Jᵀ·H_loss·J. All of them are programs again, so they nest to any order.

mod batch;
mod derivative;
mod hoist;
mod jvp;
mod linearize;
mod pieces;
mod transpose;

pub use batch::batch;
pub use derivative::{ggn, gradient, hvp, jacobian_product, jacobian_transpose_product};
pub use hoist::{Hoisted, hoist};
pub use jvp::jvp;
pub use linearize::{Linearized, linearize, split_linear};
pub use transpose::transpose;
