//! Transforms of 32-bit words on AVX2, eight words a vector.
//!
//! Two layers go through memory at a time (radix 4); the layers at distances 4, 2 and 1 run on a pair of vectors
//! between shuffles. A Shoup product takes two `vpmuludq` for the quotient (even and odd lanes) and two `vpmulld` for
//! the low words. Ranges are those of the portable transform: below 4q forward, below 2q inverse.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_blend_epi32, _mm256_castps_si256, _mm256_castsi128_si256,
    _mm256_castsi256_ps, _mm256_loadu_si256, _mm256_min_epu32, _mm256_mul_epu32, _mm256_mullo_epi32,
    _mm256_permute2x128_si256, _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32, _mm256_set1_epi32,
    _mm256_set1_epi64x, _mm256_setr_epi32, _mm256_shuffle_epi32, _mm256_shuffle_ps, _mm256_storeu_si256,
    _mm256_sub_epi32, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

use super::ntt::{self, Portable};
use crate::isa::Avx2;
use crate::modulus::ShoupFactor;

const LANES: usize = 8;
type Vector = [u32; LANES];

/// Below this length the portable transform runs.
const MIN_LEN: usize = 2 * LANES;

pub(super) fn forward(_proof: Avx2, plan: &Portable<u32>, x: &mut [u32]) {
    if x.len() < MIN_LEN {
        return ntt::forward(plan, x);
    }
    // SAFETY: `Avx2` is only built after the processor reported AVX2.
    unsafe { forward_lanes(plan, x.as_chunks_mut().0) }
}

pub(super) fn inverse(_proof: Avx2, plan: &Portable<u32>, x: &mut [u32]) {
    if x.len() < MIN_LEN {
        return ntt::inverse(plan, x);
    }
    // SAFETY: `Avx2` is only built after the processor reported AVX2.
    unsafe { inverse_lanes(plan, x.as_chunks_mut().0) }
}

/// q and 2q in every lane.
#[derive(Clone, Copy)]
struct Prime {
    q: __m256i,
    two_q: __m256i,
}

