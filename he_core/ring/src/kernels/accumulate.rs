//! Sums of products of small signed weights with residues, portable form and choice of the instruction set.
//!
//! Formula: `out[r][n] = sum_k weights[k][r] * x[index[k]][n] mod q`. Residues come from a panel of rows of eight `u32`,
//! `[block of columns][input]`: eight residues below 2^30, or four as pairs of 31-bit digits, low digit first. Sums of
//! even and odd lanes are kept apart, because vectors multiply one or the other; they are exact in 64 bits within a
//! segment and reduced at its end.

use std::ops::Range;

use crate::Word;
use crate::isa::Isa;
use crate::linear_weights::{STRIP, Strip};
use crate::modulus::{Modulus, ShoupFactor};

/// Words of a panel row.
pub(crate) const LANES: usize = 8;

/// Eight residues below 2^30, or four pairs of 31-bit digits.
pub(crate) type PanelRow = [u32; LANES];

/// Unreduced sums of one output: even lanes, then odd lanes.
pub(super) type Sums = [i64; LANES];

/// Bits of the lower digit of a 64-bit residue.
const DIGIT_BITS: u32 = 31;

/// One strip of weights over a panel.
#[derive(Clone, Copy)]
pub(crate) struct StripProduct<'a> {
    /// `inputs` rows per block of columns.
    pub(crate) panel: &'a [PanelRow],
    pub(crate) inputs: usize,
    /// The input of each weight.
    pub(crate) index: &'a [u32],
    pub(crate) strip: &'a Strip,
    /// The output value of each row of the strip.
    pub(crate) outputs: &'a [u32],
}

/// A word as it stands in a panel.
pub(crate) trait PanelWord: Word {
    /// Words per panel row.
    const COLUMNS: usize;
    /// Writes up to [`PanelWord::COLUMNS`] words to a panel row.
    fn pack(words: &[Self], row: &mut PanelRow);
    /// The residues of sums, the first [`PanelWord::COLUMNS`] of `out`.
    fn finish(r: &SumReduction<Self>, sums: &Sums, out: &mut [Self; LANES]);
    /// Runs a strip: `out` has a slice per output value, of which `columns` are written.
    fn strip_product(
        isa: Isa,
        r: &SumReduction<Self>,
        p: StripProduct<'_>,
        out: &mut [&mut [Self]],
        columns: Range<usize>,
    );
}

/// The constants that take the sums of a segment to `[0, q)`.
#[derive(Clone, Copy)]
pub(crate) struct SumReduction<W: Word> {
    pub(super) modulus: Modulus<W>,
    /// A multiple of q in `[2^62, 2^63)`: makes any sum positive.
    pub(super) offset: u64,
    /// `2^31 mod q`, the weight of the upper digit.
    digit: ShoupFactor<W>,
}

impl<W: Word> SumReduction<W> {
    pub(crate) fn new(modulus: Modulus<W>) -> Self {
        let q = modulus.to_u64();
        let digit = modulus.shoup(modulus.reduce_u64(1 << DIGIT_BITS));
        Self { modulus, offset: ((1u64 << 62) / q + 1) * q, digit }
    }

    #[inline(always)]
    fn positive(&self, sum: i64) -> u64 {
        debug_assert!(sum.unsigned_abs() <= 1 << 62);
        (sum as u64).wrapping_add(self.offset)
    }
}

impl PanelWord for u32 {
    const COLUMNS: usize = LANES;

    #[inline(always)]
    fn pack(words: &[u32], row: &mut PanelRow) {
        match words.first_chunk() {
            Some(words) => *row = *words,
            None => row[..words.len()].copy_from_slice(words),
        }
    }

    #[inline(always)]
    fn finish(r: &SumReduction<u32>, sums: &Sums, out: &mut [u32; LANES]) {
        for i in 0..LANES / 2 {
            out[2 * i] = r.modulus.reduce_u64(r.positive(sums[i]));
            out[2 * i + 1] = r.modulus.reduce_u64(r.positive(sums[LANES / 2 + i]));
        }
    }

