//! Panels of 32-bit residues and their sums on AVX-512; formulas as on AVX2.

use std::arch::x86_64::{
    __m256i, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _mm256_add_epi32, _mm256_loadu_si256, _mm256_min_epu32,
    _mm256_set1_epi32, _mm256_storeu_si256, _mm256_sub_epi32, _mm512_cvtepi32_pd, _mm512_cvtpd_epi32, _mm512_fnmadd_pd,
    _mm512_loadu_pd, _mm512_mul_pd, _mm512_roundscale_pd, _mm512_set1_pd, _mm512_storeu_pd,
};

use super::accumulate::{LANES, PanelRow};
use super::panel::{SumReduction, Write, pack};
use crate::isa::Avx512;

pub(super) fn pack_u32(_proof: Avx512, words: &[u32], panel: &mut [PanelRow], inputs: usize, input: usize) {
    // SAFETY: `Avx512` is only built after the processor reported these sets.
    unsafe { pack_u32_lanes(words, panel, inputs, input) }
}

/// Finishes whole rows; the number of words written.
pub(super) fn finish_u32(
    _proof: Avx512,
    r: &SumReduction<u32>,
    sums: &[PanelRow],
    out: &mut [u32],
    write: Write,
) -> usize {
    // SAFETY: `Avx512` is only built after the processor reported these sets.
    unsafe { finish_u32_lanes(r, sums, out, write) }
}

#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn pack_u32_lanes(words: &[u32], panel: &mut [PanelRow], inputs: usize, input: usize) {
    pack(words, panel, inputs, input, |words: &[u32; LANES]| {
        let (mut row, x) = ([0.0; LANES], _mm512_cvtepi32_pd(load(words)));
        // SAFETY: a panel row has eight words of 8 bytes; the store needs no alignment.
        unsafe { _mm512_storeu_pd(row.as_mut_ptr(), x) }
        row
    });
}

#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn finish_u32_lanes(r: &SumReduction<u32>, sums: &[PanelRow], out: &mut [u32], write: Write) -> usize {
    let (q, inverse) = (_mm512_set1_pd(f64::from(r.modulus.value())), _mm512_set1_pd(r.inverse));
    let q_words = _mm256_set1_epi32(r.modulus.value() as i32);
    let out = out.as_chunks_mut::<LANES>().0;
    for (sums, out) in sums.iter().zip(&mut *out) {
        // SAFETY: a panel row has eight words of 8 bytes; the load needs no alignment.
        let s = unsafe { _mm512_loadu_pd(sums.as_ptr()) };
        let e = _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(_mm512_mul_pd(s, inverse));
        let x = _mm512_cvtpd_epi32(_mm512_fnmadd_pd(e, q, s));
        let mut x = _mm256_min_epu32(x, _mm256_add_epi32(x, q_words));
        if write == Write::Add {
            x = _mm256_add_epi32(x, load(out));
            x = _mm256_min_epu32(x, _mm256_sub_epi32(x, q_words));
        }
        // SAFETY: eight words of 4 bytes; the store needs no alignment.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), x) }
    }
    out.as_flattened().len()
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn load(words: &[u32; LANES]) -> __m256i {
    // SAFETY: eight words of 4 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}
