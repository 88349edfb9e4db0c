//! Planes and trajectories through landscapes whose answers are known.

use thalweg_geometry::section::{
    Centre, Grid, Normalisation, Plane, PlaneOptions, SectionError, TrajectoryError, plane, random_plane,
    trajectory,
};
use thalweg_geometry::site::{Convention, Counted, Outcome, Reading, Site, SiteError, Value};
use thalweg_geometry::testbed::{Quadratic, Rosenbrock};
use thalweg_kernel::Key;
use thalweg_program::params::{Leaf, ParamSpace, Role};

fn options(a: [f64; 2], columns: usize, b: [f64; 2], rows: usize) -> PlaneOptions {
    PlaneOptions { a: Grid::linear(a[0], a[1], columns).unwrap(), b: Grid::linear(b[0], b[1], rows).unwrap() }
}

fn normals(n: usize, key: &Key) -> Vec<f64> {
    let mut v = vec![0.0; n];
    key.normals(&mut v);
    v
}

#[test]
fn every_point_of_an_oblong_grid_is_where_it_says() {
    let site = Counted::new(Rosenbrock::new(4));
    let key = Key::from_seed(1);
    let [theta, u, v] = [0, 1, 2].map(|i| normals(4, &key.fold_in(i)));
    let mut told = Vec::new();
    let grid = options([0.0, 2.0], 23, [-3.0, -0.5], 41);
    let reading = plane(&site, &theta, &u, &v, &grid, &mut |done, of| told.push((done, of))).unwrap();
    let found = &reading.value;
    assert_eq!((found.shape(), found.losses.len()), ([41, 23], 943));
    assert_eq!((found.a[0], found.a[22], found.b[0], found.b[40]), (0.0, 2.0, -3.0, -0.5));
    for row in 0..41 {
        for column in 0..23 {
            let point: Vec<f64> =
                (0..4).map(|i| theta[i] + found.a[column] * u[i] + found.b[row] * v[i]).collect();
            assert_eq!(found.loss(row, column), site.values(&[&point]).unwrap()[0].loss);
        }
    }
    // 943 points in batches of 256, then the 943 calls of this test.
    assert_eq!((reading.work.forwards, site.calls()), (943, 4 + 943));
    assert_eq!((told.len(), told.last()), (943, Some(&(943, 943))));
    let apart: f64 = u.iter().zip(&v).map(|(u, v)| u * v).sum();
    let cosine = apart / (found.frame.norm_u * found.frame.norm_v);
    assert!((found.frame.angle_rad.unwrap().cos() - cosine).abs() < 1e-12);
}

#[test]
fn the_centre_of_a_symmetric_grid_is_the_point_itself() {
    let site = Rosenbrock::new(2);
    let grid = PlaneOptions::default();
    let reading = plane(&site, &[1.0, 1.0], &[0.3, 0.1], &[0.2, -0.7], &grid, &mut |_, _| ()).unwrap();
    assert_eq!(reading.value.shape(), [51, 51]);
    assert_eq!(reading.value.loss(25, 25), 0.0);
    assert!(reading.value.losses.iter().enumerate().all(|(i, &loss)| loss > 0.0 || i == 25 * 51 + 25));
}

#[test]
fn random_planes_name_their_normalisation_and_what_they_leave_alone() {
    let mut space = ParamSpace::new();
    space.push(Leaf::new("weight", &[3, 2], Role::Weight));
    space.push(Leaf::new("bias", &[3], Role::Bias));
    let site = Quadratic::diagonal(vec![1.0; 9]);
    let theta: Vec<f64> = (1..10).map(f64::from).collect();
    let run = |kind, seed| -> Reading<Plane> {
        let grid = options([-1.0, 1.0], 3, [0.0, 1.0], 2);
        random_plane(&site, &theta, space.leaves(), kind, &grid, &Key::from_seed(seed), &mut |_, _| ())
            .unwrap()
    };
    let filters = run(Normalisation::FilterWise, 1);
    assert_eq!(filters.convention.normalisation.as_deref(), Some("filter-wise"));
    assert_eq!(filters.convention.ignored_parameters, ["bias"]);
    // Rows (1, 2), (3, 4), (5, 6): ‖u‖² = 91 whatever was drawn.
    assert!((filters.value.frame.norm_u - 91.0_f64.sqrt()).abs() < 1e-12);
    assert_eq!(filters, run(Normalisation::FilterWise, 1));
    assert_ne!(filters.value.losses, run(Normalisation::FilterWise, 2).value.losses);
    let whole = run(Normalisation::WholeModel, 1);
    assert!((whole.value.frame.norm_v - 285.0_f64.sqrt()).abs() < 1e-12);
    assert!(whole.convention.ignored_parameters.is_empty());
    let difference = filters.compare(&whole).unwrap_err();
    assert!(difference.is_only(&["normalisation", "ignored_parameters"]));
}

