//! ChaCha20, sixteen blocks at once: lane `l` of register `w` holds word `w` of block `counter + l`.
//!
//! All sixteen words of state stay in registers, and a rotation is one instruction; the blocks are transposed once at the end
//! into the serial order.

use crate::isa::Avx512;
use core::arch::x86_64::*;

use super::chacha::{BLOCK_WORDS, CONSTANTS, DOUBLE_ROUNDS};

/// Blocks computed together.
const LANES: usize = 16;

/// Words of one group of blocks.
pub(super) const WIDE_WORDS: usize = LANES * BLOCK_WORDS;

/// Fills `out` (a multiple of [`WIDE_WORDS`] words) with the key stream from block `counter` on.
pub(super) fn key_stream(_proof: Avx512, key: &[u32; 8], stream: u64, counter: u64, out: &mut [u32]) {
    debug_assert_eq!(out.len() % WIDE_WORDS, 0);
    // SAFETY: `Avx512` is only built after the processor reported these features.
    unsafe { key_stream_lanes(key, stream, counter, out.as_chunks_mut().0.as_chunks_mut().0) }
}

#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn key_stream_lanes(key: &[u32; 8], stream: u64, counter: u64, out: &mut [[[u32; BLOCK_WORDS]; LANES]]) {
    let mut state = [0; BLOCK_WORDS];
    state[..4].copy_from_slice(&CONSTANTS);
    state[4..12].copy_from_slice(key);
    state[14] = stream as u32;
    state[15] = (stream >> 32) as u32;
    let mut start = [_mm512_setzero_si512(); BLOCK_WORDS];
    for (start, word) in start.iter_mut().zip(state) {
        *start = _mm512_set1_epi32(word as i32);
    }
    let mut counter = counter;
    for blocks in out {
        let low = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        start[12] = _mm512_add_epi32(_mm512_set1_epi32(counter as i32), low);
        // Lanes whose low word came out below their number carry into the high word.
        let carry = _mm512_cmplt_epu32_mask(start[12], low);
        let high = _mm512_set1_epi32((counter >> 32) as i32);
        start[13] = _mm512_mask_add_epi32(high, carry, high, _mm512_set1_epi32(1));
        let mut x = start;
        for _ in 0..DOUBLE_ROUNDS {
            quarter_round(&mut x, 0, 4, 8, 12);
            quarter_round(&mut x, 1, 5, 9, 13);
            quarter_round(&mut x, 2, 6, 10, 14);
            quarter_round(&mut x, 3, 7, 11, 15);
            quarter_round(&mut x, 0, 5, 10, 15);
            quarter_round(&mut x, 1, 6, 11, 12);
            quarter_round(&mut x, 2, 7, 8, 13);
            quarter_round(&mut x, 3, 4, 9, 14);
        }
        for (word, first) in x.iter_mut().zip(&start) {
            *word = _mm512_add_epi32(*word, *first);
        }
        for (block, words) in blocks.iter_mut().zip(transpose(x)) {
            // SAFETY: `block` is writable as a whole; the store needs no alignment.
            unsafe { _mm512_storeu_si512(block.as_mut_ptr().cast(), words) }
        }
        counter = counter.wrapping_add(LANES as u64);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn quarter_round(x: &mut [__m512i; BLOCK_WORDS], a: usize, b: usize, c: usize, d: usize) {
    x[a] = _mm512_add_epi32(x[a], x[b]);
    x[d] = _mm512_rol_epi32::<16>(_mm512_xor_si512(x[d], x[a]));
    x[c] = _mm512_add_epi32(x[c], x[d]);
    x[b] = _mm512_rol_epi32::<12>(_mm512_xor_si512(x[b], x[c]));
    x[a] = _mm512_add_epi32(x[a], x[b]);
    x[d] = _mm512_rol_epi32::<8>(_mm512_xor_si512(x[d], x[a]));
    x[c] = _mm512_add_epi32(x[c], x[d]);
    x[b] = _mm512_rol_epi32::<7>(_mm512_xor_si512(x[b], x[c]));
}

/// Row `i`, lane `j` becomes row `j`, lane `i`: 4 x 4 inside each quarter of a register, then the quarters.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn transpose(x: [__m512i; BLOCK_WORDS]) -> [__m512i; BLOCK_WORDS] {
    // inner[4 * i + j], quarter k, lane l: word 4 * i + l of block 4 * k + j.
    let mut inner = x;
    for i in (0..BLOCK_WORDS).step_by(4) {
        let (a, b) = (_mm512_unpacklo_epi32(x[i], x[i + 1]), _mm512_unpackhi_epi32(x[i], x[i + 1]));
        let (c, d) = (_mm512_unpacklo_epi32(x[i + 2], x[i + 3]), _mm512_unpackhi_epi32(x[i + 2], x[i + 3]));
        inner[i] = _mm512_unpacklo_epi64(a, c);
        inner[i + 1] = _mm512_unpackhi_epi64(a, c);
        inner[i + 2] = _mm512_unpacklo_epi64(b, d);
        inner[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
    let mut out = x;
    for j in 0..4 {
        let (a, b, c, d) = (inner[j], inner[4 + j], inner[8 + j], inner[12 + j]);
        // Quarters 0 and 1, then 2 and 3, of two rows each.
        let (ab01, ab23) = (_mm512_shuffle_i32x4::<0x44>(a, b), _mm512_shuffle_i32x4::<0xee>(a, b));
        let (cd01, cd23) = (_mm512_shuffle_i32x4::<0x44>(c, d), _mm512_shuffle_i32x4::<0xee>(c, d));
        out[j] = _mm512_shuffle_i32x4::<0x88>(ab01, cd01);
        out[4 + j] = _mm512_shuffle_i32x4::<0xdd>(ab01, cd01);
        out[8 + j] = _mm512_shuffle_i32x4::<0x88>(ab23, cd23);
        out[12 + j] = _mm512_shuffle_i32x4::<0xdd>(ab23, cd23);
    }
    out
}
