//! Transforms of 64-bit words on AVX2, four words a vector, for primes up to 61 bits.
//!
//! AVX2 multiplies 32-bit halves only. The upper half of a product is taken from three of the four partial products
//! without their carries, which is at most 2 too small, so that a lazy product lies in `[0, 4q)`; low halves are exact.
//! Ranges: below 8q forward, below 4q inverse, both below 2^64; `[0, q)` at the end.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_blendv_pd, _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_loadu_si256,
    _mm256_mul_epu32, _mm256_permute2x128_si256, _mm256_permute4x64_epi64, _mm256_set1_epi64x, _mm256_setr_epi64x,
    _mm256_shuffle_epi32, _mm256_slli_epi64, _mm256_srli_epi64, _mm256_storeu_si256, _mm256_sub_epi64,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi64,
};

use super::ntt::{self, Portable};
use crate::isa::Avx2;
use crate::modulus::ShoupFactor;

const LANES: usize = 4;
type Vector = [u64; LANES];

/// Below this length the portable transform runs.
const MIN_LEN: usize = 2 * LANES;

pub(super) fn forward(_proof: Avx2, plan: &Portable<u64>, x: &mut [u64]) {
    if x.len() < MIN_LEN {
        return ntt::forward(plan, x);
    }
    // SAFETY: `Avx2` is only built after the processor reported AVX2.
    unsafe { forward_lanes(plan, x.as_chunks_mut().0) }
}

pub(super) fn inverse(_proof: Avx2, plan: &Portable<u64>, x: &mut [u64]) {
    if x.len() < MIN_LEN {
        return ntt::inverse(plan, x);
    }
    // SAFETY: `Avx2` is only built after the processor reported AVX2.
    unsafe { inverse_lanes(plan, x.as_chunks_mut().0) }
}

/// Multiples of q in every lane, and its upper half.
#[derive(Clone, Copy)]
struct Prime {
    q: __m256i,
    q_high: __m256i,
    two_q: __m256i,
    four_q: __m256i,
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(q: u64) -> Self {
        let all = |x: u64| _mm256_set1_epi64x(x as i64);
        Self { q: all(q), q_high: all(q >> 32), two_q: all(2 * q), four_q: all(4 * q) }
    }
}

/// A twiddle per lane with its quotient, each with its upper half brought down.
#[derive(Clone, Copy)]
struct Factor {
    value: __m256i,
    value_high: __m256i,
    quotient: __m256i,
    quotient_high: __m256i,
}

