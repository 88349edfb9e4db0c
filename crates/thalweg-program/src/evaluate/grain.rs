//! How many examples make a shard, from what one example does.
//!
//! A shard's activations should stay in a core's cache, and they are what memory an evaluation takes. But a shard must be
//! long enough for the products with the weights to have rows, and for the sum of its gradient, as long as the weights, to
//! be little beside its activations. An image or a sequence has rows at every position and asks for short shards; a vector
//! has one, and so has a step of a recurrent network.

use super::Cut;
use crate::ir::{Op, Program};

/// Examples in a shard at least, unless even so few are large.
const FEWEST: usize = 8;
/// Elements of the activations of so few examples that are large: of long sequences, whose scores are a matrix each, and of
/// large images. They would take more memory than the products gain.
const LARGE: usize = 1 << 22;
/// Elements of the activations of a shard that is short enough.
const ACTIVATIONS: usize = 1 << 18;
/// Rows that a product with weights should have.
const ROWS: usize = 64;

impl Cut {
    /// As fits a network, from its program for one example, whose first `shared` arguments are the weights. Never longer than
    /// [`Cut::new`] has it.
    pub fn fitting(examples: usize, one: &Program, shared: usize) -> Self {
        let usual = Self::new(examples);
        let products = Products::of(one, shared);
        let fits = |shard: usize| {
            shard * products.activations >= products.weights && products.mostly_have(ROWS.div_ceil(shard))
        };
        let mut shard = usual.shard;
        let is_long = |shard: usize| shard * products.activations > ACTIVATIONS;
        let is_large = |shard: usize| shard * products.activations > LARGE;
        while shard.is_multiple_of(2)
            && (shard / 2 >= FEWEST || is_large(shard))
            && is_long(shard)
            && fits(shard / 2)
        {
            shard /= 2;
        }
        Self::by(examples, shard)
    }
}

/// The products of an example.
#[derive(Default)]
struct Products {
    /// Elements of their results.
    activations: usize,
    weights: usize,
    /// Of those with weights the rows and the multiplications.
    with_weights: Vec<(usize, f64)>,
}

impl Products {
    fn of(one: &Program, shared: usize) -> Self {
        let mut own = vec![false; one.nodes.len()];
        for input in one.inputs.iter().skip(shared) {
            own[input.position()] = true;
        }
        let weights = one.inputs.iter().take(shared).map(|&input| one.ty(input).len()).sum();
        let mut products = Self { weights, ..Self::default() };
        for (position, (node, live)) in one.nodes.iter().zip(one.live()).enumerate() {
            own[position] |= node.inputs.iter().any(|id| own[id.position()]);
            let labels = match &node.op {
                Op::Contract(contract) => contract.labels(),
                Op::Convolve(convolve) => convolve.labels(),
                _ => continue,
            };
            if !live || !own[position] {
                continue;
            }
            products.activations += node.ty.len();
            let Some(which) = (0..2).find(|&i| !own[node.inputs[i].position()]) else { continue };
            // Axes that the result has of the weights are lanes; the others of the result are rows.
            let weight = one.ty(node.inputs[which]);
            let axes = [&labels.a, &labels.b][which].iter().zip(&weight.shape);
            let lanes: usize =
                axes.filter(|(label, _)| labels.out.contains(label)).map(|(_, &extent)| extent).product();
            let rows = node.ty.len() / lanes.max(1);
            products.with_weights.push((rows, rows as f64 * weight.len() as f64));
        }
        products
    }

    /// Whether most multiplications with weights are in products of so many rows.
    fn mostly_have(&self, rows: usize) -> bool {
        let all: f64 = self.with_weights.iter().map(|&(_, count)| count).sum();
        let such = self.with_weights.iter().filter(|&&(own, _)| own >= rows);
        4.0 * such.map(|&(_, count)| count).sum::<f64>() >= 3.0 * all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::Builder;
    use crate::prim::Slide;

    /// Of a linear layer at so many positions with so many inputs and outputs.
    fn linear(positions: usize, [inputs, outputs]: [usize; 2]) -> Program {
        let builder = Builder::new();
        let (w, x) = (builder.real(&[outputs, inputs]), builder.real(&[1, positions, inputs]));
        builder.finish(&[builder.einsum("oi,bti->bto", w, x)]).unwrap()
    }

    #[test]
    fn a_vector_has_one_row() {
        for examples in [1, 100, 1000] {
            assert_eq!(Cut::fitting(examples, &linear(1, [10_000, 10_000]), 1), Cut::new(examples));
        }
    }

    #[test]
    fn many_positions_ask_for_short_shards() {
        assert_eq!(Cut::fitting(128, &linear(64, [256, 256]), 1).shard, 16);
        assert_eq!(Cut::fitting(128, &linear(1024, [64, 256]), 1).shard, 8);
        assert_eq!(Cut::fitting(5, &linear(1024, [64, 256]), 1).shard, 5);
        // Sixteen examples of four positions make 64 rows.
        assert_eq!(Cut::fitting(2048, &linear(4, [8, 16_384]), 1).shard, 16);
        // Even eight examples are large.
        assert_eq!(Cut::fitting(128, &linear(1024, [64, 1024]), 1).shard, 4);
        assert_eq!(Cut::fitting(128, &linear(4096, [64, 4096]), 1).shard, 1);
        // The sums would be more than the activations.
        assert_eq!(Cut::fitting(128, &linear(8, [2048, 2048]), 1).shard, 64);
    }

    #[test]
    fn images_have_rows_at_their_positions() {
        let builder = Builder::new();
        let (w, x) = (builder.real(&[32, 3, 3, 3]), builder.real(&[1, 32, 32, 3]));
        let y = x.convolve(w, &[Slide { padding: [1, 1], ..Slide::default() }; 2], 1);
        let one = builder.finish(&[y]).unwrap();
        let products = Products::of(&one, 1);
        assert_eq!(products.with_weights, [(1024, 1024.0 * 864.0)]);
        assert_eq!(products.activations, 1024 * 32);
        assert_eq!(Cut::fitting(128, &one, 1).shard, 8);
    }
}
