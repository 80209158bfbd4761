//! What the processor could do at most, and how much of that was reached.
//!
//! The clock and the speed of memory are measured in the same run. Multiplications are counted per operation, not per
//! kernel: a butterfly takes three word products (\[Har14\]: quotient, product, multiple of the prime); a product of 60-bit words
//! is made of 32-bit ones, four for the high half and three for the low one.

use std::hint::black_box;
use std::time::Instant;

use he_ring::Isa;
use serde::Serialize;

/// Reached and possible, in one unit.
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
}

impl Processor {
    pub(crate) fn measure(quick: bool) -> Processor {
        Processor { clock_hz: clock(quick), copy_bytes_per_second: copy(quick) }
    }

    /// `multiplies` in `microseconds` of one thread, against what the instruction set can issue.
    pub(crate) fn multiplies(&self, isa: Isa, multiplies: f64, microseconds: f64) -> Limit {
        let reached = multiplies / (microseconds * 1e-6 * self.clock_hz);
        let possible = multiplies_per_cycle(isa);
        Limit { unit: "multiplies a cycle", reached, possible, share: reached / possible }
    }
}

/// Two vector multipliers, of four lanes of 64 bits (products of 32 bits, or of f64, or of 52 bits) on AVX2 and eight on
/// AVX-512; one scalar multiplier.
pub(crate) fn multiplies_per_cycle(isa: Isa) -> f64 {
    match isa.name() {
        "avx2" => 8.0,
        "avx512" | "avx512_ifma" => 16.0,
        _ => 1.0,
    }
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

fn copy(quick: bool) -> f64 {
    let words = if quick { 1 << 17 } else { 1 << 24 };
    let (from, mut to) = (vec![1u64; words], vec![0u64; words]);
    let mut once = || {
        let start = Instant::now();
        to.copy_from_slice(black_box(&from));
        black_box(&to);
        16.0 * words as f64 / start.elapsed().as_secs_f64()
    };
    (0..if quick { 2 } else { 8 }).map(|_| once()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(transform_multiplies(Isa::Scalar, 13, 30), 3.0 * 13.0 * 4096.0);
        let machine = Processor { clock_hz: 1e9, copy_bytes_per_second: 1.0 };
        // A thousand products in a thousand cycles.
        let limit = machine.multiplies(Isa::Scalar, 1000.0, 1.0);
        assert_eq!((limit.reached, limit.possible, limit.share), (1.0, 1.0, 1.0));
    }
}
