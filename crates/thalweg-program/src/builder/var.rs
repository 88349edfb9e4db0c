//! A value of a program that is being written.

use thalweg_kernel::{Binary, ReductionKind, Unary};

use super::Builder;
use crate::ir::{Type, ValueId};
use crate::prim::{
    AsIndex, Broadcast, Contract, Convolve, Gather, OneHot, Pad, Permute, Psum, Reduce, Reshape, ScatterAdd,
    Select, Slice, Slide, StopGradient, Window,
};

/// A value of the program that a [`Builder`] writes. Arithmetic broadcasts as in NumPy: shapes are aligned at
/// their last axes, and missing axes and axes of extent 1 repeat.
#[derive(Clone, Copy)]
pub struct Var<'b> {
    builder: &'b Builder,
    id: ValueId,
}

macro_rules! unary_methods {
    ($($(#[$doc:meta])* $name:ident => $op:expr),+ $(,)?) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(self) -> Self {
            self.builder.apply($op, &[self])
        })+
    };
}

macro_rules! binary_methods {
    ($($(#[$doc:meta])* $name:ident => $op:expr),+ $(,)?) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(self, other: impl IntoVar<'b>) -> Self {
            self.binary($op, other.into_var(self.builder))
        })+
    };
}

/// What may stand beside a variable in arithmetic: a variable or a number.
pub trait IntoVar<'b> {
    /// It as a variable.
    fn into_var(self, builder: &'b Builder) -> Var<'b>;
}

impl<'b> IntoVar<'b> for Var<'b> {
    fn into_var(self, _builder: &'b Builder) -> Self {
        self
    }
}

impl<'b> IntoVar<'b> for f64 {
    fn into_var(self, builder: &'b Builder) -> Var<'b> {
        builder.constant(self, &[])
    }
}

impl<'b> Var<'b> {
    pub(super) fn new(builder: &'b Builder, id: ValueId) -> Self {
        Self { builder, id }
    }

    /// The builder that it belongs to.
    pub fn builder(self) -> &'b Builder {
        self.builder
    }

    /// Its name in the program.
    pub fn id(self) -> ValueId {
        self.id
    }

    /// Element and shape.
    pub fn ty(self) -> Type {
        self.builder.ty(self.id)
    }

    /// Extent of each axis.
    pub fn shape(self) -> Vec<usize> {
        self.ty().shape
    }

    unary_methods! {
        /// eˣ
        exp => Unary::Exp,
        /// Natural logarithm.
        log => Unary::Log,
        /// ln(1 + x), accurate where x is small.
        log1p => Unary::Log1p,
        /// Hyperbolic tangent.
        tanh => Unary::Tanh,
        /// Error function.
        erf => Unary::Erf,
        /// 1/(1 + e⁻ˣ)
        logistic => Unary::Logistic,
        /// Square root.
        sqrt => Unary::Sqrt,
        /// 1/x
        reciprocal => Unary::Reciprocal,
        /// Sine.
        sin => Unary::Sin,
        /// Cosine.
        cos => Unary::Cos,
        /// max(x, 0), with derivative 0 at 0.
        relu => Unary::Relu,
        /// 1 where x > 0, else 0.
        step => Unary::Step,
        /// |x|, with derivative 0 at 0.
        abs => Unary::Abs,
        /// The identity, whose derivative is declared to be zero.
        stop_gradient => StopGradient,
        /// The sum over all evaluations that run together: see [`Psum`].
        psum => Psum,
        /// Whole numbers as indices; the derivative is zero.
        as_index => AsIndex,
    }

    binary_methods! {
        /// The larger of the two; at ties the derivative is shared equally.
        maximum => Binary::Maximum,
        /// The smaller of the two; at ties the derivative is shared equally.
        minimum => Binary::Minimum,
        /// xʸ for real y; for an integer that is known, [`powi`](Self::powi) takes negative x too.
        power => Binary::Power,
        /// 1 where x > y, else 0.
        greater => Binary::Greater,
        /// 1 where x = y, else 0.
        equal => Binary::Equal,
    }

    /// xⁿ for a known integer n.
    #[must_use]
    pub fn powi(self, n: i32) -> Self {
        self.builder.apply(Unary::PowerInt(n), &[self])
    }

