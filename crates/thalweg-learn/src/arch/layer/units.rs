//! Which units of a network are the same ones, and which of them may change places.

/// Sets of units, such as the output channels of a convolution. What passes them on one by one (an activation, a pool)
/// hands on the same set; a sum makes one set of two.
#[derive(Debug, Default)]
pub(super) struct Units {
    sets: Vec<Set>,
}

#[derive(Debug)]
struct Set {
    /// The set that it has become part of; itself if none.
    parent: usize,
    count: usize,
    name: String,
    is_fixed: bool,
}

impl Units {
    /// A set of `count` units that may change places.
    pub(super) fn push(&mut self, count: usize, name: String) -> usize {
        self.sets.push(Set { parent: self.sets.len(), count, name, is_fixed: false });
        self.sets.len() - 1
    }

    /// The set that one is part of by now.
    pub(super) fn root(&self, mut set: usize) -> usize {
        while self.sets[set].parent != set {
            set = self.sets[set].parent;
        }
        set
    }

    /// Something outside knows these units by their places.
    pub(super) fn fix(&mut self, set: usize) {
        let root = self.root(set);
        self.sets[root].is_fixed = true;
    }

    /// Units of both are added one to one: they change places together. A unit that is a whole channel here and one
    /// position of it there can do so no more.
    pub(super) fn tie(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        let (first, second) = (a.min(b), a.max(b));
        let is_fixed = self.sets[a].is_fixed || self.sets[b].is_fixed;
        self.sets[first].is_fixed = is_fixed || self.sets[a].count != self.sets[b].count;
        self.sets[second].parent = first;
    }

    /// Name and number of the units of a set that may change places.
    pub(super) fn free(&self, set: usize) -> Option<(&str, usize)> {
        let set = &self.sets[self.root(set)];
        (!set.is_fixed).then_some((&set.name, set.count))
    }
}

#[cfg(test)]
mod tests {
    use super::Units;

    #[test]
    fn sums_tie_and_outsiders_fix() {
        let mut units = Units::default();
        let [a, b, c, d] = [3, 3, 3, 6].map(|count| units.push(count, format!("{count}")));
        units.tie(b, a);
        units.tie(c, b);
        assert_eq!((units.root(a), units.root(c)), (a, a));
        assert_eq!(units.free(c), Some(("3", 3)));
        units.tie(c, a);
        assert!(units.free(c).is_some());
        assert!(units.free(d).is_some());
        units.tie(d, a);
        assert!(units.free(b).is_none() && units.free(d).is_none());
        let e = units.push(2, "e".to_owned());
        units.fix(e);
        assert!(units.free(e).is_none());
    }
}
