//! Statistics of the spectrum of any [`LinearOperator`](crate::operator::LinearOperator).

mod lanczos;
mod subspace;

pub use lanczos::{Eigenpair, Extremes, LanczosError, LanczosOptions, LanczosProgress, lanczos};
