//! Scaled dot-product attention.

use super::Var;
use crate::ir::ShapeError;
use crate::prim::Contract;

/// Queries of a block of causal attention: each block is written by itself with the keys up to its last query, so that most
/// of what nobody sees is never computed.
const BLOCK: usize = 64;
/// Blocks at most: longer sequences have longer blocks. With so many, 1/32 of the scores is computed and not seen.
const BLOCKS: usize = 16;

impl Var<'_> {
    /// softmax(q·kᵀ/√d)·v for every head (Vaswani et al. 2017, equation 1): queries, which this is, `[n…, q, h, d]`, keys
    /// `[n…, k, h, d]` and values `[n…, k, h, e]` to `[n…, q, h, e]`. If it is `causal`, a query sees the keys up to its own
    /// position, counted from the first, as PyTorch's `is_causal` has it.
    ///
    /// Heads lie beside one another within a position, as a projection makes them (JAX's order; PyTorch's function takes
    /// positions within heads): nothing is copied on the way in or out. The scores take q·k numbers a head; where it is causal
    /// and there are more than 64 queries, little more than half of that.
    #[must_use]
    pub fn attention(self, keys: Self, values: Self, causal: bool) -> Self {
        self.attention_through(keys, values, causal, |weights| weights)
    }

    /// The same with each weight multiplied by something before they are summed with: dropout, which PyTorch's function has
    /// there. `factored` takes weights `[n…, h, q, k]` that are not divided by their sum yet, once for each block of queries with
    /// the keys that they see.
    #[must_use]
    pub fn attention_through(
        self,
        keys: Self,
        values: Self,
        causal: bool,
        mut factored: impl FnMut(Self) -> Self,
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
        if seen == 0 {
            // Nothing is summed.
            let shape = [&shapes[0][..shapes[0].len() - 1], &shapes[2][shapes[2].len() - 1..]].concat();
            return builder.zeros(&shape);
        }
        let axis = leading.len();
        let scaled = self * (1.0 / (width as f64).sqrt());
        if !causal || queries == 0 {
            return scaled.attend(axis, keys, values, &mut factored, |scores| scores);
        }
        let block = BLOCK.max(queries.div_ceil(BLOCKS));
        let blocks = (0..queries).step_by(block).map(|start| {
            let count = block.min(queries - start);
            let seen = seen.min(start + count);
            let own = scaled.slice(axis, start, count);
            let [keys, values] = [keys, values].map(|all| all.slice(axis, 0, seen));
            own.attend(axis, keys, values, &mut factored, |scores| {
                let positions = builder.iota(count) + start as f64;
                let later = builder.iota(seen).greater(positions.reshape(&[count, 1]));
                later.select(f64::NEG_INFINITY, scores)
            })
        });
        match &blocks.collect::<Vec<Self>>()[..] {
            &[all] => all,
            blocks => builder.concatenate(axis, blocks),
        }
    }

    /// Attention of scaled queries, whose positions are that axis, to all of the keys, with scores as `masked` leaves them.
    ///
    /// With w = exp(scores − the largest), (w·v)/Σw: what is divided has fewer numbers than the scores; and in the derivative, the
    /// part that Σw has in it is a sum over what comes out and not over the scores (Dao et al. 2022, appendix B). Where one weight
    /// holds nearly all of the sum, what is left of gradients to queries and keys has the rounding of numbers near 1, as in all
    /// fused attentions; values near the largest number overflow as a sum of theirs does.
    fn attend(
        self,
        axis: usize,
        keys: Self,
        values: Self,
        factored: &mut impl FnMut(Self) -> Self,
        masked: impl FnOnce(Self) -> Self,
    ) -> Self {
        let builder = self.builder();
        let [q, k, d, e, h] = [0, 1, 2, 3, 4];
        let labels = |last: &[u8]| -> Vec<u8> { (5..).take(axis).chain(last.iter().copied()).collect() };
        let products = Contract::new(&labels(&[q, h, d]), &labels(&[k, h, d]), &labels(&[h, q, k]));
        let sums = Contract::new(&labels(&[h, q, k]), &labels(&[k, h, e]), &labels(&[q, h, e]));
        let scores = masked(builder.apply(products, &[self, keys]));
        let weights = scores.below_largest(axis + 2).exp();
        let sum = builder.apply(sums, &[factored(weights), values]);
        // From [n…, h, q] to [n…, q, h, e].
        let turned: Vec<usize> = (0..axis).chain([axis + 1, axis]).collect();
        let total = weights.sum(&[axis + 2]).permute(&turned);
        sum / total.broadcast(&sum.shape(), &(0..axis + 2).collect::<Vec<usize>>())
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
