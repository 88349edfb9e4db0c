//! The instructions of a fused tape, each one loop over a block.
#![expect(unsafe_code, reason = "slots point to blocks or dense tiles, checked when the plan was made")]

use super::chain::{Chain, First, Then};
use crate::Real;
use crate::call::{Binary, Unary};

use crate::simd::Isa;

/// An instruction with its operands placed: numbers of slots.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Unary(Unary, usize, usize),
    Binary(Binary, usize, usize, usize),
    Select(usize, usize, usize, usize),
    Chain(Chain, usize, usize, usize, usize),
}

/// Runs one instruction over `n` elements.
///
/// # Safety
/// Each slot that `op` names points to `n` elements, and no operand's overlap the result's.
#[inline(always)]
pub(crate) unsafe fn apply<I: Isa, T: Real>(op: Op, slots: &[*mut T], n: usize) {
    macro_rules! slot {
        ($i:expr) => {
            // SAFETY: the planner counted the slots.
            unsafe { *slots.get_unchecked($i) }
        };
    }
    match op {
        Op::Unary(f, to, a) => {
            let (to, a) = (slot!(to), slot!(a).cast_const());
            macro_rules! each {
                ($x:ident => $value:expr) => {
                    for i in 0..n {
                        // SAFETY: i < n.
                        unsafe {
                            let $x = *a.add(i);
                            *to.add(i) = $value;
                        }
                    }
                };
            }
            match f {
                Unary::Neg => each!(x => -x),
                Unary::Exp => each!(x => x.exponential::<I>()),
                Unary::Log => each!(x => x.logarithm::<I>()),
                Unary::Log1p => each!(x => x.logarithm_one_plus::<I>()),
                Unary::Tanh => each!(x => x.tangent_hyperbolic::<I>()),
                Unary::Erf => each!(x => x.error_function::<I>()),
                Unary::Logistic => each!(x => x.logistic::<I>()),
                Unary::Sqrt => each!(x => x.square_root()),
                Unary::Reciprocal | Unary::PowerInt(-1) => each!(x => T::ONE / x),
                Unary::Sin => {
                    each!(x => x.sine::<I>());
                    // SAFETY: as above.
                    unsafe { far(to, a, n, T::sine_far) };
                }
                Unary::Cos => {
                    each!(x => x.cosine::<I>());
                    // SAFETY: as above.
                    unsafe { far(to, a, n, T::cosine_far) };
                }
                Unary::Relu => each!(x => if x < T::ZERO { T::ZERO } else { x }),
                Unary::Step => each!(x => if x > T::ZERO { T::ONE } else { T::ZERO }),
                Unary::Abs => each!(x => x.magnitude()),
                Unary::PowerInt(0) => each!(_x => T::ONE),
                Unary::PowerInt(1) => each!(x => x),
                Unary::PowerInt(2) => each!(x => x * x),
                Unary::PowerInt(3) => each!(x => x * x * x),
                Unary::PowerInt(4) => each!(x => (x * x) * (x * x)),
                Unary::PowerInt(-2) => each!(x => T::ONE / (x * x)),
                Unary::PowerInt(exponent) => each!(x => power_int(x, exponent)),
            }
        }
        Op::Binary(f, to, a, b) => {
            let (to, a, b) = (slot!(to), slot!(a).cast_const(), slot!(b).cast_const());
            macro_rules! each {
                ($x:ident, $y:ident => $value:expr) => {
                    for i in 0..n {
                        // SAFETY: i < n.
                        unsafe {
                            let ($x, $y) = (*a.add(i), *b.add(i));
                            *to.add(i) = $value;
                        }
                    }
                };
            }
            match f {
                Binary::Add => each!(x, y => x + y),
                Binary::Sub => each!(x, y => x - y),
                Binary::Mul => each!(x, y => x * y),
                Binary::Div => each!(x, y => x / y),
                Binary::Maximum => each!(x, y => maximum(x, y)),
                Binary::Minimum => each!(x, y => minimum(x, y)),
                Binary::Power => each!(x, y => x.power::<I>(y)),
                Binary::Greater => each!(x, y => if x > y { T::ONE } else { T::ZERO }),
                Binary::Equal => each!(x, y => if x == y { T::ONE } else { T::ZERO }),
            }
        }
        Op::Chain(chain, to, a, b, c) => {
            let (to, a, b, c) =
                (slot!(to), slot!(a).cast_const(), slot!(b).cast_const(), slot!(c).cast_const());
            macro_rules! each {
                ($x:ident, $y:ident, $z:ident => $value:expr) => {
                    if chain.relu {
                        for i in 0..n {
                            // SAFETY: i < n.
                            unsafe {
                                let ($x, $y, $z) = (*a.add(i), *b.add(i), *c.add(i));
                                let value = $value;
                                *to.add(i) = if value < T::ZERO { T::ZERO } else { value };
                            }
                        }
                    } else {
                        for i in 0..n {
                            // SAFETY: i < n.
                            unsafe {
                                let ($x, $y, $z) = (*a.add(i), *b.add(i), *c.add(i));
                                *to.add(i) = $value;
                            }
                        }
                    }
                };
            }
            macro_rules! then {
                ($f:tt) => {
                    match chain.then {
                        Then::Nothing => each!(x, y, _z => x $f y),
                        Then::Add => each!(x, y, z => (x $f y) + z),
                        Then::Sub => each!(x, y, z => (x $f y) - z),
                        Then::From => each!(x, y, z => z - (x $f y)),
                        Then::Mul => each!(x, y, z => (x $f y) * z),
                    }
                };
            }
            match chain.first {
                First::Add => then!(+),
                First::Sub => then!(-),
                First::Mul => then!(*),
            }
        }
        Op::Select(to, c, a, b) => {
            let (to, c, a, b) = (slot!(to), slot!(c), slot!(a), slot!(b));
            for i in 0..n {
                // SAFETY: i < n. Both values are read first, so that the choice needs no branch.
                unsafe {
                    let (yes, no) = (*a.add(i), *b.add(i));
                    *to.add(i) = if *c.add(i) != T::ZERO { yes } else { no };
                }
            }
        }
    }
}

