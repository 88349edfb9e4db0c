//! The [`Site`] trait.
//!
//! Every method but three has a default, and the default is a typed refusal: an analytic landscape has no outputs,
//! a loss measured by someone else's program may have no derivatives. The design that lost is a trait for each
//! capability: instruments would then need a bound for each combination, and whether a site has a capability is
//! often known at run time only (a callback from another language either was given or was not).

use super::{Convention, Section, WrittenSection};
use thiserror::Error;

/// The loss at a point, and the error where the task has one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// Loss under the site's reduction. May be NaN or infinite: divergence is a result.
    pub loss: f64,
    /// Share of examples misclassified, in [0, 1]; `None` where the task is not a classification.
    pub error: Option<f64>,
}

/// A dense row-major matrix: one row an example, one column an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    elements: Vec<f64>,
}

impl Matrix {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, elements: vec![0.0; rows * columns] }
    }

    /// The matrix with these elements, row by row.
    ///
    /// # Panics
    /// If there are not rows × columns of them.
    pub fn from_rows(rows: usize, columns: usize, elements: Vec<f64>) -> Self {
        assert_eq!(elements.len(), rows * columns, "elements of a {rows} × {columns} matrix");
        Self { rows, columns, elements }
    }

    /// Number of rows: examples.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns: outputs.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One row: the outputs of one example.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.elements[row * self.columns..(row + 1) * self.columns]
    }

    /// All elements, row by row.
    pub fn elements(&self) -> &[f64] {
        &self.elements
    }

    /// All elements, row by row, to be written.
    pub fn elements_mut(&mut self) -> &mut [f64] {
        &mut self.elements
    }
}

/// Something that a site can compute besides values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// [`Site::gradient`].
    Gradient,
    /// [`Site::hvps`].
    Hvps,
    /// [`Site::ggn_products`].
    GgnProducts,
    /// [`Site::outputs`].
    Outputs,
    /// [`Site::jvps`].
    Jvps,
    /// [`Site::vjps`].
    Vjps,
}

impl std::fmt::Display for Capability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gradient => "gradients",
            Self::Hvps => "Hessian-vector products",
            Self::GgnProducts => "Gauss–Newton-vector products",
            Self::Outputs => "outputs",
            Self::Jvps => "Jacobian-vector products of its outputs",
            Self::Vjps => "vector-Jacobian products of its outputs",
        })
    }
}

/// Why a site gave no answer. A loss that is not finite is an answer.
#[derive(Debug, Error)]
pub enum SiteError {
    /// The site cannot compute this at all.
    #[error("the objective with loss {loss:?} has no {capability}")]
    Unsupported {
        /// What was asked for.
        capability: Capability,
        /// The site's loss, from its convention.
        loss: String,
    },
    /// It answered for another number of points.
    #[error("the site returned {found} results for {expected} points")]
    Answers {
        /// Points asked for.
        expected: usize,
        /// Results returned.
        found: usize,
    },
    /// The site can, but this time it failed: a callback raised, a device was lost.
    #[error("the objective failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An objective on ℝⁿ over a fixed data set with a fixed reduction.
///
/// Points and tangents are f64 vectors of [`dimension`](Self::dimension) elements in the order of the parameter
/// vector θ; the site computes in the precision that its convention names. Instruments check lengths before they
/// call, so an implementation may panic on a wrong one. Results overwrite `out`. Every number that a site returns
/// may be non-finite.
pub trait Site: Sync {
    /// n, the number of parameters.
    fn dimension(&self) -> usize;

    /// Under which convention its numbers are to be read.
    fn convention(&self) -> &Convention;

    /// The values at many points, in their order. Points come together so that a site can share them out.
    fn values(&self, points: &[&[f64]]) -> Result<Vec<Value>, SiteError>;

    /// Writes ∇L(θ) and returns L(θ).
    fn gradient(&self, theta: &[f64], out: &mut [f64]) -> Result<f64, SiteError> {
        let _ = (theta, out);
        Err(self.unsupported(Capability::Gradient))
    }

    /// Writes ∇²L(θ)·v for each tangent v.
    fn hvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        let _ = (theta, tangents, out);
        Err(self.unsupported(Capability::Hvps))
    }

