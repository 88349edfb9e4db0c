//! The flat list of kernel calls: what a compiled program is, before any device.

use crate::{Layout, Window};

/// The buffer that a view lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Space {
    /// The real-valued input slot of this number.
    Input(usize),
    /// The output slot of this number. Calls may read back what an earlier call wrote there.
    Output(usize),
    /// What one evaluation keeps until it ends.
    Arena,
    /// Memory that means nothing beyond a phase: evaluations that run together share it.
    Scratch,
}

/// An array of the program: a layout in a buffer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Which buffer.
    pub space: Space,
    /// Where in it; `layout.offset` counts elements from the buffer's start.
    pub layout: Layout,
}

/// Functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// −x
    Neg,
    /// eˣ
    Exp,
    /// Natural logarithm.
    Log,
    /// ln(1 + x), accurate where x is small.
    Log1p,
    /// Hyperbolic tangent.
    Tanh,
    /// Error function, 2/√π ∫₀ˣ e^(−t²) dt.
    Erf,
    /// 1/(1 + e⁻ˣ)
    Logistic,
    /// Square root.
    Sqrt,
    /// 1/x
    Reciprocal,
    /// Sine of radians.
    Sin,
    /// Cosine of radians.
    Cos,
    /// max(x, 0); NaN stays NaN.
    Relu,
    /// 1 where x > 0, else 0: the derivative of relu with the convention 0 at 0.
    Step,
    /// |x|
    Abs,
    /// xⁿ for an integer n by repeated multiplication; x⁰ = 1.
    PowerInt(i32),
}

/// Functions of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a·b
    Mul,
    /// a/b
    Div,
    /// The larger; NaN if either is NaN.
    Maximum,
    /// The smaller; NaN if either is NaN.
    Minimum,
    /// aᵇ for real b (NaN for negative a and non-integer b).
    Power,
    /// 1 where a > b, else 0.
    Greater,
    /// 1 where a = b, else 0.
    Equal,
}

/// One step of a fused tape. Operands are value numbers: first the loads, then the constants, then the results
/// of the instructions, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// A function of one value.
    Unary(Unary, usize),
    /// A function of two values.
    Binary(Binary, usize, usize),
    /// The second value where the first is not 0, else the third.
    Select(usize, usize, usize),
}

impl Instruction {
    /// The values that it reads, in order.
    pub fn operands(&self) -> impl Iterator<Item = usize> + use<> {
        let (all, count) = match *self {
            Self::Unary(_, a) => ([a, 0, 0], 1),
            Self::Binary(_, a, b) => ([a, b, 0], 2),
            Self::Select(c, a, b) => ([c, a, b], 3),
        };
        all.into_iter().take(count)
    }
}

/// A value of the tape written element by element.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    /// Value number.
    pub value: usize,
    /// Destination; its shape is the iteration space and no stride is 0 on an axis longer than 1.
    pub to: View,
}

/// How elements are combined along the reduced axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReductionKind {
    /// Sum; 0 over nothing.
    Sum,
    /// Largest; −∞ over nothing, NaN if any is NaN.
    Max,
}

/// A value of the tape reduced over some axes of the iteration space.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reduction {
    /// Value number.
    pub value: usize,
    /// Sum or maximum.
    pub kind: ReductionKind,
    /// Which axes of the iteration space are reduced.
    pub reduced: Vec<bool>,
    /// Destination; its shape is the iteration space, with stride 0 on each reduced axis.
    pub to: View,
}

/// An elementwise chain with the broadcasts at its loads and the stores and reductions at its end, in one pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fused {
    /// The iteration space.
    pub shape: Vec<usize>,
    /// Values read, each a view of the iteration space's shape (stride 0 where it is broadcast).
    pub loads: Vec<View>,
    /// Values that are the same number everywhere, as bits of an `f64`.
    pub constants: Vec<u64>,
    /// The chain.
    pub tape: Vec<Instruction>,
    /// Values written.
    pub stores: Vec<Store>,
    /// Values reduced.
    pub reductions: Vec<Reduction>,
}

/// The axes of a contraction by label: one byte an axis.
///
/// A label in `a`, `b` and `out` is a batch axis; in `a` and `b` only, it is summed; in `a` and `out` or in `b`
/// and `out`, it is free. No label stands in one operand alone, none stands twice in one operand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Labels {
    /// Labels of the first factor's axes.
    pub a: Vec<u8>,
    /// Labels of the second factor's axes.
    pub b: Vec<u8>,
    /// Labels of the product's axes.
    pub out: Vec<u8>,
}

