//! Dropout, with keys that are arguments.

use super::Var;
use crate::ir::ShapeError;
use crate::prim::Uniform;

/// Uniform numbers are multiples of its inverse.
const GRID: f64 = (1 << 24) as f64;

impl Var<'_> {
    /// Numbers of this `[k…, m…]`, each 0 with that probability and otherwise divided by 1 − probability (Srivastava et al.
    /// 2014, scaled in training as PyTorch does), so that means stay what they are.
    ///
    /// Which are kept follows from `keys`, `[k…, 11]` real: a key for each example, by its
    /// [words](thalweg_kernel::Key::words). So it depends neither on the other examples nor on the precision. Each use has a
    /// `stream` of its own. Probabilities are taken to the nearest multiple of 2⁻²⁴.
    #[must_use]
    pub fn dropout(self, keys: Self, stream: u64, probability: f64) -> Self {
        let builder = self.builder();
        let (shape, key_shape) = (self.shape(), keys.shape());
        let leading = key_shape.len().saturating_sub(1);
        if !(0.0..=1.0).contains(&probability) {
            let message = format!("expected a probability in [0, 1], found {probability}");
            return builder.fail(ShapeError::new("dropout", message));
        }
        if key_shape.is_empty() || shape.get(..leading) != Some(&key_shape[..leading]) {
            let message =
                format!("expected keys [k…, words] of [k…, m…], found {} of {}", keys.ty(), self.ty());
            return builder.fail(ShapeError::new("dropout", message));
        }
        let uniform = builder.apply(Uniform { stream, shape: shape[leading..].to_vec() }, &[keys]);
        // A multiple of the grid is the same number in either precision, and so is what lies below it.
        let kept = builder.constant(((1.0 - probability) * GRID).round() / GRID, &[]).greater(uniform);
        if probability == 1.0 {
            return builder.zeros(&shape);
        }
        kept.select(self * (1.0 / (1.0 - probability)), 0.0)
    }
}
