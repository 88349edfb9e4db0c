//! Lines through landscapes whose answers are known, and the forwards they take.

use std::f64::consts::PI;
use thalweg_geometry::section::{Grid, Line, LineOptions, SectionError, line};
use thalweg_geometry::site::{Convention, Counted, Matrix, Outcome, Reading, Site, SiteError, Value, Work};
use thalweg_geometry::testbed::{DeepLinear, ProductValley, Quadratic, Rosenbrock};
use thalweg_kernel::Key;

fn over(start: f64, end: f64, count: usize) -> LineOptions {
    LineOptions { grid: Grid::linear(start, end, count).unwrap(), ..LineOptions::default() }
}

fn measured(site: &dyn Site, from: &[f64], to: &[f64], options: &LineOptions) -> Reading<Line> {
    line(&[("train", site)], from, to, options).unwrap()
}

#[test]
fn the_product_valley_has_its_exact_barriers() {
    let site = Counted::new(ProductValley::new());
    let reading = measured(&site, &[1.0, 1.0], &[-1.0, -1.0], &over(0.0, 1.0, 51));
    let curve = &reading.value.curves[0];
    let barrier = curve.barrier_loss;
    assert_eq!(
        (barrier.frankle, barrier.entezari, barrier.saddle, barrier.alpha_saddle),
        (0.5, 0.5, 0.5, 0.5)
    );
    assert_eq!((curve.rise.size, curve.rise.alpha_from, curve.rise.alpha_to), (0.5, 0.0, 0.5));
    assert_eq!((site.work(), site.calls()), (Work { forwards: 51, ..Work::default() }, 1));
    assert_eq!((reading.work, reading.outcome), (site.work(), Outcome::Converged));

    for a in [2.0, 3.0, 0.5] {
        let reading = measured(&site, &[a, 1.0 / a], &[1.0 / a, a], &over(0.0, 1.0, 3));
        let mean = 0.5 * (a + 1.0 / a);
        let midpoint: f64 = 0.5 * (mean * mean - 1.0_f64).powi(2);
        assert!((reading.value.curves[0].losses[1] - midpoint).abs() < 1e-14);
        assert!((reading.value.curves[0].barrier_loss.entezari - midpoint).abs() < 1e-14);
    }
    let two = measured(&site, &[2.0, 0.5], &[0.5, 2.0], &LineOptions::default());
    // ½(25/16 − 1)² = 81/512.
    assert!(two.value.curves[0].losses.contains(&two.value.curves[0].barrier_loss.saddle));
    assert!(
        (measured(&site, &[2.0, 0.5], &[0.5, 2.0], &over(0.0, 1.0, 3)).value.curves[0].barrier_loss.saddle
            - 0.158_203_125)
            .abs()
            < 1e-15
    );
}

#[test]
fn a_quadratic_is_monotonic_inside_whatever_it_does_beyond() {
    let site = Quadratic::diagonal(vec![1.0, 3.0]);
    let reading = measured(&site, &[2.0, 1.0], &[0.0, 0.0], &over(-0.5, 1.5, 20));
    let line = &reading.value;
    assert_eq!((line.alphas.len(), reading.work.forwards), (22, 22));
    assert!(line.alphas.contains(&0.0) && line.alphas.contains(&1.0));
    let curve = &line.curves[0];
    assert!(curve.is_monotonic && curve.rise.size == 0.0 && curve.barrier_loss.entezari == 0.0);
    for (alpha, loss) in line.alphas.iter().zip(&curve.losses) {
        assert!((loss - 3.5 * (1.0 - alpha).powi(2)).abs() < 1e-14);
    }
    assert_eq!(line.distance.absolute, 5.0_f64.sqrt());
    assert_eq!((line.distance.over_start, line.distance.over_end), (Some(1.0), None));
}

#[test]
fn a_line_backwards_is_the_same_line() {
    let (site, options) = (Rosenbrock::new(3), over(-0.5, 1.5, 33));
    let losses = |from, to| measured(&site, from, to, &options).value.curves[0].losses.clone();
    let (from, to) = ([0.3, -1.7, 2.9], [1.1, 0.4, -0.6]);
    assert!(losses(&from, &to).iter().eq(losses(&to, &from).iter().rev()));
}

