//! The loops of `elementwise.rs`, compiled for AVX-512: same source, wider code.

use super::elementwise::{self, portable_kernels};
use crate::Word;
use crate::isa::Avx512;
use crate::modulus::Modulus;

macro_rules! compile_for_avx512 {
    ($($(#[$doc:meta])* $name:ident<$($w:ident),+>($($arg:ident: $ty:ty),*);)*) => {$(
        $(#[$doc])*
        pub(super) fn $name<$($w: Word),+>(_proof: Avx512, $($arg: $ty),*) {
            #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
            fn lanes<$($w: Word),+>($($arg: $ty),*) {
                elementwise::$name($($arg),*);
            }
            // SAFETY: `Avx512` is only built after the processor reported these sets; `lanes` itself is safe code.
            unsafe { lanes($($arg),*) }
        }
    )*};
}
portable_kernels!(compile_for_avx512);
