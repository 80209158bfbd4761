//! The two machine words that hold residues.
//!
//! A prime below 2^30 lives in `u32`, any other (up to 61 bits) in `u64`. In both, four times the prime fits a word,
//! which is what lazy butterflies need; the wider room of `u64` (8q) pays for cheaper vector arithmetic.

use std::fmt::Debug;

use zeroize::Zeroize;

use crate::kernels::{NttKernels, ProductKernels};
use crate::ntt::NttPlan;
use crate::ring::Plan;
use crate::scratch::Scratch;
use crate::tensor::Words;

/// A residue word: `u32` or `u64`, nothing else.
pub trait Word:
    bytemuck::Pod
    + Ord
    + Debug
    + Default
    + Send
    + Sync
    + Zeroize
    + NttKernels
    + ProductKernels<Self>
    + Erased
    + Scratch
    + 'static
{
    /// Bits of the word.
    const BITS: u32;
    /// A modulus has at most this many bits: 30 or 61.
    const MAX_MODULUS_BITS: u32;
    /// The integer twice as wide, for products.
    type Wide: Copy + Default;
    /// How many products of residues a wide word can sum up.
    const MAX_LAZY_PRODUCTS: usize = 1 << (2 * (Self::BITS - Self::MAX_MODULUS_BITS));

    /// Widens to `u64`.
    fn to_u64(self) -> u64;
    /// Takes the low bits; the caller knows that the value fits.
    fn from_u64(x: u64) -> Self;
    /// Sum modulo 2^BITS.
    fn wrapping_add(self, rhs: Self) -> Self;
    /// Difference modulo 2^BITS.
    fn wrapping_sub(self, rhs: Self) -> Self;
    /// Product modulo 2^BITS.
    fn wrapping_mul(self, rhs: Self) -> Self;
    /// `self << shift`; the caller knows that no bit is lost.
    fn shift_up(self, shift: u32) -> Self;
    /// `self >> shift`.
    fn shift_right(self, shift: u32) -> Self;
    /// The full product.
    fn mul_wide(self, rhs: Self) -> Self::Wide;
    /// The upper half of the product.
    fn mul_hi(self, rhs: Self) -> Self;
    /// `wide >> shift`, of which the low word is kept.
    fn shift_down(wide: Self::Wide, shift: u32) -> Self;
    /// `wide + word`; the caller knows that it does not overflow.
    fn wide_add(wide: Self::Wide, word: Self) -> Self::Wide;
    /// `wide + wide`; the caller knows that it does not overflow.
    fn wide_sum(a: Self::Wide, b: Self::Wide) -> Self::Wide;
}

/// How erased storage and plans are seen through one word. Crate-internal: this seals [`Word`].
pub trait Erased: Sized {
    #[doc(hidden)]
    fn words(words: &Words) -> &crate::aligned::AlignedWords<Self>;
    #[doc(hidden)]
    fn words_mut(words: &mut Words) -> &mut crate::aligned::AlignedWords<Self>;
    #[doc(hidden)]
    fn plan(plan: &Plan) -> &NttPlan<Self>
    where
        Self: Word;
}

macro_rules! word {
    ($word:ty, $wide:ty, $variant:ident, $max:expr) => {
        impl Word for $word {
            const BITS: u32 = <$word>::BITS;
            const MAX_MODULUS_BITS: u32 = $max;
            type Wide = $wide;

            #[inline(always)]
            fn to_u64(self) -> u64 {
                self as u64
            }
            #[inline(always)]
            fn from_u64(x: u64) -> Self {
                debug_assert!(x <= <$word>::MAX as u64);
                x as $word
            }
            #[inline(always)]
            fn wrapping_add(self, rhs: Self) -> Self {
                self.wrapping_add(rhs)
            }
            #[inline(always)]
            fn wrapping_sub(self, rhs: Self) -> Self {
                self.wrapping_sub(rhs)
            }
            #[inline(always)]
            fn wrapping_mul(self, rhs: Self) -> Self {
                self.wrapping_mul(rhs)
            }
            #[inline(always)]
            fn shift_up(self, shift: u32) -> Self {
                debug_assert!(self.leading_zeros() >= shift);
                self << shift
            }
            #[inline(always)]
            fn shift_right(self, shift: u32) -> Self {
                self >> shift
            }
            #[inline(always)]
            fn mul_wide(self, rhs: Self) -> $wide {
                self as $wide * rhs as $wide
            }
            #[inline(always)]
            fn mul_hi(self, rhs: Self) -> Self {
                ((self as $wide * rhs as $wide) >> <$word>::BITS) as $word
            }
            #[inline(always)]
            fn shift_down(wide: $wide, shift: u32) -> Self {
                (wide >> shift) as $word
            }
            #[inline(always)]
            fn wide_add(wide: $wide, word: Self) -> $wide {
                wide + word as $wide
            }
            #[inline(always)]
            fn wide_sum(a: $wide, b: $wide) -> $wide {
                a + b
            }
        }

        impl Erased for $word {
            #[inline]
            fn words(words: &Words) -> &crate::aligned::AlignedWords<Self> {
                match words {
                    Words::$variant(words) => words,
                    _ => unreachable!("the width of a limb follows from its prime"),
                }
            }
            #[inline]
            fn words_mut(words: &mut Words) -> &mut crate::aligned::AlignedWords<Self> {
                match words {
                    Words::$variant(words) => words,
                    _ => unreachable!("the width of a limb follows from its prime"),
                }
            }
            #[inline]
            fn plan(plan: &Plan) -> &NttPlan<Self> {
                match plan {
                    Plan::$variant(plan) => plan,
                    _ => unreachable!("the width of a limb follows from its prime"),
                }
            }
        }
    };
}

word!(u32, u64, U32, 30);
word!(u64, u128, U64, 61);
