//! From words of a key stream to residues and errors: portable form and choice of the instruction set.
//!
//! What is drawn is part of the wire format (`sampling/`); these loops only take many words at a time. The time of
//! errors depends on their number alone; that of residues on which words are rejected, which tells nothing about the others.

use he_params::ErrorDistribution;

use crate::isa::Isa;

/// Runs the named loop with the vectors of `isa`.
macro_rules! dispatch {
    ($isa:expr, $name:ident($($arg:expr),*)) => {
        match $isa {
            Isa::Scalar => $name($($arg),*),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::draws_avx2::$name(proof, $($arg),*),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => super::draws_avx512::$name(proof, $($arg),*),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => super::draws_avx512::$name(proof.avx512(), $($arg),*),
        }
    };
}

/// Masks each word to the bit length of `q` and keeps it when below `q`, in order; gives how many were kept. `out` is at
/// least as long as `words`; what follows the kept words in it is not specified.
pub(crate) fn keep_below_u32(isa: Isa, q: u32, words: &[u32], out: &mut [u32]) -> usize {
    debug_assert!(q > 1 && words.len() <= out.len());
    dispatch!(isa, keep_u32(q, words, out))
}

/// As [`keep_below_u32`], for 64-bit draws, low word first.
pub(crate) fn keep_below_u64(isa: Isa, q: u64, draws: &[[u32; 2]], out: &mut [u64]) -> usize {
    debug_assert!(q > 1 && q >> 62 == 0 && draws.len() <= out.len());
    dispatch!(isa, keep_u64(q, draws, out))
}

/// Uniform in {-1, 0, 1}: each word is sixteen 2-bit fields, low first; fields of 3 are skipped, any other gives `field - 1`, in
/// order; gives how many values there are. `out` has room for all fields; what follows the values in it is not specified.
pub(crate) fn keep_ternary(isa: Isa, words: &[u32], out: &mut [i8]) -> usize {
    debug_assert!(words.len() * FIELDS <= out.len());
    dispatch!(isa, ternary(words, out))
}

/// Centred binomial: of each draw, ones in bits 0..21 minus ones in bits 21..42.
pub(crate) fn centred_binomial(isa: Isa, draws: &[[u32; 2]], out: &mut [i8]) {
    debug_assert_eq!(draws.len(), out.len());
    dispatch!(isa, binomial(draws, out));
}

/// Rounded Gaussian: of each draw the low 63 bits are compared with every entry of a table of tail probabilities, the magnitude
/// is the number of entries above; bit 63 is the sign.
pub(crate) fn rounded_gaussian(isa: Isa, tails: &[u64], draws: &[[u32; 2]], out: &mut [i8]) {
    debug_assert_eq!(draws.len(), out.len());
    dispatch!(isa, gaussian(tails, draws, out));
}

/// Fields of a word in [`keep_ternary`].
pub(crate) const FIELDS: usize = 16;

fn word(draw: &[u32; 2]) -> u64 {
    u64::from(draw[0]) | u64::from(draw[1]) << 32
}

pub(super) fn keep_u32(q: u32, words: &[u32], out: &mut [u32]) -> usize {
    let mask = u32::MAX >> q.leading_zeros();
    let mut kept = 0;
    for word in words {
        let x = word & mask;
        out[kept] = x;
        kept += usize::from(x < q);
    }
    kept
}

pub(super) fn keep_u64(q: u64, draws: &[[u32; 2]], out: &mut [u64]) -> usize {
    let mask = u64::MAX >> q.leading_zeros();
    let mut kept = 0;
    for draw in draws {
        let x = word(draw) & mask;
        out[kept] = x;
        kept += usize::from(x < q);
    }
    kept
}

#[inline(always)]
pub(super) fn binomial(draws: &[[u32; 2]], out: &mut [i8]) {
    const BITS: u32 = ErrorDistribution::BINOMIAL_BITS;
    const PLUS: u64 = (1 << BITS) - 1;
    const MINUS: u64 = PLUS << BITS;
    for (draw, out) in draws.iter().zip(out) {
        // Zeros among the subtracted bits count like ones among the added, but for a constant.
        let ones = ((word(draw) & (PLUS | MINUS)) ^ MINUS).count_ones();
        *out = ones as i8 - BITS as i8;
    }
}

pub(super) fn ternary(words: &[u32], out: &mut [i8]) -> usize {
    let mut kept = 0;
    for word in words {
        for field in 0..FIELDS {
            let value = (word >> (2 * field) & 3) as i8 - 1;
            out[kept] = value;
            kept += usize::from(value != 2);
        }
    }
    kept
}

pub(super) fn gaussian(tails: &[u64], draws: &[[u32; 2]], out: &mut [i8]) {
    for (draw, out) in draws.iter().zip(out) {
        let bits = word(draw);
        let u = bits & (u64::MAX >> 1);
        let magnitude: u64 = tails.iter().map(|entry| u.wrapping_sub(*entry) >> 63).sum();
        let sign = (bits >> 63) as i8;
        *out = (magnitude as i8 ^ -sign) + sign;
    }
}

#[cfg(test)]
mod tests;
