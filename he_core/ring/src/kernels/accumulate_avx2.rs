//! Sums of products on AVX2: `vpmuldq` multiplies the even 32-bit lanes, a shuffle brings the odd ones down.
//!
//! Per input and output of a strip two multiplications and two additions for eight products; one load and one shuffle
//! per input. Accumulators stay in registers from the first input of a segment to the last.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_add_epi64, _mm256_blend_epi32, _mm256_loadu_si256, _mm256_min_epu32,
    _mm256_mul_epi32, _mm256_mul_epu32, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setzero_si256,
    _mm256_shuffle_epi32, _mm256_slli_epi64, _mm256_srli_epi64, _mm256_storeu_si256, _mm256_sub_epi32,
    _mm256_sub_epi64,
};
use std::ops::Range;

use super::accumulate::{LANES, PanelRow, PanelWord, StripProduct, SumReduction, Sums, add_finished};
use crate::isa::Avx2;
use crate::linear_weights::STRIP;

pub(super) fn strip_product_u32(
    _proof: Avx2,
    r: &SumReduction<u32>,
    p: StripProduct<'_>,
    out: &mut [&mut [u32]],
    columns: Range<usize>,
) {
    // SAFETY: `Avx2` is only built after the processor reported AVX2.
    unsafe {
        match p.strip.rows {
            1 => lanes_u32::<1>(r, p, out, columns),
            2 => lanes_u32::<2>(r, p, out, columns),
            3 => lanes_u32::<3>(r, p, out, columns),
            4 => lanes_u32::<4>(r, p, out, columns),
            5 => lanes_u32::<5>(r, p, out, columns),
            _ => lanes_u32::<STRIP>(r, p, out, columns),
        }
    }
}

pub(super) fn strip_product_u64(
    _proof: Avx2,
    r: &SumReduction<u64>,
    p: StripProduct<'_>,
    out: &mut [&mut [u64]],
    columns: Range<usize>,
) {
    // SAFETY: `Avx2` is only built after the processor reported AVX2.
    unsafe {
        match p.strip.rows {
            1 => lanes_u64::<1>(r, p, out, columns),
            2 => lanes_u64::<2>(r, p, out, columns),
            3 => lanes_u64::<3>(r, p, out, columns),
            4 => lanes_u64::<4>(r, p, out, columns),
            5 => lanes_u64::<5>(r, p, out, columns),
            _ => lanes_u64::<STRIP>(r, p, out, columns),
        }
    }
}

/// Sums of even and of odd lanes for each row of a strip.
type Accumulators<const R: usize> = [[__m256i; 2]; R];

#[inline]
#[target_feature(enable = "avx2")]
fn accumulate<const R: usize>(panel: &[PanelRow], index: &[u32], weights: &[i32]) -> Accumulators<R> {
    let mut sums = [[_mm256_setzero_si256(); 2]; R];
    for (k, weights) in index.iter().zip(weights.as_chunks::<R>().0) {
        let even = load(&panel[*k as usize]);
        let odd = odd_down(even);
        for r in 0..R {
            let w = _mm256_set1_epi32(weights[r]);
            sums[r][0] = _mm256_add_epi64(sums[r][0], _mm256_mul_epi32(even, w));
            sums[r][1] = _mm256_add_epi64(sums[r][1], _mm256_mul_epi32(odd, w));
        }
    }
    sums
}

