//! The loops of `integers.rs`, compiled for AVX2.

use super::integers::{center_short, reduce_any, reduce_below};
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
