//! The canonical embedding on AVX2, four numbers a vector.
//!
//! The last four layers act on groups of 16 values: two layers across four vectors, a transposition, and two layers again.

use std::arch::x86_64::{
    __m256d as Vector, _mm_storeu_si128, _mm256_add_pd as add, _mm256_and_pd, _mm256_cvttpd_epi32, _mm256_loadu_pd,
    _mm256_mul_pd as mul, _mm256_or_pd, _mm256_permute2f128_pd, _mm256_permute4x64_pd, _mm256_set1_pd as all,
    _mm256_storeu_pd, _mm256_sub_pd as sub, _mm256_unpackhi_pd, _mm256_unpacklo_pd, _mm256_xor_pd,
};

use super::fft::{BELOW_HALF, GROUP, Leaf, Roots, Twist};
use super::fft_lanes::{NEAR, fft_butterflies, fft_loops, fft_passes};
use crate::isa::Avx2;

const LANES: usize = 4;
type Lanes = [f64; LANES];

#[inline]
#[target_feature(enable = "avx2")]
fn load(x: &Lanes) -> Vector {
    // SAFETY: `x` is readable as a whole; the load needs no alignment.
    unsafe { _mm256_loadu_pd(x.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(x: &mut Lanes, value: Vector) {
    // SAFETY: `x` is writable as a whole; the store needs no alignment.
    unsafe { _mm256_storeu_pd(x.as_mut_ptr(), value) }
}

fft_butterflies!("avx2");
fft_loops!("avx2", Avx2);

/// Groups of [`GROUP`] values as rows of vectors.
fn groups(x: &mut [f64]) -> &mut [[Lanes; 4]] {
    x.as_chunks_mut().0.as_chunks_mut().0
}

/// The last four layers of groups, of which the first is block `k` of its layer.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn split_leaves(roots: &Roots, k: usize, re: &mut [f64], im: &mut [f64]) {
    let count = re.len() / GROUP;
    let w = roots.of_two_layers(k, count).zip(roots.leaves(k, count));
    for ((w, leaf), (re, im)) in w.zip(groups(re).iter_mut().zip(groups(im))) {
        let x = split_four(load_four(re, im), [everywhere(w[0]), everywhere(w[1]), everywhere(w[2])]);
        store_four(re, im, split_four(transpose_four(x), load_leaf(leaf)));
    }
}

/// The way back.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn join_leaves(roots: &Roots, k: usize, re: &mut [f64], im: &mut [f64]) {
    let count = re.len() / GROUP;
    let w = roots.of_two_layers(k, count).zip(roots.leaves(k, count));
    for ((w, leaf), (re, im)) in w.zip(groups(re).iter_mut().zip(groups(im))) {
        let x = transpose_four(join_four(load_four(re, im), load_leaf(leaf)));
        store_four(re, im, join_four(x, [everywhere(w[0]), everywhere(w[1]), everywhere(w[2])]));
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_leaf([w0, w1, w2]: &Leaf) -> [Complex; 3] {
    [Complex(load(&w0[0]), load(&w0[1])), Complex(load(&w1[0]), load(&w1[1])), Complex(load(&w2[0]), load(&w2[1]))]
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_four([r0, r1, r2, r3]: &[Lanes; 4], [i0, i1, i2, i3]: &[Lanes; 4]) -> [Complex; 4] {
    [Complex(load(r0), load(i0)), Complex(load(r1), load(i1)), Complex(load(r2), load(i2)), Complex(load(r3), load(i3))]
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_four(re: &mut [Lanes; 4], im: &mut [Lanes; 4], x: [Complex; 4]) {
    for ((re, im), x) in re.iter_mut().zip(im).zip(x) {
        store(re, x.0);
        store(im, x.1);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn transpose_four([x0, x1, x2, x3]: [Complex; 4]) -> [Complex; 4] {
    let [r0, r1, r2, r3] = transpose([x0.0, x1.0, x2.0, x3.0]);
    let [i0, i1, i2, i3] = transpose([x0.1, x1.1, x2.1, x3.1]);
    [Complex(r0, i0), Complex(r1, i1), Complex(r2, i2), Complex(r3, i3)]
}

/// Row i, lane j becomes row j, lane i.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose([x0, x1, x2, x3]: [Vector; 4]) -> [Vector; 4] {
    let (a, b) = (_mm256_unpacklo_pd(x0, x1), _mm256_unpackhi_pd(x0, x1));
    let (c, d) = (_mm256_unpacklo_pd(x2, x3), _mm256_unpackhi_pd(x2, x3));
    [
        _mm256_permute2f128_pd::<0x20>(a, c),
        _mm256_permute2f128_pd::<0x20>(b, d),
        _mm256_permute2f128_pd::<0x31>(a, c),
        _mm256_permute2f128_pd::<0x31>(b, d),
    ]
}

pub(super) fn largest_of(_proof: Avx2, x: &[f64]) -> f64 {
    #[target_feature(enable = "avx2")]
    fn lanes(x: &[f64]) -> f64 {
        super::fft::largest_of(x)
    }
    // SAFETY: the proof is only built after the processor reported these features.
    unsafe { lanes(x) }
}

pub(super) fn round_short(_proof: Avx2, scale: f64, x: &[f64], out: &mut [i32]) {
    #[target_feature(enable = "avx2")]
    fn lanes(scale: f64, x: &[Lanes], out: &mut [[i32; LANES]]) {
        let scale = all(scale);
        for (x, out) in x.iter().zip(out) {
            let x = mul(load(x), scale);
            let half = _mm256_or_pd(_mm256_and_pd(x, all(-0.0)), all(BELOW_HALF));
            // SAFETY: `out` is writable as a whole; the store needs no alignment.
            unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), _mm256_cvttpd_epi32(add(x, half))) }
        }
    }
    let ((x, x_rest), (out, out_rest)) = (x.as_chunks(), out.as_chunks_mut());
    // SAFETY: the proof is only built after the processor reported these features.
    unsafe { lanes(scale, x, out) }
    super::fft::round_short(scale, x_rest, out_rest);
}

pub(super) fn round_long(_proof: Avx2, scale: f64, x: &[f64], out: &mut [i64]) {
    #[target_feature(enable = "avx2")]
    fn lanes(scale: f64, x: &[f64], out: &mut [i64]) {
        super::fft::round_long(scale, x, out);
    }
    // SAFETY: the proof is only built after the processor reported these features.
    unsafe { lanes(scale, x, out) }
}

pub(super) fn fold_pairs(_proof: Avx2, twists: &[Twist], a: &mut [f64]) {
    #[target_feature(enable = "avx2")]
    fn lanes(twists: &[Twist], a: &mut [f64]) -> usize {
        let (m, s) = (a.len() / 2, a.len() / 4);
        let mut k = 1;
        let (low, high) = a.split_at_mut(m);
        let ((left, right), (high_left, high_right)) = (low.split_at_mut(s), high.split_at(s));
        // Four k with four partners each, as long as both are apart.
        while k + LANES <= s / 2 {
            let up = k..k + LANES;
            let down = s + 1 - k - LANES..s + 1 - k;
            let b0 = sub(load_part(&left[up.clone()]), reversed(load_part(&high_right[down.clone()])));
            let b1 = sub(reversed(load_part(&left[down.clone()])), load_part(&high_right[up.clone()]));
            let b2 = sub(load_part(&right[up.clone()]), reversed(load_part(&high_left[down.clone()])));
            let b3 = sub(reversed(load_part(&right[down.clone()])), load_part(&high_left[up.clone()]));
            let twist = &twists[(k - 1) / LANES];
            let x = twisted(Complex(b0, _mm256_xor_pd(b3, all(-0.0))), rotated(b1, b2), &twist[0], &twist[1]);
            let y = twisted(Complex(b1, _mm256_xor_pd(b2, all(-0.0))), rotated(b0, b3), &twist[2], &twist[3]);
            store_part(&mut left[up.clone()], x.0);
            store_part(&mut right[up], x.1);
            store_part(&mut left[down.clone()], reversed(y.0));
            store_part(&mut right[down], reversed(y.1));
            k += LANES;
        }
        k
    }
    // SAFETY: the proof is only built after the processor reported AVX2.
    let next = unsafe { lanes(twists, a) };
    super::fft::fold_from(next, twists, a);
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_part(x: &[f64]) -> Vector {
    match x.first_chunk() {
        Some(x) => load(x),
        None => all(0.0),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_part(x: &mut [f64], value: Vector) {
    if let Some(x) = x.first_chunk_mut() {
        store(x, value);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn reversed(x: Vector) -> Vector {
    _mm256_permute4x64_pd::<0b00_01_10_11>(x)
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotated(re: Vector, im: Vector) -> Complex {
    let root = all(std::f64::consts::FRAC_1_SQRT_2);
    Complex(mul(add(re, im), root), mul(sub(im, re), root))
}

#[inline]
#[target_feature(enable = "avx2")]
fn twisted(p: Complex, q: Complex, u: &[Lanes; 2], v: &[Lanes; 2]) -> Complex {
    let (u, v) = (Complex(load(&u[0]), load(&u[1])), Complex(load(&v[0]), load(&v[1])));
    let (sum, difference) = (Complex(add(p.0, q.0), add(p.1, q.1)), Complex(sub(p.0, q.0), sub(p.1, q.1)));
    Complex(
        add(sub(mul(sum.0, u.0), mul(sum.1, u.1)), sub(mul(difference.0, v.0), mul(difference.1, v.1))),
        add(add(mul(sum.0, u.1), mul(sum.1, u.0)), add(mul(difference.0, v.1), mul(difference.1, v.0))),
    )
}
