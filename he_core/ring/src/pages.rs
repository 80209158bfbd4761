//! Pages of their own for large tensors, huge ones where the kernel has them, kept when a tensor goes ([`Kept`]).
//!
//! Without that a streamed network spent a quarter of all processor time on fresh pages. What is kept is bounded by
//! [`KEPT_BYTES`] for the process, on top of what tensors hold.

use std::sync::{Mutex, PoisonError};

use memmap2::{MmapMut, MmapOptions};

use crate::kept::{Block, Kept};

/// Bytes of pages without a tensor, at most.
const KEPT_BYTES: usize = 256 << 20;

static KEPT: Mutex<Kept<MmapMut>> = Mutex::new(Kept::new(KEPT_BYTES));

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
        let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).take(bytes);
        if kept.is_some() {
            return Some((Self { block: kept }, false));
        }
        let block = MmapOptions::new().len(bytes).map_anon().ok()?;
        // A refusal costs speed, nothing else.
        #[cfg(target_os = "linux")]
        let _ = block.advise(memmap2::Advice::HugePage);
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
            let gone = KEPT.lock().unwrap_or_else(PoisonError::into_inner).give(block);
            drop(gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_zero_when_they_say_so() {
        for _ in 0..3 {
            let (mut pages, is_zero) = Pages::lend((3 << 20) + 4096).unwrap();
            assert!(pages.as_slice().len() >= (3 << 20) + 4096);
            assert!(!is_zero || pages.as_slice().iter().all(|byte| *byte == 0));
            pages.as_mut_slice().fill(0xa5);
        }
    }
}