#[test]
fn what_both_ends_share_is_shared_by_every_point() {
    // A loss of the second number alone, which rounding in (1−α)v + αv would move.
    let site = Quadratic::diagonal(vec![0.0, 1.0]);
    let mut numbers = [0.0; 600];
    Key::from_seed(11).normals(&mut numbers);
    for v in numbers.as_chunks::<3>().0 {
        let [start, end] = [[v[0], v[1]], [v[2], v[1]]];
        let curve = &measured(&site, &start, &end, &LineOptions::default()).value.curves[0];
        assert!(curve.losses.iter().all(|loss| *loss == curve.losses[0]), "{v:?}");
        assert!(curve.is_monotonic && curve.rise.size == 0.0 && curve.barrier_loss.entezari == 0.0);
    }
    // Backwards, wherever α and 1 − α are both exact.
    let site = Rosenbrock::new(3);
    for v in numbers.as_chunks::<6>().0 {
        let losses = |from: &[f64], to: &[f64]| {
            measured(&site, from, to, &over(0.0, 1.0, 65)).value.curves[0].losses.clone()
        };
        assert!(losses(&v[..3], &v[3..]).iter().eq(losses(&v[3..], &v[..3]).iter().rev()));
    }
}

#[test]
fn a_rise_within_the_tolerance_is_none() {
    let site = Quadratic::diagonal(vec![2.0]);
    // From 1 past the minimum to −0.1: the loss rises by .01 at the very end.
    let strict = measured(&site, &[1.0], &[-0.1], &over(0.0, 1.0, 12));
    assert!(!strict.value.curves[0].is_monotonic && (strict.value.curves[0].rise.size - 0.01).abs() < 1e-15);
    let lenient = LineOptions { rise_tolerance: 0.02, ..over(0.0, 1.0, 12) };
    assert!(measured(&site, &[1.0], &[-0.1], &lenient).value.curves[0].is_monotonic);
}

#[test]
fn one_point_equal_ends_and_a_start_at_zero() {
    let site = Rosenbrock::new(2);
    let reading = measured(&site, &[0.0, 0.0], &[1.0, 1.0], &over(0.3, 0.3, 1));
    assert_eq!(reading.value.alphas, [0.0, 0.3, 1.0]);
    assert_eq!(reading.value.distance.over_start, None);
    let still = measured(&site, &[0.1, 0.7], &[0.1, 0.7], &LineOptions::default());
    let curve = &still.value.curves[0];
    assert!(curve.is_monotonic && curve.losses.iter().all(|loss| *loss == curve.losses[0]));
    assert_eq!((still.value.distance.absolute, still.value.distance.over_end), (0.0, Some(0.0)));
}

/// Outputs (sin πθ, cos πθ) for every example; classification errors that are |θ|; a wall beyond .6.
struct Circle {
    convention: Convention,
    wall: bool,
}

impl Site for Circle {
    fn dimension(&self) -> usize {
        1
    }
    fn convention(&self) -> &Convention {
        &self.convention
    }
    fn values(&self, points: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        let value = |theta: &&[f64]| {
            let loss = if self.wall && theta[0] > 0.6 { f64::NAN } else { -theta[0] };
            Value { loss, error: Some(4.0 * theta[0] * (1.0 - theta[0])) }
        };
        Ok(points.iter().map(value).collect())
    }
    fn outputs(&self, points: &[&[f64]]) -> Result<Vec<Matrix>, SiteError> {
        let output = |theta: &&[f64]| {
            let (sin, cos) = (PI * theta[0]).sin_cos();
            Matrix::from_rows(2, 2, vec![sin, cos, 3.0 * sin, 3.0 * cos])
        };
        Ok(points.iter().map(output).collect())
    }
}

fn circle(wall: bool) -> Circle {
    Circle { convention: Convention::analytic("circle"), wall }
}

