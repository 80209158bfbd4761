//! What the processor could do at most, and how much of that was reached.
//!
//! The clock and the speed of copying are measured in the same run. Work is counted per operation, not per kernel. A butterfly
//! takes three word products (\[Har14\]: quotient, product, multiple of the prime), as does a product that is reduced at once; of
//! those that are summed before they are reduced each takes one. A product of 60-bit words is made of 32-bit ones, four for the
//! high half and three for the low one. A complex butterfly of an embedding takes four. Bytes are those of operands, keys and
//! results, once each; they are held against a thread that copies as many, so against the cache or the memory that they fit in.
//!
//! Assumed, not measured: how many vector instructions a core begins in a cycle ([`multiplies_per_cycle`],
//! [`instructions_per_cycle`]).

use std::hint::black_box;
use std::time::{Duration, Instant};

use he_ring::Isa;
use serde::Serialize;

/// Reached and possible, in one unit, of one core.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Limit {
    pub(crate) unit: &'static str,
    pub(crate) reached: f64,
    pub(crate) possible: f64,
    pub(crate) share: f64,
}

/// What was measured of the machine.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Processor {
    /// Cycles a second while one thread runs.
    pub(crate) clock_hz: f64,
    /// Bytes a second, read and written, of one thread that copies more than the caches hold.
    pub(crate) copy_bytes_per_second: f64,
    /// Whether it is one of AMD's.
    #[serde(skip)]
    pub(crate) is_amd: bool,
}

impl Processor {
    pub(crate) fn measure(quick: bool) -> Processor {
        Processor {
            clock_hz: clock(quick),
            copy_bytes_per_second: copy(COPIED, quick),
            is_amd: machine::processor().contains("AMD"),
        }
    }

    /// `multiplies` in `microseconds` of one thread, against what the instruction set can issue.
    pub(crate) fn multiplies(&self, isa: Isa, multiplies: f64, microseconds: f64) -> Limit {
        let reached = multiplies / (microseconds * 1e-6 * self.clock_hz);
        let possible = multiplies_per_cycle(isa);
        Limit { unit: "multiplies a cycle", reached, possible, share: reached / possible }
    }

    /// `bytes` in `microseconds` of one thread, against one that copies so many.
    pub(crate) fn bytes(&self, bytes: f64, microseconds: f64, quick: bool) -> Limit {
        let (reached, possible) = (bytes / microseconds / 1e3, copy(bytes as usize, quick) / 1e9);
        Limit { unit: "GB/s", reached, possible, share: reached / possible }
    }
}

/// The work of one operation of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Work {
    /// Word products, as they count on the instruction set in question.
    pub(crate) multiplies: f64,
    /// Bytes of operands, keys and results.
    pub(crate) bytes: f64,
}

impl Work {
    /// Of both, so many times.
    pub(crate) fn times(self, count: f64) -> Work {
        Work { multiplies: count * self.multiplies, bytes: count * self.bytes }
    }
}

impl std::iter::Sum for Work {
    fn sum<I: Iterator<Item = Work>>(all: I) -> Work {
        all.fold(Work::default(), |a, b| Work { multiplies: a.multiplies + b.multiplies, bytes: a.bytes + b.bytes })
    }
}

/// Vector multiplications that a core begins in a cycle: every AVX2 processor since 2013, and on 512 bits all but the small
/// Xeons of before 2021 and AMD's Zen 4, which have half.
pub(crate) const VECTOR_MULTIPLIES: f64 = 2.0;

/// Word products: two vector multipliers ([`VECTOR_MULTIPLIES`]), of four lanes of 64 bits (products of 32 bits, or of f64, or
/// of 52 bits) on AVX2 and eight on AVX-512; one scalar multiplier.
pub(crate) fn multiplies_per_cycle(isa: Isa) -> f64 {
    match isa.name() {
        "avx2" => 8.0,
        "avx512" | "avx512_ifma" => 16.0,
        _ => 1.0,
    }
}

/// Vector instructions of any kind, loads and stores apart, that a core begins in a cycle: four on AMD's; three of 256 bits,
/// two of 512 on Intel's.
pub(crate) fn instructions_per_cycle(isa: Isa, is_amd: bool) -> f64 {
    match (is_amd, isa.name()) {
        (true, _) => 4.0,
        (false, "avx2") => 3.0,
        (false, _) => 2.0,
    }
}

