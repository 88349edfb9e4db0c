//! Arms in the plane that wind around each other.

use std::f64::consts::TAU;

use thalweg_kernel::Key;

/// The largest t of a spiral.
const END: f64 = 8.796;

/// Points on the arms that `labels` say, with normal noise of that deviation.
pub(super) fn draw(inputs: &mut [f64], labels: &[usize], arms: usize, noise: f64, own: &Key) {
    let (mut along, mut beside) = (vec![0.0; labels.len()], vec![0.0; inputs.len()]);
    own.named("along").uniforms(&mut along);
    own.named("noise").normals(&mut beside);
    for (example, x) in inputs.chunks_mut(2).enumerate() {
        let t = libm::sqrt(along[example]) * END;
        let (sin, cos) = libm::sincos(t + TAU * labels[example] as f64 / arms as f64);
        x[0] = t / 4.0 * cos + noise * beside[2 * example];
        x[1] = t / 4.0 * sin + noise * beside[2 * example + 1];
    }
}

#[cfg(test)]
mod tests {
    use super::super::Synthetic;
    use super::super::tests::{EXAMPLES, draw, mean};
    use super::{END, TAU};

    #[test]
    fn arms_of_a_spiral_are_turned_by_a_third() {
        let set = Synthetic::Spirals { arms: 3, noise: 0.0 };
        let data = draw(&set, "train");
        for example in 0..EXAMPLES {
            let [x, y] = [0, 1].map(|axis| f64::from(data.input(example)[axis]));
            let t = 4.0 * libm::hypot(x, y);
            assert!(t < END);
            let angle = t + TAU * f64::from(data.labels()[example]) / 3.0;
            assert!(
                (x - t / 4.0 * libm::cos(angle)).abs() < 1e-5
                    && (y - t / 4.0 * libm::sin(angle)).abs() < 1e-5
            );
        }
        let noisy = draw(&Synthetic::Spirals { arms: 3, noise: 0.03 }, "train");
        let apart = data.inputs().iter().zip(noisy.inputs()).map(|(a, b)| f64::from((a - b) * (a - b)));
        assert!((libm::sqrt(mean(apart)) / 0.03 - 1.0).abs() < 0.05);
    }
}
