//! Panels and their sums on AVX2 and FMA.
//!
//! Formula of both reductions: `e = round(s / q)` from the approximate inverse, within 1 of the true quotient and half a
//! unit, then `s - e q` by a fused multiply-add, exact because it is an integer below 2^53; it lies in `(-q, q)`.

use std::arch::x86_64::{
    __m256d, __m256i, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _MM_HINT_T1, _mm_prefetch, _mm256_add_epi32,
    _mm256_add_epi64, _mm256_add_pd, _mm256_and_si256, _mm256_castpd_si256, _mm256_castsi256_pd,
    _mm256_castsi256_si128, _mm256_cmpgt_epi64, _mm256_cvtepi32_pd, _mm256_cvtpd_epi32, _mm256_extracti128_si256,
    _mm256_fmadd_pd, _mm256_fnmadd_pd, _mm256_loadu_pd, _mm256_loadu_si256, _mm256_min_epu32, _mm256_mul_pd,
    _mm256_or_si256, _mm256_round_pd, _mm256_set_m128i, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_pd,
    _mm256_setzero_si256, _mm256_slli_epi64, _mm256_srli_epi64, _mm256_storeu_pd, _mm256_storeu_si256,
    _mm256_sub_epi32, _mm256_sub_epi64, _mm256_sub_pd,
};

use super::accumulate::{LANES, PanelRow};
use super::panel::{DIGIT_BITS, HALF_DIGIT, SumReduction, Write, pack};
use crate::isa::Avx2;

/// An integer below 2^52 in the low bits of this number is added to it; [`SIGNED`] takes integers of either sign below 2^51.
const UNSIGNED: f64 = (1u64 << 52) as f64;
const SIGNED: f64 = (3u64 << 51) as f64;

/// Asks for a cache line, of any address.
#[inline(always)]
pub(super) fn prefetch_line(line: *const i8) {
    // SAFETY: SSE is part of x86-64, and a prefetch reads nothing that the program could see.
    unsafe { _mm_prefetch::<_MM_HINT_T1>(line) }
}

pub(super) fn pack_u32(_proof: Avx2, words: &[u32], panel: &mut [PanelRow], inputs: usize, input: usize) {
    // SAFETY: `Avx2` is only built after the processor reported AVX2 and FMA.
    unsafe { pack_u32_lanes(words, panel, inputs, input) }
}

pub(super) fn pack_u64(_proof: Avx2, words: &[u64], panel: &mut [PanelRow], inputs: usize, input: usize) {
    // SAFETY: `Avx2` is only built after the processor reported AVX2 and FMA.
    unsafe { pack_u64_lanes(words, panel, inputs, input) }
}

/// Finishes whole rows; the number of words written.
pub(super) fn finish_u32(
    _proof: Avx2,
    r: &SumReduction<u32>,
    sums: &[PanelRow],
    out: &mut [u32],
    write: Write,
) -> usize {
    // SAFETY: `Avx2` is only built after the processor reported AVX2 and FMA.
    unsafe { finish_u32_lanes(r, sums, out, write) }
}

/// Finishes whole rows; the number of words written.
pub(super) fn finish_u64(
    _proof: Avx2,
    r: &SumReduction<u64>,
    sums: &[PanelRow],
    out: &mut [u64],
    write: Write,
) -> usize {
    // SAFETY: `Avx2` is only built after the processor reported AVX2 and FMA.
    unsafe { finish_u64_lanes(r, sums, out, write) }
}

#[target_feature(enable = "avx2,fma")]
fn pack_u32_lanes(words: &[u32], panel: &mut [PanelRow], inputs: usize, input: usize) {
    pack(words, panel, inputs, input, |words: &[u32; LANES]| {
        let x = load_u32(words);
        let low = _mm256_cvtepi32_pd(_mm256_castsi256_si128(x));
        let high = _mm256_cvtepi32_pd(_mm256_extracti128_si256::<1>(x));
        rows(low, high)
    });
}

#[target_feature(enable = "avx2,fma")]
fn pack_u64_lanes(words: &[u64], panel: &mut [PanelRow], inputs: usize, input: usize) {
    let unsigned = _mm256_castpd_si256(_mm256_set1_pd(UNSIGNED));
    pack(words, panel, inputs, input, |words: &[u64; LANES / 2]| {
        let x = _mm256_add_epi64(load_u64(words), _mm256_set1_epi64x(HALF_DIGIT as i64));
        let high = _mm256_srli_epi64::<{ DIGIT_BITS as i32 }>(x);
        let low = _mm256_and_si256(x, _mm256_set1_epi64x(2 * HALF_DIGIT as i64 - 1));
        let number = |x: __m256i, minus: f64| {
            _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(x, unsigned)), _mm256_set1_pd(minus))
        };
        rows(number(low, UNSIGNED + HALF_DIGIT as f64), number(high, UNSIGNED))
    });
}

