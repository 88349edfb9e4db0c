//! Square blocks of a matrix, transposed in vector registers.
#![expect(unsafe_code, reason = "vector loads and stores through pointers; the caller checked the views")]

use std::arch::x86_64::{
    __m256, __m512, _mm256_loadu_pd, _mm256_loadu_ps, _mm256_permute2f128_pd, _mm256_permute2f128_ps,
    _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_storeu_pd, _mm256_storeu_ps, _mm256_unpackhi_pd,
    _mm256_unpackhi_ps, _mm256_unpacklo_pd, _mm256_unpacklo_ps, _mm512_loadu_pd, _mm512_loadu_ps,
    _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_shuffle_f64x2, _mm512_shuffle_ps, _mm512_storeu_pd,
    _mm512_storeu_ps, _mm512_unpackhi_pd, _mm512_unpackhi_ps, _mm512_unpacklo_pd, _mm512_unpacklo_ps,
};

/// The elements `x[0], x[1], y[0], y[1]` of each quarter; the other half of them.
const LOW: i32 = 0b01_00_01_00;
const HIGH: i32 = 0b11_10_11_10;
/// The even quarters of both operands; the odd ones.
const EVEN: i32 = 0b10_00_10_00;
const ODD: i32 = 0b11_01_11_01;

/// 16 rows of 16 elements, `from_row` apart, as 16 columns of the destination, whose rows are `to_row` apart.
///
/// # Safety
/// The machine has AVX-512, and all elements are there.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn block_16(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    let mut x = [_mm512_setzero_ps(); 16];
    for (i, x) in x.iter_mut().enumerate() {
        // SAFETY: by contract.
        *x = unsafe { _mm512_loadu_ps(from.add(i * from_row)) };
    }
    // Pairs of rows, then fours: y[4i + j] holds column j, 4 + j, 8 + j and 12 + j of rows 4i … 4i + 3.
    let mut y = [_mm512_setzero_ps(); 16];
    for i in 0..4 {
        let [a, b, c, d]: [__m512; 4] = std::array::from_fn(|j| x[4 * i + j]);
        let (ab, cd) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
        let (ab_high, cd_high) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
        y[4 * i] = _mm512_shuffle_ps::<LOW>(ab, cd);
        y[4 * i + 1] = _mm512_shuffle_ps::<HIGH>(ab, cd);
        y[4 * i + 2] = _mm512_shuffle_ps::<LOW>(ab_high, cd_high);
        y[4 * i + 3] = _mm512_shuffle_ps::<HIGH>(ab_high, cd_high);
    }
    for j in 0..4 {
        let (low, high) = ([y[j], y[4 + j]], [y[8 + j], y[12 + j]]);
        let even = [low, high].map(|[a, b]| _mm512_shuffle_f32x4::<EVEN>(a, b));
        let odd = [low, high].map(|[a, b]| _mm512_shuffle_f32x4::<ODD>(a, b));
        // SAFETY: by contract.
        unsafe {
            _mm512_storeu_ps(to.add(j * to_row), _mm512_shuffle_f32x4::<EVEN>(even[0], even[1]));
            _mm512_storeu_ps(to.add((4 + j) * to_row), _mm512_shuffle_f32x4::<EVEN>(odd[0], odd[1]));
            _mm512_storeu_ps(to.add((8 + j) * to_row), _mm512_shuffle_f32x4::<ODD>(even[0], even[1]));
            _mm512_storeu_ps(to.add((12 + j) * to_row), _mm512_shuffle_f32x4::<ODD>(odd[0], odd[1]));
        }
    }
}

/// 8 rows of 8 elements, as [`block_16`].
///
/// # Safety
/// The machine has AVX2, and all elements are there.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn block_8(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    let mut x = [_mm256_setzero_ps(); 8];
    for (i, x) in x.iter_mut().enumerate() {
        // SAFETY: by contract.
        *x = unsafe { _mm256_loadu_ps(from.add(i * from_row)) };
    }
    // y[4i + j] holds columns j and 4 + j of rows 4i … 4i + 3.
    let mut y = [_mm256_setzero_ps(); 8];
    for i in 0..2 {
        let [a, b, c, d]: [__m256; 4] = std::array::from_fn(|j| x[4 * i + j]);
        let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
        let (ab_high, cd_high) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
        y[4 * i] = _mm256_shuffle_ps::<LOW>(ab, cd);
        y[4 * i + 1] = _mm256_shuffle_ps::<HIGH>(ab, cd);
        y[4 * i + 2] = _mm256_shuffle_ps::<LOW>(ab_high, cd_high);
        y[4 * i + 3] = _mm256_shuffle_ps::<HIGH>(ab_high, cd_high);
    }
    for j in 0..4 {
        let (low, high) = (y[j], y[4 + j]);
        // SAFETY: by contract.
        unsafe {
            _mm256_storeu_ps(to.add(j * to_row), _mm256_permute2f128_ps::<0x20>(low, high));
            _mm256_storeu_ps(to.add((4 + j) * to_row), _mm256_permute2f128_ps::<0x31>(low, high));
        }
    }
}

