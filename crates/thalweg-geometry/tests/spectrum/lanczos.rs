//! Lanczos against spectra that are known, and the products it takes.

use thalweg_geometry::operator::{Dense, Diagonal, Ggn, Hessian, LinearOperator, Restricted};
use thalweg_geometry::site::{Counted, Outcome, Reading, Site, Uncertainty, Work};
use thalweg_geometry::spectrum::{Extremes, LanczosError, LanczosOptions, lanczos};
use thalweg_geometry::testbed::{DeepLinear, ProductValley, Quadratic};
use thalweg_kernel::Key;

use crate::rounded::Rounded;

fn key() -> Key {
    Key::from_seed(7).named("lanczos")
}

fn options(largest: usize, smallest: usize) -> LanczosOptions {
    LanczosOptions { largest, smallest, tolerance: 1e-10, ..LanczosOptions::default() }
}

fn run(operator: &dyn LinearOperator, options: &LanczosOptions) -> Reading<Extremes> {
    lanczos(operator, options, &key(), &mut |_| ()).unwrap()
}

fn values(reading: &Reading<Extremes>) -> (Vec<f64>, Vec<f64>) {
    let value = |pair: &thalweg_geometry::spectrum::Eigenpair| pair.value;
    (reading.value.largest.iter().map(value).collect(), reading.value.smallest.iter().map(value).collect())
}

/// Converged, and the ends of the spectrum (given in any order) to within the tolerance times its size.
fn check(operator: &dyn LinearOperator, spectrum: &[f64], options: &LanczosOptions) -> Reading<Extremes> {
    let mut spectrum = spectrum.to_vec();
    spectrum.sort_by(f64::total_cmp);
    let scale = spectrum.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let reading = run(operator, options);
    assert_eq!(reading.outcome, Outcome::Converged);
    let (largest, smallest) = values(&reading);
    assert_eq!(largest.len(), options.largest.min(spectrum.len()));
    assert_eq!(smallest.len(), options.smallest.min(spectrum.len()));
    for (found, known) in largest.iter().zip(spectrum.iter().rev()).chain(smallest.iter().zip(&spectrum)) {
        assert!((found - known).abs() <= 1e-9 * scale, "found {found}, known {known}");
    }
    for pair in reading.value.largest.iter().chain(&reading.value.smallest) {
        assert!(pair.residual <= options.tolerance.max(1e-14) * scale, "{}", pair.residual);
        let product = operator.apply(&pair.vector).unwrap();
        let residual: f64 =
            product.iter().zip(&pair.vector).map(|(p, v)| (p / scale - pair.value / scale * v).powi(2)).sum();
        assert!(scale == 0.0 || residual.sqrt() <= options.tolerance.max(1e-14), "{residual}");
    }
    reading
}

fn random_symmetric(n: usize, key: &Key) -> Dense {
    let mut g = vec![0.0; n * n];
    key.normals(&mut g);
    Dense::symmetric(n, (0..n * n).map(|k| g[k] + g[k % n * n + k / n]).collect())
}

#[test]
fn a_known_diagonal_and_its_counted_work() {
    let spectrum: Vec<f64> = (0..400).map(|i| (f64::from(i) / 100.0 - 1.5).powi(3)).collect();
    let reading = check(&Diagonal::new(spectrum.clone()), &spectrum, &options(5, 1));
    assert_eq!(reading.work, Work { matvecs: 135, ..Work::default() });
    assert_eq!((reading.value.restarts, reading.value.breakdowns), (0, 0));
}

#[test]
fn a_random_symmetric_matrix_against_its_full_decomposition() {
    for n in [2, 3, 10, 90] {
        let matrix = random_symmetric(n, &key().fold_in(n as u64));
        check(&matrix, &matrix.eigenvalues().unwrap(), &options(4, 3));
    }
}

#[test]
fn repeated_eigenvalues_are_found_with_their_multiplicity() {
    let spectrum: Vec<f64> = (0..30).map(|i| [3.0, 3.0, -1.0, 0.5, 2.0][i % 5]).collect();
    let reading = check(&Diagonal::new(spectrum.clone()), &spectrum, &options(13, 7));
    // Chains of the 4 distinct values, a copy of each for a start vector, until the whole space is spanned.
    assert_eq!(reading.work.matvecs, 30 + 20);
    assert_eq!(reading.value.breakdowns, 5);
    let rotated = Quadratic::rotated(spectrum.clone(), &key());
    check(&Hessian::at(&rotated, &[0.0; 30]), &spectrum, &options(13, 7));
}

