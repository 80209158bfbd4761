//! Products of 64-bit words on AVX-512, eight words a vector, for primes of up to 61 bits.
//!
//! Formulas: those of `Modulus`, but upper halves of estimates leave out the product of the lower halves and the carries
//! of the middle ones, which is at most 2 too small; remainders are then in `[0, 4Q)`, Q below 2^62.

use std::arch::x86_64::{
    __m512i, _mm256_loadu_si256, _mm512_add_epi64, _mm512_cmplt_epu64_mask, _mm512_cvtepu32_epi64, _mm512_loadu_si512,
    _mm512_mask_add_epi64, _mm512_min_epu64, _mm512_mul_epu32, _mm512_mullo_epi64, _mm512_or_si512,
    _mm512_permutexvar_epi64, _mm512_set1_epi64, _mm512_setr_epi64, _mm512_setzero_si512, _mm512_shuffle_epi32,
    _mm512_slli_epi64, _mm512_sllv_epi64, _mm512_srli_epi64, _mm512_srlv_epi64, _mm512_storeu_si512, _mm512_sub_epi64,
};

use super::elementwise;
use super::elementwise_lanes::product_loops;
use crate::Word;
use crate::isa::Avx512;
use crate::modulus::{Modulus, ShoupFactor};

type W = u64;
const LANES: usize = 8;
type Lanes = [W; LANES];

/// Products below 2^122 that a 128-bit sum holds.
const MAX_TERMS: usize = W::MAX_LAZY_PRODUCTS;

/// Vectors of sums side by side: long runs of each row for few registers, by measurement.
const BLOCK: usize = 2;

product_loops!("avx512f,avx512dq", Avx512);

/// A word in every lane, and its upper half.
#[derive(Clone, Copy)]
struct Halves {
    word: __m512i,
    high: __m512i,
}

/// Constants of the modulus in every lane.
#[derive(Clone, Copy)]
struct Prime {
    q: __m512i,
    two_q: __m512i,
    /// `Q = q * 2^s`, 2Q, s.
    shifted_q: __m512i,
    two_shifted_q: __m512i,
    shift: __m512i,
    /// `floor(2^125 / Q)`.
    barrett: Halves,
    /// `2^64 mod q`.
    radix: Factor,
    /// `floor(2^64 / q)`.
    ratio: Halves,
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn new(m: Modulus<W>) -> Self {
        let all = |x: u64| _mm512_set1_epi64(x as i64);
        let (q, shift) = (m.value(), 62 - m.bits());
        Self {
            q: all(q),
            two_q: all(2 * q),
            shifted_q: all(q << shift),
            two_shifted_q: all(q << (shift + 1)),
            shift: all(u64::from(shift)),
            barrett: halves(all(m.barrett())),
            radix: Factor::new(m, m.radix()),
            ratio: halves(all(m.ratio())),
        }
    }
}

/// A factor and its Shoup quotient in every lane.
#[derive(Clone, Copy)]
struct Factor {
    value: __m512i,
    quotient: Halves,
}

impl Factor {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn new(_m: Modulus<W>, w: ShoupFactor<W>) -> Self {
        let all = |x: u64| _mm512_set1_epi64(x as i64);
        Self { value: all(w.value()), quotient: halves(all(w.quotient())) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn load(x: &Lanes) -> __m512i {
    // SAFETY: eight words of 8 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn store(x: &mut Lanes, value: __m512i) {
    // SAFETY: eight words of 8 bytes; the store needs no alignment.
    unsafe { _mm512_storeu_si512(x.as_mut_ptr().cast(), value) }
}

/// Words from the last to the first.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn reverse(x: __m512i) -> __m512i {
    _mm512_permutexvar_epi64(_mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0), x)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn halves(word: __m512i) -> Halves {
    Halves { word, high: _mm512_shuffle_epi32::<0b11_11_01_01>(word) }
}

/// The upper half of a product, at most 2 too small.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul_high_estimate(a: Halves, b: Halves) -> __m512i {
    let middle = _mm512_add_epi64(
        _mm512_srli_epi64::<32>(_mm512_mul_epu32(a.high, b.word)),
        _mm512_srli_epi64::<32>(_mm512_mul_epu32(a.word, b.high)),
    );
    _mm512_add_epi64(_mm512_mul_epu32(a.high, b.high), middle)
}

/// The upper and the lower half of a product of words below 2^63: the middle sum fits.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul_wide(a: __m512i, b: __m512i) -> (__m512i, __m512i) {
    let (a, b) = (halves(a), halves(b));
    let low = _mm512_mul_epu32(a.word, b.word);
    let middle = _mm512_add_epi64(_mm512_mul_epu32(a.high, b.word), _mm512_mul_epu32(a.word, b.high));
    let middle_high = _mm512_add_epi64(middle, _mm512_srli_epi64::<32>(low));
    let high = _mm512_add_epi64(_mm512_mul_epu32(a.high, b.high), _mm512_srli_epi64::<32>(middle_high));
    (high, _mm512_add_epi64(low, _mm512_slli_epi64::<32>(middle)))
}

