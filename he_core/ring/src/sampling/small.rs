//! Polynomials with small signed coefficients: secrets and errors.
//!
//! Each distribution reads its sub-stream in a fixed way; the time depends on public sizes only, except that ternary and
//! Hamming-weight draws repeat on rejection, which is independent of the values that are kept.

use std::fmt;

use he_params::{ErrorDistribution, SecretDistribution};
use rayon::prelude::*;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Sampler, Stream};
use crate::Isa;
use crate::kernels::draws::{FIELDS, centred_binomial, keep_ternary, rounded_gaussian};

/// Largest magnitude the rounded Gaussian yields; the true one passes it with probability below 2^-64.
pub(super) const GAUSSIAN_TAIL: usize = ErrorDistribution::GAUSSIAN_MAX as usize;

/// Entry `k - 1` is `round(2^63 * P(|X| >= k))` for the Gaussian of sigma 3.2 rounded to integers.
///
/// `P(|X| >= k) = erfc((k - 1/2) / (3.2 * sqrt 2))`, computed with 300 bits; the next entry would be 0. Each probability
/// is off by less than 2^-64, all of them together by less than 2^-59 in statistical distance.
const GAUSSIAN_TABLE: [u64; GAUSSIAN_TAIL] = [
    0x701b_6498_237e_a63a,
    0x51d2_e3c3_ad57_6712,
    0x37a2_ca5d_4048_c1ab,
    0x2314_8cd1_e8dd_2b1d,
    0x146f_6871_2ec8_4c87,
    0x0af6_e759_d9e4_6107,
    0x0567_c7e6_b9ba_9872,
    0x0271_929b_05fa_4a4d,
    0x0102_ea98_e1f7_c2d0,
    0x0061_fb17_94cf_cd33,
    0x0021_dd77_7aa2_7980,
    0x000a_ae49_e1bc_8616,
    0x0003_1258_1ba0_70cf,
    0x0000_ce13_2fa3_b857,
    0x0000_312f_eb9e_7680,
    0x0000_0ab0_22a4_240b,
    0x0000_021d_0bf0_3ad4,
    0x0000_0061_540f_1243,
    0x0000_000f_ec4e_c9b1,
    0x0000_0002_5e5b_a1b7,
    0x0000_0000_51fd_eb1f,
    0x0000_0000_0a13_940c,
    0x0000_0000_0120_13d6,
    0x0000_0000_001d_3ada,
    0x0000_0000_0002_b1bd,
    0x0000_0000_0000_39c0,
    0x0000_0000_0000_0464,
    0x0000_0000_0000_004e,
    0x0000_0000_0000_0005,
];

impl Sampler {
    /// Uniform in {-1, 0, 1}: each 32-bit word is sixteen 2-bit fields, low first; a field of 3 is skipped, any other
    /// gives `field - 1`. A word is used up even when the row ends inside it.
    pub fn fill_ternary(&mut self, row: &mut [i8]) {
        let isa = self.isa();
        let mut filled = 0;
        // Words whose fields all fit, then one by one.
        while let words @ 1.. = (row.len() - filled) / FIELDS {
            filled += keep_ternary(isa, self.take(words), &mut row[filled..]);
        }
        while filled < row.len() {
            let mut fields = [0; FIELDS];
            let kept = keep_ternary(isa, &[self.next_u32()], &mut fields).min(row.len() - filled);
            row[filled..filled + kept].copy_from_slice(&fields[..kept]);
            filled += kept;
            fields.zeroize();
        }
    }

    /// Exactly `weight` coefficients (at most all) are -1 or 1: coefficient `k` of `n` is chosen when a draw below
    /// `n - k` is below the number still to place (selection sampling); the lowest bit of a further word is its sign.
    /// Both are drawn for every coefficient, and none of them indexes memory.
    pub fn fill_hamming_weight(&mut self, weight: u32, row: &mut [i8]) {
        let n = row.len() as u32;
        let mut left = weight.min(n);
        for (value, k) in row.iter_mut().zip(0..) {
            let chosen = (self.below(n - k) < left) as u32;
            let sign = (self.next_u32() & 1) as i8;
            *value = chosen as i8 * (1 - 2 * sign);
            left -= chosen;
        }
    }

    /// Centred binomial: of each 64-bit draw, ones in bits 0..21 minus ones in bits 21..42.
    pub fn fill_centred_binomial(&mut self, row: &mut [i8]) {
        self.for_each_u64(row, centred_binomial);
    }

