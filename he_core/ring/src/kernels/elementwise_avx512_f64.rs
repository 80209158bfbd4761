//! Products of 64-bit words on AVX-512 in floating point, eight words a vector, for primes of 31 to 50 bits.
//!
//! Formulas, ranges and why every step is exact: as in `elementwise_avx2_f64`, on vectors twice as wide; integers are converted
//! by the instructions that AVX2 does not have.

use std::arch::x86_64::{
    __m512d, __m512i, _mm256_loadu_si256, _mm512_add_epi64, _mm512_add_pd, _mm512_and_si512, _mm512_castpd_si512,
    _mm512_castsi512_pd, _mm512_cvtepu32_epi64, _mm512_cvtepu64_pd, _mm512_cvtpd_epu64, _mm512_fmadd_pd,
    _mm512_fmsub_pd, _mm512_fnmadd_pd, _mm512_loadu_si512, _mm512_mask_add_pd, _mm512_min_epu64, _mm512_movepi64_mask,
    _mm512_mul_pd, _mm512_or_si512, _mm512_permutexvar_epi64, _mm512_set1_epi64, _mm512_set1_pd, _mm512_setr_epi64,
    _mm512_setzero_si512, _mm512_srli_epi64, _mm512_storeu_si512, _mm512_sub_epi64, _mm512_sub_pd,
};

use super::elementwise;
pub(super) use super::elementwise_avx2_f64::fits;
use super::elementwise_avx2_f64::{MAX_BITS, MAX_TERMS, ROUND, TWO_84, TWO_103};
use super::elementwise_lanes::product_loops;
use crate::isa::Avx512;
use crate::modulus::{Modulus, ShoupFactor};

type W = u64;
const LANES: usize = 8;
type Lanes = [W; LANES];

/// Vectors of sums side by side: long runs of each row for few registers, by measurement.
const BLOCK: usize = 2;

product_loops!("avx512f,avx512dq", Avx512);

/// Constants of the modulus in every lane.
#[derive(Clone, Copy)]
struct Prime {
    q_word: __m512i,
    q: __m512d,
    q_inverse: __m512d,
    /// `2^51 mod q`, and divided by q.
    radix: Factor,
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn new(m: Modulus<W>) -> Self {
        let q = m.value();
        Self {
            q_word: _mm512_set1_epi64(q as i64),
            q: _mm512_set1_pd(q as f64),
            q_inverse: _mm512_set1_pd(1.0 / q as f64),
            radix: Factor::of_word(m, m.reduce(1 << 51)),
        }
    }
}

/// A factor below q, and that factor divided by q.
#[derive(Clone, Copy)]
struct Factor {
    value: __m512d,
    quotient: __m512d,
}

