//! Single precision, without branches.
//!
//! Each function reduces its argument exactly (Cody & Waite 1980), evaluates a polynomial fitted at Chebyshev nodes
//! with 40 digits, and puts the pieces together so that special values fall out of the arithmetic or of selections.
//! Bounds in units in the last place (ulp), measured over the whole range by the tests below against double
//! precision: exp, log, sin, cos, erf 2; tanh, logistic 3; pow 1.

use super::{Float, power};
use crate::simd::Isa;

/// Adding it leaves the nearest integer in the low bits of the sum.
const ROUND: f32 = 12_582_912.0; // 1.5·2²³
/// ln 2 in two parts; the first has 9 bits, so that its product with an exponent is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

#[inline(always)]
fn fma<I: Isa>(a: f32, b: f32, c: f32) -> f32 {
    a.mul_add_fast::<I>(b, c)
}

/// x = n·ln 2 + r with |r| ≤ (ln 2)/2, for |x| < 10⁵: n as an integer, and eʳ − 1.
#[inline(always)]
fn reduced_exponential<I: Isa>(x: f32) -> (i32, f32) {
    let shifted = fma::<I>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = fma::<I>(n, -LN_2_LOW, fma::<I>(n, -LN_2_HIGH, x));
    // (eʳ − 1 − r)/r², to 1.4e-9.
    let mut p = 1.989_108_1e-4;
    p = fma::<I>(p, r, 1.393_373_1e-3);
    p = fma::<I>(p, r, 8.333_311e-3);
    p = fma::<I>(p, r, 4.166_646_4e-2);
    p = fma::<I>(p, r, 0.166_666_67);
    p = fma::<I>(p, r, 0.5);
    ((shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32), fma::<I>(p, r * r, r))
}

/// 2ⁿ for −126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// eˣ − 1 for 0 ≤ x < 88, with a small relative error also near 0.
#[inline(always)]
fn exponential_minus_one<I: Isa>(x: f32) -> f32 {
    let (n, p) = reduced_exponential::<I>(x);
    let scale = power_of_two(n);
    fma::<I>(scale, p, scale - 1.0)
}