    /// Writes JᵀH_L J·v for each tangent v: J the Jacobian of the outputs, H_L the loss's Hessian in them, reduced
    /// as the loss is.
    fn ggn_products(
        &self,
        theta: &[f64],
        tangents: &[&[f64]],
        out: &mut [Vec<f64>],
    ) -> Result<(), SiteError> {
        let _ = (theta, tangents, out);
        Err(self.unsupported(Capability::GgnProducts))
    }

    /// The outputs (logits, predictions) at many points: a matrix of examples × outputs for each.
    fn outputs(&self, points: &[&[f64]]) -> Result<Vec<Matrix>, SiteError> {
        let _ = points;
        Err(self.unsupported(Capability::Outputs))
    }

    /// Writes J·v, examples × outputs, for each tangent v. Not reduced over examples.
    fn jvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Matrix]) -> Result<(), SiteError> {
        let _ = (theta, tangents, out);
        Err(self.unsupported(Capability::Jvps))
    }

    /// Writes Jᵀ·u for each cotangent u of examples × outputs: a sum over examples.
    fn vjps(&self, theta: &[f64], cotangents: &[&Matrix], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        let _ = (theta, cotangents, out);
        Err(self.unsupported(Capability::Vjps))
    }

    /// The site linearised at θ, for products that come again and again at one point.
    ///
    /// A site that can keep what does not change with the tangent returns an object that does; the default keeps θ.
    fn at<'a>(&'a self, theta: &[f64]) -> Box<dyn Point + 'a> {
        Box::new(Unkept { site: self, theta: theta.to_vec() })
    }

    /// The points Σ cᵢ·θᵢ of a few vectors θᵢ, for values at many coefficients: (1−α, α) of two ends are a line,
    /// (1, a, b) of a centre and two directions a plane.
    ///
    /// A site may use that a part of its work is linear in θ, and do that part once a vector; the default writes the
    /// points out. The values agree with [`values`](Self::values) at those points up to rounding. A vector whose
    /// coefficient is 0 does not enter, even if it is not finite.
    fn section<'a>(&'a self, vectors: &[&[f64]]) -> Box<dyn Section + 'a> {
        Box::new(WrittenSection::new(self, vectors))
    }

    /// The refusal to compute something.
    fn unsupported(&self, capability: Capability) -> SiteError {
        SiteError::Unsupported { capability, loss: self.convention().loss.clone() }
    }
}

/// A site at one point: the linear maps that belong to it.
///
/// Each method is [`Site`]'s of the same name at the fixed θ.
pub trait Point: Sync {
    /// Where it is.
    fn theta(&self) -> &[f64];

    /// The site's convention.
    fn convention(&self) -> &Convention;

    /// Writes ∇²L·v for each tangent v.
    fn hvps(&self, tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError>;

    /// Writes JᵀH_L J·v for each tangent v.
    fn ggn_products(&self, tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError>;

    /// Writes J·v for each tangent v.
    fn jvps(&self, tangents: &[&[f64]], out: &mut [Matrix]) -> Result<(), SiteError>;

    /// Writes Jᵀ·u for each cotangent u.
    fn vjps(&self, cotangents: &[&Matrix], out: &mut [Vec<f64>]) -> Result<(), SiteError>;

    /// The same objective at the same θ in a more exact arithmetic, to verify with what was found in this one: at the
    /// very θ that this point computes with, after whatever rounding. `None` if this is the most exact there is.
    fn exact(&self) -> Option<Box<dyn Point + '_>> {
        None
    }
}

/// The point that keeps nothing but θ and asks its site each time.
struct Unkept<'a, S: ?Sized> {
    site: &'a S,
    theta: Vec<f64>,
}

impl<S: Site + ?Sized> Point for Unkept<'_, S> {
    fn theta(&self) -> &[f64] {
        &self.theta
    }

    fn convention(&self) -> &Convention {
        self.site.convention()
    }

    fn hvps(&self, tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.site.hvps(&self.theta, tangents, out)
    }

    fn ggn_products(&self, tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.site.ggn_products(&self.theta, tangents, out)
    }

    fn jvps(&self, tangents: &[&[f64]], out: &mut [Matrix]) -> Result<(), SiteError> {
        self.site.jvps(&self.theta, tangents, out)
    }

    fn vjps(&self, cotangents: &[&Matrix], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.site.vjps(&self.theta, cotangents, out)
    }
}
