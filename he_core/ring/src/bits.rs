//! Rows of residues in as many bits as their prime has.
//!
//! Formula: word `i` of `b` bits stands at bits `i*b .. (i+1)*b` of the row, bit `k` being bit `k mod 8` (from the least
//! significant) of byte `k / 8`; the row ends at the next whole byte, the bits left over are zero.
//! Cost: eight words are `b` whole bytes, so they are cut out, or put together, with the same shifts in every such group, none
//! waiting for another; what is left at the end goes through a shift register of 64 bits.

use crate::kernels::{PACKED_GROUP as GROUP, unpack_groups};
use crate::{Isa, Word};

/// Why a packed row is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRow {
    /// Word number, its value.
    Residue(usize, u64),
    /// The bits that should be zero.
    Padding(u64),
}

/// Bits to a residue of `q`: ceil(log2 q) for an odd q.
pub const fn bits_of(q: u64) -> u32 {
    u64::BITS - q.leading_zeros()
}

/// Bytes of `words` packed residues of `q`.
pub const fn packed_len(words: u64, q: u64) -> u64 {
    (words * bits_of(q) as u64).div_ceil(8)
}

/// Packs `words`, each below `2^bits`, into all of `out`; `bits` are those of a modulus that `W` holds.
///
/// # Panics
/// When `out` has another length than the packed words.
pub fn pack<W: Word>(words: &[W], bits: u32, out: &mut [u8]) {
    assert_eq!(out.len(), (words.len() * bits as usize).div_ceil(8));
    let groups = pack_groups(words, bits, out);
    let (words, out) = (&words[GROUP * groups..], &mut out[bits as usize * groups..]);
    let (whole, tail) = out.as_chunks_mut::<8>();
    let mut whole = whole.iter_mut();
    let (mut register, mut fill) = (0u64, 0u32);
    for word in words {
        let word = word.to_u64();
        debug_assert!(word >> bits == 0);
        register |= word << fill;
        fill += bits;
        if fill >= u64::BITS {
            if let Some(out) = whole.next() {
                *out = register.to_le_bytes();
            }
            fill -= u64::BITS;
            register = word >> (bits - fill);
        }
    }
    match whole.next() {
        Some(out) => *out = register.to_le_bytes(),
        None => tail.iter_mut().zip(register.to_le_bytes()).for_each(|(out, byte)| *out = byte),
    }
}

/// Packs as many groups of eight words as it can, and says how many: only words of up to 30 bits, two in 64 bits.
fn pack_groups<W: Word>(words: &[W], bits: u32, out: &mut [u8]) -> usize {
    if bits > 30 {
        return 0;
    }
    let (len, pair_bits) = (bits as usize, 2 * bits);
    // Where each pair begins: a byte, and the bits in it that end the pair before. They come to at most 64 with the pair's own.
    let starts: [(usize, u32); 4] = std::array::from_fn(|pair| (pair * 2 * len / 8, pair as u32 * pair_bits % 8));
    let reach = starts[3].0 + 8;
    let groups = (words.len() / GROUP).min((out.len() + len).saturating_sub(reach) / len);
    let pairs = words.as_chunks::<2>().0.as_chunks::<4>().0;
    for (i, group) in pairs[..groups].iter().enumerate() {
        let out = &mut out[i * len..][..reach];
        let mut before = 0;
        for ([first, second], (byte, shift)) in group.iter().zip(starts) {
            debug_assert!(first.to_u64() >> bits == 0 && second.to_u64() >> bits == 0);
            let pair = first.to_u64() | second.to_u64() << bits;
            out[byte..byte + 8].copy_from_slice(&(pair << shift | before >> (pair_bits - shift)).to_le_bytes());
            before = pair;
        }
    }
    groups
}