/// Infinite beyond x = 1, and answers for one point too few if told to.
struct Cliff {
    convention: Convention,
    forgetful: bool,
}

impl Site for Cliff {
    fn dimension(&self) -> usize {
        2
    }
    fn convention(&self) -> &Convention {
        &self.convention
    }
    fn values(&self, points: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        let loss = |x: f64| if x > 1.0 { f64::INFINITY } else { x };
        let all = points.iter().map(|p| Value { loss: loss(p[0]), error: None });
        Ok(all.skip(usize::from(self.forgetful)).collect())
    }
}

#[test]
fn cliffs_are_an_outcome_and_a_site_that_miscounts_an_error() {
    let mut site = Cliff { convention: Convention::analytic("cliff"), forgetful: false };
    let grid = options([0.0, 2.0], 3, [0.0, 0.0], 1);
    let run = |site: &Cliff| plane(site, &[0.0; 2], &[1.0, 0.0], &[0.0, 1.0], &grid, &mut |_, _| ());
    let reading = run(&site).unwrap();
    assert_eq!(reading.outcome, Outcome::NotFinite);
    assert_eq!(reading.value.losses, [0.0, 1.0, f64::INFINITY]);
    let back: Reading<Plane> = serde_json::from_str(&serde_json::to_string(&reading).unwrap()).unwrap();
    assert_eq!(back, reading);
    site.forgetful = true;
    assert_eq!(run(&site).unwrap_err().to_string(), "the site returned 2 results for 3 points");
    let short = plane(&site, &[0.0; 2], &[1.0], &[0.0, 1.0], &grid, &mut |_, _| ()).unwrap_err();
    assert_eq!(short.to_string(), "direction u has 1 elements, expected 2");
}

fn slices(checkpoints: &[Vec<f64>]) -> Vec<&[f64]> {
    checkpoints.iter().map(Vec::as_slice).collect()
}

/// 3 cos t along one axis, sin t along another and a little along a third, around a point off the origin.
fn ellipse(off: f64) -> Vec<Vec<f64>> {
    (0..8)
        .map(|t| {
            let angle = f64::from(t) * std::f64::consts::FRAC_PI_4;
            let side = if t % 2 == 0 { off } else { -off };
            vec![10.0 + 3.0 * angle.cos(), side, 7.0 + angle.sin(), -2.0]
        })
        .collect()
}

#[test]
fn an_ellipse_about_its_mean_has_exact_shares() {
    let found = trajectory(&slices(&ellipse(0.5)), Centre::Mean, 3).unwrap();
    // Σ(3 cos)² = 36, Σ sin² = 4, Σ off² = 2.
    for (share, known) in found.explained.iter().zip([36.0 / 42.0, 4.0 / 42.0, 2.0 / 42.0]) {
        assert!((share - known).abs() < 1e-14, "{share} {known}");
    }
    assert!(found.off_plane_total < 1e-28);
    assert!((found.axes[0][0] - 1.0).abs() < 1e-14 && (found.axes[1][2] - 1.0).abs() < 1e-14);
    assert!((found.coordinates[0][0] - 3.0).abs() < 1e-13 && (found.coordinates[2][1] - 1.0).abs() < 1e-13);

    let plane = trajectory(&slices(&ellipse(0.5)), Centre::Mean, 2).unwrap();
    assert!((plane.off_plane_total - 2.0 / 42.0).abs() < 1e-14);
    assert!((plane.off_plane[0] - 0.5 / 9.25_f64.sqrt()).abs() < 1e-14);
    assert!((plane.off_plane_total + plane.explained.iter().sum::<f64>() - 1.0).abs() < 1e-14);
}

