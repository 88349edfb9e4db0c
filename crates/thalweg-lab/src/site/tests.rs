//! The site against the objective that it wraps, and a spectrum against a dense Hessian.

use super::*;
use thalweg_geometry::operator::{Ggn, Hessian, LinearOperator as _};
use thalweg_geometry::spectrum::{LanczosOptions, lanczos};
use thalweg_kernel::Key;
use thalweg_learn::arch::{MlpConfig, ModelConfig, initial_parameters};
use thalweg_learn::data::{DataConfig, DigitsConfig};

fn small() -> (Arc<dyn Architecture>, Dataset) {
    let digits = DigitsConfig { train_examples: Some(70), ..DigitsConfig::default() };
    let data = DataConfig::Digits(digits).load().unwrap().train;
    let model = ModelConfig::Mlp(MlpConfig { widths: vec![3], ..MlpConfig::default() });
    (model.build(data.features(), data.classes()).unwrap(), data)
}

fn theta<T: Real>(architecture: &dyn Architecture) -> Vec<T> {
    let init = MlpConfig::default().init;
    initial_parameters(architecture.space(), &init, Key::from_seed(3))
}

fn random(length: usize, number: u64) -> Vec<f64> {
    let mut x = vec![0.0; length];
    Key::from_seed(9).fold_in(number).normals(&mut x);
    x
}

/// Every answer of the site is the objective's, to the bit, in the precision given.
fn agrees<T: Real>() {
    let (architecture, data) = small();
    let site = NetworkSite::<T>::new(Arc::clone(&architecture), Loss::CrossEntropy, &data);
    let objective = Objective::<T>::new(Arc::clone(&architecture), Loss::CrossEntropy, data.examples());
    let examples = Examples::<T>::of(&data);
    let n = site.dimension();
    let start: Vec<T> = theta(&*architecture);
    let (point, other) = (widened(&start), random(n, 0));
    let narrow: Vec<T> = rounded(&other);

    let values = site.values(&[&point, &other]).unwrap();
    for (found, expected) in values.iter().zip(objective.values(&[&start, &narrow], &examples)) {
        assert_eq!((found.loss, found.error), (expected.loss, Some(expected.error)));
    }

    let (mut gradient, mut expected) = (vec![0.0; n], vec![T::ZERO; n]);
    let loss = site.gradient(&point, &mut gradient).unwrap();
    assert_eq!(loss, objective.gradient(&start, &examples, &mut expected).loss);
    assert_eq!(gradient, widened(&expected));

    let tangents = [random(n, 1), random(n, 2)];
    let refs: Vec<&[f64]> = tangents.iter().map(Vec::as_slice).collect();
    let flat: Vec<T> = tangents.iter().flat_map(|v| rounded::<T>(v)).collect();
    let (mut out, mut expected) = (vec![Vec::new(); 2], vec![T::ZERO; 2 * n]);
    site.hvps(&point, &refs, &mut out).unwrap();
    objective.hessian_products(&start, &flat, &examples, &mut expected);
    assert_eq!(out.concat(), widened(&expected));
    site.ggn_products(&point, &refs, &mut out).unwrap();
    objective.ggn_products(&start, &flat, &examples, &mut expected);
    assert_eq!(out.concat(), widened(&expected));

    let outputs = site.outputs(&[&point]).unwrap();
    assert_eq!((outputs[0].rows(), outputs[0].columns()), (70, 10));
    assert_eq!(outputs[0].elements(), widened(&objective.outputs(&[&start], &examples)[0]));

    let mut jvp = [Matrix::zeros(1, 1)];
    site.jvps(&point, &refs[..1], &mut jvp).unwrap();
    let expected = objective.jacobian_product(&start, &rounded::<T>(&tangents[0]), &examples);
    assert_eq!(jvp[0].elements(), widened(&expected));
    let cotangent = Matrix::from_rows(70, 10, random(700, 4));
    let (mut vjp, mut expected) = ([Vec::new()], vec![T::ZERO; n]);
    site.vjps(&point, &[&cotangent], &mut vjp).unwrap();
    let narrow = rounded::<T>(cotangent.elements());
    objective.jacobian_transpose_product(&start, &narrow, &examples, &mut expected);
    assert_eq!(vjp[0], widened(&expected));
}

#[test]
fn the_site_is_the_objective_in_both_precisions() {
    agrees::<f32>();
    agrees::<f64>();
}

