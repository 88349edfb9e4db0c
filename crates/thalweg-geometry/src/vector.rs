//! Loops over vectors of f64 with a summation order that depends on nothing but the length.

use rayon::prelude::*;

/// Independent partial sums of a dot product: enough to fill two AVX-512 pipelines.
const LANES: usize = 16;

/// Elements below which a loop is not worth sharing between threads.
const SHARED_MIN: usize = 1 << 15;

/// Σ aᵢbᵢ.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "dot product of vectors of different lengths");
    let mut lanes = [0.0; LANES];
    let (a_runs, a_rest) = a.as_chunks::<LANES>();
    let (b_runs, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_runs.iter().zip(b_runs) {
        for lane in 0..LANES {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f64>() + rest
}

/// ‖a‖₂ without overflow or underflow of the squares. Not finite if an element is not.
pub(crate) fn norm(a: &[f64]) -> f64 {
    let plain = dot(a, a);
    // Squares outside this range have lost bits or overflowed; NaN fails the test too.
    if (1e-200..1e200).contains(&plain) {
        return plain.sqrt();
    }
    // `f64::max` drops a NaN, so it is looked for by itself.
    if a.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let largest = a.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * a.iter().map(|x| (x / largest) * (x / largest)).sum::<f64>().sqrt()
}

/// y ← y + s·x.
pub(crate) fn add_scaled(y: &mut [f64], s: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += s * x;
    }
}

/// a − b.
pub(crate) fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    assert_eq!(a.len(), b.len(), "difference of vectors of different lengths");
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// The coefficients ⟨vᵢ, w⟩. Vectors are shared between threads; each sum is one thread's.
pub(crate) fn coefficients(basis: &[Vec<f64>], w: &[f64]) -> Vec<f64> {
    if basis.len() * w.len() < SHARED_MIN {
        return basis.iter().map(|v| dot(v, w)).collect();
    }
    basis.par_iter().map(|v| dot(v, w)).collect()
}

/// w ← w + s·Σ cᵢvᵢ, the sum in the order of the basis.
pub(crate) fn add_combination(w: &mut [f64], s: f64, coefficients: &[f64], basis: &[Vec<f64>]) {
    let run = 1 << 12;
    let accumulate = |(number, part): (usize, &mut [f64])| {
        let start = number * run;
        for (c, v) in coefficients.iter().zip(basis) {
            add_scaled(part, s * c, &v[start..start + part.len()]);
        }
    };
    if basis.len() * w.len() < SHARED_MIN {
        w.chunks_mut(run).enumerate().for_each(accumulate);
    } else {
        w.par_chunks_mut(run).enumerate().for_each(accumulate);
    }
}

/// w ← (I − VVᵀ)w for an orthonormal V, twice; returns the coefficients that were removed.
///
/// One pass of classical Gram–Schmidt loses orthogonality where w is nearly in the span; the second restores it to
/// machine precision (Giraud, Langou & Rozložník 2005, "twice is enough").
pub(crate) fn orthogonalise(w: &mut [f64], basis: &[Vec<f64>]) -> Vec<f64> {
    let mut removed = coefficients(basis, w);
    add_combination(w, -1.0, &removed, basis);
    let again = coefficients(basis, w);
    add_combination(w, -1.0, &again, basis);
    removed.iter_mut().zip(&again).for_each(|(r, a)| *r += a);
    removed
}

/// Flips the vector so that its element of largest magnitude (the first of equals) is positive.
pub(crate) fn fix_sign(v: &mut [f64]) {
    let mut pivot = 0.0_f64;
    for &x in v.iter() {
        if x.abs() > pivot.abs() {
            pivot = x;
        }
    }
    if pivot < 0.0 {
        v.iter_mut().for_each(|x| *x = -*x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_and_norm_match_naive_sums() {
        let a: Vec<f64> = (0..37).map(|i| f64::from(i) - 9.5).collect();
        let naive: f64 = a.iter().map(|x| x * x).sum();
        assert!((dot(&a, &a) - naive).abs() < 1e-12 * naive);
        assert!((norm(&a) - naive.sqrt()).abs() < 1e-12 * naive.sqrt());
    }

    #[test]
    fn norm_survives_extreme_scales_and_shows_what_is_not_finite() {
        assert!((norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
        assert!((norm(&[3e-200, 4e-200]) / 5e-200 - 1.0).abs() < 1e-15);
        assert_eq!(norm(&[0.0; 5]), 0.0);
        assert_eq!(norm(&[1.0, f64::NEG_INFINITY]), f64::INFINITY);
        assert!(norm(&[f64::NAN, 1.0]).is_nan());
        assert!(norm(&[1.0, f64::NAN, f64::INFINITY]).is_nan());
    }

    #[test]
    fn shared_and_unshared_loops_agree_to_the_bit() {
        let basis: Vec<Vec<f64>> =
            (0..9).map(|k| (0..5000).map(|i| f64::from(i * (k + 2) % 17) - 8.0).collect()).collect();
        let w: Vec<f64> = (0..5000).map(|i| f64::from(i % 13) - 6.0).collect();
        let serial: Vec<f64> = basis.iter().map(|v| dot(v, &w)).collect();
        assert_eq!(coefficients(&basis, &w), serial);
        let mut shared = w.clone();
        add_combination(&mut shared, -0.5, &serial, &basis);
        let mut plain = w;
        for (c, v) in serial.iter().zip(&basis) {
            add_scaled(&mut plain, -0.5 * c, v);
        }
        assert_eq!(shared, plain);
    }

    #[test]
    fn sign_is_fixed_by_the_largest_element() {
        let mut v = [0.5, -2.0, 1.0];
        fix_sign(&mut v);
        assert_eq!(v, [-0.5, 2.0, -1.0]);
    }
}