/// Bits of a prime.
pub(crate) fn bits(q: u64) -> u32 {
    64 - q.leading_zeros()
}

/// Bytes of a residue of a prime in Henge's words.
pub(crate) fn word_bytes(q: u64) -> f64 {
    if bits(q) <= 30 { 4.0 } else { 8.0 }
}

/// Multiplications of a product of `n` residues each, summed before it is reduced.
pub(crate) fn product_multiplies(isa: Isa, n: usize, bits: u32) -> f64 {
    n as f64 * if bits <= 50 || isa == Isa::Scalar { 1.0 } else { 4.0 }
}

/// Multiplications of the embedding of `2^log_n / 2` slots, or back.
pub(crate) fn embedding_multiplies(log_n: u32) -> f64 {
    let slots = f64::from(1u32 << log_n) / 2.0;
    4.0 * slots / 2.0 * f64::from(log_n - 1)
}

/// Multiplications of one transform of `2^log_n` words modulo a prime of so many bits.
pub(crate) fn transform_multiplies(isa: Isa, log_n: u32, bits: u32) -> f64 {
    let butterflies = f64::from(log_n) * f64::from(1u32 << log_n) / 2.0;
    // Scalar code has 64-bit products; up to 50 bits a product is a pair of f64 or of 52-bit multiply-adds.
    let each = if bits <= 50 || isa == Isa::Scalar { 3.0 } else { 10.0 };
    butterflies * each
}

/// A chain of operations of one cycle each, timed: `x ^ c` and a rotation cannot be merged or overlapped.
fn clock(quick: bool) -> f64 {
    const STEPS: u64 = 1_000_000;
    let constant = black_box(0x9e37_79b9_7f4a_7c15u64);
    let once = || {
        let start = Instant::now();
        let mut x = black_box(1u64);
        for _ in 0..STEPS {
            x = (x ^ constant).rotate_left(7);
        }
        black_box(x);
        2.0 * STEPS as f64 / start.elapsed().as_secs_f64()
    };
    (0..if quick { 3 } else { 40 }).map(|_| once()).fold(0.0, f64::max)
}

/// Bytes that no cache holds.
const COPIED: usize = 256 << 20;

/// Bytes a second, read and written, of a thread that copies half of `bytes` onto the other half again and again.
fn copy(bytes: usize, quick: bool) -> f64 {
    let words = (bytes / 16).clamp(64, if quick { 1 << 17 } else { COPIED / 16 });
    let (from, mut to) = (vec![1u64; words], vec![0u64; words]);
    let mut times = |count: usize| {
        let start = Instant::now();
        for _ in 0..count {
            to.copy_from_slice(black_box(&from));
            black_box(&mut to);
        }
        start.elapsed()
    };
    // Long enough for the clock, and the first time to have the pages.
    let once = times(1).max(Duration::from_nanos(20));
    let count = (Duration::from_micros(500).as_nanos() / once.as_nanos()).clamp(1, 100_000) as usize;
    let least = (0..if quick { 2 } else { 8 }).map(|_| times(count)).min().unwrap_or(once);
    16.0 * words as f64 * count as f64 / least.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(transform_multiplies(Isa::Scalar, 13, 30), 3.0 * 13.0 * 4096.0);
        let machine = Processor { clock_hz: 1e9, copy_bytes_per_second: 1.0, is_amd: false };
        // A thousand products in a thousand cycles.
        let limit = machine.multiplies(Isa::Scalar, 1000.0, 1.0);
        assert_eq!((limit.reached, limit.possible, limit.share), (1.0, 1.0, 1.0));
        // Two thousand bytes in a microsecond.
        let limit = machine.bytes(2000.0, 1.0, true);
        assert!(limit.reached == 2.0 && limit.possible > 0.0 && limit.share == limit.reached / limit.possible);
        assert_eq!(embedding_multiplies(3), 4.0 * 2.0 * 2.0);
        let work = [Work { multiplies: 1.0, bytes: 2.0 }, Work { multiplies: 3.0, bytes: 4.0 }.times(2.0)];
        assert_eq!(work.into_iter().sum::<Work>(), Work { multiplies: 7.0, bytes: 10.0 });
    }
}
