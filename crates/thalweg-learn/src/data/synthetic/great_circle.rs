//! A circle around the origin, labelled by its sectors.

use std::f64::consts::TAU;

use thalweg_kernel::Key;

use super::{direction, normalise};

/// Equally spaced points on the circle, and their sectors.
pub(super) fn draw(inputs: &mut [f64], labels: &mut [usize], [features, classes]: [usize; 2], shape: &Key) {
    let examples = labels.len();
    let u = direction(features, &shape.fold_in(0));
    let mut v = direction(features, &shape.fold_in(1));
    // Orthogonal to u, twice for the last digits.
    for _ in 0..2 {
        let along: f64 = u.iter().zip(&v).map(|(u, v)| u * v).sum();
        v.iter_mut().zip(&u).for_each(|(v, u)| *v -= along * u);
        normalise(&mut v);
    }
    let radius = libm::sqrt(features as f64);
    for (example, x) in inputs.chunks_mut(features).enumerate() {
        let (sin, cos) = libm::sincos(TAU * example as f64 / examples as f64);
        x.iter_mut().zip(u.iter().zip(&v)).for_each(|(x, (u, v))| *x = radius * (u * cos + v * sin));
        labels[example] = example * classes / examples;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Synthetic;
    use super::super::tests::{EXAMPLES, draw};
    use super::TAU;

    #[test]
    fn a_great_circle_has_one_norm_and_equal_steps() {
        let data = draw(&Synthetic::GreatCircle { features: 20, classes: 2 }, "train");
        assert_eq!(data.class_counts(), [1500; 2]);
        let dot = |a: usize, b: usize| -> f64 {
            data.input(a).iter().zip(data.input(b)).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        for example in [0, 1, 777, 2999] {
            assert!((dot(example, example) - 20.0).abs() < 1e-4);
            let step = dot(example, (example + 1) % EXAMPLES) / 20.0;
            assert!((step - libm::cos(TAU / EXAMPLES as f64)).abs() < 1e-6);
        }
        assert!(dot(0, EXAMPLES / 4).abs() < 1e-4);
    }
}
