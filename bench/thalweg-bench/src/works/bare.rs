//! One product or convolution by itself, its rows or examples cut into shards as in training.

use std::sync::Arc;

use serde_json::{Value, json};
use thalweg_kernel::Key;
use thalweg_program::builder::Builder;
use thalweg_program::compile::Signature;
use thalweg_program::evaluate::{Cut, Data, Point, Role, Sharded};
use thalweg_program::ir::Program;
use thalweg_program::prim::Slide;
use thalweg_program::transform::jacobian_transpose_product;

use super::Task;
use crate::arrays::{Array, Operands, real};
use crate::problem::normals;

/// Which linear map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bare {
    /// The product of two square matrices.
    Product {
        /// Rows and columns.
        size: usize,
    },
    /// A 3×3 convolution that keeps channels and size, or one of its adjoints.
    Convolution {
        /// Channels that come in and go out.
        channels: usize,
        /// Height and width.
        size: usize,
        /// Which of the three maps.
        map: Map,
    },
}

/// The three maps of a convolution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Map {
    /// To the outputs.
    Forward,
    /// From cotangents of the outputs to those of the inputs.
    InputAdjoint,
    /// From cotangents of the outputs to those of the weights.
    WeightAdjoint,
}

/// Images in a batch.
const BATCH: usize = 128;
const TAPS: usize = 3;
/// Rows of a shard of a product: a large product in each of two threads.
const PRODUCT_ROWS: usize = 1024;

impl Bare {
    /// What it is called among the kinds of works.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Product { .. } => "product",
            Self::Convolution { map: Map::Forward, .. } => "forward",
            Self::Convolution { map: Map::InputAdjoint, .. } => "input_adjoint",
            Self::Convolution { map: Map::WeightAdjoint, .. } => "weight_adjoint",
        }
    }

    /// Multiplications and additions. Taps that lie on the padding count: the usual convention.
    pub(super) fn flops(self) -> usize {
        match self {
            Self::Product { size } => 2 * size * size * size,
            Self::Convolution { channels, size, .. } => {
                2 * BATCH * size * size * channels * channels * TAPS * TAPS
            }
        }
    }

    fn cut(self) -> Cut {
        match self {
            Self::Product { size } => Cut::by(size, PRODUCT_ROWS),
            Self::Convolution { .. } => Cut::new(BATCH),
        }
    }

    /// Shape of what all rows share, the weights, and of one row, which is that of a result's row, too.
    fn shapes(self) -> (Vec<usize>, Vec<usize>) {
        match self {
            Self::Product { size } => (vec![size, size], vec![size]),
            Self::Convolution { channels, size, .. } => {
                (vec![channels, channels, TAPS, TAPS], vec![size, size, channels])
            }
        }
    }

    /// The program for so many rows: weights and rows, for an adjoint cotangents, too, to the one result.
    fn program(self, rows: usize) -> Program {
        let (weights, row) = self.shapes();
        let builder = Builder::new();
        let w = builder.real(&weights);
        let x = builder.real(&[&[rows][..], &row].concat());
        let y = match self {
            Self::Product { .. } => x.matmul(w),
            Self::Convolution { .. } => x.convolve(w, &[Slide { padding: [1, 1], ..Slide::default() }; 2], 1),
        };
        let forward = builder.finish(&[y]).expect("shapes that fit");
        match self {
            Self::Product { .. } | Self::Convolution { map: Map::Forward, .. } => forward,
            Self::Convolution { map: Map::InputAdjoint, .. } => jacobian_transpose_product(&forward, &[1]),
            Self::Convolution { map: Map::WeightAdjoint, .. } => jacobian_transpose_product(&forward, &[0]),
        }
    }

    fn takes_cotangents(self) -> bool {
        matches!(self, Self::Convolution { map: Map::InputAdjoint | Map::WeightAdjoint, .. })
    }

    fn role(self) -> Role {
        match self {
            Self::Convolution { map: Map::WeightAdjoint, .. } => Role::Sum,
            _ => Role::Rows(self.shapes().1.iter().product()),
        }
    }
}

