//! Differentiable programs as values: the IR, its primitives, transforms to any order, and the compiler.
pub mod builder;
pub mod compile;
pub mod evaluate;
pub mod ir;
pub mod params;
pub mod prim;
pub mod transform;
