//! Sets that grow together, and reasons that hold for all of a set.

use super::Pin;

/// Disjoint sets of `0..len`, joined by path halving.
#[derive(Clone, Debug)]
pub(super) struct Sets {
    parent: Vec<u32>,
    pins: Vec<Option<Pin>>,
}

impl Sets {
    pub(super) fn new(len: usize) -> Sets {
        Sets { parent: (0..len as u32).collect(), pins: vec![None; len] }
    }

    /// The member that stands for the set of `x`.
    pub(super) fn find(&mut self, x: usize) -> usize {
        let mut x = x as u32;
        while self.parent[x as usize] != x {
            let above = self.parent[self.parent[x as usize] as usize];
            self.parent[x as usize] = above;
            x = above;
        }
        x as usize
    }

    /// Joins two sets; a reason of either holds for both.
    pub(super) fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        if a != b {
            // The lower number stands for both, so that the same circuit gives the same sets.
            let (low, high) = (a.min(b), a.max(b));
            self.parent[high] = low as u32;
            self.pins[low] = self.pins[low].or(self.pins[high]);
        }
    }

    /// Gives the set of `x` a reason, unless it has one.
    pub(super) fn pin(&mut self, x: usize, pin: Pin) {
        let set = self.find(x);
        self.pins[set] = self.pins[set].or(Some(pin));
    }

    /// The reason of the set of `x`.
    pub(super) fn pinned(&mut self, x: usize) -> Option<Pin> {
        let set = self.find(x);
        self.pins[set]
    }
}
