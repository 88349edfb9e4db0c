//! A network without nonlinearity: a landscape that is not convex and has outputs.

use crate::site::{Convention, DataSubset, Matrix, Reduction, Site, SiteError, Value};
use thalweg_kernel::Key;

/// x ↦ W₂W₁x with the mean over examples of ½‖W₂W₁x − y‖².
///
/// θ is W₁ (hidden × inputs), then W₂ (outputs × hidden), both row by row. Every critical point is a global minimum
/// or a saddle (Baldi & Hornik 1989).
#[derive(Clone, Debug)]
pub struct DeepLinear {
    inputs: usize,
    hidden: usize,
    outputs: usize,
    x: Vec<f64>,
    y: Vec<f64>,
    convention: Convention,
}

/// What one example's forward pass leaves behind.
struct Pass {
    h: Vec<f64>,
    f: Vec<f64>,
}

/// out ← out + A·v for a row-major A.
fn add_product(out: &mut [f64], a: &[f64], v: &[f64]) {
    for (out, row) in out.iter_mut().zip(a.chunks(v.len())) {
        *out += row.iter().zip(v).map(|(a, v)| a * v).sum::<f64>();
    }
}

/// out ← out + Aᵀ·u for a row-major A.
fn add_transposed_product(out: &mut [f64], a: &[f64], u: &[f64]) {
    for (u, row) in u.iter().zip(a.chunks(out.len())) {
        out.iter_mut().zip(row).for_each(|(out, a)| *out += a * u);
    }
}

/// A ← A + s·uvᵀ for a row-major A.
fn add_outer(a: &mut [f64], s: f64, u: &[f64], v: &[f64]) {
    for (u, row) in u.iter().zip(a.chunks_mut(v.len())) {
        row.iter_mut().zip(v).for_each(|(a, v)| *a += s * u * v);
    }
}

impl DeepLinear {
    /// The network of [inputs, hidden, outputs] units on these examples: x and y row by row, an example a row.
    ///
    /// # Panics
    /// If a width is 0 or the lengths of x and y are not those of the same number (> 0) of examples.
    pub fn new([inputs, hidden, outputs]: [usize; 3], x: Vec<f64>, y: Vec<f64>) -> Self {
        assert!(inputs * hidden * outputs > 0, "widths {inputs}, {hidden}, {outputs}");
        let examples = x.len() / inputs;
        assert!(examples > 0 && x.len() == examples * inputs, "{} inputs of {inputs} each", x.len());
        assert_eq!(y.len(), examples * outputs, "targets of {examples} examples");
        let mut convention = Convention::analytic("half squared error");
        convention.reduction = Reduction::Mean;
        convention.data = Some(DataSubset { name: "deep linear".into(), count: examples });
        Self { inputs, hidden, outputs, x, y, convention }
    }

    /// Inputs and targets of that many examples, all standard normal.
    pub fn random(widths: [usize; 3], examples: usize, key: &Key) -> Self {
        let (mut x, mut y) = (vec![0.0; examples * widths[0]], vec![0.0; examples * widths[2]]);
        key.named("inputs").normals(&mut x);
        key.named("targets").normals(&mut y);
        Self::new(widths, x, y)
    }

    fn examples(&self) -> usize {
        self.x.len() / self.inputs
    }

    fn split<'t>(&self, theta: &'t [f64]) -> (&'t [f64], &'t [f64]) {
        theta.split_at(self.hidden * self.inputs)
    }

    fn split_mut<'t>(&self, theta: &'t mut [f64]) -> (&'t mut [f64], &'t mut [f64]) {
        theta.split_at_mut(self.hidden * self.inputs)
    }

    fn x(&self, example: usize) -> &[f64] {
        &self.x[example * self.inputs..(example + 1) * self.inputs]
    }

    fn y(&self, example: usize) -> &[f64] {
        &self.y[example * self.outputs..(example + 1) * self.outputs]
    }

    fn forward(&self, theta: &[f64], example: usize) -> Pass {
        let (w1, w2) = self.split(theta);
        let (mut h, mut f) = (vec![0.0; self.hidden], vec![0.0; self.outputs]);
        add_product(&mut h, w1, self.x(example));
        add_product(&mut f, w2, &h);
        Pass { h, f }
    }

    fn residual(&self, f: &[f64], example: usize) -> Vec<f64> {
        f.iter().zip(self.y(example)).map(|(f, y)| f - y).collect()
    }

    /// The tangents of h and f.
    fn push_forward(&self, theta: &[f64], v: &[f64], pass: &Pass, example: usize) -> Pass {
        let (_, w2) = self.split(theta);
        let (v1, v2) = self.split(v);
        let (mut h, mut f) = (vec![0.0; self.hidden], vec![0.0; self.outputs]);
        add_product(&mut h, v1, self.x(example));
        add_product(&mut f, w2, &h);
        add_product(&mut f, v2, &pass.h);
        Pass { h, f }
    }

    /// out ← out + s·Jᵀu for one example.
    fn pull_back(&self, theta: &[f64], pass: &Pass, u: &[f64], s: f64, example: usize, out: &mut [f64]) {
        let (_, w2) = self.split(theta);
        let (out1, out2) = self.split_mut(out);
        let mut below = vec![0.0; self.hidden];
        add_transposed_product(&mut below, w2, u);
        add_outer(out1, s, &below, self.x(example));
        add_outer(out2, s, u, &pass.h);
    }

    fn loss(&self, theta: &[f64]) -> f64 {
        let sum: f64 = (0..self.examples())
            .map(|i| {
                let r = self.residual(&self.forward(theta, i).f, i);
                0.5 * r.iter().map(|r| r * r).sum::<f64>()
            })
            .sum();
        sum / self.examples() as f64
    }
}