#[target_feature(enable = "avx2,fma")]
fn finish_u32_lanes(r: &SumReduction<u32>, sums: &[PanelRow], out: &mut [u32], write: Write) -> usize {
    let (q, inverse) = (_mm256_set1_pd(f64::from(r.modulus.value())), _mm256_set1_pd(r.inverse));
    let q_words = _mm256_set1_epi32(r.modulus.value() as i32);
    let out = out.as_chunks_mut::<LANES>().0;
    for (sums, out) in sums.iter().zip(&mut *out) {
        let [low, high] = load(sums);
        let low = _mm256_cvtpd_epi32(_mm256_fnmadd_pd(nearest(_mm256_mul_pd(low, inverse)), q, low));
        let high = _mm256_cvtpd_epi32(_mm256_fnmadd_pd(nearest(_mm256_mul_pd(high, inverse)), q, high));
        let x = _mm256_set_m128i(high, low);
        // A negative number is a large word, to which adding q makes a small one.
        let mut x = _mm256_min_epu32(x, _mm256_add_epi32(x, q_words));
        if write == Write::Add {
            x = _mm256_add_epi32(x, load_u32(out));
            x = _mm256_min_epu32(x, _mm256_sub_epi32(x, q_words));
        }
        store_u32(out, x);
    }
    out.as_flattened().len()
}

/// `s = high * 2^31 + low`: the multiple `e q` is taken off digit by digit, `high - e q_high` and `low - e q_low`. The rest
/// lies in `(-q, q)`, so the first is below 2^31 and the second at most 2^51 in magnitude; they are put together as integers.
#[target_feature(enable = "avx2,fma")]
fn finish_u64_lanes(r: &SumReduction<u64>, sums: &[PanelRow], out: &mut [u64], write: Write) -> usize {
    let (q_low, q_high) = (_mm256_set1_pd(r.low), _mm256_set1_pd(r.high));
    let (inverse, radix) = (_mm256_set1_pd(r.inverse), _mm256_set1_pd((2 * HALF_DIGIT) as f64));
    let q = _mm256_set1_epi64x(r.modulus.value() as i64);
    let signed = _mm256_set1_pd(SIGNED);
    let integer =
        |x: __m256d| _mm256_sub_epi64(_mm256_castpd_si256(_mm256_add_pd(x, signed)), _mm256_castpd_si256(signed));
    let out = out.as_chunks_mut::<{ LANES / 2 }>().0;
    for (sums, out) in sums.iter().zip(&mut *out) {
        let [low, high] = load(sums);
        let e = nearest(_mm256_mul_pd(_mm256_fmadd_pd(high, radix, low), inverse));
        let high = integer(_mm256_fnmadd_pd(e, q_high, high));
        let low = integer(_mm256_fnmadd_pd(e, q_low, low));
        let x = _mm256_add_epi64(_mm256_slli_epi64::<{ DIGIT_BITS as i32 }>(high), low);
        let mut x = add_if_negative(x, q);
        if write == Write::Add {
            x = add_if_negative(_mm256_sub_epi64(_mm256_add_epi64(x, load_u64(out)), q), q);
        }
        store_u64(out, x);
    }
    out.as_flattened().len()
}

/// `x` or `x + q`, whichever is in `[0, q)`, for x in `(-q, q)`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_if_negative(x: __m256i, q: __m256i) -> __m256i {
    _mm256_add_epi64(x, _mm256_and_si256(_mm256_cmpgt_epi64(_mm256_setzero_si256(), x), q))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn nearest(x: __m256d) -> __m256d {
    _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load(row: &PanelRow) -> [__m256d; 2] {
    let (low, high) = row.split_at(LANES / 2);
    // SAFETY: each half has four words of 8 bytes; the loads need no alignment.
    unsafe { [_mm256_loadu_pd(low.as_ptr()), _mm256_loadu_pd(high.as_ptr())] }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn rows(low: __m256d, high: __m256d) -> PanelRow {
    let mut row = [0.0; LANES];
    let (first, second) = row.split_at_mut(LANES / 2);
    // SAFETY: each half has four words of 8 bytes; the stores need no alignment.
    unsafe {
        _mm256_storeu_pd(first.as_mut_ptr(), low);
        _mm256_storeu_pd(second.as_mut_ptr(), high);
    }
    row
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load_u32(words: &[u32; LANES]) -> __m256i {
    // SAFETY: eight words of 4 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load_u64(words: &[u64; LANES / 2]) -> __m256i {
    // SAFETY: four words of 8 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn store_u32(words: &mut [u32; LANES], value: __m256i) {
    // SAFETY: eight words of 4 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn store_u64(words: &mut [u64; LANES / 2], value: __m256i) {
    // SAFETY: four words of 8 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), value) }
}