    fn strip_product(
        isa: Isa,
        r: &SumReduction<u32>,
        p: StripProduct<'_>,
        out: &mut [&mut [u32]],
        columns: Range<usize>,
    ) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) if columns.len().is_multiple_of(LANES) => {
                super::accumulate_avx2::strip_product_u32(proof, r, p, out, columns);
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) if columns.len().is_multiple_of(LANES) => {
                super::accumulate_avx2::strip_product_u32(proof.avx2(), r, p, out, columns);
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) if columns.len().is_multiple_of(LANES) => {
                super::accumulate_avx2::strip_product_u32(proof.avx512().avx2(), r, p, out, columns);
            }
            _ => strip_product(r, p, out, columns),
        }
    }
}

impl PanelWord for u64 {
    const COLUMNS: usize = LANES / 2;

    #[inline(always)]
    fn pack(words: &[u64], row: &mut PanelRow) {
        for (pair, word) in row.as_chunks_mut::<2>().0.iter_mut().zip(words) {
            *pair = [(word & ((1 << DIGIT_BITS) - 1)) as u32, (word >> DIGIT_BITS) as u32];
        }
    }

    #[inline(always)]
    fn finish(r: &SumReduction<u64>, sums: &Sums, out: &mut [u64; LANES]) {
        for i in 0..LANES / 2 {
            let high = r.modulus.mul_shoup(r.positive(sums[LANES / 2 + i]), r.digit);
            out[i] = r.modulus.add(high, r.modulus.reduce(r.positive(sums[i])));
        }
    }

    fn strip_product(
        isa: Isa,
        r: &SumReduction<u64>,
        p: StripProduct<'_>,
        out: &mut [&mut [u64]],
        columns: Range<usize>,
    ) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) if columns.len().is_multiple_of(LANES / 2) => {
                super::accumulate_avx2::strip_product_u64(proof, r, p, out, columns);
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) if columns.len().is_multiple_of(LANES / 2) => {
                super::accumulate_avx2::strip_product_u64(proof.avx2(), r, p, out, columns);
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) if columns.len().is_multiple_of(LANES / 2) => {
                super::accumulate_avx2::strip_product_u64(proof.avx512().avx2(), r, p, out, columns);
            }
            _ => strip_product(r, p, out, columns),
        }
    }
}

fn strip_product<W: PanelWord>(r: &SumReduction<W>, p: StripProduct<'_>, out: &mut [&mut [W]], columns: Range<usize>) {
    let rows = p.strip.rows;
    for (panel, at) in p.panel.chunks_exact(p.inputs).zip(columns.clone().step_by(W::COLUMNS)) {
        let width = W::COLUMNS.min(columns.end - at);
        let (mut start, mut total) = (0, [[W::default(); LANES]; STRIP]);
        for end in &p.strip.segments {
            let mut sums = [[0; LANES]; STRIP];
            let weights = p.strip.weights[start * rows..end * rows].chunks_exact(rows);
            for (k, weights) in p.index[start..*end].iter().zip(weights) {
                add_products(&panel[*k as usize], weights, &mut sums);
            }
            for (total, sums) in total.iter_mut().zip(&sums) {
                add_finished(r, sums, total);
            }
            start = *end;
        }
        for (total, output) in total.iter().zip(p.outputs) {
            out[*output as usize][at..at + width].copy_from_slice(&total[..width]);
        }
    }
}

#[inline]
fn add_products(x: &PanelRow, weights: &[i32], sums: &mut [Sums; STRIP]) {
    for (sums, w) in sums.iter_mut().zip(weights) {
        for i in 0..LANES / 2 {
            sums[i] += i64::from(*w) * i64::from(x[2 * i]);
            sums[LANES / 2 + i] += i64::from(*w) * i64::from(x[2 * i + 1]);
        }
    }
}

/// `total += sums mod q`.
#[inline(always)]
pub(super) fn add_finished<W: PanelWord>(r: &SumReduction<W>, sums: &Sums, total: &mut [W; LANES]) {
    let mut more = [W::default(); LANES];
    W::finish(r, sums, &mut more);
    total.iter_mut().zip(more).for_each(|(total, more)| *total = r.modulus.add(*total, more));
}
