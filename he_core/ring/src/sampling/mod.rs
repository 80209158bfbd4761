//! Randomness from a caller's 32-byte seed: the same seed gives the same polynomials on every processor, any number
//! of threads, for ever. Uniform polynomials travel as their seed, so everything here is part of the wire format.
//!
//! - [`Seed::derive`]: `(seed, purpose, index)` to another seed, one ChaCha20 block.
//! - [`Stream`]: the key stream of one object under one seed and purpose. ChaCha20's 64-bit stream identifier is the
//!   object number; the upper half of its 64-bit block counter is the sub-stream (a limb, a row), the lower half counts
//!   blocks. Objects, limbs and rows are therefore drawn independently, in any order, on any thread.
//! - [`Sampler`]: one sub-stream, read word by word in the order of RFC 8439, and the distributions drawn from it.
//!
//! Source of the cipher: RFC 8439, with the 64-bit counter and 64-bit nonce of the original ChaCha.

mod sampler;
mod small;
mod uniform;

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Isa;
use crate::kernels::chacha::{BLOCK_WORDS, key_stream};
pub use sampler::Sampler;
pub use small::SmallPolys;

/// 32 bytes that decide everything drawn from them. Wiped on drop, not printed.
///
/// A seed may be secret (it made a secret key) or public (it stands for uniform polynomials in a file); which of the
/// two is the business of whoever holds it, so the bytes only leave by a named method.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

impl Seed {
    /// Takes 32 bytes; they should come from the operating system, or from a printed number in tests.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, to write them where they belong.
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Another seed for `(domain, index)`: the first 32 bytes of the ChaCha20 block with this seed as key, the purpose
    /// as stream and the index as counter. Knowing the result tells nothing about this seed or about other results.
    pub fn derive(&self, purpose: Purpose, index: u64) -> Seed {
        let mut key = self.key();
        let mut block = [0u32; BLOCK_WORDS];
        key_stream(Isa::Scalar, &key, purpose.0, index, &mut block);
        let mut bytes = [0u8; 32];
        for (bytes, word) in bytes.chunks_exact_mut(4).zip(&block) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        block.zeroize();
        key.zeroize();
        let seed = Seed(bytes);
        bytes.zeroize();
        seed
    }

    fn key(&self) -> [u32; 8] {
        let mut key = [0u32; 8];
        for (word, bytes) in key.iter_mut().zip(self.0.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        key
    }
}

/// What something is drawn for: eight bytes of ASCII, read as a little-endian integer. Two purposes never share a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose(u64);

impl Purpose {
    /// A purpose by name, for example `*b"ct.unifm"`.
    pub const fn new(name: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(name))
    }
}

/// The key of `(seed, purpose)`; object `i` draws from its ChaCha20 stream `i`.
///
/// Building it costs one block; objects, limbs and rows then share it by reference.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Stream {
    key: [u32; 8],
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(..)")
    }
}

impl Stream {
    /// The streams of a seed for one purpose.
    pub fn new(seed: &Seed, purpose: Purpose) -> Self {
        Self { key: seed.derive(purpose, 0).key() }
    }

    /// A reader of sub-stream `part` (a limb, a row) of object `object`.
    pub fn sampler(&self, isa: Isa, object: u64, part: u32) -> Sampler {
        Sampler::new(isa, self.key, object, part)
    }
}

#[cfg(test)]
mod tests;