    /// `a` where this is not 0, else `b`.
    #[must_use]
    pub fn select(self, a: impl IntoVar<'b>, b: impl IntoVar<'b>) -> Self {
        let (a, b) = (a.into_var(self.builder), b.into_var(self.builder));
        let shape = common_shape(&common_shape(&self.shape(), &a.shape()), &b.shape());
        let operands = [self.broadcast_to(&shape), a.broadcast_to(&shape), b.broadcast_to(&shape)];
        self.builder.apply(Select, &operands)
    }

    pub(super) fn binary(self, op: Binary, other: Self) -> Self {
        let shape = common_shape(&self.shape(), &other.shape());
        self.builder.apply(op, &[self.broadcast_to(&shape), other.broadcast_to(&shape)])
    }

    /// Repeats along new axes: axis `i` becomes axis `axes[i]` of `shape`.
    #[must_use]
    pub fn broadcast(self, shape: &[usize], axes: &[usize]) -> Self {
        self.builder.apply(Broadcast { shape: shape.to_vec(), axes: axes.to_vec() }, &[self])
    }

    /// Repeats to `shape` as NumPy does: aligned at the last axes, axes of extent 1 stretch.
    #[must_use]
    pub fn broadcast_to(self, shape: &[usize]) -> Self {
        let own = self.shape();
        if own == shape {
            return self;
        }
        if own.len() > shape.len() {
            return self.broadcast(shape, &(0..own.len()).collect::<Vec<_>>());
        }
        let first = shape.len() - own.len();
        let stretches = |i: usize| own[i] == 1 && shape[first + i] != 1;
        let kept: Vec<usize> = (0..own.len()).filter(|&i| !stretches(i)).collect();
        let extents: Vec<usize> = kept.iter().map(|&i| own[i]).collect();
        let axes: Vec<usize> = kept.iter().map(|&i| first + i).collect();
        self.reshape(&extents).broadcast(shape, &axes)
    }

    /// The same elements in row-major order under another shape.
    #[must_use]
    pub fn reshape(self, shape: &[usize]) -> Self {
        self.builder.apply(Reshape { shape: shape.to_vec() }, &[self])
    }

    /// Axes in another order: axis `i` of the result is axis `axes[i]` of this.
    #[must_use]
    pub fn permute(self, axes: &[usize]) -> Self {
        self.builder.apply(Permute { axes: axes.to_vec() }, &[self])
    }

    /// `extent` elements of one axis from `start`.
    #[must_use]
    pub fn slice(self, axis: usize, start: usize, extent: usize) -> Self {
        self.slice_by(axis, start, extent, 1)
    }

    /// The elements `start, start + step, …` (`extent` of them) of one axis.
    #[must_use]
    pub fn slice_by(self, axis: usize, start: usize, extent: usize, step: usize) -> Self {
        self.builder.apply(Slice { axis, start, extent, step }, &[self])
    }

    /// Zeros before and after the elements of one axis.
    #[must_use]
    pub fn pad(self, axis: usize, before: usize, after: usize) -> Self {
        self.builder.apply(Pad { axis, before, after, between: 0 }, &[self])
    }

    /// Sum over axes, which vanish.
    #[must_use]
    pub fn sum(self, axes: &[usize]) -> Self {
        self.builder.apply(Reduce { kind: ReductionKind::Sum, axes: axes.to_vec() }, &[self])
    }

    /// Maximum over axes, which vanish; at ties the derivative is shared equally.
    #[must_use]
    pub fn max(self, axes: &[usize]) -> Self {
        self.builder.apply(Reduce { kind: ReductionKind::Max, axes: axes.to_vec() }, &[self])
    }

    /// Mean over axes, which vanish.
    #[must_use]
    pub fn mean(self, axes: &[usize]) -> Self {
        let shape = self.shape();
        let count: usize = axes.iter().map(|&axis| shape.get(axis).copied().unwrap_or(1)).product();
        self.sum(axes) / count as f64
    }

