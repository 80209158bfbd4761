//! Products of 64-bit words on AVX2, four words a vector, for primes of 51 to 61 bits.
//!
//! Formulas: general products are those of `Modulus`, where upper halves of estimates leave out the product of the lower
//! halves and the carries of the middle ones, which is at most 2 too small: remainders are in `[0, 4Q)`, Q below 2^62. A
//! product with a known factor is [`ntt_split`](super::ntt_split)'s, of signed words, in `(-q, q)`.
//! Sums keep the four products of 32-bit halves apart; of the products of lower halves, whose sum does not fit 64 bits, also
//! the sum of the upper halves: that is the sum's own upper part but for carries, which the sum modulo 2^64 tells.
//! Comparisons are signs of differences: AVX2 compares signed words only, and no difference here reaches 2^63.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi64, _mm256_and_si256, _mm256_blendv_pd, _mm256_castpd_si256,
    _mm256_castsi256_pd, _mm256_cvtepu32_epi64, _mm256_loadu_si256, _mm256_mul_epi32, _mm256_mul_epu32,
    _mm256_or_si256, _mm256_permute4x64_epi64, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi32,
    _mm256_slli_epi64, _mm256_sllv_epi64, _mm256_srli_epi64, _mm256_srlv_epi64, _mm256_storeu_si256, _mm256_sub_epi64,
};

use super::elementwise;
use super::elementwise_lanes::product_loops;
use super::ntt_split;
use crate::isa::Avx2;
use crate::modulus::{Modulus, ShoupFactor};

type W = u64;
const LANES: usize = 4;
type Lanes = [W; LANES];

/// Bits of a modulus: `floor(2^64 / q)` and the quotient of any word by it are short.
const MIN_BITS: u32 = 51;

/// Terms of a sum: products of an upper and a lower half are below 2^61.
const MAX_TERMS: usize = 8;

/// Vectors of sums side by side: five registers each.
const BLOCK: usize = 1;

/// Whether a modulus suits this file.
#[inline]
pub(super) fn fits(m: Modulus<W>) -> bool {
    m.bits() >= MIN_BITS
}

product_loops!("avx2", Avx2);

/// A word in every lane, and its upper half.
#[derive(Clone, Copy)]
struct Halves {
    word: __m256i,
    high: __m256i,
}

/// Constants of the modulus in every lane.
#[derive(Clone, Copy)]
struct Prime {
    q: Halves,
    two_q: __m256i,
    /// q in halves that are read as signed numbers.
    signed_q: Halves,
    /// `Q = q * 2^s`, 2Q, s.
    shifted_q: Halves,
    two_shifted_q: __m256i,
    shift: __m256i,
    /// `floor(2^125 / Q)`.
    barrett: Halves,
    /// `2^64 mod q`.
    radix: Factor,
    /// `floor(2^64 / q)`, below 2^14.
    ratio: __m256i,
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(m: Modulus<W>) -> Self {
        let (q, shift) = (m.value(), 62 - m.bits());
        Self {
            q: halves(all(q)),
            two_q: all(2 * q),
            signed_q: halves(all(ntt_split::halves(q as i64))),
            shifted_q: halves(all(q << shift)),
            two_shifted_q: all(q << (shift + 1)),
            shift: all(u64::from(shift)),
            barrett: halves(all(m.barrett())),
            radix: Factor::new(m, m.radix()),
            ratio: all(m.ratio()),
        }
    }
}

/// The parts of a factor in every lane, each half that multiplies in the low half of a lane.
#[derive(Clone, Copy)]
struct Factor {
    b: Halves,
    a: Halves,
    /// The quotients of b, and of a above.
    quotients: Halves,
}

