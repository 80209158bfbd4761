//! Products of 64-bit words with the 52-bit multiply-add, eight words a vector, for primes of up to 50 bits.
//!
//! Formulas, k the bit length of q: both factors shifted up by `52-k` bits give `floor(a*b / 2^(2k-52))` as the upper half
//! of their product; the upper half of that times `floor(2^2k / q)` is `floor(a*b / q)` or up to two less: the truncations
//! cost less than 1/2, 1 and 1. Remainders are taken modulo 2^52 from lower halves, in `[0, 3q)`.
//! Shoup products take the upper 52 bits of the 64-bit quotient.

use std::arch::x86_64::{
    __m512i, _mm256_loadu_si256, _mm512_add_epi64, _mm512_and_si512, _mm512_cvtepu32_epi64, _mm512_loadu_si512,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_min_epu64, _mm512_permutexvar_epi64, _mm512_set1_epi64,
    _mm512_setr_epi64, _mm512_setzero_si512, _mm512_sllv_epi64, _mm512_srli_epi64, _mm512_storeu_si512,
    _mm512_sub_epi64,
};

use super::elementwise;
use super::elementwise_lanes::product_loops;
use crate::isa::Avx512Ifma;
use crate::modulus::{Modulus, ShoupFactor};

type W = u64;
const LANES: usize = 8;
type Lanes = [W; LANES];

/// Bits of a modulus: `4q` and the constant of the estimate fit 52 bits.
const MAX_BITS: u32 = 50;

/// Terms of a sum: upper halves are below 2^48, their sum with the carries of the lower ones below 2^52.
const MAX_TERMS: usize = 15;

/// Vectors of sums side by side: long runs of each row for few registers, by measurement.
const BLOCK: usize = 2;

/// Whether a modulus suits this file.
#[inline]
pub(super) fn fits(m: Modulus<W>) -> bool {
    m.bits() <= MAX_BITS
}

product_loops!("avx512f,avx512dq,avx512ifma", Avx512Ifma);

/// Constants of the modulus in every lane.
#[derive(Clone, Copy)]
struct Prime {
    q: __m512i,
    two_q: __m512i,
    /// `52 - k`.
    shift: __m512i,
    /// `floor(2^2k / q)`.
    barrett: __m512i,
    /// `2^52 mod q`.
    radix: Factor,
    /// `floor(2^52 / q)`.
    ratio: __m512i,
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new(m: Modulus<W>) -> Self {
        let all = |x: u64| _mm512_set1_epi64(x as i64);
        let (q, k) = (m.value(), m.bits());
        Self {
            q: all(q),
            two_q: all(2 * q),
            shift: all(u64::from(52 - k)),
            // The modulus has floor(2^(63+k) / q).
            barrett: all(m.barrett() >> (63 - k)),
            radix: Factor::new(m, m.shoup(m.reduce(1 << 52))),
            ratio: all(m.ratio() >> 12),
        }
    }
}

/// A factor and `floor(w * 2^52 / q)` in every lane.
#[derive(Clone, Copy)]
struct Factor {
    value: __m512i,
    quotient: __m512i,
}

impl Factor {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new(_m: Modulus<W>, w: ShoupFactor<W>) -> Self {
        Self { value: _mm512_set1_epi64(w.value() as i64), quotient: _mm512_set1_epi64((w.quotient() >> 12) as i64) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn load(x: &Lanes) -> __m512i {
    // SAFETY: eight words of 8 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn store(x: &mut Lanes, value: __m512i) {
    // SAFETY: eight words of 8 bytes; the store needs no alignment.
    unsafe { _mm512_storeu_si512(x.as_mut_ptr().cast(), value) }
}

/// Words from the last to the first.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn reverse(x: __m512i) -> __m512i {
    _mm512_permutexvar_epi64(_mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0), x)
}

/// Upper 52 bits of a product of 52-bit words.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mul_high(a: __m512i, b: __m512i) -> __m512i {
    _mm512_madd52hi_epu64(_mm512_setzero_si512(), a, b)
}

