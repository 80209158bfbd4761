//! Short signed integers to residues, and residues to numbers: portable form and choice of the instruction set.

use crate::Word;
use crate::isa::Isa;
use crate::modulus::Modulus;

/// `out = x mod q` for magnitudes of at most `largest`.
pub(crate) fn reduce_i32_into<W: Word>(isa: Isa, m: Modulus<W>, largest: u32, x: &[i32], out: &mut [W]) {
    debug_assert!(x.len() == out.len() && x.iter().all(|x| x.unsigned_abs() <= largest));
    match (isa, u64::from(largest) < m.to_u64()) {
        (Isa::Scalar, true) => reduce_below(m, x, out),
        (Isa::Scalar, false) => reduce_any(m, x, out),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx2(proof), below) => super::integers_avx2::reduce(proof, m, below, x, out),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512(proof), below) => super::integers_avx512::reduce(proof, m, below, x, out),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512Ifma(proof), below) => super::integers_avx512::reduce(proof.avx512(), m, below, x, out),
    }
}

/// Magnitudes below q.
#[inline(always)]
pub(super) fn reduce_below<W: Word>(m: Modulus<W>, x: &[i32], out: &mut [W]) {
    for (x, out) in x.iter().zip(out) {
        let size = W::from_u64(u64::from(x.unsigned_abs()));
        *out = if *x < 0 { m.value().wrapping_sub(size) } else { size };
    }
}

/// Any magnitude.
#[inline(always)]
pub(super) fn reduce_any<W: Word>(m: Modulus<W>, x: &[i32], out: &mut [W]) {
    for (x, out) in x.iter().zip(out) {
        let size = m.reduce(W::from_u64(u64::from(x.unsigned_abs())));
        *out = if *x < 0 { m.neg(size) } else { size };
    }
}

/// `out = factor * x` for the representative of x in `[-(q-1)/2, (q-1)/2]`.
pub(crate) fn center_u32(isa: Isa, q: u32, factor: f64, x: &[u32], out: &mut [f64]) {
    debug_assert_eq!(x.len(), out.len());
    match isa {
        Isa::Scalar => center_short(q, factor, x, out),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(proof) => super::integers_avx2::center(proof, q, factor, x, out),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(proof) => super::integers_avx512::center(proof, q, factor, x, out),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Ifma(proof) => super::integers_avx512::center(proof.avx512(), q, factor, x, out),
    }
}

/// As [`center_u32`]; AVX2 does not convert 64-bit integers.
pub(crate) fn center_u64(q: u64, factor: f64, x: &[u64], out: &mut [f64]) {
    debug_assert_eq!(x.len(), out.len());
    for (x, out) in x.iter().zip(out) {
        let centered = *x as i64 - if *x > q / 2 { q as i64 } else { 0 };
        *out = centered as f64 * factor;
    }
}

#[inline(always)]
pub(super) fn center_short(q: u32, factor: f64, x: &[u32], out: &mut [f64]) {
    for (x, out) in x.iter().zip(out) {
        let centered = *x as i32 - if *x > q / 2 { q as i32 } else { 0 };
        *out = f64::from(centered) * factor;
    }
}
