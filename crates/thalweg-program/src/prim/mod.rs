//! The primitives: one file each, with all of its rules.
//!
//! A primitive says its **shape**, how it is **evaluated**, its **jvp** (the derivative along a direction), its
//! **transpose** where it is linear, and its **batch** form. Reverse mode, Hessian-vector products, per-example
//! gradients and all else are made of these rules; no derivative is written by hand anywhere else.

/// The jvp of a primitive through which no tangent flows: it is piecewise constant, or has no operand.
macro_rules! without_derivative {
    () => {
        fn jvp<'b>(
            &self,
            _builder: &'b $crate::builder::Builder,
            _primals: &[$crate::builder::Var<'b>],
            _result: $crate::builder::Var<'b>,
            _tangents: &[Option<$crate::builder::Var<'b>>],
        ) -> Option<$crate::builder::Var<'b>> {
            None
        }
    };
}

mod as_index;
mod broadcast;
mod concatenate;
mod constant;
mod contract;
mod convolve;
mod elementwise;
mod gather;
mod input;
mod iota;
mod max_index;
mod one_hot;
mod pad;
mod permute;
mod psum;
mod reduce;
mod reshape;
mod scatter_add;
mod select;
mod slice;
mod stop_gradient;
mod uniform;

pub use as_index::AsIndex;
pub use broadcast::Broadcast;
pub use concatenate::Concatenate;
pub use constant::Constant;
pub use contract::Contract;
pub use convolve::{Convolve, Slide};
pub use gather::Gather;
pub use input::Input;
pub use iota::Iota;
pub use max_index::MaxIndex;
pub use one_hot::OneHot;
pub use pad::Pad;
pub use permute::Permute;
pub use psum::Psum;
pub use reduce::Reduce;
pub use reshape::Reshape;
pub use scatter_add::ScatterAdd;
pub use select::Select;
pub use slice::Slice;
pub use stop_gradient::StopGradient;
pub use uniform::Uniform;

pub use thalweg_kernel::Window;
use thalweg_kernel::{Call, Instruction, Layout, ReductionKind, View};

use crate::builder::{Builder, Var};
use crate::ir::{Element, Op, ShapeError, Type};

/// From the layout of an operand to that of a view of it; `None` where a copy is needed first.
pub type ViewOf<'p> = Box<dyn Fn(&Layout) -> Option<Layout> + 'p>;
/// From the views of the operands and the result to kernel calls.
pub type CallsOf<'p> = Box<dyn Fn(&[View], View) -> Vec<Call> + 'p>;

/// How the compiler is to evaluate a primitive.
pub enum Evaluation<'p> {
    /// It is there already: an argument.
    Input,
    /// The same number everywhere.
    Constant(f64),
    /// Its operand's elements under another layout.
    View(ViewOf<'p>),
    /// One step of a fused tape; operands are numbered from 0.
    Elementwise(Instruction),
    /// A reduction at the end of a fused tape, over these axes.
    Reduction(ReductionKind, &'p [usize]),
    /// Kernel calls of its own.
    Calls(CallsOf<'p>),
}

/// An operand in a transpose rule.
#[derive(Clone, Copy)]
pub enum Operand<'b> {
    /// The map is linear in it; only its type is known.
    Linear,
    /// Its value is known: the map's coefficients depend on it.
    Known(Var<'b>),
}

/// A value that may have a batch axis in front.
#[derive(Clone, Copy)]
pub struct Batched<'b> {
    /// The value.
    pub value: Var<'b>,
    /// Whether axis 0 is the batch; if not, the value is the same for each member.
    pub batched: bool,
}

impl<'b> Batched<'b> {
    /// The value with a batch axis of that size, repeated if it has none. Costs nothing: a repeat is a view.
    pub fn spread(self, size: usize) -> Var<'b> {
        if self.batched {
            return self.value;
        }
        let shape = self.value.shape();
        let axes: Vec<usize> = (1..=shape.len()).collect();
        let spread: Vec<usize> = std::iter::once(size).chain(shape).collect();
        self.value.broadcast(&spread, &axes)
    }
}

/// The rules of a primitive.
pub trait Primitive {
    /// Name for messages.
    fn name(&self) -> &'static str;

    /// Type of the result.
    ///
    /// # Errors
    /// If the operands are not ones that the primitive is defined for.
    fn shape(&self, inputs: &[&Type]) -> Result<Type, ShapeError>;

    /// How it is computed.
    fn evaluate(&self) -> Evaluation<'_>;

    /// Derivative of the result along the operands' tangents (`None` is zero). At least one is given.
    fn jvp<'b>(
        &self,
        builder: &'b Builder,
        primals: &[Var<'b>],
        result: Var<'b>,
        tangents: &[Option<Var<'b>>],
    ) -> Option<Var<'b>>;

    /// The adjoint: what each linear operand receives from the result's cotangent (`None` is zero). Called only
    /// where the primitive is linear in the operands marked so; left out where it never is.
    fn transpose<'b>(
        &self,
        _cotangent: Var<'b>,
        _operands: &[Operand<'b>],
        _types: &[&Type],
    ) -> Vec<Option<Var<'b>>> {
        never_linear(self.name())
    }

    /// The primitive on each member of a batch at once. At least one operand is batched; the result's batch
    /// axis is 0.
    fn batch<'b>(&self, builder: &'b Builder, size: usize, inputs: &[Batched<'b>]) -> Var<'b>;

    /// Floating-point operations of a contraction; 0 for all else.
    fn flops(&self, _inputs: &[&Type]) -> usize {
        0
    }
}

/// The derivative of a primitive that is linear in either of two operands.
pub(crate) fn product_rule<'b, P: Clone + Into<Op>>(
    builder: &'b Builder,
    product: &P,
    primals: &[Var<'b>],
    tangents: &[Option<Var<'b>>],
) -> Option<Var<'b>> {
    let from_a = tangents[0].map(|t| builder.apply(product.clone(), &[t, primals[1]]));
    let from_b = tangents[1].map(|t| builder.apply(product.clone(), &[primals[0], t]));
    match (from_a, from_b) {
        (Some(s), Some(t)) => Some(s + t),
        (s, t) => s.or(t),
    }
}

/// For primitives that no tangent ever flows through.
pub(crate) fn never_linear<'b>(name: &str) -> Vec<Option<Var<'b>>> {
    unreachable!("{name} is not linear in any operand, so it is never transposed")
}

pub(crate) fn shift(axes: &[usize]) -> Vec<usize> {
    axes.iter().map(|axis| axis + 1).collect()
}

pub(crate) fn expect_operands(name: &'static str, inputs: &[&Type], count: usize) -> Result<(), ShapeError> {
    if inputs.len() == count {
        return Ok(());
    }
    Err(ShapeError::new(name, format!("takes {count} operands, found {}", inputs.len())))
}

pub(crate) fn expect_real(name: &'static str, inputs: &[&Type]) -> Result<(), ShapeError> {
    match inputs.iter().find(|ty| ty.element != Element::Real) {
        None => Ok(()),
        Some(ty) => Err(ShapeError::new(name, format!("expected real operands, found {ty}"))),
    }
}

pub(crate) fn expect_axis(name: &'static str, ty: &Type, axis: usize) -> Result<(), ShapeError> {
    if axis < ty.shape.len() {
        return Ok(());
    }
    Err(ShapeError::new(
        name,
        format!("expected an axis below {}, found axis {axis} of {ty}", ty.shape.len()),
    ))
}
