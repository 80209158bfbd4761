//! How the layers inside vectors of four words arrange a pair of vectors `a`, `b` of neighbouring words.
//!
//! At distance 2 lanes hold `[a0 b0 a1 b1]` and `[a2 b2 a3 b3]`, at distance 1 `[a0 b0 a2 b2]` and `[a1 b1 a3 b3]`:
//! twiddles then lie in memory as a lane order repeats them.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_broadcastsi128_si256, _mm256_loadu_si256, _mm256_permute2x128_si256,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi64,
};

/// Two pairs.
type Pairs = [__m256i; 4];

/// Natural order to distance 1 and back.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn neighbours([a, b, c, d]: Pairs) -> Pairs {
    [_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b), _mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d)]
}

/// Distance 1 to distance 2 and back.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn halves([a, b, c, d]: Pairs) -> Pairs {
    [
        _mm256_permute2x128_si256::<0x20>(a, b),
        _mm256_permute2x128_si256::<0x31>(a, b),
        _mm256_permute2x128_si256::<0x20>(c, d),
        _mm256_permute2x128_si256::<0x31>(c, d),
    ]
}

/// The twiddles of a distance, repeated to a vector.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn twiddles<const DISTANCE: usize>(heap: &[u64; 8]) -> __m256i {
    if DISTANCE == 2 {
        // SAFETY: words 2 and 3 of eight; the load needs no alignment.
        _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(heap[2..4].as_ptr().cast()) })
    } else {
        // SAFETY: words 4 to 7 of eight; the load needs no alignment.
        unsafe { _mm256_loadu_si256(heap[4..8].as_ptr().cast()) }
    }
}
