//! Differentiable programs as values: the IR, its primitives, transforms to any order, and the compiler.
pub mod params;
