//! Pages of their own for tensors, huge ones where tensors are large and the kernel has them, kept when a tensor goes ([`Kept`]).
//!
//! Without that a streamed network spent a quarter of all processor time on fresh pages, and a rotation at N = 2^13 a fifth on
//! what an allocator gave back to the kernel between two operations. What is kept is bounded by [`KEPT_BYTES`] of large and
//! [`KEPT_SMALL_BYTES`] of small blocks for the process, on top of what tensors hold; no block lies in the heap, where one that
//! is kept would keep all below it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use memmap2::{MmapMut, MmapOptions};

use crate::kept::{Block, Kept};

/// Blocks of this many bytes, one huge page on x86-64, or more are large.
const LARGE: usize = 2 << 20;

/// Bytes of large blocks without a tensor, at most.
const KEPT_BYTES: usize = 256 << 20;

/// Bytes of small ones.
const KEPT_SMALL_BYTES: usize = 4 << 20;

static KEPT: Mutex<Kept<MmapMut>> = Mutex::new(Kept::new(KEPT_BYTES));
static KEPT_SMALL: Mutex<Kept<MmapMut>> = Mutex::new(Kept::new(KEPT_SMALL_BYTES));

/// The blocks of a size.
fn kept(bytes: usize) -> MutexGuard<'static, Kept<MmapMut>> {
    let kept = if bytes >= LARGE { &KEPT } else { &KEPT_SMALL };
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Block for MmapMut {
    fn bytes(&self) -> usize {
        self.len()
    }
}

/// At least as many bytes as were asked for, from the start of a page.
#[derive(Debug)]
pub(crate) struct Pages {
    /// Present until drop.
    block: Option<MmapMut>,
}

impl Pages {
    /// Bytes of unspecified content, and whether all are zero; `None` leaves it to the heap.
    pub(crate) fn lend(bytes: usize) -> Option<(Self, bool)> {
        let lent = kept(bytes).take(bytes);
        if lent.is_some() {
            return Some((Self { block: lent }, false));
        }
        let block = MmapOptions::new().len(bytes).map_anon().ok()?;
        // A refusal costs speed, nothing else.
        #[cfg(target_os = "linux")]
        if bytes >= LARGE {
            let _ = block.advise(memmap2::Advice::HugePage);
        }
        Some((Self { block: Some(block) }, true))
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
            let gone = kept(block.len()).give(block);
            drop(gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_zero_when_they_say_so() {
        for bytes in [20_000, (3 << 20) + 4096].into_iter().flat_map(|bytes| [bytes; 3]) {
            let (mut pages, is_zero) = Pages::lend(bytes).unwrap();
            assert!(pages.as_slice().len() >= bytes);
            assert!(!is_zero || pages.as_slice().iter().all(|byte| *byte == 0));
            pages.as_mut_slice().fill(0xa5);
        }
    }
}
