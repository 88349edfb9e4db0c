//! Scaled dot-product attention.

use super::Var;
use crate::ir::ShapeError;
use crate::prim::Contract;

impl Var<'_> {
    /// softmax(q·kᵀ/√d)·v for every head (Vaswani et al. 2017, equation 1): queries, which this is, `[n…, q, h, d]`, keys
    /// `[n…, k, h, d]` and values `[n…, k, h, e]` to `[n…, q, h, e]`. If it is `causal`, a query sees the keys up to its own
    /// position, counted from the first, as PyTorch's `is_causal` has it.
    ///
    /// Heads lie beside one another within a position, as a projection makes them (JAX's order; PyTorch's function takes
    /// positions within heads): nothing is copied on the way in or out. The scores take q·k numbers a head.
    #[must_use]
    pub fn attention(self, keys: Self, values: Self, causal: bool) -> Self {
        self.attention_through(keys, values, causal, |weights| weights)
    }

    /// The same with something done to the weights, the softmax, `[n…, h, q, k]`, before they are summed with: dropout, which
    /// PyTorch's function has there.
    #[must_use]
    pub fn attention_through(
        self,
        keys: Self,
        values: Self,
        causal: bool,
        through: impl FnOnce(Self) -> Self,
    ) -> Self {
        let builder = self.builder();
        let shapes = [self.shape(), keys.shape(), values.shape()];
        let Some((leading, [queries, seen, width])) = fitting(&shapes) else {
            let [q, k, v] = [self, keys, values].map(|operand| operand.ty());
            let message = format!(
                "expected queries [n…, q, h, d], keys [n…, k, h, d] and values [n…, k, h, e], found {q}, {k} and {v}"
            );
            return builder.fail(ShapeError::new("attention", message));
        };
        let [q, k, d, e, h] = [0, 1, 2, 3, 4];
        let labels = |last: &[u8]| -> Vec<u8> {
            let batch = (5..).take(leading.len());
            batch.chain(last.iter().copied()).collect()
        };
        let scaled = self * (1.0 / (width as f64).sqrt());
        let products = Contract::new(&labels(&[q, h, d]), &labels(&[k, h, d]), &labels(&[h, q, k]));
        let mut scores = builder.apply(products, &[scaled, keys]);
        if causal {
            let later = builder.iota(seen).greater(builder.iota(queries).reshape(&[queries, 1]));
            scores = later.select(f64::NEG_INFINITY, scores);
        }
        let weights = through(scores.softmax(leading.len() + 2));
        let sums = Contract::new(&labels(&[h, q, k]), &labels(&[k, h, e]), &labels(&[q, h, e]));
        builder.apply(sums, &[weights, values])
    }
}

/// The leading axes, and how many queries, keys, and numbers of a query there are; none if the shapes do not fit.
fn fitting([q, k, v]: &[Vec<usize>; 3]) -> Option<(&[usize], [usize; 3])> {
    let (leading, &[queries, heads, width]) = q.split_last_chunk()?;
    let (leading_k, &[seen, heads_k, width_k]) = k.split_last_chunk()?;
    let (leading_v, &[seen_v, heads_v, _]) = v.split_last_chunk()?;
    let fits = leading == leading_k
        && leading == leading_v
        && [heads, width, seen] == [heads_k, width_k, seen_v]
        && heads == heads_v;
    fits.then_some((leading, [queries, seen, width]))
}
