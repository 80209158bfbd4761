//! Draws on AVX2: accepted words and fields move to the front by a table of permutations; binomial errors are the portable
//! loop, compiled.

use std::arch::x86_64::*;

use super::draws;
use crate::isa::Avx2;

/// For each set of kept lanes of eight: the lanes, in order, one a byte.
const FRONT_OF_8: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut set = 0;
    while set < 256 {
        let (mut lane, mut kept) = (0, 0);
        while lane < 8 {
            if set >> lane & 1 == 1 {
                table[set][kept] = lane as u8;
                kept += 1;
            }
            lane += 1;
        }
        set += 1;
    }
    table
};

/// As [`FRONT_OF_8`] for four lanes of 64 bits, as pairs of 32-bit lanes.
const FRONT_OF_4: [[u8; 8]; 16] = {
    let mut table = [[0; 8]; 16];
    let mut set = 0;
    while set < 16 {
        let mut half = 0;
        while half < 8 {
            let lane = FRONT_OF_8[set][half / 2];
            table[set][half] = 2 * lane + (half % 2) as u8;
            half += 1;
        }
        set += 1;
    }
    table
};

#[inline]
#[target_feature(enable = "avx2")]
fn to_front(x: __m256i, order: &[u8; 8]) -> __m256i {
    let order = _mm_cvtsi64_si128(i64::from_le_bytes(*order));
    _mm256_permutevar8x32_epi32(x, _mm256_cvtepu8_epi32(order))
}

pub(super) fn keep_u32(_proof: Avx2, q: u32, words: &[u32], out: &mut [u32]) -> usize {
    #[target_feature(enable = "avx2")]
    fn lanes(q: u32, words: &[[u32; 8]], out: &mut [u32]) -> usize {
        let mask = _mm256_set1_epi32((u32::MAX >> q.leading_zeros()) as i32);
        let bound = _mm256_set1_epi32(q as i32);
        let mut kept = 0;
        for words in words {
            // SAFETY: `words` is readable as a whole; the load needs no alignment.
            let x = _mm256_and_si256(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }, mask);
            // Both sides are below 2^30: signed comparison is comparison.
            let set = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(bound, x))) as u8;
            let front = to_front(x, &FRONT_OF_8[usize::from(set)]);
            // At most as many words were kept as taken, so eight more fit.
            let to = &mut out[kept..kept + 8];
            // SAFETY: `to` is writable as a whole; the store needs no alignment.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), front) }
            kept += set.count_ones() as usize;
        }
        kept
    }
    let (head, tail) = words.as_chunks();
    // SAFETY: the proof is only built after the processor reported these features.
    let kept = unsafe { lanes(q, head, out) };
    kept + draws::keep_u32(q, tail, &mut out[kept..])
}

pub(super) fn keep_u64(_proof: Avx2, q: u64, words: &[[u32; 2]], out: &mut [u64]) -> usize {
    #[target_feature(enable = "avx2")]
    fn lanes(q: u64, words: &[[[u32; 2]; 4]], out: &mut [u64]) -> usize {
        let mask = _mm256_set1_epi64x((u64::MAX >> q.leading_zeros()) as i64);
        let bound = _mm256_set1_epi64x(q as i64);
        let mut kept = 0;
        for words in words {
            // SAFETY: `words` is readable as a whole; the load needs no alignment.
            let x = _mm256_and_si256(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }, mask);
            // Both sides are below 2^62: signed comparison is comparison.
            let set = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(bound, x))) as u8;
            let front = to_front(x, &FRONT_OF_4[usize::from(set & 15)]);
            let to = &mut out[kept..kept + 4];
            // SAFETY: `to` is writable as a whole; the store needs no alignment.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), front) }
            kept += set.count_ones() as usize;
        }
        kept
    }
    let (head, tail) = words.as_chunks();
    // SAFETY: the proof is only built after the processor reported these features.
    let kept = unsafe { lanes(q, head, out) };
    kept + draws::keep_u64(q, tail, &mut out[kept..])
}

