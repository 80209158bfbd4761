//! Permutations of blocks on AVX-512: `vpermq` for eight 64-bit words.

use std::arch::x86_64::{__m512i, _mm512_loadu_si512, _mm512_permutexvar_epi64, _mm512_storeu_si512};

use super::permute::{BLOCK, Patterns, split};
use crate::isa::Avx512;

pub(super) fn permute_u64(
    _proof: Avx512,
    out: &mut [[u64; BLOCK]],
    x: &[[u64; BLOCK]],
    entries: &[u32],
    patterns: &Patterns,
) {
    #[target_feature(enable = "avx512f")]
    fn lanes(out: &mut [[u64; BLOCK]], x: &[[u64; BLOCK]], entries: &[u32], patterns: &Patterns) {
        let patterns = patterns.map(|pattern| pattern.map(u64::from));
        for (out, entry) in out.iter_mut().zip(entries) {
            let (block, pattern) = split(*entry);
            let word = _mm512_permutexvar_epi64(load(&patterns[pattern]), load(&x[block]));
            // SAFETY: eight words of 8 bytes; the store needs no alignment.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), word) }
        }
    }
    // SAFETY: `Avx512` is only built after the processor reported AVX-512 F.
    unsafe { lanes(out, x, entries, patterns) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(x: &[u64; BLOCK]) -> __m512i {
    // SAFETY: eight words of 8 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
}
