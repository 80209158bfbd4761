//! Groups of eight packed words, portable form and choice of the instruction set.
//!
//! Layout: that of `bits.rs`; eight words of `bits` bits are `bits` whole bytes.

use crate::Word;
use crate::isa::Isa;

/// Words of a group.
pub(crate) const GROUP: usize = 8;

/// Unpacks as many groups as it can, and says how many, and the largest of their words: only words that fit eight bytes wherever they begin.
pub(crate) fn unpack_groups<W: Word>(isa: Isa, packed: &[u8], bits: u32, words: &mut [W]) -> (usize, W) {
    #[cfg(target_arch = "x86_64")]
    let avx2 = match isa {
        Isa::Scalar => return unpack(packed, bits, words),
        Isa::Avx2(proof) => proof,
        Isa::Avx512(proof) => proof.avx2(),
        Isa::Avx512Ifma(proof) => proof.avx512().avx2(),
    };
    #[cfg(target_arch = "x86_64")]
    if W::BITS == u32::BITS {
        let (groups, largest) = super::bits_avx2::unpack_u32(avx2, packed, bits, bytemuck::cast_slice_mut(words));
        return (groups, W::from_u64(u64::from(largest)));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = isa;
    unpack(packed, bits, words)
}

fn unpack<W: Word>(packed: &[u8], bits: u32, words: &mut [W]) -> (usize, W) {
    let mut largest = W::default();
    if bits > 57 {
        return (0, largest);
    }
    let (mask, len) = ((1u64 << bits) - 1, bits as usize);
    let groups = (words.len() / GROUP).min(packed.len().saturating_sub(8) / len);
    for (i, group) in words.as_chunks_mut::<GROUP>().0[..groups].iter_mut().enumerate() {
        let packed = &packed[i * len..][..len + 8];
        for (j, slot) in group.iter_mut().enumerate() {
            let bit = j * len;
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&packed[bit / 8..bit / 8 + 8]);
            *slot = W::from_u64(u64::from_le_bytes(bytes) >> (bit % 8) & mask);
            largest = largest.max(*slot);
        }
    }
    (groups, largest)
}
