//! Which vector instructions the kernels run with, chosen once at run time.
//!
//! Kernels are plain loops that LLVM vectorises. They are generic over an [`Isa`] and marked `inline(always)`, so
//! that their bodies land inside one function per instruction set that enables its features; that function is
//! entered once a call, never once a loop. The losing design was explicit vector types: they write every kernel in
//! a second language, and for loops as simple as ours the compiler's code is the same.
//!
//! The levels with a fused multiply-add (AVX2, AVX-512, NEON) compute the same bits: no kernel of ours lets the
//! vector width decide the order of a sum. The portable level rounds products and sums separately.

#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "functions with target features may only run where the machine has them")
)]

use std::sync::OnceLock;

/// An instruction set as seen by a kernel.
pub trait Isa: Copy + 'static {
    /// Whether a·b + c in one rounding is one instruction. Where it is not, `mul_add` is a slow function call.
    const FMA: bool;
}

/// What the compiler's target offers without asking the machine.
#[derive(Clone, Copy)]
pub(crate) struct Portable;
impl Isa for Portable {
    const FMA: bool = false;
}

/// Fused multiply-add; vectors as wide as the surrounding function's features allow.
#[derive(Clone, Copy)]
pub(crate) struct Fused;
impl Isa for Fused {
    const FMA: bool = true;
}

/// A level of the dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// The baseline of the target.
    Portable,
    /// 128-bit vectors of aarch64.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// 256-bit vectors and fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// Every level that this machine can run, the widest last.
    pub(crate) fn available() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "aarch64")]
        levels.push(Self::Neon);
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self::Avx2);
                let wide = is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl");
                if wide {
                    levels.push(Self::Avx512);
                }
            }
        }
        levels
    }

    /// Its name, as `THALWEG_SIMD` spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "neon",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512",
        }
    }

    /// The level of this process: the widest, or the one that `THALWEG_SIMD` names if the machine has it.
    pub(crate) fn current() -> Self {
        static CURRENT: OnceLock<Level> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let levels = Self::available();
            let wanted = std::env::var("THALWEG_SIMD").ok();
            let named = levels.iter().find(|level| Some(level.name()) == wanted.as_deref());
            named.or(levels.last()).copied().unwrap_or(Self::Portable)
        })
    }
}

/// The vector instructions in use: `"avx512"`, `"avx2"`, `"neon"` or `"portable"`.
///
/// The environment variable `THALWEG_SIMD`, read once, may name a narrower one; a name that the machine does not
/// have is ignored.
pub fn instruction_set() -> &'static str {
    Level::current().name()
}

/// Work to be compiled once for each instruction set.
pub(crate) trait Kernel {
    /// Does it. Implementations are `inline(always)`, as is all that they call in their loops.
    fn run<I: Isa>(self);
}

/// Runs a kernel with the instructions of `level`.
#[inline]
pub(crate) fn dispatch<K: Kernel>(level: Level, kernel: K) {
    match level {
        Level::Portable => kernel.run::<Portable>(),
        #[cfg(target_arch = "aarch64")]
        Level::Neon => kernel.run::<Fused>(),
        // SAFETY: a level is only ever made by `available`, which asked the machine for these features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::avx2(kernel) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86::avx512(kernel) },
    }
}

/// Plain loops over slices, to be compiled once for each instruction set.
pub trait Loops {
    /// Does it. Must be `inline(always)`, as all that it calls in its loops: what is not inlined is compiled for the baseline.
    fn run(self);
}

/// Runs loops with the widest vectors of this machine. Products and sums stay apart on every machine, so what does not
/// depend on the order of a sum has the same bits on all of them.
#[inline]
pub fn vectorised(loops: impl Loops) {
    struct Alike<L>(L);
    impl<L: Loops> Kernel for Alike<L> {
        #[inline(always)]
        fn run<I: Isa>(self) {
            self.0.run();
        }
    }
    dispatch(Level::current(), Alike(loops));
}

/// Asks for the lines of a slice, which will soon be read: what lies apart in memory then comes at once. Others than x86 foresee
/// it by themselves, or not at all.
#[inline]
pub fn prefetch<T>(slice: &[T]) {
    #[cfg(target_arch = "x86_64")]
    x86::prefetch(slice);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = slice;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    use super::{Fused, Kernel};

    /// Bytes of a cache line.
    const LINE: usize = 64;

    #[inline]
    pub(super) fn prefetch<T>(slice: &[T]) {
        let bytes = slice.as_ptr().cast::<i8>();
        for line in (0..size_of_val(slice)).step_by(LINE) {
            // SAFETY: it is within the slice, and every such processor has the instruction.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(bytes.add(line)) };
        }
    }

    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn avx2<K: Kernel>(kernel: K) {
        kernel.run::<Fused>();
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn avx512<K: Kernel>(kernel: K) {
        kernel.run::<Fused>();
    }
}
