//! Hidden units that may be reordered without changing the function.

/// A group of interchangeable hidden units: all of `units!` orders give the same network.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Symmetry {
    /// What the units are, such as `hidden 0`.
    pub name: String,
    /// How many units there are.
    pub units: usize,
}
