//! θ is one flat vector; a [`ParamSpace`] says what lies where in it.

mod leaf;
mod symmetry;

pub use leaf::{Leaf, Role, Start};
pub use symmetry::Symmetry;

/// The named leaves of a parameter vector, in order, without gaps.
///
/// Running statistics are no part of θ. Leaves bear the names and shapes that PyTorch gives them, so that a
/// checkpoint reads the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ParamSpace {
    leaves: Vec<Leaf>,
    symmetries: Vec<Symmetry>,
    dimension: usize,
}

impl ParamSpace {
    /// A space without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf at the end of θ; returns its position in [`leaves`](Self::leaves).
    ///
    /// # Panics
    /// If a leaf of that name exists, an axis that the leaf names does not, or one is no multiple of the units that it
    /// runs over, in each of the arrays that are stacked.
    pub fn push(&mut self, mut leaf: Leaf) -> usize {
        assert!(self.leaf(&leaf.name).is_none(), "two leaves are named {:?}", leaf.name);
        for axis in leaf.permuted.iter().map(|&(axis, _)| axis).chain(leaf.filter_axis) {
            assert!(
                axis < leaf.shape.len(),
                "leaf {:?} of shape {:?} has no axis {axis}",
                leaf.name,
                leaf.shape
            );
        }
        for &(axis, symmetry) in &leaf.permuted {
            let units = self.symmetries[symmetry].units;
            assert!(
                leaf.block(axis, units) > 0,
                "axis {axis} of leaf {:?}, {:?} of {} stacked, runs over {units} units",
                leaf.name,
                leaf.shape,
                leaf.stacked
            );
        }
        leaf.offset = self.dimension;
        self.dimension += leaf.len();
        self.leaves.push(leaf);
        self.leaves.len() - 1
    }

    /// Declares a group of hidden units whose order does not matter; leaves refer to it by the number returned.
    pub fn push_symmetry(&mut self, symmetry: Symmetry) -> usize {
        self.symmetries.push(symmetry);
        self.symmetries.len() - 1
    }

    /// Number of parameters: the length of θ.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The leaves in the order in which they lie in θ.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The leaf of that name.
    pub fn leaf(&self, name: &str) -> Option<&Leaf> {
        self.leaves.iter().find(|leaf| leaf.name == name)
    }

    /// The hidden permutation symmetries.
    pub fn symmetries(&self) -> &[Symmetry] {
        &self.symmetries
    }

    /// θ with the units of one symmetry reordered: unit `i` of the result is unit `order[i]` of `theta`. The
    /// network computes the same function.
    ///
    /// # Panics
    /// If `theta` or `order` has the wrong length.
    pub fn permuted<T: Copy>(&self, theta: &[T], symmetry: usize, order: &[usize]) -> Vec<T> {
        assert_eq!(theta.len(), self.dimension, "theta's length");
        assert_eq!(order.len(), self.symmetries[symmetry].units, "the order's length");
        let mut result = theta.to_vec();
        for leaf in &self.leaves {
            for &(axis, _) in leaf.permuted.iter().filter(|&&(_, group)| group == symmetry) {
                let inner: usize = leaf.shape[axis + 1..].iter().product();
                let source = result[leaf.range()].to_vec();
                let run = inner * leaf.block(axis, order.len());
                for (row, chunk) in result[leaf.range()].chunks_mut(run).enumerate() {
                    let (outer, unit) = (row / order.len(), row % order.len());
                    let from = (outer * order.len() + order[unit]) * run;
                    chunk.copy_from_slice(&source[from..from + run]);
                }
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> ParamSpace {
        let mut space = ParamSpace::new();
        let hidden = space.push_symmetry(Symmetry { name: "hidden".into(), units: 3 });
        space.push(Leaf::new("w1", &[3, 2], Role::Weight).permuted_by(0, hidden));
        space.push(Leaf::new("b1", &[3], Role::Bias).permuted_by(0, hidden));
        space.push(Leaf::new("w2", &[2, 3], Role::Weight).permuted_by(1, hidden));
        space
    }

    #[test]
    fn leaves_lie_one_after_another() {
        let space = space();
        assert_eq!(space.dimension(), 15);
        assert_eq!(space.leaf("w2").unwrap().range(), 9..15);
    }

    #[test]
    fn permuting_hidden_units_moves_rows_and_columns_alike() {
        let theta: Vec<i32> = (0..15).collect();
        let moved = space().permuted(&theta, 0, &[2, 0, 1]);
        assert_eq!(moved, [4, 5, 0, 1, 2, 3, 8, 6, 7, 11, 9, 10, 14, 12, 13]);
    }

    #[test]
    fn units_of_stacked_arrays_move_in_each_of_them() {
        let mut space = ParamSpace::new();
        let hidden = space.push_symmetry(Symmetry { name: "hidden".into(), units: 2 });
        let gates = Leaf::new("weight_hh", &[4, 2], Role::Weight).stacked(2);
        space.push(gates.permuted_by(0, hidden).permuted_by(1, hidden));
        space.push(Leaf::new("heads", &[8], Role::Bias).stacked(2).permuted_by(0, hidden));
        let theta: Vec<i32> = (0..16).collect();
        let moved = space.permuted(&theta, 0, &[1, 0]);
        assert_eq!(moved, [3, 2, 1, 0, 7, 6, 5, 4, 10, 11, 8, 9, 14, 15, 12, 13]);
    }

    #[test]
    #[should_panic(expected = "axis 0 of leaf \"w\", [6] of 2 stacked, runs over 2 units")]
    fn units_that_do_not_divide_an_axis_are_refused() {
        let mut space = ParamSpace::new();
        let hidden = space.push_symmetry(Symmetry { name: "hidden".into(), units: 2 });
        space.push(Leaf::new("w", &[6], Role::Bias).stacked(2).permuted_by(0, hidden));
    }

    #[test]
    fn units_that_were_flattened_move_in_blocks() {
        let mut space = ParamSpace::new();
        let channels = space.push_symmetry(Symmetry { name: "channels".into(), units: 2 });
        space.push(Leaf::new("conv", &[2, 1, 1, 2], Role::Weight).permuted_by(0, channels));
        space.push(Leaf::new("fc", &[2, 6], Role::Weight).permuted_by(1, channels));
        let theta: Vec<i32> = (0..16).collect();
        let moved = space.permuted(&theta, 0, &[1, 0]);
        assert_eq!(moved, [2, 3, 0, 1, 7, 8, 9, 4, 5, 6, 13, 14, 15, 10, 11, 12]);
    }
}
