//! Landscapes whose losses, derivatives, barriers and spectra are known exactly.
//!
//! Derivatives here are written by hand, unlike anywhere else in the project: they are the oracle.

mod deep_linear;
mod product_valley;
mod quadratic;
mod rosenbrock;
mod styblinski_tang;

pub use deep_linear::DeepLinear;
pub use product_valley::ProductValley;
pub use quadratic::Quadratic;
pub use rosenbrock::Rosenbrock;
pub use styblinski_tang::StyblinskiTang;

use crate::site::Value;

fn losses(points: &[&[f64]], loss: impl Fn(&[f64]) -> f64) -> Vec<Value> {
    points.iter().map(|theta| Value { loss: loss(theta), error: None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Capability, Site, SiteError};
    use crate::vector::{dot, norm};
    use thalweg_kernel::Key;

    fn point(n: usize, key: &Key) -> Vec<f64> {
        let mut theta = vec![0.0; n];
        key.normals(&mut theta);
        theta
    }

    /// Gradient against central differences of the value, HVP against those of the gradient.
    fn check_derivatives(site: &dyn Site, key: &Key) {
        let n = site.dimension();
        let (theta, v) = (point(n, &key.named("theta")), point(n, &key.named("v")));
        let step = 1e-5;
        let moved = |s: f64| -> Vec<f64> { theta.iter().zip(&v).map(|(t, v)| t + s * v).collect() };
        let (ahead, behind) = (moved(step), moved(-step));

        let mut gradient = vec![f64::NAN; n];
        let loss = site.gradient(&theta, &mut gradient).unwrap();
        let values = site.values(&[&theta, &ahead, &behind]).unwrap();
        assert_eq!(loss, values[0].loss);
        let slope = (values[1].loss - values[2].loss) / (2.0 * step);
        let scale = 1.0 + slope.abs();
        assert!((dot(&gradient, &v) - slope).abs() < 1e-7 * scale, "{} {slope}", dot(&gradient, &v));

        let (mut g_ahead, mut g_behind) = (vec![0.0; n], vec![0.0; n]);
        site.gradient(&ahead, &mut g_ahead).unwrap();
        site.gradient(&behind, &mut g_behind).unwrap();
        let mut hvp = [vec![f64::NAN; n]];
        site.at(&theta).hvps(&[&v], &mut hvp).unwrap();
        let gap: Vec<f64> = (0..n).map(|i| hvp[0][i] - (g_ahead[i] - g_behind[i]) / (2.0 * step)).collect();
        assert!(norm(&gap) < 1e-6 * (1.0 + norm(&hvp[0])), "{gap:?}");
    }

    #[test]
    fn derivatives_agree_with_finite_differences() {
        let key = Key::from_seed(1).named("testbed");
        check_derivatives(&Quadratic::rotated(vec![-1.0, 0.0, 2.0, 5.0], &key), &key);
        check_derivatives(&Quadratic::diagonal(vec![-1.0, 3.0]), &key);
        check_derivatives(&Rosenbrock::new(2), &key);
        check_derivatives(&Rosenbrock::new(7), &key);
        check_derivatives(&StyblinskiTang::new(5), &key);
        check_derivatives(&ProductValley::new(), &key);
        check_derivatives(&DeepLinear::random([3, 4, 2], 6, &key), &key);
    }

    #[test]
    fn what_a_landscape_lacks_is_a_typed_refusal() {
        let error = Rosenbrock::new(2).outputs(&[&[0.0, 0.0]]).unwrap_err();
        assert!(matches!(error, SiteError::Unsupported { capability: Capability::Outputs, .. }));
        assert_eq!(error.to_string(), "the objective with loss \"rosenbrock\" has no outputs");
    }
}
