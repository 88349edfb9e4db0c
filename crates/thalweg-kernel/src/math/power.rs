//! xʸ in single precision, by way of double: 2^(y·log₂ x) would lose |y·log₂ x| ulp otherwise.

use super::Float;
use crate::simd::Isa;

/// log₂ x of a positive finite single in double precision, to 10⁻¹³; −∞ at 0, +∞ at +∞.
#[inline(always)]
fn log2<I: Isa>(x: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    // No subnormals here: those of single precision are normal in double.
    let bits = x.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF));
    // The biased exponent under the exponent of 2⁵² is an exact conversion that every vector unit has.
    let k = f64::from_bits((bits >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let mut p = 0.166_231_165_842_834_7;
    p = p.mul_add_fast::<I>(z, 0.181_401_077_565_623_04);
    p = p.mul_add_fast::<I>(z, 0.222_228_642_493_749_18);
    p = p.mul_add_fast::<I>(z, 0.285_714_241_202_208_3);
    p = p.mul_add_fast::<I>(z, 0.400_000_000_112_635_4);
    p = p.mul_add_fast::<I>(z, 0.666_666_666_666_620_6);
    let log = (s * z).mul_add_fast::<I>(p, 2.0 * s);
    let log = log.mul_add_fast::<I>(std::f64::consts::LOG2_E, k);
    let log = if x == 0.0 { f64::NEG_INFINITY } else { log };
    if x < f64::INFINITY { log } else { x }
}

/// 2ᵗ to 4·10⁻¹¹, as far as a single can tell: beyond ±200 it stays there.
#[inline(always)]
fn exp2<I: Isa>(t: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5·2⁵²
    let t = if t > 200.0 { 200.0 } else { t };
    let t = if t < -200.0 { -200.0 } else { t };
    let shifted = t + ROUND;
    let r = t - (shifted - ROUND);
    let mut p = 1.530_370_071_136_569_4e-5;
    p = p.mul_add_fast::<I>(r, 1.546_972_921_411_829_7e-4);
    p = p.mul_add_fast::<I>(r, 1.333_347_847_368_541_5e-3);
    p = p.mul_add_fast::<I>(r, 9.618_025_613_318_034e-3);
    p = p.mul_add_fast::<I>(r, 5.550_410_906_325_866_6e-2);
    p = p.mul_add_fast::<I>(r, 0.240_226_512_134_980_93);
    p = p.mul_add_fast::<I>(r, 0.693_147_180_556_832_4);
    p = p.mul_add_fast::<I>(r, 0.999_999_999_959_561_8);
    p * f64::from_bits((shifted.to_bits() << 52).wrapping_add(0x3ff0_0000_0000_0000))
}

/// xʸ with the limits of IEEE 754's `pow`: x⁰ = 1ʸ = 1 even for NaN; NaN for negative x and y no integer.
#[inline(always)]
pub(super) fn power<I: Isa>(x: f32, y: f32) -> f32 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let (wide, exponent) = (f64::from(x.abs()), f64::from(y));
    let size = if wide == 1.0 { 1.0 } else { exp2::<I>(exponent * log2::<I>(wide)) } as f32;
    // Singles from 2²⁴ on are even integers, infinity included.
    let large = exponent.abs() >= 16_777_216.0;
    let whole = large | ((exponent + ROUND) - ROUND == exponent);
    let half = exponent * 0.5;
    let odd = whole & !large & ((half + ROUND) - ROUND != half);
    let negative = x.to_bits() >> 31 == 1;
    let signed = if negative & odd { -size } else { size };
    let value = if negative & !whole & (x != 0.0) & (wide < f64::INFINITY) { f32::NAN } else { signed };
    let value = if x.is_nan() | y.is_nan() { f32::NAN } else { value };
    if (y == 0.0) | (x == 1.0) { 1.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::power;
    use crate::simd::{Fused, Portable};

    #[test]
    fn agrees_with_double_precision() {
        let mut bits = 1u64;
        for _ in 0..2_000_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let x = f32::from_bits((bits >> 32) as u32);
            let y =
                ((bits >> 8) as u32 as f32 / 2f32.powi(31) - 1.0) * if bits & 64 == 0 { 3.0 } else { 150.0 };
            let y = if bits & 128 == 0 { y.round() } else { y };
            let truth = libm::pow(f64::from(x), f64::from(y));
            for found in [power::<Portable>(x, y), power::<Fused>(x, y)] {
                let rounded = truth as f32;
                let close = found == rounded
                    || (found.is_nan() && rounded.is_nan())
                    || (found.to_bits() as i32).abs_diff(rounded.to_bits() as i32) <= 1;
                assert!(close, "{x:e}^{y:e} = {found:e}, not {rounded:e}");
            }
        }
    }

    #[test]
    fn special_values_are_those_of_ieee_754() {
        let special = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            -0.5,
            2.0,
            -2.0,
            3.0,
            -3.0,
            2.5,
            1e30,
            -1e30,
            16_777_215.0,
            -16_777_217.0,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
            f32::MIN_POSITIVE,
            1e-45,
        ];
        for x in special {
            for y in special {
                let truth = libm::pow(f64::from(x), f64::from(y)) as f32;
                let found = power::<Fused>(x, y);
                // A neighbour's bits: signs, zeros and infinities have no other neighbours in this table.
                let same =
                    found.to_bits().abs_diff(truth.to_bits()) <= 1 || (found.is_nan() && truth.is_nan());
                assert!(same, "{x:e}^{y:e} = {found:e}, not {truth:e}");
            }
        }
    }
}
