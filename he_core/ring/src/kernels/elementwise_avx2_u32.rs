//! Products of 32-bit words on AVX2, eight words a vector, for primes below 2^30.
//!
//! `vpmuludq` multiplies the even words; odd ones are brought down first. A product of residues and all of its Barrett
//! reduction stay in 64-bit lanes; only the remainders, below 2q, are put back side by side.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_add_epi64, _mm256_blend_epi32, _mm256_castps_si256, _mm256_castsi256_ps,
    _mm256_loadu_si256, _mm256_min_epu32, _mm256_mul_epu32, _mm256_mullo_epi32, _mm256_permute4x64_epi64,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setr_epi32, _mm256_setzero_si256,
    _mm256_shuffle_epi32, _mm256_shuffle_ps, _mm256_srli_epi64, _mm256_srlv_epi64, _mm256_storeu_si256,
    _mm256_sub_epi32, _mm256_sub_epi64,
};

use super::elementwise;
use super::elementwise_lanes::product_loops;
use crate::Word;
use crate::isa::Avx2;
use crate::modulus::{Modulus, ShoupFactor};

type W = u32;
const LANES: usize = 8;
type Lanes = [W; LANES];

/// Products below 2^60 that a 64-bit sum holds.
const MAX_TERMS: usize = W::MAX_LAZY_PRODUCTS;

/// Vectors of sums side by side: long runs of each row for few registers, by measurement.
const BLOCK: usize = 4;

product_loops!("avx2", Avx2);

/// Constants of the modulus, in every 64-bit lane unless 32 bits are said.
#[derive(Clone, Copy)]
struct Prime {
    q: __m256i,
    /// q and 2q in 32 bits.
    q_words: __m256i,
    two_q_words: __m256i,
    /// `floor(2^(2k+1) / q)`, k the bit length of q.
    barrett: __m256i,
    shift_in: __m256i,
    shift_out: __m256i,
    /// `2^32 mod q`, its complement to 2^32 and its Shoup quotient.
    radix_complement: __m256i,
    radix_quotient: __m256i,
    /// `floor(2^32 / q)`.
    ratio: __m256i,
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(m: Modulus<W>) -> Self {
        let all = |x: u64| _mm256_set1_epi64x(x as i64);
        let (q, k) = (m.value(), u64::from(m.bits()));
        Self {
            q: all(q.into()),
            q_words: _mm256_set1_epi32(q as i32),
            two_q_words: _mm256_set1_epi32(m.twice() as i32),
            // The modulus has floor(2^(31+k) / q).
            barrett: all(u64::from(m.barrett()) >> (30 - k)),
            shift_in: all(k - 2),
            shift_out: all(k + 3),
            radix_complement: all((1 << 32) - u64::from(m.radix().value())),
            radix_quotient: all(m.radix().quotient().into()),
            ratio: all(m.ratio().into()),
        }
    }
}

/// A factor in every word and its Shoup quotient in every 64-bit lane.
#[derive(Clone, Copy)]
struct Factor {
    value: __m256i,
    quotient: __m256i,
}

impl Factor {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(_m: Modulus<W>, w: ShoupFactor<W>) -> Self {
        Self { value: _mm256_set1_epi32(w.value() as i32), quotient: _mm256_set1_epi64x(w.quotient().into()) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(x: &Lanes) -> __m256i {
    // SAFETY: eight words of 4 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(x: &mut Lanes, value: __m256i) {
    // SAFETY: eight words of 4 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(x.as_mut_ptr().cast(), value) }
}

/// Words from the last to the first.
#[inline]
#[target_feature(enable = "avx2")]
fn reverse(x: __m256i) -> __m256i {
    _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0))
}

/// Odd words brought down to even places.
#[inline]
#[target_feature(enable = "avx2")]
fn odd(x: __m256i) -> __m256i {
    _mm256_shuffle_epi32::<0b11_11_01_01>(x)
}

/// Words of 64-bit lanes side by side: `even` in even places, `odd` in odd ones; upper halves of `even` do not matter.
#[inline]
#[target_feature(enable = "avx2")]
fn interleave(even: __m256i, odd: __m256i) -> __m256i {
    _mm256_blend_epi32::<0b1010_1010>(even, _mm256_shuffle_epi32::<0b10_10_00_00>(odd))
}

/// Upper halves of 64-bit lanes side by side.
#[inline]
#[target_feature(enable = "avx2")]
fn upper_halves(even: __m256i, odd_places: __m256i) -> __m256i {
    _mm256_blend_epi32::<0b1010_1010>(odd(even), odd_places)
}

/// Words from `[0, 2q)` to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce_once(p: Prime, x: __m256i) -> __m256i {
    _mm256_min_epu32(x, _mm256_sub_epi32(x, p.q_words))
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(p: Prime, a: __m256i, b: __m256i) -> __m256i {
    reduce_once(p, _mm256_add_epi32(a, b))
}

/// Even words of `a * b`, in `[0, 2q)`; the scalar estimate of `Modulus` without its common shift.
#[inline]
#[target_feature(enable = "avx2")]
fn mul_even_lazy(p: Prime, a: __m256i, b: __m256i) -> __m256i {
    let product = _mm256_mul_epu32(a, b);
    let top = _mm256_srlv_epi64(product, p.shift_in);
    let estimate = _mm256_srlv_epi64(_mm256_mul_epu32(top, p.barrett), p.shift_out);
    _mm256_sub_epi64(product, _mm256_mul_epu32(estimate, p.q))
}

#[inline]
#[target_feature(enable = "avx2")]
fn mul(p: Prime, a: __m256i, b: __m256i) -> __m256i {
    reduce_once(p, interleave(mul_even_lazy(p, a, b), mul_even_lazy(p, odd(a), odd(b))))
}

/// `x * w` for any words x: only the estimate needs products of 64 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn mul_factor(p: Prime, x: __m256i, w: Factor) -> __m256i {
    let even = _mm256_mul_epu32(x, w.quotient);
    let estimate = upper_halves(even, _mm256_mul_epu32(odd(x), w.quotient));
    let multiple = _mm256_mullo_epi32(estimate, p.q_words);
    reduce_once(p, _mm256_sub_epi32(_mm256_mullo_epi32(x, w.value), multiple))
}