impl Site for DeepLinear {
    fn dimension(&self) -> usize {
        self.hidden * (self.inputs + self.outputs)
    }

    fn convention(&self) -> &Convention {
        &self.convention
    }

    fn values(&self, points: &[&[f64]]) -> Result<Vec<Value>, SiteError> {
        Ok(super::losses(points, |theta| self.loss(theta)))
    }

    fn gradient(&self, theta: &[f64], out: &mut [f64]) -> Result<f64, SiteError> {
        out.fill(0.0);
        let mean = 1.0 / self.examples() as f64;
        for i in 0..self.examples() {
            let pass = self.forward(theta, i);
            self.pull_back(theta, &pass, &self.residual(&pass.f, i), mean, i, out);
        }
        Ok(self.loss(theta))
    }

    fn hvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        self.ggn_products(theta, tangents, out)?;
        // The rest is Σ r·∇²f/N: f is bilinear, so only the mixed second derivatives are there.
        let mean = 1.0 / self.examples() as f64;
        for (v, out) in tangents.iter().zip(out) {
            let (v1, v2) = self.split(v);
            let (out1, out2) = self.split_mut(out);
            for i in 0..self.examples() {
                let r = self.residual(&self.forward(theta, i).f, i);
                let (mut below, mut h) = (vec![0.0; self.hidden], vec![0.0; self.hidden]);
                add_transposed_product(&mut below, v2, &r);
                add_product(&mut h, v1, self.x(i));
                add_outer(out1, mean, &below, self.x(i));
                add_outer(out2, mean, &r, &h);
            }
        }
        Ok(())
    }

    fn ggn_products(
        &self,
        theta: &[f64],
        tangents: &[&[f64]],
        out: &mut [Vec<f64>],
    ) -> Result<(), SiteError> {
        let mean = 1.0 / self.examples() as f64;
        for (v, out) in tangents.iter().zip(out) {
            out.fill(0.0);
            for i in 0..self.examples() {
                let pass = self.forward(theta, i);
                // The loss's Hessian in the outputs is the identity.
                let moved = self.push_forward(theta, v, &pass, i).f;
                self.pull_back(theta, &pass, &moved, mean, i, out);
            }
        }
        Ok(())
    }

    fn outputs(&self, points: &[&[f64]]) -> Result<Vec<Matrix>, SiteError> {
        let output = |theta: &&[f64]| {
            let elements = (0..self.examples()).flat_map(|i| self.forward(theta, i).f).collect();
            Matrix::from_rows(self.examples(), self.outputs, elements)
        };
        Ok(points.iter().map(output).collect())
    }

    fn jvps(&self, theta: &[f64], tangents: &[&[f64]], out: &mut [Matrix]) -> Result<(), SiteError> {
        for (v, out) in tangents.iter().zip(out) {
            for (i, row) in out.elements_mut().chunks_mut(self.outputs).enumerate() {
                row.copy_from_slice(&self.push_forward(theta, v, &self.forward(theta, i), i).f);
            }
        }
        Ok(())
    }

    fn vjps(&self, theta: &[f64], cotangents: &[&Matrix], out: &mut [Vec<f64>]) -> Result<(), SiteError> {
        for (u, out) in cotangents.iter().zip(out) {
            out.fill(0.0);
            for i in 0..self.examples() {
                self.pull_back(theta, &self.forward(theta, i), u.row(i), 1.0, i, out);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::{difference, dot, norm};

    fn normals(n: usize, key: &Key) -> Vec<f64> {
        let mut v = vec![0.0; n];
        key.normals(&mut v);
        v
    }

    #[test]
    fn jacobian_products_are_adjoint_and_make_the_gauss_newton_matrix() {
        let key = Key::from_seed(5).named("deep linear");
        let site = DeepLinear::random([3, 4, 2], 6, &key);
        let n = site.dimension();
        let (theta, v) = (normals(n, &key.fold_in(0)), normals(n, &key.fold_in(1)));
        let u = Matrix::from_rows(6, 2, normals(12, &key.fold_in(2)));
        let point = site.at(&theta);
        let mut pushed = [Matrix::zeros(6, 2)];
        point.jvps(&[&v], &mut pushed).unwrap();
        let mut pulled = [vec![f64::NAN; n]];
        point.vjps(&[&u], &mut pulled).unwrap();
        let (left, right) = (dot(pushed[0].elements(), u.elements()), dot(&v, &pulled[0]));
        assert!((left - right).abs() < 1e-12 * (1.0 + left.abs()), "{left} {right}");

        let step = 1e-6;
        let ahead: Vec<f64> = theta.iter().zip(&v).map(|(t, v)| t + step * v).collect();
        let f = site.outputs(&[&theta, &ahead]).unwrap();
        let slope: Vec<f64> = difference(f[1].elements(), f[0].elements()).iter().map(|x| x / step).collect();
        assert!(norm(&difference(&slope, pushed[0].elements())) < 1e-4);

        let mut ggn = [vec![f64::NAN; n]];
        point.ggn_products(&[&v], &mut ggn).unwrap();
        point.vjps(&[&pushed[0]], &mut pulled).unwrap();
        pulled[0].iter_mut().for_each(|x| *x /= 6.0);
        assert!(norm(&difference(&ggn[0], &pulled[0])) < 1e-12 * norm(&ggn[0]));
    }
}
