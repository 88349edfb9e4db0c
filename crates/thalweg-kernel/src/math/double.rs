//! Double precision: the functions of the `libm` crate.

use super::Float;
use crate::simd::Isa;

impl Float for f64 {
    const NAN: Self = f64::NAN;
    const NEG_INFINITY: Self = f64::NEG_INFINITY;

    #[inline(always)]
    fn mul_add_fast<I: Isa>(self, b: Self, c: Self) -> Self {
        if I::FMA { self.mul_add(b, c) } else { self * b + c }
    }
    #[inline(always)]
    fn magnitude(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn square_root(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn exponential<I: Isa>(self) -> Self {
        libm::exp(self)
    }
    #[inline(always)]
    fn logarithm<I: Isa>(self) -> Self {
        libm::log(self)
    }
    #[inline(always)]
    fn logarithm_one_plus<I: Isa>(self) -> Self {
        libm::log1p(self)
    }
    #[inline(always)]
    fn tangent_hyperbolic<I: Isa>(self) -> Self {
        libm::tanh(self)
    }
    #[inline(always)]
    fn error_function<I: Isa>(self) -> Self {
        libm::erf(self)
    }
    #[inline(always)]
    fn logistic<I: Isa>(self) -> Self {
        let e = libm::exp(-self.abs());
        (if self < 0.0 { e } else { 1.0 }) / (1.0 + e)
    }
    #[inline(always)]
    fn sine<I: Isa>(self) -> Self {
        libm::sin(self)
    }
    #[inline(always)]
    fn cosine<I: Isa>(self) -> Self {
        libm::cos(self)
    }
    #[inline(always)]
    fn is_far(self) -> bool {
        false
    }
    #[inline(always)]
    fn sine_far(self) -> Self {
        libm::sin(self)
    }
    #[inline(always)]
    fn cosine_far(self) -> Self {
        libm::cos(self)
    }
    #[inline(always)]
    fn power<I: Isa>(self, y: Self) -> Self {
        libm::pow(self, y)
    }
}
