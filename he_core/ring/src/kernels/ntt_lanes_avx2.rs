//! How the layers inside vectors of four words arrange a pair of vectors `a`, `b` of neighbouring words.
//!
//! At distance 2 lanes hold `[a0 b0 a1 b1]` and `[a2 b2 a3 b3]`, at distance 1 `[a0 b0 a2 b2]` and `[a1 b1 a3 b3]`:
//! twiddles then lie in memory as a lane order repeats them.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_broadcastsi128_si256, _mm256_loadu_si256, _mm256_permute2x128_si256,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi64,
};

type Pair = (__m256i, __m256i);

/// Natural order to distance 1 and back.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn neighbours((a, b): Pair) -> Pair {
    (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b))
}

/// Distance 1 to distance 2 and back.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn halves((a, b): Pair) -> Pair {
    (_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b))
}

/// The twiddles of distance 2, twice.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn twiddles_2(heap: &[u64; 8]) -> __m256i {
    // SAFETY: words 2 and 3 of eight; the load needs no alignment.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(heap[2..4].as_ptr().cast()) })
}

/// The twiddles of distance 1.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn twiddles_1(heap: &[u64; 8]) -> __m256i {
    // SAFETY: words 4 to 7 of eight; the load needs no alignment.
    unsafe { _mm256_loadu_si256(heap[4..8].as_ptr().cast()) }
}