impl Float for f32 {
    const NAN: Self = f32::NAN;
    const NEG_INFINITY: Self = f32::NEG_INFINITY;

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
        // e^89 overflows and e^−104 is below half the least subnormal; comparisons let NaN through.
        let x = if self > 89.0 { 89.0 } else { self };
        let x = if x < -104.0 { -104.0 } else { x };
        let (n, p) = reduced_exponential::<I>(x);
        // In two steps: 2ⁿ alone may overflow or be subnormal. Only the second product rounds.
        let half = n >> 1;
        let first = power_of_two(half);
        fma::<I>(first, p, first) * power_of_two(n.wrapping_sub(half))
    }

    #[inline(always)]
    fn logarithm<I: Isa>(self) -> Self {
        let tiny = self < f32::MIN_POSITIVE;
        let x = if tiny { self * 8_388_608.0 } else { self };
        // x = 2ᵏ·m with m in [√½, √2): 0x3f3504f3 is √½.
        let bits = x.to_bits().wrapping_add(0x3f80_0000 - 0x3f35_04f3);
        let k = (bits >> 23) as i32 - 127;
        let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3));
        let k = k as f32 - if tiny { 23.0 } else { 0.0 };
        // ln(1 + f) = 2 artanh s, s = f/(2 + f); the polynomial is (2 artanh s − 2s)/s³ in s², to 1.2e-9.
        let f = m - 1.0;
        let s = f / (2.0 + f);
        let z = s * s;
        let mut p = 0.233_316_14;
        p = fma::<I>(p, z, 0.285_507_8);
        p = fma::<I>(p, z, 0.400_001_23);
        p = fma::<I>(p, z, 0.666_666_7);
        // 2s = f − s·f, and s·f = f²/2 − s·f²/2: the large terms stay exact.
        let h = 0.5 * f * f;
        let log = fma::<I>(k, LN_2_HIGH, f - (h - fma::<I>(s, fma::<I>(z, p, h), k * LN_2_LOW)));
        let log = if self == 0.0 { f32::NEG_INFINITY } else { log };
        let log = if self < 0.0 { f32::NAN } else { log };
        if self < f32::INFINITY { log } else { self }
    }

    #[inline(always)]
    fn logarithm_one_plus<I: Isa>(self) -> Self {
        // 1 + x rounds to u; what rounding took away is put back to first order, which is enough.
        let u = 1.0 + self;
        let lost = self - (u - 1.0);
        let log = u.logarithm::<I>() + lost / u;
        // At −1, at ∞ and for x so large that 1 + x is x, nothing was lost.
        let log = if u == 0.0 { f32::NEG_INFINITY } else { log };
        let log = if u < f32::INFINITY { log } else { u };
        if self == 0.0 { self } else { log }
    }

    #[inline(always)]
    fn tangent_hyperbolic<I: Isa>(self) -> Self {
        // tanh x rounds to 1 from 9.02 on.
        let x = self.abs();
        let x = if x > 10.0 { 10.0 } else { x };
        let e = exponential_minus_one::<I>(2.0 * x);
        (e / (e + 2.0)).copysign(self)
    }

    #[inline(always)]
    fn error_function<I: Isa>(self) -> Self {
        let x = self.abs();
        // erf x rounds to 1 from 3.92 on.
        let x = if x > 4.0 { 4.0 } else { x };
        // Near 0: x + x·p(x²).
        let z = x * x;
        let mut near = 8.529_401e-5;
        near = fma::<I>(near, z, -8.179_633e-4);
        near = fma::<I>(near, z, 5.204_227e-3);
        near = fma::<I>(near, z, -2.686_066_5e-2);
        near = fma::<I>(near, z, 0.112_837_18);
        near = fma::<I>(near, z, -0.376_126_35);
        near = fma::<I>(near, z, 0.128_379_17);
        near = fma::<I>(near, x, x);
        // Far from it: 1 − exp(ln erfc x), the logarithm being a polynomial on [.9, 4].
        let mut far = -4.453_888e-8;
        far = fma::<I>(far, x, 2.594_339_3e-6);
        far = fma::<I>(far, x, -5.493_617e-5);
        far = fma::<I>(far, x, 6.433_165e-4);
        far = fma::<I>(far, x, -4.910_78e-3);
        far = fma::<I>(far, x, 2.673_623_4e-2);
        far = fma::<I>(far, x, -0.110_499_57);
        far = fma::<I>(far, x, -0.631_483_5);
        far = fma::<I>(far, x, -1.130_388_4);
        far = fma::<I>(far, x, 3.495_821e-4);
        let far = 1.0 - far.exponential::<I>();
        (if x < 0.9 { near } else { far }).copysign(self)
    }

    #[inline(always)]
    fn logistic<I: Isa>(self) -> Self {
        // With e^−|x| nothing overflows and the left tail keeps its relative accuracy.
        let e = (-self.abs()).exponential::<I>();
        (if self < 0.0 { e } else { 1.0 }) / (1.0 + e)
    }

    #[inline(always)]
    fn sine<I: Isa>(self) -> Self {
        trigonometric::<I>(self, 0)
    }

    #[inline(always)]
    fn cosine<I: Isa>(self) -> Self {
        trigonometric::<I>(self, 1)
    }

    #[inline(always)]
    fn is_far(self) -> bool {
        self.abs() > 131_072.0
    }

    #[inline(always)]
    fn sine_far(self) -> Self {
        libm::sinf(self)
    }

    #[inline(always)]
    fn cosine_far(self) -> Self {
        libm::cosf(self)
    }

    #[inline(always)]
    fn power<I: Isa>(self, y: Self) -> Self {
        power::power::<I>(self, y)
    }
}

/// sin(x + quarter·π/2) for |x| ≤ 2¹⁷. The angle is reduced in double precision, where two parts of π/2 suffice.
#[inline(always)]
fn trigonometric<I: Isa>(x: f32, quarter: u64) -> f32 {
    const ROUND_DOUBLE: f64 = 6_755_399_441_055_744.0; // 1.5·2⁵²
    const HALF_PI_HIGH: f64 = 1.570_796_326_734_125_6; // 33 bits: exact times an integer below 2²⁰
    const HALF_PI_LOW: f64 = 6.077_100_506_506_192e-11;
    let wide = f64::from(x);
    let shifted = wide * std::f64::consts::FRAC_2_PI + ROUND_DOUBLE;
    let n = shifted - ROUND_DOUBLE;
    let r = ((wide - n * HALF_PI_HIGH) - n * HALF_PI_LOW) as f32;
    let quadrant = shifted.to_bits().wrapping_add(quarter) as u32;
    let z = r * r;
    // (sin r − r)/r³ to 2.8e-11 and (cos r − 1 + r²/2)/r⁴ to 2e-9.
    let mut sin = 2.724_962e-6;
    sin = fma::<I>(sin, z, -1.984_008_4e-4);
    sin = fma::<I>(sin, z, 8.333_332e-3);
    sin = fma::<I>(sin, z, -0.166_666_67);
    let sin = fma::<I>(sin, z * r, r);
    let mut cos = 2.454_769e-5;
    cos = fma::<I>(cos, z, -1.388_830_2e-3);
    cos = fma::<I>(cos, z, 4.166_666_5e-2);
    let cos = fma::<I>(cos, z * z, fma::<I>(z, -0.5, 1.0));
    let value = if quadrant & 1 == 0 { sin } else { cos };
    f32::from_bits(value.to_bits() ^ ((quadrant & 2) << 30))
}

#[cfg(test)]
mod tests {
    use crate::math::Float;
    use crate::simd::{Fused, Portable};