/// A line and a plane, inside and beyond their ends: the section's values and those at the points written out in f64.
fn section_agrees<T: Real>(tolerance: f64) {
    let (architecture, data) = small();
    let site = NetworkSite::<T>::new(Arc::clone(&architecture), Loss::CrossEntropy, &data);
    let n = site.dimension();
    let start = widened(&theta::<T>(&*architecture));
    let (end, direction) = (random(n, 6), random(n, 7));
    let line: Vec<Vec<f64>> =
        (-4..=20).map(|k| vec![1.0 - f64::from(k) / 16.0, f64::from(k) / 16.0]).collect();
    let plane: Vec<Vec<f64>> =
        (0..25).map(|k| vec![1.0, 0.3 * f64::from(k % 5 - 2), 0.2 * f64::from(k / 5 - 2)]).collect();
    for (vectors, coefficients) in [(vec![&start[..], &end], line), (vec![&start, &end, &direction], plane)] {
        let points: Vec<Vec<f64>> = coefficients
            .iter()
            .map(|c| (0..n).map(|i| vectors.iter().zip(c).map(|(v, c)| c * v[i]).sum()).collect())
            .collect();
        let expected = site.values(&points.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
        let asked: Vec<&[f64]> = coefficients.iter().map(Vec::as_slice).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| site.section(&vectors).values(&asked).unwrap())
        };
        let found = on(1);
        for (found, expected) in found.iter().zip(&expected) {
            let apart = (found.loss - expected.loss).abs();
            assert!(apart <= tolerance * expected.loss, "{found:?} {expected:?}");
            assert!((found.error.unwrap() - expected.error.unwrap()).abs() <= tolerance);
        }
        assert_eq!(found, on(3), "on another number of threads");
        let section = site.section(&vectors);
        let one_by_one = asked.iter().map(|&point| section.values(&[point]).unwrap()[0]);
        assert!(found.iter().copied().eq(one_by_one), "handed over one by one");
    }
}

#[test]
fn a_section_has_the_values_of_its_points_in_both_precisions() {
    section_agrees::<f32>(1e-6);
    section_agrees::<f64>(1e-13);
}

#[test]
fn a_diverged_vector_spoils_only_points_that_it_enters() {
    let (architecture, data) = small();
    let site = NetworkSite::<f32>::new(Arc::clone(&architecture), Loss::CrossEntropy, &data);
    let start = widened(&theta::<f32>(&*architecture));
    let known = site.values(&[&start]).unwrap()[0];
    // Finite in f32, but not what a layer makes of it.
    for end in [vec![f64::NAN; start.len()], vec![f64::INFINITY; start.len()], vec![3e38; start.len()]] {
        let values = site.section(&[&start, &end]).values(&[&[1.0, 0.0], &[0.0, 1.0]]).unwrap();
        assert_eq!(values[0], known);
        assert_eq!(values[1].loss.to_bits(), site.values(&[&end]).unwrap()[0].loss.to_bits());
        assert!(!values[1].loss.is_finite());
    }
}

#[test]
fn the_convention_says_what_is_measured() {
    let (architecture, data) = small();
    let site = NetworkSite::<f32>::new(architecture, Loss::HalfMeanSquare, &data);
    let convention = site.convention();
    assert_eq!(convention.loss, "half squared error against unit vectors");
    assert_eq!((convention.reduction, convention.dtype), (Reduction::Mean, Dtype::F32));
    assert_eq!((convention.mode, convention.batch_norm), (Mode::Eval, BatchNorm::Absent));
    let subset = convention.data.as_ref().unwrap();
    assert_eq!((&subset.name[..], subset.count), ("digits/train/70", 70));
}

#[test]
fn a_point_keeps_what_the_site_computes_each_time() {
    let (architecture, data) = small();
    let site = NetworkSite::<f64>::new(Arc::clone(&architecture), Loss::CrossEntropy, &data);
    let start = theta::<f64>(&*architecture);
    let v = random(site.dimension(), 5);
    let close = |a: &[f64], b: &[f64]| {
        let scale = b.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-13 * scale));
    };
    let (mut hv, mut gv) = (vec![Vec::new()], vec![Vec::new()]);
    site.hvps(&start, &[&v], &mut hv).unwrap();
    site.ggn_products(&start, &[&v], &mut gv).unwrap();
    let (hessian, ggn) = (Hessian::at(&site, &start), Ggn::at(&site, &start));
    for _ in 0..2 {
        close(&hessian.apply(&v).unwrap(), &hv[0]);
        close(&ggn.apply(&v).unwrap(), &gv[0]);
    }
    assert!(hv[0].iter().zip(&gv[0]).any(|(h, g)| (h - g).abs() > 1e-6), "the two matrices are told apart");
}

