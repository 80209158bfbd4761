//! How the layers inside vectors of eight words arrange a pair of vectors, words 0 to 7 and 8 to 15.

use std::arch::x86_64::{
    __m512i, _mm512_permutex2var_epi64, _mm512_setr_epi64, _mm512_shuffle_i64x2, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi64,
};

type Pair = (__m512i, __m512i);

/// Nodes by lane at distance 4, 2 and 1 after [`halves`], [`quarters`] and [`neighbours`], one after the other.
pub(super) const FORWARD: [[usize; 8]; 3] =
    [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 2, 2, 1, 1, 3, 3], [0, 1, 4, 5, 2, 3, 6, 7]];

/// Nodes by lane at distance 4, 2 and 1 after [`from_natural`], [`neighbours`] and [`halves`], from the last to the first.
pub(super) const INVERSE: [[usize; 8]; 3] = [[0, 0, 1, 1, 0, 0, 1, 1], FORWARD[1], FORWARD[2]];

/// `[a0 a1 b0 b1]` and `[a2 a3 b2 b3]`, in quarters.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn halves((a, b): Pair) -> Pair {
    (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b))
}

/// `[a0 a2 b0 b2]` and `[a1 a3 b1 b3]`, in quarters.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn quarters((a, b): Pair) -> Pair {
    (_mm512_shuffle_i64x2::<0x88>(a, b), _mm512_shuffle_i64x2::<0xdd>(a, b))
}

/// Exchanges the odd words of `a` with the even ones of `b`; twice is nothing.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn neighbours((a, b): Pair) -> Pair {
    (_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b))
}

/// From `[0 2 8 10 4 6 12 14]` and `[1 3 9 11 5 7 13 15]`.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn to_natural((a, b): Pair) -> Pair {
    let (low, high) = (_mm512_setr_epi64(0, 8, 1, 9, 4, 12, 5, 13), _mm512_setr_epi64(2, 10, 3, 11, 6, 14, 7, 15));
    (_mm512_permutex2var_epi64(a, low, b), _mm512_permutex2var_epi64(a, high, b))
}

/// To `[0 2 8 10 4 6 12 14]` and `[1 3 9 11 5 7 13 15]`.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn from_natural((a, b): Pair) -> Pair {
    let (even, odd) = (_mm512_setr_epi64(0, 2, 8, 10, 4, 6, 12, 14), _mm512_setr_epi64(1, 3, 9, 11, 5, 7, 13, 15));
    (_mm512_permutex2var_epi64(a, even, b), _mm512_permutex2var_epi64(a, odd, b))
}