impl Factor {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(m: Modulus<W>, w: ShoupFactor<W>) -> Self {
        let [b, a, quotients] = ntt_split::parts(w.value(), m.value());
        Self { b: halves(all(b)), a: halves(all(a)), quotients: halves(all(quotients)) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn all(x: u64) -> __m256i {
    _mm256_set1_epi64x(x as i64)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(x: &Lanes) -> __m256i {
    // SAFETY: four words of 8 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(x: &mut Lanes, value: __m256i) {
    // SAFETY: four words of 8 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(x.as_mut_ptr().cast(), value) }
}

/// Words from the last to the first.
#[inline]
#[target_feature(enable = "avx2")]
fn reverse(x: __m256i) -> __m256i {
    _mm256_permute4x64_epi64::<0b00_01_10_11>(x)
}

/// Upper halves over lower ones.
#[inline]
#[target_feature(enable = "avx2")]
fn high(x: __m256i) -> __m256i {
    _mm256_shuffle_epi32::<0b11_11_01_01>(x)
}

#[inline]
#[target_feature(enable = "avx2")]
fn halves(word: __m256i) -> Halves {
    Halves { word, high: high(word) }
}

/// The upper half of a product, at most 2 too small.
#[inline]
#[target_feature(enable = "avx2")]
fn mul_high_estimate(a: Halves, b: Halves) -> __m256i {
    let middle = _mm256_add_epi64(
        _mm256_srli_epi64::<32>(_mm256_mul_epu32(a.high, b.word)),
        _mm256_srli_epi64::<32>(_mm256_mul_epu32(a.word, b.high)),
    );
    _mm256_add_epi64(_mm256_mul_epu32(a.high, b.high), middle)
}

/// `x` less the lower half of `a * b`.
#[inline]
#[target_feature(enable = "avx2")]
fn sub_mul_low(x: __m256i, a: Halves, b: Halves) -> __m256i {
    let middle = _mm256_add_epi64(_mm256_mul_epu32(a.high, b.word), _mm256_mul_epu32(a.word, b.high));
    _mm256_sub_epi64(_mm256_sub_epi64(x, _mm256_mul_epu32(a.word, b.word)), _mm256_slli_epi64::<32>(middle))
}

/// The upper and the lower half of a product of words below 2^63: the middle sum fits.
#[inline]
#[target_feature(enable = "avx2")]
fn mul_wide(a: Halves, b: Halves) -> (__m256i, __m256i) {
    let low = _mm256_mul_epu32(a.word, b.word);
    let middle = _mm256_add_epi64(_mm256_mul_epu32(a.high, b.word), _mm256_mul_epu32(a.word, b.high));
    let middle_high = _mm256_add_epi64(middle, _mm256_srli_epi64::<32>(low));
    let high = _mm256_add_epi64(_mm256_mul_epu32(a.high, b.high), _mm256_srli_epi64::<32>(middle_high));
    (high, _mm256_add_epi64(low, _mm256_slli_epi64::<32>(middle)))
}

/// `x` if `sign` is negative, else `y`.
#[inline]
#[target_feature(enable = "avx2")]
fn if_negative(sign: __m256i, x: __m256i, y: __m256i) -> __m256i {
    let (sign, x, y) = (_mm256_castsi256_pd(sign), _mm256_castsi256_pd(x), _mm256_castsi256_pd(y));
    _mm256_castpd_si256(_mm256_blendv_pd(y, x, sign))
}

/// `x` from `[0, 2b)` to `[0, b)`, b at most 2^63.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce(x: __m256i, b: __m256i) -> __m256i {
    let less = _mm256_sub_epi64(x, b);
    if_negative(less, x, less)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(p: Prime, a: __m256i, b: __m256i) -> __m256i {
    reduce(_mm256_add_epi64(a, b), p.q.word)
}

#[inline]
#[target_feature(enable = "avx2")]
fn mul(p: Prime, a: __m256i, b: __m256i) -> __m256i {
    let (high, low) = mul_wide(halves(_mm256_sllv_epi64(a, p.shift)), halves(b));
    let top = _mm256_or_si256(_mm256_slli_epi64::<4>(high), _mm256_srli_epi64::<60>(low));
    let estimate = _mm256_srli_epi64::<1>(mul_high_estimate(halves(top), p.barrett));
    let r = sub_mul_low(low, halves(estimate), p.shifted_q);
    _mm256_srlv_epi64(reduce(reduce(r, p.two_shifted_q), p.shifted_q.word), p.shift)
}

/// `x * w` for x below 2^62 in size, of either sign.
#[inline]
#[target_feature(enable = "avx2")]
fn mul_factor(p: Prime, x: __m256i, w: Factor) -> __m256i {
    let half = all(1 << 31);
    let x_high = high(_mm256_add_epi64(x, half));
    let of_low = _mm256_add_epi64(_mm256_mul_epi32(x, w.quotients.word), half);
    let e = high(_mm256_add_epi64(_mm256_mul_epi32(x_high, w.quotients.high), of_low));
    let low = _mm256_add_epi64(_mm256_mul_epi32(x_high, w.a.word), _mm256_mul_epi32(x, w.b.word));
    let cross = _mm256_add_epi64(_mm256_mul_epi32(x_high, w.a.high), _mm256_mul_epi32(x, w.b.high));
    let low = _mm256_sub_epi64(low, _mm256_mul_epi32(e, p.signed_q.word));
    let cross = _mm256_sub_epi64(cross, _mm256_mul_epi32(e, p.signed_q.high));
    let r = _mm256_add_epi64(low, _mm256_slli_epi64::<32>(cross));
    if_negative(r, _mm256_add_epi64(r, p.q.word), r)
}

/// `(x - y) * w`.
#[inline]
#[target_feature(enable = "avx2")]
fn sub_mul_factor(p: Prime, x: __m256i, y: __m256i, w: Factor) -> __m256i {
    mul_factor(p, _mm256_sub_epi64(x, y), w)
}

/// Any words of 32 bits as words, which are residues.
#[inline]
#[target_feature(enable = "avx2")]
fn widen(x: &[u32; LANES]) -> __m256i {
    // SAFETY: four words of 4 bytes; the load needs no alignment.
    _mm256_cvtepu32_epi64(unsafe { _mm_loadu_si128(x.as_ptr().cast()) })
}

/// Words from [`widen`] to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce_short(_p: Prime, x: __m256i) -> __m256i {
    x
}

/// Any words to `[0, 3q)`: the quotient by upper halves and a truncated ratio is at most 2 too small.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce_word_lazy(p: Prime, x: __m256i) -> __m256i {
    let e = _mm256_srli_epi64::<32>(_mm256_mul_epu32(high(x), p.ratio));
    let less = _mm256_sub_epi64(x, _mm256_mul_epu32(e, p.q.word));
    _mm256_sub_epi64(less, _mm256_slli_epi64::<32>(_mm256_mul_epu32(e, p.q.high)))
}

/// Any words of 64 bits to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce_u64(p: Prime, x: &[u64; LANES]) -> __m256i {
    reduce(reduce(reduce_word_lazy(p, load(x)), p.two_q), p.q.word)
}

/// Words of at most 61 bits, which a sum takes as they are.
#[inline]
#[target_feature(enable = "avx2")]
fn shorten(_p: Prime, x: &[u64; LANES], _bits: u32) -> __m256i {
    load(x)
}

/// Sums of products of halves: of both upper ones, of an upper and a lower one, of both lower ones modulo 2^64, and of the
/// upper halves of those.
#[derive(Clone, Copy)]
struct Sums {
    high: __m256i,
    middle: [__m256i; 2],
    low: __m256i,
    low_high: __m256i,
}

#[inline]
#[target_feature(enable = "avx2")]
fn sums_zero() -> Sums {
    let zero = _mm256_setzero_si256();
    Sums { high: zero, middle: [zero; 2], low: zero, low_high: zero }
}

#[inline]
#[target_feature(enable = "avx2")]
fn sums_add(sums: Sums, x: __m256i, y: __m256i) -> Sums {
    let (x, y) = (halves(x), halves(y));
    let low = _mm256_mul_epu32(x.word, y.word);
    Sums {
        high: _mm256_add_epi64(sums.high, _mm256_mul_epu32(x.high, y.high)),
        middle: [
            _mm256_add_epi64(sums.middle[0], _mm256_mul_epu32(x.high, y.word)),
            _mm256_add_epi64(sums.middle[1], _mm256_mul_epu32(x.word, y.high)),
        ],
        low: _mm256_add_epi64(sums.low, low),
        low_high: _mm256_add_epi64(sums.low_high, _mm256_srli_epi64::<32>(low)),
    }
}

/// The words of the sum, each less its multiples of q.
#[inline]
#[target_feature(enable = "avx2")]
fn sums_reduce(p: Prime, sums: Sums, _terms: usize) -> __m256i {
    let lower_half = all(u32::MAX.into());
    // Carries out of the lower halves of products: the difference of the sum's upper half and the sum of upper halves.
    let carries = _mm256_sub_epi64(_mm256_srli_epi64::<32>(sums.low), sums.low_high);
    let low_high = _mm256_add_epi64(sums.low_high, _mm256_and_si256(carries, lower_half));
    let [first, second] = sums.middle;
    let middle = _mm256_add_epi64(_mm256_and_si256(first, lower_half), _mm256_and_si256(second, lower_half));
    let middle = _mm256_add_epi64(middle, low_high);
    let carried = _mm256_add_epi64(_mm256_srli_epi64::<32>(first), _mm256_srli_epi64::<32>(second));
    let carried = _mm256_add_epi64(carried, _mm256_srli_epi64::<32>(middle));
    let high = _mm256_add_epi64(sums.high, carried);
    let low = _mm256_or_si256(_mm256_and_si256(sums.low, lower_half), _mm256_slli_epi64::<32>(middle));
    let sum = _mm256_add_epi64(mul_factor(p, high, p.radix), reduce_word_lazy(p, low));
    reduce(reduce(sum, p.two_q), p.q.word)
}