impl Factor {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(value: __m256i, quotient: __m256i) -> Self {
        Self { value, value_high: high(value), quotient, quotient_high: high(quotient) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn splat(value: u64, quotient: u64) -> Self {
        Self::new(_mm256_set1_epi64x(value as i64), _mm256_set1_epi64x(quotient as i64))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn splat_factor(w: ShoupFactor<u64>) -> Self {
        Self::splat(w.value(), w.quotient())
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(x: &Vector) -> __m256i {
    // SAFETY: four words of 8 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(x: &mut Vector, value: __m256i) {
    // SAFETY: four words of 8 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(x.as_mut_ptr().cast(), value) }
}

/// Upper halves over lower ones.
#[inline]
#[target_feature(enable = "avx2")]
fn high(x: __m256i) -> __m256i {
    _mm256_shuffle_epi32::<0b11_11_01_01>(x)
}

/// `x` from `[0, 2b)` to `[0, b)`, for `b < 2^63`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce(x: __m256i, b: __m256i) -> __m256i {
    let less = _mm256_castsi256_pd(_mm256_sub_epi64(x, b));
    _mm256_castpd_si256(_mm256_blendv_pd(less, _mm256_castsi256_pd(x), less))
}

/// `[0, 4q)` to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce_4q(p: Prime, x: __m256i) -> __m256i {
    reduce(reduce(x, p.two_q), p.q)
}

/// `x * w mod q` in `[0, 4q)`, any x.
#[inline]
#[target_feature(enable = "avx2")]
fn mul_shoup_lazy(p: Prime, x: __m256i, w: Factor) -> __m256i {
    let x_high = high(x);
    let middle = _mm256_add_epi64(
        _mm256_srli_epi64::<32>(_mm256_mul_epu32(x_high, w.quotient)),
        _mm256_srli_epi64::<32>(_mm256_mul_epu32(x, w.quotient_high)),
    );
    let e = _mm256_add_epi64(_mm256_mul_epu32(x_high, w.quotient_high), middle);
    let cross = _mm256_sub_epi64(
        _mm256_add_epi64(_mm256_mul_epu32(x_high, w.value), _mm256_mul_epu32(x, w.value_high)),
        _mm256_add_epi64(_mm256_mul_epu32(high(e), p.q), _mm256_mul_epu32(e, p.q_high)),
    );
    let low = _mm256_sub_epi64(_mm256_mul_epu32(x, w.value), _mm256_mul_epu32(e, p.q));
    _mm256_add_epi64(low, _mm256_slli_epi64::<32>(cross))
}

/// Cooley-Tukey: below 8q in and out.
#[inline]
#[target_feature(enable = "avx2")]
fn forward_butterfly(p: Prime, a: __m256i, b: __m256i, w: Factor) -> (__m256i, __m256i) {
    let u = reduce(a, p.four_q);
    let v = mul_shoup_lazy(p, b, w);
    (_mm256_add_epi64(u, v), _mm256_add_epi64(_mm256_sub_epi64(u, v), p.four_q))
}

/// Gentleman-Sande: below 4q in and out.
#[inline]
#[target_feature(enable = "avx2")]
fn inverse_butterfly(p: Prime, u: __m256i, v: __m256i, w: Factor) -> (__m256i, __m256i) {
    let difference = _mm256_add_epi64(_mm256_sub_epi64(u, v), p.four_q);
    (reduce(_mm256_add_epi64(u, v), p.four_q), mul_shoup_lazy(p, difference, w))
}

#[target_feature(enable = "avx2")]
fn forward_lanes(plan: &Portable<u64>, x: &mut [Vector]) {
    let p = Prime::new(plan.modulus.value());
    let (values, quotients) = (&plan.tables.forward.values[..], &plan.tables.forward.quotients[..]);
    let n = LANES * x.len();
    let (mut blocks, mut t) = (1, x.len() / 2);
    while t >= 1 {
        for (i, block) in x.chunks_exact_mut(2 * t).enumerate() {
            let w = Factor::splat(values[blocks + i], quotients[blocks + i]);
            let (low, high) = block.split_at_mut(t);
            for (a, b) in low.iter_mut().zip(high) {
                let (u, v) = forward_butterfly(p, load(a), load(b), w);
                store(a, u);
                store(b, v);
            }
        }
        (blocks, t) = (2 * blocks, t / 2);
    }
    // Distances 2 and 1 within a pair of vectors, and the reduction to [0, q).
    let (v2, q2) = (values[n / 4..n / 2].as_chunks::<2>().0, quotients[n / 4..n / 2].as_chunks::<2>().0);
    let (v1, q1) = (values[n / 2..].as_chunks::<4>().0, quotients[n / 2..].as_chunks::<4>().0);
    let tables = v2.iter().zip(q2).zip(v1.iter().zip(q1));
    for (pair, ((v2, q2), (v1, q1))) in x.as_chunks_mut::<2>().0.iter_mut().zip(tables) {
        let [first, second] = pair;
        let (a, b) = (load(first), load(second));
        // [0 1 | 4 5], [2 3 | 6 7].
        let (low, high) = (_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b));
        let (a, b) = forward_butterfly(p, low, high, Factor::new(load_twice(v2), load_twice(q2)));
        // [0 2 | 4 6], [1 3 | 5 7].
        let (even, odd) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
        let (a, b) = forward_butterfly(p, even, odd, Factor::new(load(v1), load(q1)));
        let (a, b) = (reduce_4q(p, reduce(a, p.four_q)), reduce_4q(p, reduce(b, p.four_q)));
        let (low, high) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
        store(first, _mm256_permute2x128_si256::<0x20>(low, high));
        store(second, _mm256_permute2x128_si256::<0x31>(low, high));
    }
}

/// Two words as `[0 0 | 1 1]`.
#[inline]
#[target_feature(enable = "avx2")]
fn load_twice(x: &[u64; 2]) -> __m256i {
    _mm256_permute4x64_epi64::<0b01_01_00_00>(_mm256_setr_epi64x(x[0] as i64, x[1] as i64, 0, 0))
}

#[target_feature(enable = "avx2")]
fn inverse_lanes(plan: &Portable<u64>, x: &mut [Vector]) {
    let p = Prime::new(plan.modulus.value());
    let (values, quotients) = (&plan.tables.inverse.values[..], &plan.tables.inverse.quotients[..]);
    let n = LANES * x.len();
    let (v2, q2) = (values[n / 4..n / 2].as_chunks::<2>().0, quotients[n / 4..n / 2].as_chunks::<2>().0);
    let (v1, q1) = (values[n / 2..].as_chunks::<4>().0, quotients[n / 2..].as_chunks::<4>().0);
    let tables = v2.iter().zip(q2).zip(v1.iter().zip(q1));
    for (pair, ((v2, q2), (v1, q1))) in x.as_chunks_mut::<2>().0.iter_mut().zip(tables) {
        let [first, second] = pair;
        let (a, b) = (load(first), load(second));
        // [0 1 | 4 5], [2 3 | 6 7], then [0 2 | 4 6], [1 3 | 5 7].
        let (low, high) = (_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b));
        let (even, odd) = (_mm256_unpacklo_epi64(low, high), _mm256_unpackhi_epi64(low, high));
        let (a, b) = inverse_butterfly(p, even, odd, Factor::new(load(v1), load(q1)));
        let (low, high) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
        let (a, b) = inverse_butterfly(p, low, high, Factor::new(load_twice(v2), load_twice(q2)));
        store(first, _mm256_permute2x128_si256::<0x20>(a, b));
        store(second, _mm256_permute2x128_si256::<0x31>(a, b));
    }
    let (mut blocks, mut t) = (x.len() / 2, 1);
    while blocks > 1 {
        for (i, block) in x.chunks_exact_mut(2 * t).enumerate() {
            let w = Factor::splat(values[blocks + i], quotients[blocks + i]);
            let (low, high) = block.split_at_mut(t);
            for (a, b) in low.iter_mut().zip(high) {
                let (u, v) = inverse_butterfly(p, load(a), load(b), w);
                store(a, u);
                store(b, v);
            }
        }
        (blocks, t) = (blocks / 2, 2 * t);
    }
    // The last layer carries 1/N.
    let (w, w_difference) = (Factor::splat_factor(plan.tables.n_inverse), Factor::splat_factor(plan.tables.n_inverse_twiddle));
    let (low, high) = x.split_at_mut(t);
    for (a, b) in low.iter_mut().zip(high) {
        let (u, v) = (load(a), load(b));
        let difference = _mm256_add_epi64(_mm256_sub_epi64(u, v), p.four_q);
        store(a, reduce_4q(p, mul_shoup_lazy(p, _mm256_add_epi64(u, v), w)));
        store(b, reduce_4q(p, mul_shoup_lazy(p, difference, w_difference)));
    }
}
