//! The loops of `centered.rs`, compiled for AVX-512: same source, wider code.

use super::centered::{self, DigitRow, centered_kernels};
use crate::isa::Avx512;

macro_rules! compile {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*);)*) => {$(
        $(#[$doc])*
        pub(super) fn $name(_proof: Avx512, $($arg: $ty),*) {
            #[target_feature(enable = "avx512f,avx512dq,avx512vl,fma")]
            fn lanes($($arg: $ty),*) {
                centered::$name($($arg),*);
            }
            // SAFETY: `Avx512` is only built after the processor reported these features; `lanes` itself is safe code.
            unsafe { lanes($($arg),*) }
        }
    )*};
}
centered_kernels!(compile);
