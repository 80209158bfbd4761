//! Packed words of up to 30 bits on AVX2: of sixteen bytes `vpshufb` brings those of four words into four lanes of 64 bits, and each lane
//! shifts its word down; two such steps are a group.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_castps_si256,
    _mm256_castsi256_ps, _mm256_loadu_si256, _mm256_max_epu32, _mm256_permute4x64_epi64, _mm256_set1_epi64x,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_shuffle_ps, _mm256_srlv_epi64, _mm256_storeu_si256,
};

use super::bits::GROUP;
use crate::isa::Avx2;

/// Bytes that hold four words wherever they begin: 4 and 4 * 30 bits.
const STEP: usize = 16;

/// Where four words stand in sixteen bytes.
struct Cut {
    /// For each byte of four lanes the byte that it is, or 0x80 for none.
    bytes: __m256i,
    shifts: __m256i,
}

impl Cut {
    /// Words that follow each other from bit `first` on.
    #[target_feature(enable = "avx2")]
    fn new(first: usize, bits: usize) -> Self {
        let bytes: [u8; 4 * 8] = std::array::from_fn(|i| {
            let byte = (first + i / 8 * bits) / 8 + i % 8;
            if byte < STEP { byte as u8 } else { 0x80 }
        });
        let shifts: [u64; 4] = std::array::from_fn(|lane| ((first + lane * bits) % 8) as u64);
        // SAFETY: both are 32 bytes; the loads need no alignment.
        unsafe {
            Self {
                bytes: _mm256_loadu_si256(bytes.as_ptr().cast()),
                shifts: _mm256_loadu_si256(shifts.as_ptr().cast()),
            }
        }
    }

    /// The words, each at the bottom of its lane, with what follows it above.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn words(&self, packed: __m128i) -> __m256i {
        let packed = _mm256_broadcastsi128_si256(packed);
        _mm256_srlv_epi64(_mm256_shuffle_epi8(packed, self.bytes), self.shifts)
    }
}

/// As the portable form, for words of at most 30 bits.
pub(super) fn unpack_u32(_proof: Avx2, packed: &[u8], bits: u32, words: &mut [u32]) -> (usize, u32) {
    #[target_feature(enable = "avx2")]
    fn lanes(packed: &[u8], bits: u32, words: &mut [u32]) -> (usize, u32) {
        let len = bits as usize;
        // The fifth word of a group begins within this byte.
        let half = 4 * len / 8;
        let (first, second) = (Cut::new(0, len), Cut::new(4 * len % 8, len));
        let mask = _mm256_set1_epi64x((1 << bits) - 1);
        let reach = half + STEP;
        let groups = (words.len() / GROUP).min((packed.len() + len).saturating_sub(reach) / len);
        let mut largest = _mm256_setzero_si256();
        for (i, group) in words.as_chunks_mut::<GROUP>().0[..groups].iter_mut().enumerate() {
            let packed = &packed[i * len..][..reach];
            let first = _mm256_and_si256(first.words(load(packed, 0)), mask);
            let second = _mm256_and_si256(second.words(load(packed, half)), mask);
            // Of each half of a vector the lower words of its lanes: 0 1 4 5 | 2 3 6 7.
            let both = _mm256_shuffle_ps::<0b10_00_10_00>(_mm256_castsi256_ps(first), _mm256_castsi256_ps(second));
            let word = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_castps_si256(both));
            largest = _mm256_max_epu32(largest, word);
            store(group, word);
        }
        let mut each = [0; GROUP];
        store(&mut each, largest);
        (groups, each.into_iter().fold(0, Ord::max))
    }
    debug_assert!((1..=30).contains(&bits));
    // SAFETY: `Avx2` is only built after the processor reported AVX2; `lanes` itself is safe code.
    unsafe { lanes(packed, bits, words) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(packed: &[u8], at: usize) -> __m128i {
    let packed = &packed[at..][..STEP];
    // SAFETY: sixteen bytes; the load needs no alignment.
    unsafe { _mm_loadu_si128(packed.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(words: &mut [u32; GROUP], value: __m256i) {
    // SAFETY: eight words of 4 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), value) }
}
