//! BLAKE2b with a free parameter block, and BLAKE2Xb on top: what SEAL names its parameters with and expands seeds with.
//!
//! Formula: \[RFC7693\], section 3, with the initial state `IV ^ P` for a 64-byte parameter block `P` with the fields of tree hashing (\[ANWW13\]).
//! BLAKE2Xb (\[BLAKE2X\]): `H0 = BLAKE2b(key, message)` with the output length in `P`; block `i` of the output is `BLAKE2b(H0)` with node offset `i`.
//! Source: as above; the crate `blake2`, which leaves no choice of the parameter block, is the oracle of the tests.

/// \[RFC7693\], section 2.6.
const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// \[RFC7693\], section 2.7; rounds 10 and 11 use the first two rows again.
const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

const BLOCK: usize = 16;

/// What BLAKE2b is told besides the message; salt and personalization are zero.
#[derive(Clone, Copy)]
struct Parameters {
    digest_length: u8,
    key_length: u8,
    fanout: u8,
    depth: u8,
    leaf_length: u32,
    node_offset: u32,
    xof_length: u32,
    inner_length: u8,
}

impl Parameters {
    /// A hash of its own, neither keyed nor part of a tree.
    const fn sequential(digest_length: u8) -> Parameters {
        Parameters {
            digest_length,
            key_length: 0,
            fanout: 1,
            depth: 1,
            leaf_length: 0,
            node_offset: 0,
            xof_length: 0,
            inner_length: 0,
        }
    }

    /// The state before the first block.
    fn state(self) -> [u64; 8] {
        let mut state = IV;
        let lengths = u32::from_le_bytes([self.digest_length, self.key_length, self.fanout, self.depth]);
        state[0] ^= u64::from(lengths) | u64::from(self.leaf_length) << 32;
        state[1] ^= u64::from(self.node_offset) | u64::from(self.xof_length) << 32;
        state[2] ^= u64::from(self.inner_length) << 8;
        state
    }
}

/// Mixes one block into the state; `bytes` of message have been hashed with it.
#[inline]
fn compress(state: &mut [u64; 8], block: &[u64; BLOCK], bytes: u64, last: bool) {
    let mut v = [0u64; 16];
    let (low, high) = v.split_at_mut(8);
    low.copy_from_slice(state);
    high.copy_from_slice(&IV);
    v[12] ^= bytes;
    v[14] ^= if last { u64::MAX } else { 0 };
    macro_rules! mix {
        ($a:literal $b:literal $c:literal $d:literal, $x:expr, $y:expr) => {
            v[$a] = v[$a].wrapping_add(v[$b]).wrapping_add($x);
            v[$d] = (v[$d] ^ v[$a]).rotate_right(32);
            v[$c] = v[$c].wrapping_add(v[$d]);
            v[$b] = (v[$b] ^ v[$c]).rotate_right(24);
            v[$a] = v[$a].wrapping_add(v[$b]).wrapping_add($y);
            v[$d] = (v[$d] ^ v[$a]).rotate_right(16);
            v[$c] = v[$c].wrapping_add(v[$d]);
            v[$b] = (v[$b] ^ v[$c]).rotate_right(63);
        };
    }
    macro_rules! round {
        ($s:expr) => {
            mix!(0 4 8 12, block[$s[0]], block[$s[1]]);
            mix!(1 5 9 13, block[$s[2]], block[$s[3]]);
            mix!(2 6 10 14, block[$s[4]], block[$s[5]]);
            mix!(3 7 11 15, block[$s[6]], block[$s[7]]);
            mix!(0 5 10 15, block[$s[8]], block[$s[9]]);
            mix!(1 6 11 12, block[$s[10]], block[$s[11]]);
            mix!(2 7 8 13, block[$s[12]], block[$s[13]]);
            mix!(3 4 9 14, block[$s[14]], block[$s[15]]);
        };
    }
    round!(SIGMA[0]);
    round!(SIGMA[1]);
    round!(SIGMA[2]);
    round!(SIGMA[3]);
    round!(SIGMA[4]);
    round!(SIGMA[5]);
    round!(SIGMA[6]);
    round!(SIGMA[7]);
    round!(SIGMA[8]);
    round!(SIGMA[9]);
    round!(SIGMA[0]);
    round!(SIGMA[1]);
    for (i, word) in state.iter_mut().enumerate() {
        *word ^= v[i] ^ v[i + 8];
    }
}

