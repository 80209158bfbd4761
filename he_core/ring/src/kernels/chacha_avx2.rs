//! ChaCha20, eight blocks at once: lane `l` of register `w` holds word `w` of block `counter + l`.
//!
//! The rounds need no shuffle between lanes; the eight blocks are transposed once at the end into the serial order.

use crate::isa::Avx2;
use core::arch::x86_64::*;

use super::chacha::{BLOCK_WORDS, CONSTANTS, DOUBLE_ROUNDS};

/// Blocks computed together.
const LANES: usize = 8;

/// Words of one group of blocks.
pub(super) const WIDE_WORDS: usize = LANES * BLOCK_WORDS;

/// Fills `out` (a multiple of [`WIDE_WORDS`] words) with the key stream from block `counter` on.
pub(super) fn key_stream(_proof: Avx2, key: &[u32; 8], stream: u64, counter: u64, out: &mut [u32]) {
    debug_assert_eq!(out.len() % WIDE_WORDS, 0);
    // SAFETY: `Avx2` is only built after the processor reported AVX2.
    unsafe { key_stream_lanes(key, stream, counter, out) }
}

#[target_feature(enable = "avx2")]
fn key_stream_lanes(key: &[u32; 8], stream: u64, counter: u64, out: &mut [u32]) {
    let by16 = _mm256_setr_epi8(
        2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13,
    );
    let by8 = _mm256_setr_epi8(
        3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14,
    );
    // The compiler must not know them: it would take each rotation apart into two shuffles.
    let by = std::hint::black_box([by16, by8]);
    let splat = |w: u32| _mm256_set1_epi32(w as i32);
    let mut start = [_mm256_setzero_si256(); BLOCK_WORDS];
    for i in 0..4 {
        start[i] = splat(CONSTANTS[i]);
    }
    for i in 0..8 {
        start[4 + i] = splat(key[i]);
    }
    start[14] = splat(stream as u32);
    start[15] = splat((stream >> 32) as u32);
    let mut counter = counter;
    for group in out.chunks_exact_mut(WIDE_WORDS) {
        let block = |l: u64| counter.wrapping_add(l);
        let low = |l: u64| block(l) as u32 as i32;
        let high = |l: u64| (block(l) >> 32) as u32 as i32;
        start[12] = _mm256_setr_epi32(low(0), low(1), low(2), low(3), low(4), low(5), low(6), low(7));
        start[13] = _mm256_setr_epi32(high(0), high(1), high(2), high(3), high(4), high(5), high(6), high(7));
        let mut x = start;
        for _ in 0..DOUBLE_ROUNDS {
            quarter_round(&mut x, by, 0, 4, 8, 12);
            quarter_round(&mut x, by, 1, 5, 9, 13);
            quarter_round(&mut x, by, 2, 6, 10, 14);
            quarter_round(&mut x, by, 3, 7, 11, 15);
            quarter_round(&mut x, by, 0, 5, 10, 15);
            quarter_round(&mut x, by, 1, 6, 11, 12);
            quarter_round(&mut x, by, 2, 7, 8, 13);
            quarter_round(&mut x, by, 3, 4, 9, 14);
        }
        for (word, first) in x.iter_mut().zip(&start) {
            *word = _mm256_add_epi32(*word, *first);
        }
        let (lower, upper) = x.split_at(8);
        let halves = [transpose(lower), transpose(upper)];
        for (l, block) in group.chunks_exact_mut(BLOCK_WORDS).enumerate() {
            for (half, words) in halves.iter().zip(block.chunks_exact_mut(8)) {
                // SAFETY: `words` is 8 consecutive `u32`, 32 writable bytes; the store needs no alignment.
                unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), half[l]) }
            }
        }
        counter = counter.wrapping_add(LANES as u64);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn quarter_round(x: &mut [__m256i; BLOCK_WORDS], [by16, by8]: [__m256i; 2], a: usize, b: usize, c: usize, d: usize) {
    x[a] = _mm256_add_epi32(x[a], x[b]);
    x[d] = _mm256_shuffle_epi8(_mm256_xor_si256(x[d], x[a]), by16);
    x[c] = _mm256_add_epi32(x[c], x[d]);
    let t = _mm256_xor_si256(x[b], x[c]);
    x[b] = _mm256_or_si256(_mm256_slli_epi32::<12>(t), _mm256_srli_epi32::<20>(t));
    x[a] = _mm256_add_epi32(x[a], x[b]);
    x[d] = _mm256_shuffle_epi8(_mm256_xor_si256(x[d], x[a]), by8);
    x[c] = _mm256_add_epi32(x[c], x[d]);
    let t = _mm256_xor_si256(x[b], x[c]);
    x[b] = _mm256_or_si256(_mm256_slli_epi32::<7>(t), _mm256_srli_epi32::<25>(t));
}

/// Row `i`, lane `j` becomes row `j`, lane `i`; `rows` holds eight registers.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose(rows: &[__m256i]) -> [__m256i; 8] {
    let r = rows;
    let a0 = _mm256_unpacklo_epi32(r[0], r[1]);
    let a1 = _mm256_unpackhi_epi32(r[0], r[1]);
    let a2 = _mm256_unpacklo_epi32(r[2], r[3]);
    let a3 = _mm256_unpackhi_epi32(r[2], r[3]);
    let a4 = _mm256_unpacklo_epi32(r[4], r[5]);
    let a5 = _mm256_unpackhi_epi32(r[4], r[5]);
    let a6 = _mm256_unpacklo_epi32(r[6], r[7]);
    let a7 = _mm256_unpackhi_epi32(r[6], r[7]);
    let b0 = _mm256_unpacklo_epi64(a0, a2);
    let b1 = _mm256_unpackhi_epi64(a0, a2);
    let b2 = _mm256_unpacklo_epi64(a1, a3);
    let b3 = _mm256_unpackhi_epi64(a1, a3);
    let b4 = _mm256_unpacklo_epi64(a4, a6);
    let b5 = _mm256_unpackhi_epi64(a4, a6);
    let b6 = _mm256_unpacklo_epi64(a5, a7);
    let b7 = _mm256_unpackhi_epi64(a5, a7);
    [
        _mm256_permute2x128_si256::<0x20>(b0, b4),
        _mm256_permute2x128_si256::<0x20>(b1, b5),
        _mm256_permute2x128_si256::<0x20>(b2, b6),
        _mm256_permute2x128_si256::<0x20>(b3, b7),
        _mm256_permute2x128_si256::<0x31>(b0, b4),
        _mm256_permute2x128_si256::<0x31>(b1, b5),
        _mm256_permute2x128_si256::<0x31>(b2, b6),
        _mm256_permute2x128_si256::<0x31>(b3, b7),
    ]
}