impl Factor {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn of_word(m: Modulus<W>, w: W) -> Self {
        let (w, q) = (w as f64, m.value() as f64);
        Self { value: _mm512_set1_pd(w), quotient: _mm512_set1_pd(w / q) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn new(m: Modulus<W>, w: ShoupFactor<W>) -> Self {
        Self::of_word(m, w.value())
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

/// The integer next to `a * b`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul_round(a: __m512d, b: __m512d) -> __m512d {
    let round = _mm512_set1_pd(ROUND);
    _mm512_sub_pd(_mm512_fmadd_pd(a, b, round), round)
}

/// Integers from `(-q, q)` to words in `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn wrap(p: Prime, r: __m512d) -> __m512i {
    let negative = _mm512_movepi64_mask(_mm512_castpd_si512(r));
    _mm512_cvtpd_epu64(_mm512_mask_add_pd(r, negative, r, p.q))
}

/// `a * b`, in `(-q, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul_lazy(p: Prime, a: __m512d, b: __m512d) -> __m512d {
    let high = _mm512_mul_pd(a, b);
    let low = _mm512_fmsub_pd(a, b, high);
    _mm512_add_pd(_mm512_fnmadd_pd(mul_round(high, p.q_inverse), p.q, high), low)
}

/// `x * w`, in `(-q, q)`, for x below 2^52 in size.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul_factor_lazy(p: Prime, x: __m512d, w: Factor) -> __m512d {
    let high = _mm512_mul_pd(x, w.value);
    let low = _mm512_fmsub_pd(x, w.value, high);
    _mm512_add_pd(_mm512_fnmadd_pd(mul_round(x, w.quotient), p.q, high), low)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn add(p: Prime, a: __m512i, b: __m512i) -> __m512i {
    let sum = _mm512_add_epi64(a, b);
    _mm512_min_epu64(sum, _mm512_sub_epi64(sum, p.q_word))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul(p: Prime, a: __m512i, b: __m512i) -> __m512i {
    wrap(p, mul_lazy(p, _mm512_cvtepu64_pd(a), _mm512_cvtepu64_pd(b)))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul_factor(p: Prime, x: __m512i, w: Factor) -> __m512i {
    wrap(p, mul_factor_lazy(p, _mm512_cvtepu64_pd(x), w))
}

/// `(x - y) * w`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn sub_mul_factor(p: Prime, x: __m512i, y: __m512i, w: Factor) -> __m512i {
    wrap(p, mul_factor_lazy(p, _mm512_sub_pd(_mm512_cvtepu64_pd(x), _mm512_cvtepu64_pd(y)), w))
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
    let x = _mm512_cvtepu64_pd(x);
    wrap(p, _mm512_fnmadd_pd(mul_round(x, p.q_inverse), p.q, x))
}

/// Any words of 64 bits to `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn reduce_u64(p: Prime, x: &[u64; LANES]) -> __m512i {
    // x = high * 2^32 + low: the quotient is below 2^34, both parts and their remainder are exact.
    let (x, two_84) = (load(x), _mm512_set1_pd(TWO_84));
    let high = _mm512_or_si512(_mm512_srli_epi64::<32>(x), _mm512_castpd_si512(two_84));
    let high = _mm512_sub_pd(_mm512_castsi512_pd(high), two_84);
    let low = _mm512_cvtepu64_pd(_mm512_and_si512(x, _mm512_set1_epi64(u32::MAX.into())));
    let estimate = mul_round(_mm512_add_pd(high, low), p.q_inverse);
    wrap(p, _mm512_add_pd(_mm512_fnmadd_pd(estimate, p.q, high), low))
}

/// Words below `2^bits` to what a sum takes.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn shorten(p: Prime, x: &[u64; LANES], bits: u32) -> __m512i {
    if bits <= MAX_BITS { load(x) } else { reduce_u64(p, x) }
}

/// Sums of upper parts, in units of 2^51, and of signed lower ones, as bits of f64: each term also adds the bits of its
/// constant.
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
    let (x, y) = (_mm512_cvtepu64_pd(x), _mm512_cvtepu64_pd(y));
    let high = _mm512_fmadd_pd(x, y, _mm512_set1_pd(TWO_103));
    let low = _mm512_fmadd_pd(x, y, _mm512_sub_pd(_mm512_set1_pd(TWO_103 + ROUND), high));
    Sums {
        high: _mm512_add_epi64(sums.high, _mm512_castpd_si512(high)),
        low: _mm512_add_epi64(sums.low, _mm512_castpd_si512(low)),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn sums_reduce(p: Prime, sums: Sums, terms: usize) -> __m512i {
    let all = |x: u64| _mm512_set1_epi64(x as i64);
    let constants = |one: f64| all(one.to_bits().wrapping_mul(terms as u64));
    let high = _mm512_sub_epi64(sums.high, constants(TWO_103));
    // At least -2^50 per term: 2^53 makes it positive, four units.
    let low = _mm512_add_epi64(_mm512_sub_epi64(sums.low, constants(ROUND)), all(1 << 53));
    let high = _mm512_sub_epi64(_mm512_add_epi64(high, _mm512_srli_epi64::<51>(low)), all(4));
    let low = _mm512_cvtepu64_pd(_mm512_and_si512(low, all((1 << 51) - 1)));
    // The estimate for a factor up to 2^52 may be two off: below 3q in size, and 2^51 more fits an f64.
    let x = _mm512_add_pd(mul_factor_lazy(p, _mm512_cvtepu64_pd(high), p.radix), low);
    wrap(p, _mm512_fnmadd_pd(mul_round(x, p.q_inverse), p.q, x))
}
