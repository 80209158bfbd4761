//! The name of a level: a digest of its parameters.

use std::fmt;

use crate::blake2::blake2b_256;

/// SEAL's `parms_id_type`: unkeyed BLAKE2b, 32 bytes, of the words `scheme, N, q_1, .., q_l, plain_modulus`, for CKKS `2, N, q.., 0`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ParmsId([u64; 4]);

impl ParmsId {
    /// What a plaintext has that is not in NTT form; in CKKS only an empty one.
    pub const ZERO: ParmsId = ParmsId([0; 4]);

    /// The name of CKKS parameters of ring degree `degree` with these primes.
    pub fn of(degree: u64, primes: &[u64]) -> ParmsId {
        const CKKS: u64 = 2;
        let words: Vec<u64> = [CKKS, degree].into_iter().chain(primes.iter().copied()).chain([0]).collect();
        ParmsId(blake2b_256(&words))
    }

    /// From four words.
    pub const fn from_words(words: [u64; 4]) -> ParmsId {
        ParmsId(words)
    }

    /// The four words, in the order of the file.
    pub const fn words(self) -> [u64; 4] {
        self.0
    }
}

impl fmt::Display for ParmsId {
    /// The four words in hexadecimal, as SEAL's examples print them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.0;
        write!(f, "{a:016x} {b:016x} {c:016x} {d:016x}")
    }
}

impl fmt::Debug for ParmsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParmsId({self})")
    }
}