#[test]
fn a_block_finds_copies_that_one_vector_passes_over() {
    let mut spectrum: Vec<f64> = (0..600).map(|i| f64::from(i) / 600.0).collect();
    spectrum.extend([5.0, 5.0, 5.0, -2.0, -2.0]);
    let operator = Diagonal::new(spectrum.clone());
    check(&operator, &spectrum, &LanczosOptions { block: 3, ..options(3, 2) });
}

#[test]
fn zero_and_rank_deficient_operators() {
    check(&Diagonal::new(vec![0.0; 20]), &[0.0; 20], &options(3, 3));
    let mut spectrum = vec![0.0; 200];
    (spectrum[3], spectrum[50], spectrum[120]) = (4.0, 1.0, 0.25);
    let reading = check(&Diagonal::new(spectrum.clone()), &spectrum, &options(5, 3));
    // 4 for the range and one vector of the kernel, then 1, 2 and 4 of it, 8 that bring nothing new.
    assert_eq!((reading.work.matvecs, reading.value.breakdowns), (19 + 8, 5));
}

#[test]
fn fewer_dimensions_than_pairs_wanted() {
    check(&Diagonal::new(vec![-2.5]), &[-2.5], &options(1, 1));
    check(&Diagonal::new(vec![-2.5]), &[-2.5], &options(9, 0));
    let reading = check(&Diagonal::new(vec![1.0, 5.0, 5.0]), &[1.0, 5.0, 5.0], &options(10, 10));
    assert_eq!(reading.work.matvecs, 3 + 3);
    let nothing = run(&Diagonal::new(Vec::new()), &options(2, 2));
    assert_eq!((nothing.outcome, nothing.value.largest.len()), (Outcome::Converged, 0));
}

#[test]
fn extreme_scales() {
    let unit: Vec<f64> = (0..40).map(|i| 0.8_f64.powi(i) * if i % 3 == 0 { -1.0 } else { 1.0 }).collect();
    for scale in [1e300, 1e-290, 1e-40] {
        let spectrum: Vec<f64> = unit.iter().map(|x| x * scale).collect();
        check(&Diagonal::new(spectrum.clone()), &spectrum, &options(3, 3));
    }
}

#[test]
fn thick_restarts_find_the_same_within_less_memory() {
    let spectrum: Vec<f64> =
        (0..500).map(|i| f64::from(i) / 500.0 + if i % 100 == 7 { 2.0 } else { 0.0 }).collect();
    let limited = LanczosOptions { basis_max: 24, ..options(4, 2) };
    let more = LanczosOptions { products_max: 3000, tolerance: 1e-8, ..limited };
    let reading = check(&Diagonal::new(spectrum.clone()), &spectrum, &more);
    assert!(reading.value.restarts > 3);
    check(&Diagonal::new(spectrum.clone()), &spectrum, &LanczosOptions { block: 2, ..more });
}

#[test]
fn a_spent_budget_is_an_outcome_with_honest_residuals() {
    let spectrum: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
    let reading = run(&Diagonal::new(spectrum), &LanczosOptions { products_max: 15, ..options(3, 0) });
    assert_eq!(reading.outcome, Outcome::BudgetSpent);
    assert_eq!(reading.work.matvecs, 15 + 3);
    assert!(reading.value.largest.iter().all(|pair| pair.residual > 1e-10));
    let Uncertainty::Residual { size: bar } = reading.uncertainty else { panic!("a residual") };
    assert!(reading.value.largest.iter().all(|pair| pair.residual <= bar));
    let none = run(&Diagonal::new(vec![1.0, 2.0]), &LanczosOptions { products_max: 0, ..options(1, 0) });
    assert_eq!((none.outcome, none.value.largest.len()), (Outcome::BudgetSpent, 0));
}

