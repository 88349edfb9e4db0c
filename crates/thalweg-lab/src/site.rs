//! A network, a loss and a data set as the site that instruments see.
//!
//! The border is f64 and the network computes in `T`: a point is rounded to `T` when it comes in. Of a line or a plane
//! it is the vectors and the coefficients that are rounded, each once, and the first layer's outputs are combined in
//! `T`: there too nothing accumulates from one point to its neighbour. A site in f32 has a twin in f64, made when it is
//! first asked for, in which [`Point::exact`] verifies.

mod held_out;

use std::sync::{Arc, OnceLock};

use thalweg_geometry::site::{
    BatchNorm, Convention, DataSubset, Dtype, Matrix, Mode, Point, Reduction, Section, Site, SiteError,
    Value, WrittenSection,
};
use thalweg_kernel::Real;
use thalweg_learn::arch::Architecture;
use thalweg_learn::data::Dataset;
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{self, Curvature, Examples, Matrix as Which, Objective};

use held_out::HeldOutSite;

/// Elements of points that are converted and in memory at a time.
const ELEMENTS_TOGETHER: usize = 1 << 25;

/// The mean loss of a network over a whole data set, as a function of θ.
///
/// Evaluation mode, no regulariser: what weight decay adds while training is not part of it. Batch norms take the
/// statistics of the whole data set, anew at every point; derivatives go through them. Results are the same to
/// the last bit on any number of threads and however points are handed over.
pub struct NetworkSite<T: Real> {
    objective: Objective<T>,
    examples: Examples<T>,
    convention: Convention,
    twin: OnceLock<Box<NetworkSite<f64>>>,
}

impl<T: Real> NetworkSite<T> {
    /// Of a network over all examples of `data`.
    ///
    /// # Panics
    /// In use, if the data have other inputs than the network or more classes than it has outputs.
    pub fn new(architecture: Arc<dyn Architecture>, loss: Loss, data: &Dataset) -> Self {
        let has_batch_norm = !architecture.norms().is_empty();
        let convention = Convention {
            loss: loss.convention(),
            reduction: Reduction::Mean,
            data: Some(DataSubset { name: data.name().to_owned(), count: data.examples() }),
            dtype: if T::NAME == "f64" { Dtype::F64 } else { Dtype::F32 },
            mode: Mode::Eval,
            batch_norm: if has_batch_norm { BatchNorm::ReEstimated } else { BatchNorm::Absent },
            ignored_parameters: Vec::new(),
            normalisation: None,
            seed: None,
        };
        let objective = Objective::new(architecture, loss, data.examples());
        Self { objective, examples: Examples::of(data), convention, twin: OnceLock::new() }
    }

    /// The same network's loss over data that it was not trained on. Batch norms keep to the statistics of this site's
    /// data, anew at every point; with them there are values and outputs, and no derivatives.
    pub fn held_out<'t>(&'t self, data: &Dataset) -> Box<dyn Site + 't> {
        match self.convention.batch_norm {
            BatchNorm::Absent => {
                Box::new(Self::new(self.architecture().clone(), self.objective.loss(), data))
            }
            _ => Box::new(HeldOutSite::new(self, data)),
        }
    }

    /// The same function computed in f64, from the same inputs to the bit.
    fn twin(&self) -> &NetworkSite<f64> {
        self.twin.get_or_init(|| {
            let objective = Objective::new(
                self.objective.architecture().clone(),
                self.objective.loss(),
                self.objective.examples(),
            );
            let inputs = widened(&self.examples.inputs);
            let examples = Examples::new(inputs, self.examples.labels.clone());
            let convention = Convention { dtype: Dtype::F64, ..self.convention.clone() };
            Box::new(NetworkSite { objective, examples, convention, twin: OnceLock::new() })
        })
    }

    /// The network.
    pub fn architecture(&self) -> &Arc<dyn Architecture> {
        self.objective.architecture()
    }

    fn jvps_at(&self, theta: &[T], tangents: &[&[f64]], out: &mut [Matrix]) {
        for (tangent, out) in tangents.iter().zip(out) {
            *out = self.matrix(&self.objective.jacobian_product(theta, &rounded(tangent), &self.examples));
        }
    }

    fn vjps_at(&self, theta: &[T], cotangents: &[&Matrix], out: &mut [Vec<f64>]) {
        let mut product = vec![T::ZERO; self.dimension()];
        for (cotangent, out) in cotangents.iter().zip(out) {
            let cotangent = rounded(cotangent.elements());
            self.objective.jacobian_transpose_product(theta, &cotangent, &self.examples, &mut product);
            *out = widened(&product);
        }
    }

    fn matrix(&self, rows: &[T]) -> Matrix {
        Matrix::from_rows(self.objective.examples(), self.architecture().outputs(), widened(rows))
    }
}

