//! Sums of products on AVX-512: 32 columns of up to six outputs, 24 sums, stay in registers; what is left of the columns
//! goes by eights.
//!
//! Per input four loads, and per output one broadcast and four fused multiply-adds for 32 products. The limit is two of
//! these a cycle: 16 products.

use std::arch::x86_64::{
    __m512d, _mm512_fmadd_pd, _mm512_loadu_pd, _mm512_set1_pd, _mm512_setzero_pd, _mm512_storeu_pd,
};

use super::accumulate::{Panel, PanelRow};
use crate::isa::Avx512;
use crate::linear_weights::STRIP;

/// Blocks of columns that one pass over the weights serves.
const WIDE: usize = 4;

pub(super) fn accumulate(
    _proof: Avx512,
    panel: Panel<'_>,
    index: &[u32],
    weights: &[f64],
    rows: usize,
    sums: &mut [PanelRow],
) {
    // SAFETY: `Avx512` is only built after the processor reported these sets.
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

#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn lanes<const R: usize>(panel: Panel<'_>, index: &[u32], weights: &[f64], sums: &mut [PanelRow]) {
    let blocks = sums.len() / R;
    let wide = blocks / WIDE * WIDE;
    for first in (0..wide).step_by(WIDE) {
        pass::<R, WIDE>(panel, index, weights, sums, first, blocks);
    }
    for first in wide..blocks {
        pass::<R, 1>(panel, index, weights, sums, first, blocks);
    }
}

/// The sums of blocks `first..first + C`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn pass<const R: usize, const C: usize>(
    panel: Panel<'_>,
    index: &[u32],
    weights: &[f64],
    sums: &mut [PanelRow],
    first: usize,
    blocks: usize,
) {
    let panels: [&[PanelRow]; C] =
        std::array::from_fn(|c| &panel.rows[(first + c) * panel.inputs..(first + c + 1) * panel.inputs]);
    let mut totals = [[_mm512_setzero_pd(); C]; R];
    for (k, weights) in index.iter().zip(weights.as_chunks::<R>().0) {
        let mut x = [_mm512_setzero_pd(); C];
        for (x, panel) in x.iter_mut().zip(panels) {
            *x = load(&panel[*k as usize]);
        }
        for (totals, w) in totals.iter_mut().zip(weights) {
            let w = _mm512_set1_pd(*w);
            for (total, x) in totals.iter_mut().zip(x) {
                *total = _mm512_fmadd_pd(w, x, *total);
            }
        }
    }
    for (row, totals) in totals.into_iter().enumerate() {
        for (c, total) in totals.into_iter().enumerate() {
            store(&mut sums[row * blocks + first + c], total);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn load(row: &PanelRow) -> __m512d {
    // SAFETY: a panel row has eight words of 8 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_pd(row.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn store(row: &mut PanelRow, value: __m512d) {
    // SAFETY: a panel row has eight words of 8 bytes; the store needs no alignment.
    unsafe { _mm512_storeu_pd(row.as_mut_ptr(), value) }
}