/// Up to sixteen words as a block filled up with zeros.
fn padded(words: &[u64]) -> [u64; BLOCK] {
    let mut block = [0; BLOCK];
    block.iter_mut().zip(words).for_each(|(out, word)| *out = *word);
    block
}

/// The unkeyed 32-byte BLAKE2b of words, as four words; all words little-endian.
pub(crate) fn blake2b_256(words: &[u64]) -> [u64; 4] {
    let mut state = Parameters::sequential(32).state();
    let blocks = words.len().div_ceil(BLOCK).max(1);
    for i in 0..blocks {
        let rest = words.get(i * BLOCK..).unwrap_or_default();
        let hashed = words.len().min((i + 1) * BLOCK);
        compress(&mut state, &padded(rest), 8 * hashed as u64, i + 1 == blocks);
    }
    let [a, b, c, d, ..] = state;
    [a, b, c, d]
}

/// Words of one output block.
const OUT: usize = 8;

/// BLAKE2Xb of one message word under a key of 64 bytes, the words of the output little-endian. The output has at most `2^32 - 2`
/// bytes; its length goes into every one of its words.
pub(crate) fn blake2xb(key: &[u64; 8], message: u64, out: &mut [u64]) {
    let xof_length = 8 * out.len() as u32;
    let root = Parameters { key_length: 64, xof_length, ..Parameters::sequential(64) };
    let mut h0 = root.state();
    compress(&mut h0, &padded(key), 128, false);
    compress(&mut h0, &padded(&[message]), 136, true);
    let h0 = padded(&h0);
    for (i, block) in out.chunks_mut(OUT).enumerate() {
        let node = Parameters {
            digest_length: 8 * block.len() as u8,
            key_length: 0,
            fanout: 0,
            depth: 0,
            leaf_length: 64,
            node_offset: i as u32,
            xof_length,
            inner_length: 64,
        };
        let mut state = node.state();
        compress(&mut state, &h0, 64, true);
        block.copy_from_slice(&state[..block.len()]);
    }
}

#[cfg(test)]
mod tests {
    use blake2::digest::consts::U32;
    use blake2::digest::{KeyInit, Mac};
    use blake2::{Blake2b, Blake2bMac512, Digest};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digests_are_those_of_the_crate(words in prop::collection::vec(any::<u64>(), 0..70)) {
            let digest = Blake2b::<U32>::digest(bytemuck::cast_slice::<u64, u8>(&words));
            let ours = blake2b_256(&words);
            prop_assert_eq!(bytemuck::cast_slice::<u64, u8>(&ours), digest.as_slice());
        }

        /// The root of BLAKE2Xb is a keyed BLAKE2b but for the length in its parameter block.
        #[test]
        fn keyed_hashes_are_those_of_the_crate(key: [u64; 8], message: u64) {
            let mut state = Parameters { key_length: 64, ..Parameters::sequential(64) }.state();
            compress(&mut state, &padded(&key), 128, false);
            compress(&mut state, &padded(&[message]), 136, true);
            let mut mac = Blake2bMac512::new_from_slice(bytemuck::cast_slice(&key)).expect("a key of 64 bytes");
            mac.update(&message.to_le_bytes());
            let expected = mac.finalize().into_bytes();
            prop_assert_eq!(bytemuck::cast_slice::<u64, u8>(&state), expected.as_slice());
        }
    }
}
