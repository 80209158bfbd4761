//! Heap blocks for small tensors, kept when a tensor goes ([`Kept`]).
//!
//! An allocator gives the end of its heap back to the kernel when little of it is used, and takes it again, page by page, for the
//! next operation: for a rotation at N = 2^13 that was a fifth of its time. What is kept is bounded by [`KEPT_BYTES`] for the
//! process.

use std::sync::{Mutex, PoisonError};

use crate::kept::{Block, Kept};

/// Smaller blocks are left to the allocator.
const KEPT_FROM: usize = 16 << 10;

/// Bytes of blocks without a tensor, at most.
const KEPT_BYTES: usize = 4 << 20;

static KEPT: Mutex<Kept<Vec<u64>>> = Mutex::new(Kept::new(KEPT_BYTES));

impl Block for Vec<u64> {
    fn bytes(&self) -> usize {
        size_of_val(self.as_slice())
    }
}

/// At least as many bytes as were asked for, in words of 64 bits.
#[derive(Debug)]
pub(crate) struct Heap {
    words: Vec<u64>,
}

impl Heap {
    /// Words of unspecified content, and whether all are zero.
    pub(crate) fn lend(bytes: usize) -> (Self, bool) {
        let kept = match bytes {
            KEPT_FROM.. => KEPT.lock().unwrap_or_else(PoisonError::into_inner).take(bytes),
            _ => None,
        };
        let is_zero = kept.is_none();
        (Self { words: kept.unwrap_or_else(|| vec![0; bytes.div_ceil(size_of::<u64>())]) }, is_zero)
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.words)
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        let words = std::mem::take(&mut self.words);
        if words.bytes() >= KEPT_FROM {
            // Freed after the lock is free again.
            let gone = KEPT.lock().unwrap_or_else(PoisonError::into_inner).give(words);
            drop(gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_large_enough_and_zero_when_they_say_so() {
        for bytes in [0, 100, KEPT_FROM, KEPT_FROM + 12, 3 * KEPT_FROM] {
            for _ in 0..3 {
                let (mut block, is_zero) = Heap::lend(bytes);
                assert!(block.as_slice().len() >= bytes);
                assert!(!is_zero || block.as_slice().iter().all(|byte| *byte == 0));
                block.as_mut_slice().fill(0xa5);
            }
        }
    }
}