#[test]
fn displacements_from_the_final_point_put_it_at_the_origin() {
    let run: Vec<Vec<f64>> = (0..6).map(|t| normals(20, &Key::from_seed(t))).collect();
    let found = trajectory(&slices(&run), Centre::Final, 2).unwrap();
    assert_eq!((found.origin.as_slice(), &found.coordinates[5]), (run[5].as_slice(), &vec![0.0, 0.0]));
    assert_eq!(found.off_plane[5], 0.0);
    for (t, theta) in run.iter().enumerate() {
        let rest: f64 = (0..20)
            .map(|i| {
                let along =
                    found.coordinates[t][0] * found.axes[0][i] + found.coordinates[t][1] * found.axes[1][i];
                (theta[i] - run[5][i] - along).powi(2)
            })
            .sum();
        let whole: f64 = (0..20).map(|i| (theta[i] - run[5][i]).powi(2)).sum();
        assert!(t == 5 || (found.off_plane[t] - (rest / whole).sqrt()).abs() < 1e-13);
    }
    let across: f64 = found.axes[0].iter().zip(&found.axes[1]).map(|(a, b)| a * b).sum();
    assert!(across.abs() < 1e-15);
}

#[test]
fn a_random_walk_looks_as_simple_as_theory_says() {
    let (steps, n) = (120, 20_000);
    let mut run = vec![vec![0.0; n]];
    for t in 0..steps {
        let step = normals(n, &Key::from_seed(9).fold_in(t));
        let next = run[run.len() - 1].iter().zip(&step).map(|(x, s)| x + s).collect();
        run.push(next);
    }
    let about_mean = trajectory(&slices(&run), Centre::Mean, 3).unwrap().explained;
    let from_last = trajectory(&slices(&run), Centre::Final, 3).unwrap().explained;
    for k in 0..3 {
        let order = (k + 1) as f64 * std::f64::consts::PI;
        assert!((about_mean[k] - 6.0 / order.powi(2)).abs() < 0.02, "{about_mean:?}");
        let odd = (2 * k + 1) as f64 * std::f64::consts::PI;
        assert!((from_last[k] - 8.0 / odd.powi(2)).abs() < 0.02, "{from_last:?}");
    }
}

#[test]
fn a_survey_covers_the_run_and_has_its_losses_where_the_plane_meets_it() {
    let site = Quadratic::diagonal(vec![1.0, 2.0, 3.0, 4.0]);
    let run = ellipse(0.0);
    let found = trajectory(&slices(&run), Centre::Final, 2).unwrap();
    assert!(found.off_plane_total < 1e-28);
    let reading = found.survey(&site, 0.1, [31, 21], &mut |_, _| ()).unwrap();
    assert_eq!(reading.value.shape(), [21, 31]);
    for along in &found.coordinates {
        assert!(reading.value.a[0] < along[0] && along[0] < reading.value.a[30]);
        assert!(reading.value.b[0] < along[1] && along[1] < reading.value.b[20]);
    }
    // At a checkpoint's coordinates the plane's point is the checkpoint.
    let [a, b] = [found.coordinates[2][0], found.coordinates[2][1]];
    let here =
        PlaneOptions { a: Grid::from_points(vec![a]).unwrap(), b: Grid::from_points(vec![b]).unwrap() };
    let there = plane(&site, &found.origin, &found.axes[0], &found.axes[1], &here, &mut |_, _| ()).unwrap();
    let known = site.values(&[&run[2]]).unwrap()[0].loss;
    assert!((there.value.losses[0] - known).abs() < 1e-10 * known);
}

#[test]
fn trajectories_without_a_plane() {
    let straight: Vec<Vec<f64>> = (0..5).map(|t| vec![f64::from(t), 2.0 * f64::from(t), 1.0]).collect();
    let found = trajectory(&slices(&straight), Centre::Final, 2).unwrap();
    assert_eq!((found.axes.len(), found.off_plane_total < 1e-28), (1, true));
    assert!((found.explained[0] - 1.0).abs() < 1e-14);
    assert!(matches!(found.window(0.1, [3, 3]), Err(SectionError::Collinear { found: 1 })));

    let error = |run: &[&[f64]], components| trajectory(run, Centre::Mean, components).unwrap_err();
    assert_eq!(error(&[&[0.1], &[0.1], &[0.1]], 2), TrajectoryError::Still { checkpoints: 3 });
    assert_eq!(error(&[&[1.0], &[2.0]], 2), TrajectoryError::TooFew { found: 2 });
    assert_eq!(error(&[&[1.0], &[2.0], &[f64::NAN]], 2), TrajectoryError::NotFinite { index: 2 });
    assert_eq!(
        error(&[&[1.0], &[2.0, 3.0], &[1.0]], 2).to_string(),
        "checkpoint 1 has 2 elements, expected 1 as the first has"
    );
    assert_eq!(error(&[&[1.0], &[2.0], &[1.0]], 0), TrajectoryError::NoComponent);
}