/// Standard normal weights and rows. Images are channels last, filters `[out, in, height, width]`.
pub(super) struct BareOperands {
    bare: Bare,
    weights: Vec<f32>,
    rows: Vec<f32>,
    cotangents: Vec<f32>,
}

impl BareOperands {
    pub(super) fn new(bare: Bare) -> Self {
        let key = Key::from_seed(0).named("bench");
        let (weights, row) = bare.shapes();
        let elements = bare.cut().examples * row.iter().product::<usize>();
        Self {
            bare,
            weights: normals(weights.iter().product(), key.named("weights")),
            rows: normals(elements, key.named("rows")),
            cotangents: normals(elements, key.named("cotangents")),
        }
    }
}

impl Operands for BareOperands {
    fn describe(&self) -> Value {
        json!({})
    }

    fn arrays(&self) -> Vec<Array<'_>> {
        let (weights, row) = self.bare.shapes();
        let rows = [&[self.bare.cut().examples][..], &row].concat();
        vec![
            real("weights", weights, &self.weights),
            real("rows", rows.clone(), &self.rows),
            real("cotangents", rows, &self.cotangents),
        ]
    }
}

/// The map applied to all rows.
pub(super) struct Application {
    operands: Arc<BareOperands>,
    program: Sharded<f32>,
    result: Vec<f32>,
}

impl Application {
    pub(super) fn new(operands: Arc<BareOperands>) -> Self {
        let bare = operands.bare;
        let write = |rows| {
            let program = bare.program(rows);
            let signature = Signature::separate(&program);
            (program, signature)
        };
        let elements = match bare.role() {
            Role::Sum => operands.weights.len(),
            _ => operands.rows.len(),
        };
        let program = Sharded::new(bare.cut(), &[bare.role()], write);
        Self { program, result: vec![0.0; elements], operands }
    }
}

impl Task for Application {
    fn run(&mut self) {
        let BareOperands { bare, weights, rows, cotangents } = &*self.operands;
        let width = bare.shapes().1.iter().product();
        let all_rows = [(&rows[..], width), (&cotangents[..], width)];
        let rows = if bare.takes_cotangents() { &all_rows[..] } else { &all_rows[..1] };
        let mut point = Point::scalars(vec![weights]);
        match bare.role() {
            Role::Sum => point.sums = vec![&mut self.result],
            _ => point.rows = vec![&mut self.result],
        }
        self.program.evaluate(std::slice::from_mut(&mut point), Data { rows, indices: &[] });
    }

    fn results(&mut self) -> Vec<(&'static str, Vec<f32>)> {
        self.run();
        vec![("result", self.result.clone())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(bare: Bare) -> (Arc<BareOperands>, Vec<f32>) {
        let operands = Arc::new(BareOperands::new(bare));
        (Arc::clone(&operands), Application::new(operands).results().remove(0).1)
    }

    fn dot(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }

    #[test]
    fn a_product_is_one() {
        let (operands, result) = result(Bare::Product { size: 6 });
        let column: Vec<f32> = (0..6).map(|row| operands.weights[6 * row + 2]).collect();
        assert!((f64::from(result[6 * 4 + 2]) - dot(&operands.rows[24..30], &column)).abs() < 1e-5);
    }

    #[test]
    fn the_maps_of_a_convolution_are_adjoint() {
        let on = |map| result(Bare::Convolution { channels: 3, size: 4, map });
        let ((operands, forward), (_, input), (_, weights)) =
            (on(Map::Forward), on(Map::InputAdjoint), on(Map::WeightAdjoint));
        let form = dot(&operands.cotangents, &forward);
        for other in [dot(&operands.rows, &input), dot(&operands.weights, &weights)] {
            assert!((form - other).abs() < 1e-4 * form.abs().max(1.0), "{form} and {other}");
        }
    }
}
