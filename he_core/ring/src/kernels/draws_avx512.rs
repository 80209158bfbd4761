//! Draws on AVX-512: accepted words are compressed to the front; errors are the portable loops, compiled.

use std::arch::x86_64::*;

use super::draws;
use crate::isa::Avx512;

pub(super) fn keep_u32(_proof: Avx512, q: u32, words: &[u32], out: &mut [u32]) -> usize {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(q: u32, words: &[[u32; 16]], out: &mut [u32]) -> usize {
        let mask = _mm512_set1_epi32((u32::MAX >> q.leading_zeros()) as i32);
        let bound = _mm512_set1_epi32(q as i32);
        let mut kept = 0;
        for words in words {
            // SAFETY: `words` is readable as a whole; the load needs no alignment.
            let x = _mm512_and_si512(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }, mask);
            let set = _mm512_cmplt_epu32_mask(x, bound);
            // At most as many words were kept as taken, so sixteen more fit.
            let to = &mut out[kept..kept + 16];
            // SAFETY: `to` is writable as a whole; the store needs no alignment.
            unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(set, x)) }
            kept += set.count_ones() as usize;
        }
        kept
    }
    let (head, tail) = words.as_chunks();
    // SAFETY: the proof is only built after the processor reported these features.
    let kept = unsafe { lanes(q, head, out) };
    kept + draws::keep_u32(q, tail, &mut out[kept..])
}

pub(super) fn keep_u64(_proof: Avx512, q: u64, words: &[[u32; 2]], out: &mut [u64]) -> usize {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(q: u64, words: &[[[u32; 2]; 8]], out: &mut [u64]) -> usize {
        let mask = _mm512_set1_epi64((u64::MAX >> q.leading_zeros()) as i64);
        let bound = _mm512_set1_epi64(q as i64);
        let mut kept = 0;
        for words in words {
            // SAFETY: `words` is readable as a whole; the load needs no alignment.
            let x = _mm512_and_si512(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }, mask);
            let set = _mm512_cmplt_epu64_mask(x, bound);
            let to = &mut out[kept..kept + 8];
            // SAFETY: `to` is writable as a whole; the store needs no alignment.
            unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_maskz_compress_epi64(set, x)) }
            kept += set.count_ones() as usize;
        }
        kept
    }
    let (head, tail) = words.as_chunks();
    // SAFETY: the proof is only built after the processor reported these features.
    let kept = unsafe { lanes(q, head, out) };
    kept + draws::keep_u64(q, tail, &mut out[kept..])
}

pub(super) fn binomial(_proof: Avx512, draws: &[[u32; 2]], out: &mut [i8]) {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(draws: &[[u32; 2]], out: &mut [i8]) {
        draws::binomial(draws, out);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(draws, out) }
}

pub(super) fn gaussian(_proof: Avx512, tails: &[u64], draws: &[[u32; 2]], out: &mut [i8]) {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(tails: &[u64], draws: &[[u32; 2]], out: &mut [i8]) {
        draws::gaussian(tails, draws, out);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(tails, draws, out) }
}
