//! Mixed-radix digits to centred numbers, portable form and choice of the instruction set.
//!
//! Formulas: those of `compose.rs`. Every loop runs over columns and has no branches, so that an instruction set compiles the same
//! source for its vectors; each number is rounded by the same operations everywhere.
//! Layout: `digits[i]` has the digit of prime i of every column.

use crate::isa::Isa;

/// Columns that are composed together; five primes of them fit the first-level cache.
pub(crate) const COLUMNS: usize = 512;

/// The digits of one prime, or a flag per column.
pub(crate) type DigitRow = [u64; COLUMNS];

/// Largest integers that f64 holds, with all below.
const EXACT_F64: u64 = 1 << 53;

/// `x as f64` in operations that every vector has: both halves through mantissas, rounded once by the last addition.
#[inline(always)]
fn to_f64(x: u64) -> f64 {
    const TWO_52: f64 = (1u64 << 52) as f64;
    const TWO_84: f64 = (1u128 << 84) as f64;
    let high = f64::from_bits(x >> 32 | TWO_84.to_bits()) - (TWO_84 + TWO_52);
    high + f64::from_bits(x & 0xffff_ffff | TWO_52.to_bits())
}

/// Digits of values in `[0, Q)` become those of the centred magnitude, except that a negative value, marked by 1, is
/// `-(digits + 1)`.
#[inline(always)]
pub(super) fn center(primes: &[u64], digits: &mut [DigitRow], negative: &mut DigitRow) {
    negative.fill(0);
    for (digits, q) in digits.iter().zip(primes) {
        let half = q / 2;
        for (negative, v) in negative.iter_mut().zip(digits) {
            // Top bits of differences below 2^63 are comparisons: v > half, v = half.
            let (above, equal) = (half.wrapping_sub(*v) >> 63, (*v ^ half).wrapping_sub(1) >> 63);
            *negative = above | (equal & *negative);
        }
    }
    for (digits, q) in digits.iter_mut().zip(primes) {
        for (v, negative) in digits.iter_mut().zip(&*negative) {
            // -1 - v is the complement of v.
            let all = negative.wrapping_neg();
            *v = (*v ^ all).wrapping_add(q & all);
        }
    }
}

/// Centred digits to `value * factor`: one rounding of the value for up to two primes, two per prime above.
#[inline(always)]
pub(super) fn numbers(primes: &[u64], digits: &[DigitRow], negative: &DigitRow, factor: f64, out: &mut [f64]) {
    let sign = |size: f64, negative: u64| f64::from_bits(size.to_bits() ^ (negative << 63)) * factor;
    match (digits, primes) {
        ([v0], _) => {
            for ((out, v), negative) in out.iter_mut().zip(v0).zip(negative) {
                *out = sign(to_f64(v + negative), *negative);
            }
        }
        ([v0, v1], [q0, q1]) if *q0 < EXACT_F64 && *q1 < EXACT_F64 => {
            let q0 = *q0 as f64;
            for ((out, negative), (v0, v1)) in out.iter_mut().zip(negative).zip(v0.iter().zip(v1)) {
                *out = sign(to_f64(*v1).mul_add(q0, to_f64(v0 + negative)), *negative);
            }
        }
        ([v0, v1], [q0, _]) => {
            for ((out, negative), (v0, v1)) in out.iter_mut().zip(negative).zip(v0.iter().zip(v1)) {
                let size = u128::from(*v1) * u128::from(*q0) + u128::from(v0 + negative);
                *out = sign(size as f64, *negative);
            }
        }
        _ => {
            out.fill(0.0);
            for (digits, q) in digits.iter().zip(primes).rev() {
                let q = *q as f64;
                out.iter_mut().zip(digits).for_each(|(acc, v)| *acc = *acc * q + to_f64(*v));
            }
            out.iter_mut().zip(negative).for_each(|(out, negative)| *out = sign(*out + to_f64(*negative), *negative));
        }
    }
}

/// Names both kernels with their signatures.
macro_rules! centered_kernels {
    ($apply:ident) => {
        $apply! {
            /// Digits of values in `[0, Q)` to centred ones.
            center(primes: &[u64], digits: &mut [DigitRow], negative: &mut DigitRow);
            /// Centred digits to `value * factor`.
            numbers(primes: &[u64], digits: &[DigitRow], negative: &DigitRow, factor: f64, out: &mut [f64]);
        }
    };
}
#[cfg(target_arch = "x86_64")]
pub(super) use centered_kernels;

/// The kernel of the instruction set named by the token.
pub(crate) mod dispatch {
    use super::{DigitRow, Isa};

    macro_rules! dispatcher {
        ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*);)*) => {$(
            $(#[$doc])*
            pub(crate) fn $name(isa: Isa, $($arg: $ty),*) {
                match isa {
                    Isa::Scalar => super::$name($($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2(proof) => crate::kernels::centered_avx2::$name(proof, $($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512(proof) => crate::kernels::centered_avx512::$name(proof, $($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512Ifma(proof) => crate::kernels::centered_avx512::$name(proof.avx512(), $($arg),*),
                }
            }
        )*};
    }
    centered_kernels!(dispatcher);
}
