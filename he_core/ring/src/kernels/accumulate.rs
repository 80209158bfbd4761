//! Sums of products of small signed weights with residues, portable form and choice of the instruction set.
//!
//! Formula: `sum[r][lane] = sum_k weights[k][r] * panel[index[k]][lane]`, exact in 64 bits within a segment, reduced at
//! the end of each segment. Sums of even lanes come first, those of odd lanes after: vectors multiply one or the other.

use crate::isa::Isa;
use crate::linear_weights::{STRIP, Strip};
use crate::matrix_product::PanelWord;
use crate::modulus::Modulus;

/// Words of a panel row.
pub(crate) const LANES: usize = 8;

/// Eight residues below 2^30, or four pairs of 31-bit digits.
pub(crate) type PanelRow = [u32; LANES];

/// Unreduced sums of a strip.
pub(super) type Sums = [[i64; LANES]; STRIP];

/// The residues of a strip of outputs over one panel row per input; rows of the strip come first in `out`.
#[inline]
pub(crate) fn strip_product<W: PanelWord>(
    isa: Isa,
    m: Modulus<W>,
    panel: &[PanelRow],
    index: &[u32],
    strip: &Strip,
    out: &mut [[W; LANES]; STRIP],
) {
    match isa {
        Isa::Scalar => product(m, panel, index, strip, out, accumulate),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(proof) => super::accumulate_avx2::strip_product(proof, m, panel, index, strip, out),
    }
}

/// Segment after segment with `accumulate` of an instruction set.
#[inline(always)]
pub(super) fn product<W: PanelWord>(
    m: Modulus<W>,
    panel: &[PanelRow],
    index: &[u32],
    strip: &Strip,
    out: &mut [[W; LANES]; STRIP],
    accumulate: impl Fn(usize, &[PanelRow], &[u32], &[i32], &mut Sums),
) {
    let mut start = 0;
    for (nth, end) in strip.segments.iter().enumerate() {
        let mut sums = [[0; LANES]; STRIP];
        let weights = &strip.weights[start * strip.rows..end * strip.rows];
        accumulate(strip.rows, panel, &index[start..*end], weights, &mut sums);
        for (sums, out) in sums.iter().zip(out.iter_mut()).take(strip.rows) {
            if nth == 0 {
                W::finish(m, sums, out);
            } else {
                let mut more = [W::default(); LANES];
                W::finish(m, sums, &mut more);
                out.iter_mut().zip(more).for_each(|(out, more)| *out = m.add(*out, more));
            }
        }
        start = *end;
    }
}

fn accumulate(rows: usize, panel: &[PanelRow], index: &[u32], weights: &[i32], sums: &mut Sums) {
    for (k, weights) in index.iter().zip(weights.chunks_exact(rows)) {
        let x = &panel[*k as usize];
        for (sums, w) in sums.iter_mut().zip(weights) {
            for i in 0..LANES / 2 {
                sums[i] += i64::from(*w) * i64::from(x[2 * i]);
                sums[LANES / 2 + i] += i64::from(*w) * i64::from(x[2 * i + 1]);
            }
        }
    }
}