/// The larger; NaN if either is.
#[inline(always)]
pub(crate) fn maximum<T: Real>(x: T, y: T) -> T {
    #[expect(clippy::eq_op, reason = "only NaN differs from itself, and the comparison vectorises")]
    if (x > y) | (x != x) { x } else { y }
}

/// The smaller; NaN if either is.
#[inline(always)]
fn minimum<T: Real>(x: T, y: T) -> T {
    #[expect(clippy::eq_op, reason = "only NaN differs from itself, and the comparison vectorises")]
    if (x < y) | (x != x) { x } else { y }
}

/// xⁿ by squaring.
#[inline(always)]
fn power_int<T: Real>(x: T, exponent: i32) -> T {
    let (mut square, mut power, mut left) = (x, T::ONE, exponent.unsigned_abs());
    while left > 0 {
        if left & 1 == 1 {
            power = power * square;
        }
        square = square * square;
        left >>= 1;
    }
    if exponent < 0 { T::ONE / power } else { power }
}

/// Does again the angles that the vector code of sine and cosine is not made for.
///
/// # Safety
/// Both point to `n` elements.
#[inline(always)]
unsafe fn far<T: Real>(to: *mut T, a: *const T, n: usize, f: fn(T) -> T) {
    let mut any = false;
    for i in 0..n {
        // SAFETY: i < n.
        any |= unsafe { (*a.add(i)).is_far() };
    }
    if any {
        for i in 0..n {
            // SAFETY: i < n.
            unsafe {
                if (*a.add(i)).is_far() {
                    *to.add(i) = f(*a.add(i));
                }
            }
        }
    }
}
