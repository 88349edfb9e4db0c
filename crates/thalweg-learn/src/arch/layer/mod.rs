//! Layers, and trees of them: what convolutional architectures and networks of the user's own are made of. One file a
//! family.
//!
//! A layer is a value. Given the shape of the inputs, a tree of layers is walked twice, in the same order. The first
//! walk *declares*: it checks that each layer fits what comes to it, and notes the leaves with PyTorch's names and shapes and
//! which hidden units may change places. The second *writes* the program, and takes one variable for each leaf declared.
//! Between layers, images are channels last, `[examples, height, width, channels]`, and features `[examples, features]`.
//!
//! **Hidden permutations.** Every layer with weights makes a new set of units. Activations, pools, norms and dropout pass a set on;
//! after a flattening each unit is a run of neighbouring features; a residual sum ties two sets into one. Inputs and
//! outputs stand fixed, and so do the channels on both sides of a convolution in several groups and at a norm of several
//! groups of channels: of these only permutations within groups and of whole groups are symmetries, and none is declared.
//! (A depthwise convolution, and a norm of each channel by itself, pass their channels on.) Where channels of zeros are added
//! between others, both sides stand fixed too.
//!
//! A network of one's own, from layers to the curvature at its initialisation:
//!
//! ```
//! use std::sync::Arc;
//!
//! use thalweg_kernel::Key;
//! use thalweg_learn::arch::layer::{
//!     Convolution, GlobalPool, Layer, Linear, Norm, NormOver, PoolOf, Residual, Sequence,
//! };
//! use thalweg_learn::arch::{Activation, Architecture, Network, initial_parameters};
//! use thalweg_learn::data::DataConfig;
//! use thalweg_learn::init::Init;
//! use thalweg_learn::loss::Loss;
//! use thalweg_learn::objective::{Examples, Objective};
//!
//! let norm = || Layer::from(Norm { over: NormOver::Batch, affine: true });
//! let convolution = || Layer::from(Convolution::new(8, 3).padded(1).unbiased());
//! let body = Sequence::numbered([convolution(), norm(), Activation::Relu.into(), convolution(), norm()]);
//! let layers = Sequence::named([
//!     ("stem", convolution()),
//!     // Its leaves are `block.body.0.weight`, `block.body.1.weight`, …; the shortcut is the identity.
//!     ("block", Residual::new(body, Sequence::default()).into()),
//!     ("relu", Activation::Relu.into()),
//!     ("pool", GlobalPool { of: PoolOf::Average }.into()),
//!     ("head", Linear::new(10).into()),
//! ]);
//!
//! let data = DataConfig::default().load()?.test;
//! let network = Network::new("mine", "", data.shape().into(), data.classes(), layers)?;
//! assert_eq!(network.space().leaves()[0].name, "stem.weight");
//! let theta: Vec<f64> = initial_parameters(network.space(), &Init::default(), Key::from_seed(0));
//!
//! let examples = Examples::of(&data);
//! let objective = Objective::<f64>::training(Arc::new(network), Loss::CrossEntropy, data.examples());
//! let mut gradient = vec![0.0; objective.dimension()];
//! let value = objective.gradient(&theta, &examples, &mut gradient);
//! // The curvature along the gradient: gᵀHg / gᵀg.
//! let mut product = vec![0.0; objective.dimension()];
//! objective.hessian_products(&theta, &gradient, &examples, &mut product);
//! let dot = |a: &[f64], b: &[f64]| std::iter::zip(a, b).map(|(a, b)| a * b).sum::<f64>();
//! println!("loss {}, curvature {}", value.loss, dot(&gradient, &product) / dot(&gradient, &gradient));
//! # assert!(value.loss > 1.0 && dot(&gradient, &product).is_finite());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod convolution;
mod dropout;
mod error;
mod flatten;
mod linear;
mod norm;
mod plan;
mod pool;
mod residual;
mod scalar;
mod shape;
mod subsample;
mod units;
mod window;

use std::fmt;

use thalweg_program::builder::Var;
use thalweg_program::params::ParamSpace;

pub use convolution::Convolution;
pub use dropout::Dropout;
pub use error::LayerError;
pub use linear::Linear;
pub use norm::{Norm, NormOver};
pub use pool::{GlobalPool, Pool, PoolOf};
pub use residual::{Residual, Sequence};
pub use scalar::Scalar;
pub use shape::Shape;
pub use subsample::Subsample;
pub use window::{Padding, Sliding};

pub(super) use dropout::{notes, probability};
pub(super) use norm::EPS;
pub(super) use plan::PARAMETERS_MAX;

use super::{Activation, BatchNorm, Pass};
use flatten::Flatten;
use plan::{Flow, Plan};