/// A twiddle per lane: its value, and its quotient where even and odd lanes are multiplied.
#[derive(Clone, Copy)]
struct Factor {
    value: __m256i,
    even: __m256i,
    odd: __m256i,
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(x: &Vector) -> __m256i {
    // SAFETY: eight words of 4 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_half(x: &[u32; LANES / 2]) -> __m256i {
    // SAFETY: four words of 4 bytes; the load needs no alignment.
    _mm256_castsi128_si256(unsafe { _mm_loadu_si128(x.as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(x: &mut Vector, value: __m256i) {
    // SAFETY: eight words of 4 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(x.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(value: u32, quotient: u32) -> Factor {
    let quotient = _mm256_set1_epi32(quotient as i32);
    Factor { value: _mm256_set1_epi32(value as i32), even: quotient, odd: quotient }
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat_factor(w: ShoupFactor<u32>) -> Factor {
    splat(w.value(), w.quotient())
}

/// Odd lanes over even ones.
#[inline]
#[target_feature(enable = "avx2")]
fn odd_down(x: __m256i) -> __m256i {
    _mm256_shuffle_epi32::<0b11_11_01_01>(x)
}

/// `[0, 4q)` to `[0, 2q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce_4q_lazy(p: Prime, x: __m256i) -> __m256i {
    _mm256_min_epu32(x, _mm256_sub_epi32(x, p.two_q))
}

/// `[0, 2q)` to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce_once(p: Prime, x: __m256i) -> __m256i {
    _mm256_min_epu32(x, _mm256_sub_epi32(x, p.q))
}

/// `x * w mod q` in `[0, 2q)`, any x.
#[inline]
#[target_feature(enable = "avx2")]
fn mul_shoup_lazy(p: Prime, x: __m256i, w: Factor) -> __m256i {
    let even = _mm256_mul_epu32(x, w.even);
    let odd = _mm256_mul_epu32(odd_down(x), w.odd);
    let quotient = _mm256_blend_epi32::<0b1010_1010>(odd_down(even), odd);
    _mm256_sub_epi32(_mm256_mullo_epi32(x, w.value), _mm256_mullo_epi32(quotient, p.q))
}

/// Cooley-Tukey: below 4q in and out.
#[inline]
#[target_feature(enable = "avx2")]
fn forward_butterfly(p: Prime, a: __m256i, b: __m256i, w: Factor) -> (__m256i, __m256i) {
    let u = reduce_4q_lazy(p, a);
    let v = mul_shoup_lazy(p, b, w);
    (_mm256_add_epi32(u, v), _mm256_add_epi32(_mm256_sub_epi32(u, v), p.two_q))
}

/// Gentleman-Sande: below 2q in and out.
#[inline]
#[target_feature(enable = "avx2")]
fn inverse_butterfly(p: Prime, u: __m256i, v: __m256i, w: Factor) -> (__m256i, __m256i) {
    let difference = _mm256_add_epi32(_mm256_sub_epi32(u, v), p.two_q);
    (reduce_4q_lazy(p, _mm256_add_epi32(u, v)), mul_shoup_lazy(p, difference, w))
}

#[target_feature(enable = "avx2")]
fn forward_lanes(plan: &Portable<u32>, x: &mut [Vector]) {
    let q = plan.modulus.value();
    let p = Prime { q: _mm256_set1_epi32(q as i32), two_q: _mm256_set1_epi32(2 * q as i32) };
    let (values, quotients) = (&plan.tables.forward.values[..], &plan.tables.forward.quotients[..]);
    // Distances in vectors; the last of these layers has distance 1 vector.
    let (mut blocks, mut t) = (1, x.len() / 2);
    if plan.tables.forward.values.len().trailing_zeros().is_multiple_of(2) {
        let w = splat(values[1], quotients[1]);
        let (low, high) = x.split_at_mut(t);
        for (a, b) in low.iter_mut().zip(high) {
            let (u, v) = forward_butterfly(p, load(a), load(b), w);
            store(a, u);
            store(b, v);
        }
        (blocks, t) = (2, t / 2);
    }
    while t >= 2 {
        for (i, block) in x.chunks_exact_mut(2 * t).enumerate() {
            let (k, l) = (blocks + i, 2 * (blocks + i));
            let w1 = splat(values[k], quotients[k]);
            let w2 = splat(values[l], quotients[l]);
            let w3 = splat(values[l + 1], quotients[l + 1]);
            let (low, high) = block.split_at_mut(t);
            let ((x0, x1), (x2, x3)) = (low.split_at_mut(t / 2), high.split_at_mut(t / 2));
            for (((a, b), c), d) in x0.iter_mut().zip(x1).zip(x2).zip(x3) {
                let (a0, c0) = forward_butterfly(p, load(a), load(c), w1);
                let (b0, d0) = forward_butterfly(p, load(b), load(d), w1);
                let (a1, b1) = forward_butterfly(p, a0, b0, w2);
                let (c1, d1) = forward_butterfly(p, c0, d0, w3);
                store(a, a1);
                store(b, b1);
                store(c, c1);
                store(d, d1);
            }
        }
        (blocks, t) = (4 * blocks, t / 4);
    }
    forward_within(p, x, values, quotients);
}

/// The layers at distances 4, 2 and 1, and the reduction to `[0, q)`.
#[target_feature(enable = "avx2")]
fn forward_within(p: Prime, x: &mut [Vector], values: &[u32], quotients: &[u32]) {
    let n = LANES * x.len();
    let by_4 = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    let by_2 = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    let (v4, q4) = (values[n / 8..n / 4].as_chunks::<2>().0, quotients[n / 8..n / 4].as_chunks::<2>().0);
    let (v2, q2) = (values[n / 4..n / 2].as_chunks::<4>().0, quotients[n / 4..n / 2].as_chunks::<4>().0);
    let (v1, q1) = (values[n / 2..].as_chunks::<8>().0, quotients[n / 2..].as_chunks::<8>().0);
    let tables = v4.iter().zip(q4).zip(v2.iter().zip(q2)).zip(v1.iter().zip(q1));
    for (pair, (((v4, q4), (v2, q2)), (v1, q1))) in x.as_chunks_mut::<2>().0.iter_mut().zip(tables) {
        let [first, second] = pair;
        let (a, b) = (load(first), load(second));
        // Distance 4: [0..4 | 8..12], [4..8 | 12..16].
        let w = {
            let quotient = _mm256_permutevar8x32_epi32(load_pair(q4), by_4);
            Factor { value: _mm256_permutevar8x32_epi32(load_pair(v4), by_4), even: quotient, odd: quotient }
        };
        let (low, high) = (_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b));
        let (a, b) = forward_butterfly(p, low, high, w);
        // Distance 2: [0 1 4 5 | ..], [2 3 6 7 | ..].
        let w = {
            let quotient = _mm256_permutevar8x32_epi32(load_half(q2), by_2);
            Factor { value: _mm256_permutevar8x32_epi32(load_half(v2), by_2), even: quotient, odd: quotient }
        };
        let (a, b) = forward_butterfly(p, _mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b), w);
        // Distance 1: [0 2 4 6 | ..], [1 3 5 7 | ..].
        let quotient = load(q1);
        let w = Factor { value: load(v1), even: quotient, odd: odd_down(quotient) };
        let even = _mm256_blend_epi32::<0b1010_1010>(a, _mm256_shuffle_epi32::<0b10_10_00_00>(b));
        let odd = _mm256_blend_epi32::<0b1010_1010>(odd_down(a), b);
        let (a, b) = forward_butterfly(p, even, odd, w);
        let (a, b) = (reduce_once(p, reduce_4q_lazy(p, a)), reduce_once(p, reduce_4q_lazy(p, b)));
        let (low, high) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
        store(first, _mm256_permute2x128_si256::<0x20>(low, high));
        store(second, _mm256_permute2x128_si256::<0x31>(low, high));
    }
}

/// Two words in every 64-bit lane.
#[inline]
#[target_feature(enable = "avx2")]
fn load_pair(x: &[u32; 2]) -> __m256i {
    _mm256_set1_epi64x((u64::from(x[1]) << 32 | u64::from(x[0])) as i64)
}

#[target_feature(enable = "avx2")]
fn inverse_lanes(plan: &Portable<u32>, x: &mut [Vector]) {
    let q = plan.modulus.value();
    let p = Prime { q: _mm256_set1_epi32(q as i32), two_q: _mm256_set1_epi32(2 * q as i32) };
    let (values, quotients) = (&plan.tables.inverse.values[..], &plan.tables.inverse.quotients[..]);
    inverse_within(p, x, values, quotients);
    let n_inverse = splat_factor(plan.tables.n_inverse);
    let n_inverse_twiddle = splat_factor(plan.tables.n_inverse_twiddle);
    // Distances in vectors; pairs of layers at t and 2t, the very last layer carries 1/N.
    let (mut blocks, mut t) = (x.len() / 2, 1);
    while blocks > 1 {
        let is_last = blocks == 2;
        for (i, block) in x.chunks_exact_mut(4 * t).enumerate() {
            let (k, l) = (blocks + 2 * i, blocks / 2 + i);
            let w1 = splat(values[k], quotients[k]);
            let w2 = splat(values[k + 1], quotients[k + 1]);
            let w3 = splat(values[l], quotients[l]);
            let (low, high) = block.split_at_mut(2 * t);
            let ((x0, x1), (x2, x3)) = (low.split_at_mut(t), high.split_at_mut(t));
            for (((a, b), c), d) in x0.iter_mut().zip(x1).zip(x2).zip(x3) {
                let (a0, b0) = inverse_butterfly(p, load(a), load(b), w1);
                let (c0, d0) = inverse_butterfly(p, load(c), load(d), w2);
                let ((a1, c1), (b1, d1)) = if is_last {
                    (
                        last_butterfly(p, a0, c0, n_inverse, n_inverse_twiddle),
                        last_butterfly(p, b0, d0, n_inverse, n_inverse_twiddle),
                    )
                } else {
                    (inverse_butterfly(p, a0, c0, w3), inverse_butterfly(p, b0, d0, w3))
                };
                store(a, a1);
                store(b, b1);
                store(c, c1);
                store(d, d1);
            }
        }
        (blocks, t) = (blocks / 4, 4 * t);
    }
    if blocks == 1 {
        let (low, high) = x.split_at_mut(t);
        for (a, b) in low.iter_mut().zip(high) {
            let (u, v) = last_butterfly(p, load(a), load(b), n_inverse, n_inverse_twiddle);
            store(a, u);
            store(b, v);
        }
    }
}

/// The last layer with 1/N in both factors, to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn last_butterfly(p: Prime, u: __m256i, v: __m256i, w: Factor, w_difference: Factor) -> (__m256i, __m256i) {
    let difference = _mm256_add_epi32(_mm256_sub_epi32(u, v), p.two_q);
    let sum = mul_shoup_lazy(p, _mm256_add_epi32(u, v), w);
    (reduce_once(p, sum), reduce_once(p, mul_shoup_lazy(p, difference, w_difference)))
}

/// `a` and `b` as floats, for a shuffle that integers lack.
#[inline]
#[target_feature(enable = "avx2")]
fn shuffle<const MASK: i32>(a: __m256i, b: __m256i) -> __m256i {
    _mm256_castps_si256(_mm256_shuffle_ps::<MASK>(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b)))
}