pub(super) fn ternary(_proof: Avx2, words: &[u32], out: &mut [i8]) -> usize {
    #[target_feature(enable = "avx2")]
    fn lanes(words: &[u32], out: &mut [i8]) -> usize {
        // Two bytes of fields a lane; packing takes the lanes of either half in turn.
        let (low, high) =
            (_mm256_setr_epi32(0, 2, 4, 6, 16, 18, 20, 22), _mm256_setr_epi32(8, 10, 12, 14, 24, 26, 28, 30));
        let three = _mm256_set1_epi32(3);
        let mut kept = 0;
        for word in words {
            let word = _mm256_set1_epi32(*word as i32);
            let low = _mm256_and_si256(_mm256_srlv_epi32(word, low), three);
            let high = _mm256_and_si256(_mm256_srlv_epi32(word, high), three);
            let fields = _mm256_packs_epi32(low, high);
            let fields = _mm_packs_epi16(_mm256_castsi256_si128(fields), _mm256_extracti128_si256::<1>(fields));
            let skipped = _mm_movemask_epi8(_mm_cmpeq_epi8(fields, _mm_set1_epi8(3)));
            let values = _mm_sub_epi8(fields, _mm_set1_epi8(1));
            for (values, skipped) in [(values, skipped), (_mm_srli_si128::<8>(values), skipped >> 8)] {
                // Which fields are skipped tells nothing about the others.
                let set = !skipped as u8;
                let order = _mm_cvtsi64_si128(i64::from_le_bytes(FRONT_OF_8[usize::from(set)]));
                let front = _mm_cvtsi128_si64(_mm_shuffle_epi8(values, order)).to_le_bytes();
                // At most as many values were kept as fields taken, so eight more fit.
                out[kept..kept + 8].copy_from_slice(&front.map(|value| value as i8));
                kept += set.count_ones() as usize;
            }
        }
        kept
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(words, out) }
}

pub(super) fn binomial(_proof: Avx2, draws: &[[u32; 2]], out: &mut [i8]) {
    #[target_feature(enable = "avx2")]
    fn lanes(draws: &[[u32; 2]], out: &mut [i8]) {
        draws::binomial(draws, out);
    }
    // SAFETY: the proof is only built after the processor reported these features; `lanes` itself is safe code.
    unsafe { lanes(draws, out) }
}

/// Vectors of draws that meet a table entry together.
const GAUSSIAN_VECTORS: usize = 4;

pub(super) fn gaussian(_proof: Avx2, tails: &[u64], draws: &[[u32; 2]], out: &mut [i8]) {
    #[target_feature(enable = "avx2")]
    fn lanes(tails: &[u64], draws: &[[[u32; 2]; 4 * GAUSSIAN_VECTORS]], out: &mut [[i8; 4 * GAUSSIAN_VECTORS]]) {
        let size = _mm256_set1_epi64x(i64::MAX);
        for (draws, out) in draws.iter().zip(out) {
            let mut bits = [_mm256_setzero_si256(); GAUSSIAN_VECTORS];
            for (bits, draws) in bits.iter_mut().zip(draws.as_chunks::<4>().0) {
                // SAFETY: `draws` is readable as a whole; the load needs no alignment.
                *bits = unsafe { _mm256_loadu_si256(draws.as_ptr().cast()) };
            }
            let uniform = bits.map(|bits| _mm256_and_si256(bits, size));
            let mut magnitudes = [_mm256_setzero_si256(); GAUSSIAN_VECTORS];
            for entry in tails {
                // Both sides are below 2^63: signed comparison is comparison.
                let entry = _mm256_set1_epi64x(*entry as i64);
                for (magnitude, u) in magnitudes.iter_mut().zip(uniform) {
                    *magnitude = _mm256_sub_epi64(*magnitude, _mm256_cmpgt_epi64(entry, u));
                }
            }
            let outs = out.as_chunks_mut::<4>().0;
            for ((out, magnitude), bits) in outs.iter_mut().zip(magnitudes).zip(bits) {
                let sign = _mm256_cmpgt_epi64(_mm256_setzero_si256(), bits);
                let value = _mm256_sub_epi64(_mm256_xor_si256(magnitude, sign), sign);
                let mut wide = [0i64; 4];
                // SAFETY: `wide` is writable as a whole; the store needs no alignment.
                unsafe { _mm256_storeu_si256(wide.as_mut_ptr().cast(), value) }
                *out = wide.map(|value| value as i8);
            }
        }
    }
    let ((head, tail), (out, out_tail)) = (draws.as_chunks(), out.as_chunks_mut());
    // SAFETY: the proof is only built after the processor reported these features.
    unsafe { lanes(tails, head, out) }
    draws::gaussian(tails, tail, out_tail);
}
