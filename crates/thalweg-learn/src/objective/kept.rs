//! What one program keeps for another: arrays with an axis of examples, cut into shards like the examples themselves.

use std::ops::Range;

use thalweg_kernel::{Layout, Real};
use thalweg_program::builder::{Builder, Var};
use thalweg_program::compile::Binding;
use thalweg_program::evaluate::{Data, Point, Role, Sharded};
use thalweg_program::ir::{Program, Type};

use super::{Examples, Objective};

/// Memory that what is kept may take, in bytes.
pub(super) const BUDGET: usize = 1 << 30;

/// The order in memory of what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// As the arrays have their axes: where those who write and those who read cut the examples alike.
    Shards,
    /// Example by example, however the examples are cut.
    Examples,
}

/// Which of a program's results are kept.
///
/// What has no axis of examples would be computed by every shard and is small: whoever reads it computes it again.
pub(super) struct Kept {
    arrays: Vec<Array>,
}

struct Array {
    /// Number of the result.
    result: usize,
    ty: Type,
    /// Which axis numbers the examples.
    axis: usize,
    /// Elements an example.
    width: usize,
}

impl Kept {
    /// Of the results of `program`, written for so many examples; `longer` is the same written for one more.
    pub(super) fn of(program: &Program, longer: &Program, examples: usize) -> Self {
        let (types, longer) = (program.output_types(), longer.output_types());
        let array = |(result, (ty, longer)): (usize, (&&Type, &&Type))| {
            let mut grows = (0..ty.shape.len()).filter(|&axis| ty.shape[axis] != longer.shape[axis]);
            let (axis, None) = (grows.next()?, grows.next()) else { return None };
            let ty = (*ty).clone();
            // An axis that holds several numbers an example may hold them in any order.
            (ty.shape[axis] == examples && longer.shape[axis] == examples + 1).then(|| Array {
                result,
                axis,
                width: ty.len() / examples,
                ty,
            })
        };
        Self { arrays: types.iter().zip(&longer).enumerate().filter_map(array).collect() }
    }

    /// What each is to the program that writes them.
    pub(super) fn roles(&self) -> Vec<Role> {
        self.arrays.iter().map(|array| Role::Rows(array.width)).collect()
    }

    /// Where they lie in memory: a slot each from `slot` on.
    pub(super) fn bindings(&self, order: Order, slot: usize) -> Vec<Binding> {
        let layout = |array: &Array| {
            let mut shape = array.ty.shape.clone();
            let first = if order == Order::Examples { array.axis } else { 0 };
            shape[..=first].rotate_right(1);
            let mut layout = Layout::contiguous(0, &shape);
            layout.shape[..=first].rotate_left(1);
            layout.strides[..=first].rotate_left(1);
            layout
        };
        let bound = |(slot, array): (usize, &Array)| Binding { slot, layout: layout(array) };
        (slot..).zip(&self.arrays).map(bound).collect()
    }

    /// The program that computes them.
    pub(super) fn writer(&self, program: &Program) -> Program {
        let mut program = program.clone();
        program.outputs = self.arrays.iter().map(|array| program.outputs[array.result]).collect();
        program
    }

    /// Those among a range of the results.
    pub(super) fn within(mut self, results: Range<usize>) -> Self {
        self.arrays.retain(|array| results.contains(&array.result));
        self
    }

    /// New arguments of the builder that hold them, each with the number of its result.
    pub(super) fn arguments<'b>(&self, builder: &'b Builder) -> Vec<(usize, Var<'b>)> {
        self.arrays.iter().map(|array| (array.result, builder.input(array.ty.clone()))).collect()
    }

    /// All results of `program` for its arguments `x`: new arguments of the builder for what is kept, the rest computed.
    pub(super) fn results<'b>(&self, builder: &'b Builder, program: &Program, x: &[Var<'b>]) -> Vec<Var<'b>> {
        let mut results = builder.call(program, x);
        for (result, value) in self.arguments(builder) {
            results[result] = value;
        }
        results
    }
}

/// Calls with the examples and what was kept of them.
pub(super) fn with_data<'d, T: Real, R>(
    objective: &Objective<T>,
    examples: &'d Examples<T>,
    kept: &[(&'d [T], usize)],
    with: impl FnOnce(Data<'_, T>) -> R,
) -> R {
    let rows = [&objective.rows(examples), kept].concat();
    let labels = [(&examples.labels[..], objective.architecture().positions())];
    with(Data { rows: &rows, indices: &labels })
}

/// The arrays that a program keeps at each of the points, one point's after another's.
pub(super) fn kept_at<T: Real>(
    objective: &Objective<T>,
    program: &Sharded<T>,
    points: &[&[T]],
    examples: &Examples<T>,
) -> Vec<(Vec<T>, usize)> {
    let each = program.widths().count();
    let arrays = |width| (vec![T::ZERO; width * objective.examples()], width);
    let mut kept: Vec<(Vec<T>, usize)> = points.iter().flat_map(|_| program.widths().map(arrays)).collect();
    if each == 0 {
        return kept;
    }
    let pairs = points.iter().zip(kept.chunks_mut(each));
    let mut points: Vec<Point<'_, T>> = pairs
        .map(|(&theta, kept)| {
            let rows = kept.iter_mut().map(|(array, _)| &mut array[..]).collect();
            Point { rows, ..Point::scalars(vec![theta]) }
        })
        .collect();
    with_data(objective, examples, &[], |data| program.evaluate(&mut points, data));
    drop(points);
    kept
}