/// Unpacks all of `packed` into `words`, each checked to be below `q`, a modulus that `W` holds.
///
/// # Errors
/// A word that is no residue, or bits behind the last that are not zero; the words are unspecified then.
///
/// # Panics
/// When `packed` has another length than the packed words.
pub fn unpack<W: Word>(isa: Isa, packed: &[u8], q: u64, words: &mut [W]) -> Result<(), BadRow> {
    let bits = bits_of(q);
    assert_eq!(packed.len() as u64, packed_len(words.len() as u64, q));
    let mask = (1u64 << bits) - 1;
    let (groups, largest) = unpack_groups(isa, packed, bits, words);
    let (whole, tail) = packed[bits as usize * groups..].as_chunks::<8>();
    let mut last = [0u8; 8];
    last.iter_mut().zip(tail).for_each(|(last, byte)| *last = *byte);
    let mut source = whole.iter().chain(std::iter::once(&last)).map(|chunk| u64::from_le_bytes(*chunk));
    let (mut register, mut fill) = (0u64, 0u32);
    for slot in &mut words[GROUP * groups..] {
        let word = if fill >= bits {
            let word = register & mask;
            register >>= bits;
            fill -= bits;
            word
        } else {
            let next = source.next().unwrap_or_default();
            let word = (register | next << fill) & mask;
            let used = bits - fill;
            register = next >> used;
            fill = u64::BITS - used;
            word
        };
        *slot = W::from_u64(word);
    }
    let largest = words[GROUP * groups..].iter().copied().fold(largest, Ord::max).to_u64();
    if largest >= q {
        let word = words.iter().position(|word| word.to_u64() >= q).unwrap_or_default();
        return Err(BadRow::Residue(word, words.get(word).map_or(largest, |word| word.to_u64())));
    }
    if register != 0 { Err(BadRow::Padding(register)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;

    /// The packed row as one big integer: the definition of the format.
    fn oracle(words: &[u64], bits: u32) -> Vec<u8> {
        let sum: BigUint = words.iter().enumerate().map(|(i, word)| BigUint::from(*word) << (i * bits as usize)).sum();
        let mut bytes = sum.to_bytes_le();
        bytes.resize((words.len() * bits as usize).div_ceil(8), 0);
        bytes
    }

    fn check<W: Word>(q: u64, words: &[u64]) {
        let narrow: Vec<W> = words.iter().map(|word| W::from_u64(*word)).collect();
        let mut packed = vec![0xa5; packed_len(words.len() as u64, q) as usize];
        pack(&narrow, bits_of(q), &mut packed);
        assert_eq!(packed, oracle(words, bits_of(q)));
        for isa in Isa::available() {
            let mut back = vec![W::from_u64(1); words.len()];
            assert_eq!(unpack(isa, &packed, q, &mut back), Ok(()), "{}", isa.name());
            assert_eq!(back, narrow, "{}", isa.name());
        }
    }

    proptest! {
        #[test]
        fn rows_are_little_endian_integers(q in (1u32..61).prop_flat_map(|b| (1u64 << b)..(2u64 << b)),
                                           seeds in prop::collection::vec(any::<u64>(), 1..150)) {
            let q = q | 1;
            let mut words: Vec<u64> = seeds.iter().map(|seed| seed % q).collect();
            words[0] = q - 1;
            check::<u64>(q, &words);
            if q >> 30 == 0 {
                check::<u32>(q, &words);
            }
        }
    }

    #[test]
    fn every_width_at_every_length() {
        for bits in 2..=61u32 {
            let q = (1u64 << bits) - 1;
            for len in 1..=66usize {
                let words: Vec<u64> = (0..len as u64).map(|i| q - 1 - i * 0x1_2345 % q).collect();
                check::<u64>(q, &words);
                if bits <= 30 {
                    check::<u32>(q, &words);
                }
            }
        }
    }

    #[test]
    fn a_residue_as_large_as_its_prime_is_refused_wherever_it_stands() {
        let q = 97;
        for at in 0..60 {
            for (value, fine) in [(96, true), (97, false), (127, false)] {
                let mut words = [5u64; 60];
                words[at] = value;
                let expected = if fine { Ok(()) } else { Err(BadRow::Residue(at, value)) };
                for isa in Isa::available() {
                    assert_eq!(unpack(isa, &oracle(&words, 7), q, &mut [0u32; 60]), expected, "{}", isa.name());
                    assert_eq!(unpack(isa, &oracle(&words, 7), q, &mut [0u64; 60]), expected, "{}", isa.name());
                }
            }
        }
    }

    #[test]
    fn padding_is_zero() {
        let mut packed = oracle(&[1, 2, 3], 7);
        let mut back = [0u32; 3];
        for bit in 5..8 {
            packed[2] ^= 1 << bit;
            assert_eq!(unpack(Isa::Scalar, &packed, 97, &mut back), Err(BadRow::Padding(1 << (bit - 5))));
            packed[2] ^= 1 << bit;
        }
        assert_eq!(unpack(Isa::Scalar, &packed, 97, &mut back), Ok(()));
    }
}