/// All n columns by products with unit vectors; then every eigenvalue by Lanczos against Sturm counts of the dense
/// matrix: as many eigenvalues of H − s lie below 0 as H has below s (Sylvester's law of inertia).
#[test]
fn the_spectrum_is_that_of_the_dense_hessian() {
    let (architecture, data) = small();
    let site = NetworkSite::<f64>::new(Arc::clone(&architecture), Loss::CrossEntropy, &data);
    let start = theta::<f64>(&*architecture);
    let hessian = Hessian::at(&site, &start);
    let n = site.dimension();
    let unit = |i: usize| (0..n).map(|j| f64::from(u8::from(i == j))).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = (0..n).map(|i| hessian.apply(&unit(i)).unwrap()).collect();
    for (i, column) in columns.iter().enumerate() {
        for (j, other) in columns[..i].iter().enumerate() {
            assert!((column[j] - other[i]).abs() < 1e-12, "not symmetric at {i}, {j}");
        }
    }
    let options = LanczosOptions {
        largest: 4,
        smallest: 4,
        tolerance: 1e-10,
        products_max: n,
        ..LanczosOptions::default()
    };
    let found = lanczos(&hessian, &options, &Key::from_seed(1), &mut |_| ()).unwrap().value;
    for (place, pair) in found.largest.iter().enumerate() {
        let apart = 1e-8 * found.spectral_norm;
        assert_eq!(n - below(&columns, pair.value - apart), place + 1, "above {}", pair.value);
        assert_eq!(n - below(&columns, pair.value + apart), place, "above {}", pair.value);
    }
    for (place, pair) in found.smallest.iter().enumerate() {
        let apart = 1e-8 * found.spectral_norm;
        assert_eq!(below(&columns, pair.value - apart), place, "below {}", pair.value);
        assert_eq!(below(&columns, pair.value + apart), place + 1, "below {}", pair.value);
    }
}

/// Eigenvalues of a symmetric matrix below `shift`: negative pivots of LDLᵀ of the shifted matrix. Generic shifts meet
/// no zero pivot.
fn below(columns: &[Vec<f64>], shift: f64) -> usize {
    let n = columns.len();
    let mut a = columns.to_vec();
    (0..n).for_each(|i| a[i][i] -= shift);
    let mut negative = 0;
    for k in 0..n {
        let pivot = a[k][k];
        negative += usize::from(pivot < 0.0);
        let row = a[k].clone();
        for i in k + 1..n {
            let factor = row[i] / pivot;
            for j in k + 1..n {
                a[i][j] -= factor * row[j];
            }
        }
    }
    negative
}

/// A small network with batch norms, and the two parts of the data.
fn batch_normed() -> (Arc<dyn Architecture>, Dataset, Dataset) {
    let digits = DigitsConfig { train_examples: Some(70), ..DigitsConfig::default() };
    let split = DataConfig::Digits(digits).load().unwrap();
    let list = ["linear 4", "batchnorm", "tanh", "linear 10"];
    let model: ModelConfig =
        serde_json::from_value(serde_json::json!({ "kind": "layers", "layers": list })).unwrap();
    (model.build(split.train.features(), 10).unwrap(), split.train, split.test)
}

#[test]
fn held_out_data_are_normed_as_the_training_set() {
    let (architecture, train, test) = batch_normed();
    let site = NetworkSite::<f64>::new(Arc::clone(&architecture), Loss::CrossEntropy, &train);
    assert_eq!(site.convention().batch_norm, BatchNorm::ReEstimated);
    let (start, other) = (widened(&theta::<f64>(&*architecture)), random(site.dimension(), 1));
    let points = [&start[..], &other];
    // Held out or not: the same data give the same loss.
    let again = site.held_out(&train);
    for (a, b) in site.values(&points).unwrap().iter().zip(again.values(&points).unwrap()) {
        let errors = a.error.zip(b.error).is_some_and(|(a, b)| (a - b).abs() < 1e-14);
        assert!((a.loss - b.loss).abs() < 1e-13 * a.loss && errors, "{a:?} {b:?}");
    }
    // An example alone has no variance of its own; here it has that of the training set.
    let held_out = site.held_out(&test);
    let outputs = held_out.outputs(&[&start]).unwrap().remove(0);
    let one = site.held_out(&test.subset("one", &[5]).unwrap()).outputs(&[&start]).unwrap().remove(0);
    let alike = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-13;
    assert!(one.elements().iter().zip(outputs.row(5)).all(alike), "{one:?}");
    assert!(matches!(
        held_out.gradient(&start, &mut vec![0.0; start.len()]),
        Err(SiteError::Unsupported { .. })
    ));
}

#[test]
fn derivatives_go_through_batch_norms() {
    let (architecture, train, _) = batch_normed();
    let site = NetworkSite::<f64>::new(Arc::clone(&architecture), Loss::CrossEntropy, &train);
    let (start, v) = (widened(&theta::<f64>(&*architecture)), random(site.dimension(), 2));
    let along = |step: f64| -> Vec<f64> { start.iter().zip(&v).map(|(x, v)| x + step * v).collect() };
    let gradient = |point: &[f64]| {
        let mut gradient = vec![0.0; point.len()];
        site.gradient(point, &mut gradient).unwrap();
        gradient
    };
    let h = 1e-5;
    let (ahead, behind) = (gradient(&along(h)), gradient(&along(-h)));
    let mut product = [Vec::new()];
    site.at(&start).hvps(&[&v], &mut product).unwrap();
    let scale = product[0].iter().fold(0.0f64, |most, x| most.max(x.abs()));
    for ((a, b), hv) in ahead.iter().zip(&behind).zip(&product[0]) {
        assert!(((a - b) / (2.0 * h) - hv).abs() < 1e-7 * scale);
    }
}
