//! Repeated eigenvalues: as many copies as there are, at either end, and an outcome that says when it is not known.

use thalweg_geometry::operator::{Dense, Diagonal, Hessian, LinearOperator, Restricted};
use thalweg_geometry::site::{Dtype, Outcome, Reading, Work};
use thalweg_geometry::spectrum::{Eigenpair, Extremes, LanczosOptions, LanczosProgress, lanczos};
use thalweg_geometry::testbed::Quadratic;
use thalweg_kernel::Key;

use crate::rounded::Rounded;

fn key() -> Key {
    Key::from_seed(11).named("multiplicity")
}

fn options(largest: usize, smallest: usize, tolerance: f64) -> LanczosOptions {
    LanczosOptions { largest, smallest, tolerance, products_max: 2000, ..LanczosOptions::default() }
}

/// Both ends against the known spectrum, copies counted: each value within its own residual (and the rounding of f64).
fn check(operator: &dyn LinearOperator, spectrum: &[f64], options: &LanczosOptions) -> Reading<Extremes> {
    check_within(operator, spectrum, options, |_, pair| pair.residual)
}

/// The same with another bound.
fn check_within(
    operator: &dyn LinearOperator,
    spectrum: &[f64],
    options: &LanczosOptions,
    bound: impl Fn(&Extremes, &Eigenpair) -> f64,
) -> Reading<Extremes> {
    let mut spectrum = spectrum.to_vec();
    spectrum.sort_by(f64::total_cmp);
    let scale = spectrum.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let reading = lanczos(operator, options, &key(), &mut |_| ()).unwrap();
    assert_eq!(reading.outcome, Outcome::Converged);
    let found = &reading.value;
    assert_eq!(found.largest.len(), options.largest.min(spectrum.len()));
    assert_eq!(found.smallest.len(), options.smallest.min(spectrum.len()));
    let known = spectrum.iter().rev().take(found.largest.len()).chain(&spectrum);
    for (pair, known) in found.largest.iter().chain(&found.smallest).zip(known) {
        let bound = bound(found, pair) + 1e-13 * scale;
        assert!((pair.value - known).abs() <= bound, "{} ± {bound}, known {known}", pair.value);
    }
    let spread = spectrum[spectrum.len() - 1] - spectrum[0];
    assert!(
        found.detection_limit <= 0.1 * spread + 1e-13 * scale || found.restarts > 0,
        "{}",
        found.detection_limit
    );
    reading
}

/// The same diagonal, and turned by a random rotation, so that nothing is special about the axes.
fn check_both(spectrum: &[f64], options: &LanczosOptions) {
    check(&Diagonal::new(spectrum.to_vec()), spectrum, options);
    let rotated = Quadratic::rotated(spectrum.to_vec(), &key());
    check(&Hessian::at(&rotated, &vec![0.0; spectrum.len()]), spectrum, options);
}

#[test]
fn the_identity_has_one_value_as_often_as_asked() {
    let reading = check(&Diagonal::new(vec![1.0; 300]), &[1.0; 300], &options(20, 20, 1e-8));
    // Searches of 1, 1, 2, 4 and then 8 vectors until there are 40, one that finds nothing better, and one product for each
    // pair.
    assert_eq!(reading.work, Work { matvecs: 48 + 40, ..Work::default() });
    assert_eq!(reading.value.searches, 9);
}

#[test]
fn copies_at_either_end_are_found_with_one_start_vector() {
    for copies in [2, 3, 7] {
        let mut spectrum: Vec<f64> = (0..250).map(|i| f64::from(i) / 250.0 - 0.3).collect();
        spectrum.extend(vec![4.0; copies]);
        spectrum.extend(vec![-2.0; copies]);
        spectrum.extend([3.0, 3.0, -1.5, -1.5]);
        check_both(&spectrum, &options(5, 5, 1e-7));
    }
}

#[test]
fn copies_do_not_end_where_the_wanted_do() {
    // Six copies of the top, of which three are wanted.
    let mut spectrum: Vec<f64> = (0..200).map(|i| (f64::from(i) / 200.0).powi(3)).collect();
    spectrum.extend([2.0; 6]);
    check_both(&spectrum, &options(3, 1, 1e-8));
    check_both(&spectrum, &options(6, 1, 1e-8));
    check_both(&spectrum, &options(7, 1, 1e-8));
}

#[test]
fn singular_matrices_have_as_many_zeros_as_asked() {
    let mut rank_one = vec![0.0; 400];
    rank_one[17] = 2.5;
    let reading = check(&Diagonal::new(rank_one.clone()), &rank_one, &options(20, 20, 1e-8));
    assert_eq!(reading.value.smallest.iter().filter(|pair| pair.value.abs() < 1e-12).count(), 20);
    check(&Diagonal::new(vec![0.0; 60]), &[0.0; 60], &options(20, 20, 1e-8));
    // A kernel of dimension 40 below a spectrum that decays towards it.
    let mut decaying: Vec<f64> = (0..160).map(|i| 0.9_f64.powi(i)).collect();
    decaying.extend(vec![0.0; 40]);
    check_both(&decaying, &options(4, 20, 1e-9));
    // With a tolerance that is wider than the distance from the kernel to its neighbours they are not told apart, but
    // still as many are as near as the bound for all of them says.
    let wide = options(4, 20, 1e-6);
    check_within(&Diagonal::new(decaying.clone()), &decaying, &wide, |found, _| found.pairing_bound);
}

