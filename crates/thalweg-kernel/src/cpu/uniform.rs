//! Uniform numbers from keys that are arguments.
#![expect(unsafe_code, reason = "views were checked against their buffers when the plan was made")]

use rand_chacha::rand_core::Rng;

use super::axes::{MAX_AXES, advance, axes, merged, position};
use super::memory::{Memory, Place};
use crate::random::short_unit;
use crate::{Key, Real};

/// Numbers for each of some keys, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Uniform {
    keys: (usize, usize),
    out: (usize, usize),
    /// The loops over keys with the strides of the two.
    extents: Vec<usize>,
    key_strides: Vec<usize>,
    out_strides: Vec<usize>,
    word_stride: usize,
    /// The numbers of a key in row-major order; the last axis is `run`.
    inner_extents: Vec<usize>,
    inner_strides: Vec<usize>,
    run: (usize, usize),
    stream: u64,
}

impl Uniform {
    /// `None` where there is nothing to draw.
    pub(crate) fn new(keys: &Place, out: &Place, stream: u64) -> Option<Self> {
        let (k, o) = (&keys.layout, &out.layout);
        let Some((&words, leading)) = k.shape.split_last() else {
            panic!("keys have an axis of words: {k:?}")
        };
        let outer = leading.len();
        assert_eq!(words, Key::WORDS, "words of a key");
        assert_eq!(o.shape.get(..outer), Some(leading), "numbers for each key of {k:?} in {o:?}");
        if o.is_empty() {
            return None;
        }
        let walk = merged(axes(leading, &[&k.strides[..outer], &o.strides[..outer]]));
        let mut inside = merged(axes(&o.shape[outer..], &[&o.strides[outer..]]));
        let run = inside.pop().map_or((1, 1), |axis| (axis.extent, axis.strides[0]));
        Some(Self {
            keys: (keys.buffer, k.offset),
            out: (out.buffer, o.offset),
            extents: walk.iter().map(|axis| axis.extent).collect(),
            key_strides: walk.iter().map(|axis| axis.strides[0]).collect(),
            out_strides: walk.iter().map(|axis| axis.strides[1]).collect(),
            word_stride: k.strides[outer],
            inner_extents: inside.iter().map(|axis| axis.extent).collect(),
            inner_strides: inside.iter().map(|axis| axis.strides[0]).collect(),
            run,
            stream,
        })
    }

    pub(crate) fn run<T: Real>(&self, memory: &Memory<'_, T>) {
        let mut counter = [0; MAX_AXES];
        let counter = &mut counter[..self.extents.len()];
        let mut inner = [0; MAX_AXES];
        let inner = &mut inner[..self.inner_extents.len()];
        let (length, step) = self.run;
        loop {
            let from = self.keys.1 + position(counter, &self.key_strides);
            let to = self.out.1 + position(counter, &self.out_strides);
            let mut words = [0; Key::WORDS];
            for (i, word) in words.iter_mut().enumerate() {
                // SAFETY: the keys' view was checked.
                *word = unsafe { *memory.at(self.keys.0, from + i * self.word_stride) }.to_f64() as u32;
            }
            let mut rng = Key::from_words(words).fold_in(self.stream).rng();
            loop {
                let to = to + position(inner, &self.inner_strides);
                for i in 0..length {
                    let value = T::from_f64(f64::from(short_unit(rng.next_u32())));
                    // SAFETY: positions are those of the view, which was checked.
                    unsafe { *memory.at(self.out.0, to + i * step) = value };
                }
                if !advance(inner, &self.inner_extents) {
                    break;
                }
            }
            if !advance(counter, &self.extents) {
                break;
            }
        }
    }
}
