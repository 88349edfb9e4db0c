//! The buffers of a run.
#![expect(unsafe_code, reason = "one aligned allocation is cut into the buffers of the kernels")]

use std::marker::PhantomData;

use crate::call::{CallList, Space, View};
use crate::math::Float;
use crate::simd::Level;
use crate::{Layout, Real};

/// Elements of a block buffer: one value of a tape over one tile. A handful of them fit the first-level cache.
pub(crate) const fn block<T>() -> usize {
    4096 / size_of::<T>()
}

/// Elements between block buffers: kernels may round a length up or write past a row within the slack.
pub(crate) const fn block_stride<T>() -> usize {
    block::<T>() + 32
}

/// A view whose buffer is known by number: the inputs, then the outputs, the arena and the scratch memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) buffer: usize,
    pub(crate) layout: Layout,
}

impl Place {
    /// Whether the stretches of memory that the two span meet.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let (a, b) = (&self.layout, &other.layout);
        self.buffer == other.buffer && a.offset < b.end() && b.offset < a.end()
    }
}

/// Numbers the buffers of a list and checks every view against its buffer.
pub struct Places<'a>(pub(crate) &'a CallList);

impl Places<'_> {
    fn place(&self, view: &View) -> Place {
        let list = self.0;
        let (buffer, size) = match view.space {
            Space::Input(i) => (i, list.inputs.get(i)),
            Space::Output(i) => (list.inputs.len() + i, list.outputs.get(i)),
            Space::Arena => (list.inputs.len() + list.outputs.len(), Some(&list.arena)),
            Space::Scratch => (list.inputs.len() + list.outputs.len() + 1, Some(&list.scratch)),
        };
        let Some(&size) = size else { panic!("{:?} is no slot of the list", view.space) };
        let layout = view.layout.clone();
        assert_eq!(layout.shape.len(), layout.strides.len(), "a view needs one stride an axis: {view:?}");
        assert_countable(&layout.shape);
        assert!(
            layout.shape.contains(&0) || checked_end(&layout).is_some_and(|end| end <= size),
            "a view leaves its buffer of {size} elements: {view:?}"
        );
        Place { buffer, layout }
    }

    /// Whether it lies in the arena.
    pub(crate) fn is_arena(&self, place: &Place) -> bool {
        place.buffer == self.0.inputs.len() + self.0.outputs.len()
    }

    /// A view that is read.
    pub(crate) fn source(&self, view: &View) -> Place {
        self.place(view)
    }

    /// A view that is written.
    pub(crate) fn destination(&self, view: &View) -> Place {
        assert!(!matches!(view.space, Space::Input(_)), "a call writes to an input: {view:?}");
        self.place(view)
    }
}

/// Refuses a space whose elements no index can count (repeats make that possible in a small buffer).
pub(crate) fn assert_countable(shape: &[usize]) {
    let count = shape.iter().try_fold(1usize, |count, &extent| count.checked_mul(extent.max(1)));
    assert!(count.is_some_and(|count| count <= isize::MAX as usize), "too many elements to count: {shape:?}");
}

/// `Layout::end` without wrapping.
fn checked_end(layout: &Layout) -> Option<usize> {
    let mut end = layout.offset.checked_add(1)?;
    for (&extent, &stride) in layout.shape.iter().zip(&layout.strides) {
        end = end.checked_add((extent - 1).checked_mul(stride)?)?;
    }
    Some(end)
}

/// What the plans of a machine need besides the buffers of its list.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Block buffers.
    pub(crate) registers: usize,
    /// Pointers of one fused call.
    pub(crate) slots: usize,
    /// Sums across tiles, in double precision.
    pub(crate) accumulators: usize,
    /// Elements that a matrix product packs and sums in.
    pub(crate) workspace: usize,
    /// Distinct constants, as bits; each has a block of its own that repeats it.
    pub(crate) constants: Vec<u64>,
}

impl Needs {
    /// The number of the constant with these bits.
    pub(crate) fn constant(&mut self, bits: u64) -> usize {
        if let Some(found) = self.constants.iter().position(|&c| c == bits) {
            return found;
        }
        self.constants.push(bits);
        self.constants.len() - 1
    }
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// A zeroed buffer that begins on a cache line.
struct Aligned(Vec<Line>);

impl Aligned {
    fn new<U>(elements: usize) -> Self {
        Self(vec![Line([0; 64]); (elements * size_of::<U>()).div_ceil(64)])
    }

    fn pointer<U>(&mut self) -> *mut U {
        self.0.as_mut_ptr().cast()
    }
}

/// What one evaluation keeps from phase to phase. Made by [`crate::Machine::arena`]; keep one for each evaluation that is under
/// way. Its contents between evaluations mean nothing.
pub struct Arena<T: Real> {
    memory: Aligned,
    precision: PhantomData<T>,
    /// Which machine it was made by.
    pub(crate) owner: u64,
}

impl<T: Real> std::fmt::Debug for Arena<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Arena<{}>({} cache lines)", T::NAME, self.memory.0.len())
    }
}

