//! The functions that the rest of the crate calls: the kernel of the instruction set named by the token, of the word,
//! and of the size of the modulus.

use super::{portable_kernels, product_kernels};
use crate::Word;
use crate::isa::Isa;
#[cfg(target_arch = "x86_64")]
use crate::kernels::{
    elementwise_avx2, elementwise_avx2_f64, elementwise_avx2_u32, elementwise_avx2_u64, elementwise_avx512,
    elementwise_avx512_f64, elementwise_avx512_u32, elementwise_avx512_u64, elementwise_ifma,
};
use crate::modulus::{Modulus, ShoupFactor};

macro_rules! dispatch_portable {
    ($($(#[$doc:meta])* $name:ident<$($w:ident),+>($($arg:ident: $ty:ty),*);)*) => {$(
        $(#[$doc])*
        #[inline]
        pub(crate) fn $name<$($w: Word),+>(isa: Isa, $($arg: $ty),*) {
            match isa {
                Isa::Scalar => super::$name($($arg),*),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2(proof) => elementwise_avx2::$name(proof, $($arg),*),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512(proof) => elementwise_avx512::$name(proof, $($arg),*),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512Ifma(proof) => elementwise_avx512::$name(proof.avx512(), $($arg),*),
            }
        }
    )*};
}
portable_kernels!(dispatch_portable);

macro_rules! declare_products {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*);)*) => {
        /// The products of the word `W` on every instruction set.
        pub trait ProductKernels<W> {
            $(#[doc(hidden)]
            fn $name(isa: Isa, $($arg: $ty),*)
            where
                W: Word;)*
        }

        $($(#[$doc])*
        #[inline]
        pub(crate) fn $name<W: Word>(isa: Isa, $($arg: $ty),*) {
            <W as ProductKernels<W>>::$name(isa, $($arg),*)
        })*
    };
}
product_kernels!(declare_products);

/// `out = x + c mod q` for words `x` of any size and of either width.
pub(crate) fn reduce_add_into<S: Word, W: Word>(isa: Isa, m: Modulus<W>, out: &mut [W], x: &[S], c: W) {
    match S::BITS {
        u32::BITS => reduce_add_u32_into(isa, m, out, bytemuck::cast_slice(x), c),
        _ => reduce_add_u64_into(isa, m, out, bytemuck::cast_slice(x), c),
    }
}

/// `acc += x * w` for words `x` of any size and of either width.
pub(crate) fn mul_shoup_add_assign<S: Word, W: Word>(
    isa: Isa,
    m: Modulus<W>,
    acc: &mut [W],
    x: &[S],
    w: ShoupFactor<W>,
) {
    match S::BITS {
        u32::BITS => mul_shoup_add_u32_assign(isa, m, acc, bytemuck::cast_slice(x), w),
        _ => mul_shoup_add_u64_assign(isa, m, acc, bytemuck::cast_slice(x), w),
    }
}

/// Products of 32-bit words.
mod words_32 {
    use super::*;

    type W = u32;

    macro_rules! dispatch_products {
        ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*);)*) => {
            impl ProductKernels<W> for W {$(
                fn $name(isa: Isa, $($arg: $ty),*) {
                    match isa {
                        Isa::Scalar => super::super::$name($($arg),*),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx2(proof) => elementwise_avx2_u32::$name(proof, $($arg),*),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx512(proof) => elementwise_avx512_u32::$name(proof, $($arg),*),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx512Ifma(proof) => elementwise_avx512_u32::$name(proof.avx512(), $($arg),*),
                    }
                }
            )*}
        };
    }
    product_kernels!(dispatch_products);
}

/// Products of 64-bit words: primes of up to 50 bits have a path of their own.
mod words_64 {
    use super::*;

    type W = u64;

    macro_rules! dispatch_products {
        ($($(#[$doc:meta])* $name:ident($m:ident: $modulus:ty, $($arg:ident: $ty:ty),*);)*) => {
            impl ProductKernels<W> for W {$(
                fn $name(isa: Isa, $m: $modulus, $($arg: $ty),*) {
                    match isa {
                        Isa::Scalar => super::super::$name($m, $($arg),*),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx2(proof) if elementwise_avx2_f64::fits($m) => elementwise_avx2_f64::$name(proof, $m, $($arg),*),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx2(proof) if elementwise_avx2_u64::fits($m) => elementwise_avx2_u64::$name(proof, $m, $($arg),*),
                        // Primes that 32-bit words hold.
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx2(_) => super::super::$name($m, $($arg),*),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx512Ifma(proof) if elementwise_ifma::fits($m) => elementwise_ifma::$name(proof, $m, $($arg),*),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx512(proof) if elementwise_avx512_f64::fits($m) => elementwise_avx512_f64::$name(proof, $m, $($arg),*),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx512(proof) => elementwise_avx512_u64::$name(proof, $m, $($arg),*),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx512Ifma(proof) => elementwise_avx512_u64::$name(proof.avx512(), $m, $($arg),*),
                    }
                }
            )*}
        };
    }
    product_kernels!(dispatch_products);
}
