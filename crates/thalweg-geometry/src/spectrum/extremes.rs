//! What a search for eigenpairs returns.

use crate::site::number;
use serde::{Deserialize, Serialize};

/// An eigenvalue with its residual and eigenvector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Eigenpair {
    /// λ, the Rayleigh quotient vᵀAv.
    #[serde(with = "number")]
    pub value: f64,
    /// ‖Av − λv‖ by the same product: some eigenvalue of A lies within this distance of λ.
    #[serde(with = "number")]
    pub residual: f64,
    /// v, of unit length, its element of largest magnitude positive. Not part of the JSON, where it reads back empty.
    #[serde(skip)]
    pub vector: Vec<f64>,
}

/// Both ends of a spectrum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extremes {
    /// Largest first. Empty if a product was not finite.
    pub largest: Vec<Eigenpair>,
    /// Smallest first. Shares pairs with `largest` when more are wanted than there are.
    pub smallest: Vec<Eigenpair>,
    /// max |Ritz value|, a lower bound of the spectral norm.
    #[serde(with = "number")]
    pub spectral_norm: f64,
    /// n.
    pub dimension: usize,
    /// √(2Σr²) over the pairs returned, r being their residuals: as many eigenvalues of A, copies counted, can be paired
    /// with them, none further away than this (Kahan 1967, the vectors being orthonormal).
    #[serde(with = "number")]
    pub pairing_bound: f64,
    /// With probability at least 0.999 over the random starts, no eigenvalue, copies counted, was passed over that lies
    /// further out than the last one returned at its end by more than this; 0 if the whole space was searched or what was
    /// left of it lies clearly inside, infinite if the budget did not reach.
    #[serde(with = "number")]
    pub detection_limit: f64,
    /// Searches: the first one, and those in the complement of what the ones before had found.
    pub searches: usize,
    /// Thick restarts.
    pub restarts: usize,
    /// Searches that came to span an invariant subspace.
    pub breakdowns: usize,
}