    /// The distance of `found` from the true value, in units in the last place of the nearest single.
    pub(super) fn ulps(found: f32, truth: f64) -> f64 {
        let rounded = truth as f32;
        if found.is_nan() || rounded.is_nan() || rounded.is_infinite() || found.is_infinite() {
            let same = found.to_bits() == rounded.to_bits() || (found.is_nan() && rounded.is_nan());
            return if same { 0.0 } else { f64::INFINITY };
        }
        let magnitude = rounded.abs().max(f32::MIN_POSITIVE);
        let unit = f64::from(f32::from_bits(magnitude.to_bits() + 1)) - f64::from(magnitude);
        (f64::from(found) - truth).abs() / unit
    }

    /// Four million numbers evenly over all bit patterns, and the special ones.
    fn everywhere() -> impl Iterator<Item = f32> {
        let special =
            [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MIN_POSITIVE, f32::MAX, 1.0, -1.0];
        (0..=u32::MAX).step_by(1021).map(f32::from_bits).chain(special)
    }

    fn within(bound: f64, f: impl Fn(f32) -> [f32; 2], truth: impl Fn(f64) -> f64) {
        let mut worst = (0.0, 0.0);
        for x in everywhere() {
            for y in f(x) {
                let distance = ulps(y, truth(f64::from(x)));
                if distance > worst.0 {
                    worst = (distance, x);
                }
            }
        }
        assert!(worst.0 <= bound, "{} ulp at {:e}: {:?}", worst.0, worst.1, f(worst.1));
        assert!(worst.0 > 0.3, "suspiciously exact: {}", worst.0);
    }

    #[test]
    fn exponential() {
        within(2.0, |x| [x.exponential::<Portable>(), x.exponential::<Fused>()], libm::exp);
    }

    #[test]
    fn logarithm() {
        within(2.0, |x| [x.logarithm::<Portable>(), x.logarithm::<Fused>()], libm::log);
        assert_eq!(0f32.logarithm::<Fused>(), f32::NEG_INFINITY);
        assert_eq!((-0f32).logarithm::<Fused>(), f32::NEG_INFINITY);
        assert!((-1f32).logarithm::<Fused>().is_nan());
    }

    #[test]
    fn logarithm_of_one_plus() {
        within(3.0, |x| [x.logarithm_one_plus::<Portable>(), x.logarithm_one_plus::<Fused>()], libm::log1p);
        let log1p = |x: f32| x.logarithm_one_plus::<Fused>();
        assert_eq!(log1p(-1.0), f32::NEG_INFINITY);
        assert_eq!(log1p(f32::INFINITY), f32::INFINITY);
        assert_eq!(log1p(f32::MAX), f32::MAX.ln());
        assert_eq!(log1p(-0.0).to_bits(), (-0f32).to_bits());
        assert!(log1p(-1.5).is_nan() && log1p(f32::NAN).is_nan());
        // From the smallest number up to where 1 + x is x.
        for i in -1490..320 {
            let x = 2f64.powf(f64::from(i) * 0.1) as f32;
            assert!(ulps(log1p(x), libm::log1p(f64::from(x))) < 3.0, "{x}");
        }
    }

    #[test]
    fn hyperbolic_tangent() {
        within(3.0, |x| [x.tangent_hyperbolic::<Portable>(), x.tangent_hyperbolic::<Fused>()], libm::tanh);
        assert_eq!((-0f32).tangent_hyperbolic::<Fused>().to_bits(), (-0f32).to_bits());
    }

    #[test]
    fn error_function() {
        within(2.0, |x| [x.error_function::<Portable>(), x.error_function::<Fused>()], libm::erf);
    }

    #[test]
    fn logistic() {
        let truth =
            |x: f64| if x < 0.0 { libm::exp(x) / (1.0 + libm::exp(x)) } else { 1.0 / (1.0 + libm::exp(-x)) };
        within(3.0, |x| [x.logistic::<Portable>(), x.logistic::<Fused>()], truth);
    }

    #[test]
    fn sine_and_cosine() {
        let near = |x: f32| if x.is_far() { x.sine_far() } else { x.sine::<Fused>() };
        within(2.0, |x| [if x.is_far() { x.sine_far() } else { x.sine::<Portable>() }, near(x)], libm::sin);
        let near = |x: f32| if x.is_far() { x.cosine_far() } else { x.cosine::<Fused>() };
        within(
            2.0,
            |x| [if x.is_far() { x.cosine_far() } else { x.cosine::<Portable>() }, near(x)],
            libm::cos,
        );
        // Close to the zeros: multiples of π/2 rounded to single precision.
        for n in 1..40_000 {
            let x = (f64::from(n) * std::f64::consts::FRAC_PI_2) as f32;
            assert!(ulps(x.sine::<Fused>(), libm::sin(f64::from(x))) < 2.0);
            assert!(ulps(x.cosine::<Fused>(), libm::cos(f64::from(x))) < 2.0);
        }
    }
}
