//! Draws on AVX-512: accepted words and fields are compressed to the front; binomial errors are the portable loop, compiled.

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

pub(super) fn ternary(_proof: Avx512, words: &[u32], out: &mut [i8]) -> usize {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(words: &[u32], out: &mut [i8]) -> usize {
        let shifts = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        let (three, one) = (_mm512_set1_epi32(3), _mm512_set1_epi32(1));
        let mut kept = 0;
        for word in words {
            let fields = _mm512_and_si512(_mm512_srlv_epi32(_mm512_set1_epi32(*word as i32), shifts), three);
            let set = _mm512_cmpneq_epu32_mask(fields, three);
            let values = _mm512_maskz_compress_epi32(set, _mm512_sub_epi32(fields, one));
            // At most as many values were kept as fields taken, so sixteen more fit.
            let to = &mut out[kept..kept + 16];
            // SAFETY: `to` is writable as a whole; the store needs no alignment.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(values)) }
            kept += set.count_ones() as usize;
        }
        kept
    }
    // SAFETY: the proof is only built after the processor reported these features.
    unsafe { lanes(words, out) }
}

pub(super) fn binomial(_proof: Avx512, draws: &[[u32; 2]], out: &mut [i8]) {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(draws: &[[u32; 2]], out: &mut [i8]) {
        draws::binomial(draws, out);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(draws, out) }
}

/// Vectors of draws that meet a table entry together.
const GAUSSIAN_VECTORS: usize = 4;

pub(super) fn gaussian(_proof: Avx512, tails: &[u64], draws: &[[u32; 2]], out: &mut [i8]) {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(tails: &[u64], draws: &[[[u32; 2]; 8 * GAUSSIAN_VECTORS]], out: &mut [[i8; 8 * GAUSSIAN_VECTORS]]) {
        let (size, one) = (_mm512_set1_epi64(i64::MAX), _mm512_set1_epi64(1));
        for (draws, out) in draws.iter().zip(out) {
            let mut bits = [_mm512_setzero_si512(); GAUSSIAN_VECTORS];
            for (bits, draws) in bits.iter_mut().zip(draws.as_chunks::<8>().0) {
                // SAFETY: `draws` is readable as a whole; the load needs no alignment.
                *bits = unsafe { _mm512_loadu_si512(draws.as_ptr().cast()) };
            }
            let uniform = bits.map(|bits| _mm512_and_si512(bits, size));
            let mut magnitudes = [_mm512_setzero_si512(); GAUSSIAN_VECTORS];
            for entry in tails {
                let entry = _mm512_set1_epi64(*entry as i64);
                for (magnitude, u) in magnitudes.iter_mut().zip(uniform) {
                    let below = _mm512_cmplt_epu64_mask(u, entry);
                    *magnitude = _mm512_mask_add_epi64(*magnitude, below, *magnitude, one);
                }
            }
            let outs = out.as_chunks_mut::<8>().0;
            for ((out, magnitude), bits) in outs.iter_mut().zip(magnitudes).zip(bits) {
                let negative = _mm512_movepi64_mask(bits);
                let value = _mm512_mask_sub_epi64(magnitude, negative, _mm512_setzero_si512(), magnitude);
                let bytes = _mm_cvtsi128_si64(_mm512_cvtepi64_epi8(value)).to_le_bytes();
                *out = bytes.map(|byte| byte as i8);
            }
        }
    }
    let ((head, tail), (out, out_tail)) = (draws.as_chunks(), out.as_chunks_mut());
    // SAFETY: the proof is only built after the processor reported these features.
    unsafe { lanes(tails, head, out) }
    draws::gaussian(tails, tail, out_tail);
}