/// `(x - y) * w`.
#[inline]
#[target_feature(enable = "avx2")]
fn sub_mul_factor(p: Prime, x: __m256i, y: __m256i, w: Factor) -> __m256i {
    mul_factor(p, _mm256_sub_epi32(_mm256_add_epi32(x, p.q_words), y), w)
}

/// Any words of 32 bits as words.
#[inline]
#[target_feature(enable = "avx2")]
fn widen(x: &[u32; LANES]) -> __m256i {
    load(x)
}

/// Words from [`widen`] to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce_short(p: Prime, x: __m256i) -> __m256i {
    let (even, odd_places) = (_mm256_mul_epu32(x, p.ratio), _mm256_mul_epu32(odd(x), p.ratio));
    let multiple = _mm256_mullo_epi32(upper_halves(even, odd_places), p.q_words);
    reduce_once(p, _mm256_sub_epi32(x, multiple))
}

/// Any words of 64 bits to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce_u64(p: Prime, x: &[u64; LANES]) -> __m256i {
    let [low, high]: &[[u32; LANES]; 2] = bytemuck::cast_ref(x);
    let (low, high) = (reduce_sum_lazy(p, load(low)), reduce_sum_lazy(p, load(high)));
    // Lower halves of [0 1 | 2 3] and [4 5 | 6 7]: [0 1 4 5 | 2 3 6 7], then in order.
    let (low, high) = (_mm256_castsi256_ps(low), _mm256_castsi256_ps(high));
    let words = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(low, high));
    let r = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
    reduce_once(p, _mm256_min_epu32(r, _mm256_sub_epi32(r, p.two_q_words)))
}

/// Any words below `2^bits` to residues.
#[inline]
#[target_feature(enable = "avx2")]
fn shorten(p: Prime, x: &[u64; LANES], _bits: u32) -> __m256i {
    reduce_u64(p, x)
}

/// Sums of products of even words and of odd ones.
#[derive(Clone, Copy)]
struct Sums {
    even: __m256i,
    odd: __m256i,
}

#[inline]
#[target_feature(enable = "avx2")]
fn sums_zero() -> Sums {
    Sums { even: _mm256_setzero_si256(), odd: _mm256_setzero_si256() }
}

#[inline]
#[target_feature(enable = "avx2")]
fn sums_add(sums: Sums, x: __m256i, y: __m256i) -> Sums {
    Sums {
        even: _mm256_add_epi64(sums.even, _mm256_mul_epu32(x, y)),
        odd: _mm256_add_epi64(sums.odd, _mm256_mul_epu32(odd(x), odd(y))),
    }
}

/// Any 64-bit lanes to `[0, 4q)`: for `x = h*2^32 + l`, `h*(2^32 mod q)` less its Shoup multiple and `l` less its
/// Barrett multiple of q, each in `[0, 2q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce_sum_lazy(p: Prime, x: __m256i) -> __m256i {
    let high = _mm256_srli_epi64::<32>(x);
    let of_high = _mm256_srli_epi64::<32>(_mm256_mul_epu32(high, p.radix_quotient));
    let of_low = _mm256_srli_epi64::<32>(_mm256_mul_epu32(x, p.ratio));
    let estimate = _mm256_mul_epu32(_mm256_add_epi64(of_high, of_low), p.q);
    // h * radix + l = x - h * (2^32 - radix).
    _mm256_sub_epi64(_mm256_sub_epi64(x, _mm256_mul_epu32(high, p.radix_complement)), estimate)
}

#[inline]
#[target_feature(enable = "avx2")]
fn sums_reduce(p: Prime, sums: Sums, _terms: usize) -> __m256i {
    let r = interleave(reduce_sum_lazy(p, sums.even), reduce_sum_lazy(p, sums.odd));
    reduce_once(p, _mm256_min_epu32(r, _mm256_sub_epi32(r, p.two_q_words)))
}