/// One layer, or several as one.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// Fully connected.
    Linear(Linear),
    /// A convolution of an image.
    Convolution(Convolution),
    /// A function, element by element.
    Activation(Activation),
    /// A pool of an image.
    Pool(Pool),
    /// One number for each channel, over all positions: features.
    GlobalPool(GlobalPool),
    /// Every second position, and more channels.
    Subsample(Subsample),
    /// A norm.
    Norm(Norm),
    /// Dropout.
    Dropout(Dropout),
    /// One trained number for all.
    Scalar(Scalar),
    /// An image as features, in PyTorch's order: channel by channel, row by row.
    Flatten,
    /// A sum of two ways.
    Residual(Residual),
    /// Layers one after another.
    Sequence(Sequence),
}

/// What layers take as they are written, in order.
struct Params<'a, 'b> {
    /// The variables of the leaves.
    leaves: std::iter::Copied<std::slice::Iter<'a, Var<'b>>>,
    /// What batch norms norm by, and what dropout draws from.
    pass: &'a mut Pass<'b>,
}

fn take<'b>(params: &mut Params<'_, 'b>) -> Var<'b> {
    params.leaves.next().expect("one variable a leaf")
}

/// Whether a layer makes the network's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Inner,
    Last,
}

/// What each kind of layer can do; its text is how a configuration writes it.
trait Kind: fmt::Display {
    /// Checks that it fits `x`, and declares its leaves in the order in which [`write`](Self::write) takes them.
    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError>;

    /// Writes it.
    fn write<'b>(&self, params: &mut Params<'_, 'b>, x: Var<'b>, place: Place) -> Var<'b>;
}

impl Layer {
    fn kind(&self) -> &dyn Kind {
        match self {
            Self::Linear(linear) => linear,
            Self::Convolution(convolution) => convolution,
            Self::Activation(activation) => activation,
            Self::Pool(pool) => pool,
            Self::GlobalPool(pool) => pool,
            Self::Subsample(subsample) => subsample,
            Self::Norm(norm) => norm,
            Self::Dropout(dropout) => dropout,
            Self::Scalar(scalar) => scalar,
            Self::Flatten => &Flatten,
            Self::Residual(residual) => residual,
            Self::Sequence(sequence) => sequence,
        }
    }

    fn declare(&self, plan: &mut Plan, x: Flow) -> Result<Flow, LayerError> {
        self.kind().declare(plan, x)
    }

    fn write<'b>(&self, params: &mut Params<'_, 'b>, x: Var<'b>, place: Place) -> Var<'b> {
        self.kind().write(params, x, place)
    }

    /// Whether it drops anything in training mode.
    fn draws(&self) -> bool {
        match self {
            Self::Dropout(dropout) => dropout.draws(),
            Self::Residual(Residual { body, shortcut, .. }) => body.draws() || shortcut.draws(),
            Self::Sequence(sequence) => sequence.draws(),
            _ => false,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

macro_rules! from_kinds {
    ($($kind:ident),+) => {
        $(impl From<$kind> for Layer {
            fn from(kind: $kind) -> Self {
                Self::$kind(kind)
            }
        })+
    };
}
from_kinds!(
    Linear,
    Convolution,
    Activation,
    Pool,
    GlobalPool,
    Subsample,
    Norm,
    Dropout,
    Scalar,
    Residual,
    Sequence
);

impl Sequence {
    /// The leaves and batch norms of these layers for inputs of that shape, and the shape of what comes out.
    ///
    /// # Errors
    /// The first layer that does not fit what comes to it.
    pub fn space(&self, input: Shape) -> Result<(ParamSpace, Vec<BatchNorm>, Shape), LayerError> {
        let (mut plan, x) = Plan::new(input);
        let y = self.declare(&mut plan, x)?;
        let (space, norms) = plan.finish(y);
        Ok((space, norms, y.shape))
    }

    /// Whether any of these layers drops anything in training mode.
    pub(super) fn draws(&self) -> bool {
        self.layers().iter().any(|(_, layer)| layer.draws())
    }

    /// Writes these layers as a whole network: inputs `[examples, …]` of the shape that the [`space`](Self::space) is for,
    /// images as their rows in PyTorch's order.
    pub(super) fn write_network<'b>(
        &self,
        params: &[Var<'b>],
        pass: &mut Pass<'b>,
        input: Shape,
        x: Var<'b>,
    ) -> Var<'b> {
        let x = match input {
            Shape::Features(_) => x,
            Shape::Image { channels, height, width } => {
                x.reshape(&[x.shape()[0], channels, height, width]).permute(&[0, 2, 3, 1])
            }
        };
        let mut params = Params { leaves: params.iter().copied(), pass };
        let y = self.write(&mut params, x, Place::Last);
        assert!(params.leaves.next().is_none(), "one leaf a variable");
        y
    }
}
