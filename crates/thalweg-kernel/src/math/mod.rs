//! Elementary functions of the two precisions, with the same bits on every platform.
//!
//! The system's mathematical library is never called: its results differ between platforms and versions, and a
//! call a number forbids vector code. In single precision the functions are straight-line code without branches,
//! which LLVM vectorises inside the kernels' loops ([`single`]). In double precision, which this project verifies
//! with and does not run in, accuracy matters and speed does not: there the `libm` crate's scalar functions serve.

mod double;
mod power;
mod single;

use crate::simd::Isa;

/// What the kernels need of a number beyond arithmetic.
pub trait Float: Copy {
    /// Not a number.
    const NAN: Self;
    /// −∞, the largest of nothing.
    const NEG_INFINITY: Self;
    /// a·b + c, in one rounding where the instruction set has it.
    fn mul_add_fast<I: Isa>(self, b: Self, c: Self) -> Self;
    /// |x|
    fn magnitude(self) -> Self;
    /// √x, correctly rounded.
    fn square_root(self) -> Self;
    /// eˣ
    fn exponential<I: Isa>(self) -> Self;
    /// ln x
    fn logarithm<I: Isa>(self) -> Self;
    /// ln(1 + x)
    fn logarithm_one_plus<I: Isa>(self) -> Self;
    /// tanh x
    fn tangent_hyperbolic<I: Isa>(self) -> Self;
    /// erf x
    fn error_function<I: Isa>(self) -> Self;
    /// 1/(1 + e⁻ˣ)
    fn logistic<I: Isa>(self) -> Self;
    /// sin x where not [`Float::is_far`].
    fn sine<I: Isa>(self) -> Self;
    /// cos x where not [`Float::is_far`].
    fn cosine<I: Isa>(self) -> Self;
    /// Whether the angle is too large for the vector code of sine and cosine.
    fn is_far(self) -> bool;
    /// sin x, slow and right for every angle.
    fn sine_far(self) -> Self;
    /// cos x, slow and right for every angle.
    fn cosine_far(self) -> Self;
    /// xʸ
    fn power<I: Isa>(self, y: Self) -> Self;
}