/// Lower 52 bits of a product of 52-bit words.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mul_low(a: __m512i, b: __m512i) -> __m512i {
    _mm512_madd52lo_epu64(_mm512_setzero_si512(), a, b)
}

/// `a - b` modulo 2^52.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sub_52(a: __m512i, b: __m512i) -> __m512i {
    _mm512_and_si512(_mm512_sub_epi64(a, b), _mm512_set1_epi64((1 << 52) - 1))
}

/// `x` from `[0, 2b)` to `[0, b)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn reduce(x: __m512i, b: __m512i) -> __m512i {
    _mm512_min_epu64(x, _mm512_sub_epi64(x, b))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn add(p: Prime, a: __m512i, b: __m512i) -> __m512i {
    reduce(_mm512_add_epi64(a, b), p.q)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mul(p: Prime, a: __m512i, b: __m512i) -> __m512i {
    let top = mul_high(_mm512_sllv_epi64(a, p.shift), _mm512_sllv_epi64(b, p.shift));
    let estimate = mul_high(top, p.barrett);
    reduce(reduce(sub_52(mul_low(a, b), mul_low(estimate, p.q)), p.two_q), p.q)
}

/// `x * w` for x below 2^52.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mul_factor(p: Prime, x: __m512i, w: Factor) -> __m512i {
    reduce(sub_52(mul_low(x, w.value), mul_low(mul_high(x, w.quotient), p.q)), p.q)
}

/// `(x - y) * w`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sub_mul_factor(p: Prime, x: __m512i, y: __m512i, w: Factor) -> __m512i {
    mul_factor(p, _mm512_sub_epi64(_mm512_add_epi64(x, p.q), y), w)
}

/// Any words of 32 bits as words.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn widen(x: &[u32; LANES]) -> __m512i {
    // SAFETY: eight words of 4 bytes; the load needs no alignment.
    _mm512_cvtepu32_epi64(unsafe { _mm256_loadu_si256(x.as_ptr().cast()) })
}

/// Words from [`widen`] to `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn reduce_short(p: Prime, x: __m512i) -> __m512i {
    reduce(_mm512_sub_epi64(x, mul_low(mul_high(x, p.ratio), p.q)), p.q)
}

/// Any words of 64 bits to `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn reduce_u64(p: Prime, x: &[u64; LANES]) -> __m512i {
    // Whatever stands above 52 bits is carried to the upper half of a sum.
    sums_reduce(p, Sums { high: _mm512_setzero_si512(), low: load(x) }, 1)
}

/// Words below `2^bits` to what a sum takes.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn shorten(p: Prime, x: &[u64; LANES], bits: u32) -> __m512i {
    if bits <= MAX_BITS { load(x) } else { reduce_u64(p, x) }
}

/// Sums of upper and lower halves of products.
#[derive(Clone, Copy)]
struct Sums {
    high: __m512i,
    low: __m512i,
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sums_zero() -> Sums {
    Sums { high: _mm512_setzero_si512(), low: _mm512_setzero_si512() }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sums_add(sums: Sums, x: __m512i, y: __m512i) -> Sums {
    Sums { high: _mm512_madd52hi_epu64(sums.high, x, y), low: _mm512_madd52lo_epu64(sums.low, x, y) }
}

/// Both halves less their multiples of q, each in `[0, 2q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sums_reduce(p: Prime, sums: Sums, _terms: usize) -> __m512i {
    let high = _mm512_add_epi64(sums.high, _mm512_srli_epi64::<52>(sums.low));
    let low = _mm512_and_si512(sums.low, _mm512_set1_epi64((1 << 52) - 1));
    let estimate = _mm512_add_epi64(mul_high(high, p.radix.quotient), mul_high(low, p.ratio));
    let r = sub_52(_mm512_madd52lo_epu64(low, high, p.radix.value), mul_low(estimate, p.q));
    reduce(reduce(r, p.two_q), p.q)
}
