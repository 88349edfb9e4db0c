//! Where the values of a fused tape live: in block buffers, or in place in memory.

use super::chain::Step;
use super::memory::Needs;
use super::tile::Stream;
use crate::call::Fused;

/// A value of the tape, once it is known where it lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    Nowhere,
    /// A block buffer.
    Register(usize),
    /// The repeated constant of this number in the machine's pool.
    Constant(usize),
    /// In place in the memory of this load.
    Load(usize),
    /// In place in the memory of this store.
    Store(usize),
}

/// Where each value of the tape lives.
pub(super) struct Allocation {
    pub(super) homes: Vec<Home>,
    /// The last instruction that reads a value (past the tape's end if a store or reduction does).
    pub(super) last_use: Vec<Option<usize>>,
    /// Loads whose block stays filled from tile to tile.
    pub(super) pinned: Vec<bool>,
    pub(super) registers: usize,
    free: Vec<usize>,
    pub(super) constants: Vec<usize>,
}

impl Allocation {
    pub(super) fn new(
        fused: &Fused,
        steps: &[Step],
        loads: &[Stream],
        extents: &[usize],
        in_place: impl Fn(usize) -> bool,
        needs: &mut Needs,
    ) -> Self {
        let leaves = fused.loads.len() + fused.constants.len();
        let end = fused.tape.len();
        let mut last_use = vec![None; leaves + end];
        for value in fused.stores.iter().map(|s| s.value).chain(fused.reductions.iter().map(|r| r.value)) {
            last_use[value] = Some(end);
        }
        for (i, step) in steps.iter().enumerate().rev() {
            if last_use[leaves + i].is_some() {
                for &value in &step.operands {
                    last_use[value] = last_use[value].max(Some(i));
                }
            }
        }
        let mut homes = vec![Home::Nowhere; leaves + end];
        let mut constants = Vec::new();
        for (i, &bits) in fused.constants.iter().enumerate() {
            if last_use[fused.loads.len() + i].is_some() {
                let constant = needs.constant(bits);
                homes[fused.loads.len() + i] = Home::Constant(constant);
                if !constants.contains(&constant) {
                    constants.push(constant);
                }
            }
        }
        for (i, load) in loads.iter().enumerate() {
            if load.dense {
                homes[i] = Home::Load(i);
            }
        }
        for (s, store) in fused.stores.iter().enumerate() {
            if store.value >= leaves && homes[store.value] == Home::Nowhere && in_place(s) {
                homes[store.value] = Home::Store(s);
            }
        }
        // A load that the innermost loop does not move need not be gathered at every tile.
        let innermost = extents.iter().rposition(|&extent| extent > 1);
        let pinned = loads.iter().map(|load| innermost.is_some_and(|l| load.loops[l] == 0)).collect();
        Self { homes, last_use, pinned, registers: 0, free: Vec::new(), constants }
    }

    pub(super) fn fresh(&mut self) -> usize {
        self.registers += 1;
        self.registers - 1
    }

    /// Gives registers in order of the tape. A result never shares its operands' registers: loops over blocks that
    /// may be the same would not vectorise.
    pub(super) fn allocate(&mut self, fused: &Fused, steps: &[Step]) {
        let leaves = fused.loads.len() + fused.constants.len();
        for load in 0..fused.loads.len() {
            if self.homes[load] == Home::Nowhere && self.last_use[load].is_some() {
                self.homes[load] = Home::Register(self.fresh());
            }
        }
        for (i, step) in steps.iter().enumerate() {
            let value = leaves + i;
            if self.last_use[value].is_none() {
                continue;
            }
            if self.homes[value] == Home::Nowhere {
                let register = self.free.pop().unwrap_or_else(|| self.fresh());
                self.homes[value] = Home::Register(register);
            }
            let mut operands = step.operands.clone();
            operands.sort_unstable();
            operands.dedup();
            for operand in operands {
                let pinned = self.pinned.get(operand).is_some_and(|&p| p);
                if let (Home::Register(r), false) = (self.homes[operand], pinned)
                    && self.last_use[operand] == Some(i)
                {
                    self.free.push(r);
                }
            }
        }
    }
}
