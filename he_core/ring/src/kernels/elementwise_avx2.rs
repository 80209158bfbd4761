//! The loops of `elementwise.rs`, compiled for AVX2: same source, wider code.

use super::elementwise::{self, portable_kernels};
use crate::Word;
use crate::isa::Avx2;
use crate::modulus::Modulus;

macro_rules! compile_for_avx2 {
    ($($(#[$doc:meta])* $name:ident<$($w:ident),+>($($arg:ident: $ty:ty),*);)*) => {$(
        $(#[$doc])*
        pub(super) fn $name<$($w: Word),+>(_proof: Avx2, $($arg: $ty),*) {
            #[target_feature(enable = "avx2")]
            fn lanes<$($w: Word),+>($($arg: $ty),*) {
                elementwise::$name($($arg),*);
            }
            // SAFETY: `Avx2` is only built after the processor reported AVX2; `lanes` itself is safe code.
            unsafe { lanes($($arg),*) }
        }
    )*};
}
portable_kernels!(compile_for_avx2);
