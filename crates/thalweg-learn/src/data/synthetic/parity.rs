//! Signs, labelled by the product of the first few.

use thalweg_kernel::Key;

/// Signs and the labels that follow from the first `of` of each example.
pub(super) fn draw(inputs: &mut [f64], labels: &mut [usize], features: usize, of: usize, own: &Key) {
    own.named("signs").uniforms(inputs);
    inputs.iter_mut().for_each(|x| *x = if *x < 0.5 { -1.0 } else { 1.0 });
    for (label, x) in labels.iter_mut().zip(inputs.chunks(features)) {
        *label = usize::from(x[..of].iter().product::<f64>() < 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Synthetic;
    use super::super::tests::{EXAMPLES, draw, mean};

    #[test]
    fn parity_is_of_the_first_signs() {
        let data = draw(&Synthetic::Parity { features: 6, of: 3 }, "train");
        for example in 0..EXAMPLES {
            let x = data.input(example);
            assert!(x.iter().all(|x| x.abs() == 1.0));
            assert_eq!(data.labels()[example] == 1, x[0] * x[1] * x[2] < 0.0);
        }
        // Four standard errors.
        assert!(
            (mean(data.labels().iter().map(|&l| f64::from(l))) - 0.5).abs()
                < 2.0 / libm::sqrt(EXAMPLES as f64)
        );
    }
}