#[test]
fn single_precision_products_reach_their_own_limit() {
    let spectrum: Vec<f64> = (0..300).map(|i| f64::from(i * i) / 90_000.0).collect();
    let operator = Rounded { inner: Diagonal::new(spectrum), error: 0.0, exact: false };
    let reading = run(&operator, &LanczosOptions { tolerance: 1e-5, ..options(2, 0) });
    assert_eq!(reading.outcome, Outcome::Converged);
    let reading = run(&operator, &LanczosOptions { tolerance: 1e-12, ..options(2, 0) });
    assert_eq!(reading.outcome, Outcome::PrecisionLimited);
    assert!(reading.value.largest[0].residual < 1e-6);
}

#[test]
fn products_that_are_not_finite_are_an_outcome() {
    for bad in [f64::NAN, f64::INFINITY] {
        let reading = run(&Diagonal::new(vec![1.0, bad, 3.0]), &options(2, 1));
        assert_eq!(reading.outcome, Outcome::NotFinite);
        assert!(reading.value.largest.is_empty() && reading.value.spectral_norm.is_nan());
        assert_eq!(reading.work.matvecs, 1);
        let json = serde_json::to_string(&reading).unwrap();
        let back: Reading<Extremes> = serde_json::from_str(&json).unwrap();
        assert!(back.value.spectral_norm.is_nan());
    }
}

#[test]
fn readings_count_the_products_that_the_site_saw() {
    let site = Counted::new(DeepLinear::random([4, 3, 2], 10, &key()));
    let theta: Vec<f64> = (0..site.dimension()).map(|i| (i as f64).sin()).collect();
    let hessian = run(&Hessian::at(&site, &theta), &options(2, 2));
    assert_eq!((site.work(), hessian.work.hvps), (hessian.work, 29 + 4));
    let ggn = run(&Ggn::at(&site, &theta), &options(2, 0));
    assert_eq!(site.work(), hessian.work + ggn.work);
    assert_eq!(
        hessian.compare(&ggn).unwrap_err().fields[0].right,
        "\"extreme eigenvalues of the ggn\"".trim_matches('"')
    );
    // A Gauss–Newton matrix has nothing negative, and its top is no further from the Hessian's than the rest allows.
    let dense = Dense::materialised(&Ggn::at(&site, &theta)).unwrap().eigenvalues().unwrap();
    assert!(dense[0] > -1e-12 && (dense[17] - ggn.value.largest[0].value).abs() < 1e-9);
}

#[test]
fn a_block_of_a_hessian_and_a_saddle() {
    // J = ½(1 − w₁w₂)²: at 0 the Hessian is [[0, −1], [−1, 0]].
    let site = ProductValley::new();
    let saddle = Hessian::at(&site, &[0.0, 0.0]);
    check(&saddle, &[1.0, -1.0], &options(1, 1));
    check(&Restricted::to_range(&saddle, 0..1, "first").unwrap(), &[0.0], &options(1, 0));
}

#[test]
fn the_key_decides_every_bit_and_progress_is_told() {
    let operator = random_symmetric(60, &key());
    let mut told = Vec::new();
    let first = lanczos(&operator, &options(2, 2), &key(), &mut |p| told.push(p)).unwrap();
    assert_eq!(first, run(&operator, &options(2, 2)));
    assert!(told.windows(2).all(|w| w[0].products < w[1].products));
    assert_eq!(told.last().map(|p| (p.converged, p.wanted, p.search)), Some((4, 4, 2)));
    let other = lanczos(&operator, &options(2, 2), &Key::from_seed(8), &mut |_| ()).unwrap();
    assert!((other.value.largest[0].value - first.value.largest[0].value).abs() < 1e-9);
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let operator = Diagonal::new(vec![1.0; 50]);
    let refused = |options: LanczosOptions| lanczos(&operator, &options, &key(), &mut |_| ()).unwrap_err();
    assert!(matches!(
        refused(LanczosOptions { tolerance: f64::NAN, ..options(1, 0) }),
        LanczosError::Tolerance { .. }
    ));
    assert!(matches!(refused(LanczosOptions { block: 0, ..options(1, 0) }), LanczosError::Block));
    let error = refused(LanczosOptions { basis_max: 5, ..options(3, 0) });
    assert_eq!(error.to_string(), "basis_max is 5, expected at least 8 for the pairs wanted");
}
