//! The growing Krylov subspace behind [`lanczos`](super::lanczos).
//!
//! It keeps the identity A·V = V·T + R·C: V the orthonormal basis, T = VᵀAV dense, R the residual vectors that are
//! not yet in the basis and C how much of each a basis vector leaves behind. The three-term recurrence is this
//! identity with a tridiagonal T; keeping T dense costs m² numbers and in return start vectors in blocks, fresh
//! vectors and thick restarts are all the same code.
//!
//! All of it happens in the orthogonal complement of vectors that are locked: A stands for its compression
//! (I − QQᵀ)A(I − QQᵀ), whose eigenvalues on the complement are those of A that Q has not, if Q is invariant.

use crate::dense::{Eigen, symmetric_eigen};
use crate::operator::LinearOperator;
use crate::site::SiteError;
use crate::vector::{dot, norm, orthogonalise};
use thalweg_kernel::Key;

/// A residual vector, orthogonal to the basis, and its row of C.
struct Pending {
    vector: Vec<f64>,
    row: Vec<f64>,
}

/// What became of an attempt to grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// By so many vectors, each at the price of a product.
    Grown(usize),
    /// All residual vectors vanished: the basis spans an invariant subspace of the compression.
    Invariant,
    /// A product was not finite, after so many products.
    NotFinite(usize),
}

/// The basis, the projected operator and what is to come.
pub(super) struct Subspace<'a> {
    operator: &'a dyn LinearOperator,
    key: &'a Key,
    locked: &'a [Vec<f64>],
    basis: Vec<Vec<f64>>,
    projected: Vec<Vec<f64>>,
    pending: Vec<Pending>,
    precision: f64,
    product_norm: f64,
}

impl<'a> Subspace<'a> {
    /// An empty one in the complement of orthonormal `locked` vectors. `precision` is the relative rounding error of a
    /// product.
    pub(super) fn new(
        operator: &'a dyn LinearOperator,
        key: &'a Key,
        locked: &'a [Vec<f64>],
        precision: f64,
    ) -> Self {
        Self {
            operator,
            key,
            locked,
            basis: Vec::new(),
            projected: Vec::new(),
            pending: Vec::new(),
            precision,
            product_norm: 0.0,
        }
    }

    /// m, the number of basis vectors.
    pub(super) fn len(&self) -> usize {
        self.basis.len()
    }

    /// The dimension of the complement that the basis grows in.
    pub(super) fn dimension(&self) -> usize {
        self.operator.dimension() - self.locked.len()
    }

    /// Adds random vectors, the key's from number `first` on, to what is to come.
    pub(super) fn refresh(&mut self, first: u64, count: usize) {
        for number in first..first + count as u64 {
            let mut vector = vec![0.0; self.operator.dimension()];
            self.key.fold_in(number).normals(&mut vector);
            // One that is not a residual of any basis vector leaves nothing behind: its row is zero.
            self.pending.push(Pending { vector, row: vec![0.0; self.basis.len()] });
        }
    }

