//! Softmax regression, whose Hessian has an exact null space and fits into memory: the spectrum of a site in f32 against
//! the dense Hessian in f64.

use std::sync::Arc;

use thalweg_geometry::operator::{Dense, Hessian, LinearOperator as _};
use thalweg_geometry::site::{Dtype, Outcome, Point, Site};
use thalweg_geometry::spectrum::{LanczosOptions, lanczos};
use thalweg_kernel::Key;
use thalweg_lab::site::NetworkSite;
use thalweg_learn::arch::{Architecture, MlpConfig, ModelConfig, initial_parameters};
use thalweg_learn::data::{DataConfig, Dataset, DigitsConfig};
use thalweg_learn::loss::Loss;

fn regression(examples: usize) -> (Arc<dyn Architecture>, Dataset, Vec<f64>) {
    let digits = DigitsConfig { train_examples: Some(examples), ..DigitsConfig::default() };
    let data = DataConfig::Digits(digits).load().unwrap().train;
    let mlp = MlpConfig { widths: Vec::new(), ..MlpConfig::default() };
    let init = mlp.init;
    let model = ModelConfig::Mlp(mlp).build(data.features(), data.classes()).unwrap();
    // As drawn in f32, so that both precisions stand at the same point.
    let theta: Vec<f32> = initial_parameters(model.space(), &init, Key::from_seed(1));
    (model, data, theta.into_iter().map(f64::from).collect())
}

#[test]
fn every_pair_holds_for_the_hessian_in_f64_with_its_multiplicity() {
    let (model, data, theta) = regression(300);
    let exact = NetworkSite::<f64>::new(model.clone(), Loss::CrossEntropy, &data);
    let dense = Dense::materialised(&Hessian::at(&exact, &theta)).unwrap();
    let spectrum = dense.eigenvalues().unwrap();
    let (n, scale) = (spectrum.len(), spectrum[spectrum.len() - 1]);
    // Adding the same to all outputs changes nothing: 65 directions, one for each input and one of the biases.
    assert_eq!(n, 650);
    assert!(spectrum[64] < 1e-14 * scale);

    let site = NetworkSite::<f32>::new(model, Loss::CrossEntropy, &data);
    let options = LanczosOptions {
        largest: 20,
        smallest: 20,
        tolerance: 1e-4,
        products_max: 1500,
        basis_max: 1500,
        block: 1,
    };
    let hessian = Hessian::at(&site, &theta);
    let reading = lanczos(&hessian, &options, &Key::from_seed(2), &mut |_| ()).unwrap();
    assert_eq!((reading.outcome, reading.convention.dtype), (Outcome::Converged, Dtype::F64));
    assert_eq!(hessian.convention().dtype, Dtype::F32);
    let rounding = 1e-13 * scale;
    for (pair, known) in reading.value.largest.iter().zip(spectrum.iter().rev()) {
        assert!((pair.value - known).abs() <= pair.residual + rounding, "{pair:?}, known {known}");
        // The search in f32 is this good, whatever the bound: far below what a product in f32 could show.
        assert!(pair.residual <= 1e-5 * scale);
    }
    for pair in &reading.value.smallest {
        assert!(pair.value.abs() <= pair.residual + rounding, "{} ± {}", pair.value, pair.residual);
    }
}

#[test]
fn the_exact_point_of_an_f32_site_is_the_f64_site() {
    let (model, data, theta) = regression(40);
    let [narrow, wide] = [
        Box::new(NetworkSite::<f32>::new(model.clone(), Loss::CrossEntropy, &data)) as Box<dyn Site>,
        Box::new(NetworkSite::<f64>::new(model, Loss::CrossEntropy, &data)),
    ];
    let mut v = vec![0.0; theta.len()];
    Key::from_seed(4).normals(&mut v);
    let product = |point: &dyn Point| {
        let mut out = [Vec::new()];
        point.hvps(&[&v], &mut out).unwrap();
        let [product] = out;
        product
    };
    let point = narrow.at(&theta);
    let exact = point.exact().expect("f32 has a twin");
    assert_eq!(product(&*exact), product(&*wide.at(&theta)));
    assert_ne!(product(&*exact), product(&*point));
    assert_eq!(exact.convention(), wide.convention());
    assert!(exact.exact().is_none());

    // A point that f32 cannot hold is verified where it was measured.
    let moved: Vec<f64> = theta.iter().map(|x| x + 1e-12).collect();
    let point = narrow.at(&moved);
    let exact = point.exact().expect("f32 has a twin");
    assert!(exact.theta().iter().all(|&x| f64::from(x as f32) == x));
}