/// `x` from `[0, 2b)` to `[0, b)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn reduce(x: __m512i, b: __m512i) -> __m512i {
    _mm512_min_epu64(x, _mm512_sub_epi64(x, b))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn add(p: Prime, a: __m512i, b: __m512i) -> __m512i {
    reduce(_mm512_add_epi64(a, b), p.q)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul(p: Prime, a: __m512i, b: __m512i) -> __m512i {
    let (high, low) = mul_wide(_mm512_sllv_epi64(a, p.shift), b);
    let top = _mm512_or_si512(_mm512_slli_epi64::<4>(high), _mm512_srli_epi64::<60>(low));
    let estimate = _mm512_srli_epi64::<1>(mul_high_estimate(halves(top), p.barrett));
    let r = _mm512_sub_epi64(low, _mm512_mullo_epi64(estimate, p.shifted_q));
    _mm512_srlv_epi64(reduce(reduce(r, p.two_shifted_q), p.shifted_q), p.shift)
}

/// `x * w` in `[0, 4q)`, any x.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul_factor_lazy(p: Prime, x: __m512i, w: Factor) -> __m512i {
    let estimate = mul_high_estimate(halves(x), w.quotient);
    _mm512_sub_epi64(_mm512_mullo_epi64(x, w.value), _mm512_mullo_epi64(estimate, p.q))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul_factor(p: Prime, x: __m512i, w: Factor) -> __m512i {
    reduce(reduce(mul_factor_lazy(p, x, w), p.two_q), p.q)
}

/// `(x - y) * w`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn sub_mul_factor(p: Prime, x: __m512i, y: __m512i, w: Factor) -> __m512i {
    mul_factor(p, _mm512_sub_epi64(_mm512_add_epi64(x, p.q), y), w)
}

/// Any words of 32 bits as words.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn widen(x: &[u32; LANES]) -> __m512i {
    // SAFETY: eight words of 4 bytes; the load needs no alignment.
    _mm512_cvtepu32_epi64(unsafe { _mm256_loadu_si256(x.as_ptr().cast()) })
}

/// Words from [`widen`] to `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn reduce_short(p: Prime, x: __m512i) -> __m512i {
    let multiple = _mm512_mullo_epi64(mul_high_estimate(halves(x), p.ratio), p.q);
    reduce(reduce(_mm512_sub_epi64(x, multiple), p.two_q), p.q)
}

/// Any words of 64 bits to `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn reduce_u64(p: Prime, x: &[u64; LANES]) -> __m512i {
    reduce_short(p, load(x))
}

/// Words of at most 61 bits, which a sum takes as they are.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn shorten(_p: Prime, x: &[u64; LANES], _bits: u32) -> __m512i {
    load(x)
}

/// Upper and lower words of 128-bit sums.
#[derive(Clone, Copy)]
struct Sums {
    high: __m512i,
    low: __m512i,
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn sums_zero() -> Sums {
    Sums { high: _mm512_setzero_si512(), low: _mm512_setzero_si512() }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn sums_add(sums: Sums, x: __m512i, y: __m512i) -> Sums {
    let (high, product) = mul_wide(x, y);
    let low = _mm512_add_epi64(sums.low, product);
    let carry = _mm512_cmplt_epu64_mask(low, product);
    let high = _mm512_add_epi64(sums.high, high);
    Sums { high: _mm512_mask_add_epi64(high, carry, high, _mm512_set1_epi64(1)), low }
}

/// Both words less their multiples of q, each in `[0, 4q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn sums_reduce(p: Prime, sums: Sums, _terms: usize) -> __m512i {
    let of_high = reduce(mul_factor_lazy(p, sums.high, p.radix), p.two_q);
    let of_low = _mm512_mullo_epi64(mul_high_estimate(halves(sums.low), p.ratio), p.q);
    let of_low = reduce(_mm512_sub_epi64(sums.low, of_low), p.two_q);
    reduce(reduce(_mm512_add_epi64(of_high, of_low), p.two_q), p.q)
}
