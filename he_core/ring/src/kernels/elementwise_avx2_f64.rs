//! Products of 64-bit words on AVX2 in floating point, four words a vector, for primes of 31 to 50 bits.
//!
//! Formulas, integers as f64: `h = fl(a*b)`, `l = a*b - h` exactly by a fused multiply-add, `e` the integer nearest to
//! `h/q`; then `(h - e*q) + l` is `a*b - e*q`. It is exact: e is off by less than `q * 2^-51 + 1/2`, so the
//! remainder lies in `(-q, q)`, and both of its parts are integers below 2^51.
//! Rounding to the nearest integer is adding and subtracting `1.5 * 2^52`; words enter and leave through the mantissa
//! of `2^52 + x`.
//! Sums of products: the mantissa of `fl(a*b + 2^103)` holds `a*b` rounded to a multiple of 2^51, and that of
//! `a*b` less this multiple plus `1.5 * 2^52` holds the rest, exactly; both are summed as integers.

use std::arch::x86_64::{
    __m256d, __m256i, _mm_loadu_si128, _mm256_add_epi64, _mm256_add_pd, _mm256_and_si256, _mm256_blendv_pd,
    _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_cvtepu32_epi64, _mm256_fmadd_pd, _mm256_fmsub_pd,
    _mm256_fnmadd_pd, _mm256_loadu_si256, _mm256_mul_pd, _mm256_or_si256, _mm256_permute4x64_epi64, _mm256_set1_epi64x,
    _mm256_set1_pd, _mm256_setzero_si256, _mm256_srli_epi64, _mm256_storeu_si256, _mm256_sub_epi64, _mm256_sub_pd,
    _mm256_xor_si256,
};

use super::elementwise;
use super::elementwise_lanes::product_loops;
use crate::isa::Avx2;
use crate::modulus::{Modulus, ShoupFactor};

type W = u64;
const LANES: usize = 4;
type Lanes = [W; LANES];

/// Bits of a modulus: the quotient of a product is then known to less than 1/2 beyond its rounding.
pub(super) const MAX_BITS: u32 = 50;

/// Bits of a modulus, no fewer than any that is held in 64-bit words: the quotient of any word is then known as well.
const MIN_BITS: u32 = 31;

/// Terms of a sum: its upper part, in units of 2^51, stays below 2^52.
pub(super) const MAX_TERMS: usize = 1 << (52 + 51 - 2 * MAX_BITS);

/// Vectors of sums side by side: long runs of each row for few registers, by measurement.
const BLOCK: usize = 2;

/// `2^52`: its mantissa takes an integer below 2^52.
const TWO_52: f64 = (1u64 << 52) as f64;
/// `1.5 * 2^52`: its mantissa takes a signed integer below 2^51 in size.
pub(super) const ROUND: f64 = 1.5 * TWO_52;
/// `2^84`: its mantissa takes multiples of 2^32.
pub(super) const TWO_84: f64 = TWO_52 * (1u64 << 32) as f64;
/// `2^103`: its mantissa takes multiples of 2^51.
pub(super) const TWO_103: f64 = TWO_52 * TWO_52 / 2.0;

/// Whether a modulus suits this file.
#[inline]
pub(super) fn fits(m: Modulus<W>) -> bool {
    (MIN_BITS..=MAX_BITS).contains(&m.bits())
}

product_loops!("avx2,fma", Avx2);

/// Constants of the modulus in every lane.
#[derive(Clone, Copy)]
struct Prime {
    q_word: __m256i,
    q: __m256d,
    q_inverse: __m256d,
    /// `2^51 mod q`, and divided by q.
    radix: Factor,
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn new(m: Modulus<W>) -> Self {
        let q = m.value();
        Self {
            q_word: _mm256_set1_epi64x(q as i64),
            q: _mm256_set1_pd(q as f64),
            q_inverse: _mm256_set1_pd(1.0 / q as f64),
            radix: Factor::of_word(m, m.reduce(1 << 51)),
        }
    }
}

/// A factor below q, and that factor divided by q.
#[derive(Clone, Copy)]
struct Factor {
    value: __m256d,
    quotient: __m256d,
}

impl Factor {
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn of_word(m: Modulus<W>, w: W) -> Self {
        let (w, q) = (w as f64, m.value() as f64);
        Self { value: _mm256_set1_pd(w), quotient: _mm256_set1_pd(w / q) }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn new(m: Modulus<W>, w: ShoupFactor<W>) -> Self {
        Self::of_word(m, w.value())
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load(x: &Lanes) -> __m256i {
    // SAFETY: four words of 8 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn store(x: &mut Lanes, value: __m256i) {
    // SAFETY: four words of 8 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(x.as_mut_ptr().cast(), value) }
}

/// Words from the last to the first.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn reverse(x: __m256i) -> __m256i {
    _mm256_permute4x64_epi64::<0b00_01_10_11>(x)
}

/// Integers below 2^52.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn to_f64(x: __m256i) -> __m256d {
    let two_52 = _mm256_set1_pd(TWO_52);
    _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(x, _mm256_castpd_si256(two_52))), two_52)
}

/// Integers in `[0, 2^52)`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn to_words(x: __m256d) -> __m256i {
    let two_52 = _mm256_set1_pd(TWO_52);
    _mm256_xor_si256(_mm256_castpd_si256(_mm256_add_pd(x, two_52)), _mm256_castpd_si256(two_52))
}

/// The integer next to `a * b`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn mul_round(a: __m256d, b: __m256d) -> __m256d {
    let round = _mm256_set1_pd(ROUND);
    _mm256_sub_pd(_mm256_fmadd_pd(a, b, round), round)
}

