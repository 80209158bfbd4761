//! What an operation costs: transforms, multiply-accumulates and words touched, and the seconds they take.
//!
//! Counts are exact for the algorithms of `he_ring`; the seconds are a model with one constant per kind of work and word size.
//! With l + 1 = k active primes and special primes p, one ciphertext costs
//! - rescale: per component 1 inverse transform and k - 1 forward ones;
//! - relinearize, one prime per digit: k inverse transforms of the third component, k digits times (k - 1 + p) forward ones, and per
//!   component p inverse and k forward ones to divide by P;
//! - relinearize and rescale by one division: the third component and the digits as before, then per component p + 1 inverse and k - 1 forward ones
//!   to divide by P and the last prime;
//! - linear: k words per multiply-accumulate and component, as often as the weights have planes of [`PLANE_BITS`]; each group reads its inputs and
//!   writes its outputs once;
//! - input: the uniform half of a seeded ciphertext is drawn from its seed.

mod gate;
mod machine;
mod model;
mod program;

pub(crate) use gate::gate_work;
pub use machine::{CostModelError, MAX_BYTES, MachineCosts};
pub use model::CostModel;
pub use program::{Bytes, node_work, program_bytes};

use std::ops::AddAssign;

/// Classes of primes that kernels tell apart: below 2^30 in 32-bit words, below 2^50 in 64-bit words, larger ones.
pub const CLASSES: usize = 3;

/// How much of each kind of work, by class of primes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Transforms of one row of N words, either direction.
    pub transforms: [u64; CLASSES],
    /// Multiply-accumulates of a small integer with one row.
    pub row_multiply_accumulates: [u64; CLASSES],
    /// Rows read or written by element-wise operations.
    pub row_passes: [u64; CLASSES],
    /// Rows expanded from a seed.
    pub row_samples: [u64; CLASSES],
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Work) {
        for word in 0..CLASSES {
            self.transforms[word] += other.transforms[word];
            self.row_multiply_accumulates[word] += other.row_multiply_accumulates[word];
            self.row_passes[word] += other.row_passes[word];
            self.row_samples[word] += other.row_samples[word];
        }
    }
}

/// The primes that work is counted over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    q: Vec<usize>,
    p: Vec<usize>,
}

/// Weights of at most this many bits are multiplied in one pass of the residue matrix product; each further so many cost another.
pub const PLANE_BITS: u32 = 19;

/// Passes over integer weights of so many bits.
pub(crate) fn planes(weight_bits: f64) -> u64 {
    (weight_bits / f64::from(PLANE_BITS)).ceil().max(1.0) as u64
}

/// Primes below this are computed in 32-bit words.
const WORD_32_LIMIT: u64 = 1 << 30;

/// Primes below this are computed in floating point or 52-bit multiply-adds, larger ones in halves of words.
const SMALL_64_LIMIT: u64 = 1 << 50;

/// Bytes of a word of each class.
const WORD_BYTES: [u64; CLASSES] = [4, 8, 8];

impl Words {
    /// Word sizes of the ciphertext primes `q` and the special primes `p`.
    pub fn new(q: &[u64], p: &[u64]) -> Words {
        let class = |&prime: &u64| usize::from(prime >= WORD_32_LIMIT) + usize::from(prime >= SMALL_64_LIMIT);
        Words { q: q.iter().map(class).collect(), p: p.iter().map(class).collect() }
    }

    /// So many ciphertext primes and one special prime in 32-bit words, whichever they will be.
    pub(crate) fn all_32_bit(primes: usize) -> Words {
        Words { q: vec![0; primes], p: vec![0] }
    }

    fn active(&self, primes: usize) -> &[usize] {
        &self.q[..primes.min(self.q.len())]
    }

    /// Bytes of one row over the first `primes` ciphertext primes, for ring degree `n`.
    pub fn row_bytes(&self, primes: usize, n: usize) -> u64 {
        self.active(primes).iter().map(|&class| WORD_BYTES[class] * n as u64).sum()
    }

