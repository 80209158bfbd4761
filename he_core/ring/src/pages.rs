//! Pages for large tensors, kept when a tensor goes and given to the next one.
//!
//! A network makes and drops a tensor per layer or tile, of few different sizes. Fresh pages are faulted in, one by one, and
//! zeroed by the kernel, which for a streamed network took a quarter of all processor time; pages that are here already
//! cost one sweep of stores. The kernel is asked for huge pages.
//! What is kept is bounded by [`KEPT_BYTES`] for the process, on top of what tensors hold; the oldest goes first.
//! Pages keep their words until they are lent again: who holds a secret wipes it before it is dropped.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use memmap2::{MmapMut, MmapOptions};
use rayon::prelude::*;

/// Bytes of pages without a tensor, at most.
pub(crate) const KEPT_BYTES: usize = 256 << 20;

/// Bytes that one thread zeroes at a time.
const SWEEP_BYTES: usize = 1 << 20;

static KEPT: Mutex<Kept> = Mutex::new(Kept { blocks: VecDeque::new(), bytes: 0 });

/// Blocks without a tensor, the oldest first.
#[derive(Debug)]
struct Kept {
    blocks: VecDeque<MmapMut>,
    bytes: usize,
}

impl Kept {
    /// The smallest block of at least `bytes`, unless an eighth of it would lie idle.
    fn take(&mut self, bytes: usize) -> Option<MmapMut> {
        let fits = |block: &MmapMut| block.len() >= bytes && block.len() - bytes <= bytes / 8;
        let candidates = self.blocks.iter().enumerate().filter(|(_, block)| fits(block));
        let (place, _) = candidates.min_by_key(|(_, block)| block.len())?;
        let block = self.blocks.remove(place)?;
        self.bytes -= block.len();
        Some(block)
    }

    /// Keeps a block; what no longer has a place comes back, for the caller to drop.
    fn give(&mut self, block: MmapMut) -> Vec<MmapMut> {
        self.bytes += block.len();
        self.blocks.push_back(block);
        let mut gone = Vec::new();
        while self.bytes > KEPT_BYTES
            && let Some(oldest) = self.blocks.pop_front()
        {
            self.bytes -= oldest.len();
            gone.push(oldest);
        }
        gone
    }
}

/// At least as many bytes as were asked for, from the start of a page.
#[derive(Debug)]
pub(crate) struct Pages {
    /// Present until drop.
    block: Option<MmapMut>,
}

impl Pages {
    /// Zeros; `None` leaves it to the heap.
    pub(crate) fn zero(bytes: usize) -> Option<Self> {
        let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).take(bytes);
        let block = match kept {
            Some(mut block) => {
                block[..bytes].par_chunks_mut(SWEEP_BYTES).for_each(|chunk| chunk.fill(0));
                block
            }
            None => {
                let block = MmapOptions::new().len(bytes).map_anon().ok()?;
                // A refusal costs speed, nothing else.
                #[cfg(target_os = "linux")]
                let _ = block.advise(memmap2::Advice::HugePage);
                block
            }
        };
        Some(Self { block: Some(block) })
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.block.as_deref().unwrap_or_default()
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        self.block.as_deref_mut().unwrap_or_default()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            // Unmapped after the lock is free again.
            let gone = KEPT.lock().unwrap_or_else(PoisonError::into_inner).give(block);
            drop(gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(bytes: usize) -> MmapMut {
        MmapOptions::new().len(bytes).map_anon().unwrap()
    }

    #[test]
    fn the_smallest_that_fits_is_lent() {
        let mut kept = Kept { blocks: VecDeque::new(), bytes: 0 };
        for bytes in [100_000, 90_000, 70_000] {
            assert!(kept.give(block(bytes)).is_empty());
        }
        assert_eq!(kept.take(95_000).map(|block| block.len()), Some(100_000));
        assert!(kept.take(95_000).is_none() && kept.take(75_000).is_none(), "too small, or an eighth idle");
        assert_eq!(kept.take(85_000).map(|block| block.len()), Some(90_000));
        assert_eq!((kept.bytes, kept.blocks.len()), (70_000, 1));
    }

    #[test]
    fn the_oldest_goes_when_too_much_is_kept() {
        let mut kept = Kept { blocks: VecDeque::new(), bytes: 0 };
        assert!(kept.give(block(KEPT_BYTES / 2)).is_empty());
        assert!(kept.give(block(KEPT_BYTES / 4)).is_empty());
        let gone = kept.give(block(KEPT_BYTES / 2));
        assert_eq!(gone.iter().map(|block| block.len()).collect::<Vec<_>>(), [KEPT_BYTES / 2]);
        assert_eq!(kept.bytes, KEPT_BYTES / 4 * 3);
        // One that alone is too much is not kept.
        assert_eq!(kept.give(block(KEPT_BYTES + 1)).len(), 3);
        assert_eq!((kept.bytes, kept.blocks.len()), (0, 0));
    }

    #[test]
    fn lent_pages_are_zero() {
        let bytes = 3 * SWEEP_BYTES + 4096;
        for _ in 0..3 {
            let mut pages = Pages::zero(bytes).unwrap();
            assert!(pages.as_slice()[..bytes].iter().all(|byte| *byte == 0));
            pages.as_mut_slice().fill(0xa5);
        }
    }
}
