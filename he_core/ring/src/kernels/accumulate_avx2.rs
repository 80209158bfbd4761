//! Sums of products on AVX2: `vpmuldq` multiplies the even 32-bit lanes, a shift brings the odd ones down.
//!
//! Per input and output of a strip two multiplications and two additions for eight products; one load and one shift per
//! input. The twelve accumulators of the tallest strip, the two inputs and a weight fill the sixteen registers.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_loadu_si256, _mm256_mul_epi32, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_srli_epi64, _mm256_storeu_si256,
};

use super::accumulate::{LANES, PanelRow, Sums, product};
use crate::isa::Avx2;
use crate::linear_weights::{STRIP, Strip};
use crate::matrix_product::PanelWord;
use crate::modulus::Modulus;

pub(super) fn strip_product<W: PanelWord>(
    _proof: Avx2,
    m: Modulus<W>,
    panel: &[PanelRow],
    index: &[u32],
    strip: &Strip,
    out: &mut [[W; LANES]; STRIP],
) {
    // SAFETY: `Avx2` is only built after the processor reported AVX2.
    unsafe { strip_product_lanes(m, panel, index, strip, out) }
}

#[target_feature(enable = "avx2")]
fn strip_product_lanes<W: PanelWord>(
    m: Modulus<W>,
    panel: &[PanelRow],
    index: &[u32],
    strip: &Strip,
    out: &mut [[W; LANES]; STRIP],
) {
    product(m, panel, index, strip, out, |rows, panel, index, weights, sums| {
        match rows {
            1 => accumulate::<1>(panel, index, weights, sums),
            2 => accumulate::<2>(panel, index, weights, sums),
            3 => accumulate::<3>(panel, index, weights, sums),
            4 => accumulate::<4>(panel, index, weights, sums),
            5 => accumulate::<5>(panel, index, weights, sums),
            _ => accumulate::<6>(panel, index, weights, sums),
        }
    });
}

#[target_feature(enable = "avx2")]
fn accumulate<const R: usize>(panel: &[PanelRow], index: &[u32], weights: &[i32], sums: &mut Sums) {
    let mut even = [_mm256_setzero_si256(); R];
    let mut odd = [_mm256_setzero_si256(); R];
    for (k, weights) in index.iter().zip(weights.as_chunks::<R>().0) {
        let x = load(&panel[*k as usize]);
        let x_odd = _mm256_srli_epi64::<32>(x);
        for r in 0..R {
            let w = _mm256_set1_epi32(weights[r]);
            even[r] = _mm256_add_epi64(even[r], _mm256_mul_epi32(x, w));
            odd[r] = _mm256_add_epi64(odd[r], _mm256_mul_epi32(x_odd, w));
        }
    }
    for r in 0..R {
        let (low, high) = sums[r].split_at_mut(LANES / 2);
        store(low, even[r]);
        store(high, odd[r]);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(row: &PanelRow) -> __m256i {
    // SAFETY: a panel row has 32 bytes, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(row.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(sums: &mut [i64], value: __m256i) {
    assert_eq!(sums.len(), 4);
    // SAFETY: four words of 8 bytes, just checked; the store needs no alignment.
    unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), value) }
}
