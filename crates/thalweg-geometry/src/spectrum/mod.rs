//! Statistics of the spectrum of any [`LinearOperator`](crate::operator::LinearOperator).

mod extremes;
mod lanczos;
mod search;
mod subspace;

pub use extremes::{Eigenpair, Extremes};
pub use lanczos::{LanczosError, LanczosOptions, LanczosProgress, lanczos};