/// One kernel call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// out = Σ a·b over the summed labels (0 where a summed axis is empty): products of matrices of any batch. If it
    /// `adds`, out += Σ a·b.
    Contract {
        /// First factor.
        a: View,
        /// Second factor.
        b: View,
        /// Product; no stride is 0 on an axis longer than 1.
        out: View,
        /// Which axis is which.
        labels: Labels,
        /// Whether the product is added to what stands in `out`.
        adds: bool,
    },
    /// out = Σ a·b over the labels that the result lacks, and over all input positions, taps and output positions of each
    /// window that belong together. If it `adds`, out += that.
    Convolve {
        /// First factor.
        a: View,
        /// Second factor.
        b: View,
        /// Result; no stride is 0 on an axis longer than 1.
        out: View,
        /// Which axis is which.
        labels: Labels,
        /// Windows with their labels: input positions, taps, output positions, each in another array.
        windows: Vec<([u8; 3], Window)>,
        /// Whether the result is added to what stands in `out`.
        adds: bool,
    },
    /// An elementwise chain with its ends.
    Fused(Fused),
    /// Element by element copy between two views of one shape.
    Copy {
        /// Source.
        from: View,
        /// Destination; no stride is 0 on an axis longer than 1.
        to: View,
    },
    /// The sum over all evaluations that run together, which each of them then has; a copy where one runs alone.
    AllReduce {
        /// What each evaluation brings.
        from: View,
        /// The sum: contiguous, in the arena.
        to: View,
    },
    /// One number everywhere.
    Fill {
        /// The number, as bits of an `f64`.
        value: u64,
        /// Destination.
        to: View,
    },
    /// 0, 1, 2, … along one axis.
    Iota {
        /// Destination, of one axis.
        to: View,
    },
    /// Uniform numbers in [0, 1), multiples of 2⁻²⁴: for each key `k…` the first of the stream that its child of that number
    /// has ([`Key::short_uniforms`](crate::Key::short_uniforms)), in row-major order over `m…`.
    Uniform {
        /// Keys by their [words](crate::Key::words), whole numbers below 2²⁴: `[k…, 11]`.
        keys: View,
        /// `[k…, m…]`
        out: View,
        /// Which child of each key is drawn from.
        stream: u64,
    },
    /// An index input (`i32`) into the arena, as reals: exact, as indices stay below 2²⁴.
    LoadIndex {
        /// Which index slot.
        slot: usize,
        /// Destination, contiguous.
        to: View,
    },
    /// Rows by index: `out[n…, i…, r…] = table[n…, index[n…, i…], r…]`. An index out of range gives NaN.
    Gather {
        /// `[n…, v, r…]`
        table: View,
        /// `[n…, i…]`
        index: View,
        /// `[n…, i…, r…]`
        out: View,
        /// How many leading axes `n…` the table and the index share.
        batch: usize,
    },
    /// The adjoint of `Gather`: `out` is 0, then `out[n…, index[n…, i…], r…] += rows[n…, i…, r…]` in index order.
    /// An index out of range adds nothing.
    ScatterAdd {
        /// `[n…, i…, r…]`
        rows: View,
        /// `[n…, i…]`
        index: View,
        /// `[n…, v, r…]`
        out: View,
        /// How many leading axes `n…` are shared.
        batch: usize,
    },
    /// `out[i…, c] = 1` where `index[i…] = c`, else 0; a row of zeros where the index is out of range.
    OneHot {
        /// `[i…]`
        index: View,
        /// `[i…, classes]`
        out: View,
    },
    /// Where each window has its largest element: the element's number in row-major order over `[p…, c]`. The first
    /// of equals; the last NaN if there is one. Padding does not take part; each window has an element outside of it.
    MaxIndex {
        /// `[n…, p…, c]`
        from: View,
        /// `[n…, y…, c]`
        out: View,
        /// How the window slides along each of the axes `p…`, to the axes `y…`.
        windows: Vec<Window>,
    },
}

/// A compiled program: sizes of its buffers and its calls in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct CallList {
    /// Elements of each real-valued input slot.
    pub inputs: Vec<usize>,
    /// Elements of each index input slot.
    pub indices: Vec<usize>,
    /// Elements of each output slot.
    pub outputs: Vec<usize>,
    /// Elements of the arena.
    pub arena: usize,
    /// Elements of scratch memory.
    pub scratch: usize,
    /// What to do, in order.
    pub calls: Vec<Call>,
}