    /// Bytes of one row over the first `primes` ciphertext primes and all special ones: a key's polynomial.
    pub fn key_row_bytes(&self, primes: usize, n: usize) -> u64 {
        self.row_bytes(primes, n) + self.p.iter().map(|&class| WORD_BYTES[class] * n as u64).sum::<u64>()
    }

    /// A linear map of so many multiply-accumulates per slot on ciphertexts of `components`, `rows` read and written in all.
    pub fn linear(&self, primes: usize, components: usize, multiply_accumulates: u64, rows: u64) -> Work {
        let mut work = Work::default();
        for &class in self.active(primes) {
            work.row_multiply_accumulates[class] += multiply_accumulates * components as u64;
            work.row_passes[class] += rows * components as u64;
        }
        work
    }

    /// Seeded ciphertexts made whole: one row each from the seed, one copied.
    pub fn expand(&self, primes: usize, values: u64) -> Work {
        let mut work = self.element_wise(primes, 2 * values);
        for &class in self.active(primes) {
            work.row_samples[class] += values;
        }
        work
    }

    /// An element-wise operation that touches so many rows per prime.
    pub fn element_wise(&self, primes: usize, rows: u64) -> Work {
        let mut work = Work::default();
        for &class in self.active(primes) {
            work.row_passes[class] += rows;
        }
        work
    }

    /// Rescale of `values` ciphertexts from `primes` to one fewer.
    pub fn rescale(&self, primes: usize, components: usize, values: u64) -> Work {
        let rows = values * components as u64;
        let mut work = Work::default();
        for &class in self.active(primes) {
            work.transforms[class] += rows;
            work.row_passes[class] += 3 * rows;
        }
        work
    }

    /// Relinearization of `values` ciphertexts with one prime per digit.
    pub fn relinearize(&self, primes: usize, values: u64) -> Work {
        let k = primes as u64;
        let mut work = Work::default();
        for &class in self.active(primes) {
            // Its own inverse transform, one forward for each foreign digit, two to come back from the division by P.
            work.transforms[class] += values * (1 + (k - 1) + 2);
            work.row_passes[class] += values * (4 * k + 6);
        }
        for &class in &self.p {
            work.transforms[class] += values * (k + 2);
            work.row_passes[class] += values * (4 * k + 4);
        }
        work
    }

    /// Relinearization and rescale of `values` ciphertexts by one division, with one prime per digit.
    pub fn relinearize_rescale(&self, primes: usize, values: u64) -> Work {
        let k = primes as u64;
        let mut work = Work::default();
        for (limb, &class) in self.active(primes).iter().enumerate() {
            // Two to come back to every prime that is left, or two inverse ones for the last.
            let is_last = u64::from(limb + 1 == primes);
            work.transforms[class] += values * (1 + (k - 1) + 2);
            work.row_passes[class] += values * (4 * k + 6 - 2 * is_last);
        }
        for &class in &self.p {
            work.transforms[class] += values * (k + 2);
            work.row_passes[class] += values * (4 * k + 4);
        }
        work
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relinearization_of_six_primes_is_fifty_six_transforms() {
        let words = Words::new(&[97; 6], &[97]);
        assert_eq!(words.relinearize(6, 1).transforms, [56, 0, 0]);
        assert_eq!(words.rescale(6, 2, 10).transforms, [120, 0, 0]);
        // The two apart are 68.
        assert_eq!(words.relinearize_rescale(6, 1).transforms, [56, 0, 0]);
    }

    #[test]
    fn word_size_follows_the_prime() {
        let words = Words::new(&[97, 1 << 40, 1 << 50], &[(1 << 30) - 1]);
        assert_eq!(words.linear(3, 3, 10, 4).row_multiply_accumulates, [30, 30, 30]);
        assert_eq!(words.row_bytes(3, 1024), 1024 * 20);
        assert_eq!(words.linear(1, 3, 10, 4).row_multiply_accumulates, [30, 0, 0]);
        assert_eq!(Words::all_32_bit(2), Words::new(&[97, (1 << 30) - 1], &[193]));
    }
}
