//! Permutations that move blocks of eight words whole and permute inside them, portable form and choice of the
//! instruction set.
//!
//! Layout: entry i is `8 * block + pattern`: words `8i..8i+8` of the result are those of source block `block` in the order
//! `patterns[pattern]`. Patterns keep the halves of a block together, so that four words are a vector as well: one load,
//! one permutation and one store per vector.

use crate::Word;
use crate::isa::Isa;

/// Words of a block.
pub(crate) const BLOCK: usize = 8;

/// Source positions inside a block, for each pattern.
pub(crate) type Patterns = [[u32; BLOCK]; BLOCK];

/// `out` from `x` of the same length, a multiple of [`BLOCK`], with an entry per block.
pub(crate) fn permute_blocks<W: Word>(isa: Isa, out: &mut [W], x: &[W], entries: &[u32], patterns: &Patterns) {
    debug_assert!(out.len() == x.len() && out.len() == BLOCK * entries.len());
    let (out, x) = (out.as_chunks_mut().0, x.as_chunks().0);
    #[cfg(target_arch = "x86_64")]
    let avx2 = match isa {
        Isa::Scalar => return permute(out, x, entries, patterns),
        Isa::Avx2(proof) => proof,
        Isa::Avx512(proof) => proof.avx2(),
        Isa::Avx512Ifma(proof) => proof.avx512().avx2(),
    };
    #[cfg(not(target_arch = "x86_64"))]
    return permute(out, x, entries, patterns);
    #[cfg(target_arch = "x86_64")]
    if W::BITS == u32::BITS {
        // Eight words are one vector of AVX2: wider ones have nothing to add.
        let (out, x) = (bytemuck::cast_slice_mut(out), bytemuck::cast_slice(x));
        super::permute_avx2::permute_u32(avx2, out, x, entries, patterns);
    } else {
        let (out, x) = (bytemuck::cast_slice_mut(out), bytemuck::cast_slice(x));
        match isa {
            Isa::Avx512(proof) => super::permute_avx512::permute_u64(proof, out, x, entries, patterns),
            Isa::Avx512Ifma(proof) => super::permute_avx512::permute_u64(proof.avx512(), out, x, entries, patterns),
            _ => super::permute_avx2::permute_u64(avx2, out, x, entries, patterns),
        }
    }
}

fn permute<W: Word>(out: &mut [[W; BLOCK]], x: &[[W; BLOCK]], entries: &[u32], patterns: &Patterns) {
    for (out, entry) in out.iter_mut().zip(entries) {
        let (block, pattern) = split(*entry);
        let (x, pattern) = (&x[block], &patterns[pattern]);
        *out = pattern.map(|at| x[at as usize % BLOCK]);
    }
}

/// Block and pattern of an entry.
#[inline(always)]
pub(super) fn split(entry: u32) -> (usize, usize) {
    (entry as usize / BLOCK, entry as usize % BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<W: Word>() {
        for blocks in [0, 1, 2, 3, 16] {
            let x: Vec<W> = (0..8 * blocks as u64).map(|i| W::from_u64(i * 77 + 5)).collect();
            let entries: Vec<u32> = (0..blocks as u32).map(|i| 8 * ((i * 5 + 3) % blocks as u32) + i * 3 % 8).collect();
            let at = |p: usize, b: usize| (b / 4 + p) % 2 * 4 + (b * 3 + p / 2) % 4;
            let patterns: Patterns = std::array::from_fn(|p| std::array::from_fn(|b| at(p, b) as u32));
            for isa in Isa::available() {
                let mut out = vec![W::default(); x.len()];
                permute_blocks(isa, &mut out, &x, &entries, &patterns);
                for (i, word) in out.iter().enumerate() {
                    let (block, pattern) = split(entries[i / 8]);
                    assert_eq!(*word, x[8 * block + patterns[pattern][i % 8] as usize], "{} word {i}", isa.name());
                }
            }
        }
    }

    #[test]
    fn words_come_from_where_the_entries_say() {
        check::<u32>();
        check::<u64>();
    }
}
