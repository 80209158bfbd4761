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

/// As [`center_u32`].
pub(crate) fn center_u64(isa: Isa, q: u64, factor: f64, x: &[u64], out: &mut [f64]) {
    debug_assert_eq!(x.len(), out.len());
    match isa {
        Isa::Scalar => center_long(q, factor, x, out, |x| x as f64),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(proof) => super::integers_avx2::center_long(proof, q, factor, x, out),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(proof) => super::integers_avx512::center_long(proof, q, factor, x, out),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Ifma(proof) => super::integers_avx512::center_long(proof.avx512(), q, factor, x, out),
    }
}

/// `number` is the f64 nearest to an integer.
#[inline(always)]
pub(super) fn center_long(q: u64, factor: f64, x: &[u64], out: &mut [f64], number: impl Fn(i64) -> f64) {
    for (x, out) in x.iter().zip(out) {
        let centered = *x as i64 - if *x > q / 2 { q as i64 } else { 0 };
        *out = number(centered) * factor;
    }
}

/// `x += e`; the caller knows that no sum overflows.
pub(crate) fn add_small_i32(isa: Isa, x: &mut [i32], e: &[i8]) {
    debug_assert_eq!(x.len(), e.len());
    match isa {
        Isa::Scalar => add_small(x, e),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(proof) => super::integers_avx2::add_small_i32(proof, x, e),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(proof) => super::integers_avx512::add_small_i32(proof, x, e),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Ifma(proof) => super::integers_avx512::add_small_i32(proof.avx512(), x, e),
    }
}

/// As [`add_small_i32`].
pub(crate) fn add_small_i64(isa: Isa, x: &mut [i64], e: &[i8]) {
    debug_assert_eq!(x.len(), e.len());
    match isa {
        Isa::Scalar => add_small(x, e),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(proof) => super::integers_avx2::add_small_i64(proof, x, e),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(proof) => super::integers_avx512::add_small_i64(proof, x, e),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Ifma(proof) => super::integers_avx512::add_small_i64(proof.avx512(), x, e),
    }
}

#[inline(always)]
pub(super) fn add_small<T: Copy + From<i8> + std::ops::AddAssign>(x: &mut [T], e: &[i8]) {
    x.iter_mut().zip(e).for_each(|(x, e)| *x += T::from(*e));
}

#[inline(always)]
pub(super) fn center_short(q: u32, factor: f64, x: &[u32], out: &mut [f64]) {
    for (x, out) in x.iter().zip(out) {
        let centered = *x as i32 - if *x > q / 2 { q as i32 } else { 0 };
        *out = f64::from(centered) * factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::primes_below;

    #[test]
    fn long_residues_become_the_nearest_numbers() {
        for bits in [31, 50, 53, 54, 61] {
            let q = primes_below(1 << bits, 3, 1)[0];
            for len in [0, 1, 3, 4, 7, 8, 9, 64, 1000] {
                // The edges of the centred range, integers between two numbers, and any.
                let edges = [0, 1, q / 2, q / 2 + 1, q - 1, q / 2 - 1, q - (1 << 29) - 1, (1 << 29) + 1];
                let any = |i: usize| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) % q;
                let x: Vec<u64> = (0..len).map(|i| edges.get(i).copied().unwrap_or_else(|| any(i))).collect();
                let center = |x: u64| if x > q / 2 { i128::from(x) - i128::from(q) } else { i128::from(x) };
                let want: Vec<f64> = x.iter().map(|x| center(*x) as f64 * (1.0 / 3.0)).collect();
                for isa in Isa::available() {
                    let mut out = vec![9.0; len];
                    center_u64(isa, q, 1.0 / 3.0, &x, &mut out);
                    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                    assert_eq!(bits(&out), bits(&want), "{} q={q} len={len}", isa.name());
                }
            }
        }
    }

    #[test]
    fn small_integers_are_added() {
        for len in [0, 1, 7, 8, 9, 16, 33, 300] {
            let e: Vec<i8> = (0..len).map(|i| (i * 37 + 128) as u8 as i8).collect();
            for isa in Isa::available() {
                let (mut short, mut long) = (vec![i32::MAX - 127; len], vec![(1i64 << 62) + 5; len]);
                add_small_i32(isa, &mut short, &e);
                add_small_i64(isa, &mut long, &e);
                for (i, e) in e.iter().enumerate() {
                    assert_eq!(i64::from(short[i]), i64::from(i32::MAX - 127) + i64::from(*e), "{}", isa.name());
                    assert_eq!(long[i], (1i64 << 62) + 5 + i64::from(*e), "{}", isa.name());
                }
            }
        }
    }
}
