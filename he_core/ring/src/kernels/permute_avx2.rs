//! Permutations of blocks on AVX2: `vpermd` for eight 32-bit words; for 64-bit words a half of a block is one vector, and
//! pairs of 32-bit words are permuted.

use std::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_permutevar8x32_epi32, _mm256_storeu_si256};

use super::permute::{BLOCK, Patterns, split};
use crate::isa::Avx2;

pub(super) fn permute_u32(
    _proof: Avx2,
    out: &mut [[u32; BLOCK]],
    x: &[[u32; BLOCK]],
    entries: &[u32],
    patterns: &Patterns,
) {
    #[target_feature(enable = "avx2")]
    fn lanes(out: &mut [[u32; BLOCK]], x: &[[u32; BLOCK]], entries: &[u32], patterns: &Patterns) {
        for (out, entry) in out.iter_mut().zip(entries) {
            let (block, pattern) = split(*entry);
            store(out, _mm256_permutevar8x32_epi32(load(&x[block]), load(&patterns[pattern])));
        }
    }
    // SAFETY: `Avx2` is only built after the processor reported AVX2; `lanes` itself is safe code.
    unsafe { lanes(out, x, entries, patterns) }
}

/// Half of a block, as a vector of 32-bit words.
const HALF: usize = BLOCK / 2;

pub(super) fn permute_u64(
    _proof: Avx2,
    out: &mut [[u64; BLOCK]],
    x: &[[u64; BLOCK]],
    entries: &[u32],
    patterns: &Patterns,
) {
    #[target_feature(enable = "avx2")]
    fn lanes(out: &mut [[u32; BLOCK]], x: &[[u32; BLOCK]], entries: &[u32], patterns: &Patterns) {
        // Per pattern and half of the result, the half that it comes from and the pairs in it.
        let half = |pattern: &[u32; BLOCK], half: usize| {
            let pattern = &pattern[half * HALF..][..HALF];
            let pairs: [u32; BLOCK] = std::array::from_fn(|i| pattern[i / 2] % HALF as u32 * 2 + i as u32 % 2);
            (pattern[0] as usize / HALF, pairs)
        };
        let halves = patterns.each_ref().map(|pattern| [half(pattern, 0), half(pattern, 1)]);
        for (out, entry) in out.as_chunks_mut::<2>().0.iter_mut().zip(entries) {
            let (block, pattern) = split(*entry);
            for (out, (from, pairs)) in out.iter_mut().zip(&halves[pattern]) {
                store(out, _mm256_permutevar8x32_epi32(load(&x[2 * block + from]), load(pairs)));
            }
        }
    }
    let (out, x) = (bytemuck::cast_slice_mut(out), bytemuck::cast_slice(x));
    // SAFETY: `Avx2` is only built after the processor reported AVX2; `lanes` itself is safe code.
    unsafe { lanes(out, x, entries, patterns) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(x: &[u32; BLOCK]) -> __m256i {
    // SAFETY: eight words of 4 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(x: &mut [u32; BLOCK], value: __m256i) {
    // SAFETY: eight words of 4 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(x.as_mut_ptr().cast(), value) }
}
