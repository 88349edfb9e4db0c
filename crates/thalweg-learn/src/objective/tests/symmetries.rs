//! Networks whose hidden units have been reordered are the same function.

use thalweg_kernel::Key;

use super::{assert_close, examples, network, relative_error};
use crate::arch::Activation;
use crate::loss::Loss;
use crate::objective::Objective;

#[test]
fn reordered_units_compute_the_same() {
    for (bias, layer_norm) in [(true, false), (false, false), (true, true), (false, true)] {
        let (network, theta) = network::<f64>(&[4, 7, 5, 6, 3], Activation::Gelu, bias, layer_norm);
        let space = network.space().clone();
        let examples = examples(20, 4, 3);
        let objective = Objective::new(network, Loss::CrossEntropy, 20);
        let outputs = |theta: &[f64]| objective.outputs(&[theta], &examples).remove(0);
        let truth = outputs(&theta);
        let units: Vec<usize> = space.symmetries().iter().map(|symmetry| symmetry.units).collect();
        assert_eq!(units, [7, 5, 6]);
        let mut moved = theta.clone();
        for (symmetry, &units) in units.iter().enumerate() {
            let order = Key::from_seed(2).fold_in(symmetry as u64).permutation(units);
            assert!(!order.is_sorted());
            let alone = space.permuted(&theta, symmetry, &order);
            assert_close(&outputs(&alone), &truth, 1e-13);
            moved = space.permuted(&moved, symmetry, &order);
            assert!(relative_error(&moved, &theta) > 0.1);
            assert_close(&outputs(&moved), &truth, 1e-13);
            // The gradient is reordered as θ is.
            let (mut here, mut there) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
            objective.gradient(&theta, &examples, &mut here);
            objective.gradient(&alone, &examples, &mut there);
            assert_close(&there, &space.permuted(&here, symmetry, &order), 1e-12);
        }
    }
}
