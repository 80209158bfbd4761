//! Reads one sub-stream word by word.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Isa;
use crate::kernels::chacha::{BLOCK_WORDS, key_stream};

/// Words made at a time: four groups of the widest kernel.
const BUFFER_WORDS: usize = 32 * BLOCK_WORDS;

/// One sub-stream of one object; draws come in a fixed order. Key and buffer are wiped on drop.
pub struct Sampler {
    isa: Isa,
    key: [u32; 8],
    object: u64,
    /// Sub-stream in the upper half, next block in the lower.
    counter: u64,
    buffer: [u32; BUFFER_WORDS],
    next: usize,
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.key.zeroize();
        self.buffer.zeroize();
    }
}

impl ZeroizeOnDrop for Sampler {}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sampler(..)")
    }
}

impl Sampler {
    pub(super) fn new(isa: Isa, key: [u32; 8], object: u64, part: u32) -> Self {
        let counter = u64::from(part) << 32;
        Self { isa, key, object, counter, buffer: [0; BUFFER_WORDS], next: BUFFER_WORDS }
    }

    /// The instruction set that words are made with.
    #[inline]
    pub(crate) fn isa(&self) -> Isa {
        self.isa
    }

    /// The words that are ready, at least one, at most `most`; they count as drawn.
    #[inline]
    pub(super) fn take(&mut self, most: usize) -> &[u32] {
        if self.next == BUFFER_WORDS {
            self.refill();
        }
        let start = self.next;
        self.next = BUFFER_WORDS.min(start.saturating_add(most));
        &self.buffer[start..self.next]
    }

    /// The 64-bit draws that are ready, at most `most`, as pairs of words; none when the next one crosses the buffer's end.
    #[inline]
    pub(super) fn take_u64(&mut self, most: usize) -> &[[u32; 2]] {
        if self.next == BUFFER_WORDS {
            self.refill();
        }
        let start = self.next;
        let draws = most.min((BUFFER_WORDS - start) / 2);
        self.next = start + 2 * draws;
        self.buffer[start..self.next].as_chunks::<2>().0
    }

    fn refill(&mut self) {
        key_stream(self.isa, &self.key, self.object, self.counter, &mut self.buffer);
        self.counter += (BUFFER_WORDS / BLOCK_WORDS) as u64;
        self.next = 0;
    }

    /// The next 32 bits.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        self.take(1)[0]
    }

    /// The next 64 bits, low word first.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let low = self.next_u32();
        u64::from(low) | u64::from(self.next_u32()) << 32
    }

    /// Uniform in `0..bound`: 32-bit words, masked to the bit length of `bound - 1`, drawn until one is below `bound`.
    ///
    /// `bound` must not be zero. The number of draws tells nothing about the accepted value.
    #[inline]
    pub fn below(&mut self, bound: u32) -> u32 {
        debug_assert!(bound > 0);
        let mask = u32::MAX.checked_shr((bound - 1).leading_zeros()).unwrap_or(0);
        loop {
            let x = self.next_u32() & mask;
            if x < bound {
                return x;
            }
        }
    }
}