    /// Rounded Gaussian of sigma 3.2: of each 64-bit draw the low 63 bits are compared with every entry of a table of
    /// tail probabilities, the magnitude is the number of entries above; bit 63 is the sign.
    pub fn fill_gaussian(&mut self, row: &mut [i8]) {
        self.for_each_u64(row, |isa, draws, out| rounded_gaussian(isa, &GAUSSIAN_TABLE, draws, out));
    }

    /// One 64-bit draw per value, many at a time where they lie ready.
    fn for_each_u64(&mut self, row: &mut [i8], values: impl Fn(Isa, &[[u32; 2]], &mut [i8])) {
        let isa = self.isa();
        let mut filled = 0;
        while filled < row.len() {
            filled += match self.take_u64(row.len() - filled) {
                [] => {
                    values(isa, &[[self.next_u32(), self.next_u32()]], &mut row[filled..filled + 1]);
                    1
                }
                draws => {
                    values(isa, draws, &mut row[filled..filled + draws.len()]);
                    draws.len()
                }
            };
        }
    }

    /// Fills a row with errors.
    pub fn fill_error(&mut self, distribution: ErrorDistribution, row: &mut [i8]) {
        match distribution {
            ErrorDistribution::CentredBinomial => self.fill_centred_binomial(row),
            ErrorDistribution::RoundedGaussian => self.fill_gaussian(row),
        }
    }

    /// Fills a row with the coefficients of a secret.
    pub fn fill_secret(&mut self, distribution: SecretDistribution, row: &mut [i8]) {
        match distribution {
            SecretDistribution::UniformTernary => self.fill_ternary(row),
            SecretDistribution::HammingWeight(weight) => self.fill_hamming_weight(weight, row),
        }
    }
}

/// Rows of small signed coefficients, `[row][N]`; wiped on drop, sizes only in `Debug`.
#[derive(ZeroizeOnDrop)]
pub struct SmallPolys {
    #[zeroize(skip)]
    n: usize,
    values: Vec<i8>,
}

impl fmt::Debug for SmallPolys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmallPolys").field("n", &self.n).field("rows", &self.rows()).finish_non_exhaustive()
    }
}

impl SmallPolys {
    /// `rows` secrets of `n` coefficients; row `r` is object `first_object + r`, part 0. Parallel over rows.
    pub fn secrets(
        isa: Isa,
        stream: &Stream,
        first_object: u64,
        rows: usize,
        n: usize,
        distribution: SecretDistribution,
    ) -> Self {
        Self::draw(rows, n, |row, out| {
            stream.sampler(isa, first_object.wrapping_add(row), 0).fill_secret(distribution, out);
        })
    }

    /// `rows` error polynomials of `n` coefficients; row `r` is object `first_object + r`, part 0. Parallel over rows.
    pub fn errors(
        isa: Isa,
        stream: &Stream,
        first_object: u64,
        rows: usize,
        n: usize,
        distribution: ErrorDistribution,
    ) -> Self {
        Self::draw(rows, n, |row, out| {
            stream.sampler(isa, first_object.wrapping_add(row), 0).fill_error(distribution, out);
        })
    }

    fn draw(rows: usize, n: usize, fill: impl Fn(u64, &mut [i8]) + Sync) -> Self {
        let mut values = vec![0i8; rows * n];
        values.par_chunks_exact_mut(n.max(1)).enumerate().for_each(|(row, out)| fill(row as u64, out));
        Self { n, values }
    }

    /// One row from given coefficients (a secret read from a file).
    pub fn from_coefficients(values: Vec<i8>) -> Self {
        Self { n: values.len(), values }
    }

    #[cfg(test)]
    pub(crate) fn from_rows(n: usize, values: Vec<i8>) -> Self {
        Self { n, values }
    }

    /// Number of polynomials.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.n).unwrap_or(0)
    }

    /// All coefficients, row after row.
    pub fn coefficients(&self) -> &[i8] {
        &self.values
    }

    /// The coefficients of polynomial `row`.
    ///
    /// # Panics
    /// When `row` does not exist.
    pub fn row(&self, row: usize) -> &[i8] {
        &self.values[row * self.n..(row + 1) * self.n]
    }
}

impl Zeroize for SmallPolys {
    fn zeroize(&mut self) {
        self.values.as_mut_slice().zeroize();
    }
}

#[cfg(test)]
pub(super) fn gaussian_table() -> &'static [u64] {
    &GAUSSIAN_TABLE
}