impl<T: Real> Site for NetworkSite<T> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }

    fn convention(&self) -> &Convention {
        &self.convention
    }

    fn values(&self, points: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        let values =
            at_points(self.dimension(), points, |points| self.objective.values(points, &self.examples));
        Ok(values.into_iter().map(value).collect())
    }

    fn gradient(&self, theta: &[f64], out: &mut [f64]) -> Result<f64, SiteError> {
        let mut gradient = vec![T::ZERO; out.len()];
        let value = self.objective.gradient(&rounded(theta), &self.examples, &mut gradient);
        out.iter_mut().zip(gradient).for_each(|(out, g)| *out = g.to_f64());
        Ok(value.loss)
    }

    fn hvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        products(tangents, out, |v, hv| {
            self.objective.hessian_products(&rounded(theta), v, &self.examples, hv);
        });
        Ok(())
    }

    fn ggn_products(
        &self,
        theta: &[f64],
        tangents: &[&[f64]],
        out: &mut [Vec<f64>],
    ) -> Result<(), SiteError> {
        products(tangents, out, |v, gv| {
            self.objective.ggn_products(&rounded(theta), v, &self.examples, gv);
        });
        Ok(())
    }

    fn outputs(&self, points: &[&[f64]]) -> Result<Vec<Matrix>, SiteError> {
        let outputs =
            at_points(self.dimension(), points, |points| self.objective.outputs(points, &self.examples));
        Ok(outputs.iter().map(|rows| self.matrix(rows)).collect())
    }

    fn jvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Matrix]) -> Result<(), SiteError> {
        self.jvps_at(&rounded(theta), tangents, out);
        Ok(())
    }

    fn vjps(&self, theta: &[f64], cotangents: &[&Matrix], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.vjps_at(&rounded(theta), cotangents, out);
        Ok(())
    }

    fn at<'a>(&'a self, theta: &[f64]) -> Box<dyn Point + 'a> {
        Box::new(NetworkPoint {
            site: self,
            theta: theta.to_vec(),
            rounded: rounded(theta),
            hessian: OnceLock::new(),
            ggn: OnceLock::new(),
        })
    }

    fn section<'a>(&'a self, vectors: &[&[f64]]) -> Box<dyn Section + 'a> {
        let narrow: Vec<Vec<T>> = vectors.iter().map(|vector| rounded(vector)).collect();
        let narrow: Vec<&[T]> = narrow.iter().map(Vec::as_slice).collect();
        Box::new(NetworkSection {
            kept: self.objective.section(&narrow, &self.examples),
            written: WrittenSection::new(self, vectors),
        })
    }
}

/// A network on the span of a few vectors, whose first layer's outputs are computed with the vectors and kept.
struct NetworkSection<'a, T: Real> {
    kept: objective::Section<'a, T>,
    written: WrittenSection<'a, NetworkSite<T>>,
}

impl<T: Real> Section for NetworkSection<'_, T> {
    /// A value that is not finite is computed again at the point itself: what is kept of a diverged vector makes NaN
    /// where its coefficient is 0, and may overflow where the point does not.
    fn values(&self, coefficients: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        let narrow: Vec<Vec<T>> = coefficients.iter().map(|point| rounded(point)).collect();
        let narrow: Vec<&[T]> = narrow.iter().map(Vec::as_slice).collect();
        let mut values: Vec<Value> = self.kept.values(&narrow).into_iter().map(value).collect();
        let doubtful: Vec<usize> = (0..values.len()).filter(|&k| !values[k].loss.is_finite()).collect();
        let again: Vec<&[f64]> = doubtful.iter().map(|&k| coefficients[k]).collect();
        for (k, value) in doubtful.into_iter().zip(self.written.values(&again)?) {
            values[k] = value;
        }
        Ok(values)
    }
}

