//! Matrix products against sums of products, whichever way their strides run, and level against level.
#![expect(unsafe_code, reason = "the products take pointers, here into vectors of the right length")]

use crate::Key;
use crate::Real;
use crate::cpu::products::{Factor, Product, Term, multiply, workspace};
use crate::simd::Level;

const SIZES: [[usize; 2]; 10] =
    [[1, 1], [4, 7], [15, 31], [16, 5], [24, 50], [64, 12], [65, 60], [130, 9], [191, 49], [400, 3]];
const DEPTHS: [usize; 6] = [1, 3, 33, 128, 129, 300];

/// Small whole numbers, of which every order of summation gives the exact result, or any.
fn draws<T: Real>(size: usize, name: &str, whole: bool) -> Vec<T> {
    let mut values = vec![0.0; size];
    Key::from_seed(5).named(name).uniforms(&mut values);
    values.iter().map(|u| T::from_f64(if whole { (u * 9.0).floor() - 4.0 } else { u - 0.5 })).collect()
}

struct Case<T> {
    size: [usize; 3],
    lanes: [usize; 2],
    rows: [usize; 2],
    out: [usize; 2],
    adds: bool,
    l: Vec<T>,
    r: Vec<T>,
    begun: Vec<T>,
}

impl<T: Real> Case<T> {
    /// L `[m, k]` and R `[n, k]`, each with k or its own axis innermost, with gaps between the rows.
    fn new(size: [usize; 3], flags: usize, whole: bool) -> Self {
        let [m, n, k] = size;
        let [lanes_inner, rows_inner, out_lanes_inner, adds] = [1, 2, 4, 8].map(|flag| flags & flag != 0);
        Self {
            size,
            lanes: if lanes_inner { [1, m + 3] } else { [k + 3, 1] },
            rows: if rows_inner { [1, n + 2] } else { [k + 1, 1] },
            out: if out_lanes_inner { [1, m + 1] } else { [n + 1, 1] },
            adds,
            l: draws((m + 3) * (k + 3), "l", whole),
            r: draws((n + 2) * (k + 1), "r", whole),
            begun: draws((m + 1) * (n + 1), "out", whole),
        }
    }

    fn product(&self, level: Level) -> Vec<T> {
        let [m, n, k] = self.size;
        let mut out = self.begun.clone();
        let mut space = vec![T::from_f64(f64::NAN); workspace(n)];
        let factor =
            |x: &[T], extent, [along, step]: [usize; 2]| Factor { start: x.as_ptr(), extent, along, step };
        let (lanes, rows) = (factor(&self.l, m, self.lanes), factor(&self.r, n, self.rows));
        let to = Product { start: out.as_mut_ptr(), lanes: self.out[0], rows: self.out[1], adds: self.adds };
        // SAFETY: the level is there, and all slices were made for these strides.
        unsafe { multiply(level, &[Term { lanes, rows, depth: k }], to, space.as_mut_ptr()) };
        out
    }

    fn truth(&self) -> Vec<T> {
        let [m, n, k] = self.size;
        let mut out = self.begun.clone();
        for i in 0..m {
            for j in 0..n {
                let at = i * self.out[0] + j * self.out[1];
                let mut sum = if self.adds { self.begun[at] } else { T::ZERO };
                for s in 0..k {
                    let l = self.l[i * self.lanes[0] + s * self.lanes[1]];
                    sum += l * self.r[j * self.rows[0] + s * self.rows[1]];
                }
                out[at] = sum;
            }
        }
        out
    }
}

fn check<T: Real>() {
    for [m, n] in SIZES {
        for k in DEPTHS {
            for flags in 0..16 {
                let case = Case::<T>::new([m, n, k], flags, true);
                let truth = case.truth();
                for level in Level::available() {
                    assert!(case.product(level) == truth, "{level:?} m {m} n {n} k {k} {flags:b}");
                }
            }
        }
    }
}

#[test]
fn products_are_sums_of_products() {
    check::<f32>();
    check::<f64>();
}

fn agree<T: Real>() {
    let levels: Vec<Level> =
        Level::available().into_iter().filter(|&level| level != Level::Portable).collect();
    for [m, n] in SIZES {
        for flags in 0..16 {
            let case = Case::<T>::new([m, n, 200], flags, false);
            let bits = |level| case.product(level).iter().map(|x| x.to_f64().to_bits()).collect::<Vec<_>>();
            for pair in levels.windows(2) {
                assert_eq!(bits(pair[0]), bits(pair[1]), "{pair:?} m {m} n {n} {flags:b}");
            }
        }
    }
}

/// The sum goes up in k whatever the width of a vector.
#[test]
fn levels_with_fused_multiply_add_agree_to_the_bit() {
    agree::<f32>();
    agree::<f64>();
}
