//! Eigenvalue instruments against spectra that are known.

mod lanczos;
mod multiplicity;
mod rounded;
