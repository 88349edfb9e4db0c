//! Every kernel against naive loops over layouts, at every level that the machine has.
//!
//! Structure is tested with small integers and operations that are exact on them, so that every order of a sum and
//! both precisions must give exactly the reference's numbers.

mod contract;
mod convolve;
mod elementary;
mod fused;
mod index;
mod machine;
mod products;
mod reference;
mod uniform;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;

use crate::call::{Call, CallList, Space, View};
use crate::simd::Level;
use crate::{Key, Layout, Machine, Real};

/// A seeded source of cases.
pub(super) struct Cases(ChaCha12Rng);

impl Cases {
    pub(super) fn new(name: &str, number: u64) -> Self {
        Self(Key::from_seed(1).named(name).fold_in(number).rng())
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }

    pub(super) fn pick<U: Copy>(&mut self, from: &[U]) -> U {
        from[self.below(from.len())]
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A whole number in −3..=3.
    pub(super) fn whole(&mut self) -> f64 {
        self.below(7) as f64 - 3.0
    }

    /// A uniform number in [−1, 1).
    pub(super) fn real(&mut self) -> f64 {
        (self.0.next_u64() >> 40) as f64 / 2f64.powi(23) - 1.0
    }

    /// Some axes with at most `most` elements in all.
    pub(super) fn shape(&mut self, most: usize) -> Vec<usize> {
        let rank = self.below(6);
        let mut left = most;
        (0..rank)
            .map(|_| {
                let extent =
                    self.pick(&[0, 1, 1, 2, 3, 3, 5, 7, 8, 10, 16, 17, 33, 64, 70, 130, 515, 1100, 2100]);
                let extent = if extent == 0 && self.chance(80) { 4 } else { extent }.min(left.max(1));
                left /= extent.max(1);
                extent
            })
            .collect()
    }

    /// A layout of that shape: axes in any order of memory, gaps, an offset; repeats if asked for.
    pub(super) fn layout(&mut self, shape: &[usize], repeats: bool) -> Layout {
        let mut order: Vec<usize> = (0..shape.len()).collect();
        if self.chance(40) {
            for i in (1..order.len()).rev() {
                order.swap(i, self.below(i + 1));
            }
        }
        let gaps = self.chance(30);
        let mut strides = vec![0; shape.len()];
        let mut next = if gaps && self.chance(50) { 2 } else { 1 };
        for &axis in order.iter().rev() {
            if repeats && self.chance(30) {
                continue;
            }
            strides[axis] = next;
            next *= shape[axis].max(1);
            if gaps {
                next += self.below(4);
            }
        }
        Layout { offset: self.below(4), shape: shape.to_vec(), strides }
    }
}

/// A list under construction with the contents of its inputs.
#[derive(Default)]
pub(super) struct Bench {
    pub(super) list: CallList,
    pub(super) inputs: Vec<Vec<f64>>,
    pub(super) indices: Vec<Vec<i32>>,
}

impl Bench {
    /// A fresh input that the layout fits.
    pub(super) fn input(&mut self, layout: Layout, value: impl FnMut() -> f64) -> View {
        let size = layout.end() + 1;
        self.list.inputs.push(size);
        self.inputs.push(std::iter::repeat_with(value).take(size).collect());
        View { space: Space::Input(self.inputs.len() - 1), layout }
    }

    /// A fresh output that the layout fits.
    pub(super) fn output(&mut self, layout: Layout) -> View {
        self.list.outputs.push(layout.end() + 2);
        View { space: Space::Output(self.list.outputs.len() - 1), layout }
    }

    /// A fresh part of the arena.
    pub(super) fn arena(&mut self, mut layout: Layout) -> View {
        layout.offset += self.list.arena;
        self.list.arena = layout.end() + 1;
        View { space: Space::Arena, layout }
    }

    /// A fresh part of scratch memory.
    pub(super) fn scratch(&mut self, mut layout: Layout) -> View {
        layout.offset += self.list.scratch;
        self.list.scratch = layout.end() + 1;
        View { space: Space::Scratch, layout }
    }

    pub(super) fn call(&mut self, call: Call) {
        self.list.calls.push(call);
    }

    /// Outputs of the machine at a level; what no call writes is −7. Products that are cut come to the same bits.
    pub(super) fn run<T: Real>(&self, level: Level) -> Vec<Vec<f64>> {
        let machine = Machine::<T>::with_level(&self.list, level);
        let bits = |outputs: &[Vec<f64>]| -> Vec<Vec<u64>> {
            outputs.iter().map(|x| x.iter().map(|x| x.to_bits()).collect()).collect()
        };
        let whole = self.run_on(&machine);
        for parts in [2, 5] {
            let cut = self.run_on(&machine.clone().cut(parts, 1));
            assert_eq!(bits(&cut), bits(&whole), "{parts} parts, {level:?}\n{:#?}", self.list.calls);
        }
        whole
    }

    fn run_on<T: Real>(&self, machine: &Machine<T>) -> Vec<Vec<f64>> {
        let inputs: Vec<Vec<T>> =
            self.inputs.iter().map(|x| x.iter().map(|&x| T::from_f64(x)).collect()).collect();
        let inputs: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
        let indices: Vec<&[i32]> = self.indices.iter().map(Vec::as_slice).collect();
        let mut outputs: Vec<Vec<T>> =
            self.list.outputs.iter().map(|&n| vec![T::from_f64(-7.0); n]).collect();
        let mut slices: Vec<&mut [T]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        machine.run(&mut machine.arena(), &mut machine.scratch(), &inputs, &indices, &mut slices);
        outputs.iter().map(|x| x.iter().map(|x| x.to_f64()).collect()).collect()
    }

    /// Requires the reference's numbers exactly, in both precisions at every level. False if they are too large to
    /// be exact in single precision.
    pub(super) fn exact(&self, what: &str) -> bool {
        let (expected, largest) = reference::run(self);
        if largest >= 2f64.powi(24) {
            return false;
        }
        for level in Level::available() {
            for (name, found) in [("f32", self.run::<f32>(level)), ("f64", self.run::<f64>(level))] {
                for (slot, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
                        let same = f == e || (f.is_nan() && e.is_nan());
                        assert!(
                            same,
                            "{what}, {name}, {level:?}: output {slot}[{i}] is {f}, not {e}\n{:#?}",
                            self.list.calls
                        );
                    }
                }
            }
        }
        true
    }
}
