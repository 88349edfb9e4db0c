//! Normal distributions, one a class.

use thalweg_kernel::Key;

use super::direction;

/// Moves standard normal `inputs`, which it draws, to the means of their classes.
pub(super) fn draw(
    inputs: &mut [f64],
    labels: &[usize],
    [features, classes]: [usize; 2],
    separation: f64,
    [shape, own]: [&Key; 2],
) {
    own.named("noise").normals(inputs);
    let means: Vec<Vec<f64>> =
        (0..classes).map(|class| direction(features, &shape.fold_in(class as u64))).collect();
    for (x, &label) in inputs.chunks_mut(features).zip(labels) {
        x.iter_mut().zip(&means[label]).for_each(|(x, mean)| *x += separation * mean);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EXAMPLES, draw, mean};
    use super::super::{Dataset, Synthetic};

    #[test]
    fn classes_of_a_mixture_lie_where_both_parts_say() {
        let set = Synthetic::GaussianMixture { features: 5, classes: 3, separation: 4.0 };
        let (train, test) = (draw(&set, "train"), draw(&set, "test"));
        assert_eq!((train.class_counts(), train.name()), (vec![1000; 3], "gaussian_mixture/train"));
        assert_ne!(train.inputs(), test.inputs());
        let centre = |data: &Dataset, class: i32, feature: usize| {
            let own = (0..EXAMPLES).filter(|&i| data.labels()[i] == class);
            mean(own.map(|i| f64::from(data.input(i)[feature])))
        };
        for class in 0..3 {
            let [own, other] =
                [&train, &test].map(|data| -> Vec<f64> { (0..5).map(|f| centre(data, class, f)).collect() });
            let norm = libm::sqrt(own.iter().map(|x| x * x).sum());
            // Four standard errors of a mean of 1000, in five directions.
            assert!((norm - 4.0).abs() < 4.0 * libm::sqrt(5.0 / 1000.0), "{norm}");
            own.iter().zip(other).for_each(|(a, b)| assert!((a - b).abs() < 4.0 * libm::sqrt(2.0 / 1000.0)));
        }
    }
}
