//! The loops of `integers.rs`, compiled for AVX2.

use super::integers::{add_small, center_short, reduce_any, reduce_below};
use crate::Word;
use crate::isa::Avx2;
use crate::modulus::Modulus;

pub(super) fn reduce<W: Word>(_proof: Avx2, m: Modulus<W>, below: bool, x: &[i32], out: &mut [W]) {
    #[target_feature(enable = "avx2")]
    fn lanes<W: Word>(m: Modulus<W>, below: bool, x: &[i32], out: &mut [W]) {
        if below { reduce_below(m, x, out) } else { reduce_any(m, x, out) }
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(m, below, x, out) }
}

pub(super) fn center(_proof: Avx2, q: u32, factor: f64, x: &[u32], out: &mut [f64]) {
    #[target_feature(enable = "avx2")]
    fn lanes(q: u32, factor: f64, x: &[u32], out: &mut [f64]) {
        center_short(q, factor, x, out);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(q, factor, x, out) }
}

pub(super) fn center_long(_proof: Avx2, q: u64, factor: f64, x: &[u64], out: &mut [f64]) {
    #[target_feature(enable = "avx2")]
    fn lanes(q: u64, factor: f64, x: &[u64], out: &mut [f64]) {
        super::integers::center_long(q, factor, x, out, number);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(q, factor, x, out) }
}

pub(super) fn add_small_i32(_proof: Avx2, x: &mut [i32], e: &[i8]) {
    #[target_feature(enable = "avx2")]
    fn lanes(x: &mut [i32], e: &[i8]) {
        add_small(x, e);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(x, e) }
}

pub(super) fn add_small_i64(_proof: Avx2, x: &mut [i64], e: &[i8]) {
    #[target_feature(enable = "avx2")]
    fn lanes(x: &mut [i64], e: &[i8]) {
        add_small(x, e);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(x, e) }
}

/// `x as f64` in operations that AVX2 has: both halves through mantissas, rounded once by the last addition.
#[inline(always)]
fn number(x: i64) -> f64 {
    const TWO_52: f64 = (1u64 << 52) as f64;
    const TWO_63: f64 = (1u64 << 63) as f64;
    const TWO_84: f64 = (1u128 << 84) as f64;
    // The upper half, a sign among its bits, counts from -2^31.
    let high = f64::from_bits((x as u64 ^ 1 << 63) >> 32 | TWO_84.to_bits()) - (TWO_84 + TWO_63 + TWO_52);
    high + f64::from_bits(x as u64 & 0xffff_ffff | TWO_52.to_bits())
}