/// 8 rows of 8 elements of double precision, as [`block_16`].
///
/// # Safety
/// The machine has AVX-512, and all elements are there.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn block_8_double(from: *const f64, from_row: usize, to: *mut f64, to_row: usize) {
    // SAFETY (all blocks): by contract.
    let x: [_; 8] = std::array::from_fn(|i| unsafe { _mm512_loadu_pd(from.add(i * from_row)) });
    // Quarter q of y[i] holds column 2q, or 2q + 1, of rows 2i and 2i + 1.
    for (odd, y) in [
        std::array::from_fn(|i| _mm512_unpacklo_pd(x[2 * i], x[2 * i + 1])),
        std::array::from_fn::<_, 4, _>(|i| _mm512_unpackhi_pd(x[2 * i], x[2 * i + 1])),
    ]
    .into_iter()
    .enumerate()
    {
        let evens = [0, 2].map(|i| _mm512_shuffle_f64x2::<EVEN>(y[i], y[i + 1]));
        let odds = [0, 2].map(|i| _mm512_shuffle_f64x2::<ODD>(y[i], y[i + 1]));
        unsafe {
            let column = |q: usize| to.add((2 * q + odd) * to_row);
            _mm512_storeu_pd(column(0), _mm512_shuffle_f64x2::<EVEN>(evens[0], evens[1]));
            _mm512_storeu_pd(column(1), _mm512_shuffle_f64x2::<EVEN>(odds[0], odds[1]));
            _mm512_storeu_pd(column(2), _mm512_shuffle_f64x2::<ODD>(evens[0], evens[1]));
            _mm512_storeu_pd(column(3), _mm512_shuffle_f64x2::<ODD>(odds[0], odds[1]));
        }
    }
}

/// 4 rows of 4 elements of double precision, as [`block_16`].
///
/// # Safety
/// The machine has AVX2, and all elements are there.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn block_4_double(from: *const f64, from_row: usize, to: *mut f64, to_row: usize) {
    // SAFETY (all blocks): by contract.
    let x: [_; 4] = std::array::from_fn(|i| unsafe { _mm256_loadu_pd(from.add(i * from_row)) });
    let even = [0, 2].map(|i| _mm256_unpacklo_pd(x[i], x[i + 1]));
    let odd = [0, 2].map(|i| _mm256_unpackhi_pd(x[i], x[i + 1]));
    for (j, [low, high]) in [even, odd].into_iter().enumerate() {
        unsafe {
            _mm256_storeu_pd(to.add(j * to_row), _mm256_permute2f128_pd::<0x20>(low, high));
            _mm256_storeu_pd(to.add((2 + j) * to_row), _mm256_permute2f128_pd::<0x31>(low, high));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{block_4_double, block_8, block_8_double, block_16};
    use crate::Real;
    use crate::simd::Level;

    type Block<T> = unsafe fn(*const T, usize, *mut T, usize);

    fn check<T: Real>(side: usize, block: Block<T>) {
        let from: Vec<T> = (0..16 * 20).map(|i| T::from_f64(f64::from(i))).collect();
        let mut to = vec![T::ZERO; 16 * 18];
        // SAFETY: the level is there; 16 rows of 20 and of 18.
        unsafe { block(from.as_ptr(), 20, to.as_mut_ptr(), 18) };
        for i in 0..side {
            for j in 0..side {
                assert!(to[i * 18 + j] == from[j * 20 + i], "{} {side} {i} {j}", T::NAME);
            }
        }
    }

    #[test]
    fn blocks_are_transposed() {
        for level in Level::available() {
            match level {
                Level::Avx512 => {
                    check::<f32>(16, block_16);
                    check::<f64>(8, block_8_double);
                }
                Level::Avx2 => {
                    check::<f32>(8, block_8);
                    check::<f64>(4, block_4_double);
                }
                Level::Portable => {}
            }
        }
    }
}
