//! Memory that is kept when a tensor goes and given to the next one.
//!
//! A network makes and drops a tensor per layer or tile, an operation a few for what stands between its steps, all of few different sizes.
//! Pages that went back to the kernel are faulted in and zeroed anew, one by one; memory that is here already costs one
//! sweep of stores, or none where all of it is about to be written, and what was dropped last is still in the cache.
//! Blocks keep their words until they are lent again: who holds a secret wipes it before it is dropped.

use std::collections::VecDeque;

/// A piece of memory.
pub(crate) trait Block {
    /// Its size in bytes.
    fn bytes(&self) -> usize;
}

/// Blocks without a tensor, the oldest first.
#[derive(Debug)]
pub(crate) struct Kept<B> {
    blocks: VecDeque<B>,
    bytes: usize,
    /// Bytes that are kept, at most.
    most: usize,
}

impl<B: Block> Kept<B> {
    /// Nothing yet.
    pub(crate) const fn new(most: usize) -> Self {
        Self { blocks: VecDeque::new(), bytes: 0, most }
    }

    /// The block of at least `bytes` that came last, unless an eighth of it would lie idle.
    pub(crate) fn take(&mut self, bytes: usize) -> Option<B> {
        let fits = |block: &B| block.bytes() >= bytes && block.bytes() - bytes <= bytes / 8;
        let block = self.blocks.remove(self.blocks.iter().rposition(fits)?)?;
        self.bytes -= block.bytes();
        Some(block)
    }

    /// Keeps a block; what no longer has a place comes back, for the caller to drop.
    pub(crate) fn give(&mut self, block: B) -> Vec<B> {
        self.bytes += block.bytes();
        self.blocks.push_back(block);
        let mut gone = Vec::new();
        while self.bytes > self.most
            && let Some(oldest) = self.blocks.pop_front()
        {
            self.bytes -= oldest.bytes();
            gone.push(oldest);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Block for usize {
        fn bytes(&self) -> usize {
            *self
        }
    }

    #[test]
    fn the_last_that_fits_is_lent() {
        let mut kept = Kept::new(1000);
        for bytes in [90, 100, 92, 70] {
            assert!(kept.give(bytes).is_empty());
        }
        assert_eq!(kept.take(95), Some(100));
        assert!(kept.take(95).is_none() && kept.take(75).is_none(), "too small, or an eighth idle");
        assert_eq!((kept.take(85), kept.take(85)), (Some(92), Some(90)));
        assert_eq!((kept.bytes, kept.blocks.len()), (70, 1));
    }

    #[test]
    fn the_oldest_goes_when_too_much_is_kept() {
        let mut kept = Kept::new(400);
        assert!(kept.give(200).is_empty());
        assert!(kept.give(100).is_empty());
        assert_eq!(kept.give(200), [200]);
        assert_eq!(kept.bytes, 300);
        // One that alone is too much is not kept.
        assert_eq!(kept.give(401).len(), 3);
        assert_eq!((kept.bytes, kept.blocks.len()), (0, 0));
    }
}
