//! Panels and their sums on AVX-512; formulas as on AVX2, integers and numbers converted by instructions of their own.

use std::arch::x86_64::{
    __m256i, __m512d, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _mm256_add_epi32, _mm256_add_epi64,
    _mm256_and_si256, _mm256_loadu_si256, _mm256_min_epu32, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_srli_epi64,
    _mm256_storeu_si256, _mm256_sub_epi32, _mm256_sub_epi64, _mm512_add_epi64, _mm512_castsi256_si512,
    _mm512_cvtepi32_pd, _mm512_cvtepi64_pd, _mm512_cvtpd_epi32, _mm512_cvtpd_epi64, _mm512_fmadd_pd, _mm512_fnmadd_pd,
    _mm512_inserti64x4, _mm512_loadu_pd, _mm512_loadu_si512, _mm512_min_epu64, _mm512_mul_pd, _mm512_roundscale_pd,
    _mm512_set1_epi64, _mm512_set1_pd, _mm512_shuffle_f64x2, _mm512_slli_epi64, _mm512_storeu_pd, _mm512_storeu_si512,
    _mm512_sub_epi64,
};

use super::accumulate::{LANES, PanelRow};
use super::panel::{DIGIT_BITS, HALF_DIGIT, SumReduction, Write, pack};
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

pub(super) fn pack_u64(_proof: Avx512, words: &[u64], panel: &mut [PanelRow], inputs: usize, input: usize) {
    // SAFETY: `Avx512` is only built after the processor reported these sets.
    unsafe { pack_u64_lanes(words, panel, inputs, input) }
}

/// Finishes pairs of rows; the number of words written.
pub(super) fn finish_u64(
    _proof: Avx512,
    r: &SumReduction<u64>,
    sums: &[PanelRow],
    out: &mut [u64],
    write: Write,
) -> usize {
    // SAFETY: `Avx512` is only built after the processor reported these sets.
    unsafe { finish_u64_lanes(r, sums, out, write) }
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
        let s = load_row(sums);
        let e = nearest(_mm512_mul_pd(s, inverse));
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

/// A row has four words: both digits of all four are one vector.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn pack_u64_lanes(words: &[u64], panel: &mut [PanelRow], inputs: usize, input: usize) {
    pack(words, panel, inputs, input, |words: &[u64; LANES / 2]| {
        // SAFETY: four words of 8 bytes; the load needs no alignment.
        let words = unsafe { _mm256_loadu_si256(words.as_ptr().cast()) };
        let x = _mm256_add_epi64(words, _mm256_set1_epi64x(HALF_DIGIT as i64));
        let high = _mm256_srli_epi64::<{ DIGIT_BITS as i32 }>(x);
        let low = _mm256_and_si256(x, _mm256_set1_epi64x(2 * HALF_DIGIT as i64 - 1));
        let low = _mm256_sub_epi64(low, _mm256_set1_epi64x(HALF_DIGIT as i64));
        let x = _mm512_cvtepi64_pd(_mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high));
        let mut row = [0.0; LANES];
        // SAFETY: a panel row has eight words of 8 bytes; the store needs no alignment.
        unsafe { _mm512_storeu_pd(row.as_mut_ptr(), x) }
        row
    });
}

/// The digits of two rows side by side: eight words.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn finish_u64_lanes(r: &SumReduction<u64>, sums: &[PanelRow], out: &mut [u64], write: Write) -> usize {
    let (q_low, q_high) = (_mm512_set1_pd(r.low), _mm512_set1_pd(r.high));
    let (inverse, radix) = (_mm512_set1_pd(r.inverse), _mm512_set1_pd((2 * HALF_DIGIT) as f64));
    let q = _mm512_set1_epi64(r.modulus.value() as i64);
    let out = out.as_chunks_mut::<LANES>().0;
    for ([first, second], out) in sums.as_chunks::<2>().0.iter().zip(&mut *out) {
        let (first, second) = (load_row(first), load_row(second));
        let low = _mm512_shuffle_f64x2::<0b01_00_01_00>(first, second);
        let high = _mm512_shuffle_f64x2::<0b11_10_11_10>(first, second);
        let e = nearest(_mm512_mul_pd(_mm512_fmadd_pd(high, radix, low), inverse));
        let high = _mm512_cvtpd_epi64(_mm512_fnmadd_pd(e, q_high, high));
        let low = _mm512_cvtpd_epi64(_mm512_fnmadd_pd(e, q_low, low));
        let x = _mm512_add_epi64(_mm512_slli_epi64::<{ DIGIT_BITS }>(high), low);
        let mut x = _mm512_min_epu64(x, _mm512_add_epi64(x, q));
        if write == Write::Add {
            // SAFETY: eight words of 8 bytes; the load needs no alignment.
            x = _mm512_add_epi64(x, unsafe { _mm512_loadu_si512(out.as_ptr().cast()) });
            x = _mm512_min_epu64(x, _mm512_sub_epi64(x, q));
        }
        // SAFETY: eight words of 8 bytes; the store needs no alignment.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), x) }
    }
    out.as_flattened().len()
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn nearest(x: __m512d) -> __m512d {
    _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn load_row(row: &PanelRow) -> __m512d {
    // SAFETY: a panel row has eight words of 8 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_pd(row.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn load(words: &[u32; LANES]) -> __m256i {
    // SAFETY: eight words of 4 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}