#[test]
fn fewer_dimensions_than_pairs_wanted() {
    for spectrum in [&[0.0][..], &[3.0], &[-1.0, -1.0], &[0.0, 5.0], &[2.0, 2.0, 2.0], &[1.0, 1.0, 0.0]] {
        for wanted in [1, 2, 20] {
            check(&Diagonal::new(spectrum.to_vec()), spectrum, &options(wanted, wanted, 1e-8));
            check(&Diagonal::new(spectrum.to_vec()), spectrum, &options(wanted, 0, 1e-8));
        }
    }
}

#[test]
fn clusters_are_told_apart_as_far_as_the_tolerance_says() {
    let mut spectrum: Vec<f64> = (0..200).map(|i| f64::from(i) / 200.0).collect();
    spectrum.extend([5.0, 5.0, 5.0 - 1e-5, 5.0 - 1e-5, 5.0 - 2e-5]);
    spectrum.extend([-1.0, -1.0 + 1e-9, -1.0 + 1e-9]);
    check_both(&spectrum, &options(6, 4, 1e-7));
}

#[test]
fn blocks_and_restarts_find_the_copies_too() {
    let mut spectrum: Vec<f64> = (0..300).map(|i| f64::from(i) / 300.0).collect();
    spectrum.extend([5.0, 5.0, 5.0, 4.0, 4.0, -2.0, -2.0]);
    let wanted = options(6, 3, 1e-7);
    let single = check(&Diagonal::new(spectrum.clone()), &spectrum, &wanted);
    let block = check(&Diagonal::new(spectrum.clone()), &spectrum, &LanczosOptions { block: 3, ..wanted });
    assert_eq!((single.work.matvecs, block.work.matvecs), (128, 264));
    let little = LanczosOptions { basis_max: 40, products_max: 5000, ..wanted };
    let restarted = check(&Diagonal::new(spectrum.clone()), &spectrum, &little);
    assert!(restarted.value.restarts > 0);
}

#[test]
fn a_spectrum_without_copies_costs_one_short_search_more() {
    let spectrum: Vec<f64> = (0..2000).map(|i| (f64::from(i) / 1000.0 - 1.0).powi(9)).collect();
    let operator = Diagonal::new(spectrum.clone());
    let reading = check(&operator, &spectrum, &options(5, 5, 1e-6));
    let mut products = [0; 2];
    let mut told = |p: LanczosProgress| products[p.search - 1] = p.products;
    lanczos(&operator, &options(5, 5, 1e-6), &key(), &mut told).unwrap();
    let first = products[0];
    assert_eq!((first, products[1] - first, reading.work.matvecs), (113, 32, 113 + 32 + 10));
}

#[test]
fn a_budget_that_ends_before_the_copies_are_sought_is_said() {
    let mut spectrum: Vec<f64> = (0..500).map(|i| f64::from(i) / 1000.0).collect();
    spectrum.extend([2.0, 2.0, 1.0]);
    let operator = Diagonal::new(spectrum);
    let run = |products_max| {
        let options = LanczosOptions { products_max, ..options(2, 0, 1e-4) };
        lanczos(&operator, &options, &key(), &mut |_| ()).unwrap()
    };
    let values = |reading: &Reading<Extremes>| {
        reading.value.largest.iter().map(|pair| (pair.value * 1e3).round() / 1e3).collect::<Vec<_>>()
    };
    let short = run(11);
    assert_eq!((short.outcome, values(&short)), (Outcome::MultiplicityUnresolved, vec![2.0, 1.0]));
    assert_eq!(short.value.detection_limit, f64::INFINITY);
    assert_eq!((run(5).outcome, run(0).outcome), (Outcome::BudgetSpent, Outcome::BudgetSpent));
    let enough = run(100);
    assert_eq!((enough.outcome, values(&enough)), (Outcome::Converged, vec![2.0, 2.0]));
}

#[test]
fn the_last_product_is_an_exact_one() {
    let n = 120;
    let mut g = vec![0.0; n * n];
    key().normals(&mut g);
    let dense = Dense::symmetric(n, (0..n * n).map(|k| g[k] + g[k % n * n + k / n]).collect());
    let spectrum = dense.eigenvalues().unwrap();
    let operator = Rounded { inner: dense, error: 1e-5, exact: true };
    let reading = check(&operator, &spectrum, &options(3, 3, 1e-4));
    assert_eq!(reading.convention.dtype, Dtype::F64);
    // The products of the search are off by 1e-5; a Rayleigh quotient of its vectors is off by the square of their error.
    assert!((reading.value.largest[0].value / spectrum[n - 1] - 1.0).abs() < 1e-6);

    let block = Restricted::to_range(&operator, 10..90, "a block").unwrap();
    let exact = block.exact().expect("a block of an operator with exact products has them too");
    let v: Vec<f64> = (0..80).map(f64::from).collect();
    let [by_exact, by_rounded] = [exact.apply(&v).unwrap(), block.apply(&v).unwrap()];
    assert!(by_exact.iter().zip(&by_rounded).any(|(a, b)| a != b));
    assert_eq!((exact.name(), exact.convention().dtype), ("dense on a block".to_owned(), Dtype::F64));
    assert!(exact.exact().is_none());
}