/// The layers at distances 1, 2 and 4.
#[target_feature(enable = "avx2")]
fn inverse_within(p: Prime, x: &mut [Vector], values: &[u32], quotients: &[u32]) {
    let n = LANES * x.len();
    let by_2 = _mm256_setr_epi32(0, 2, 0, 2, 1, 3, 1, 3);
    let natural = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
    let (v4, q4) = (values[n / 8..n / 4].as_chunks::<2>().0, quotients[n / 8..n / 4].as_chunks::<2>().0);
    let (v2, q2) = (values[n / 4..n / 2].as_chunks::<4>().0, quotients[n / 4..n / 2].as_chunks::<4>().0);
    let (v1, q1) = (values[n / 2..].as_chunks::<8>().0, quotients[n / 2..].as_chunks::<8>().0);
    let tables = v4.iter().zip(q4).zip(v2.iter().zip(q2)).zip(v1.iter().zip(q1));
    for (pair, (((v4, q4), (v2, q2)), (v1, q1))) in x.as_chunks_mut::<2>().0.iter_mut().zip(tables) {
        let [first, second] = pair;
        let (a, b) = (load(first), load(second));
        // Distance 1: [0 2 8 10 | 4 6 12 14], [1 3 9 11 | 5 7 13 15].
        let quotient = _mm256_permute4x64_epi64::<0b11_01_10_00>(load(q1));
        let value = _mm256_permute4x64_epi64::<0b11_01_10_00>(load(v1));
        let w = Factor { value, even: quotient, odd: odd_down(quotient) };
        let (a, b) = inverse_butterfly(p, shuffle::<0x88>(a, b), shuffle::<0xdd>(a, b), w);
        // Distance 2: [0 8 1 9 | 4 12 5 13], [2 10 3 11 | 6 14 7 15].
        let quotient = _mm256_permutevar8x32_epi32(load_half(q2), by_2);
        let value = _mm256_permutevar8x32_epi32(load_half(v2), by_2);
        let w = Factor { value, even: quotient, odd: odd_down(quotient) };
        let (a, b) = inverse_butterfly(p, shuffle::<0x88>(a, b), shuffle::<0xdd>(a, b), w);
        // Distance 4: [0 8 1 9 | 2 10 3 11], [4 12 5 13 | 6 14 7 15].
        let quotient = load_pair(q4);
        let w = Factor { value: load_pair(v4), even: quotient, odd: odd_down(quotient) };
        let (low, high) = (_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b));
        let (a, b) = inverse_butterfly(p, low, high, w);
        let a = _mm256_permutevar8x32_epi32(a, natural);
        let b = _mm256_permutevar8x32_epi32(b, natural);
        store(first, _mm256_permute2x128_si256::<0x20>(a, b));
        store(second, _mm256_permute2x128_si256::<0x31>(a, b));
    }
}