    /// Matrix product over the last two axes as in NumPy; leading axes must agree or be missing on one side.
    #[must_use]
    pub fn matmul(self, other: Self) -> Self {
        let (left, right) = (self.shape().len().max(2) - 2, other.shape().len().max(2) - 2);
        // Labels: 0, 1, 2 for m, k, n; leading axes are numbered from their common last one.
        let leading = |count: usize| (0..count).rev().map(|i| u8::try_from(3 + i).unwrap_or(u8::MAX));
        let a: Vec<u8> = leading(left).chain([0, 1]).collect();
        let b: Vec<u8> = leading(right).chain([1, 2]).collect();
        let out: Vec<u8> = leading(left.max(right)).chain([0, 2]).collect();
        self.builder.apply(Contract::new(&a, &b, &out), &[self, other])
    }

    /// Convolution (cross-correlation, as networks have it) of this `[n, positions…, c]`, channels last, with weights
    /// `[o, c/groups, taps…]`, as PyTorch orders them: `[n, positions…, o]`. One slide an axis of positions; output
    /// channels are cut into as many groups as input channels, and each group sees its own.
    #[must_use]
    pub fn convolve(self, weights: Self, slides: &[Slide], groups: usize) -> Self {
        let [example, group, inner, outer] = [0, 1, 2, 3];
        let (x, w) = (self.shape(), weights.shape());
        let of = |axis: usize| [0, 1, 2].map(|i| u8::try_from(4 + 3 * axis + i).unwrap_or(u8::MAX));
        let extent = |shape: &[usize], axis: usize| shape.get(axis).copied().unwrap_or(0);
        let window = |(axis, slide): (usize, &Slide)| {
            let (input, taps) = (extent(&x, axis + 1), extent(&w, axis + 2));
            (of(axis), Window::new(input, taps, slide.stride, slide.dilation, slide.padding))
        };
        let windows: Vec<([u8; 3], Window)> = slides.iter().enumerate().map(window).collect();
        let labels = |first: &[u8], which: usize, last: &[u8]| -> Vec<u8> {
            [first, &windows.iter().map(|(labels, _)| labels[which]).collect::<Vec<_>>(), last].concat()
        };
        if groups == 1 {
            let [a, b, out] = [
                labels(&[example], 0, &[inner]),
                labels(&[outer, inner], 1, &[]),
                labels(&[example], 2, &[outer]),
            ];
            return self.builder.apply(Convolve::new(&a, &b, &out, &windows), &[self, weights]);
        }
        let [a, b, out] = [
            labels(&[example], 0, &[group, inner]),
            labels(&[group, outer, inner], 1, &[]),
            labels(&[example], 2, &[group, outer]),
        ];
        // Channels as `[groups, channels of a group]`; what does not divide is no shape of the same size.
        let split = |channels: usize| [groups, channels / groups.max(1)];
        let (positions, channels) = x.split_at(x.len().saturating_sub(1));
        let grouped = self.reshape(&[positions, &split(channels.first().copied().unwrap_or(0))].concat());
        let outputs = extent(&w, 0);
        let by_group = weights.reshape(&[&split(outputs)[..], w.get(1..).unwrap_or(&[])].concat());
        let out = self.builder.apply(Convolve::new(&a, &b, &out, &windows), &[grouped, by_group]);
        let shape = out.shape();
        out.reshape(&[&shape[..shape.len().saturating_sub(2)], &[outputs]].concat())
    }

    /// Indices `[i…]` to unit vectors `[i…, classes]`.
    #[must_use]
    pub fn one_hot(self, classes: usize) -> Self {
        self.builder.apply(OneHot { classes }, &[self])
    }

    /// Rows of this table `[v, r…]` by index `[i…]`: `[i…, r…]`.
    #[must_use]
    pub fn gather(self, index: Self) -> Self {
        self.builder.apply(Gather { batch: 0 }, &[self, index])
    }

    /// From zeros `[rows, r…]`, adds these values `[i…, r…]` at the rows that the index `[i…]` names.
    #[must_use]
    pub fn scatter_add(self, index: Self, rows: usize) -> Self {
        self.builder.apply(ScatterAdd { batch: 0, rows }, &[self, index])
    }
}

/// The shape that two shapes broadcast to; where they do not fit, the longer one, and the primitive will object.
fn common_shape(a: &[usize], b: &[usize]) -> Vec<usize> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut shape = long.to_vec();
    let first = long.len() - short.len();
    for (i, &extent) in short.iter().enumerate() {
        if shape[first + i] == 1 {
            shape[first + i] = extent;
        }
    }
    shape
}
