//! The loops of `integers.rs`, compiled for AVX-512.

use super::integers::{add_small, center_short, reduce_any, reduce_below};
use crate::Word;
use crate::isa::Avx512;
use crate::modulus::Modulus;

pub(super) fn reduce<W: Word>(_proof: Avx512, m: Modulus<W>, below: bool, x: &[i32], out: &mut [W]) {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes<W: Word>(m: Modulus<W>, below: bool, x: &[i32], out: &mut [W]) {
        if below { reduce_below(m, x, out) } else { reduce_any(m, x, out) }
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(m, below, x, out) }
}

pub(super) fn center(_proof: Avx512, q: u32, factor: f64, x: &[u32], out: &mut [f64]) {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(q: u32, factor: f64, x: &[u32], out: &mut [f64]) {
        center_short(q, factor, x, out);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(q, factor, x, out) }
}

pub(super) fn center_long(_proof: Avx512, q: u64, factor: f64, x: &[u64], out: &mut [f64]) {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(q: u64, factor: f64, x: &[u64], out: &mut [f64]) {
        super::integers::center_long(q, factor, x, out, |x| x as f64);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(q, factor, x, out) }
}

pub(super) fn add_small_i32(_proof: Avx512, x: &mut [i32], e: &[i8]) {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(x: &mut [i32], e: &[i8]) {
        add_small(x, e);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(x, e) }
}

pub(super) fn add_small_i64(_proof: Avx512, x: &mut [i64], e: &[i8]) {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(x: &mut [i64], e: &[i8]) {
        add_small(x, e);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(x, e) }
}
