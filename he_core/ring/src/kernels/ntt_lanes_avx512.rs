//! How the layers inside vectors of eight words arrange a pair of vectors `a`, `b` of neighbouring words.
//!
//! Lanes of the two vectors hold
//! `[a0 b0 a1 b1 a2 b2 a3 b3]` and `[a4 b4 a5 b5 a6 b6 a7 b7]` at distance 4,
//! `[a0 b0 a4 b4 a1 b1 a5 b5]` and `[a2 b2 a6 b6 a3 b3 a7 b7]` at distance 2,
//! `[a0 b0 a4 b4 a2 b2 a6 b6]` and `[a1 b1 a5 b5 a3 b3 a7 b7]` at distance 1:
//! twiddles then lie in memory as a lane order repeats them.

use std::arch::x86_64::{
    __m512i, _mm_loadu_si128, _mm256_loadu_si256, _mm512_broadcast_i32x4, _mm512_broadcast_i64x4, _mm512_loadu_si512,
    _mm512_permutex2var_epi64, _mm512_setr_epi64, _mm512_shuffle_i64x2,
};

/// Two pairs.
type Pairs = [__m512i; 4];

/// Natural order to distance 4.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn alternate([a, b, c, d]: Pairs) -> Pairs {
    let (low, high) = (_mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15));
    [
        _mm512_permutex2var_epi64(a, low, b),
        _mm512_permutex2var_epi64(a, high, b),
        _mm512_permutex2var_epi64(c, low, d),
        _mm512_permutex2var_epi64(c, high, d),
    ]
}

/// Distance 4 to natural order.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn from_alternate([a, b, c, d]: Pairs) -> Pairs {
    let (even, odd) = (_mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15));
    [
        _mm512_permutex2var_epi64(a, even, b),
        _mm512_permutex2var_epi64(a, odd, b),
        _mm512_permutex2var_epi64(c, even, d),
        _mm512_permutex2var_epi64(c, odd, d),
    ]
}

/// Distance 4 to distance 2.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn split_2([a, b, c, d]: Pairs) -> Pairs {
    let (low, high) = (_mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15));
    [
        _mm512_permutex2var_epi64(a, low, b),
        _mm512_permutex2var_epi64(a, high, b),
        _mm512_permutex2var_epi64(c, low, d),
        _mm512_permutex2var_epi64(c, high, d),
    ]
}

/// Distance 2 to distance 4.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn join_2([a, b, c, d]: Pairs) -> Pairs {
    [
        _mm512_shuffle_i64x2::<0x88>(a, b),
        _mm512_shuffle_i64x2::<0xdd>(a, b),
        _mm512_shuffle_i64x2::<0x88>(c, d),
        _mm512_shuffle_i64x2::<0xdd>(c, d),
    ]
}

/// Distance 2 to distance 1 and back.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn halves([a, b, c, d]: Pairs) -> Pairs {
    [
        _mm512_shuffle_i64x2::<0x44>(a, b),
        _mm512_shuffle_i64x2::<0xee>(a, b),
        _mm512_shuffle_i64x2::<0x44>(c, d),
        _mm512_shuffle_i64x2::<0xee>(c, d),
    ]
}

/// Natural order to distance 1 and back.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn neighbours([a, b, c, d]: Pairs) -> Pairs {
    let (low, high) = (_mm512_setr_epi64(0, 8, 4, 12, 2, 10, 6, 14), _mm512_setr_epi64(1, 9, 5, 13, 3, 11, 7, 15));
    [
        _mm512_permutex2var_epi64(a, low, b),
        _mm512_permutex2var_epi64(a, high, b),
        _mm512_permutex2var_epi64(c, low, d),
        _mm512_permutex2var_epi64(c, high, d),
    ]
}

/// The twiddles of a distance, repeated to a vector.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn twiddles<const DISTANCE: usize>(heap: &[u64; 16]) -> __m512i {
    if DISTANCE == 4 {
        // SAFETY: words 2 and 3 of sixteen; the load needs no alignment.
        _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(heap[2..4].as_ptr().cast()) })
    } else if DISTANCE == 2 {
        // SAFETY: words 4 to 7 of sixteen; the load needs no alignment.
        _mm512_broadcast_i64x4(unsafe { _mm256_loadu_si256(heap[4..8].as_ptr().cast()) })
    } else {
        // SAFETY: words 8 to 15 of sixteen; the load needs no alignment.
        unsafe { _mm512_loadu_si512(heap[8..16].as_ptr().cast()) }
    }
}
