//! The loops of `fft.rs`, compiled for AVX2: four butterflies side by side, the same operations in the same order.

use super::fft::{Roots, body};
use crate::isa::Avx2;

pub(super) fn forward(_proof: Avx2, roots: &Roots, re: &mut [f64], im: &mut [f64]) {
    // SAFETY: `Avx2` is only built after the processor reported AVX2.
    unsafe { forward_lanes(roots, re, im) }
}

#[target_feature(enable = "avx2")]
fn forward_lanes(roots: &Roots, re: &mut [f64], im: &mut [f64]) {
    body::forward(roots, re, im);
}

pub(super) fn inverse(_proof: Avx2, roots: &Roots, factor: f64, re: &mut [f64], im: &mut [f64]) {
    // SAFETY: as in `forward`.
    unsafe { inverse_lanes(roots, factor, re, im) }
}

#[target_feature(enable = "avx2")]
fn inverse_lanes(roots: &Roots, factor: f64, re: &mut [f64], im: &mut [f64]) {
    body::inverse(roots, factor, re, im);
}

pub(super) fn round_to_i64(_proof: Avx2, x: &[f64], out: &mut [i64]) -> f64 {
    // SAFETY: as in `forward`.
    unsafe { round_to_i64_lanes(x, out) }
}

#[target_feature(enable = "avx2")]
fn round_to_i64_lanes(x: &[f64], out: &mut [i64]) -> f64 {
    body::round_to_i64(x, out)
}