    /// Takes up to `most` residual vectors into the basis and multiplies them.
    pub(super) fn grow(&mut self, most: usize) -> Result<Growth, SiteError> {
        let old = self.basis.len();
        let room = most.min(self.dimension() - old);
        let mut waiting = Vec::new();
        for Pending { mut vector, row } in std::mem::take(&mut self.pending) {
            let before = norm(&vector);
            self.project(&mut vector);
            let left = norm(&vector);
            // What is no larger than the rounding error of a product points nowhere. A residual vector is compared
            // with the products it came from, a random one with itself.
            let floor = if row.iter().all(|&c| c == 0.0) {
                before * f64::EPSILON
            } else {
                self.product_norm * self.precision
            };
            if left <= 32.0 * floor {
                continue;
            }
            if self.basis.len() == old + room {
                waiting.push(Pending { vector, row });
                continue;
            }
            vector.iter_mut().for_each(|x| *x /= left);
            // Dividing a small remainder magnifies its rounding errors along the basis.
            self.project(&mut vector);
            let length = norm(&vector);
            vector.iter_mut().for_each(|x| *x /= length);
            self.basis.push(vector);
        }
        let grown = self.basis.len() - old;
        if grown == 0 {
            return Ok(Growth::Invariant);
        }
        for Pending { row, .. } in &mut waiting {
            row.resize(old + grown, 0.0);
        }
        self.pending = waiting;
        let mut products = vec![vec![0.0; self.operator.dimension()]; grown];
        let tangents: Vec<&[f64]> = self.basis[old..].iter().map(Vec::as_slice).collect();
        self.operator.apply_many(&tangents, &mut products)?;
        for row in &mut self.projected {
            row.resize(old + grown, 0.0);
        }
        self.projected.resize(old + grown, vec![0.0; old + grown]);
        for (number, mut product) in (old..).zip(products) {
            let length = norm(&product);
            if !length.is_finite() {
                self.basis.truncate(old);
                return Ok(Growth::NotFinite(grown));
            }
            self.product_norm = self.product_norm.max(length);
            orthogonalise(&mut product, self.locked);
            for (i, coefficient) in orthogonalise(&mut product, &self.basis).into_iter().enumerate() {
                self.projected[i][number] = coefficient;
                self.projected[number][i] = coefficient;
            }
            let mut row = vec![0.0; old + grown];
            row[number] = 1.0;
            self.pending.push(Pending { vector: product, row });
        }
        Ok(Growth::Grown(grown))
    }

    /// Takes out of a vector what lies along the locked ones and the basis.
    fn project(&self, vector: &mut [f64]) {
        orthogonalise(vector, self.locked);
        orthogonalise(vector, &self.basis);
    }

    /// Ritz values, ascending, with their coordinates in the basis. `None` if the projected problem has no answer.
    pub(super) fn ritz(&self) -> Option<Eigen> {
        symmetric_eigen(self.basis.len(), |i, j| self.projected[i][j])
    }

    /// A bound on ‖Ay − θy‖ for the Ritz vector with these coordinates: Σ ‖r‖·|c·s|.
    pub(super) fn residual_bound(&self, coordinates: &[f64]) -> f64 {
        self.pending.iter().map(|p| norm(&p.vector) * dot(&p.row, coordinates).abs()).sum()
    }

    /// The unit vector with these coordinates.
    pub(super) fn vector(&self, coordinates: &[f64]) -> Vec<f64> {
        let mut vector = vec![0.0; self.operator.dimension()];
        crate::vector::add_combination(&mut vector, 1.0, coordinates, &self.basis);
        let length = norm(&vector);
        vector.iter_mut().for_each(|x| *x /= length);
        vector
    }

    /// Thick restart (Wu & Simon 2000): the basis becomes these Ritz vectors; the residual vectors stay.
    pub(super) fn restart(&mut self, ritz: &Eigen, kept: &[usize]) {
        let rows: Vec<&[f64]> = kept.iter().map(|&k| ritz.vectors[k].as_slice()).collect();
        let n = self.operator.dimension();
        // A slab of all vectors at a time, so that the old basis and the new one never stand side by side.
        let slab = 1 << 10;
        let mut mixed = vec![vec![0.0; slab]; kept.len()];
        for start in (0..n).step_by(slab) {
            let part = start..n.min(start + slab);
            for (mixed, row) in mixed.iter_mut().zip(&rows) {
                mixed.fill(0.0);
                for (c, v) in row.iter().zip(&self.basis) {
                    crate::vector::add_scaled(&mut mixed[..part.len()], *c, &v[part.clone()]);
                }
            }
            for (vector, mixed) in self.basis.iter_mut().zip(&mixed) {
                vector[part.clone()].copy_from_slice(&mixed[..part.len()]);
            }
        }
        self.basis.truncate(kept.len());
        for pending in &mut self.pending {
            pending.row = rows.iter().map(|row| dot(&pending.row, row)).collect();
        }
        self.projected = kept.iter().map(|_| vec![0.0; kept.len()]).collect();
        for (i, &k) in kept.iter().enumerate() {
            self.projected[i][i] = ritz.values[k];
        }
    }
}
