//! The list of primitives: an op is one of them with its static parameters.

use thalweg_kernel::{Binary, Unary};

use crate::prim::{
    AsIndex, Broadcast, Concatenate, Constant, Contract, Convolve, Gather, Input, Iota, MaxIndex, OneHot,
    Pad, Permute, Primitive, Psum, Reduce, Reshape, ScatterAdd, Select, Slice, StopGradient, Uniform,
};

macro_rules! primitives {
    ($($(#[$doc:meta])* $name:ident($kind:ty)),+ $(,)?) => {
        /// A primitive with its static parameters.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Op {
            $($(#[$doc])* $name($kind)),+
        }

        impl std::ops::Deref for Op {
            type Target = dyn Primitive;

            fn deref(&self) -> &Self::Target {
                match self {
                    $(Self::$name(primitive) => primitive),+
                }
            }
        }

        $(impl From<$kind> for Op {
            fn from(primitive: $kind) -> Self {
                Self::$name(primitive)
            }
        })+
    };
}

primitives! {
    /// An argument of the program.
    Input(Input),
    /// One number everywhere.
    Constant(Constant),
    /// 0, 1, 2, …
    Iota(Iota),
    /// Uniform numbers from keys.
    Uniform(Uniform),
    /// A function of one number, element by element.
    Unary(Unary),
    /// A function of two numbers, element by element.
    Binary(Binary),
    /// A choice between two numbers, element by element.
    Select(Select),
    /// New axes along which everything repeats.
    Broadcast(Broadcast),
    /// The same elements in row-major order under another shape.
    Reshape(Reshape),
    /// Axes in another order.
    Permute(Permute),
    /// Every so-many-th element of a range of one axis.
    Slice(Slice),
    /// Zeros before, between and after the elements along one axis.
    Pad(Pad),
    /// Arrays end to end along one axis.
    Concatenate(Concatenate),
    /// A sum or maximum over axes.
    Reduce(Reduce),
    /// A sum of products over shared axes: matrix products of any batch.
    Contract(Contract),
    /// A sum of products over shared axes and over windows: convolutions.
    Convolve(Convolve),
    /// A sum over evaluations that run together.
    Psum(Psum),
    /// Where each window has its largest element.
    MaxIndex(MaxIndex),
    /// Whole numbers as indices.
    AsIndex(AsIndex),
    /// Indices to unit vectors.
    OneHot(OneHot),
    /// Rows of a table by index.
    Gather(Gather),
    /// The adjoint of gather.
    ScatterAdd(ScatterAdd),
    /// The identity, whose derivative is declared to be zero.
    StopGradient(StopGradient),
}
