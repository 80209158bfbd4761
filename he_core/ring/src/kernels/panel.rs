//! Residues to panels of `f64` and sums of products back to residues, portable form and choice of the instruction set.
//!
//! A residue below 2^30 enters as it is: eight to a panel row. A larger one enters as two digits, `x = high * 2^31 + low`
//! with `low` in `[-2^30, 2^30)`: four to a panel row, their low digits first. Sums are exact integers, of magnitude below
//! 2^53 where residues enter whole, at most 2^50 where they enter as digits.

use super::accumulate::{LANES, PanelRow};
use crate::Word;
use crate::aligned::ALIGNMENT;
use crate::isa::Isa;
use crate::linear_weights::Plane;
use crate::modulus::{Modulus, ShoupFactor};

/// Bits of the lower digit of a 64-bit residue.
pub(super) const DIGIT_BITS: u32 = 31;

/// Half of the range of the lower digit.
pub(super) const HALF_DIGIT: u64 = 1 << (DIGIT_BITS - 1);

/// A word as it stands in a panel.
pub(crate) trait PanelWord: Word {
    /// Words of a panel row.
    const COLUMNS: usize;
    /// Ends of the segments within which sums of products with such words are exact.
    fn segments(plane: &Plane) -> &[usize];
    /// Writes the words of one input to the rows `input, input + inputs, ..` of a panel; missing words of the last are zero.
    fn pack(isa: Isa, words: &[Self], panel: &mut [PanelRow], inputs: usize, input: usize);
    /// The residues of sums, stored or added.
    fn finish(isa: Isa, r: &SumReduction<Self>, sums: &[PanelRow], out: &mut [Self], write: Write);
}

/// What happens to residues that were computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Store,
    Add,
}

/// Asks for the cache lines of words that will be packed soon.
#[inline]
pub(crate) fn prefetch<W: Word>(words: &[W]) {
    for line in words.chunks(ALIGNMENT / size_of::<W>()) {
        #[cfg(target_arch = "x86_64")]
        super::panel_avx2::prefetch_line(line.as_ptr().cast());
        #[cfg(not(target_arch = "x86_64"))]
        let _ = line;
    }
}

/// The constants that take sums to `[0, q)`.
#[derive(Clone, Copy)]
pub(crate) struct SumReduction<W: Word> {
    pub(super) modulus: Modulus<W>,
    /// `1 / q`.
    pub(super) inverse: f64,
    /// `q = high * 2^31 + low`, digits as those of residues.
    pub(super) high: f64,
    pub(super) low: f64,
    /// `2^31 mod q`.
    digit: ShoupFactor<W>,
}

impl<W: Word> SumReduction<W> {
    pub(crate) fn new(modulus: Modulus<W>) -> Self {
        let q = modulus.to_u64();
        let [high, low] = digits(q);
        let digit = modulus.shoup(modulus.reduce_u64(1 << DIGIT_BITS));
        Self { modulus, inverse: 1.0 / q as f64, high, low, digit }
    }

    #[inline(always)]
    fn write(&self, to: &mut W, residue: W, write: Write) {
        *to = if write == Write::Add { self.modulus.add(*to, residue) } else { residue };
    }
}

/// `x = high * 2^31 + low`, x below `2^61`; as `[high, low]`.
#[inline(always)]
fn digits(x: u64) -> [f64; 2] {
    let shifted = x + HALF_DIGIT;
    let low = (shifted & (2 * HALF_DIGIT - 1)) as i32 - HALF_DIGIT as i32;
    [f64::from((shifted >> DIGIT_BITS) as i32), f64::from(low)]
}

/// One input's words to every `inputs`-th row.
#[inline(always)]
pub(super) fn pack<W: Word, const N: usize>(
    words: &[W],
    panel: &mut [PanelRow],
    inputs: usize,
    input: usize,
    row: impl Fn(&[W; N]) -> PanelRow,
) {
    let (whole, rest) = words.as_chunks::<N>();
    let mut rows = panel[input..].iter_mut().step_by(inputs);
    for (words, out) in whole.iter().zip(&mut rows) {
        *out = row(words);
    }
    if let (false, Some(out)) = (rest.is_empty(), rows.next()) {
        let mut words = [W::default(); N];
        words[..rest.len()].copy_from_slice(rest);
        *out = row(&words);
    }
}

#[inline(always)]
pub(super) fn row_u32(words: &[u32; LANES]) -> PanelRow {
    words.map(|word| f64::from(word as i32))
}

#[inline(always)]
fn row_u64(words: &[u64; LANES / 2]) -> PanelRow {
    let digits = words.map(digits);
    std::array::from_fn(|i| digits[i % (LANES / 2)][usize::from(i < LANES / 2)])
}

impl PanelWord for u32 {
    const COLUMNS: usize = LANES;

    fn segments(plane: &Plane) -> &[usize] {
        &plane.whole
    }

    fn pack(isa: Isa, words: &[u32], panel: &mut [PanelRow], inputs: usize, input: usize) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::panel_avx2::pack_u32(proof, words, panel, inputs, input),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => super::panel_avx512::pack_u32(proof, words, panel, inputs, input),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => super::panel_avx512::pack_u32(proof.avx512(), words, panel, inputs, input),
            Isa::Scalar => pack(words, panel, inputs, input, row_u32),
        }
    }

    fn finish(isa: Isa, r: &SumReduction<u32>, sums: &[PanelRow], out: &mut [u32], write: Write) {
        let done = match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::panel_avx2::finish_u32(proof, r, sums, out, write),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => super::panel_avx512::finish_u32(proof, r, sums, out, write),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => super::panel_avx512::finish_u32(proof.avx512(), r, sums, out, write),
            Isa::Scalar => 0,
        };
        for (sum, out) in sums.as_flattened().iter().zip(out).skip(done) {
            debug_assert!(sum.abs() < (1u64 << 53) as f64);
            r.write(out, r.modulus.reduce_i64(*sum as i64), write);
        }
    }
}

impl PanelWord for u64 {
    const COLUMNS: usize = LANES / 2;

    fn segments(plane: &Plane) -> &[usize] {
        &plane.digits
    }

    fn pack(isa: Isa, words: &[u64], panel: &mut [PanelRow], inputs: usize, input: usize) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::panel_avx2::pack_u64(proof, words, panel, inputs, input),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => super::panel_avx512::pack_u64(proof, words, panel, inputs, input),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => super::panel_avx512::pack_u64(proof.avx512(), words, panel, inputs, input),
            Isa::Scalar => pack(words, panel, inputs, input, row_u64),
        }
    }

    fn finish(isa: Isa, r: &SumReduction<u64>, sums: &[PanelRow], out: &mut [u64], write: Write) {
        let done = match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::panel_avx2::finish_u64(proof, r, sums, out, write),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => super::panel_avx512::finish_u64(proof, r, sums, out, write),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => super::panel_avx512::finish_u64(proof.avx512(), r, sums, out, write),
            Isa::Scalar => 0,
        };
        for (sums, out) in sums.iter().zip(out.chunks_mut(LANES / 2)).skip(done / (LANES / 2)) {
            let (low, high) = sums.split_at(LANES / 2);
            for ((low, high), out) in low.iter().zip(high).zip(out) {
                debug_assert!(low.abs() <= (1u64 << 50) as f64 && high.abs() <= (1u64 << 50) as f64);
                let high = r.modulus.mul_shoup(r.modulus.reduce_i64(*high as i64), r.digit);
                r.write(out, r.modulus.add(high, r.modulus.reduce_i64(*low as i64)), write);
            }
        }
    }
}