#[test]
fn the_gauss_length_of_a_semicircle_is_pi_whatever_is_drawn_beyond() {
    let site = Counted::new(circle(false));
    let options = LineOptions { gauss_length: true, ..over(-1.0, 2.0, 301) };
    let reading = measured(&site, &[0.0], &[1.0], &options);
    let found = reading.value.curves[0].gauss_length.unwrap();
    assert!((found.turning - 0.99 * PI).abs() < 1e-10 && (found.smooth - PI).abs() < 3e-4, "{found:?}");
    // 301 values and the outputs at the 101 points of [0, 1].
    assert_eq!((reading.work.forwards, site.work().forwards), (402, 402));
    assert_eq!((found.examples, found.examples_still), (2, 0));
}

#[test]
fn sites_are_measured_together_and_keep_their_conventions() {
    let (train, mut test) = (circle(false), circle(false));
    test.convention.loss = "circle/test".into();
    let reading =
        line(&[("train", &train), ("test", &test)], &[0.0], &[1.0], &LineOptions::default()).unwrap();
    let [a, b] = reading.value.curves.as_slice() else { panic!("two curves") };
    assert_eq!((a.name.as_str(), b.name.as_str(), reading.work.forwards), ("train", "test", 102));
    assert!(a.convention.compare(&b.convention).is_err());
    let barrier = a.barrier_error.unwrap();
    assert_eq!((barrier.frankle, barrier.alpha_saddle, a.is_monotonic), (1.0, 0.5, true));
}

#[test]
fn losses_that_are_not_finite_are_an_outcome_and_survive_json() {
    let reading = measured(&circle(true), &[0.0], &[1.0], &over(0.0, 1.0, 11));
    assert_eq!(reading.outcome, Outcome::NotFinite);
    let curve = &reading.value.curves[0];
    assert!(!curve.is_monotonic && curve.rise.size.is_nan() && curve.barrier_loss.frankle.is_nan());
    let json = serde_json::to_string(&reading).unwrap();
    let back: Reading<Line> = serde_json::from_str(&json).unwrap();
    assert!(back.value.curves[0].losses[10].is_nan());
    assert_eq!(back.value.curves[0].losses[..6], curve.losses[..6]);
    assert_eq!(serde_json::to_string(&back).unwrap(), json);
}

#[test]
fn a_diverged_end_spoils_the_middle_only() {
    let reading = measured(&Quadratic::diagonal(vec![2.0]), &[1.0], &[f64::NAN], &over(0.0, 1.0, 3));
    let losses = &reading.value.curves[0].losses;
    assert!(losses[0] == 1.0 && losses[1].is_nan() && losses[2].is_nan());
    assert_eq!(reading.outcome, Outcome::NotFinite);
}

#[test]
fn a_deep_linear_network_turns_its_outputs_by_what_a_fine_polyline_says() {
    let key = Key::from_seed(3).named("line");
    let site = DeepLinear::random([3, 4, 2], 6, &key);
    let n = site.dimension();
    let (mut from, mut to) = (vec![0.0; n], vec![0.0; n]);
    key.fold_in(0).normals(&mut from);
    key.fold_in(1).normals(&mut to);
    let at = |count| {
        let options = LineOptions { gauss_length: true, ..over(0.0, 1.0, count) };
        measured(&site, &from, &to, &options).value.curves[0].gauss_length.unwrap()
    };
    let (coarse, fine) = (at(101), at(4001));
    assert!((coarse.smooth - fine.turning).abs() < 0.02 * fine.turning, "{coarse:?} {fine:?}");
    assert!(coarse.turning < fine.turning);
}

#[test]
fn what_cannot_be_measured_is_refused_with_expected_and_found() {
    let site = Rosenbrock::new(3);
    let options = LineOptions { gauss_length: true, ..LineOptions::default() };
    let error = line(&[("train", &site)], &[0.0; 3], &[0.0; 2], &options).unwrap_err();
    assert_eq!(error.to_string(), "the end of the line has 2 elements, expected 3");
    let error = line(&[("train", &site)], &[0.0; 3], &[0.0; 3], &options).unwrap_err();
    assert_eq!(error.to_string(), "the objective with loss \"rosenbrock\" has no outputs");
    assert!(matches!(line(&[], &[], &[], &options), Err(SectionError::NoSite)));
}
