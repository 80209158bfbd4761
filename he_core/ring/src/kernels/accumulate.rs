//! Sums of products of small signed weights with residues, portable form and choice of the instruction set.
//!
//! Formula: `sums[r][n] = sum_k weights[k][r] * panel[n][index[k]]`, in `f64`. Everything is an integer, and the segments of
//! [`LinearWeights`](crate::LinearWeights) keep every sum within 53 bits: no operation rounds, so that neither the order of
//! the sum nor a fused multiply-add changes a bit. Floating point, because a fused multiply-add is one instruction where
//! integers of 64 bits take a multiplication and an addition, and all three share their ports.
//! Layout: a panel has a row of eight numbers per block of columns and input, `[block][input]`; sums are `[r][block]`.

use crate::isa::Isa;
use crate::linear_weights::STRIP;

/// Numbers of a panel row.
pub(crate) const LANES: usize = 8;

/// Residues below 2^30, or digits of larger ones, of one input: a cache line.
pub(crate) type PanelRow = [f64; LANES];

/// The inputs of a layer in some columns.
#[derive(Clone, Copy)]
pub(crate) struct Panel<'a> {
    /// `[block][input]`.
    pub(crate) rows: &'a [PanelRow],
    pub(crate) inputs: usize,
}

/// `weights` is `[k][r]` for `r < rows`, `index[k]` an input of the panel.
pub(crate) fn accumulate(
    isa: Isa,
    panel: Panel<'_>,
    index: &[u32],
    weights: &[f64],
    rows: usize,
    sums: &mut [PanelRow],
) {
    debug_assert!((1..=STRIP).contains(&rows) && weights.len() == rows * index.len());
    debug_assert!(panel.rows.len() * rows == sums.len() * panel.inputs);
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(proof) => super::accumulate_avx2::accumulate(proof, panel, index, weights, rows, sums),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(proof) => super::accumulate_avx512::accumulate(proof, panel, index, weights, rows, sums),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Ifma(proof) => {
            super::accumulate_avx512::accumulate(proof.avx512(), panel, index, weights, rows, sums);
        }
        Isa::Scalar => portable(panel, index, weights, rows, sums),
    }
}

fn portable(panel: Panel<'_>, index: &[u32], weights: &[f64], rows: usize, sums: &mut [PanelRow]) {
    let blocks = sums.len() / rows;
    for block in 0..blocks {
        let panel = &panel.rows[block * panel.inputs..];
        let mut totals = [[0.0; LANES]; STRIP];
        for (k, weights) in index.iter().zip(weights.chunks_exact(rows)) {
            let x = &panel[*k as usize];
            for (total, w) in totals.iter_mut().zip(weights) {
                total.iter_mut().zip(x).for_each(|(total, x)| *total += w * x);
            }
        }
        for (row, total) in totals[..rows].iter().enumerate() {
            sums[row * blocks + block] = *total;
        }
    }
}
