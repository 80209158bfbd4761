//! Sums of products on AVX2 and FMA: eight columns of up to six outputs, twelve sums, stay in registers.
//!
//! Per input two loads, and per output one broadcast and two fused multiply-adds for eight products. The limit is two of
//! these a cycle: eight products.

use std::arch::x86_64::{
    __m256d, _mm256_broadcast_sd, _mm256_fmadd_pd, _mm256_loadu_pd, _mm256_setzero_pd, _mm256_storeu_pd,
};

use super::accumulate::{LANES, Panel, PanelRow};
use crate::isa::Avx2;
use crate::linear_weights::STRIP;

pub(super) fn accumulate(
    _proof: Avx2,
    panel: Panel<'_>,
    index: &[u32],
    weights: &[f64],
    rows: usize,
    sums: &mut [PanelRow],
) {
    // SAFETY: `Avx2` is only built after the processor reported AVX2 and FMA.
    unsafe {
        match rows {
            1 => lanes::<1>(panel, index, weights, sums),
            2 => lanes::<2>(panel, index, weights, sums),
            3 => lanes::<3>(panel, index, weights, sums),
            4 => lanes::<4>(panel, index, weights, sums),
            5 => lanes::<5>(panel, index, weights, sums),
            _ => lanes::<STRIP>(panel, index, weights, sums),
        }
    }
}

#[target_feature(enable = "avx2,fma")]
fn lanes<const R: usize>(panel: Panel<'_>, index: &[u32], weights: &[f64], sums: &mut [PanelRow]) {
    let blocks = sums.len() / R;
    for block in 0..blocks {
        let panel = &panel.rows[block * panel.inputs..];
        let mut totals = [[_mm256_setzero_pd(); 2]; R];
        for (k, weights) in index.iter().zip(weights.as_chunks::<R>().0) {
            let [low, high] = load(&panel[*k as usize]);
            for (total, w) in totals.iter_mut().zip(weights) {
                let w = _mm256_broadcast_sd(w);
                total[0] = _mm256_fmadd_pd(w, low, total[0]);
                total[1] = _mm256_fmadd_pd(w, high, total[1]);
            }
        }
        for (row, total) in totals.into_iter().enumerate() {
            store(&mut sums[row * blocks + block], total);
        }
    }
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
fn store(row: &mut PanelRow, [low, high]: [__m256d; 2]) {
    let (first, second) = row.split_at_mut(LANES / 2);
    // SAFETY: each half has four words of 8 bytes; the stores need no alignment.
    unsafe {
        _mm256_storeu_pd(first.as_mut_ptr(), low);
        _mm256_storeu_pd(second.as_mut_ptr(), high);
    }
}