#[target_feature(enable = "avx2")]
fn lanes_u32<const R: usize>(
    reduction: &SumReduction<u32>,
    p: StripProduct<'_>,
    out: &mut [&mut [u32]],
    columns: Range<usize>,
) {
    let constants = Constants::new(reduction);
    let (strip, q) = (p.strip, constants.q);
    for (panel, at) in p.panel.chunks_exact(p.inputs).zip(columns.step_by(LANES)) {
        let (mut start, mut total) = (0, [_mm256_setzero_si256(); R]);
        for (nth, end) in strip.segments.iter().enumerate() {
            let sums = accumulate::<R>(panel, &p.index[start..*end], &strip.weights[start * R..end * R]);
            for r in 0..R {
                let residue = finish(&constants, sums[r][0], sums[r][1]);
                total[r] = if nth == 0 { residue } else { reduce(_mm256_add_epi32(total[r], residue), q) };
            }
            start = *end;
        }
        for (total, output) in total.iter().zip(p.outputs) {
            if let Some(words) = out[*output as usize][at..].first_chunk_mut() {
                store(words, *total);
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn lanes_u64<const R: usize>(
    reduction: &SumReduction<u64>,
    p: StripProduct<'_>,
    out: &mut [&mut [u64]],
    columns: Range<usize>,
) {
    let strip = p.strip;
    for (panel, at) in p.panel.chunks_exact(p.inputs).zip(columns.step_by(u64::COLUMNS)) {
        let (mut start, mut total) = (0, [[0; LANES]; R]);
        for end in &strip.segments {
            let sums = accumulate::<R>(panel, &p.index[start..*end], &strip.weights[start * R..end * R]);
            for r in 0..R {
                add_finished(reduction, &spill(sums[r]), &mut total[r]);
            }
            start = *end;
        }
        for (total, output) in total.iter().zip(p.outputs) {
            out[*output as usize][at..at + u64::COLUMNS].copy_from_slice(&total[..u64::COLUMNS]);
        }
    }
}

/// What the reduction of 64-bit sums modulo a 32-bit prime needs, in every lane.
struct Constants {
    q: __m256i,
    two_q: __m256i,
    /// `2^32 mod q` and its Shoup quotient; `floor(2^32 / q)`.
    radix: __m256i,
    radix_quotient: __m256i,
    ratio: __m256i,
    offset: __m256i,
}

impl Constants {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(reduction: &SumReduction<u32>) -> Self {
        let m = reduction.modulus;
        let all = |x: u32| _mm256_set1_epi32(x as i32);
        Self {
            q: all(m.value()),
            two_q: all(m.twice()),
            radix: all(m.radix().value()),
            radix_quotient: all(m.radix().quotient()),
            ratio: all(m.ratio()),
            offset: _mm256_set1_epi64x(reduction.offset as i64),
        }
    }
}

/// `x` from `[0, 2b)` to `[0, b)`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce(x: __m256i, b: __m256i) -> __m256i {
    _mm256_min_epu32(x, _mm256_sub_epi32(x, b))
}

/// A sum `s`, made positive, as `high * 2^32 + low`: `high * radix + low - e*q` lies in `[0, 4q)`, in the low 32 bits,
/// where `e` is the sum of both quotient estimates, below 2^32 because `high < 2^31` and `low / q < 2^30`.
#[inline]
#[target_feature(enable = "avx2")]
fn partial(c: &Constants, sum: __m256i) -> __m256i {
    let low = _mm256_add_epi64(sum, c.offset);
    let high = _mm256_srli_epi64::<32>(low);
    let estimate = _mm256_add_epi64(
        _mm256_srli_epi64::<32>(_mm256_mul_epu32(high, c.radix_quotient)),
        _mm256_srli_epi64::<32>(_mm256_mul_epu32(low, c.ratio)),
    );
    let value = _mm256_add_epi64(_mm256_mul_epu32(high, c.radix), low);
    _mm256_sub_epi64(value, _mm256_mul_epu32(estimate, c.q))
}

/// Sums of even and odd lanes to residues in order.
#[inline]
#[target_feature(enable = "avx2")]
fn finish(c: &Constants, even: __m256i, odd: __m256i) -> __m256i {
    let odd = _mm256_slli_epi64::<32>(partial(c, odd));
    let both = _mm256_blend_epi32::<0b1010_1010>(partial(c, even), odd);
    reduce(reduce(both, c.two_q), c.q)
}

#[inline]
#[target_feature(enable = "avx2")]
fn odd_down(x: __m256i) -> __m256i {
    _mm256_shuffle_epi32::<0b11_11_01_01>(x)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(row: &PanelRow) -> __m256i {
    // SAFETY: a panel row has 32 bytes, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(row.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(words: &mut PanelRow, value: __m256i) {
    // SAFETY: eight words of 4 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn spill(sums: [__m256i; 2]) -> Sums {
    let mut words = [0; LANES];
    let (even, odd) = words.split_at_mut(LANES / 2);
    // SAFETY: each half has four words of 8 bytes; the stores need no alignment.
    unsafe {
        _mm256_storeu_si256(even.as_mut_ptr().cast(), sums[0]);
        _mm256_storeu_si256(odd.as_mut_ptr().cast(), sums[1]);
    }
    words
}
