//! The canonical embedding on AVX-512, eight numbers a vector; the last four layers as on AVX2.

use std::arch::x86_64::{
    __m512d as Vector, _mm256_storeu_si256, _mm512_add_pd as add, _mm512_and_pd, _mm512_cvttpd_epi32, _mm512_loadu_pd,
    _mm512_mul_pd as mul, _mm512_or_pd, _mm512_set1_pd as all, _mm512_storeu_pd, _mm512_sub_pd as sub,
};

use super::fft::{BELOW_HALF, GROUP, Roots, Twist};
use super::fft_avx2::{join_leaves, split_leaves};
use super::fft_lanes::{NEAR, fft_butterflies, fft_loops, fft_passes};
use crate::isa::Avx512;

const LANES: usize = 8;
type Lanes = [f64; LANES];

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn load(x: &Lanes) -> Vector {
    // SAFETY: `x` is readable as a whole; the load needs no alignment.
    unsafe { _mm512_loadu_pd(x.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn store(x: &mut Lanes, value: Vector) {
    // SAFETY: `x` is writable as a whole; the store needs no alignment.
    unsafe { _mm512_storeu_pd(x.as_mut_ptr(), value) }
}

fft_butterflies!("avx512f,avx512dq,avx512vl,avx512bw");
fft_loops!("avx512f,avx512dq,avx512vl,avx512bw", Avx512);

pub(super) fn largest_of(_proof: Avx512, x: &[f64]) -> f64 {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(x: &[f64]) -> f64 {
        super::fft::largest_of(x)
    }
    // SAFETY: the proof is only built after the processor reported these features.
    unsafe { lanes(x) }
}

pub(super) fn round_short(_proof: Avx512, scale: f64, x: &[f64], out: &mut [i32]) {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(scale: f64, x: &[Lanes], out: &mut [[i32; LANES]]) {
        let scale = all(scale);
        for (x, out) in x.iter().zip(out) {
            let x = mul(load(x), scale);
            let half = _mm512_or_pd(_mm512_and_pd(x, all(-0.0)), all(BELOW_HALF));
            // SAFETY: `out` is writable as a whole; the store needs no alignment.
            unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), _mm512_cvttpd_epi32(add(x, half))) }
        }
    }
    let ((x, x_rest), (out, out_rest)) = (x.as_chunks(), out.as_chunks_mut());
    // SAFETY: the proof is only built after the processor reported these features.
    unsafe { lanes(scale, x, out) }
    super::fft::round_short(scale, x_rest, out_rest);
}

pub(super) fn round_long(_proof: Avx512, scale: f64, x: &[f64], out: &mut [i64]) {
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
    fn lanes(scale: f64, x: &[f64], out: &mut [i64]) {
        super::fft::round_long(scale, x, out);
    }
    // SAFETY: the proof is only built after the processor reported these features.
    unsafe { lanes(scale, x, out) }
}

/// Half of the loads and stores are in reverse order; four lanes are enough.
pub(super) fn fold_pairs(proof: Avx512, twists: &[Twist], a: &mut [f64]) {
    super::fft_avx2::fold_pairs(proof.avx2(), twists, a);
}