/// A network at one θ, which is rounded to `T` once. What products need of θ alone is computed with the first of them
/// and kept.
struct NetworkPoint<'a, T: Real> {
    site: &'a NetworkSite<T>,
    theta: Vec<f64>,
    rounded: Vec<T>,
    hessian: OnceLock<Curvature<'a, T>>,
    ggn: OnceLock<Curvature<'a, T>>,
}

impl<'a, T: Real> NetworkPoint<'a, T> {
    fn curvature(&self, which: Which) -> &Curvature<'a, T> {
        let kept = if which == Which::Hessian { &self.hessian } else { &self.ggn };
        // Solvers that come again and again to one point ask for one product at a time.
        let (site, theta) = (self.site, self.rounded.clone());
        kept.get_or_init(|| site.objective.curvature(which, theta, &site.examples, 1))
    }
}

impl<T: Real> Point for NetworkPoint<'_, T> {
    fn theta(&self) -> &[f64] {
        &self.theta
    }

    fn convention(&self) -> &Convention {
        &self.site.convention
    }

    fn hvps(&self, tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        products(tangents, out, |v, hv| self.curvature(Which::Hessian).products(v, hv));
        Ok(())
    }

    fn ggn_products(&self, tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        products(tangents, out, |v, gv| self.curvature(Which::Ggn).products(v, gv));
        Ok(())
    }

    fn jvps(&self, tangents: &[&[f64]], out: &mut [Matrix]) -> Result<(), SiteError> {
        self.site.jvps_at(&self.rounded, tangents, out);
        Ok(())
    }

    fn vjps(&self, cotangents: &[&Matrix], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.site.vjps_at(&self.rounded, cotangents, out);
        Ok(())
    }

    /// In f64 at the θ that was rounded to `T`.
    fn exact(&self) -> Option<Box<dyn Point + '_>> {
        let is_f64 = self.site.convention.dtype == Dtype::F64;
        (!is_f64).then(|| self.site.twin().at(&widened(&self.rounded)))
    }
}

/// Calls `ask` with the points in `T`, a run of them at a time, and gathers what it returns.
fn at_points<T: Real, R>(dimension: usize, points: &[&[f64]], ask: impl Fn(&[&[T]]) -> Vec<R>) -> Vec<R> {
    let run = (ELEMENTS_TOGETHER / dimension.max(1)).max(1);
    let mut results = Vec::with_capacity(points.len());
    for points in points.chunks(run) {
        let rounded: Vec<Vec<T>> = points.iter().map(|point| rounded(point)).collect();
        let slices: Vec<&[T]> = rounded.iter().map(Vec::as_slice).collect();
        results.extend(ask(&slices));
    }
    results
}

/// A loss without classes has no error.
fn value(value: objective::Value) -> Value {
    Value { loss: value.loss, error: Some(value.error).filter(|error| !error.is_nan()) }
}

/// Hands all tangents over in one call, `[k, n]` row-major.
fn products<T: Real>(tangents: &[&[f64]], out: &mut [Vec<f64>], apply: impl Fn(&[T], &mut [T])) {
    let tangents: Vec<T> = tangents.iter().flat_map(|v| v.iter().map(|&x| T::from_f64(x))).collect();
    let mut flat = vec![T::ZERO; tangents.len()];
    apply(&tangents, &mut flat);
    let dimension = flat.len() / out.len().max(1);
    for (out, product) in out.iter_mut().zip(flat.chunks(dimension.max(1))) {
        *out = widened(product);
    }
}

fn rounded<T: Real>(x: &[f64]) -> Vec<T> {
    x.iter().map(|&x| T::from_f64(x)).collect()
}

fn widened<T: Real>(x: &[T]) -> Vec<f64> {
    x.iter().map(|x| x.to_f64()).collect()
}

#[cfg(test)]
mod tests;