impl<T: Real> Arena<T> {
    pub(crate) fn new(elements: usize, owner: u64) -> Self {
        Self { memory: Aligned::new::<T>(elements), precision: PhantomData, owner }
    }

    /// All of it, in whole cache lines: what evaluations that run together sum between two phases.
    pub fn elements_mut(&mut self) -> &mut [T] {
        let elements = self.memory.0.len() * (64 / size_of::<T>());
        // SAFETY: the lines hold so many elements, and any bits are a real number.
        unsafe { std::slice::from_raw_parts_mut(self.memory.pointer(), elements) }
    }
}

/// Working memory of a run: what a phase makes and reads itself, block buffers, room to pack factors. Made by
/// [`crate::Machine::scratch`]; keep one a thread. Its contents between runs mean nothing.
pub struct Scratch<T: Real> {
    memory: Aligned,
    registers: Aligned,
    constants: Aligned,
    accumulators: Aligned,
    workspace: Aligned,
    slots: Vec<*mut T>,
    bases: Vec<*mut T>,
    /// Which machine it was made by.
    pub(crate) owner: u64,
}

// SAFETY: the pointers in `slots` and `bases` are written before they are read within one run, which borrows the
// scratch mutably; between runs nothing follows them.
unsafe impl<T: Real> Send for Scratch<T> {}
// SAFETY: a shared scratch offers no operation at all.
unsafe impl<T: Real> Sync for Scratch<T> {}

impl<T: Real> std::fmt::Debug for Scratch<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scratch<{}>({} cache lines of values)", T::NAME, self.memory.0.len())
    }
}

impl<T: Real> Scratch<T> {
    pub(crate) fn new(list: &SpaceSizes, needs: &Needs, owner: u64) -> Self {
        let mut constants = Aligned::new::<T>(needs.constants.len() * block_stride::<T>());
        for (i, &bits) in needs.constants.iter().enumerate() {
            let value = T::from_f64(f64::from_bits(bits));
            for j in 0..block_stride::<T>() {
                // SAFETY: i·stride + j is below the length allocated above.
                unsafe { *constants.pointer::<T>().add(i * block_stride::<T>() + j) = value };
            }
        }
        Self {
            memory: Aligned::new::<T>(list.scratch),
            registers: Aligned::new::<T>(needs.registers * block_stride::<T>()),
            constants,
            accumulators: Aligned::new::<f64>(needs.accumulators),
            workspace: Aligned::new::<T>(needs.workspace),
            slots: vec![std::ptr::null_mut(); needs.slots],
            bases: vec![std::ptr::null_mut(); list.inputs.len() + list.outputs.len() + 2],
            owner,
        }
    }

    /// The buffers of one run, as pointers.
    pub(crate) fn memory<'a>(
        &'a mut self,
        arena: &'a mut Arena<T>,
        inputs: &'a [&[T]],
        indices: &'a [&'a [i32]],
        outputs: &'a mut [&mut [T]],
        level: Level,
    ) -> Memory<'a, T> {
        let (reals, rest) = self.bases.split_at_mut(inputs.len());
        for (base, input) in reals.iter_mut().zip(inputs) {
            // Never written through: `Places` refuses destinations among the inputs.
            *base = input.as_ptr().cast_mut();
        }
        for (base, output) in rest.iter_mut().zip(outputs) {
            *base = output.as_mut_ptr();
        }
        let [.., kept, passing] = rest else { unreachable!("there are bases of both") };
        (*kept, *passing) = (arena.memory.pointer(), self.memory.pointer());
        Memory {
            bases: &self.bases,
            indices,
            registers: self.registers.pointer(),
            constants: self.constants.pointer(),
            accumulators: self.accumulators.pointer(),
            workspace: self.workspace.pointer(),
            slots: &mut self.slots,
            level,
        }
    }
}

/// The sizes of a list's buffers.
#[derive(Clone, Debug)]
pub(crate) struct SpaceSizes {
    pub(crate) inputs: Vec<usize>,
    pub(crate) indices: Vec<usize>,
    pub(crate) outputs: Vec<usize>,
    pub(crate) arena: usize,
    pub(crate) scratch: usize,
}

/// The buffers of one run. Plans index them; that their indices stay inside was checked when they were made.
pub struct Memory<'a, T> {
    pub(crate) bases: &'a [*mut T],
    pub(crate) indices: &'a [&'a [i32]],
    pub(crate) registers: *mut T,
    pub(crate) constants: *mut T,
    pub(crate) accumulators: *mut f64,
    pub(crate) workspace: *mut T,
    pub(crate) slots: &'a mut [*mut T],
    pub(crate) level: Level,
}

impl<T: Float> Memory<'_, T> {
    /// The element `offset` of a buffer.
    ///
    /// # Safety
    /// The offset lies in the buffer, or is one past its end.
    #[inline(always)]
    pub(crate) unsafe fn at(&self, buffer: usize, offset: usize) -> *mut T {
        // SAFETY: the caller's promise.
        unsafe { self.bases.get_unchecked(buffer).add(offset) }
    }
}
