//! The loops of `centered.rs`, compiled for AVX2: same source, wider code.

use super::centered::{self, DigitRow, centered_kernels};
use crate::isa::Avx2;

macro_rules! compile {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*);)*) => {$(
        $(#[$doc])*
        pub(super) fn $name(_proof: Avx2, $($arg: $ty),*) {
            #[target_feature(enable = "avx2,fma")]
            fn lanes($($arg: $ty),*) {
                centered::$name($($arg),*);
            }
            // SAFETY: `Avx2` is only built after the processor reported these features; `lanes` itself is safe code.
            unsafe { lanes($($arg),*) }
        }
    )*};
}
centered_kernels!(compile);
