//! The ChaCha20 key stream, portable form and choice of the instruction set.
//!
//! Formula: block `i` of stream `s` is the ChaCha20 block function of RFC 8439, section 2.3, on the state
//! `constants | key (8 words) | i (2 words) | s (2 words)`, low word first. The counter has 64 bits and the stream
//! identifier 64 bits (the layout of the original cipher); RFC 8439 splits the same four words 32 / 96.
//! Layout: `out` receives whole blocks of 16 words, block after block; a word is the little-endian word of the RFC.
//! Source: RFC 8439, sections 2.1 to 2.4.

use crate::isa::Isa;

/// Words of one ChaCha20 block.
pub(crate) const BLOCK_WORDS: usize = 16;

/// "expand 32-byte k", as four little-endian words.
pub(super) const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// Double rounds of ChaCha20.
pub(super) const DOUBLE_ROUNDS: usize = 10;

/// Fills `out` (a multiple of [`BLOCK_WORDS`] words) with the key stream from block `counter` on.
pub(crate) fn key_stream(isa: Isa, key: &[u32; 8], stream: u64, counter: u64, out: &mut [u32]) {
    debug_assert_eq!(out.len() % BLOCK_WORDS, 0);
    match isa {
        Isa::Scalar => key_stream_scalar(key, stream, counter, out),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(proof) => key_stream_avx2(proof, key, stream, counter, out),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(proof) => key_stream_avx512(proof, key, stream, counter, out),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Ifma(proof) => key_stream_avx512(proof.avx512(), key, stream, counter, out),
    }
}

/// Whole vectors of blocks on AVX2, the rest portable.
#[cfg(target_arch = "x86_64")]
fn key_stream_avx2(proof: crate::isa::Avx2, key: &[u32; 8], stream: u64, counter: u64, out: &mut [u32]) {
    let wide = out.len() - out.len() % super::chacha_avx2::WIDE_WORDS;
    let (head, tail) = out.split_at_mut(wide);
    super::chacha_avx2::key_stream(proof, key, stream, counter, head);
    let done = (wide / BLOCK_WORDS) as u64;
    key_stream_scalar(key, stream, counter.wrapping_add(done), tail);
}

/// Whole vectors of blocks on AVX-512, the rest on AVX2.
#[cfg(target_arch = "x86_64")]
fn key_stream_avx512(proof: crate::isa::Avx512, key: &[u32; 8], stream: u64, counter: u64, out: &mut [u32]) {
    let wide = out.len() - out.len() % super::chacha_avx512::WIDE_WORDS;
    let (head, tail) = out.split_at_mut(wide);
    super::chacha_avx512::key_stream(proof, key, stream, counter, head);
    let done = (wide / BLOCK_WORDS) as u64;
    key_stream_avx2(proof.avx2(), key, stream, counter.wrapping_add(done), tail);
}

fn key_stream_scalar(key: &[u32; 8], stream: u64, counter: u64, out: &mut [u32]) {
    let mut state = [0u32; BLOCK_WORDS];
    state[..4].copy_from_slice(&CONSTANTS);
    state[4..12].copy_from_slice(key);
    state[14] = stream as u32;
    state[15] = (stream >> 32) as u32;
    let mut counter = counter;
    for block in out.chunks_exact_mut(BLOCK_WORDS) {
        state[12] = counter as u32;
        state[13] = (counter >> 32) as u32;
        block.copy_from_slice(&permute(&state));
        counter = counter.wrapping_add(1);
    }
}

fn permute(state: &[u32; BLOCK_WORDS]) -> [u32; BLOCK_WORDS] {
    let mut x = *state;
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
    for (word, start) in x.iter_mut().zip(state) {
        *word = word.wrapping_add(*start);
    }
    x
}

#[inline(always)]
fn quarter_round(x: &mut [u32; BLOCK_WORDS], a: usize, b: usize, c: usize, d: usize) {
    x[a] = x[a].wrapping_add(x[b]);
    x[d] = (x[d] ^ x[a]).rotate_left(16);
    x[c] = x[c].wrapping_add(x[d]);
    x[b] = (x[b] ^ x[c]).rotate_left(12);
    x[a] = x[a].wrapping_add(x[b]);
    x[d] = (x[d] ^ x[a]).rotate_left(8);
    x[c] = x[c].wrapping_add(x[d]);
    x[b] = (x[b] ^ x[c]).rotate_left(7);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    fn words8(bytes: &[u8; 32]) -> [u32; 8] {
        std::array::from_fn(|i| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().unwrap()))
    }

    /// RFC 8439, section 2.3.2: key 00..1f, counter 1, nonce 00:00:00:09:00:00:00:4a:00:00:00:00.
    #[test]
    fn rfc_8439_block() {
        let key = words8(&std::array::from_fn(|i| i as u8));
        let expected: [u32; 16] = [
            0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3, 0x466482d2,
            0x09aa9f07, 0x05d7c214, 0xa2028bd9, 0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2,
        ];
        for isa in Isa::available() {
            let mut out = [0u32; 16];
            key_stream(isa, &key, 0x4a00_0000, (0x0900_0000u64 << 32) | 1, &mut out);
            assert_eq!(out, expected, "{}", isa.name());
        }
    }

    /// RFC 8439, appendix A.1, vectors 1 and 2: key zero, nonce zero, counters 0 and 1.
    #[test]
    fn rfc_8439_appendix_a1() {
        let first = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586";
        let second = "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f";
        for isa in Isa::available() {
            let mut out = [0u32; 32];
            key_stream(isa, &[0; 8], 0, 0, &mut out);
            let hex: String = bytes(&out).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(hex, format!("{first}{second}"), "{}", isa.name());
        }
    }

    /// Another implementation of the cipher with a 64-bit counter, on every length around the vector width and across
    /// the carry into the upper counter word.
    #[test]
    fn agrees_with_the_chacha20_crate_on_every_instruction_set() {
        use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
        let key_bytes: [u8; 32] = std::array::from_fn(|i| (i * 37 + 11) as u8);
        for stream in [0u64, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            for counter in [0u64, 1, 0xffff_fffd, 0x1_2345_6789] {
                for blocks in [0usize, 1, 2, 7, 8, 9, 15, 16, 17, 24] {
                    let mut expected = vec![0u8; blocks * 64];
                    let mut oracle = chacha20::ChaCha20Legacy::new(&key_bytes.into(), &stream.to_le_bytes().into());
                    oracle.seek(u128::from(counter) * 64);
                    oracle.apply_keystream(&mut expected);
                    for isa in Isa::available() {
                        let mut out = vec![0u32; blocks * BLOCK_WORDS];
                        key_stream(isa, &words8(&key_bytes), stream, counter, &mut out);
                        assert_eq!(bytes(&out), expected, "{} {stream} {counter} {blocks}", isa.name());
                    }
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_scalar_stream() {
        let key = [1, 2, 3, 4, 5, 6, 7, 0xdead_beef];
        for isa in Isa::available() {
            for (stream, counter) in [(3u64, 0xffff_fffbu64), (u64::MAX, u64::MAX - 4), (0, 0)] {
                for blocks in 0..40 {
                    let mut expected = vec![0u32; blocks * BLOCK_WORDS];
                    key_stream(Isa::Scalar, &key, stream, counter, &mut expected);
                    let mut out = vec![0u32; blocks * BLOCK_WORDS];
                    key_stream(isa, &key, stream, counter, &mut out);
                    assert_eq!(out, expected, "{} {stream} {counter} {blocks}", isa.name());
                }
            }
        }
    }
}