/// Integers from `(-q, q)` to words in `[0, q)`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn wrap(p: Prime, r: __m256d) -> __m256i {
    to_words(_mm256_blendv_pd(r, _mm256_add_pd(r, p.q), r))
}

/// `a * b`, in `(-q, q)`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn mul_lazy(p: Prime, a: __m256d, b: __m256d) -> __m256d {
    let high = _mm256_mul_pd(a, b);
    let low = _mm256_fmsub_pd(a, b, high);
    let estimate = mul_round(high, p.q_inverse);
    _mm256_add_pd(_mm256_fnmadd_pd(estimate, p.q, high), low)
}

/// `x * w`, in `(-q, q)`, for x below 2^52 in size.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn mul_factor_lazy(p: Prime, x: __m256d, w: Factor) -> __m256d {
    let high = _mm256_mul_pd(x, w.value);
    let low = _mm256_fmsub_pd(x, w.value, high);
    let estimate = mul_round(x, w.quotient);
    _mm256_add_pd(_mm256_fnmadd_pd(estimate, p.q, high), low)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn add(p: Prime, a: __m256i, b: __m256i) -> __m256i {
    let (sum, less) = (_mm256_add_epi64(a, b), _mm256_sub_epi64(a, _mm256_sub_epi64(p.q_word, b)));
    let (sum, less) = (_mm256_castsi256_pd(sum), _mm256_castsi256_pd(less));
    _mm256_castpd_si256(_mm256_blendv_pd(less, sum, less))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn mul(p: Prime, a: __m256i, b: __m256i) -> __m256i {
    wrap(p, mul_lazy(p, to_f64(a), to_f64(b)))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn mul_factor(p: Prime, x: __m256i, w: Factor) -> __m256i {
    wrap(p, mul_factor_lazy(p, to_f64(x), w))
}

/// `(x - y) * w`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn sub_mul_factor(p: Prime, x: __m256i, y: __m256i, w: Factor) -> __m256i {
    wrap(p, mul_factor_lazy(p, _mm256_sub_pd(to_f64(x), to_f64(y)), w))
}

/// Any words of 32 bits as words.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn widen(x: &[u32; LANES]) -> __m256i {
    // SAFETY: four words of 4 bytes; the load needs no alignment.
    _mm256_cvtepu32_epi64(unsafe { _mm_loadu_si128(x.as_ptr().cast()) })
}

/// Words from [`widen`] to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn reduce_short(p: Prime, x: __m256i) -> __m256i {
    let x = to_f64(x);
    wrap(p, _mm256_fnmadd_pd(mul_round(x, p.q_inverse), p.q, x))
}

/// Any words of 64 bits to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn reduce_u64(p: Prime, x: &[u64; LANES]) -> __m256i {
    // x = high * 2^32 + low: the quotient is below 2^34, both parts and their remainder are exact.
    let (x, two_84) = (load(x), _mm256_set1_pd(TWO_84));
    let high = _mm256_or_si256(_mm256_srli_epi64::<32>(x), _mm256_castpd_si256(two_84));
    let high = _mm256_sub_pd(_mm256_castsi256_pd(high), two_84);
    let low = to_f64(_mm256_and_si256(x, _mm256_set1_epi64x(u32::MAX.into())));
    let estimate = mul_round(_mm256_add_pd(high, low), p.q_inverse);
    wrap(p, _mm256_add_pd(_mm256_fnmadd_pd(estimate, p.q, high), low))
}

/// Words below `2^bits` to what a sum takes.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn shorten(p: Prime, x: &[u64; LANES], bits: u32) -> __m256i {
    if bits <= MAX_BITS { load(x) } else { reduce_u64(p, x) }
}

/// Sums of upper parts, in units of 2^51, and of signed lower ones, as bits of f64: each term also adds the bits of its
/// constant.
#[derive(Clone, Copy)]
struct Sums {
    high: __m256i,
    low: __m256i,
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn sums_zero() -> Sums {
    Sums { high: _mm256_setzero_si256(), low: _mm256_setzero_si256() }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn sums_add(sums: Sums, x: __m256i, y: __m256i) -> Sums {
    let (x, y) = (to_f64(x), to_f64(y));
    let high = _mm256_fmadd_pd(x, y, _mm256_set1_pd(TWO_103));
    let low = _mm256_fmadd_pd(x, y, _mm256_sub_pd(_mm256_set1_pd(TWO_103 + ROUND), high));
    Sums {
        high: _mm256_add_epi64(sums.high, _mm256_castpd_si256(high)),
        low: _mm256_add_epi64(sums.low, _mm256_castpd_si256(low)),
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn sums_reduce(p: Prime, sums: Sums, terms: usize) -> __m256i {
    let all = |x: u64| _mm256_set1_epi64x(x as i64);
    let constants = |one: f64| all(one.to_bits().wrapping_mul(terms as u64));
    let high = _mm256_sub_epi64(sums.high, constants(TWO_103));
    // At least -2^50 per term: 2^53 makes it positive, four units.
    let low = _mm256_add_epi64(_mm256_sub_epi64(sums.low, constants(ROUND)), all(1 << 53));
    let high = _mm256_sub_epi64(_mm256_add_epi64(high, _mm256_srli_epi64::<51>(low)), all(4));
    let low = to_f64(_mm256_and_si256(low, all((1 << 51) - 1)));
    // The estimate for a factor up to 2^52 may be two off: below 3q in size, and 2^51 more fits an f64.
    let x = _mm256_add_pd(mul_factor_lazy(p, to_f64(high), p.radix), low);
    let estimate = mul_round(x, p.q_inverse);
    wrap(p, _mm256_fnmadd_pd(estimate, p.q, x))
}
